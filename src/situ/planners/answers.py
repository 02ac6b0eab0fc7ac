"""What a language model is asked for, and the check of what it answers."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from situ.planners.symbols import Relation, Symbols, Thing
from situ.scene import Box, Layout, Object, SceneError
from situ.scene.errors import at, shown
from situ.scene.fields import entry, mapping, sequence, whole
from situ.scene.layout import MAX_OBJECTS
from situ.scene.strict_json import parse

UNITS = 1000  # coordinates are whole numbers: every server can bound them, and they cost few tokens
PREDICATES = (
    "left of", "right of", "above", "below", "on", "inside", "next to", "in front of", "behind",
    "between", "wearing", "holding", "riding",
)  # fmt: skip
CORNERS = ("x0", "y0", "x1", "y1")
_CORNER = {"type": "integer", "minimum": 0, "maximum": UNITS}


def _record(**fields: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }


SCHEMA: dict[str, Any] = _record(
    objects={
        "type": "array",
        "maxItems": MAX_OBJECTS,
        "items": _record(phrase={"type": "string"}, **dict.fromkeys(CORNERS, _CORNER)),
    },
    relations={
        "type": "array",
        "maxItems": 2 * MAX_OBJECTS,
        "items": _record(
            subject={"type": "string"},
            predicate={"type": "string", "enum": list(PREDICATES)},
            object={"type": "string"},
        ),
    },
)
INSTRUCTION = (
    "You plan where things go in a picture. The canvas is 1000 wide and 1000 high, x grows to the right "
    "and y grows down; a box is its upper left corner x0, y0 and its lower right corner x1, y1, whole "
    "numbers with x0 < x1 and y0 < y1. Give one object for every single thing of the caption, so three "
    "fish are three objects with the same phrase. A phrase is the attributes and the noun in the singular, "
    "without article or number. Leave out what the caption says is absent, style words, and places such as "
    "a beach or the sky. Sizes are as in life. Boxes overlap only where things touch: on, inside, worn, "
    "held, ridden, in front of or behind. Then list the relations that the caption states, by phrases."
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A checked answer."""

    layout: Layout
    relations: tuple[tuple[str, str, str], ...]


def read_answer(text: str) -> Answer:
    """Check an answer. SceneError says, for the model to read, what is wrong with it.

    Text around the JSON, as some models write it, is forgiven; nothing else is.
    """
    record = mapping(parse(_bare(text)), "the answer")
    rows = sequence(entry(record, "objects"), "objects")
    if not rows:
        raise SceneError("objects is empty: give one object for every thing of the caption")
    layout = Layout(tuple(_object(row, index) for index, row in enumerate(rows)))
    told = sequence(record.get("relations", []), "relations")
    known = set(layout.phrases)
    relations = [_relation(row, index, known) for index, row in enumerate(told)]
    return Answer(layout, tuple(relations))


def symbols_of(answer: Answer) -> Symbols:
    """The symbolic scene of an answer."""
    counts = Counter(answer.layout.phrases)
    names = list(counts)
    things = tuple(
        Thing(name, name.split()[-1], tuple(name.split()[:-1]), counts[name]) for name in names
    )
    relations = tuple(
        Relation(names.index(s), p, names.index(o)) for s, p, o in answer.relations if s != o
    )
    return Symbols(things, relations)


def as_answer(record: Mapping[str, Any]) -> str:
    """An example of ours as a model would answer it."""
    objects = [
        {"phrase": name, **dict(zip(CORNERS, box, strict=True))} for name, *box in record["objects"]
    ]
    keys = ("subject", "predicate", "object")
    relations = [dict(zip(keys, row, strict=True)) for row in record["relations"]]
    return json.dumps({"objects": objects, "relations": relations})


def _bare(text: str) -> str:
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        raise SceneError("the answer holds no JSON object: answer with the JSON object alone")
    return text[start : end + 1]


def _object(row: object, index: int) -> Object:
    with at(f"objects[{index}]"):
        record = mapping(row, "an object")
        corners = [whole(entry(record, name), name, 0, UNITS) for name in CORNERS]
        x0, y0, x1, y1 = corners
        if x0 >= x1 or y0 >= y1:
            raise SceneError(f"box {corners}: x0 must be less than x1, and y0 less than y1")
        return Object(entry(record, "phrase"), Box(*(value / UNITS for value in corners)))


def _relation(row: object, index: int, known: set[str]) -> tuple[str, str, str]:
    with at(f"relations[{index}]"):
        record = mapping(row, "a relation")
        subject, predicate, landmark = (
            _name(record, k) for k in ("subject", "predicate", "object")
        )
        if predicate not in PREDICATES:
            raise SceneError(f"predicate {shown(predicate)} must be one of {', '.join(PREDICATES)}")
        for name in (subject, landmark):
            if name not in known:
                raise SceneError(f"{shown(name)} is the phrase of no object")
        return subject, predicate, landmark


def _name(record: Mapping[str, Any], key: str) -> str:
    value = entry(record, key)
    if not isinstance(value, str):
        raise SceneError(f"{key} must be text, got {shown(value)}")
    return " ".join(value.split())


def nearest(
    caption: str, records: Sequence[Mapping[str, Any]], number: int
) -> list[Mapping[str, Any]]:
    """The examples most like a caption, the most similar last (LayoutGPT, Feng et al. 2023, section 3).

    Likeness is the share of common words, rare ones counting more; it needs no model.
    """
    bags = [_bag(record["caption"]) for record in records]
    spread = Counter(word for bag in bags for word in bag)
    asked = _bag(caption)
    scored = []
    for index, bag in enumerate(bags):
        common = sum(1 / spread[word] for word in asked & bag)
        scored.append((common / (len(bag) * max(1, len(asked))) ** 0.5, -index))
    best = sorted(scored)[-number:]
    return [records[-index] for _, index in best]


def _bag(text: str) -> set[str]:
    return {word.strip(".,;:").rstrip("s") for word in text.lower().split()}
