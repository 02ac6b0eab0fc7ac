"""Proposed boxes to the nearest ones that obey a symbolic scene: relations, the canvas, little overlap.

Each rule is an inequality between two boxes, and is mended by the least shift of both that makes it hold, in
turns until nothing moves any more (projection onto the sets that obey, as Kaczmarz 1937 does for planes and
Mueller et al. 2007 for bodies). Where the rules leave no room, all boxes are made a little smaller.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import cos, pi, sin, sqrt

from situ.planners import nouns
from situ.planners.symbols import DIRECTIONS, TOUCHING, Relation, Symbols
from situ.scene import Box
from situ.scene.relations import RELATIONS

SHARED = 0.2  # of the smaller box: the most that two things share that do not touch
ALIKE = 0.02  # the same of two that look alike, which a picture would run into one
ROUNDS, SHRINK_EVERY, SHRINK = 240, 15, 0.93
SMALLEST, LARGEST = 0.02, 0.98  # sides of a box, of the picture's
STEEPEST = 1.4  # a thing left of another is at least so much more beside it than above or below it
CLEAR = 0.02  # beyond what a relation asks for, of the picture
BESIDE = 0.15  # of the picture: the most between neighbours
LARGER = 1.35  # times the area
MANY = 10  # boxes of both sides of a relation: beyond that the middles of the groups decide
STILL = 1e-4
NUDGE, GOLDEN = 0.02, pi * (3 - sqrt(5))  # of the picture, and the angle between two turns


@dataclass(slots=True)
class Spot:
    """A box on the move: its middle and its size."""

    x: float
    y: float
    w: float
    h: float

    @property
    def foot(self) -> float:
        return self.y + self.h / 2

    @property
    def top(self) -> float:
        return self.y - self.h / 2

    def box(self) -> Box:
        x0, y0 = max(0.0, self.x - self.w / 2), max(0.0, self.y - self.h / 2)
        return Box(*(round(min(v, 1.0), 4) for v in (x0, y0, x0 + self.w, y0 + self.h)))


@dataclass(frozen=True, slots=True)
class Projected:
    """Boxes in the order they came, the relations that still do not hold, and the mean shift of middles."""

    boxes: tuple[Box, ...]
    broken: tuple[Relation, ...]
    moved: float


_Pairs = Sequence[tuple[Spot, Spot]]
Rule = Callable[[], float]  # mends one inequality and says how far it was from holding


def project(
    symbols: Symbols, owners: Sequence[int], boxes: Sequence[Box], shared: float = SHARED
) -> Projected:
    """Mend boxes; owners[i] is the number of the thing that box i belongs to."""
    spots = [Spot(*b.center, b.width, b.height) for b in boxes]
    _part(spots)
    rules = list(_rules(symbols, owners, spots, shared))
    for spot, owner in zip(spots, owners, strict=True):
        _resize(spot, min(max(symbols.things[owner].scale, 0.6), 1.5))
    for number in range(1, ROUNDS + 1):
        worst = max((rule() for rule in rules), default=0.0)
        if worst < STILL:
            break
        if number % SHRINK_EVERY == 0:
            for spot in spots:
                _resize(spot, SHRINK)
    placed = tuple(spot.box() for spot in spots)
    shifts = (
        sqrt((a.center[0] - b.center[0]) ** 2 + (a.center[1] - b.center[1]) ** 2)
        for a, b in zip(boxes, placed, strict=True)
    )
    moved = sum(shifts) / max(1, len(boxes))
    return Projected(placed, broken(symbols, owners, placed), moved)


def _part(spots: Sequence[Spot]) -> None:
    """Boxes in one place are nudged to all sides: pushed along one axis alone, they would stay in a row."""
    for i, spot in enumerate(spots):
        if any(abs(spot.x - b.x) + abs(spot.y - b.y) < NUDGE for b in spots[:i]):
            spot.x += NUDGE * cos(i * GOLDEN)
            spot.y += NUDGE * sin(i * GOLDEN)


def broken(symbols: Symbols, owners: Sequence[int], boxes: Sequence[Box]) -> tuple[Relation, ...]:
    """The sure relations that do not hold: each box of the first side must have it to one of the other."""
    of = [
        [b for b, o in zip(boxes, owners, strict=True) if o == t]
        for t in range(len(symbols.things))
    ]
    return tuple(r for r in symbols.relations if r.sure and not holds(r, of))


def holds(relation: Relation, of: Sequence[Sequence[Box]]) -> bool:
    """Whether a relation holds between the boxes of things, by what scene.relations says of two boxes."""
    ones, others = of[relation.subject], of[relation.object]
    if relation.predicate == "between":
        far = of[relation.other] if relation.other is not None else others
        return all(_is_between(a, others[0], far[-1]) for a in ones)
    if relation.predicate in DIRECTIONS and len(ones) + len(others) > MANY:
        one, other = (
            Box.of([sum(v) / len(v) for v in zip(*(b.xyxy for b in s), strict=True)])
            for s in (ones, others)
        )
        return RELATIONS[relation.predicate](one, other)
    check = _CHECKS.get(relation.predicate)
    return check is None or all(any(check(a, b) for b in others) for a in ones)


_CHECKS: dict[str, Callable[[Box, Box], bool]] = {
    **RELATIONS,
    "in front of": lambda a, b: a.intersection(b) is not None and a.y1 > b.y1,
    "behind": lambda a, b: a.intersection(b) is not None and a.y1 < b.y1,
    "wearing": lambda a, b: a.intersection(b) is not None,
    "holding": lambda a, b: a.intersection(b) is not None,
    "riding": lambda a, b: a.intersection(b) is not None and a.y0 < b.y0,
    "larger": lambda a, b: a.area > b.area,
    "smaller": lambda a, b: a.area < b.area,
}


def _is_between(a: Box, one: Box, other: Box) -> bool:
    axis = max((0, 1), key=lambda k: abs(one.center[k] - other.center[k]))
    low, high = sorted((one.center[axis], other.center[axis]))
    return low < a.center[axis] < high


# rules -------------------------------------------------------------------------------------------


def _rules(
    symbols: Symbols, owners: Sequence[int], spots: Sequence[Spot], shared: float
) -> Iterator[Rule]:
    owned = list(zip(spots, owners, strict=True))
    of = [[spot for spot, owner in owned if owner == t] for t in range(len(symbols.things))]
    depth = 0.03 if all(t.noun in nouns.STORYBOOK for t in symbols.things) else None
    touching: set[frozenset[int]] = set()
    for relation in symbols.relations:
        if not relation.sure:
            continue
        pairs = list(_pairs(relation, of))
        if relation.predicate in TOUCHING:
            touching |= {frozenset((id(a), id(b))) for a, b in pairs}
        yield from _of_relation(relation, pairs, of, depth)
    for i, a in enumerate(spots):
        for j, b in enumerate(spots[:i]):
            if frozenset((id(a), id(b))) not in touching:
                alike = owners[i] == owners[j]
                yield _bound(_apart, a, b, min(shared, ALIKE) if alike else shared)
    for spot, owner in owned:
        yield _bound(_in_zone, spot, symbols.things[owner].place)


def _bound(rule: Callable[..., float], *given: object) -> Rule:
    return lambda: rule(*given)


def _pairs(relation: Relation, of: Sequence[Sequence[Spot]]) -> Iterator[tuple[Spot, Spot]]:
    """Who stands to whom: what touches in turn, each of the others to the nearest."""
    ones, others = of[relation.subject], of[relation.object]
    if relation.predicate in TOUCHING or relation.each:
        for i in range(max(len(ones), len(others))):
            if i < len(ones) or relation.predicate in ("wearing", "holding"):
                yield ones[i % len(ones)], others[i % len(others)]
        return
    for a in ones:
        yield a, min(others, key=lambda b: (a.x - b.x) ** 2 + (a.y - b.y) ** 2)


def _of_relation(
    relation: Relation, pairs: _Pairs, of: Sequence[Sequence[Spot]], depth: float | None
) -> Iterator[Rule]:
    name = relation.predicate
    if name in DIRECTIONS:
        yield from _of_direction(relation, pairs, of)
    elif name == "between":
        yield from _of_between(relation, of)
    elif name in ("on", "riding"):
        window = (0.2, 0.7, 1.0) if name == "riding" else (0.0, 0.45, depth or 1.0)
        for a, b in pairs:
            yield _bound(_standing, a, b, *window)
    elif rule := _RULES.get(name):
        for a, b in pairs:
            yield _bound(rule, a, b)


def _of_direction(
    relation: Relation, pairs: _Pairs, of: Sequence[Sequence[Spot]]
) -> Iterator[Rule]:
    name = relation.predicate
    for a, b in product(of[relation.subject], of[relation.object]):
        first, second = (a, b) if name in ("left of", "above") else (b, a)
        near = any(a is p and b is q for p, q in pairs)
        yield _bound(_before, first, second, name in ("above", "below"), near)


def _of_between(relation: Relation, of: Sequence[Sequence[Spot]]) -> Iterator[Rule]:
    others = of[relation.object]
    far = of[relation.other] if relation.other is not None else others
    one, other = others[0], far[-1]
    down = abs(one.y - other.y) > abs(one.x - other.x)
    turned = other.y < one.y if down else other.x < one.x
    first, second = (other, one) if turned else (one, other)
    for a in of[relation.subject]:
        yield _bound(_amid, a, first, second, down)


def _before(a: Spot, b: Spot, down: bool, near: bool) -> float:
    """a before b along one axis: more beside than across it, and hardly sharing the axis; a group's far
    members need only be in order."""
    if down:
        turned, other = Spot(a.y, a.x, a.h, a.w), Spot(b.y, b.x, b.h, b.w)
        fault = _before(turned, other, False, near)
        a.x, a.y, b.x, b.y = turned.y, turned.x, other.y, other.x
        return fault
    apart, across = b.x - a.x, abs(b.y - a.y)
    steep = STEEPEST if near else 0.0
    fault = max(0.0, steep * across + CLEAR - apart)
    if fault:
        share = fault / (2 * (1 + steep**2))
        level = min(share * steep, across / 2) * (1 if b.y > a.y else -1)
        a.x, b.x, a.y, b.y = a.x - share, b.x + share, a.y + level, b.y - level
    room = (a.w + b.w) / 2 - 0.2 * min(a.w, b.w) if near else 0.0
    short = max(0.0, room - (b.x - a.x))
    a.x, b.x = a.x - short / 2, b.x + short / 2
    return max(fault, short)


def _beside(a: Spot, b: Spot) -> float:
    """Neighbours: level, close, not in each other's way."""
    level = max(0.0, abs(a.y - b.y) - ((a.h + b.h) / 2 - 0.6 * min(a.h, b.h)))
    sign = 1 if b.y >= a.y else -1
    a.y, b.y = a.y + sign * level / 2, b.y - sign * level / 2
    sign, apart = (1 if b.x >= a.x else -1), abs(b.x - a.x)
    least = (a.w + b.w) / 2 - 0.15 * min(a.w, b.w)
    most = (a.w + b.w) / 2 + BESIDE
    change = max(0.0, least - apart) - max(0.0, apart - most)
    a.x, b.x = a.x - sign * change / 2, b.x + sign * change / 2
    return max(level, abs(change))


