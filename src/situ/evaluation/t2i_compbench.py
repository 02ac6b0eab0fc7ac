"""Rules of T2I-CompBench and T2I-CompBench++ (Huang et al. 2023, 2025): prompts and boxes to scores.

The published numbers come from UniDet boxes, BLIP-VQA answers and CLIP cosines over 10 pictures per
prompt; with another detector the same rules give numbers that are not comparable with them.
`official` repeats what the released scripts compute, with their quirks; `sane` mends the quirks that
its docstrings name. Every score is of one picture; `mean` is the benchmark's number.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from situ.evaluation.detections import Detection
from situ.evaluation.noun_phrases import head, noun_chunks, questioned
from situ.scene import Box, SituError
from situ.scene.box import Canvas
from situ.scene.strict_json import read

Variant = Literal["official", "sane"]
SpatialPrompts = Literal["spatial", "complex"]
ComplexKind = Literal["spatial", "action", "both"]

IMAGES_PER_PROMPT = 10
CANVAS: Canvas = (480, 480)  # pixels of the pictures that UniDet sees; NEAR_PX is of this scale
NEAR_PX = 150.0
CONFIDENCE = 0.5  # the least score of a detection
FREE_IOU = 0.1  # less overlap than this costs nothing
FLOOR = 0.5  # a lower 2-D spatial score counts as 0
SAME_THING = 0.9  # IoU, or share of a box in another, above which numeracy sees one thing twice
DEEP_IOU = 0.5  # overlap that a 3-D relation needs for a full score

RELATIONS = (
    "on side of",
    "next to",
    "near",
    "on the left of",
    "on the right of",
    "on the bottom of",
    "on the top of",
)
ON_TOP = "on top of"  # of complex prompts only
DEEP_RELATIONS = ("in front of", "behind", "hidden by")
NEXT_TO = ("on side of", "next to", "near")
PERSONS = frozenset({"girl", "boy", "man", "woman"})
ALIASES = {"ship": "boat", "goldfish": "fish", "painting": "picture"}
NUMBERS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
}
SUITES = {
    "color": "color_val.txt",
    "shape": "shape_val.txt",
    "texture": "texture_val.txt",
    "spatial": "spatial_val.txt",
    "non_spatial": "non_spatial_val.txt",
    "complex": "complex_val.txt",
    "3d_spatial": "3d_spatial_val.txt",
    "numeracy": "numeracy_val.txt",
}


@dataclass(frozen=True, slots=True)
class Related:
    """Two things of a prompt by their detector names; no relation where the prompt has none."""

    first: str
    relation: str | None
    second: str

    def __post_init__(self) -> None:
        known = (*RELATIONS, ON_TOP, *DEEP_RELATIONS)
        if self.relation is not None and self.relation not in known:
            raise SituError(f"relation {self.relation!r} is unknown; allowed: {', '.join(known)}")


@dataclass(frozen=True, slots=True)
class Scored:
    """One picture: the two detections that were judged, the relation's share, and the score.

    `raw` is the score before the floor of the 2-D rule; elsewhere both are the same.
    """

    first: Detection | None
    second: Detection | None
    geometry: float
    raw: float
    score: float


@dataclass(frozen=True, slots=True)
class Counted:
    """A thing that a numeracy prompt asks for, how many of it, and how many are in the picture."""

    name: str
    asked: int
    found: int


@dataclass(frozen=True, slots=True)
class ComplexSets:
    """Prompts of the complex suite that name only a relation, or only an action; the rest has both."""

    spatial: frozenset[str]
    action: frozenset[str]

    def kind(self, prompt: str) -> ComplexKind:
        """Membership of the lower-cased text before the first full stop, as the official script."""
        key = _key(prompt)
        return "spatial" if key in self.spatial else "action" if key in self.action else "both"


def read_prompts(path: str | Path) -> tuple[str, ...]:
    """The prompts of one of the benchmark's .txt files, one to a line.

    Several files end their lines with CRLF and some lines end with spaces; neither is of the prompt.
    """
    prompts = tuple(line.strip() for line in read(path).splitlines() if line.strip())
    if not prompts:
        raise SituError(f"{path}: has no prompts; it must have one to a line")
    for number, prompt in enumerate(prompts, 1):
        if "_" in prompt or "/" in prompt:
            raise SituError(
                f"{path}: prompt {number} {prompt!r} has _ or /: no file name can hold it"
            )
    return prompts


def read_suite(folder: str | Path, suite: str) -> tuple[str, ...]:
    """The prompts of a suite from the benchmark's folder examples/dataset."""
    if suite not in SUITES:
        raise SituError(f"suite {suite!r} is unknown; allowed: {', '.join(SUITES)}")
    return read_prompts(Path(folder) / SUITES[suite])


