"""Blocks that directions join, on one lattice."""

import itertools
from collections.abc import Sequence

from situ.planners import lattice
from situ.planners.blocks import Block, Spot, hull
from situ.planners.lattice import Cell, Wish
from situ.planners.solving.problem import GAP, Problem, Unit

APART = 0.13  # between a thing and what is left or right of it; neighbours stand closer


Reach = tuple[float, float, float, float]


def _reach(anchors: Sequence[Reach]) -> tuple[float, float, float]:
    """How far blocks in one row reach before and behind their common middle, and the largest half."""
    return max(a[0] for a in anchors), max(a[2] for a in anchors), max(a[3] for a in anchors)


def _starts(
    keys: Sequence[int], reaches: dict[int, tuple[float, float, float]], gaps: Sequence[float]
) -> dict[int, float]:
    starts, at = {}, 0.0
    for key, gap in zip(keys, gaps, strict=True):
        starts[key] = at
        at += reaches[key][0] + reaches[key][1] + gap
    return starts


def component(
    problem: Problem, cells: dict[int, Cell], wishes: list[Wish], units: list[Unit]
) -> Block:
    """Columns as wide and rows as high as their largest block, each block in the middle of its cell."""
    if len(cells) == 1:
        return units[next(iter(cells))].block
    columns = sorted({x for x, _ in cells.values()})
    rows = sorted({y for _, y in cells.values()})
    _turn_outward(problem, cells, units)
    anchors = {i: _anchor_of(problem, units[i]) for i in cells}
    across = {c: _reach([anchors[i][0] for i, (x, _) in cells.items() if x == c]) for c in columns}
    down = {r: _reach([anchors[i][1] for i, (_, y) in cells.items() if y == r]) for r in rows}
    gaps = _gaps_between(problem, cells, wishes, columns)
    left, top = _starts(columns, across, gaps), _starts(rows, down, [GAP] * len(rows))
    spots: list[tuple[int, Spot]] = []
    for index, (column, row) in cells.items():
        (_, x, _, _), (_, y, below, half) = anchors[index]
        dx = left[column] + across[column][0] - x
        dy = top[row] + down[row][0] - y
        if len(columns) > 1:  # feet on one line, as far as the middles stay level
            free = down[row][2] - half, down[row][1] - below, 0.2 * sum(across[column][:2])
            dy += max(0.0, min(free))
        spots += units[index].block.moved(dx, dy).spots
    return Block(spots).at_origin()


def _turn_outward(problem: Problem, cells: dict[int, Cell], units: list[Unit]) -> None:
    """What somebody holds goes to the side where no neighbour stands."""
    xs = {x for x, _ in cells.values()}
    for index, (column, _) in cells.items():
        unit = units[index]
        own = {t for t, _ in unit.block.spots}
        sided = any(
            r.predicate in lattice.STEPS and {r.subject, r.object} <= own for r in problem.relations
        )
        if len(own) < 2 or sided:
            continue
        before, _, after, _ = _anchor_of(problem, unit)[0]
        right, left = any(x > column for x in xs), any(x < column for x in xs)
        if (right and not left and after > before) or (left and not right and before > after):
            unit.block = unit.block.mirrored()


def _anchor_of(problem: Problem, unit: Unit) -> tuple[Reach, Reach]:
    """Per axis: from the block's start to the middle of what relations speak of, the middle itself,
    from there to the end, and half the length of what they speak of."""
    told = {
        i
        for r in problem.relations
        if r.sure
        and (r.predicate in lattice.STEPS or r.predicate in ("next to", "between", "around"))
        for i in (r.subject, r.object, r.other)
    }
    named = [s for t, s in unit.block.spots if t in told] or [
        s for t, s in unit.block.spots if t == unit.thing
    ]
    inner, outer = hull(named), unit.block.hull
    reaches = []
    for k in (0, 1):
        middle = (inner[k] + inner[k + 2]) / 2
        reaches.append(
            (middle - outer[k], middle, outer[k + 2] - middle, (inner[k + 2] - inner[k]) / 2)
        )
    return reaches[0], reaches[1]


def _gaps_between(
    problem: Problem, cells: dict[int, Cell], wishes: list[Wish], columns: list[int]
) -> list[float]:
    gaps = []
    for before, after in itertools.pairwise(columns):
        pair = {before, after}
        told = [
            w
            for w in wishes
            if {cells[w.subject][0], cells[w.object][0]} == pair and w.step[0] and not w.step[1]
        ]
        gaps.append(APART if told else GAP * problem.rng.uniform(1.0, 2.0))
    return [*gaps, 0.0]
