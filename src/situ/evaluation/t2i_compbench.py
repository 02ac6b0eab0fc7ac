"""Rules of T2I-CompBench and T2I-CompBench++ (Huang et al. 2023, 2025): prompts and boxes to scores.

The published numbers come from UniDet boxes, BLIP-VQA answers and CLIP cosines over 10 pictures per
prompt; with another detector the same rules give numbers that are not comparable with them.
`official` repeats what the released scripts compute, with their quirks; `sane` mends the quirks that
its docstrings name. Every score is of one picture; `mean` is the benchmark's number.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from situ.evaluation.detections import Detection
from situ.evaluation.t2i_prompts import (
    DEEP_RELATIONS,
    IMAGES_PER_PROMPT,
    NEXT_TO,
    ON_TOP,
    RELATIONS,
    SUITES,
    ComplexKind,
    ComplexSets,
    Related,
    SpatialPrompts,
    detector_name,
    file_name,
    parse_file_name,
    parse_numeracy,
    parse_spatial,
    parse_spatial_3d,
    questions,
    read_complex_sets,
    read_nouns,
    read_prompts,
    read_suite,
)
from situ.scene import Box, SituError
from situ.scene.box import Canvas

Variant = Literal["official", "sane"]

CANVAS: Canvas = (480, 480)  # pixels of the pictures that UniDet sees; NEAR_PX is of this scale
NEAR_PX = 150.0
CONFIDENCE = 0.5  # the least score of a detection
FREE_IOU = 0.1  # less overlap than this costs nothing
FLOOR = 0.5  # a lower 2-D spatial score counts as 0
SAME_THING = 0.9  # IoU, or share of a box in another, above which numeracy sees one thing twice
DEEP_IOU = 0.5  # overlap that a 3-D relation needs for a full score
ALIASES = {"ship": "boat", "goldfish": "fish", "painting": "picture"}


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


def mean(scores: Sequence[float]) -> float:
    """The benchmark's number: the mean over all pictures of all prompts, not x100."""
    if not scores:
        raise SituError("there are no scores to average: score at least one picture")
    return math.fsum(scores) / len(scores)


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


__all__ = [
    "ALIASES",
    "CANVAS",
    "CONFIDENCE",
    "IMAGES_PER_PROMPT",
    "RELATIONS",
    "SUITES",
    "ComplexKind",
    "ComplexSets",
    "Counted",
    "Related",
    "Scored",
    "SpatialPrompts",
    "Variant",
    "blip_vqa_score",
    "detector_name",
    "file_name",
    "geometry",
    "mean",
    "numeracy_score",
    "parse_file_name",
    "parse_numeracy",
    "parse_spatial",
    "parse_spatial_3d",
    "questions",
    "read_complex_sets",
    "read_nouns",
    "read_prompts",
    "read_suite",
    "spatial_3d_score",
    "spatial_score",
    "three_in_one",
]
