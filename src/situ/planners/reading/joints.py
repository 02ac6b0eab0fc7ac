"""The small words of a clause: stops, commas, negations, "that", "is", "full of", places."""

from situ.planners import nouns
from situ.planners.chunking.items import Item
from situ.planners.reading.having import begin_with, flush_with
from situ.planners.reading.landing import wait
from situ.planners.reading.mentions import DROPPED
from situ.planners.reading.relating import pairwise, relate, spoken
from situ.planners.reading.state import Ids, Reading


def on_order(state: Reading, item: Item) -> None:
    state.order = item.word


def line_up(state: Reading) -> None:
    """ "from left to right: a cat, a dog and a parrot": each is beside the next."""
    if state.order and len(state.group) > 1:
        pairwise(state, state.order, state.group)
        state.order = ""


def on_stop(state: Reading, item: Item) -> None:
    flush_with(state, None)
    line_up(state)
    doer = state.first_subjects if _goes_on(state, item) else []
    state.new_clause()
    state.subjects = list(doer)
    state.sentence += item.word in (".", "!", "?", ";")


def _goes_on(state: Reading, item: Item) -> bool:
    """ "while balancing on a ball": the same one does that, too."""
    following = state.items[state.index + 1 : state.index + 2]
    participle = any(i.kind == "verb" and i.said.endswith("ing") for i in following)
    return participle and item.word in ("while", "when")


def on_comma(state: Reading, item: Item) -> None:
    state.negated = False
    state.mute = False
    state.relative = []
    if not _continues_verb(state):
        state.verb = ""


def on_and(state: Reading, item: Item) -> None:
    state.negated = state.negated and item.word in ("or", "nor")
    state.mute = False
    state.relative = []


def on_but(state: Reading, item: Item) -> None:
    state.negated = False


def on_that(state: Reading, item: Item) -> None:
    if state.np and state.before in ("np", "comma"):
        state.relative = list(state.np)


def on_there(state: Reading, item: Item) -> None:
    state.relative = []
    if not state.fronted and not state.waiting:
        state.subjects, state.group = [], []


def on_neg(state: Reading, item: Item) -> None:
    state.negated = True


def on_full(state: Reading, item: Item) -> None:
    """ "full of books": the words stay with the thing, unless somebody counted."""
    following = state.items[state.index + 1] if state.index + 1 < len(state.items) else None
    phrase = following.phrase if following else None
    host = state.np or state.subjects
    if not host or phrase is None or not phrase.noun:
        return
    heaped = item.word.startswith("topped") and state.are(host[-1:], nouns.SURFACES)
    if phrase.count is None and not phrase.determiner and not heaped:
        said = [*phrase.modifiers, spoken(phrase)]
        state.entities[host[-1]].ending = f"{item.word} {' '.join(said)}"
        state.mute = True
    else:
        inside = item.word.split()[0] in ("full", "filled")
        wait(state, "~inside" if inside else "~on", host, "full")


def on_holds(state: Reading, item: Item) -> None:
    """ "a box of six donuts"."""
    wait(state, "~inside" if state.are(state.np, nouns.CONTAINERS) else "~on", state.np, "of")


def on_cop(state: Reading, item: Item) -> None:
    state.after_cop = state.predicated = True
    if item.word.endswith("n't"):
        state.negated = True
    if not state.fronted:
        state.waiting = []


def on_have(state: Reading, item: Item) -> None:
    following = state.kind(state.index + 1)
    if following in ("verb", "cop"):
        return
    state.negated = state.negated and state.before != "verb"
    begin_with(state, state.relative or state.subjects or state.np, item.word.startswith("contain"))


def on_with(state: Reading, item: Item) -> None:
    host = state.np if state.before in ("np", "pron", "place", "verb", "full") else state.subjects
    if state.before == "pron" and state.items[state.index - 1].word in ("each", "both"):
        host = state.subjects
    if state.before == "verb":
        host = state.subjects
    begin_with(state, host, False)
    state.owned = item.word == "whose"


def on_place(state: Reading, item: Item) -> None:
    if state.before in ("np", "pron") or (state.before in ("verb", "cop") and state.subjects):
        target = state.subjects if state.before in ("verb", "cop") else _placed(state)
        opposite = {"left": "right of", "right": "left of"}.get(item.word, "")
        if _is_turned(state, item.word):
            relate(state, target, f"{item.word} of", state.last_landmark)
        else:
            for one in target:
                state.entities[one].place = item.word
        state.last_predicate = opposite and state.last_predicate
    else:
        state.fronted_place = item.word


def _placed(state: Reading) -> Ids:
    return state.np if state.role != "landmark" else (state.subjects or state.np)


def _is_turned(state: Reading, word: str) -> bool:
    """ "a cup left of the plate and a fork on the right": the plate is what it is right of."""
    opposite = {"left": "right of", "right": "left of"}.get(word)
    return bool(opposite) and state.last_predicate == opposite and bool(state.last_landmark)


def on_adj(state: Reading, item: Item) -> None:
    if item.word in DROPPED or state.negated:
        state.negated = False
        return
    targets = state.relative or state.subjects
    if state.after_cop or state.relative or _is_part(state, targets):
        for one in targets:
            if item.word not in state.entities[one].attributes:
                state.entities[one].attributes.append(item.word)


def _is_part(state: Reading, ids: Ids) -> bool:
    return any(state.entities[i].parent is not None for i in ids)


def _continues_verb(state: Reading) -> bool:
    return bool(state.object_of)
