"""GenEval: three golden cases, mirror images, and a mean of tasks that is not one of pictures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from situ.evaluation.geneval import TASKS, overall, relations, task_accuracies
from situ.scene import Box, SituError

CANVAS = (400, 400)


@pytest.mark.parametrize(
    ("one", "other", "held"),
    [
        ((10, 10, 110, 110), (200, 20, 300, 120), {"left of"}),
        ((0, 0, 100, 100), (15, 0, 115, 100), set()),
        ((0, 0, 50, 50), (100, 100, 150, 150), {"left of", "above"}),
    ],
)
def test_golden_cases(
    one: tuple[int, int, int, int], other: tuple[int, int, int, int], held: set[str]
) -> None:
    a, b = Box.from_px(*one, CANVAS), Box.from_px(*other, CANVAS)
    assert relations(a, b, CANVAS) == held
    opposite = {"left of": "right of", "above": "below"}
    assert relations(b, a, CANVAS) == {opposite[name] for name in held}


def test_the_shrunk_offset_is_divided_by_the_full_one() -> None:
    one, other = Box(0.0, 0.0, 0.2, 0.2), Box(0.1, 0.1, 0.3, 0.3)
    # (0.1 - 0.04) / 0.1414 = 0.42 decides nothing; by the shrunk length it would be 0.71
    assert relations(one, other) == set()
    assert relations(one, one) == set()


# of 128 parts, so that a mirror image is exact and an offset on the edge of a direction stays there
boxes = st.tuples(*[st.integers(0, 80)] * 2, *[st.integers(1, 48)] * 2).map(
    lambda v: Box(v[0] / 128, v[1] / 128, (v[0] + v[2]) / 128, (v[1] + v[3]) / 128)
)


@given(boxes, boxes)
def test_no_thing_is_on_both_sides(one: Box, other: Box) -> None:
    held = relations(one, other)
    assert not {"left of", "right of"} <= held
    assert not {"above", "below"} <= held
    mirrored = relations(one.mirrored(), other.mirrored())
    names = {"left of": "right of", "right of": "left of"}
    assert mirrored == {names.get(name, name) for name in held}


def test_directions_are_of_the_canvas() -> None:
    one, other = Box(0.0, 0.0, 0.1, 0.1), Box(0.3, 0.6, 0.4, 0.7)
    assert relations(one, other) == {"above"}
    assert relations(one, other, (400, 100)) == {"left of"}


def test_the_score_is_a_mean_of_tasks() -> None:
    right: dict[str, list[bool]] = {task: [True] for task in TASKS}
    right |= {"counting": [False] * 6}
    assert overall(right) == pytest.approx(5 / 6)
    verdicts = [v for values in right.values() for v in values]
    assert sum(verdicts) / len(verdicts) == pytest.approx(5 / 11)  # what it is not
    assert task_accuracies(right)["counting"] == 0


def test_all_tasks_must_be_there() -> None:
    with pytest.raises(SituError, match=r"missing \['position'\]"):
        overall({task: [True] for task in TASKS if task != "position"})
    with pytest.raises(SituError, match=r"unknown \['size'\]"):
        overall({task: [True] for task in (*TASKS, "size")})
