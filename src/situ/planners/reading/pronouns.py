"""What "it", "them", "each" and "both" stand for."""

from situ.planners import nouns, verb_forms
from situ.planners.chunking.items import Item
from situ.planners.reading.landing import land
from situ.planners.reading.mentions import antecedent
from situ.planners.reading.parts import place_ids
from situ.planners.reading.relating import pairwise
from situ.planners.reading.state import Ids, Reading


def on_pron(state: Reading, item: Item) -> None:
    if item.word == "each other":
        _each_other(state)
        return
    if item.word in ("each", "both"):
        _distribute(state, item.word)
        return
    if state.mute:
        return
    taken = state.with_group if state.in_with else []
    topic = _topic_of(state)
    subjects = [i for w in state.waiting for i in w.subjects] or state.subjects
    plural = item.word in ("them", "they", "their", "themselves")
    person = item.word in ("him", "he", "she", "her")
    ids = state.host if (taken or (state.relative and state.host)) and not plural else []
    if topic and not plural and not person and topic != subjects:
        ids = ids or topic
    acting = item.word == "it" and _acts(state)
    kinds = nouns.PEOPLE if person else nouns.ANIMALS if acting else nouns.NAMED
    ids = ids or antecedent(state, [*subjects, *taken], plural, kinds)
    if not ids and state.waiting and len(subjects) > 1 and not plural:
        ids = _parted(state, subjects)
    if ids:
        place_ids(state, ids, None)


def _parted(state: Reading, subjects: Ids) -> Ids:
    """ "a shelf and a cat sleeping on it": the first of those who were joined is the landmark."""
    first, *rest = subjects
    for waiting in state.waiting:
        waiting.subjects = list(rest)
        waiting.maybe = []
    return [first]


def _acts(state: Reading) -> bool:
    """Is the next word what only somebody alive does: "it wears", "it eats"?"""
    following = state.items[state.index + 1 : state.index + 2]
    return any(
        i.kind == "verb" and i.word in verb_forms.WEARING | verb_forms.HOLDING for i in following
    )


def _topic_of(state: Reading) -> Ids:
    """ "An owl on a branch, the moon behind it": after a bare comma "it" is the owl."""
    index = state.index - 1
    while state.kind(index) in ("np", "rel", "verb", "adj"):
        index -= 1
    alone = state.kind(index) == "comma" and state.kind(index + 1) == "np" and index > 0
    verbs = {item.kind for item in state.items[index : state.index]} & {"verb", "cop"}
    first = state.first_subjects if alone and not verbs else []
    return first if len(first) == 1 and state.entities[first[0]].count == 1 else []


def _each_other(state: Reading) -> None:
    predicate = state.waiting[-1].predicate if state.waiting else "next to"
    group = state.waiting[-1].subjects + state.waiting[-1].maybe if state.waiting else state.group
    state.waiting = []
    ordered = sorted(set(group)) or state.subjects
    pairwise(state, predicate.removeprefix("~"), ordered)


def _multiplied(state: Reading) -> bool:
    """ "two plates with three cakes each", "three girls hold two balloons each"."""
    if state.in_with and state.with_group:
        state.each = True
        return True
    if state.role == "object" and state.np:
        total = sum(state.entities[i].count for i in state.verb_subjects)
        for one in state.np:
            state.entities[one].count *= max(1, total)
        return True
    return False


def _distribute(state: Reading, word: str) -> None:
    if word == "both":
        state.subjects = state.latest(2) if len(state.group) != 2 else list(state.group)
        state.np = list(state.subjects)
        return
    ended = state.kind(state.index + 1) in ("stop", "comma", "and")
    if word == "each" and not state.waiting and ended and _multiplied(state):
        return
    plural = state.np or state.subjects
    several = [i for i in plural if state.entities[i].count > 1] or antecedent(state, [], True)
    if state.waiting and word == "each":
        state.spread = True
        land(state, list(several))
        return
    state.subjects = state.np = list(several)
    state.group, state.role, state.each = list(several), "subject", True
