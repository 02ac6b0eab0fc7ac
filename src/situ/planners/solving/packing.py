"""Blocks that nothing joins: rows, what flies above what stands, as large as fits."""

from situ.planners import nouns
from situ.planners.blocks import Block, Spot
from situ.planners.lattice import Cell, Wish
from situ.planners.solving.components import component
from situ.planners.solving.problem import GAP, MARGIN, Problem, Unit
from situ.planners.solving.zones import zoned

FILL = 0.9  # of the free width or height, about what a layout takes


LARGEST = 1.9  # how much larger than usual a few small things may be


def _row_options(sky: list[Block], rest: list[Block]) -> list[list[list[Block]]]:
    if sky and rest:
        upper, lower = range(1, min(len(sky), 4) + 1), range(1, min(len(rest), 5) + 1)
        return [[*split_rows(sky, a), *split_rows(rest, b)] for a in upper for b in lower]
    every = [*sky, *rest]
    return [split_rows(every, n) for n in range(1, min(len(every), 6) + 1)]


def split_rows(blocks: list[Block], rows: int) -> list[list[Block]]:
    """In order, into rows of about the same width."""
    total = sum(b.size[0] for b in blocks)
    found: list[list[Block]] = [[]]
    width = 0.0
    for index, block in enumerate(blocks):
        left = len(blocks) - index
        full = width + block.size[0] / 2 > total * len(found) / rows
        if found[-1] and len(found) < rows and (full or left <= rows - len(found)):
            found.append([])
        found[-1].append(block)
        width += block.size[0]
    return found


def arranged(
    problem: Problem, parts: list[tuple[dict[int, Cell], list[Wish]]], units: list[Unit]
) -> list[tuple[int, Spot]]:
    blocks = [component(problem, cells, wishes, units) for cells, wishes in parts]
    places = [_place_of(problem, cells, units) for cells, _ in parts]
    if any(places) and len(blocks) <= 12:
        return zoned(blocks, places)
    sky = [_is_sky(problem, cells, units) for cells, _ in parts]
    order = [b for b, s in zip(blocks, sky, strict=True) if s]
    rest = [b for b, s in zip(blocks, sky, strict=True) if not s]
    return _packed(problem, order, rest)


def _place_of(problem: Problem, cells: dict[int, Cell], units: list[Unit]) -> str:
    return next(
        (
            problem.things[units[i].thing].place
            for i in cells
            if problem.things[units[i].thing].place
        ),
        "",
    )


def _is_sky(problem: Problem, cells: dict[int, Cell], units: list[Unit]) -> bool:
    return all(nouns.head(problem.things[units[i].thing].noun) in nouns.SKY for i in cells)


def _packed(problem: Problem, sky: list[Block], rest: list[Block]) -> list[tuple[int, Spot]]:
    """Rows of blocks, what flies above what stands; as large as fits."""
    problem.rng.shuffle(sky)
    problem.rng.shuffle(rest)
    room = 1 - 2 * MARGIN
    best, chosen = -1.0, [[*sky, *rest]]
    options = _row_options(sky, rest)
    for rows in options:
        wide = max(sum(b.size[0] for b in row) + GAP * (len(row) - 1) for row in rows)
        high = sum(max(b.size[1] for b in row) for row in rows) + GAP * (len(rows) - 1)
        factor = min(room / wide, room / high)
        if factor > best * 1.02:
            best, chosen = factor, rows
    shrunk = (
        min(best, 1.0)
        if problem.storybook
        else min(best * problem.rng.uniform(FILL, 0.98), LARGEST)
    )
    return _rows_of(problem, chosen, min(shrunk, best))


def _rows_of(problem: Problem, rows: list[list[Block]], factor: float) -> list[tuple[int, Spot]]:
    room = 1 - 2 * MARGIN
    highs = [max(b.size[1] for b in row) * factor for row in rows]
    spare = room - sum(highs) - GAP * factor * (len(rows) - 1)
    shares = _random_shares(problem, max(spare, 0.0), len(rows) + 1)
    y = MARGIN + shares[0]
    spots: list[tuple[int, Spot]] = []
    for number, (row, high) in enumerate(zip(rows, highs, strict=True)):
        wides = [b.size[0] * factor for b in row]
        loose = max(room - sum(wides) - GAP * factor * (len(row) - 1), 0.0)
        parts = _random_shares(problem, loose, len(row) + 1)
        x = MARGIN + parts[0]
        for block, wide, part in zip(row, wides, parts[1:], strict=True):
            down = (high - block.size[1] * factor) * problem.rng.uniform(0.4, 1.0)
            spots += block.at_origin().scaled(factor).moved(x, y + down).spots
            x += wide + GAP * factor + part
        y += high + GAP * factor + shares[number + 1]
    return spots


def _random_shares(problem: Problem, length: float, parts: int) -> list[float]:
    weights = [problem.rng.uniform(0.5, 1.0) for _ in range(parts)]
    total = sum(weights)
    return [length * w / total for w in weights]
