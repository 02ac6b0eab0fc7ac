""" "with", "has" and "contains": whose things they are, and what that means for boxes."""

from situ.planners import nouns
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
    if not state.in_with:
        return
    if item.kind in ("rel", "place", "full", "neg", "adj", "pron", "holds"):
        return
    if item.kind == "np" and state.before == "with":
        return
    if item.kind == "np" and state.before == "have":
        return
    if item.kind in ("and", "comma") and state.with_group and state.kind(state.index + 1) == "np":
        following = state.kind(state.index + 2)
        if following in ("cop", "verb") or (
            item.kind == "comma" and state.host and not _continues_list(state)
        ):
            flush_with(state, item)
            state.in_with = False
        return
    if item.kind == "np" and (state.with_group or state.waiting or state.negated):
        return
    participle = is_participle(item.said)
    if (
        item.kind == "verb"
        and participle
        and state.with_group
        and state.kind(state.index + 1) in ("rel", "adj")
    ):
        state.relative, state.with_group, state.in_with = state.with_group, [], False
        return
    if item.kind in ("verb", "that", "with", "have", "cop", "there", "but", "stop"):
        if state.owned and item.kind in ("cop", "verb"):
            state.relative = list(state.with_group)
        state.owned = False
        flush_with(state, item)
        state.in_with = item.kind in ("with", "have")


def _continues_list(state: Reading) -> bool:
    """Is the comma one of "a, b and c"?"""
    index = state.index
    while state.kind(index) == "comma" and state.kind(index + 1) == "np":
        index += 2
    if state.kind(index) in ("and", "comma") and state.kind(index + 1) in ("and", "np"):
        end = index + 2 + (state.kind(index + 1) == "and")
        return state.kind(end) in ("stop", "rel", "comma")
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
    if state.each or (each and kind in nouns.WEARABLE):
        thing.count = thing.count * total if state.each else total
    predicate = _having(state, nouns.head(owner.noun), kind)
    relate(state, host, predicate, [one], predicate != "near", each and total > 1)


def touches(state: Reading, group: Ids) -> bool:
    owner = nouns.head(state.entities[state.host[-1]].noun)
    return all(_having(state, owner, nouns.head(state.entities[i].noun)) != "near" for i in group)


def _having(state: Reading, owner: str, kind: str) -> str:
    if kind in nouns.WEARABLE and owner in nouns.ANIMATE:
        return "wearing"
    if kind in nouns.HANDHELD and owner in nouns.PEOPLE:
        return "holding"
    if state.contains or (owner in nouns.CONTAINERS and owner not in nouns.SURFACES):
        return "~inside"
    if kind in nouns.PLACED_PARTS and owner in nouns.WITH_PARTS:
        return "~inside"
    if owner in nouns.SURFACES and kind not in nouns.SURFACES:
        return "~on"
    return "near"


def with_at_host(state: Reading, predicate: str) -> None:
    """ "a table with a vase on top"."""
    group, state.with_group = state.with_group, []
    for_each(state, group, state.host)
    relate(state, group, predicate, state.host, each=state.each)
