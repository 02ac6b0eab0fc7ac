"""A symbolic scene to boxes: relations as inequalities, sizes by kind, no overlap that nobody asked for."""

import random

from situ.planners.solving.checks import box_of, mended, verify
from situ.planners.solving.directions import components, wishes_of
from situ.planners.solving.moving import settled
from situ.planners.solving.packing import arranged
from situ.planners.solving.problem import Problem
from situ.planners.solving.touching import hosts_of, nodes_of
from situ.planners.solving.units import units_of
from situ.planners.symbols import Symbols
from situ.scene import Layout, Object


def solve(symbols: Symbols, seed: int = 0) -> tuple[Layout, tuple[str, ...]]:
    """A layout for the things of a scene, and a warning for each relation that could not hold."""
    if not symbols.things:
        return Layout(), ()
    problem = Problem(symbols, random.Random(seed))
    hosts = hosts_of(problem)
    units = units_of(problem, hosts, nodes_of(problem, hosts))
    parts = components(problem, units, wishes_of(problem, hosts, units))
    spots = mended(problem, arranged(problem, parts, units), hosts)
    spots = settled(problem, spots, hosts)
    verify(problem, spots)
    order = sorted(spots, key=lambda spot: spot[0])
    objects = tuple(Object(symbols.things[t].phrase, box_of(spot)) for t, spot in order)
    return Layout(objects), tuple(dict.fromkeys(problem.warnings))
