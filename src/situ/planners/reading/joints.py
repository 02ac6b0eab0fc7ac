"""The small words of a clause: stops, commas, negations, "that", "is", "full of", places."""

from situ.planners import nouns, uses, words
from situ.planners.chunking.items import Item
from situ.planners.reading.having import begin_with, flush_with
from situ.planners.reading.landing import front, wait
from situ.planners.reading.relating import pairwise, relate, spoken
from situ.planners.reading.state import Ids, Reading, Waiting
from situ.planners.reading.things import DROPPED
from situ.planners.verb_forms import is_participle, word_set


def on_order(state: Reading, item: Item) -> None:
    state.order = item.word


def line_up(state: Reading) -> None:
    """ "from left to right: a cat, a dog and a parrot": each is beside the next."""
    if state.order and len(state.group) > 1:
        pairwise(state, state.order, state.group)
        state.order = ""


def on_stop(state: Reading, item: Item) -> None:
    if item.word == ":" and state.fronted and state.fronted.subjects:
        return  # "on the bed: a cat and a dog"
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
    if state.modified and state.kind(state.index + 1) in ("cop", "verb", "have"):
        state.subjects = list(state.modified)  # "the mug, which is blue, is full"
        state.now(state.modified, "subject")
    if state.outer and state.kind(state.index + 1) in ("verb", "cop"):
        state.fronted, state.outer = state.outer, None
        state.subjects, state.group, state.rel_subjects = [], [], []
    if not _continues_verb(state):
        state.verb = ""


def on_and(state: Reading, item: Item) -> None:
    state.negated = state.negated and item.word in ("or", "nor")
    state.mute = False
    state.relative = []


def on_but(state: Reading, item: Item) -> None:
    state.negated = False


def on_that(state: Reading, item: Item) -> None:
    place = _place_of(state) if item.word == "where" else ""
    if place or (state.before == "rel" and state.waiting and state.np):
        outer = state.fronted if state.fronted and state.fronted.subjects else None
        state.fronted = Waiting(place or state.waiting[-1].predicate, [])  # "a sofa on which"
        state.waiting = []
        state.modified = list(state.np)
        state.outer = outer
        front(state, state.np)
        return
    if state.np and state.before in ("np", "comma"):
        state.relative = state.modified = list(state.np)


def _place_of(state: Reading) -> str:
    """Where one is "where a man sits": on a stool, in a tent."""
    if state.before != "np" or not state.np:
        return ""
    if state.are(state.np, uses.SURFACES | uses.EXPANSES):
        return "on"
    return "inside" if state.are(state.np, uses.CONTAINERS) else ""


def on_there(state: Reading, item: Item) -> None:
    state.relative = []
    if not state.fronted and not state.waiting:
        state.subjects, state.group = [], []


def on_neg(state: Reading, item: Item) -> None:
    state.negated = True


_FILLING = word_set(
    "full filled loaded laden stuffed packed crammed stocked stacked piled brimming overflowing"
)


_LOADED = ("loaded", "laden", "piled", "stacked")


def on_full(state: Reading, item: Item) -> None:
    """ "full of books": the words stay with the thing, unless somebody counted."""
    following = state.items[state.index + 1] if state.index + 1 < len(state.items) else None
    phrase = following.phrase if following else None
    host = state.np or state.subjects
    if not host or phrase is None or not phrase.noun:
        return
    if state.before == "pron" and phrase.count is None and not phrase.plural:
        state.mute = True  # "a pig and three piglets, all covered in mud"
        return
    heaped = item.word.startswith("topped") and state.are(host[-1:], uses.SURFACES)
    filled = item.word.split()[0] in _FILLING and phrase.noun not in nouns.NON_THINGS
    dotted = item.word.split()[0] in ("covered", "topped")
    filled = filled or (dotted and phrase.plural and nouns.is_known(phrase.noun))
    if phrase.count is None and not phrase.determiner and not heaped and not filled:
        said = [*phrase.modifiers, spoken(phrase)]
        state.entities[host[-1]].ending = f"{item.word} {' '.join(said)}"
        state.mute = True
    else:
        heaped = heaped or state.are(host[-1:], uses.SURFACES) or item.word.split()[0] in _LOADED
        inside = item.word.split()[0] in _FILLING and filled and not heaped
        wait(state, "~inside" if inside else "~on", host, "full")


def on_holds(state: Reading, item: Item) -> None:
    """ "a box of six donuts"."""
    wait(state, "~inside" if state.are(state.np, uses.CONTAINERS) else "~on", state.np, "of")


def on_cop(state: Reading, item: Item) -> None:
    state.after_cop = state.predicated = True
    if item.word.endswith("n't"):
        state.negated = True
    if not state.fronted:
        state.waiting = []
    ended = state.kind(state.index + 1) in ("stop", "comma")
    if state.refused and ended and state.before == "np" and state.subjects:
        relate(state, state.subjects, state.refused.predicate, state.refused.subjects)


def on_have(state: Reading, item: Item) -> None:
    following = state.kind(state.index + 1)
    if following in ("verb", "cop"):
        return
    state.negated = state.negated and state.before != "verb"
    host = state.relative or state.subjects or state.np
    if item.word.endswith("ing") and state.before == "np":
        host = state.np
    begin_with(state, host, item.word.startswith("contain"))