def _close(a: Spot, b: Spot) -> float:
    return _drawn(a, b, (a.w + b.w) / 2 + BESIDE, (a.h + b.h) / 2 + BESIDE)


def _meeting(a: Spot, b: Spot) -> float:
    """Boxes that share something."""
    return _drawn(
        a, b, (a.w + b.w) / 2 - 0.2 * min(a.w, b.w), (a.h + b.h) / 2 - 0.2 * min(a.h, b.h)
    )


def _drawn(a: Spot, b: Spot, wide: float, high: float) -> float:
    """Draw two boxes together until their middles are at most so far apart along both axes."""
    dx, dy = max(0.0, abs(b.x - a.x) - wide), max(0.0, abs(b.y - a.y) - high)
    right, lower = (1 if b.x >= a.x else -1), (1 if b.y >= a.y else -1)
    a.x, b.x = a.x + right * dx / 2, b.x - right * dx / 2
    a.y, b.y = a.y + lower * dy / 2, b.y - lower * dy / 2
    return max(dx, dy)


def _standing(a: Spot, b: Spot, low: float, high: float, most: float) -> float:
    """a's middle over b, its foot between two parts of b's height below b's top."""
    reach = 0.4 * b.w
    aside = max(0.0, abs(a.x - b.x) - reach) * (1 if a.x > b.x else -1)
    a.x, b.x = a.x - aside / 2, b.x + aside / 2
    least, deepest = min(low * b.h, 0.4 * a.h), min(high * b.h, most, 0.6 * a.h)
    off = _outside(a.foot, b.top + least, b.top + max(least, deepest))
    a.y, b.y = a.y - off / 2, b.y + off / 2
    return max(abs(aside), abs(off))


