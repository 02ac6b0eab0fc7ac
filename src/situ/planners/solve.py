"""A symbolic scene to boxes: relations as inequalities, sizes by kind, no overlap that nobody asked for."""

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt

from situ.planners import lattice, nouns
from situ.planners.blocks import Block, Node, Spot, compose, grid, hull
from situ.planners.lattice import Cell, Wish
from situ.planners.symbols import Relation, Size, Symbols
from situ.scene import Box, Layout, Object
from situ.scene.relations import RELATIONS

MARGIN = 0.03
GAP = 0.03
APART = 0.13  # between a thing and what is left or right of it; neighbours stand closer
FILL = 0.9  # of the free width or height, about what a layout takes
LARGEST = 1.9  # how much larger than usual a few small things may be
_HOSTS = {  # how the subject of a predicate touches its object, and the other way round
    "on": ("on", False), "inside": ("inside", False), "in front of": ("front", False),
    "behind": ("behind", False), "riding": ("ridden", False), "wearing": ("worn", True),
    "holding": ("held", True),
}  # fmt: skip
_STORYBOOK_SIDES = (0.5, 0.42, 0.37, 0.34, 0.31, 0.29, 0.26, 0.24)


Reach = tuple[float, float, float, float]


@dataclass(slots=True)
class _Unit:
    """A block on the lattice: all of a thing, or the part of it on one side of something."""

    thing: int
    block: Block


def solve(symbols: Symbols, seed: int = 0) -> tuple[Layout, tuple[str, ...]]:
    """A layout for the things of a scene, and a warning for each relation that could not hold."""
    if not symbols.things:
        return Layout(), ()
    spots, warnings = _Solver(symbols, random.Random(seed)).run()
    objects = tuple(Object(symbols.things[t].phrase, _box(spot)) for t, spot in spots)
    return Layout(objects), tuple(dict.fromkeys(warnings))


def _box(spot: Spot) -> Box:
    """Inside the picture and of some size, whatever arithmetic did."""
    x0, y0, x1, y1 = (round(min(max(v, 0.0), 1.0), 4) for v in spot)
    x0, y0 = min(x0, 0.995), min(y0, 0.995)
    return Box(x0, y0, max(x1, x0 + 0.005), max(y1, y0 + 0.005))


