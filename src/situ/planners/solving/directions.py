"""Relations as directions between blocks; contradictions are told and dropped."""

from situ.planners import lattice
from situ.planners.lattice import Cell, Wish
from situ.planners.solving.problem import Hosts, Problem, Unit
from situ.planners.solving.touching import root_of
from situ.planners.symbols import Relation

_DIRECTED = {*lattice.STEPS, "next to", "near", "around"}


def _directed(
    relation: Relation, number: int, subjects: list[int], objects: list[int]
) -> list[Wish]:
    step = lattice.STEPS.get(relation.predicate, (0, 0))
    if relation.predicate == "around" and len(subjects) > 1:
        sides = ((-1, 0), (1, 0), (0, -1), (0, 1))
        return [
            Wish(one, objects[0], side, relation.sure, number)
            for one, side in zip(subjects, sides, strict=False)
        ]
    return [Wish(s, o, step, relation.sure, number) for s in subjects for o in objects]


def wishes_of(problem: Problem, hosts: Hosts, units: list[Unit]) -> list[Wish]:
    of_thing: dict[int, list[int]] = {}
    for index, unit in enumerate(units):
        for thing in (unit.thing, *unit.also):
            of_thing.setdefault(thing, []).append(index)
    wishes: list[Wish] = []
    for number, relation in enumerate(problem.relations):
        s, o = root_of(relation.subject, hosts), root_of(relation.object, hosts)
        if relation.predicate == "between":
            wishes += _between(problem, relation, number, hosts, of_thing)
        elif s != o and relation.predicate in _DIRECTED:  # within a block this was seen to
            wishes += _directed(relation, number, of_thing[s], of_thing[o])
    _drop_contradictions(problem, wishes)
    return wishes


def _told_in_turn(problem: Problem, relation: Relation) -> bool:
    """Is the second landmark left of the first?"""
    one, other = relation.object, relation.other
    return any(
        (r.predicate == "right of" and (r.subject, r.object) == (one, other))
        or (r.predicate == "left of" and (r.subject, r.object) == (other, one))
        for r in problem.relations
    )


def _between(
    problem: Problem,
    relation: Relation,
    number: int,
    hosts: Hosts,
    of_thing: dict[int, list[int]],
) -> list[Wish]:
    s, o = root_of(relation.subject, hosts), root_of(relation.object, hosts)
    if relation.other is None:
        sides = of_thing[o]
    else:
        sides = [of_thing[o][0], of_thing[root_of(relation.other, hosts)][0]]
    if s == o or len(sides) < 2 or sides[0] == sides[1] or of_thing[s][0] in sides:
        return []
    if _told_in_turn(problem, relation):
        sides.reverse()
    middle = of_thing[s][0]
    return [
        Wish(middle, sides[0], (1, 0), relation.sure, number),
        Wish(middle, sides[1], (-1, 0), relation.sure, number),
    ]


def _drop_contradictions(problem: Problem, wishes: list[Wish]) -> None:
    for one in list(wishes):
        for other in wishes:
            same = (one.subject, one.object) == (other.subject, other.object)
            turned = (one.subject, one.object) == (other.object, other.subject)
            sign = 1 if same else -1 if turned else 0
            dx, dy = one.step[0] * other.step[0] * sign, one.step[1] * other.step[1] * sign
            if (dx < 0 or dy < 0) and one.told < other.told and other in wishes:
                wishes.remove(other)
                if other.sure:
                    problem.warn(
                        problem.relations[other.told], "this contradicts what was said before"
                    )
                break


def _joined(number: int, wishes: list[Wish]) -> list[list[int]]:
    """The units in groups: those that wishes join, directly or by others."""
    parent = list(range(number))

    def find(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    for wish in wishes:
        parent[find(wish.subject)] = find(wish.object)
    groups: dict[int, list[int]] = {}
    for index in range(number):
        groups.setdefault(find(index), []).append(index)
    return list(groups.values())


def components(
    problem: Problem, units: list[Unit], wishes: list[Wish]
) -> list[tuple[dict[int, Cell], list[Wish]]]:
    """Units that relations join, with their cells."""
    found = []
    for members in _joined(len(units), wishes):
        own = sorted(
            (w for w in wishes if w.subject in members),
            key=lambda w: (not w.sure, w.step == (0, 0)),
        )
        cells, lost = lattice.place(members, own, problem.rng.randrange(2))
        for wish in lost:
            if wish.sure:
                problem.warn(problem.relations[wish.told], "this cannot hold with the rest")
        found.append((cells, own))
    return found
