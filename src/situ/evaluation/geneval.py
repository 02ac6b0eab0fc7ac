"""GenEval's relation of two boxes and its overall score (Ghosh et al. 2023); pure functions."""

import math
from collections.abc import Mapping, Sequence

from situ.scene import Box, SituError
from situ.scene.box import Canvas

TASKS = ("single_object", "two_object", "counting", "colors", "position", "color_attr")
SHRINK = 0.1  # of the sum of both sizes: how much of an offset counts as none
DECIDES = 0.5  # of the centres' distance: what a direction must keep after the shrinking
SQUARE: Canvas = (1, 1)


def relations(one: Box, other: Box, canvas: Canvas = SQUARE) -> frozenset[str]:
    """How one lies to the other: any of left of, right of, above, below, or none.

    The offset of the centres, made shorter on each axis by SHRINK of both widths or heights, is divided
    by the length of the FULL offset; more than DECIDES of it makes a direction. Two directions can hold
    together. Give the canvas of pictures that are not square.
    """
    dx = (one.center[0] - other.center[0]) * canvas[0]
    dy = (one.center[1] - other.center[1]) * canvas[1]
    distance = math.hypot(dx, dy)
    if distance == 0:
        return frozenset()
    right = _shrunk(dx, SHRINK * (one.width + other.width) * canvas[0]) / distance
    down = _shrunk(dy, SHRINK * (one.height + other.height) * canvas[1]) / distance
    held = {"left of": -right, "right of": right, "above": -down, "below": down}
    return frozenset(name for name, share in held.items() if share > DECIDES)


def _shrunk(offset: float, by: float) -> float:
    return math.copysign(max(abs(offset) - by, 0.0), offset)


def task_accuracies(right: Mapping[str, Sequence[bool]]) -> dict[str, float]:
    """Share of right pictures for each of the six tasks, from {task: one verdict per picture}."""
    missing = [task for task in TASKS if not right.get(task)]
    unknown = [task for task in right if task not in TASKS]
    if missing or unknown:
        raise SituError(f"tasks must be {', '.join(TASKS)}; missing {missing}, unknown {unknown}")
    return {task: sum(right[task]) / len(right[task]) for task in TASKS}


def overall(right: Mapping[str, Sequence[bool]]) -> float:
    """GenEval's score: the mean of the six task accuracies, NOT the share of right pictures; the tasks
    have from 80 to 100 prompts."""
    return math.fsum(task_accuracies(right).values()) / len(TASKS)
