"""What "it", "them", "each" and "both" stand for."""

from situ.planners import kinds, nouns, verb_forms
from situ.planners.chunking.items import Item
from situ.planners.reading.antecedents import antecedent
from situ.planners.reading.landing import land
from situ.planners.reading.parts import place_ids
from situ.planners.reading.relating import pairwise
from situ.planners.reading.state import Ids, Reading


def on_pron(state: Reading, item: Item) -> None:
    if item.word == "each other":
        _each_other(state)
    elif item.word in ("each", "both", "all", "all of them"):
        _distribute(state, item.word)
    elif state.mute and state.before == "rel" and state.left_out_part >= 0:
        state.mute = False  # "an apple with a bite taken out of it"
    elif item.word == "it" and _is_scene(state):
        state.waiting = []  # "a bathroom with a sink in it"
    elif not state.mute and (ids := _meant_by(state, item.word)):
        place_ids(state, ids, None)


def _is_scene(state: Reading) -> bool:
    inside = bool(state.waiting) and state.waiting[-1].predicate == "inside"
    return inside and state.in_with and not state.host


def _meant_by(state: Reading, word: str) -> Ids:
    """What "it", "him" or "them" stands for."""
    taken = state.with_group if state.in_with else []
    topic = topic_of(state)
    subjects = [i for w in state.waiting for i in w.subjects] or state.subjects
    plural = word in ("them", "they", "their", "themselves")
    person = word in ("him", "he", "she", "her")
    ids = state.host if (taken or (state.relative and state.host)) and not plural else []
    if person and not state.are(ids, nouns.ANIMATE):
        ids = []
    if topic and not plural and not person and topic != subjects:
        ids = ids or topic
    begins = state.kind(state.index + 1) in ("cop", "verb", "have")
    begins = begins and person and not state.waiting and not taken
    fronted = bool(state.waiting) and state.waiting[0] is state.fronted
    but = [] if fronted or begins else [*subjects, *taken]
    ids = ids or antecedent(state, but, plural, _kinds_of(state, word), thing=word == "it")
    if not ids and state.waiting and len(subjects) > 1 and not plural:
        ids = _parted(state, subjects)
    return ids


def _kinds_of(state: Reading, word: str) -> frozenset[str]:
    """The kinds that a pronoun may stand for: men for "him" where there is one."""
    if word in ("him", "he", "she", "her"):
        sex = kinds.MEN if word in ("he", "him") else kinds.WOMEN
        told = any(state.are([i], sex) for i in range(len(state.entities)))
        return sex if told else nouns.PEOPLE
    return nouns.ANIMALS if word == "it" and _acts(state) else nouns.NAMED


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


def topic_of(state: Reading) -> Ids:
    """ "An owl on a branch, the moon behind it": after a bare comma "it" is the owl."""
    index = state.index - 1
    while state.kind(index) in ("np", "rel", "verb", "adj", "full"):
        index -= 1
    alone = state.kind(index) == "comma" and state.kind(index + 1) == "np" and index > 0
    verbs = {item.kind for item in state.items[index : state.index]} & {"verb", "cop"}
    opened = state.items[index + 1].phrase if alone else None
    if opened and opened.determiner in ("its", "his", "her"):
        verbs = verbs - {"verb"}  # "a boat on the shore, its oars lying beside it"
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


def _all_of(state: Reading) -> Ids:
    """All that does not stand on or in something else already."""
    touching = {r.subject for r in state.relations if r.predicate in ("on", "inside", "riding")}
    touching |= {r.object for r in state.relations if r.predicate in ("wearing", "holding")}
    return [i for i, e in enumerate(state.entities) if e.count and i not in touching]


def _both_of(state: Reading) -> Ids:
    """The two that were joined, a thing that there are two of, or the latest two."""
    if len(state.group) == 2:
        return list(state.group)
    told = [w for waiting in state.waiting for w in waiting.subjects]
    if told:
        return [i for i in range(len(state.entities)) if i not in told][-2:]
    pairs = [i for i, e in enumerate(state.entities) if e.count == 2 and e.exact]
    return pairs[:1] if pairs and pairs[0] in state.first_subjects else state.latest(2)


def _tell_of_both(state: Reading) -> None:
    if state.waiting:
        land(state, [i for i in _both_of(state) if i not in state.waiting[-1].subjects])
    else:
        state.subjects = state.np = _both_of(state)
        state.both = True


def _distribute(state: Reading, word: str) -> None:
    if word == "all":
        state.subjects = state.np = state.group = _all_of(state)
        state.role, state.both = "subject", True
        return
    if word == "both":
        _tell_of_both(state)
        return
    ended = state.kind(state.index + 1) in ("stop", "comma", "and")
    if word == "each" and not state.waiting and ended and _multiplied(state):
        return
    acting = state.before in ("comma", "and") and state.kind(state.index + 1) == "verb"
    plural = state.subjects if acting and state.subjects else state.np or state.subjects
    if state.waiting and state.in_with and state.host:
        plural = state.host  # "four plates with two cakes on each"
    several = [i for i in plural if state.entities[i].count > 1] or antecedent(state, [], True)
    if state.waiting and word == "each":
        state.spread = True
        land(state, list(several))
        return
    state.subjects = state.np = list(several)
    state.group, state.role, state.each = list(several), "subject", word == "each"
