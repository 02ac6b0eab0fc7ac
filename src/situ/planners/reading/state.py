"""What a reader knows so far: things, relations, and the parts of the clause it is in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from situ.planners import nouns
from situ.planners.chunking.items import Item
from situ.planners.symbols import Relation

Ids = list[int]  # places in Reading.entities


@dataclass(slots=True)
class Entity:
    """A kind of thing and how many of it there are, as far as the text was read."""

    noun: str
    attributes: list[str]
    count: int
    exact: bool = False  # a number was said, or one article
    plural: bool = False
    ending: str = ""  # of the phrase: "full of books"
    place: str = ""
    name: str = ""  # of somebody: "Benny the bear"
    parent: int | None = None  # what it was split from: "three of them"
    ghost: bool = False  # named only where it is not
    sentence: int = 0
    split: bool = False
    assumed: bool = False  # "every cake": nobody has counted them yet


@dataclass(slots=True)
class Waiting:
    """A relation whose landmark has not come yet."""

    predicate: str
    subjects: Ids
    maybe: Ids = field(default_factory=list)
    said: str = ""
    negated: bool = False
    spread: bool = False  # the landmark is "every bowl"


class Reading:
    """Items, and what was understood of those before `index`."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.index = 0
        self.entities: list[Entity] = []
        self.relations: list[Relation] = []
        self.background: list[str] = []
        self.absent: list[str] = []
        self.warnings: list[str] = []
        self.sentence = 0
        self.first_subjects: Ids = []
        self.between: Ids = []
        self.also: tuple[Waiting, int] | None = None
        self.last_landmark: Ids = []
        self.denied: Waiting | None = None  # "no cup on the table": where there is none
        self.own: set[tuple[int, int]] = set()  # relations that are of no part of their subject
        self.refused: Waiting | None = None  # "the cat is not on the bed": where it is not
        self.left_out_part = -1  # the item that named a part without a box
        self.took = ""  # what was done in the latest clause: "wearing"
        self.left_out = -1  # the item that told of what is not there
        self.of_each = 0  # "three of each"
        self.enclosed = False  # "inside" and not "in" was said
        self.in_hand = False  # a hand was named, so that "the other" may be the other hand
        self.order = ""  # how the things of a list follow each other: "left of"
        self.new_clause()

    def new_clause(self) -> None:
        """Forget the parts of the clause; things and the last landmark stay."""
        self.subjects: Ids = []
        self.group: Ids = []
        self.np: Ids = []  # the latest noun phrase
        self.role = ""  # of the latest noun phrase: subject, landmark, object, with
        self.waiting: list[Waiting] = []
        self.fronted: Waiting | None = None
        self.outer: Waiting | None = None  # "behind the bar, on which a cup stands, sits": behind
        self.laid: Waiting | None = None  # "on the rug he displays": where the objects are
        self.fronted_place = ""
        self._forget_told()

    def _forget_told(self) -> None:
        """What the clause says of its things, with which verb or "with"."""
        self.verb = ""
        self.verb_subjects: Ids = []
        self.object_of = ""
        self.object_base = ""  # the verb that the latest object belongs to
        self.host: Ids = []
        self.with_group: Ids = []
        self.in_with = False
        self.contains = False
        self.modified: Ids = []  # what a relative clause tells of
        self.of_part = False  # "whose ears are long": it is said of what has no box
        self.instrument = False  # "paints a wall with a brush"
        self.apart = False  # ", with": what comes need not be of the nearest thing
        self.owned = False  # after "whose": what is said is said of the part
        self.relative: Ids = []
        self._forget_manner()

    def _forget_manner(self) -> None:
        """How it is said: denied, of each, and what was told last."""
        self.negated = False
        self.mute = False
        self.each = False
        self.both = False  # "both wear a hat": a hat each
        self.spread = False  # the landmark is "each of the tables"
        self.after_cop = False
        self.predicated = False
        self.rel_subjects: Ids = []
        self.last_predicate = ""
        self.last_said = ""

    def kind(self, index: int) -> str:
        """The kind of an item; beyond both ends there is a stop."""
        return self.items[index].kind if 0 <= index < len(self.items) else "stop"

    @property
    def before(self) -> str:
        return self.kind(self.index - 1)

    def now(self, ids: Ids, role: str) -> None:
        """Note the latest noun phrase and its role in the clause."""
        self.np, self.role = list(ids), role

    def latest(self, number: int) -> Ids:
        return list(range(max(0, len(self.entities) - number), len(self.entities)))

    def are(self, ids: Iterable[int], kinds: frozenset[str]) -> bool:
        """Whether there are such things and the kinds of all are among these."""
        found = [nouns.head(self.entities[i].noun) for i in ids]
        return bool(found) and all(kind in kinds for kind in found)
