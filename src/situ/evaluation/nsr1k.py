"""NSR-1K: counting and spatial accuracy of pictures and of layouts (LayoutGPT, Feng et al. 2023).

The published numbers come from GLIP-L boxes with a score of 0.7 or more; name the detector beside any
other number. `official` repeats the released scripts, `per_prompt` and `strict` mend them where their
docstrings say so. The gold layouts themselves do not score 100: counting accuracy of pictures ends
at 91.64 (`official`), of layouts at 99.08, and spatial accuracy of layouts at 93.29, because 19 gold
layouts are empty and 7 disagree with their counts.
"""

import difflib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from situ.evaluation.detections import Detection
from situ.scene import Box, Object, SituError
from situ.scene.box import Canvas
from situ.scene.errors import at
from situ.scene.fields import entry
from situ.scene.strict_json import parse, read

Averaging = Literal["official", "per_prompt"]
Matching = Literal["official", "strict"]
Placed = tuple[str, Box]

CONFIDENCE = 0.7  # the least score of a detection
LAYOUTS_PER_PROMPT = 5
COMPARISON = "comparison"
SQUARE: Canvas = (1, 1)  # NSR-1K layouts and pictures are square; directions need the true shape
DIAGONAL = math.sqrt(2) / 2  # of the centres' offset, above which one direction wins
RELATIONS = ("left", "right", "top", "bottom", "next to")
COMPOUNDS = frozenset({"teddy bear", "hot dog"})  # COCO classes whose last word is another class


@dataclass(frozen=True, slots=True)
class CountingPrompt:
    """What a counting prompt asks for, and the names of its gold layout, one per box."""

    number: int
    prompt: str
    kind: str  # single-category, two-categories, comparison or real
    counts: tuple[tuple[str, int], ...]  # name, how many; of a comparison, the anchor comes first
    gold: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SpatialPrompt:
    """`first` is `relation` of `second`; `gold` has no object where its box is all zeros."""

    number: int
    prompt: str
    kind: str  # template or natural
    first: str
    relation: str
    second: str
    gold: tuple[Object, ...]


@dataclass(frozen=True, slots=True)
class PictureCount:
    """Points that a picture earns and could earn under the official rule, and whether all is right."""

    points: int
    of: int
    right: bool


@dataclass(frozen=True, slots=True)
class LayoutCount:
    """Counts of one layout. A comparison prompt says no numbers, so it has only `right`."""

    precision: float | None
    recall: float | None
    iou: float | None
    error: float | None  # mean absolute difference over the asked names
    right: bool


@dataclass(frozen=True, slots=True)
class LayoutScore:
    """Means over layouts, 0..1 but for the error; all but accuracy leave comparisons out."""

    precision: float
    recall: float
    accuracy: float
    error: float
    iou: float
    layouts: int


def read_counting(path: str | Path) -> tuple[CountingPrompt, ...]:
    """The records of counting.val.json."""
    return tuple(_counting(record, place) for place, record in _records(path))


def read_spatial(path: str | Path) -> tuple[SpatialPrompt, ...]:
    """The records of spatial.val.json; gold boxes are x, y, width, height there and Box here."""
    return tuple(_spatial(record, place) for place, record in _records(path))


def file_name(number: int, repeat: int) -> str:
    """The name under which the official scripts look for a picture of a prompt."""
    return f"{number}_{repeat}.png"


def picture_count(
    asked: CountingPrompt, detections: Sequence[Detection], confidence: float = CONFIDENCE
) -> PictureCount:
    """How well a picture's detections fit the asked numbers; labels must equal the names.

    Each name with the exact count earns a point. A comparison earns ONE point if the count of the
    anchor is exact and the other is on the right side of it, yet the official script adds two to
    what could be earned: perfect pictures reach 1096 of 1196, 91.64 %.
    """
    found = Counter(d.label.strip() for d in detections if d.score >= confidence)
    if asked.kind == COMPARISON:
        right = _compared(asked, found)
        return PictureCount(int(right), len(asked.counts), right)
    points = sum(found[name] == count for name, count in asked.counts)
    return PictureCount(points, len(asked.counts), points == len(asked.counts))