class _Solver:
    def __init__(self, symbols: Symbols, rng: random.Random) -> None:
        self.things = symbols.things
        self.relations = symbols.relations
        self.rng = rng
        self.warnings: list[str] = []
        kinds = [t.noun for t in self.things]
        self.storybook = all(kind in nouns.STORYBOOK for kind in kinds)
        self.total = sum(t.count for t in self.things)

    def run(self) -> tuple[list[tuple[int, Spot]], list[str]]:
        hosts = self._hosts()
        nodes = self._nodes(hosts)
        units = self._units(hosts, nodes)
        wishes = self._wishes(hosts, units)
        parts = self._components(units, wishes)
        spots = self._arranged(parts, units)
        spots = self._mended(spots, hosts)
        self._verify(spots, hosts)
        order = sorted(spots, key=lambda s: s[0])
        return order, self.warnings

    def _warn(self, relation: Relation, why: str) -> None:
        one, other = self.things[relation.subject].phrase, self.things[relation.object].phrase
        self.warnings.append(f"{one} {relation.predicate} {other}: {why}")

    # what touches what ---------------------------------------------------------------------------

    def _hosts(self) -> dict[int, tuple[int, str, bool]]:
        """For each thing that touches another: its host, how, and whether in pairs."""
        hosts: dict[int, tuple[int, str, bool]] = {}
        for relation in sorted(self.relations, key=lambda r: not r.sure):
            if relation.predicate not in _HOSTS or not relation.sure:
                continue
            how, turned = _HOSTS[relation.predicate]
            guest, host = relation.subject, relation.object
            if turned:
                guest, host = host, guest
            if guest in hosts or guest == host or self._root(host, hosts) == guest:
                if relation.sure and hosts.get(guest, (-1,))[0] != host:
                    self._warn(relation, "it is somewhere else already")
                continue
            hosts[guest] = (host, how, relation.each)
        return hosts

    def _root(self, thing: int, hosts: dict[int, tuple[int, str, bool]]) -> int:
        while thing in hosts:
            thing = hosts[thing][0]
        return thing

    def _sizes(self) -> list[Size]:
        if self.storybook:
            side = _STORYBOOK_SIDES[min(self.total, len(_STORYBOOK_SIDES)) - 1]
            sizes = []
            for thing in self.things:
                width, height = nouns.size_of(thing.noun)
                own = (
                    side
                    * min(max(thing.scale, 0.75), 1.3)
                    * (1.08 if thing.noun in ("house", "tree") else 1)
                )
                ratio = sqrt(width / height)
                sizes.append((own * ratio, own / ratio))
            return sizes
        sizes = [_times(nouns.size_of(t.noun), t.scale) for t in self.things]
        for relation in self.relations:
            if relation.predicate in ("larger", "smaller"):
                one, other = relation.subject, relation.object
                if relation.predicate == "smaller":
                    one, other = other, one
                ratio = sqrt(_area(sizes[one]) / _area(sizes[other]))
                if ratio < 1.3:
                    change = sqrt(1.3 / ratio)
                    sizes[one], sizes[other] = (
                        _times(sizes[one], change),
                        _times(sizes[other], 1 / change),
                    )
        return sizes

    def _nodes(self, hosts: dict[int, tuple[int, str, bool]]) -> list[list[Node]]:
        sizes = self._sizes()
        nodes = [
            [Node(i, _times(sizes[i], self.rng.uniform(0.97, 1.03))) for _ in range(t.count)]
            for i, t in enumerate(self.things)
        ]
        for guest, (host, how, _) in hosts.items():
            for index, node in enumerate(nodes[guest]):
                owners = nodes[host]
                share = (
                    index * len(owners) // len(nodes[guest])
                    if len(nodes[guest]) > len(owners)
                    else index
                )
                owners[share % len(owners)].children.append((how, node))
        return nodes

    # blocks --------------------------------------------------------------------------------------

    def _units(
        self, hosts: dict[int, tuple[int, str, bool]], nodes: list[list[Node]]
    ) -> list[_Unit]:
        """One unit per root thing; two where things stand on both sides of something."""
        units: list[_Unit] = []
        for thing, copies in enumerate(nodes):
            if thing in hosts:
                continue
            copies = self._ordered(thing, copies, hosts)
            blocks = [compose(n, self.things, self.rng, self.storybook) for n in copies]
            for share in self._shares(thing, len(blocks)):
                units.append(_Unit(thing, self._grouped(blocks[:share], thing)))
                blocks = blocks[share:]
        return units

    def _ordered(
        self, thing: int, copies: list[Node], hosts: dict[int, tuple[int, str, bool]]
    ) -> list[Node]:
        """Children of one host in the order that left and right ask for."""
        for node in copies:
            order = self._left_to_right([child.thing for _, child in node.children])
            node.children.sort(key=lambda c: order.index(c[1].thing))
            for _, child in node.children:
                self._ordered(child.thing, [child], hosts)
        return copies

    def _left_to_right(self, things: list[int]) -> list[int]:
        order = list(dict.fromkeys(things))
        for _ in range(len(order)):
            changed = False
            for relation in self.relations:
                step = lattice.STEPS.get(relation.predicate)
                s, o = relation.subject, relation.object
                if step is None or not step[0] or s not in order or o not in order:
                    continue
                before, after = (s, o) if step[0] < 0 else (o, s)
                if order.index(before) > order.index(after):
                    order.remove(before)
                    order.insert(order.index(after), before)
                    changed = True
            if not changed:
                break
        return order

    def _shares(self, thing: int, count: int) -> list[int]:
        """How the things of a group are parted: around or on both sides of something."""
        around = any(r.predicate == "around" and r.subject == thing for r in self.relations)
        landmarks = any(
            r.predicate == "between" and r.object == thing and r.other is None
            for r in self.relations
        )
        if count < 2 or not (around or landmarks):
            return [count]
        if around and count >= 4:
            quarter, more = divmod(count, 4)
            return [quarter + (i < more) for i in range(4)]
        return [ceil(count / 2), count // 2]

    def _grouped(self, blocks: list[Block], thing: int) -> Block:
        if len(blocks) == 1:
            return blocks[0].at_origin()
        return grid(blocks, self._columns(blocks, thing), GAP * 0.8)

    def _columns(self, blocks: list[Block], thing: int) -> int:
        """Upright groups where something is above or below, wide ones otherwise."""
        steps = [
            lattice.STEPS.get(r.predicate, (1, 0))
            for r in self.relations
            if thing in (r.subject, r.object)
            and (r.predicate in lattice.STEPS or r.predicate in ("next to", "around", "between"))
        ]
        wide, high = max(b.size[0] for b in blocks), max(b.size[1] for b in blocks)
        aim = 1.5
        if any(x for x, _ in steps):
            aim = 0.6
        elif steps:
            aim = 1.4 if len(blocks) <= 3 else 1.2
        columns = round(sqrt(len(blocks) * aim * high / wide))
        if len(blocks) <= 4 and not steps:
            columns = max(columns, min(len(blocks), 3 if len(blocks) != 4 else 4))
        return min(max(columns, 1), len(blocks))

    # directions ----------------------------------------------------------------------------------

    def _wishes(self, hosts: dict[int, tuple[int, str, bool]], units: list[_Unit]) -> list[Wish]:
        of_thing: dict[int, list[int]] = {}
        for index, unit in enumerate(units):
            of_thing.setdefault(unit.thing, []).append(index)
        wishes: list[Wish] = []
        for number, relation in enumerate(self.relations):
            s, o = self._root(relation.subject, hosts), self._root(relation.object, hosts)
            if relation.predicate == "between":
                wishes += self._between(relation, number, hosts, of_thing)
            elif relation.predicate in lattice.STEPS or relation.predicate in (
                "next to",
                "near",
                "around",
            ):
                if s == o:
                    self._same_block(relation)
                else:
                    wishes += _directed(relation, number, of_thing[s], of_thing[o])
        self._contradictions(wishes)
        return wishes

    def _between(
        self,
        relation: Relation,
        number: int,
        hosts: dict[int, tuple[int, str, bool]],
        of_thing: dict[int, list[int]],
    ) -> list[Wish]:
        s, o = self._root(relation.subject, hosts), self._root(relation.object, hosts)
        if relation.other is None:
            sides = of_thing[o]
        else:
            sides = [of_thing[o][0], of_thing[self._root(relation.other, hosts)][0]]
        if s == o or len(sides) < 2 or sides[0] == sides[1] or of_thing[s][0] in sides:
            return []
        middle = of_thing[s][0]
        return [
            Wish(middle, sides[0], (1, 0), relation.sure, number),
            Wish(middle, sides[1], (-1, 0), relation.sure, number),
        ]

    def _same_block(self, relation: Relation) -> None:
        """Both are on or in the same thing; left and right were seen to, the rest is checked at the end."""

    def _contradictions(self, wishes: list[Wish]) -> None:
        for one in list(wishes):
            for other in wishes:
                same = (one.subject, one.object) == (other.subject, other.object)
                turned = (one.subject, one.object) == (other.object, other.subject)
                sign = 1 if same else -1 if turned else 0
                dx, dy = one.step[0] * other.step[0] * sign, one.step[1] * other.step[1] * sign
                if (dx < 0 or dy < 0) and one.told < other.told and other in wishes:
                    wishes.remove(other)
                    if other.sure:
                        self._warn(
                            self.relations[other.told], "this contradicts what was said before"
                        )
                    break

    def _components(
        self, units: list[_Unit], wishes: list[Wish]
    ) -> list[tuple[dict[int, Cell], list[Wish]]]:
        """Units that relations join, with their cells."""
        parent = list(range(len(units)))

        def find(i: int) -> int:
            while parent[i] != i:
                i = parent[i]
            return i

        for wish in wishes:
            parent[find(wish.subject)] = find(wish.object)
        groups: dict[int, list[int]] = {}
        for index in range(len(units)):
            groups.setdefault(find(index), []).append(index)
        found = []
        for members in groups.values():
            own = sorted(
                (w for w in wishes if w.subject in members),
                key=lambda w: (not w.sure, w.step == (0, 0)),
            )
            cells, lost = lattice.place(members, own, self.rng.randrange(2))
            for wish in lost:
                if wish.sure:
                    self._warn(self.relations[wish.told], "this cannot hold with the rest")
            found.append((cells, own))
        return found

    # places --------------------------------------------------------------------------------------

    def _arranged(
        self, parts: list[tuple[dict[int, Cell], list[Wish]]], units: list[_Unit]
    ) -> list[tuple[int, Spot]]:
        blocks = [self._component(cells, wishes, units) for cells, wishes in parts]
        places = [self._place_of(cells, units) for cells, _ in parts]
        if any(places) and len(blocks) <= 12:
            return self._zoned(blocks, places)
        sky = [self._is_sky(cells, units) for cells, _ in parts]
        order = [b for b, s in zip(blocks, sky, strict=True) if s]
        rest = [b for b, s in zip(blocks, sky, strict=True) if not s]
        return self._packed(order, rest)

    def _place_of(self, cells: dict[int, Cell], units: list[_Unit]) -> str:
        return next(
            (self.things[units[i].thing].place for i in cells if self.things[units[i].thing].place),
            "",
        )

    def _is_sky(self, cells: dict[int, Cell], units: list[_Unit]) -> bool:
        return all(nouns.head(self.things[units[i].thing].noun) in nouns.SKY for i in cells)

    def _component(self, cells: dict[int, Cell], wishes: list[Wish], units: list[_Unit]) -> Block:
        """Columns as wide and rows as high as their largest block, each block in the middle of its cell."""
        if len(cells) == 1:
            return units[next(iter(cells))].block
        columns = sorted({x for x, _ in cells.values()})
        rows = sorted({y for _, y in cells.values()})
        self._turn_outward(cells, units)
        anchors = {i: self._anchor(units[i]) for i in cells}
        across = {
            c: _reach([anchors[i][0] for i, (x, _) in cells.items() if x == c]) for c in columns
        }
        down = {r: _reach([anchors[i][1] for i, (_, y) in cells.items() if y == r]) for r in rows}
        gaps = self._gaps(cells, wishes, columns)
        left, top = _starts(columns, across, gaps), _starts(rows, down, [GAP] * len(rows))
        spots: list[tuple[int, Spot]] = []
        for index, (column, row) in cells.items():
            (_, x, _, _), (_, y, below, half) = anchors[index]
            dx = left[column] + across[column][0] - x
            dy = top[row] + down[row][0] - y
            if len(columns) > 1:  # feet on one line, as far as the middles stay level
                dy += max(
                    0.0,
                    min(down[row][2] - half, down[row][1] - below, 0.2 * sum(across[column][:2])),
                )
            spots += units[index].block.moved(dx, dy).spots
        return Block(spots).at_origin()

    def _turn_outward(self, cells: dict[int, Cell], units: list[_Unit]) -> None:
        """What somebody holds goes to the side where no neighbour stands."""
        xs = {x for x, _ in cells.values()}
        for index, (column, _) in cells.items():
            unit = units[index]
            own = {t for t, _ in unit.block.spots}
            sided = any(
                r.predicate in lattice.STEPS and {r.subject, r.object} <= own
                for r in self.relations
            )
            if len(own) < 2 or sided:
                continue
            before, _, after, _ = self._anchor(unit)[0]
            right, left = any(x > column for x in xs), any(x < column for x in xs)
            if (right and not left and after > before) or (left and not right and before > after):
                unit.block = unit.block.mirrored()

    def _anchor(self, unit: _Unit) -> tuple[Reach, Reach]:
        """Per axis: from the block's start to the middle of what relations speak of, the middle itself,
        from there to the end, and half the length of what they speak of."""
        told = {
            i
            for r in self.relations
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

    def _gaps(self, cells: dict[int, Cell], wishes: list[Wish], columns: list[int]) -> list[float]:
        gaps = []
        for before, after in itertools.pairwise(columns):
            pair = {before, after}
            told = [
                w
                for w in wishes
                if {cells[w.subject][0], cells[w.object][0]} == pair and w.step[0] and not w.step[1]
            ]
            gaps.append(APART if told else GAP * self.rng.uniform(1.0, 2.0))
        return [*gaps, 0.0]

    def _zoned(self, blocks: list[Block], places: list[str]) -> list[tuple[int, Spot]]:
        """Blocks whose part of the picture was named; the others take what is left."""
        taken: list[Cell] = []
        free: list[Cell] = [
            (0, 0),
            (0, 1),
            (1, 0),
            (-1, 0),
            (0, -1),
            (1, 1),
            (-1, 1),
            (1, -1),
            (-1, -1),
        ]
        zones: dict[int, Cell] = {}
        for index, name in enumerate(places):
            if name:
                zones[index] = _zone(name)
                taken.append(zones[index])
        for index in range(len(blocks)):
            if index not in zones:
                cell = next((c for c in free if c not in taken), (0, 0))
                zones[index] = cell
                taken.append(cell)
        spots: list[tuple[int, Spot]] = []
        for cell in dict.fromkeys(taken):
            members = [blocks[i] for i in range(len(blocks)) if zones[i] == cell]
            spots += self._in_zone(members, cell, taken)
        return spots

    def _in_zone(
        self, members: list[Block], cell: Cell, taken: list[Cell]
    ) -> list[tuple[int, Spot]]:
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

    def _packed(self, sky: list[Block], rest: list[Block]) -> list[tuple[int, Spot]]:
        """Rows of blocks, what flies above what stands; as large as fits."""
        self.rng.shuffle(sky)
        self.rng.shuffle(rest)
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
            min(best, 1.0) if self.storybook else min(best * self.rng.uniform(FILL, 0.98), LARGEST)
        )
        return self._rows(chosen, min(shrunk, best))

    def _rows(self, rows: list[list[Block]], factor: float) -> list[tuple[int, Spot]]:
        room = 1 - 2 * MARGIN
        highs = [max(b.size[1] for b in row) * factor for row in rows]
        spare = room - sum(highs) - GAP * factor * (len(rows) - 1)
        shares = self._shares_of(max(spare, 0.0), len(rows) + 1)
        y = MARGIN + shares[0]
        spots: list[tuple[int, Spot]] = []
        for number, (row, high) in enumerate(zip(rows, highs, strict=True)):
            wides = [b.size[0] * factor for b in row]
            loose = max(room - sum(wides) - GAP * factor * (len(row) - 1), 0.0)
            parts = self._shares_of(loose, len(row) + 1)
            x = MARGIN + parts[0]
            for block, wide, part in zip(row, wides, parts[1:], strict=True):
                down = (high - block.size[1] * factor) * self.rng.uniform(0.4, 1.0)
                spots += block.at_origin().scaled(factor).moved(x, y + down).spots
                x += wide + GAP * factor + part
            y += high + GAP * factor + shares[number + 1]
        return spots

    def _shares_of(self, length: float, parts: int) -> list[float]:
        weights = [self.rng.uniform(0.5, 1.0) for _ in range(parts)]
        total = sum(weights)
        return [length * w / total for w in weights]

    # checks --------------------------------------------------------------------------------------

    def _mended(
        self, spots: list[tuple[int, Spot]], hosts: dict[int, tuple[int, str, bool]]
    ) -> list[tuple[int, Spot]]:
        """Narrow groups that stand above or below each other, until every pair is more up than across."""
        for relation in self.relations:
            step = lattice.STEPS.get(relation.predicate)
            if step is None or not relation.sure:
                continue
            s, o = relation.subject, relation.object
            if s in hosts or o in hosts or self.things[s].count + self.things[o].count > 12:
                continue
            spots = _drawn_in(spots, s, o, axis=0 if step[1] else 1, guests=self._guests(hosts))
        return spots

    def _guests(self, hosts: dict[int, tuple[int, str, bool]]) -> dict[int, int]:
        return {guest: self._root(guest, hosts) for guest in hosts}

    def _verify(
        self, spots: list[tuple[int, Spot]], hosts: dict[int, tuple[int, str, bool]]
    ) -> None:
        boxes: dict[int, list[Box]] = {}
        for thing, spot in spots:
            boxes.setdefault(thing, []).append(_box(spot))
        for relation in self.relations:
            check = RELATIONS.get(relation.predicate)
            if check is None or not relation.sure or relation.predicate == "inside":
                continue
            if relation.predicate in lattice.STEPS and not _directs(relation, boxes):
                self._warn(relation, "this does not hold in the layout")


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


def _row_options(sky: list[Block], rest: list[Block]) -> list[list[list[Block]]]:
    if sky and rest:
        upper, lower = range(1, min(len(sky), 4) + 1), range(1, min(len(rest), 5) + 1)
        return [[*_split(sky, a), *_split(rest, b)] for a in upper for b in lower]
    every = [*sky, *rest]
    return [_split(every, n) for n in range(1, min(len(every), 6) + 1)]


def _split(blocks: list[Block], rows: int) -> list[list[Block]]:
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


def _times(size: Size, factor: float) -> Size:
    return size[0] * factor, size[1] * factor


def _area(size: Size) -> float:
    return size[0] * size[1]
