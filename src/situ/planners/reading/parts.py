"""The part of a thing in its clause: landmark, object, belonging or subject."""

from situ.planners import nouns, uses, verb_forms
from situ.planners.chunking.items import NounPhrase
from situ.planners.reading.having import flush_with
from situ.planners.reading.landing import land, maybe_also
from situ.planners.reading.relating import relate
from situ.planners.reading.state import Ids, Reading
from situ.planners.reading.verbs import take_object
from situ.planners.symbols import TOUCHING
from situ.planners.verb_forms import word_set


def place_ids(state: Reading, ids: Ids, phrase: NounPhrase | None) -> None:
    """Give a noun phrase its part in the clause."""
    if state.before == "that":
        state.relative = []  # "a cake that her father holds"
    if phrase is not None and phrase.subset and state.before == "comma" and not state.waiting:
        flush_with(state, None)
        state.verb = ""
    if state.waiting:
        state.spread = phrase is not None and (phrase.each or phrase.spread)
        land(state, ids)
    elif state.verb and state.verb_subjects and state.before != "comma":
        take_object(state, ids, phrase)
    elif state.in_with and (state.before in ("with", "have", "and", "comma", "neg", "np", "but")):
        _take_with(state, ids)
    elif _wear_too(state, ids):
        return
    elif _is_gapped(state):
        relate(state, state.np, state.took, ids)
        state.now(ids, "object")
    elif state.object_of and _continues_objects(state, ids):
        state.verb = state.object_base
        take_object(state, ids, phrase)
    else:
        _take_subject(state, ids, phrase)


def _wear_too(state: Reading, ids: Ids) -> bool:
    """ "a bulldog in sunglasses and a bow tie": relate them; whether it is that."""
    if not state.also or state.also[1] != state.index or state.also[0].said != "in":
        return False
    waiting = state.also[0]
    worn = state.are(state.last_landmark, uses.WEARABLE) and state.are(ids, uses.WEARABLE)
    if not worn or not state.are(waiting.subjects, nouns.ANIMATE):
        return False
    relate(state, waiting.subjects, "wearing", ids)
    maybe_also(state, waiting)
    return True


def _is_gapped(state: Reading) -> bool:
    """ "The dog wears a hat, the cat a bow tie"."""
    pair = state.before == "np" and state.role == "subject" and state.took in _DONE
    return pair and state.kind(state.index - 2) in ("comma", "and", "stop") and bool(state.np)


_DONE = ("wearing", "holding", "riding")


def _continues_objects(state: Reading, ids: Ids) -> bool:
    """ "holding a, b and c": after "and", or a comma inside such a list."""
    if state.before == "and":
        worn = state.object_of == "wearing" and state.are(ids, uses.WEARABLE)
        return worn or _coordinates(state) or _awaits_verb(state)
    following = state.kind(state.index + 1), state.kind(state.index + 2)
    listed = following in (("and", "np"), ("comma", "np"), ("comma", "and"))
    return state.before == "comma" and state.role == "object" and listed


def _awaits_verb(state: Reading) -> bool:
    """ "a man carrying a ladder and a bucket walks": the clause has no finite verb before that."""
    following = state.items[state.index + 1 : state.index + 2]
    finite = any(i.kind == "verb" and not i.said.endswith("ing") for i in following)
    start = max((k for k in range(state.index) if state.kind(k) == "stop"), default=-1)
    told = [i for i in state.items[start + 1 : state.index] if i.kind in ("verb", "cop", "have")]
    return finite and all(i.kind == "verb" and i.said.endswith("ing") for i in told)


def _coordinates(state: Reading) -> bool:
    """After "and": does the noun phrase go on with the list, or begin a clause?"""
    return state.kind(state.index + 1) not in ("cop", "verb", "rel", "with", "have", "place")


def _begins_another(state: Reading) -> bool:
    """ "Behind the bar a man sings, and two lamps hang": the lamps have a clause of their own."""
    told = state.rel_subjects and state.before in ("and", "comma") and state.predicated
    return bool(told) and state.kind(state.index + 1) in ("verb", "cop")


def _take_with(state: Reading, ids: Ids) -> None:
    if not state.host:
        _take_subject(state, ids, None)
        return
    state.with_group += [i for i in ids if i not in state.host]
    state.now(ids, "with")


def _take_subject(state: Reading, ids: Ids, phrase: NounPhrase | None) -> None:
    whole = phrase is None or not phrase.subset
    joined = state.before in ("and", "comma") and state.role == "subject" and whole
    parts = any(state.entities[i].parent in state.group for i in ids)
    apart = state.before == "and" and state.kind(state.index - 2) == "comma" and bool(state.host)
    apart = apart or (state.before == "and" and _is_placed(state))
    joined = joined and not state.predicated and not parts and not apart
    _take_also(state, ids)
    if not state.subjects and not joined:
        state.first_subjects = list(ids)
    state.group = [*state.group, *ids] if joined else list(ids)
    state.subjects = list(state.group)
    if state.denied and state.before == "but":  # "no cup on the table, only a plate"
        relate(state, ids, state.denied.predicate, state.denied.subjects)
    _take_fronted(state, ids)
    if state.fronted_place:
        for one in ids:
            state.entities[one].place = state.fronted_place
        state.fronted_place = ""
        joined, state.predicated = True, True
    state.after_cop, state.object_of, state.verb = False, "", ""
    state.predicated = state.predicated and joined
    state.now(ids, "subject")


def _is_placed(state: Reading) -> bool:
    """ "a tower in the distance and two seals on": what was named before has its place."""
    where = [state.kind(state.index - back) for back in (2, 3)]
    return (where == ["np", "rel"] or where[0] == "place") and state.kind(state.index + 1) in (
        "rel",
        "with",
    )


def _take_also(state: Reading, ids: Ids) -> None:
    """ "next to a dog and a bird": perhaps next to both."""
    also = state.also
    if not also or also[1] != state.index or also[0].predicate in TOUCHING:
        return
    if _coordinates(state):
        relate(state, also[0].subjects, also[0].predicate, ids, sure=False)
        maybe_also(state, also[0])


def _lays(state: Reading, ids: Ids) -> bool:
    """ "on his rug he displays two teapots": the teapots are there."""
    following = list(state.items[state.index + 1 : state.index + 4])
    if following and following[0].kind in ("cop", "have"):
        following.pop(0)
    kinds = [item.kind for item in following[:2]]
    placed = kinds == ["verb", "np"] and following[0].word in verb_forms.PLACING | _OFFERING
    return placed and state.are(ids, nouns.ANIMATE)


_OFFERING = word_set("build display exhibit find keep offer present see sell serve show spot")


def _take_fronted(state: Reading, ids: Ids) -> None:
    """ "On the table is a cat": the subject has come."""
    if state.fronted and _begins_another(state):
        state.fronted = None
    if state.fronted and state.fronted.subjects:
        keep = state.rel_subjects
        if _lays(state, ids):
            state.laid, state.fronted = state.fronted, None
            return
        landmark = [i for i in state.fronted.subjects if i not in ids]
        each = state.fronted.spread and bool(landmark)
        for one in ids if each else []:
            state.entities[one].count *= sum(state.entities[i].count for i in landmark)
        relate(state, ids, state.fronted.predicate, landmark, each=each)
        state.rel_subjects = keep or list(ids)
