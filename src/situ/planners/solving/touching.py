"""What stands on, in or before something, is worn or held; and how large things are."""

from math import sqrt

from situ.planners import nouns, uses
from situ.planners.blocks import Node
from situ.planners.solving.problem import Hosts, Problem
from situ.planners.symbols import DIRECTIONS, TOUCHING, Relation, Size

_HOSTS = {  # how the subject of a predicate touches its object, and the other way round
    "on": ("on", False), "inside": ("inside", False), "in front of": ("front", False),
    "behind": ("behind", False), "riding": ("ridden", False), "wearing": ("worn", True),
    "holding": ("held", True),
}  # fmt: skip


_STORYBOOK_SIDES = (0.5, 0.42, 0.37, 0.34, 0.31, 0.29, 0.26, 0.24)


def _times(size: Size, factor: float) -> Size:
    return size[0] * factor, size[1] * factor


def _area(size: Size) -> float:
    return size[0] * size[1]


def hosts_of(problem: Problem) -> Hosts:
    """For each thing that touches another: its host, how, and whether in pairs."""
    hosts: Hosts = {}
    for relation in sorted(problem.relations, key=lambda r: not r.sure):
        if relation.predicate not in _HOSTS or not (relation.sure or _may_bear(problem, relation)):
            continue
        how, turned = _HOSTS[relation.predicate]
        guest, host = relation.subject, relation.object
        if turned:
            guest, host = host, guest
        if guest in hosts and how in ("front", "behind") and relation.sure:
            guest = root_of(guest, hosts)  # "a man on a horse in front of a barn": both are
        if guest in hosts or guest == host or root_of(host, hosts) == guest:
            if relation.sure and hosts.get(guest, (-1,))[0] != host:
                problem.warn(relation, "it is somewhere else already")
            continue
        hosts[guest] = (host, how, relation.each)
    return hosts


def _may_bear(problem: Problem, relation: Relation) -> bool:
    """A second reading is taken where it is likely: on or in something larger, and nowhere else."""
    one, other = problem.things[relation.subject], problem.things[relation.object]
    kind = nouns.head(other.noun)
    bears = relation.predicate in ("on", "inside") and kind not in nouns.ANIMATE | uses.WEARABLE
    placed = any(
        r.sure and r.predicate in (*DIRECTIONS, *_HOSTS) and relation.subject == r.subject
        for r in problem.relations
    )
    small = _area(nouns.size_of(one.noun)) * one.count <= 2 * _area(nouns.size_of(other.noun))
    return bears and not placed and small


def root_of(thing: int, hosts: Hosts) -> int:
    while thing in hosts:
        thing = hosts[thing][0]
    return thing


def _sizes_of(problem: Problem) -> list[Size]:
    if problem.storybook:
        return _storybook_sizes(problem)
    sizes = [_times(nouns.size_of(t.noun), t.scale) for t in problem.things]
    for relation in problem.relations:
        if relation.predicate in ("larger", "smaller"):
            one, other = relation.subject, relation.object
            if relation.predicate == "smaller":
                one, other = other, one
            ratio = sqrt(_area(sizes[one]) / _area(sizes[other]))
            if ratio < 1.3:
                change = sqrt(1.3 / ratio)
                sizes[one] = _times(sizes[one], change)
                sizes[other] = _times(sizes[other], 1 / change)
    return sizes


def _storybook_sizes(problem: Problem) -> list[Size]:
    side = _STORYBOOK_SIDES[min(problem.total, len(_STORYBOOK_SIDES)) - 1]
    sizes = []
    for thing in problem.things:
        width, height = nouns.size_of(thing.noun)
        higher = 1.08 if thing.noun in ("house", "tree") else 1
        own = side * min(max(thing.scale, 0.75), 1.3) * higher
        ratio = sqrt(width / height)
        sizes.append((own * ratio, own / ratio))
    return sizes


def nodes_of(problem: Problem, hosts: Hosts) -> list[list[Node]]:
    sizes = _sizes_of(problem)
    nodes = [
        [Node(i, _times(sizes[i], problem.rng.uniform(0.97, 1.03))) for _ in range(t.count)]
        for i, t in enumerate(problem.things)
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


def pairs_that_touch(problem: Problem, hosts: Hosts) -> set[frozenset[int]]:
    """Things that may overlap: by a relation of touch, or since one stands on what the other stands on."""
    pairs = {frozenset((r.subject, r.object)) for r in problem.relations if r.predicate in TOUCHING}
    for guest in hosts:
        above = guest
        while above in hosts:
            above = hosts[above][0]
            pairs.add(frozenset((guest, above)))
    return pairs


def guests(hosts: Hosts) -> dict[int, int]:
    return {guest: root_of(guest, hosts) for guest in hosts}
