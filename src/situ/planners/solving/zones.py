"""Blocks whose part of the picture was named."""

from situ.planners.blocks import Block, Spot, grid
from situ.planners.lattice import Cell
from situ.planners.solving.problem import GAP, MARGIN


def _zone(name: str) -> Cell:
    x = -1 if "left" in name else 1 if "right" in name else 0
    y = -1 if "top" in name else 1 if "bottom" in name else 0
    return x, y


def _span(zone: int, used: set[int]) -> tuple[float, float]:
    """The part of an axis for the zone -1, 0 or 1, given which others are in use."""
    low, high = MARGIN, 1 - MARGIN
    if zone == 0:
        return (low if -1 not in used else 0.36), (high if 1 not in used else 0.64)
    side = 0.33 if 0 in used else 0.48
    return (low, side) if zone < 0 else (1 - side, high)


def _pulled(low: float, high: float, length: float, zone: int) -> float:
    """To its side of the picture, or to the middle."""
    share = (0.15, 0.5, 0.85)[zone + 1]
    return low + (high - low - length) * share


_CELLS: tuple[Cell, ...] = (
    (0, 0), (0, 1), (1, 0), (-1, 0), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1),
)  # fmt: skip


def zoned(blocks: list[Block], places: list[str]) -> list[tuple[int, Spot]]:
    """Blocks whose part of the picture was named; the others take what is left."""
    zones = {index: _zone(name) for index, name in enumerate(places) if name}
    taken = list(zones.values())
    for index in range(len(blocks)):
        if index not in zones:
            zones[index] = next((cell for cell in _CELLS if cell not in taken), (0, 0))
            taken.append(zones[index])
    spots: list[tuple[int, Spot]] = []
    for cell in dict.fromkeys(taken):
        members = [blocks[i] for i in range(len(blocks)) if zones[i] == cell]
        spots += _in_zone(members, cell, taken)
    return spots


def _in_zone(members: list[Block], cell: Cell, taken: list[Cell]) -> list[tuple[int, Spot]]:
    block = grid(members, 1 if abs(cell[0]) else len(members), GAP)
    spans = []
    for axis in (0, 1):
        used = {c[axis] for c in taken}
        spans.append(_span(cell[axis], used))
    (x0, x1), (y0, y1) = spans
    width, height = block.size
    factor = min((x1 - x0) / width, (y1 - y0) / height, 1.5)
    width, height = width * factor, height * factor
    x = _pulled(x0, x1, width, cell[0])
    y = _pulled(y0, y1, height, cell[1])
    return block.at_origin().scaled(factor).moved(x, y).spots
