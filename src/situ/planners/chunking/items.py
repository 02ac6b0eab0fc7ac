"""What words become before a sentence is read."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class NounPhrase:
    """What stands before and in a noun. noun is empty for "the other" and "two of them"."""

    count: int | None = None  # None where no number is said
    exact: bool = False  # a number, not "several"
    determiner: str = ""
    modifiers: list[str] = field(default_factory=list)
    noun: str = ""
    plural: bool = False
    subset: bool = False  # some of things that were named before
    added: bool = False  # "six cups inside and one on top"
    rest: bool = False  # all that is left of them
    each: bool = False
    both: bool = False  # "both the cat and the dog"
    negated: bool = False
    more: bool = False  # "another"
    paired: bool = False  # "a pair of"
    half: bool = False  # "half of them"
    total: int | None = None  # of "two of the three lamps"
    best: list[str] = field(default_factory=list)  # of "the bigger of the two red bowls"
    groups: int = 0  # of "two rows of three chairs"
    spread: bool = False  # "each corner of the table"


@dataclass(slots=True)
class Item:
    """kind: np, rel, place, verb, cop, have, with, and, but, comma, stop, that, neg, pron, adj, full."""

    kind: str
    word: str = ""
    phrase: NounPhrase | None = None
    landmark: bool = False  # of a relation: "to its left" has its landmark inside
    said: str = ""  # the first word of a relation
