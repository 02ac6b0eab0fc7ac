""" "with", "has" and "contains": whose things they are, and what that means for boxes."""

import itertools

from situ.planners import nouns, uses, verb_forms, words
from situ.planners.chunking.items import Item
from situ.planners.reading.relating import for_each, relate
from situ.planners.reading.state import Ids, Reading
from situ.planners.verb_forms import is_participle


def begin_with(state: Reading, host: Ids, contains: bool) -> None:
    flush_with(state, None)
    state.host = [i for i in host if not state.entities[i].ghost]
    state.in_with, state.with_group = True, []
    state.contains = contains
    state.verb = ""
    state.waiting = [w for w in state.waiting if w is state.fronted]


def close_with(state: Reading, item: Item) -> None:
    """A clause of its own, or a comma, ends "with"."""
    if not state.in_with or item.kind in ("rel", "place", "full", "neg", "adj", "pron", "holds"):
        return
    if item.kind == "np" and (state.before in ("with", "have") or _goes_with(state)):
        return
    if item.kind in ("and", "comma") and state.with_group and state.kind(state.index + 1) == "np":
        if _ends_list(state, item):
            flush_with(state, item)
            state.in_with = False
    elif item.kind == "verb" and state.with_group and _is_reduced(state, item):
        _go_on(state, item)
    elif (
        item.kind in ("but", "neg") and not state.with_group and state.host and state.left_out >= 0
    ):
        return  # "a desk with no lamp, only a book"
    elif item.kind in ("verb", "that", "with", "have", "cop", "there", "but", "stop"):
        if state.owned and item.kind in ("cop", "verb"):
            state.relative = list(state.with_group)
            state.of_part = not state.with_group
        state.owned = False
        flush_with(state, item)
        state.in_with = item.kind in ("with", "have")


def _goes_with(state: Reading) -> bool:
    return bool(state.with_group or state.waiting or state.negated)


def _is_reduced(state: Reading, item: Item) -> bool:
    """ "with a boy standing on it": a participle and where."""
    follows = is_participle(item.said) and state.before != "comma"
    return follows and state.kind(state.index + 1) in ("rel", "adj", "place")


def _ends_list(state: Reading, item: Item) -> bool:
    """After "and" or a comma: does a clause begin, or does the list go on?"""
    following, *later = (state.kind(state.index + k) for k in (2, 3, 4))
    hanging = following == "verb" and (later == ["rel", "pron"] or _is_on_its_part(state))
    if item.kind == "and" and state.before != "comma" and _is_of_host(state, state.index + 2):
        return False
    alone = item.kind == "comma" and bool(state.host) and not _continues_list(state)
    return (following in ("cop", "verb") and not hanging) or alone


def _is_on_its_part(state: Reading) -> bool:
    """ "and two suitcases strapped to its roof"."""
    relation, where = (*state.items[state.index + 3 : state.index + 5], None, None)[:2]
    phrase = where.phrase if relation and where and relation.kind == "rel" else None
    return phrase is not None and phrase.determiner in words.POSSESSIVES


def _is_of_host(state: Reading, index: int) -> bool:
    """ "a snowman with a hat and a scarf stands in front of": a verb for one, and no "it" after it."""
    verb = state.items[index] if index < len(state.items) else None
    single = len(state.host) == 1 and state.entities[state.host[0]].count == 1
    if verb is None or not single or state.host != state.first_subjects or state.predicated:
        return False
    if verb.kind not in ("verb", "cop") or not (verb.said or verb.word).endswith("s"):
        return False
    phrase = state.items[index - 1].phrase
    if phrase is None or phrase.determiner in words.DEFINITE:
        return False
    rest = (state.kind(k) for k in range(index, len(state.items)))
    told = {"have" for k in range(index) if state.kind(k) == "have"}
    return "pron" not in {*itertools.takewhile(lambda kind: kind != "stop", rest)} and not told