def counting_accuracy(counts: Sequence[PictureCount], averaging: Averaging = "official") -> float:
    """Accuracy over pictures, 0..1.

    `official` divides all points by all that could be earned: prompts with more names weigh more and
    comparisons are capped at a half. `per_prompt` is the share of pictures that are wholly right.
    """
    _some(counts)
    if averaging == "per_prompt":
        return sum(count.right for count in counts) / len(counts)
    return sum(count.points for count in counts) / sum(count.of for count in counts)


def picture_relation(
    asked: SpatialPrompt,
    detections: Sequence[Detection],
    matching: Matching = "official",
    canvas: Canvas = SQUARE,
    confidence: float = CONFIDENCE,
) -> bool:
    """Whether the asked relation holds in a picture; give the canvas of pictures that are not square.

    `official`: one pair of boxes is enough, so more boxes make success likelier. `strict`: the surest
    box of each name must have it.
    """
    sure = sorted((d for d in detections if d.score >= confidence), key=lambda d: -d.score)
    firsts = [d.box for d in sure if d.label.strip() == asked.first]
    seconds = [d.box for d in sure if d.label.strip() == asked.second]
    return _any_pair(asked.relation, firsts, seconds, matching, canvas)


def layout_count(
    asked: CountingPrompt, phrases: Sequence[str], matching: Matching = "official"
) -> LayoutCount:
    """Counts of a layout's phrases, one per box, against the asked numbers.

    Precision divides by ALL phrases: a desk under the asked keyboard costs precision, not accuracy.

    `official` matching drops leading CHARACTERS of "a ", "an ", "the " and then takes a name that
    contains the rest or is contained in it: a "hat" is a cat, a "teddy bear" a bear; of several
    asked names the last that matches wins. `strict`: the name must be the phrase's last words.
    """
    names = [name for name, _ in asked.counts]
    match = _official_name if matching == "official" else _strict_name
    found = Counter(match(phrase, names) for phrase in phrases)
    if asked.kind == COMPARISON:
        return LayoutCount(None, None, None, None, _compared(asked, found))
    pairs = [(found[name], count) for name, count in asked.counts]
    common = sum(min(pair) for pair in pairs)
    return LayoutCount(
        common / max(1, len(phrases)),
        common / sum(count for _, count in pairs),
        common / sum(max(pair) for pair in pairs),
        sum(abs(a - b) for a, b in pairs) / len(pairs),
        all(a == b for a, b in pairs),
    )


def layout_score(counts: Sequence[LayoutCount]) -> LayoutScore:
    """Means over layouts. Comparisons are in the accuracy and in nothing else, as in the official
    script; with comparisons alone the other means are nan."""
    _some(counts)
    return LayoutScore(
        _mean([count.precision for count in counts]),
        _mean([count.recall for count in counts]),
        _mean([float(count.right) for count in counts]),
        _mean([count.error for count in counts]),
        _mean([count.iou for count in counts]),
        len(counts),
    )


def layout_relation(
    asked: SpatialPrompt, objects: Sequence[Object], matching: Matching = "official"
) -> bool:
    """Whether the asked relation holds in a layout; a layout that lacks a thing is wrong.

    `official`: boxes belong to the phrase nearest to the name by difflib (0.6 or more), so that "cup"
    may answer for "cap", and one pair of boxes is enough. `strict`: the name must be the phrase's last
    words, and the first box of each must have the relation.
    """
    if matching == "official":
        phrases = [item.phrase for item in objects]
        near = [difflib.get_close_matches(n, phrases)[:1] for n in (asked.first, asked.second)]
        boxes = [[item.box for item in objects if item.phrase in close] for close in near]
    else:
        boxes = [
            [item.box for item in objects if _strict_name(item.phrase, [name]) == name]
            for name in (asked.first, asked.second)
        ]
    return _any_pair(asked.relation, boxes[0], boxes[1], matching, SQUARE)


def spatial_accuracy(right: Sequence[bool]) -> float:
    """Share of pictures or layouts whose relation holds, missing things counted as wrong."""
    _some(right)
    return sum(right) / len(right)


