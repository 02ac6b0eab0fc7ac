"""A prompt of the set: its caption, and the symbolic scene that the caption tells."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from situ.scene.fields import entry, mapping, sequence, text, whole
from situ.scene.layout import MAX_OBJECTS

CATEGORIES = ("color", "shape", "texture", "spatial", "counting", "complex")
NATURAL = "natural"
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True, slots=True)
class Asked:
    """A kind of thing and how many of it: phrase is what goes into a box, noun its last part."""

    phrase: str
    noun: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Stated:
    """`subject` predicate `object`, by their places among the things of the prompt."""

    subject: int
    predicate: str
    object: int


@dataclass(frozen=True, slots=True)
class Prompt:
    """What to draw. `number` counts all prompts of the set; `source` says where it came from."""

    id: str
    number: int
    category: str
    things: tuple[Asked, ...]
    relations: tuple[Stated, ...] = ()
    caption: str = ""
    source: Mapping[str, Any] = field(default_factory=dict)

    @property
    def phrases(self) -> tuple[str, ...]:
        return tuple(thing.phrase for thing in self.things)

    @property
    def total(self) -> int:
        return sum(thing.count for thing in self.things)

    def told(self, caption: str) -> "Prompt":
        return replace(self, caption=caption)

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "number": self.number,
            "category": self.category,
            "caption": self.caption,
            "things": [{"phrase": t.phrase, "noun": t.noun, "count": t.count} for t in self.things],
            "relations": [[r.subject, r.predicate, r.object] for r in self.relations],
            "source": dict(self.source),
        }


def from_json(data: object) -> Prompt:
    """Read what `to_json` wrote."""
    record = mapping(data, "a prompt")
    things = tuple(_thing(row) for row in sequence(entry(record, "things"), "things"))
    relations = tuple(
        _relation(row, len(things)) for row in sequence(entry(record, "relations"), "relations")
    )
    return Prompt(
        text(entry(record, "id"), "id"),
        whole(entry(record, "number"), "number", 0, 2**31),
        text(entry(record, "category"), "category"),
        things,
        relations,
        entry(record, "caption"),
        mapping(entry(record, "source"), "source"),
    )


def same_words(caption: str) -> str:
    """A caption without what does not make it another: case, spaces, stops."""
    return " ".join(caption.lower().replace(",", " ").replace(".", " ").split())


def digest(*parts: str) -> int:
    """A number in 0..2^32 that depends on the texts alone; splits and audits are drawn by it."""
    return int(hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8], 16)


def share_of(*parts: str) -> float:
    """The digest as a number in 0..1."""
    return digest(*parts) / 2**32


def _thing(row: object) -> Asked:
    record = mapping(row, "a thing")
    count = whole(entry(record, "count"), "count", 1, MAX_OBJECTS)
    return Asked(text(entry(record, "phrase"), "phrase"), entry(record, "noun"), count)


def _relation(row: object, things: int) -> Stated:
    subject, predicate, landmark = sequence(row, "a relation")
    ends = [whole(end, "a relation", 0, things - 1) for end in (subject, landmark)]
    return Stated(ends[0], text(predicate, "a relation"), ends[1])
