"""Things that touch: one block of boxes for what stands on, in or before something, is worn or held.

A block has its own coordinates: the host's box begins at (0, 0), x to the right and y down, in fractions
of the picture before anything is scaled to fit.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

from situ.planners import nouns, uses
from situ.planners.symbols import Size, Thing

Spot = tuple[float, float, float, float]  # x0, y0, x1, y1
_FULL = 0.92  # of a host's width, the most that what stands on it may take
_GAP = 0.015
_ROW_OF_HEIGHT = 0.4  # of a tall thing's height: what stands on it may be no higher


@dataclass(slots=True)
class Node:
    """One thing of a group and what touches it."""

    thing: int
    size: Size
    children: list[tuple[str, "Node"]] = field(default_factory=list)
    stacked: bool = False  # what is inside stands above each other

    def of(self, how: str) -> list["Node"]:
        return [node for name, node in self.children if name == how]


@dataclass(slots=True)
class Block:
    """Boxes that move together: (thing, spot); the first is the host."""

    spots: list[tuple[int, Spot]]

    @property
    def hull(self) -> Spot:
        return hull([spot for _, spot in self.spots])

    @property
    def size(self) -> Size:
        x0, y0, x1, y1 = self.hull
        return x1 - x0, y1 - y0

    def scaled(self, factor: float) -> "Block":
        return Block(
            [
                (t, (a * factor, b * factor, c * factor, d * factor))
                for t, (a, b, c, d) in self.spots
            ]
        )

    def moved(self, dx: float, dy: float) -> "Block":
        return Block([(t, (a + dx, b + dy, c + dx, d + dy)) for t, (a, b, c, d) in self.spots])

    def mirrored(self) -> "Block":
        return Block([(t, (-c, b, -a, d)) for t, (a, b, c, d) in self.spots])

    def at_origin(self) -> "Block":
        x0, y0, _, _ = self.hull
        return self.moved(-x0, -y0)


def hull(spots: Sequence[Spot]) -> Spot:
    return (
        min(s[0] for s in spots),
        min(s[1] for s in spots),
        max(s[2] for s in spots),
        max(s[3] for s in spots),
    )


def compose(node: Node, things: Sequence[Thing], rng: random.Random, tight: bool) -> Block:
    """The block of a thing and all that touches it. tight: what stands on it only just touches."""
    parts = {
        how: [compose(child, things, rng, tight) for child in node.of(how)]
        for how in ("on", "ridden", "inside", "worn", "held", "front", "behind")
    }
    size = _roomy(node.size, parts)
    host = Block([(node.thing, (0.0, 0.0, *size))])
    host.spots += _standing(parts["on"], size, 0.03 if tight else _depth(things[node.thing], size))
    host.spots += _standing(parts["ridden"], size, 0.4 * size[1])
    host.spots += _within(parts["inside"], size, bool(parts["on"]), node.stacked)
    host.spots += _worn(parts["worn"], size, things)
    host.spots += _held(parts["held"], size, things)
    host.spots += _before(parts["front"], size, rng)
    host.spots += _after(parts["behind"], size, rng)
    return host


def grid(blocks: Sequence[Block], columns: int, gap: float) -> Block:
    """Blocks in rows, each in the middle of a cell as large as the largest."""
    wide = max(b.size[0] for b in blocks) + gap
    high = max(b.size[1] for b in blocks) + gap
    spots: list[tuple[int, Spot]] = []
    rows = ceil(len(blocks) / columns)
    for index, block in enumerate(blocks):
        row, column = divmod(index, columns)
        short = columns * rows - len(blocks) if row == rows - 1 else 0
        width, height = block.size
        x = (column + short / 2) * wide + (wide - width) / 2
        y = row * high + (high - height) / 2
        spots += block.at_origin().moved(x, y).spots
    return Block(spots).at_origin()


def _roomy(size: Size, parts: dict[str, list[Block]]) -> Size:
    """Large enough for what is in it and on it."""
    width, height = size
    row = sum(b.size[0] + _GAP for b in parts["on"])
    if row > _FULL * width:
        width = min(row / _FULL, max(width * 2.2, 0.5))
    crowd = max(sum(b.size[0] + _GAP for b in parts[how]) for how in ("front", "behind"))
    if crowd > 1.1 * width:
        most = 1.5 if len(parts["front"]) + len(parts["behind"]) < 5 else 2.0
        factor = min(most, crowd / (1.1 * width))
        width, height = width * factor, height * (1 + factor) / 2
    if parts["inside"]:
        area = sum(b.size[0] * b.size[1] for b in parts["inside"])
        factor = max(1.0, min(2.4, (1.7 * area / (width * height)) ** 0.5))
        width, height = width * factor, height * factor
    return width, height


def _depth(thing: Thing, size: Size) -> float:
    """How far below its upper edge a host is stood on: a rug is flat, a box is not."""
    flat = nouns.head(thing.noun) in (
        "rug",
        "carpet",
        "mat",
        "bed",
        "sofa",
        "couch",
        "blanket",
        "lily",
        "plate",
        "tray",
    )
    return (0.22 if flat else 0.12) * size[1]


def _standing(blocks: Sequence[Block], host: Size, depth: float) -> list[tuple[int, Spot]]:
    """In a row over the host's upper edge; the foot of each is `depth` below it."""
    if not blocks:
        return []
    room = host[0] * 0.98
    row = sum(b.size[0] for b in blocks) + _GAP * (len(blocks) - 1)
    factor = min(1.0, room / row) if len(blocks) > 1 else min(1.0, 1.25 * host[0] / row)
    spots: list[tuple[int, Spot]] = []
    free = max(0.0, room - row * factor) / (len(blocks) + 1)
    x = host[0] * 0.01 + free if len(blocks) > 1 else (host[0] - row * factor) / 2
    for block in blocks:
        small = block.scaled(factor)
        left, _, right, _ = small.hull
        foot = small.spots[0][1][3]
        sunk = min(depth, 0.45 * (foot - small.spots[0][1][1]))
        spots += small.moved(x - left, sunk - foot).spots
        x += right - left + _GAP * factor + free
    return spots


