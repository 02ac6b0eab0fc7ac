"""What a sentence says, before anything has a place: things, how many, and how they stand to each other."""

from dataclasses import dataclass, field

Size = tuple[float, float]  # width and height, in fractions of the picture

DIRECTIONS = frozenset({"left of", "right of", "above", "below"})
TOUCHING = frozenset({"on", "inside", "wearing", "holding", "riding", "in front of", "behind"})
SIZES = frozenset({"larger", "smaller"})
PREDICATES = DIRECTIONS | TOUCHING | SIZES | {"next to", "near", "around", "between"}


@dataclass(frozen=True, slots=True)
class Thing:
    """A kind of thing and how many of it look alike: "three red fish".

    phrase is what goes into a box: attributes and noun in the singular, no article. place is a part of
    the picture ("left", "top right", "middle") or nothing. scale is what words such as "huge" ask for.
    """

    phrase: str
    noun: str
    attributes: tuple[str, ...] = ()
    count: int = 1
    place: str = ""
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Relation:
    """`subject` predicate `object`, by their places among the things.

    sure is False for a second reading of an ambiguous sentence: kept where that costs nothing. each
    joins the things of both sides in pairs, as in "two pigs wearing hats". After "between" other is the
    second landmark.
    """

    subject: int
    predicate: str
    object: int
    sure: bool = True
    each: bool = False
    other: int | None = None


@dataclass(frozen=True, slots=True)
class Symbols:
    """The symbolic scene: things, relations, background, and what must not appear."""

    things: tuple[Thing, ...] = ()
    relations: tuple[Relation, ...] = ()
    background: tuple[str, ...] = ()
    style: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    warnings: tuple[str, ...] = field(default=())

    def describe(self) -> str:
        """One line, such as "3 red fish; 1 house; red fish above house"."""
        names = [f"{thing.count} {thing.phrase}" for thing in self.things]
        return "; ".join([*names, *(self._told(r) for r in self.relations if r.sure)])

    def _told(self, relation: Relation) -> str:
        ends = [relation.object] if relation.other is None else [relation.object, relation.other]
        landmarks = " and ".join(self.things[i].phrase for i in ends)
        return f"{self.things[relation.subject].phrase} {relation.predicate} {landmarks}"
