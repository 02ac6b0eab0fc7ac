"""A relation meets its landmark."""

from dataclasses import replace

from situ.planners import kinds, nouns, uses, words
from situ.planners.reading.having import give, touches
from situ.planners.reading.relating import for_each, pair_up, relate
from situ.planners.reading.state import Ids, Reading, Waiting


def land(state: Reading, ids: Ids) -> None:
    waiting, state.waiting = state.waiting, []
    if waiting[0] is state.fronted:
        if state.kind(state.index + 1) == "and" and waiting[0].predicate == "between":
            state.waiting, state.between = waiting, [*state.between, *ids]
            if state.kind(state.index + 2) in ("np", "pron"):
                return
        front(state, [*state.between, *ids])
        state.between = []
        return
    state.verb = ""
    for one in waiting:
        if one.predicate == "between" and _collects(state, one, ids):
            return
        _land_one(state, one, ids)
    state.last_landmark, state.last_predicate = list(ids), waiting[-1].predicate
    state.last_said = waiting[-1].said
    if not _stays_with(state, waiting[-1], ids):
        state.now(ids, "landmark")
    maybe_also(state, waiting[-1])


def _stays_with(state: Reading, waiting: Waiting, ids: Ids) -> bool:
    """After "a cart full of hay" and "a girl in a coat" one goes on about the cart and the girl."""
    worn = waiting.said == "in" and state.are(ids, uses.WEARABLE)
    worn = worn or waiting.predicate == "holding"
    if waiting.said != "full" and not (worn and state.are(waiting.subjects, nouns.ANIMATE)):
        return False
    state.now(waiting.subjects, "landmark")
    if waiting.said == "full" and _goes_on_bare(state):
        state.waiting = [waiting]  # "filled with nuts and berries"
    return True


def _goes_on_bare(state: Reading) -> bool:
    """Does "and" lead to a noun phrase without a determiner or a number?"""
    following = state.items[state.index + 1 : state.index + 3]
    phrase = following[1].phrase if len(following) == 2 else None
    bare = phrase is not None and not phrase.determiner and phrase.count is None
    return bare and following[0].kind == "and"


def _collects(state: Reading, waiting: Waiting, ids: Ids) -> bool:
    """ "between a and b": wait for the second landmark."""
    gathered: Ids = [*state.between, *ids]
    more = state.kind(state.index + 1) == "and" and state.kind(state.index + 2) in ("np", "pron")
    if more and len(gathered) < 2 and state.entities[ids[0]].count == 1:
        state.between, state.waiting = gathered, [waiting]
        return True
    state.between = []
    ids[:] = gathered
    return False


def _land_one(state: Reading, waiting: Waiting, ids: Ids) -> None:
    if waiting.negated:
        state.refused = replace(waiting, subjects=list(ids))
        _leave_unplaced(state, ids)
        return
    if not waiting.subjects and state.absent:
        state.denied = replace(waiting, subjects=list(ids))
    subjects = _with_its_host(state, waiting, ids)
    if waiting.said == "in" and state.are(subjects, nouns.PEOPLE) and _is_bare_dress(state, ids):
        state.entities[ids[0]].count = sum(state.entities[i].count for i in subjects)
    if waiting.said in ("on", "into") and state.are(subjects, nouns.ANIMATE):
        waiting.predicate = _with_tool(state, waiting, ids)
    subjects, each = _shared_out(state, waiting, subjects, ids)
    relate(state, subjects, waiting.predicate, ids, each=each)
    if subjects == state.host == state.group[-1:]:
        waiting.maybe = state.group[:-1]
    if waiting.maybe and waiting.predicate != "flank":
        sure = _bears(state, waiting, ids)
        relate(state, waiting.maybe, waiting.predicate, ids, sure=sure)
        state.rel_subjects = list(subjects)


def _shared_out(state: Reading, waiting: Waiting, subjects: Ids, ids: Ids) -> tuple[Ids, bool]:
    """ "each on a throne", "on each of the tables": who stands there, and whether in pairs."""
    each = state.each or pair_up(state, subjects, ids)
    if state.each:
        total = sum(state.entities[i].count for i in subjects)
        for one in ids if waiting.predicate.startswith("~") or _is_new(state, ids) else []:
            state.entities[one].count *= total
            each = total > 1
    elif state.spread:
        subjects = [_spread(state, one, ids) for one in subjects]
        each = sum(state.entities[i].count for i in ids) > 1
    return subjects, each


def _with_tool(state: Reading, waiting: Waiting, ids: Ids) -> str:
    """ "a crab on guitar", "works on a laptop", "sings into a microphone": one uses it."""
    phrase = state.items[state.index].phrase
    bare = phrase is not None and not phrase.determiner and phrase.count is None
    if waiting.said == "into" and state.are(ids, uses.HANDHELD - uses.CONTAINERS):
        return "holding"
    if state.are(ids, _SCREENS) and state.are(waiting.subjects, nouns.PEOPLE):
        return "near" if waiting.predicate == "on" else waiting.predicate
    played = bare and waiting.said == "on" and state.are(ids, kinds.INSTRUMENTS)
    return "holding" if played else waiting.predicate


_SCREENS = frozenset({"laptop", "computer", "keyboard"})


