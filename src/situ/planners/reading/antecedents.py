"""What a pronoun stands for: the latest thing that fits it."""

from situ.planners import kinds as kinds_of
from situ.planners import nouns
from situ.planners.reading.state import Ids, Reading


def _belongs(state: Reading, one: int) -> bool:
    """Is it worn, or what somebody who is alive does something to?"""
    return any(
        r.object == one
        and (
            r.predicate in ("wearing", "holding")
            or (r.predicate == "near" and state.are([r.subject], nouns.ANIMALS))
        )
        for r in state.relations
    )


_ADULTS = nouns.PEOPLE - kinds_of.CHILDREN


def antecedent(
    state: Reading,
    but: Ids,
    plural: bool = False,
    kinds: frozenset[str] = nouns.NAMED,
    thing: bool = False,
) -> Ids:
    """What a pronoun stands for: the latest thing of its number, of these kinds where there is one.

    thing: nobody, where there is something else.
    """
    if plural and len(state.group) > 1:
        return [i for i in state.group if i not in but] or list(state.group)
    free = kinds is nouns.NAMED
    order = _in_turn(state, not plural and free, thing)
    fit = [i for i in order if i not in but and (state.entities[i].count > 1) == plural]
    for some in (kinds, nouns.ANIMATE) if not free else ():
        if found := [i for i in fit if nouns.head(state.entities[i].noun) in some]:
            return found[:1]
    if free and fit:
        return fit[:1]
    if plural:
        return _parts_of_one(state, but) or [i for i in state.latest(3) if i not in but][:2]
    return [i for i in order if i not in but][:1]


def _parts_of_one(state: Reading, but: Ids) -> Ids:
    """ "Two mugs ... The left one is black": "them" are all that were taken apart last."""
    split = [e.parent for e in state.entities if e.parent is not None]
    parts = [i for i, e in enumerate(state.entities) if split and split[-1] in (i, e.parent)]
    parts = [i for i in parts if state.entities[i].count and i not in but]
    return parts if len(parts) > 1 else []


def _in_turn(state: Reading, landmark: bool, thing: bool) -> Ids:
    """The last landmark, then the latest; at the end what belongs to somebody, and adults for "it"."""
    order = list(state.last_landmark) if landmark else []
    order += [i for i in range(len(state.entities) - 1, -1, -1) if state.entities[i].count]
    return sorted(order, key=lambda i: (thing and state.are([i], _ADULTS), _belongs(state, i)))
