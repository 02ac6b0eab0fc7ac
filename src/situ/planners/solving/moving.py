"""Boxes whose relations do not hold are moved to where they do, if that breaks nothing else."""

from collections.abc import Iterator

from situ.planners.blocks import Spot
from situ.planners.lattice import STEPS
from situ.planners.solving.problem import Hosts, Problem
from situ.planners.solving.standing import CHECKS, common, middle
from situ.planners.solving.touching import pairs_that_touch
from situ.planners.symbols import Relation

TRIES = 240  # places that are looked at, for all faults together
MANY = 10  # boxes on both sides of a relation: beyond that the group as a whole decides
SCALES = (1.0, 0.75, 0.55)
EDGE = 0.005
SLIGHT = 1e-5  # of the picture's area: no overlap

Moved = dict[int, Spot]


def settled(
    problem: Problem, spots: list[tuple[int, Spot]], hosts: Hosts
) -> list[tuple[int, Spot]]:
    """The spots, with those moved that broke a relation; sure relations are mended first."""
    picture = _Picture(problem, spots, hosts)
    tries = TRIES
    for relation, index in picture.faults():
        if picture.holds(relation, index, {}):
            continue
        for moved in _places(picture, relation, index):
            tries -= 1
            if tries < 0:
                return picture.told()
            if picture.mends(relation, index, moved):
                for one, spot in moved.items():
                    picture.spots[one] = spot
                break
    return picture.told()


class _Picture:
    """Spots, who moves with whom, and which may overlap."""

    def __init__(self, problem: Problem, spots: list[tuple[int, Spot]], hosts: Hosts) -> None:
        self.relations = [r for r in problem.relations if r.predicate in CHECKS]
        self.things = [thing for thing, _ in spots]
        self.spots = [spot for _, spot in spots]
        self.of = {t: [i for i, own in enumerate(self.things) if own == t] for t in self.things}
        self.host_things = {guest: host for guest, (host, _, _) in hosts.items()}
        self.hosts = [self._host_of(i) for i in range(len(spots))]
        self.free = pairs_that_touch(problem, hosts)

    def _host_of(self, index: int) -> int:
        host = self.host_things.get(self.things[index], -1)
        own = self.spots[index]
        return max(self.of.get(host, ()), key=lambda i: common(self.spots[i], own), default=-1)

    def told(self) -> list[tuple[int, Spot]]:
        return list(zip(self.things, self.spots, strict=True))

    def family(self, index: int) -> list[int]:
        found = [index]
        for one in found:
            found += [i for i, host in enumerate(self.hosts) if host == one]
        return found

    def faults(self) -> list[tuple[Relation, int]]:
        """What does not hold; an unsure relation moves nothing that stands on something."""
        return [
            (relation, index)
            for relation in sorted(self.relations, key=lambda r: not r.sure)
            if (relation.sure or relation.subject not in self.host_things)
            and not self._is_of_groups(relation)
            for index in self.of[relation.subject]
            if not self.holds(relation, index, {})
        ]

    def _is_of_groups(self, relation: Relation) -> bool:
        total = len(self.of[relation.subject]) + len(self.of[relation.object])
        return relation.predicate in STEPS and total > MANY

    def holds(self, relation: Relation, index: int, moved: Moved) -> bool:
        own = moved.get(index, self.spots[index])
        check = CHECKS[relation.predicate]
        return any(check(own, moved.get(i, self.spots[i])) for i in self.of[relation.object])

    def mends(self, relation: Relation, index: int, moved: Moved) -> bool:
        if not all(self._fits(i, spot, moved, relation) for i, spot in moved.items()):
            return False
        return self.holds(relation, index, moved) and not self._breaks(moved)

    def _fits(self, index: int, spot: Spot, moved: Moved, relation: Relation) -> bool:
        if min(spot[:2]) < EDGE or max(spot[2:]) > 1 - EDGE:
            return False
        own, old = self.things[index], self.spots[index]
        for other, there in enumerate(self.spots):
            if other in moved or common(spot, there) <= SLIGHT:
                continue
            pair = frozenset((own, self.things[other]))
            shared = pair in self.free or common(old, there) > SLIGHT
            if len(pair) < 2 or not (shared or self._takes_in(other, spot, relation)):
                return False
        return True

    def _takes_in(self, other: int, spot: Spot, relation: Relation) -> bool:
        """ "a turtle in a tub and a duck next to the turtle": the duck may be in the tub, too."""
        host = self.host_things.get(relation.object)
        return self.things[other] == host and common(spot, self.spots[other]) > 0.9 * (
            (spot[2] - spot[0]) * (spot[3] - spot[1])
        )

    def _breaks(self, moved: Moved) -> bool:
        own = {self.things[i] for i in moved}
        return any(
            self.holds(r, i, {}) and not self.holds(r, i, moved)
            for r in self.relations
            if r.sure and (r.subject in own or r.object in own)
            for i in self.of[r.subject]
        )


