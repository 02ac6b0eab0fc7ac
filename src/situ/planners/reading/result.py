"""What was read as a symbolic scene, within the number of things that a layout holds."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from situ.planners import words
from situ.planners.reading.state import Ids, Reading
from situ.planners.symbols import Relation, Symbols, Thing
from situ.scene.layout import MAX_OBJECTS


def _ordered(attributes: Sequence[str]) -> list[str]:
    """Textures before colours, as the storybook says them."""
    if "and" in attributes:
        return list(attributes)
    colours = [i for i, word in enumerate(attributes) if word in words.COLOURS]
    textures = [i for i, word in enumerate(attributes) if word in words.TEXTURES]
    if not colours or not textures or textures[-1] < colours[0]:
        return list(attributes)
    moved = [attributes[i] for i in textures]
    rest = [word for i, word in enumerate(attributes) if i not in textures]
    first = rest.index(attributes[colours[0]])
    return [*rest[:first], *moved, *rest[first:]]


def symbols_of(state: Reading) -> Symbols:
    _part_what_is_worn(state)
    _oppose(state)
    kept = [i for i, e in enumerate(state.entities) if e.count > 0 and not e.ghost]
    _limit(state, kept)
    kept = [i for i in kept if state.entities[i].count > 0]
    place = {one: index for index, one in enumerate(kept)}
    things = tuple(_thing_of(state, i) for i in kept)
    relations = tuple(_moved(state, place))
    absent = tuple(dict.fromkeys(state.absent))
    background = tuple(dict.fromkeys(state.background))
    return Symbols(things, relations, background, absent=absent, warnings=tuple(state.warnings))


def _oppose(state: Reading) -> None:
    """ "On the left a cat, on the right a dog": the cat is left of the dog."""
    sides: dict[str, Ids] = {"left": [], "right": []}
    for one, entity in enumerate(state.entities):
        side = next((name for name in sides if name in entity.place.split()), "")
        if side and entity.count == 1 and not entity.ghost:
            sides[side].append(one)
    told = {frozenset((r.subject, r.object)) for r in state.relations}
    if len(sides["left"]) == len(sides["right"]) == 1:
        one, other = sides["left"][0], sides["right"][0]
        if frozenset((one, other)) not in told:
            state.relations.append(Relation(one, "left of", other))


def _part_what_is_worn(state: Reading) -> None:
    """ "Both wear helmets and one of them holds an axe": each part of a group has its own helmets."""
    for place, relation in enumerate(state.relations):
        if not relation.each or relation.predicate not in ("wearing", "holding", "riding"):
            continue
        own = state.entities[relation.object]
        parts = [i for i, e in enumerate(state.entities) if e.parent == relation.subject]
        first = state.entities[relation.subject].count
        if (
            not parts
            or own.split
            or own.count != first + sum(state.entities[i].count for i in parts)
        ):
            continue
        for part in parts:
            copy = replace(own, attributes=[*own.attributes], count=state.entities[part].count)
            state.entities.append(copy)
            state.relations.append(replace(relation, subject=part, object=len(state.entities) - 1))
        own.count = first
        state.relations[place] = replace(relation, each=first > 1)
        state.own.add((relation.subject, relation.object))


def _limit(state: Reading, kept: Ids) -> None:
    """At most as many things as a layout holds; the largest groups give way."""
    total = sum(state.entities[i].count for i in kept)
    if total <= MAX_OBJECTS:
        return
    state.warnings.append(f"{total} things are too many; {MAX_OBJECTS} are placed")
    kinds = kept[:MAX_OBJECTS]
    for one in kept[MAX_OBJECTS:]:
        state.entities[one].count = 0
    excess = sum(state.entities[i].count for i in kinds) - MAX_OBJECTS
    for one in sorted(kinds, key=lambda i: -state.entities[i].count):
        share = min(excess, state.entities[one].count - 1)
        state.entities[one].count -= share
        excess -= share


def _thing_of(state: Reading, one: int) -> Thing:
    entity = state.entities[one]
    attributes = _ordered(entity.attributes)
    phrase = " ".join([*attributes, entity.noun, *([entity.ending] if entity.ending else [])])
    scale = 1.0
    for word in attributes:
        scale *= words.LARGER.get(word, 1.0)
    told = tuple(word for word in attributes if word != "and")
    return Thing(phrase[:300], entity.noun, told, entity.count, entity.place, scale)


def _moved(state: Reading, place: dict[int, int]) -> Iterable[Relation]:
    """Relations of things that were split belong to all parts."""
    parts: dict[int, Ids] = {}
    for one, entity in enumerate(state.entities):
        if entity.parent is not None:
            parts.setdefault(entity.parent, []).append(one)
    seen: set[tuple[int, str, int]] = set()
    for relation in state.relations:
        places = {state.entities[i].place for i in (relation.subject, relation.object)}
        if not relation.sure and len(places) > 1 and "" not in places:
            continue  # "a tower on the left with a boat on the right": the places decide
        own = (relation.subject, relation.object) in state.own
        for s in [relation.subject, *([] if own else parts.get(relation.subject, []))]:
            for o in [relation.object, *parts.get(relation.object, [])]:
                key = (s, relation.predicate, o)
                if s in place and o in place and s != o and key not in seen:
                    seen.add(key)
                    other = place.get(relation.other) if relation.other is not None else None
                    yield replace(relation, subject=place[s], object=place[o], other=other)