def read_complex_sets(folder: str | Path) -> ComplexSets:
    """The two lists that give a complex prompt its weights."""
    names = ("complex_val_spatial.txt", "complex_val_action.txt")
    spatial, action = (frozenset(map(_key, read_prompts(Path(folder) / n))) for n in names)
    return ComplexSets(spatial, action)


def read_nouns(path: str | Path) -> dict[str, str]:
    """Plural and singular to singular from "singular - plural" lines (the file new_objects.txt)."""
    nouns: dict[str, str] = {}
    for number, line in enumerate(read(path).splitlines(), 1):
        pair = [part.strip().lower() for part in line.split(" - ")]
        if len(pair) == 2 and all(pair):
            nouns |= {pair[1]: pair[0], pair[0]: pair[0]}
        elif line.strip():
            raise SituError(f'{path}:{number}: must be "singular - plural", got {line!r}')
    return nouns


def file_name(prompt: str, number: int) -> str:
    """The name under which the official scripts look for picture `number` of a prompt."""
    return f"{prompt}_{number:06d}.png"


def parse_file_name(name: str) -> tuple[str, int]:
    """Prompt and number of a picture's file name.

    The official scripts take the prompt up to the FIRST underscore and the number after it, so a
    prompt must have none; the ending .png is optional here.
    """
    found = re.fullmatch(r"([^_]+)_(\d+)(?:\.\w+)?", name)
    if not found:
        raise SituError(f'file name {name!r} must be "<prompt>_<number>.png", without other "_"')
    return found[1], int(found[2])


def mean(scores: Sequence[float]) -> float:
    """The benchmark's number: the mean over all pictures of all prompts, not x100."""
    if not scores:
        raise SituError("there are no scores to average: score at least one picture")
    return math.fsum(scores) / len(scores)


def parse_spatial(prompt: str, prompts: SpatialPrompts = "spatial") -> Related:
    """Things and relation of "a cat on the left of a dog", or of a sentence of the complex suite.

    The relation is the first of RELATIONS that the prompt contains, in that order, not the first in
    the text. In complex prompts, too, the first and the last thing are taken: "the apple sat next to
    the peach and the pear" relates apple and pear. Where the official tagger takes the first NOUN
    ("water" of "the water bottle"), this takes the last word of the phrase.

    The official switch `--complex False` counts as True, because any non-empty text does; here the
    kind of prompts is a name and anything else is refused.
    """
    if prompts not in ("spatial", "complex"):
        raise SituError(f'prompts must be "spatial" or "complex", got {prompts!r}')
    text = prompt.lower().strip().rstrip(".")
    known = (*RELATIONS, ON_TOP) if prompts == "complex" else RELATIONS
    return _related(prompt, text, known, may_lack=prompts == "complex")


def parse_spatial_3d(prompt: str) -> Related:
    """Things and relation of "a cat behind a dog" (T2I-CompBench++)."""
    return _related(prompt, prompt.lower().strip().rstrip("."), DEEP_RELATIONS, may_lack=False)


def _related(prompt: str, text: str, known: Sequence[str], may_lack: bool) -> Related:
    relation = next((r for r in known if re.search(rf"\b{r}\b", text)), None)
    if relation is None and not may_lack:
        raise SituError(f"prompt {prompt!r} has none of the relations {', '.join(known)}")
    sides = re.split(rf"\b{relation}\b", text, maxsplit=1) if relation else [text, text]
    left, right = map(noun_chunks, sides)
    if not left or not right:
        raise SituError(f"prompt {prompt!r} must name a thing before and after its relation")
    return Related(detector_name(head(left[0])), relation, detector_name(head(right[-1])))


def detector_name(noun: str) -> str:
    """What the detector calls a thing: girls, boys, men and women are persons to it."""
    return "person" if noun in PERSONS else noun


