"""The part of a thing in its clause: landmark, object, belonging or subject."""

from situ.planners.chunking.items import NounPhrase
from situ.planners.reading.landing import land, maybe_also
from situ.planners.reading.relating import relate
from situ.planners.reading.state import Ids, Reading
from situ.planners.reading.verbs import take_object
from situ.planners.symbols import TOUCHING


def place_ids(state: Reading, ids: Ids, phrase: NounPhrase | None) -> None:
    """Give a noun phrase its part in the clause."""
    if state.waiting:
        state.spread = phrase is not None and (phrase.each or phrase.spread)
        land(state, ids)
    elif state.verb and state.verb_subjects and state.before != "comma":
        take_object(state, ids, phrase)
    elif state.in_with and (state.before in ("with", "have", "and", "comma", "neg", "np")):
        _take_with(state, ids)
    elif state.object_of and state.before == "and" and _coordinates(state):
        relate(state, state.verb_subjects, state.object_of, ids)
        state.now(ids, "object")
    else:
        _take_subject(state, ids, phrase)


def _coordinates(state: Reading) -> bool:
    """After "and": does the noun phrase go on with the list, or begin a clause?"""
    return state.kind(state.index + 1) not in ("cop", "verb", "rel", "with", "have", "place")


def _take_with(state: Reading, ids: Ids) -> None:
    if not state.host:
        _take_subject(state, ids, None)
        return
    state.with_group += [i for i in ids if i not in state.host]
    state.now(ids, "with")


def _take_subject(state: Reading, ids: Ids, phrase: NounPhrase | None) -> None:
    whole = phrase is None or not phrase.subset
    joined = state.before in ("and", "comma") and state.role == "subject" and whole
    joined = joined and not state.predicated
    also = state.also
    if (
        also
        and also[1] == state.index
        and _coordinates(state)
        and also[0].predicate not in TOUCHING
    ):
        relate(state, also[0].subjects, also[0].predicate, ids, sure=False)
        maybe_also(state, also[0])
    if not state.subjects and not joined:
        state.first_subjects = list(ids)
    state.group = [*state.group, *ids] if joined else list(ids)
    state.subjects = list(state.group)
    if state.fronted and state.fronted.subjects:
        keep = state.rel_subjects
        relate(
            state, ids, state.fronted.predicate, [i for i in state.fronted.subjects if i not in ids]
        )
        state.rel_subjects = keep or list(ids)
    if state.fronted_place:
        for one in ids:
            state.entities[one].place = state.fronted_place
        state.fronted_place = ""
        joined, state.predicated = True, True
    state.after_cop, state.object_of, state.verb = False, "", ""
    state.predicated = state.predicated and joined
    state.now(ids, "subject")
