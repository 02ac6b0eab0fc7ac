"""Groups of one thing as blocks, parted where they stand on several sides of something."""

from math import ceil, sqrt

from situ.planners import lattice
from situ.planners.blocks import Block, Node, compose, grid
from situ.planners.solving.crowds import crowds_of, sides_of
from situ.planners.solving.problem import GAP, Hosts, Problem, Unit
from situ.planners.symbols import Relation


def units_of(problem: Problem, hosts: Hosts, nodes: list[list[Node]]) -> list[Unit]:
    """One unit per root thing; two where things stand on both sides of something."""
    units: list[Unit] = []
    crowds = crowds_of(problem, hosts)
    crowded = {i for members in crowds.values() for i in members}
    found: dict[int, list[Block]] = {}
    for thing, copies in enumerate(nodes):
        if thing in hosts:
            continue
        copies = _ordered(problem, thing, copies, hosts)
        blocks = [compose(n, problem.things, problem.rng, problem.storybook) for n in copies]
        if thing in crowded:
            found[thing] = blocks
            continue
        for share in _shares(problem, thing, len(blocks)):
            units.append(Unit(thing, _grouped(problem, blocks[:share], thing)))
            blocks = blocks[share:]
    for landmark, members in crowds.items():
        every = [block for i in members for block in found[i]]
        for block in sides_of(every, nodes[landmark][0].size):
            here = {thing for thing, _ in block.spots}
            first, *also = (i for i in members if i in here)
            units.append(Unit(first, block, tuple(also)))
    return units


def _ordered(problem: Problem, thing: int, copies: list[Node], hosts: Hosts) -> list[Node]:
    """Children of one host in the order that left and right ask for."""
    for node in copies:
        inside = [child.thing for child in node.of("inside")]
        node.stacked = _is_stacked(problem, inside)
        order = _in_turn(problem, [child.thing for _, child in node.children], int(node.stacked))
        node.children.sort(key=lambda c: order.index(c[1].thing))
        for _, child in node.children:
            _ordered(problem, child.thing, [child], hosts)
    return copies


def _is_stacked(problem: Problem, things: list[int]) -> bool:
    """Is one of them above another?"""
    return any(
        r.predicate in ("above", "below") and r.subject in things and r.object in things
        for r in problem.relations
    )


def _in_turn(problem: Problem, things: list[int], axis: int) -> list[int]:
    """Things from left to right, or from top to bottom."""
    order = list(dict.fromkeys(things))
    for _ in range(len(order)):
        changed = False
        for relation in problem.relations:
            step = lattice.STEPS.get(relation.predicate)
            s, o = relation.subject, relation.object
            if step is None or not step[axis] or s not in order or o not in order:
                continue
            before, after = (s, o) if step[axis] < 0 else (o, s)
            if order.index(before) > order.index(after):
                order.remove(before)
                order.insert(order.index(after), before)
                changed = True
        if not changed:
            break
    return order


def _shares(problem: Problem, thing: int, count: int) -> list[int]:
    """How the things of a group are parted: around or on both sides of something."""
    around = any(r.predicate == "around" and r.subject == thing for r in problem.relations)
    landmarks = any(
        r.predicate == "between" and r.object == thing and r.other is None
        for r in problem.relations
    )
    if count < 2 or not (around or landmarks or _beside(problem, thing)):
        return [count]
    if around and count >= 4:
        quarter, more = divmod(count, 4)
        return [quarter + (i < more) for i in range(4)]
    return [ceil(count / 2), count // 2]


def _beside(problem: Problem, thing: int) -> bool:
    """Two or more beside one thing stand on both sides of it, so that each is beside it."""
    own = [r for r in problem.relations if thing in (r.subject, r.object)]
    if any(r.predicate in lattice.STEPS for r in own):
        return False
    return any(r.subject == thing and _alone_beside(problem, r) for r in own)


def _alone_beside(problem: Problem, relation: Relation) -> bool:
    if relation.predicate != "next to" or not relation.sure:
        return False
    others = [r for r in problem.relations if relation.object in (r.subject, r.object)]
    return problem.things[relation.object].count == 1 and len(others) == 1


def _grouped(problem: Problem, blocks: list[Block], thing: int) -> Block:
    if len(blocks) == 1:
        return blocks[0].at_origin()
    return grid(blocks, _columns_for(problem, blocks, thing), GAP * 0.8)


def _columns_for(problem: Problem, blocks: list[Block], thing: int) -> int:
    """Upright groups where something is above or below, wide ones otherwise."""
    steps = [
        lattice.STEPS.get(r.predicate, (1, 0))
        for r in problem.relations
        if thing in (r.subject, r.object)
        and (r.predicate in lattice.STEPS or r.predicate in ("next to", "around", "between"))
    ]
    wide, high = max(b.size[0] for b in blocks), max(b.size[1] for b in blocks)
    aim = 1.5
    if _beside(problem, thing) and len(blocks) < 3:
        return len(blocks)
    if any(x for x, _ in steps):
        aim = 0.6
    elif steps:
        aim = 1.4 if len(blocks) <= 3 else 1.2
    columns = round(sqrt(len(blocks) * aim * high / wide))
    if len(blocks) <= 4 and not steps:
        columns = max(columns, min(len(blocks), 3 if len(blocks) != 4 else 4))
    return min(max(columns, 1), len(blocks))
