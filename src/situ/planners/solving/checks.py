"""Does a layout hold what was said? What nearly does is mended, what does not is told."""

from situ.planners import lattice
from situ.planners.blocks import Spot, hull
from situ.planners.solving.problem import Hosts, Problem
from situ.planners.solving.touching import guests
from situ.planners.symbols import Relation
from situ.scene import Box
from situ.scene.relations import RELATIONS


def box_of(spot: Spot) -> Box:
    """Inside the picture and of some size, whatever arithmetic did."""
    x0, y0, x1, y1 = (round(min(max(v, 0.0), 1.0), 4) for v in spot)
    x0, y0 = min(x0, 0.995), min(y0, 0.995)
    return Box(x0, y0, max(x1, x0 + 0.005), max(y1, y0 + 0.005))


def _directs(relation: Relation, boxes: dict[int, list[Box]]) -> bool:
    """The middle of the group lies in the direction."""
    dx, dy = lattice.STEPS[relation.predicate]
    one, other = ([b.center for b in boxes[i]] for i in (relation.subject, relation.object))
    ax, ay = (sum(c[k] for c in one) / len(one) for k in (0, 1))
    bx, by = (sum(c[k] for c in other) / len(other) for k in (0, 1))
    return (ax - bx) * dx > 0 or (ay - by) * dy > 0


def _drawn_in(
    spots: list[tuple[int, Spot]], one: int, other: int, axis: int, guests: dict[int, int]
) -> list[tuple[int, Spot]]:
    """Scale two groups about their common middle along an axis where they are wider than they are apart."""
    own = {one: [s for t, s in spots if t == one], other: [s for t, s in spots if t == other]}
    if not own[one] or not own[other]:
        return spots
    across = max(abs(_mid(a, axis) - _mid(b, axis)) for a in own[one] for b in own[other])
    apart = min(abs(_mid(a, 1 - axis) - _mid(b, 1 - axis)) for a in own[one] for b in own[other])
    if across < 0.92 * apart or apart <= 0:
        return spots
    factor = max(0.92 * apart / across, 0.45)
    whole = hull([*own[one], *own[other]])
    middle = (whole[axis] + whole[axis + 2]) / 2
    return [
        (t, _squeezed(s, axis, middle, factor) if guests.get(t, t) in (one, other) else s)
        for t, s in spots
    ]


def _squeezed(spot: Spot, axis: int, middle: float, factor: float) -> Spot:
    values = list(spot)
    for k in (axis, axis + 2):
        values[k] = middle + (values[k] - middle) * factor
    return values[0], values[1], values[2], values[3]


def _mid(spot: Spot, axis: int) -> float:
    return (spot[axis] + spot[axis + 2]) / 2


def mended(problem: Problem, spots: list[tuple[int, Spot]], hosts: Hosts) -> list[tuple[int, Spot]]:
    """Narrow groups that stand above or below each other, until every pair is more up than across."""
    for relation in problem.relations:
        step = lattice.STEPS.get(relation.predicate)
        if step is None or not relation.sure:
            continue
        s, o = relation.subject, relation.object
        if s in hosts or o in hosts or problem.things[s].count + problem.things[o].count > 12:
            continue
        spots = _drawn_in(spots, s, o, axis=0 if step[1] else 1, guests=guests(hosts))
    return spots


def verify(problem: Problem, spots: list[tuple[int, Spot]]) -> None:
    boxes: dict[int, list[Box]] = {}
    for thing, spot in spots:
        boxes.setdefault(thing, []).append(box_of(spot))
    for relation in problem.relations:
        check = RELATIONS.get(relation.predicate)
        if check is None or not relation.sure or relation.predicate == "inside":
            continue
        if relation.predicate in lattice.STEPS and not _directs(relation, boxes):
            problem.warn(relation, "this does not hold in the layout")