def spatial_score(
    asked: Related,
    detections: Sequence[Detection],
    variant: Variant = "official",
    canvas: Canvas = CANVAS,
    confidence: float = CONFIDENCE,
) -> Scored:
    """The 2-D spatial score of one picture, 0..1 (T2I-CompBench, UniDet metric).

    With both things found: a quarter of each one's confidence and half of the relation's share; with
    one found: a quarter of its confidence. Below FLOOR it is 0, so one thing alone always scores 0.

    `official`: the surest box of each exactly equal name; two things of one name ("a boy near a girl",
    both persons) are the same box; "on top of" is parsed but has no geometry; "near" holds if EITHER
    axis is close, so opposite edges of a row are near. `sane`: two things of one name are two boxes,
    "on top of" is "on the top of", and "near" asks for both axes. Both keep the floor; `raw` has none.
    """
    first, second = _pair(asked, detections, variant, confidence)
    if first is None or second is None:
        return _scored(first, second, 0.0, FLOOR)
    share = geometry(asked.relation, first.box, second.box, variant, canvas)
    return _scored(first, second, share, FLOOR)


def _scored(
    first: Detection | None, second: Detection | None, share: float, floor: float
) -> Scored:
    raw = 0.25 * sum(found.score for found in (first, second) if found) + 0.5 * share
    return Scored(first, second, share, raw, raw if raw >= floor else 0.0)


def geometry(
    relation: str | None,
    one: Box,
    other: Box,
    variant: Variant = "official",
    canvas: Canvas = CANVAS,
) -> float:
    """How far boxes fulfil a relation, 0..1: a direction counts when its axis is the longer offset,
    and is worth FREE_IOU / IoU where they overlap; nearness is worth NEAR_PX / offset beyond it."""
    dx = (other.center[0] - one.center[0]) * canvas[0]
    dy = (other.center[1] - one.center[1]) * canvas[1]
    if relation in NEXT_TO:
        return _nearness(abs(dx), abs(dy), variant)
    holds = {
        "on the left of": dx > abs(dy),
        "on the right of": -dx > abs(dy),
        "on the top of": dy > abs(dx),
        "on the bottom of": -dy > abs(dx),
        ON_TOP: variant == "sane" and dy > abs(dx),
    }
    if relation is not None and relation not in holds:
        raise SituError(f"relation {relation!r} is none of 2-D; allowed: {', '.join(RELATIONS)}")
    overlap = one.iou(other)
    if relation is None or not holds[relation]:
        return 0.0
    return 1.0 if overlap < FREE_IOU else FREE_IOU / overlap


def _nearness(dx: float, dy: float, variant: Variant) -> float:
    nearest = min(dx, dy) if variant == "official" else max(dx, dy)
    return 1.0 if nearest < NEAR_PX else NEAR_PX / max(dx, dy)


def _pair(
    asked: Related, detections: Sequence[Detection], variant: Variant, confidence: float
) -> tuple[Detection | None, Detection | None]:
    sure = sorted((d for d in detections if d.score >= confidence), key=lambda d: -d.score)
    firsts = [d for d in sure if d.label == asked.first]
    seconds = [d for d in sure if d.label == asked.second]
    if variant == "sane" and asked.first == asked.second:
        seconds = seconds[1:]
    return next(iter(firsts), None), next(iter(seconds), None)


def spatial_3d_score(
    asked: Related,
    detections: Sequence[Detection],
    nearness: NDArray[Any],
    *,
    transposed: bool = False,
    variant: Variant = "official",
    confidence: float = CONFIDENCE,
) -> Scored:
    """The 3-D spatial score of one picture, 0..1 (T2I-CompBench++); there is no floor.

    nearness: [H, W] of MiDaS, larger is nearer to the camera; any linear scale. The thing in front must
    have the larger mean and overlap the other: IoU / DEEP_IOU, at most 1, and nothing where disjoint.

    The official script appears to cut the depth map as [x, y], which swaps rows and columns; only
    `transposed=True` repeats that, and it needs a square map. The default cuts [y, x].
    """
    if asked.relation not in DEEP_RELATIONS:
        raise SituError(f"relation {asked.relation!r} has no depth: score it with spatial_score")
    first, second = _pair(asked, detections, variant, confidence)
    if first is None or second is None:
        return _scored(first, second, 0.0, floor=0.0)
    depths = [_mean_depth(found.box, nearness, transposed) for found in (first, second)]
    in_front = depths[0] > depths[1] if asked.relation == "in front of" else depths[0] < depths[1]
    share = min(1.0, first.box.iou(second.box) / DEEP_IOU) if in_front else 0.0
    return _scored(first, second, share, floor=0.0)