def _places(picture: _Picture, relation: Relation, index: int) -> Iterator[Moved]:
    """Where the subject could go, then where the landmark could."""
    own = picture.spots[index]
    marks = sorted(picture.of[relation.object], key=lambda i: _distance(own, picture.spots[i]))
    for scale in SCALES:
        for mark in marks[:2]:
            for aim in aims(relation.predicate, own, picture.spots[mark], scale):
                yield _carried(picture, index, aim)
    if len(marks) == 1 and marks[0] not in picture.family(index):
        for aim in aims(_TURNED.get(relation.predicate, ""), picture.spots[marks[0]], own, 1.0):
            yield _carried(picture, marks[0], aim)


_TURNED = {
    "left of": "right of", "right of": "left of", "above": "below", "below": "above",
    "next to": "next to", "in front of": "behind", "behind": "in front of",
}  # fmt: skip


def _distance(a: Spot, b: Spot) -> float:
    return abs(middle(a, 0) - middle(b, 0)) + abs(middle(a, 1) - middle(b, 1))


def _carried(picture: _Picture, index: int, aim: Spot) -> Moved:
    """A box at its new place, and all that stands on it or belongs to it."""
    x, y, right, _ = picture.spots[index]
    factor = (aim[2] - aim[0]) / (right - x)
    moved: Moved = {}
    for one in picture.family(index):
        a, b, c, d = picture.spots[one]
        moved[one] = (
            aim[0] + (a - x) * factor, aim[1] + (b - y) * factor,
            aim[0] + (c - x) * factor, aim[1] + (d - y) * factor,
        )  # fmt: skip
    return moved


def aims(predicate: str, own: Spot, mark: Spot, scale: float) -> Iterator[Spot]:
    """Boxes of a size that stand to a landmark as a relation says, the likeliest first."""
    wide, high = (own[2] - own[0]) * scale, (own[3] - own[1]) * scale
    for x, y in _corners(predicate, own, mark, (wide, high)):
        yield x, y, x + wide, y + high


def _corners(
    predicate: str, own: Spot, mark: Spot, size: tuple[float, float]
) -> Iterator[tuple[float, float]]:
    wide, high = size
    centre = middle(mark, 0) - wide / 2, middle(mark, 1) - high / 2
    left = middle(own, 0) < middle(mark, 0)
    if predicate in ("next to", "around"):
        yield from _at_sides(own, mark, size, left)
    elif predicate in ("left of", "right of"):
        for gap in (0.02, 0.1):
            x = mark[0] - gap - wide if predicate == "left of" else mark[2] + gap
            yield from ((x, y) for y in (mark[3] - high, centre[1], mark[1]))
    elif predicate in ("above", "below"):
        for gap in (0.01, -0.01, 0.06):
            y = mark[1] - gap - high if predicate == "above" else mark[3] + gap
            yield from ((x, y) for x in (centre[0], mark[0], mark[2] - wide))
    elif predicate in ("in front of", "behind"):
        deep = 0.3 * min(high, mark[3] - mark[1])
        y = mark[3] - deep if predicate == "in front of" else mark[1] - high + deep
        room = (0.5, 0.2, 0.8, 0.0, 1.0)
        yield from ((mark[0] + r * (mark[2] - mark[0]) - wide / 2, y) for r in room)
    elif predicate in ("on", "inside"):
        yield from _upon(predicate, mark, size)
    elif predicate in ("holding", "wearing", "riding"):
        yield from ((x, centre[1]) for x in (mark[0] - 0.8 * wide, mark[2] - 0.2 * wide))


def _at_sides(
    own: Spot, mark: Spot, size: tuple[float, float], left: bool
) -> Iterator[tuple[float, float]]:
    wide, high = size
    heights = mark[3] - high, (mark[1] + mark[3] - high) / 2, mark[1], own[1]
    for gap in (0.015, 0.08, 0.16):
        sides = mark[0] - gap - wide, mark[2] + gap
        for x in sides if left else sides[::-1]:
            yield from ((x, y) for y in heights)


def _upon(predicate: str, mark: Spot, size: tuple[float, float]) -> Iterator[tuple[float, float]]:
    wide, high = size
    low = 0.12 * (mark[3] - mark[1])
    y = mark[1] + low - high if predicate == "on" else mark[3] - low / 2 - high
    for share in (0.5, 0.25, 0.75, 0.1, 0.9):
        x = mark[0] + share * (mark[2] - mark[0]) - wide / 2
        if predicate == "inside":
            x = min(max(x, mark[0] + 0.005), mark[2] - 0.005 - wide)
        yield x, y
