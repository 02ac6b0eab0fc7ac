"""Whether boxes stand as a relation says, a little stricter than scene.relations says it."""

from collections.abc import Callable

from situ.planners.blocks import Spot

Check = Callable[[Spot, Spot], bool]

SHARED = 0.46  # of the narrower box: the most that neighbours share along the direction
LEVEL = 0.54  # of the lower box: the least that neighbours share across it
NEAR = 0.19  # of the picture: the widest gap between neighbours
TOUCH = 0.03  # of the picture: what stands on a thing is no higher above it
WITHIN = 0.97  # of its area: the least of what is inside
CLEAR = 0.003


def middle(spot: Spot, axis: int) -> float:
    return (spot[axis] + spot[axis + 2]) / 2


def area(spot: Spot) -> float:
    return (spot[2] - spot[0]) * (spot[3] - spot[1])


def common(a: Spot, b: Spot) -> float:
    """The area that two boxes share."""
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    return wide * high if wide > 0 and high > 0 else 0.0


def _share(a: Spot, b: Spot, axis: int) -> float:
    length = min(a[axis + 2], b[axis + 2]) - max(a[axis], b[axis])
    return max(length, 0.0) / max(min(a[axis + 2] - a[axis], b[axis + 2] - b[axis]), 1e-9)


def _before(a: Spot, b: Spot, axis: int) -> bool:
    along = middle(b, axis) - middle(a, axis)
    across = abs(middle(b, 1 - axis) - middle(a, 1 - axis))
    return along > across + CLEAR and _share(a, b, axis) <= SHARED


def _beside(a: Spot, b: Spot) -> bool:
    apart = max(a[0], b[0]) - min(a[2], b[2])
    return apart <= NEAR and _share(a, b, 1) >= LEVEL and _share(a, b, 0) <= SHARED


def _on(a: Spot, b: Spot) -> bool:
    over = b[0] + CLEAR <= middle(a, 0) <= b[2] - CLEAR
    return over and a[1] < b[1] - CLEAR and b[1] - TOUCH <= a[3] < b[3] - CLEAR


def _inside(a: Spot, b: Spot) -> bool:
    return area(a) < area(b) and common(a, b) >= WITHIN * area(a)


CHECKS: dict[str, Check] = {
    "left of": lambda a, b: _before(a, b, 0),
    "right of": lambda a, b: _before(b, a, 0),
    "above": lambda a, b: _before(a, b, 1),
    "below": lambda a, b: _before(b, a, 1),
    "on": _on,
    "inside": _inside,
    "next to": _beside,
    "around": _beside,
    "in front of": lambda a, b: common(a, b) > 0 and a[3] > b[3] + CLEAR,
    "behind": lambda a, b: common(a, b) > 0 and a[3] < b[3] - CLEAR,
    "wearing": lambda a, b: common(a, b) > 0,
    "holding": lambda a, b: common(a, b) > 0,
    "riding": lambda a, b: common(a, b) > 0,
}
