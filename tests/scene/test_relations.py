"""Where boxes lie to each other: pictures of two boxes, and laws that hold for any two."""

import pytest
from hypothesis import given

from situ.scene import Box
from situ.scene.relations import RELATIONS, above, below, inside, left_of, next_to, on, right_of

LEFT, RIGHT = Box(0.1, 0.4, 0.3, 0.6), Box(0.6, 0.4, 0.9, 0.7)
TABLE = Box(0.2, 0.6, 0.8, 0.9)

CASES = [
    ("left and right", LEFT, RIGHT, {"left of"}),
    ("right and left", RIGHT, LEFT, {"right of"}),
    ("over", Box(0.4, 0.1, 0.6, 0.3), Box(0.4, 0.6, 0.6, 0.9), {"above"}),
    ("under", Box(0.4, 0.6, 0.6, 0.9), Box(0.4, 0.1, 0.6, 0.3), {"below"}),
    ("cup on a table", Box(0.4, 0.4, 0.5, 0.62), TABLE, {"above", "on"}),
    ("cup floating over it", Box(0.4, 0.2, 0.5, 0.5), TABLE, {"above"}),
    ("cup standing beside it", Box(0.82, 0.4, 0.92, 0.62), TABLE, {"right of"}),
    ("cat deep in a sofa", Box(0.4, 0.5, 0.6, 0.85), Box(0.1, 0.55, 0.9, 0.95), {"on"}),
    ("tree in front of a table", Box(0.4, 0.1, 0.6, 0.95), TABLE, set()),
    ("pair", Box(0.1, 0.4, 0.4, 0.8), Box(0.45, 0.4, 0.75, 0.8), {"left of", "next to"}),
    (
        "pair that touches",
        Box(0.1, 0.4, 0.4, 0.8),
        Box(0.38, 0.5, 0.7, 0.8),
        {"left of", "next to"},
    ),
    ("fish in a tank", Box(0.3, 0.4, 0.4, 0.5), Box(0.2, 0.2, 0.9, 0.9), {"inside"}),
    ("the same box", LEFT, LEFT, set()),
]


@pytest.mark.parametrize(("name", "a", "b", "held"), CASES, ids=[case[0] for case in CASES])
def test_relations_of_two_boxes(name: str, a: Box, b: Box, held: set[str]) -> None:
    assert {word for word, relation in RELATIONS.items() if relation(a, b)} == held


@given(a=..., b=...)
def test_converses(a: Box, b: Box) -> None:
    assert left_of(a, b) == right_of(b, a)
    assert above(a, b) == below(b, a)
    assert next_to(a, b) == next_to(b, a)


@given(a=..., b=...)
def test_at_most_one_direction_holds(a: Box, b: Box) -> None:
    assert sum(relation(a, b) for relation in (left_of, right_of, above, below)) <= 1


@given(a=..., b=...)
def test_nothing_holds_both_ways_that_should_not(a: Box, b: Box) -> None:
    for relation in (left_of, above, on, inside):
        assert not (relation(a, b) and relation(b, a))
        assert not relation(a, a)
    assert not next_to(a, a)
    assert not (inside(a, b) and left_of(a, b) and a.share_in(b) == 1)


@given(a=..., b=...)
def test_a_mirror_exchanges_left_and_right(a: Box, b: Box) -> None:
    if abs(abs(a.center[0] - b.center[0]) - abs(a.center[1] - b.center[1])) > 1e-9:
        far = max(a.x0, b.x0) > min(a.x1, b.x1) + 1e-9
        if far:
            assert left_of(a, b) == right_of(a.mirrored(), b.mirrored())