def direction(one: Box, other: Box, canvas: Canvas = SQUARE) -> str:
    """Where the centre of one lies from the other's: left, right, top, bottom or diagonal.

    The official order is right, top, left, bottom, each above DIAGONAL; equal centres and exact 45
    degrees are "diagonal". Neither distance nor overlap of the boxes counts.
    """
    dx = (one.center[0] - other.center[0]) * canvas[0]
    dy = (other.center[1] - one.center[1]) * canvas[1]  # up is positive
    distance = math.hypot(dx, dy)
    if one == other or distance == 0:
        return "diagonal"
    cos, sin = dx / distance, dy / distance
    for value, name in ((cos, "right"), (sin, "top"), (-cos, "left"), (-sin, "bottom")):
        if value > DIAGONAL:
            return name
    return "diagonal"


def _any_pair(
    relation: str,
    firsts: Sequence[Box],
    seconds: Sequence[Box],
    matching: Matching,
    canvas: Canvas,
) -> bool:
    if matching == "strict":
        firsts, seconds = firsts[:1], seconds[:1]
    accepted = ("left", "right") if relation == "next to" else (relation,)
    return any(direction(a, b, canvas) in accepted for a in firsts for b in seconds)


def _compared(asked: CountingPrompt, found: Counter[str]) -> bool:
    (anchor, count), (other, other_count) = asked.counts
    if found[anchor] != count:
        return False
    if other_count == count:
        return found[other] == count
    return (found[other] - count) * (other_count - count) > 0


def _official_name(phrase: str, names: Sequence[str]) -> str:
    for name in names:
        bare = phrase.lstrip("a ").lstrip("an ").lstrip("the ")  # characters, not words
        if bare in name or name in bare:
            phrase = name
    return phrase


def _strict_name(phrase: str, names: Sequence[str]) -> str:
    words = phrase.lower().replace("-", " ").split()
    while words and words[0] in ("a", "an", "the"):
        words = words[1:]
    tails = (tuple(words[i:]) for i in range(len(words)))  # the longest first
    for tail in tails:
        for name in names:
            if " ".join(tail) in (name, f"{name}s", f"{name}es"):
                return name
        if " ".join(tail) in COMPOUNDS:
            break
    return phrase


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else math.nan


def _some(values: Sequence[object]) -> None:
    if not values:
        raise SituError("there is nothing to score: give at least one picture or layout")


def _records(path: str | Path) -> list[tuple[str, dict[str, Any]]]:
    content = parse(read(path))
    if not isinstance(content, list) or not all(isinstance(record, dict) for record in content):
        raise SituError(f"{path}: must be a list of records, as NSR-1K's files are")
    return [(f"{path}: record {index}", record) for index, record in enumerate(content)]


def _counting(record: dict[str, Any], place: str) -> CountingPrompt:
    with at(place):
        kind = entry(record, "sub-type")
        counts = tuple((str(name), int(count)) for name, count in entry(record, "num_object"))
        if not counts or (kind == COMPARISON and len(counts) != 2):
            raise SituError(
                f"num_object {list(counts)} must have 2 entries in a comparison, else 1+"
            )
        gold = tuple(str(name) for name, _ in entry(record, "object_list"))
        return CountingPrompt(entry(record, "id"), entry(record, "prompt"), kind, counts, gold)


def _spatial(record: dict[str, Any], place: str) -> SpatialPrompt:
    with at(place):
        relation = entry(record, "relation")
        if relation not in RELATIONS:
            raise SituError(f"relation {relation!r} must be one of {', '.join(RELATIONS)}")
        pairs = [entry(record, "obj1"), entry(record, "obj2")]
        boxes = [(name, Box.clamped(x, y, x + w, y + h)) for name, (x, y, w, h) in pairs]
        gold = tuple(Object(name, box) for name, box in boxes if box is not None)
        number, prompt, kind = (entry(record, key) for key in ("id", "prompt", "type"))
        return SpatialPrompt(number, prompt, kind, pairs[0][0], relation, pairs[1][0], gold)