def _go_on(state: Reading, item: Item) -> None:
    """ "a boy with a kite flying over": the kite; "a vase with tulips standing on": the vase."""
    group = state.with_group
    lives = state.are(state.host, nouns.ANIMATE) and not state.are(group, nouns.ANIMATE)
    if lives and item.word in verb_forms.LIVING:
        flush_with(state, None)
        state.relative, state.in_with = state.host, False
        return
    full = touches(state, group) and not any(state.are([i], nouns.ANIMATE) for i in group)
    full = full and state.are(state.host, uses.CONTAINERS) and state.kind(state.index + 2) == "np"
    if full:
        flush_with(state, None)
    if not full and len(group) > 1 and state.host and touches(state, group[:-1]):
        for one in group[:-1]:
            give(state, state.host, one)
        group = group[-1:]
    state.relative = state.host if full else group
    state.with_group, state.in_with = [], False


def _continues_list(state: Reading) -> bool:
    """Is the comma one of "a, b and c"?"""
    index = state.index
    while state.kind(index) == "comma" and state.kind(index + 1) == "np":
        index += 2
    if state.kind(index) in ("and", "comma") and state.kind(index + 1) in ("and", "np"):
        end = index + 2 + (state.kind(index + 1) == "and")
        return state.kind(end) in ("stop", "rel", "comma") or _is_of_host(state, end)
    return False


def flush_with(state: Reading, item: Item | None) -> None:
    if not state.in_with:
        return
    for one in state.with_group:
        give(state, state.host, one)
    state.with_group = []
    if item is None:
        state.in_with = False


def give(state: Reading, host: Ids, one: int) -> None:
    """What "a boy with a hat" or "a table with a lamp" means for boxes."""
    if not host:
        return
    owner, thing = state.entities[host[-1]], state.entities[one]
    kind = nouns.head(thing.noun)
    total = sum(state.entities[i].count for i in host)
    each = state.each or (
        total > 1 and thing.plural and not thing.exact and total == len(host) * owner.count
    )
    if state.each or (each and kind in uses.WEARABLE):
        thing.count = thing.count * total if state.each else total
    predicate = _having(state, nouns.head(owner.noun), kind)
    state.took = predicate if predicate in ("wearing", "holding") else state.took
    relate(state, host, predicate, [one], predicate != "near", each and total > 1)


def touches(state: Reading, group: Ids) -> bool:
    owner = nouns.head(state.entities[state.host[-1]].noun)
    return all(_having(state, owner, nouns.head(state.entities[i].noun)) != "near" for i in group)


def _having(state: Reading, owner: str, kind: str) -> str:
    if kind in uses.WEARABLE and owner in nouns.ANIMATE:
        return "wearing"
    if kind in uses.CARRIED and owner in (nouns.ANIMATE if state.instrument else nouns.PEOPLE):
        return "holding"
    if owner in uses.DISHES and kind in uses.TOPPINGS:
        return "~on"
    if state.contains or (owner in uses.CONTAINERS and owner not in uses.SURFACES):
        return "~inside"
    if kind in nouns.PLACED_PARTS and owner in nouns.WITH_PARTS:
        return "~inside"
    if owner in uses.SURFACES and (kind not in uses.SURFACES or _is_smaller(kind, owner)):
        return "~on"
    if owner in uses.EXPANSES:
        return "~on"
    return "near"


def _is_smaller(kind: str, owner: str) -> bool:
    (width, height), (wide, high) = nouns.size_of(kind), nouns.size_of(owner)
    return width * height < 0.8 * wide * high


def with_at_host(state: Reading, predicate: str) -> None:
    """ "a table with a vase on top"."""
    group, state.with_group = state.with_group, []
    host = _topmost(state, state.host) if predicate == "on" else state.host
    for_each(state, group, host)
    relate(state, group, predicate, host, each=state.each)


def _topmost(state: Reading, host: Ids) -> Ids:
    """ "a cake on a plate with a cherry on top": on top of the cake."""
    flat = state.are(host, uses.FLAT)
    borne = [r.subject for r in state.relations if r.predicate == "on" and [r.object] == host]
    return borne[-1:] if flat and borne else host
