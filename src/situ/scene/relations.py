"""How two boxes lie to each other.

x runs to the right and y down, both in fractions of the picture, so "above" means a smaller y.
Directions follow the centres: the larger of the two offsets decides, and along it the boxes may
share at most half of the narrower one. A box inside another is therefore beside none of its sides.
"""

from collections.abc import Callable

from situ.scene.box import Box

Interval = tuple[float, float]
Relation = Callable[[Box, Box], bool]

MAX_OVERLAP = 0.5  # of the narrower box, along the direction
TOUCH = 0.05  # of the picture: a foot this far above a table still stands on it
NEAR = 0.2  # of the picture: the widest gap between neighbours
INSIDE = 0.95  # of the inner box's area


def left_of(a: Box, b: Box) -> bool:
    """The centre of a is left of b's, by more than it is above or below it."""
    dx, dy = _offset(a, b)
    return dx > abs(dy) and _overlap(_columns(a), _columns(b)) <= MAX_OVERLAP


def right_of(a: Box, b: Box) -> bool:
    """The mirror image of left_of: b is left of a."""
    return left_of(b, a)


def above(a: Box, b: Box) -> bool:
    """The centre of a is higher than b's, by more than it is to a side of it."""
    dx, dy = _offset(a, b)
    return dy > abs(dx) and _overlap(_rows(a), _rows(b)) <= MAX_OVERLAP


def below(a: Box, b: Box) -> bool:
    """The mirror image of above: b is above a."""
    return above(b, a)


def on(a: Box, b: Box) -> bool:
    """a stands on b: its centre is over b, its foot between TOUCH above b's top and b's bottom,
    and its head is higher than b's top."""
    over = b.x0 <= a.center[0] <= b.x1
    return over and a.y0 < b.y0 and b.y0 - TOUCH <= a.y1 < b.y1


def next_to(a: Box, b: Box) -> bool:
    """Side by side in either order: at most NEAR apart, and level by half of the lower one."""
    apart = max(a.x0, b.x0) - min(a.x1, b.x1)
    level = _overlap(_rows(a), _rows(b)) >= 0.5
    return level and apart <= NEAR and _overlap(_columns(a), _columns(b)) <= MAX_OVERLAP


def inside(a: Box, b: Box) -> bool:
    """a is the smaller one and at least INSIDE of its area lies in b."""
    return a.area < b.area and a.share_in(b) >= INSIDE


RELATIONS: dict[str, Relation] = {
    "left of": left_of,
    "right of": right_of,
    "above": above,
    "below": below,
    "on": on,
    "next to": next_to,
    "inside": inside,
}


def _offset(a: Box, b: Box) -> tuple[float, float]:
    """From the centre of a to the centre of b."""
    return b.center[0] - a.center[0], b.center[1] - a.center[1]


def _columns(box: Box) -> Interval:
    return box.x0, box.x1


def _rows(box: Box) -> Interval:
    return box.y0, box.y1


def _overlap(one: Interval, other: Interval) -> float:
    """The shared length as a fraction of the shorter interval."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return max(shared, 0.0) / min(one[1] - one[0], other[1] - other[0])