def on_with(state: Reading, item: Item) -> None:
    host = state.np if state.before in ("np", "pron", "place", "verb", "full") else state.subjects
    if state.before == "pron" and state.items[state.index - 1].word in ("each", "both"):
        host = state.subjects
    if state.before == "verb" or _has_it(state, host) or _sits_in(state, host):
        host = state.verb_subjects or state.subjects
    begin_with(state, host, False)
    state.apart = state.before == "comma"
    state.instrument = host == state.verb_subjects and state.role == "object"
    state.owned = item.word == "whose"


def _has_it(state: Reading, nearest: Ids) -> bool:
    """ "a baby in a chair with a bib", "stirs a pot with a spoon": the one who can wear or hold it."""
    following = state.items[state.index + 1 : state.index + 2]
    phrase = following[0].phrase if following else None
    if phrase is None or not phrase.noun or state.role not in ("landmark", "object"):
        return False
    doers = state.verb_subjects or state.subjects
    if not state.are(doers, nouns.ANIMATE) or state.are(nearest, nouns.ANIMATE):
        return False
    able = state.are(doers, nouns.PEOPLE) or state.role == "object"
    held = able and nouns.head(phrase.noun) in uses.HANDHELD
    carried = state.role == "landmark" or state.object_of == "holding"
    near = state.are(nearest, uses.CONTAINERS | uses.SURFACES) and carried
    own = phrase.determiner in ("his", "her", "their") or _at_body(state)
    return nouns.head(phrase.noun) in uses.WEARABLE or own or (held and not near)


def _sits_in(state: Reading, nearest: Ids) -> bool:
    """ "knits in a rocking chair with a kitten": the kitten is not in the chair."""
    following = state.items[state.index + 1 : state.index + 2]
    phrase = following[0].phrase if following else None
    alive = phrase is not None and nouns.head(phrase.noun) in nouns.ANIMATE
    seated = state.role == "landmark" and state.are(nearest, uses.FOR_ONE)
    return alive and seated and state.are(state.subjects, nouns.ANIMATE)


def _at_body(state: Reading) -> bool:
    """ "with a cup in her hand"."""
    relation, where = (*state.items[state.index + 2 : state.index + 4], None, None)[:2]
    if relation is None or where is None or relation.kind != "rel" or where.phrase is None:
        return False
    phrase = where.phrase
    return phrase.determiner in words.POSSESSIVES and nouns.head(phrase.noun) in nouns.BODY


def on_place(state: Reading, item: Item) -> None:
    if item.said == "background" and _is_behind(state):
        return
    if item.said == "top" and state.host and _of_with(state):
        relate(state, state.relative or state.with_group, "on", state.host)
        state.with_group = []
        return
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


def _of_with(state: Reading) -> bool:
    """ "a tower with a knight (standing) at the top"."""
    group = state.with_group if state.in_with else state.relative
    return bool(group) and group != state.host


def _is_behind(state: Reading) -> bool:
    """ "a moose with mountains in the background": behind what the sentence is about."""
    group = state.with_group if state.in_with and state.with_group else _placed(state)
    before = [i for i in state.first_subjects if i not in group]
    if not before or not group or state.before not in ("np", "verb"):
        return False
    relate(state, group, "behind", before)
    state.with_group = []
    return True


def _placed(state: Reading) -> Ids:
    compared = state.last_predicate in ("larger", "smaller")
    return state.np if state.role != "landmark" or compared else (state.subjects or state.np)


def _is_turned(state: Reading, word: str) -> bool:
    """ "a cup left of the plate and a fork on the right": the plate is what it is right of."""
    opposite = {"left": "right of", "right": "left of"}.get(word)
    return bool(opposite) and state.last_predicate == opposite and bool(state.last_landmark)


def on_adj(state: Reading, item: Item) -> None:
    if state.before == "rel" and state.waiting and item.word in words.COLOURS:
        state.waiting = []  # "a man in black"
        return
    if state.of_part and not state.relative:
        return
    if item.word in DROPPED or state.negated:
        state.negated = False
        return
    apposed = _is_apposed(state)
    targets = state.np if apposed else state.relative or state.subjects
    if apposed or state.after_cop or state.relative or _is_part(state, targets):
        for one in targets:
            _describe(state.entities[one].attributes, item.word)


def _describe(attributes: list[str], word: str) -> None:
    """Among adjectives, before nouns that belong to the name: "white sugar bowl"."""
    end = len(attributes)
    while end and not (
        attributes[end - 1] in words.ADJECTIVES or is_participle(attributes[end - 1])
    ):
        end -= 1
    if word not in attributes:
        attributes.insert(end, word)


def _is_apposed(state: Reading) -> bool:
    """ "The vase, cracked and dusty, holds", "a teapot (blue)": told right after the noun."""
    index = state.index - 1
    while state.kind(index) in ("and", "adj", "comma") and state.kind(index - 1) in (
        "adj",
        "comma",
    ):
        index -= 1
    phrase = state.items[index - 1].phrase if state.kind(index - 1) == "np" else None
    named = phrase is not None and bool(phrase.noun) and not phrase.subset
    return named and state.kind(index) == "comma" and bool(state.np)


def _is_part(state: Reading, ids: Ids) -> bool:
    return any(state.entities[i].parent is not None for i in ids)


def _continues_verb(state: Reading) -> bool:
    return bool(state.object_of)
