"""The things to place, how they stand to each other, and what was given up."""

import random
from dataclasses import dataclass

from situ.planners import nouns
from situ.planners.blocks import Block
from situ.planners.symbols import Relation, Symbols

MARGIN = 0.03
GAP = 0.03

Hosts = dict[int, tuple[int, str, bool]]  # what a thing touches, how, and whether in pairs


@dataclass(slots=True)
class Unit:
    """A block on the lattice: all of a thing, or the part of it on one side of something."""

    thing: int
    block: Block
    also: tuple[int, ...] = ()  # other things in it


class Problem:
    """A symbolic scene, a random source, and the warnings so far."""

    def __init__(self, symbols: Symbols, rng: random.Random) -> None:
        self.things = symbols.things
        self.relations = symbols.relations
        self.rng = rng
        self.warnings: list[str] = []
        self.storybook = all(thing.noun in nouns.STORYBOOK for thing in self.things)
        self.total = sum(thing.count for thing in self.things)

    def warn(self, relation: Relation, why: str) -> None:
        one, other = self.things[relation.subject].phrase, self.things[relation.object].phrase
        self.warnings.append(f"{one} {relation.predicate} {other}: {why}")
