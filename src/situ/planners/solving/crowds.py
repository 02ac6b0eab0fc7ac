"""What stands beside or around one thing: columns on both sides of it, each of them a neighbour."""

from collections.abc import Sequence
from math import ceil

from situ.planners import lattice, nouns
from situ.planners.blocks import Block, grid
from situ.planners.solving.problem import GAP, Hosts, Problem
from situ.planners.symbols import Relation, Size

BESIDE = 0.16  # of the picture: how far the outermost neighbours are from the landmark
_FACTORS = (1.0, 0.85, 0.7, 0.6, 0.5, 0.42, 0.35, 0.28)
_NEIGHBOURS = ("next to", "around")
_SCATTERED = (*lattice.STEPS, "between", "near")


def crowds_of(problem: Problem, hosts: Hosts) -> dict[int, list[int]]:
    """For each single landmark the things that stand beside it and to nothing else."""
    found: dict[int, list[int]] = {}
    for relation in problem.relations:
        if relation.predicate in _NEIGHBOURS and _joins(problem, relation, hosts):
            members = found.setdefault(relation.object, [])
            if relation.subject not in members:
                members.append(relation.subject)
    return {one: members for one, members in found.items() if _is_crowd(problem, one, members)}


def _joins(problem: Problem, relation: Relation, hosts: Hosts) -> bool:
    one, landmark = relation.subject, relation.object
    if one in hosts or problem.things[landmark].count > 1 or problem.things[one].place:
        return False
    placed = (*_NEIGHBOURS, *lattice.STEPS, "between")
    own = [r for r in problem.relations if one in (r.subject, r.object, r.other)]
    other = [r for r in own if r.predicate in placed and (r.sure or not relation.sure)]
    return all(
        r.subject == one and r.object == landmark and r.predicate in _NEIGHBOURS for r in other
    )


def _is_crowd(problem: Problem, landmark: int, members: Sequence[int]) -> bool:
    total = sum(problem.things[i].count for i in members)
    scattered = any(
        landmark in (r.subject, r.object, r.other) and r.predicate in _SCATTERED and r.sure
        for r in problem.relations
    )
    sky = nouns.head(problem.things[landmark].noun) in nouns.SKY
    return total > 1 and not scattered and not (sky and total > MANY_IN_SKY)


MANY_IN_SKY = 4  # "nine stars around the moon" are on all sides of it


def sides_of(blocks: Sequence[Block], host: Size) -> list[Block]:
    """Two blocks, for the left and the right side of a landmark of that size; all scaled alike."""
    half = ceil(len(blocks) / 2)
    shares = [share for share in (blocks[:half], blocks[half:]) if share]
    tried = ((f, [_columns_for(share, host, f) for share in shares]) for f in _FACTORS)
    last = _FACTORS[-1], [0] * len(shares)
    factor, columns = next((found for found in tried if all(found[1])), last)
    return [
        grid([b.scaled(factor) for b in share], number or len(share), GAP * 0.7)
        for share, number in zip(shares, columns, strict=True)
    ]


def _columns_for(blocks: Sequence[Block], host: Size, factor: float) -> int:
    """In how many columns all are neighbours of the landmark, or 0."""
    wide, high = (factor * max(b.size[k] for b in blocks) for k in (0, 1))
    for columns in range(1, len(blocks) + 1):
        rows = ceil(len(blocks) / columns)
        across = columns * (wide + GAP)
        picture = max(1.0, host[0] + 2 * across, rows * high)
        level = rows == 1 or (rows - 0.45) * high + rows * GAP <= host[1]
        if (across - wide) / picture <= BESIDE and level:
            return columns
    return 0