def _is_bare_dress(state: Reading, ids: Ids) -> bool:
    """ "nine singers in purple robes": nine robes."""
    phrase = state.items[state.index].phrase
    bare = phrase is not None and not phrase.determiner and phrase.count is None
    many = phrase is not None and (phrase.plural or phrase.noun.split()[-1:] in _ALWAYS_PLURAL)
    single = state.are(ids, uses.FOOTWEAR) or state.are(ids, _PAIRED)
    return bare and many and len(ids) == 1 and state.are(ids, uses.WEARABLE) and not single


_ALWAYS_PLURAL = [[name] for name in sorted(nouns.ALWAYS_PLURAL)]
_PAIRED = frozenset({"glove", "mitten", "earring", "bracelet", "sock"})


def _is_new(state: Reading, ids: Ids) -> bool:
    """ "each on a throne", "each on its own saucer": one for each, and not named before."""
    phrase = state.items[state.index].phrase
    single = phrase is not None and phrase.determiner in words.ARTICLES | words.POSSESSIVES
    return single and ids == [len(state.entities) - 1] and state.entities[ids[0]].count == 1


def _leave_unplaced(state: Reading, ids: Ids) -> None:
    """ "not on the table": a thing that is named nowhere else is left out."""
    for one in ids:
        if not any(one in (r.subject, r.object) for r in state.relations):
            entity = state.entities[one]
            entity.ghost = entity.sentence == -1 or one == len(state.entities) - 1


def _with_its_host(state: Reading, waiting: Waiting, ids: Ids) -> Ids:
    """Who stands there: after "a boy with a hat" the boy, after "a boy with a kite above him" the kite."""
    if not (state.in_with and state.with_group):
        return waiting.subjects
    group, state.with_group = state.with_group, []
    parts = [i for i in group if state.are([i], nouns.PLACED_PARTS)]
    if parts and len(parts) < len(group):  # "a house with a door and a dog beside a tree"
        _given(state, parts)
        return [i for i in group if i not in parts]
    if _is_before(state, group, ids):
        return _given(state, group)
    at_host = waiting.predicate == "flank" or set(ids) == set(state.host)
    if at_host or _stands_apart(state, group, ids):
        for_each(state, group, state.host)
        return group
    if _is_small(state, waiting.predicate, ids):
        _given(state, group[:-1] if touches(state, group[:-1] or group) else [])
        return group[-1:]
    people = state.are(state.host, nouns.PEOPLE) and waiting.predicate not in ("on", "inside")
    return _given(state, group) if state.host and (people or touches(state, group)) else group


def _given(state: Reading, group: Ids) -> Ids:
    """The host, to whom all of these were given."""
    for one in group:
        give(state, state.host, one)
    return state.host


def _is_before(state: Reading, group: Ids, ids: Ids) -> bool:
    """ "a man, an open case with coins in front of him": the case stands there."""
    later = bool(state.host) and state.host == state.subjects and ids[-1] < state.host[0]
    return later and state.items[state.index].kind == "pron" and touches(state, group)


def _is_small(state: Reading, predicate: str, ids: Ids) -> bool:
    """ "a table with pizza on two trays", "with a bottle in a bucket": no table is on or in those."""
    held = predicate == "inside" and state.are(ids, uses.CONTAINERS)
    borne = predicate == "on" and state.are(state.host, uses.SURFACES) and state.are(ids, uses.FLAT)
    if not state.host or not (held or borne):
        return False
    host, mark = (nouns.size_of(state.entities[i[-1]].noun) for i in (state.host, ids))
    return mark[0] * mark[1] < host[0] * host[1]


def _stands_apart(state: Reading, group: Ids, ids: Ids) -> bool:
    """ "on a beach, with a bucket next to the castle": what was named before is where the bucket is."""
    landmark = state.items[state.index]
    known = landmark.kind == "pron" or ids[0] < group[0]
    own = uses.WEARABLE if state.apart else uses.WEARABLE | uses.HANDHELD
    return known and not (state.are(group, own) and state.are(state.host, nouns.ANIMATE))


def _spread(state: Reading, one: int, ids: Ids) -> int:
    """ "a cup on each of the tables": as many cups. "four cups, one on each side": all four."""
    entity = state.entities[one]
    total = sum(state.entities[i].count for i in ids)
    if entity.parent is not None and entity.count == 1:
        state.entities[entity.parent].count += 1
        entity.count = 0
        return entity.parent
    entity.count *= total if one not in ids else 1
    return one


def _bears(state: Reading, waiting: Waiting, ids: Ids) -> bool:
    """Is there surely room on or in the landmark for all that were listed?"""
    if waiting.predicate not in ("on", "inside"):
        return False
    kinds = uses.SURFACES if waiting.predicate == "on" else uses.CONTAINERS
    return state.are(ids, kinds) or state.are(ids, uses.EXPANSES)


def maybe_also(state: Reading, waiting: Waiting) -> None:
    """ "next to a dog and a bird": the bird may be a landmark too."""
    index = state.index + 1
    while state.kind(index) in ("and", "comma"):
        index += 1
    if index > state.index + 1 and state.kind(index) == "np":
        state.also = (waiting, index)


def front(state: Reading, landmark: Ids) -> None:
    assert state.fronted is not None
    state.fronted.spread = state.spread
    state.fronted.subjects = list(landmark)  # they are the landmark until the subject comes
    state.last_landmark, state.last_predicate = list(landmark), state.fronted.predicate
    state.now(landmark, "landmark")
    state.group, state.subjects = [], []


def wait(state: Reading, predicate: str, subjects: Ids, said: str) -> None:
    state.waiting = [Waiting(predicate, list(subjects), said=said)]