def _within(
    blocks: Sequence[Block], host: Size, stood_on: bool, stacked: bool
) -> list[tuple[int, Spot]]:
    if not blocks:
        return []
    width, height = host
    top = (0.3 if stood_on else 0.12) * height
    room = 0.76 * width, height * 0.9 - top
    best, packed = 0.0, None
    for columns in range(1, 2 if stacked else len(blocks) + 1):
        whole = grid(blocks, columns, _GAP)
        factor = min(room[0] / whole.size[0], room[1] / whole.size[1], 1.0)
        if factor > best + 1e-9:
            best, packed = factor, whole.scaled(factor)
    assert packed is not None
    wide, high = packed.size
    return packed.moved((width - wide) / 2, top + room[1] - high).spots


def _worn(blocks: Sequence[Block], host: Size, things: Sequence[Thing]) -> list[tuple[int, Spot]]:
    spots: list[tuple[int, Spot]] = []
    for block in blocks:
        kind = nouns.head(things[block.spots[0][0]].noun)
        x0, y0, x1, y1 = _zone(kind, host, block.size)
        wide, high = block.size
        factor = min((x1 - x0) / wide, (y1 - y0) / high)
        small = block.at_origin().scaled(factor)
        x = (x0 + x1 - small.size[0]) / 2
        y = y1 - small.size[1]
        spots += small.moved(x, y).spots
    return spots


def _zone(kind: str, host: Size, size: Size) -> Spot:
    """Where on a body something is worn."""
    width, height = host
    if kind in uses.FACEWEAR:
        return 0.2 * width, 0.06 * height, 0.8 * width, 0.2 * height
    if kind in uses.NECKWEAR:
        return 0.15 * width, 0.2 * height, 0.85 * width, 0.42 * height
    if kind in uses.FOOTWEAR:
        return 0.1 * width, 0.86 * height, 0.9 * width, height
    if kind in uses.HEADWEAR:
        wide = 0.62 * width
        high = min(wide * size[1] / size[0], 0.4 * height)
        return 0.19 * width, 0.12 * height - high, 0.81 * width, 0.12 * height
    return 0.08 * width, 0.24 * height, 0.92 * width, 0.86 * height


def _held(blocks: Sequence[Block], host: Size, things: Sequence[Thing]) -> list[tuple[int, Spot]]:
    """At the sides, right hand first; what floats or shelters is held up."""
    spots: list[tuple[int, Spot]] = []
    levels = [0.55 * host[1], 0.55 * host[1]]
    for index, block in enumerate(blocks):
        side = index % 2
        kind = nouns.head(things[block.spots[0][0]].noun)
        block = block.scaled(min(1.0, 2.5 * max(host) / max(block.size)))
        wide, high = block.size
        x = host[0] * 0.86 if side == 0 else host[0] * 0.14 - wide
        up = kind in ("umbrella", "parasol", "balloon", "kite", "flag", "torch")
        y = (
            (0.45 * host[1] - high)
            if up and levels[side] == 0.55 * host[1]
            else levels[side] - high / 2
        )
        if index == 2:
            x, y = (host[0] - wide) / 2, 0.6 * host[1] - high / 2
        else:
            levels[side] = y + 1.5 * high + _GAP
        x0, y0, _, _ = block.hull
        spots += block.moved(x - x0, y - y0).spots
    return spots


def _no_wider(blocks: Sequence[Block], host: Size) -> list[Block]:
    row = sum(b.size[0] + _GAP for b in blocks)
    factor = min(1.0, 1.02 * host[0] / row) if len(blocks) > 1 else 1.0
    return [b.scaled(factor) for b in blocks]


def _before(blocks: Sequence[Block], host: Size, rng: random.Random) -> list[tuple[int, Spot]]:
    """Nearer to the viewer: lower, over the host's foot."""
    blocks = _no_wider(blocks, host)
    row = sum(b.size[0] for b in blocks) + _GAP * (len(blocks) - 1)
    x = (host[0] - row) / 2 + (rng.uniform(-0.1, 0.1) * max(host[0] - row, 0.0) if blocks else 0)
    spots: list[tuple[int, Spot]] = []
    for block in blocks:
        x0, _, x1, _ = block.hull
        top, foot = block.spots[0][1][1], block.spots[0][1][3]
        y = host[1] - 0.35 * min(foot - top, host[1])
        spots += block.moved(x - x0, y - top).spots
        x += x1 - x0 + _GAP
    return spots


def _after(blocks: Sequence[Block], host: Size, rng: random.Random) -> list[tuple[int, Spot]]:
    """Farther off: higher, its foot hidden by the host."""
    blocks = _no_wider(blocks, host)
    row = sum(b.size[0] for b in blocks) + _GAP * (len(blocks) - 1)
    x = (host[0] - row) / 2 + (rng.uniform(-0.15, 0.15) * max(host[0] - row, 0.0) if blocks else 0)
    spots: list[tuple[int, Spot]] = []
    for block in blocks:
        x0, _, x1, _ = block.hull
        top, foot = block.spots[0][1][1], block.spots[0][1][3]
        y = 0.35 * min(foot - top, host[1])
        spots += block.moved(x - x0, y - foot).spots
        x += x1 - x0 + _GAP
    return spots