def _inside(a: Spot, b: Spot) -> float:
    fault = 0.0
    for side in ("w", "h"):
        own, room = getattr(a, side), 0.9 * getattr(b, side)
        if own > room + STILL:
            fault = max(fault, own - room)
            setattr(a, side, max(SMALLEST, room))
    dx = max(0.0, abs(a.x - b.x) - (b.w - a.w) / 2) * (1 if a.x > b.x else -1)
    dy = max(0.0, abs(a.y - b.y) - (b.h - a.h) / 2) * (1 if a.y > b.y else -1)
    a.x, a.y = a.x - dx, a.y - dy
    return max(fault, abs(dx), abs(dy))


def _in_front(a: Spot, b: Spot) -> float:
    """Nearer to the viewer: its foot lower, and over the other."""
    fault = _meeting(a, b)
    short = max(0.0, b.foot + CLEAR - a.foot)
    a.y, b.y = a.y + short / 2, b.y - short / 2
    return max(fault, short)


def _wearing(a: Spot, b: Spot) -> float:
    """What is worn is hardly wider than who wears it, and on the body."""
    if b.w > 1.1 * a.w:
        _resize(b, 1.1 * a.w / b.w)
    dx = max(0.0, abs(b.x - a.x) - 0.25 * a.w) * (1 if b.x > a.x else -1)
    dy = _outside(b.y, a.top, a.foot - b.h / 2)
    b.x, b.y = b.x - dx, b.y - dy
    return max(abs(dx), abs(dy))


