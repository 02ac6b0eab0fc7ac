"""Projection: proposals of any kind come out inside the picture and as the scene says."""

import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from situ.planners import Relation, Symbols, Thing, plan_by_rules
from situ.planners.projection import ALIKE, SHARED, broken, holds, project
from situ.planners.symbols import PREDICATES, TOUCHING
from situ.scene import Box
from situ.scene.relations import RELATIONS

sides = st.floats(0.1, 0.6)
middles = st.floats(0, 1)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    w, h, x, y = draw(sides), draw(sides), draw(middles), draw(middles)
    x, y = min(max(x, w / 2), 1 - w / 2), min(max(y, h / 2), 1 - h / 2)
    found = Box.clamped(x - w / 2, y - h / 2, x + w / 2, y + h / 2)
    assert found is not None
    return found


def scene(*relations: Relation, things: int = 2, noun: str = "thing") -> Symbols:
    return Symbols(tuple(Thing(f"{noun} {i}", noun) for i in range(things)), relations)


@pytest.mark.parametrize("predicate", sorted(PREDICATES - {"between", "around", "near"}))
@given(boxes(), boxes())
def test_one_relation_always_comes_to_hold(predicate: str, a: Box, b: Box) -> None:
    symbols = scene(Relation(0, predicate, 1))
    found = project(symbols, (0, 1), (a, b))
    assert found.broken == ()
    one, other = found.boxes
    if predicate in RELATIONS:
        assert RELATIONS[predicate](one, other)
    if predicate in ("larger", "smaller"):
        assert (one.area > other.area) == (predicate == "larger")
    if predicate in TOUCHING:
        assert one.intersection(other) is not None or predicate == "on"


@given(boxes(), boxes(), boxes())
def test_three_in_a_row(a: Box, b: Box, c: Box) -> None:
    symbols = scene(Relation(0, "left of", 1), Relation(1, "left of", 2), things=3)
    found = project(symbols, (0, 1, 2), (a, b, c))
    assert found.broken == ()
    xs = [box.center[0] for box in found.boxes]
    assert xs == sorted(xs)


@given(boxes(), boxes(), boxes())
def test_between_is_between(a: Box, b: Box, c: Box) -> None:
    symbols = scene(Relation(0, "between", 1, other=2), things=3)
    found = project(symbols, (0, 1, 2), (a, b, c))
    assert found.broken == ()


@given(st.lists(boxes(), min_size=1, max_size=6))
def test_strangers_share_little_and_stay_inside(some: list[Box]) -> None:
    symbols = scene(things=len(some))
    found = project(symbols, range(len(some)), some)
    for box in found.boxes:
        assert 0 <= box.x0 < box.x1 <= 1
        assert 0 <= box.y0 < box.y1 <= 1
    for one, other in combinations(found.boxes, 2):
        assert max(one.share_in(other), other.share_in(one)) <= SHARED + 0.02


def test_copies_stand_apart() -> None:
    box = Box(0.3, 0.3, 0.6, 0.6)
    found = project(Symbols((Thing("fish", "fish", count=4),)), (0,) * 4, (box,) * 4)
    for one, other in combinations(found.boxes, 2):
        assert one.share_in(other) <= ALIKE + 0.02


def test_what_obeys_already_stays_where_it_is() -> None:
    symbols = scene(Relation(0, "left of", 1))
    obeying = (Box(0.05, 0.4, 0.35, 0.7), Box(0.55, 0.38, 0.95, 0.72))
    found = project(symbols, (0, 1), obeying)
    assert found.moved < 1e-3
    for before, after in zip(obeying, found.boxes, strict=True):
        assert before.xyxy == pytest.approx(after.xyxy, abs=1e-3)


def test_the_shift_is_the_least_for_a_plane() -> None:
    """Two points' worth of boxes, one step: a violated x2 - x1 >= 1.4 |y2 - y1| + 0.02 moves both along the
    normal of that plane, so what one gains in x it gains 1.4 times in y."""
    a, b = Box(0.4, 0.30, 0.44, 0.34), Box(0.5, 0.50, 0.54, 0.54)
    one, other = project(scene(Relation(0, "left of", 1)), (0, 1), (a, b)).boxes
    dx, dy = one.center[0] - a.center[0], one.center[1] - a.center[1]
    assert dx < 0 < dy
    assert dy / -dx == pytest.approx(1.4, abs=0.02)
    assert other.center[0] - b.center[0] == pytest.approx(-dx, abs=1e-3)
    apart, across = other.center[0] - one.center[0], other.center[1] - one.center[1]
    assert apart == pytest.approx(1.4 * across + 0.02, abs=2e-3)


def test_places_and_sizes_that_were_named() -> None:
    symbols = Symbols((Thing("a", "a", place="top left"), Thing("b", "b", scale=0.7)))
    proposed = Box(0.3, 0.3, 0.7, 0.7)
    one, other = project(symbols, (0, 1), (proposed, proposed)).boxes
    assert max(one.center) < 0.4
    assert other.width == pytest.approx(0.28, abs=0.02)


def test_the_rules_own_layouts_break_nothing() -> None:
    """Another way to a layout, checked by the same eyes."""
    for seed, text in enumerate(
        (
            "a cat on a mat",
            "three red fish above a house",
            "a man wearing a hat next to a dog",
            "a boat below a kite, a tree to the left of the boat",
        )
    ):
        planned = plan_by_rules(text, seed)
        things = planned.symbols.things
        owners = [t for t, thing in enumerate(things) for _ in range(thing.count)]
        assert broken(planned.symbols, owners, planned.layout.boxes) == ()


def test_contradictions_are_told_not_hidden() -> None:
    symbols = scene(Relation(0, "left of", 1), Relation(0, "right of", 1))
    found = project(symbols, (0, 1), (Box(0.1, 0.1, 0.4, 0.4), Box(0.5, 0.5, 0.9, 0.9)))
    assert found.broken


def test_groups_stand_to_the_nearest() -> None:
    dice = random.Random(5)
    symbols = Symbols(
        (Thing("fish", "fish", count=3), Thing("house", "house")), (Relation(0, "above", 1),)
    )
    for _ in range(50):
        proposed = []
        for _ in range(4):
            x, y = dice.uniform(0.15, 0.85), dice.uniform(0.15, 0.85)
            proposed.append(Box(x - 0.12, y - 0.12, x + 0.12, y + 0.12))
        found = project(symbols, (0, 0, 0, 1), proposed)
        fish, house = found.boxes[:3], found.boxes[3]
        assert holds(symbols.relations[0], (fish, (house,)))
        assert all(RELATIONS["above"](box, house) for box in fish)