def _mean_depth(box: Box, nearness: NDArray[Any], transposed: bool) -> float:
    if nearness.ndim != 2 or (transposed and nearness.shape[0] != nearness.shape[1]):
        square = "a square [S, S]" if transposed else "[H, W]"
        raise SituError(f"nearness must be {square}, got the shape {list(nearness.shape)}")
    height, width = nearness.shape
    x0, y0, x1, y1 = box.to_px((width, height))
    part = nearness[x0:x1, y0:y1] if transposed else nearness[y0:y1, x0:x1]
    return float(part.astype(np.float64).mean())


def parse_numeracy(prompt: str, nouns: Mapping[str, str]) -> tuple[tuple[str, int], ...]:
    """Singular names and numbers of "two cups, a pen and five mice"; `nouns` is of read_nouns."""
    words = "|".join(sorted(map(re.escape, nouns), key=len, reverse=True))
    pattern = rf"\b({'|'.join(NUMBERS)})\s+({words})\b"
    found = re.findall(pattern, prompt.lower())
    if not found:
        raise SituError(f"prompt {prompt!r} has no number word before a known thing")
    return tuple((nouns[noun], NUMBERS[number]) for number, noun in found)


def numeracy_score(
    asked: Sequence[tuple[str, int]],
    detections: Sequence[Detection],
    variant: Variant = "official",
    confidence: float = CONFIDENCE,
) -> tuple[float, tuple[Counted, ...]]:
    """The numeracy score of one picture, 0..1, and the counts behind it (T2I-CompBench++).

    Each of k things is worth 1/k: half for being there, half for the exact number. Boxes of one name
    with IoU above SAME_THING, or with more than that share of one in the other, are one thing.

    `official`: where no label equals the name, labels that contain its letters count, so that a
    "cupboard" is a cup. `sane`: only labels that contain it as a word ("coffee cup") count.
    """
    if not asked:
        raise SituError("asked must have at least one thing")
    single = _once_each([d for d in detections if d.score >= confidence])
    counts = tuple(
        Counted(name, number, _count(ALIASES.get(name, name), single, variant))
        for name, number in asked
    )
    points = [0.5 * (c.found > 0) + 0.5 * (c.found == c.asked) for c in counts]
    return sum(points) / len(points), counts


def _count(name: str, detections: Sequence[Detection], variant: Variant) -> int:
    exact = sum(d.label == name for d in detections)
    if exact or variant == "sane":
        return exact or sum(name in d.label.split() for d in detections)
    return sum(name in d.label for d in detections)


def _once_each(detections: Sequence[Detection]) -> list[Detection]:
    kept: list[Detection] = []
    for detection in sorted(detections, key=lambda d: -d.score):
        alike = (other for other in kept if other.label == detection.label)
        if not any(_same_thing(detection.box, other.box) for other in alike):
            kept.append(detection)
    return kept


def _same_thing(one: Box, other: Box) -> bool:
    return max(one.iou(other), one.share_in(other), other.share_in(one)) > SAME_THING


def questions(prompt: str, chunks: Sequence[str] | None = None) -> tuple[str, ...]:
    """What BLIP-VQA is asked about a picture: each noun chunk with a question mark, at most 8."""
    found = noun_chunks(prompt) if chunks is None else tuple(chunks)
    return tuple(f"{chunk}?" for chunk in questioned(found))


def blip_vqa_score(yes: Sequence[float], variant: Variant = "official") -> float:
    """The attribute score of one picture: the product of P(yes) over its questions.

    `official` rounds each factor to 4 decimals first; `sane` does not. In both a prompt without a
    noun chunk has no question and scores 1.
    """
    for value in yes:
        if not 0 <= value <= 1:
            raise SituError(f"P(yes) must be in 0..1, got {value!r}")
    return math.prod(round(p, 4) if variant == "official" else p for p in yes)


def three_in_one(
    kind: ComplexKind, attribute: float, spatial: float | None, action: float | None
) -> float:
    """The complex score of one picture: the mean of BLIP-VQA and of what its prompt speaks of.

    spatial: 2-D spatial score by parse_spatial(prompt, "complex"). action: the raw CLIP cosine of the
    prompt without its adjectives (noun_phrases.without_adjectives). `both` is the mean of all three.
    """
    parts = {"spatial": (spatial,), "action": (action,), "both": (spatial, action)}
    if kind not in parts:
        raise SituError(f"kind must be spatial, action or both, got {kind!r}")
    used = [attribute]
    for part in parts[kind]:
        if part is None:
            raise SituError(f'a prompt of kind "{kind}" needs its spatial and action scores')
        used.append(part)
    return mean(used)


def _key(prompt: str) -> str:
    return prompt.lower().split(".")[0].strip()