def _larger(a: Spot, b: Spot) -> float:
    ratio = (a.w * a.h) / (b.w * b.h)
    if ratio >= LARGER:
        return 0.0
    factor = (LARGER / ratio) ** 0.25
    _resize(a, factor)
    _resize(b, 1 / factor)
    return factor - 1


def _amid(a: Spot, first: Spot, second: Spot, down: bool) -> float:
    """a in the middle between two things that lie one before the other; they make room."""
    fault = max(
        _before(first, second, down, True),
        _before(first, a, down, False),
        _before(a, second, down, False),
    )
    dx, dy = (first.x + second.x) / 2 - a.x, (first.y + second.y) / 2 - a.y
    far = max(abs(dx), abs(dy)) - 0.1
    if far > 0:
        a.x, a.y = a.x + dx / 2, a.y + dy / 2
    return max(far, fault)


_RULES: dict[str, Callable[[Spot, Spot], float]] = {
    "next to": _beside,
    "near": _close,
    "around": _close,
    "inside": _inside,
    "in front of": _in_front,
    "behind": lambda a, b: _in_front(b, a),
    "wearing": _wearing,
    "holding": _meeting,
    "larger": _larger,
    "smaller": lambda a, b: _larger(b, a),
}


def _apart(a: Spot, b: Spot, shared: float) -> float:
    """Push two boxes apart along the shorter way until they share little."""
    wide = min(a.x + a.w / 2, b.x + b.w / 2) - max(a.x - a.w / 2, b.x - b.w / 2)
    high = min(a.foot, b.foot) - max(a.top, b.top)
    allowed = shared * min(a.w * a.h, b.w * b.h)
    if wide <= 0 or high <= 0 or wide * high <= allowed + STILL**2:
        return 0.0
    dx, dy = wide - allowed / high, high - allowed / wide
    if dx <= dy:
        sign = 1 if b.x >= a.x else -1
        a.x, b.x = a.x - sign * dx / 2, b.x + sign * dx / 2
    else:
        sign = 1 if b.y >= a.y else -1
        a.y, b.y = a.y - sign * dy / 2, b.y + sign * dy / 2
    return min(dx, dy)


def _in_zone(spot: Spot, place: str) -> float:
    """Inside the picture, and its middle in the part that was named."""
    spot.w, spot.h = (min(max(v, SMALLEST), LARGEST) for v in (spot.w, spot.h))
    x, y = spot.x, spot.y
    across = -1 if "left" in place else 1 if "right" in place else 0
    down = -1 if "top" in place else 1 if "bottom" in place else 0
    if place:
        spot.x, spot.y = _to_third(x, across), _to_third(y, down)
    spot.x = min(max(spot.x, spot.w / 2), 1 - spot.w / 2)
    spot.y = min(max(spot.y, spot.h / 2), 1 - spot.h / 2)
    return max(abs(spot.x - x), abs(spot.y - y)) if not place else 0.0


def _to_third(value: float, side: int) -> float:
    low, high = ((0.0, 0.33), (0.36, 0.64), (0.67, 1.0))[side + 1]
    return min(max(value, low), high)


def _outside(value: float, low: float, high: float) -> float:
    """How far a value is above the upper end of an interval, or, negative, below the lower one."""
    return max(0.0, value - high) - max(0.0, low - value)


def _resize(spot: Spot, factor: float) -> None:
    spot.w = min(max(spot.w * factor, SMALLEST), LARGEST)
    spot.h = min(max(spot.h * factor, SMALLEST), LARGEST)
