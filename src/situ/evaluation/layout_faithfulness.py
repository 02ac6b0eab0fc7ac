"""How faithfully a picture follows its layout: detections against the objects that were asked for.

Within a class the findings are matched to the wishes one to one, so that the sum of their IoU is the
largest possible (Hungarian method, Kuhn 1955). Everything here is a pure function of boxes and words.

Each scene gives sums and counts, and a set of scenes is the ratio of their sums: a share of all boxes,
not a mean of scenes. Its interval comes from drawing scenes, for the boxes of a scene hang together.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import hypot

import numpy as np

from situ.evaluation.detections import Detection, overlaps
from situ.evaluation.statistics import DRAWS, LEVEL, SEED, Estimate, ratio
from situ.scene import Box, Layout, SituError
from situ.scene.box import Canvas
from situ.scene.relations import RELATIONS

CONFIDENCE = 0.3  # the least score at which a finding counts as a thing in the picture
THRESHOLDS = (0.3, 0.5, 0.7)
DIRECTIONS = ("left of", "right of", "above", "below")
SQUARE: Canvas = (1, 1)
CLOSER = 1e-9  # what a centre's distance weighs beside IoU: it decides between equals only
SLACK = 1e-6  # of the picture: what rounding loses at its edge


@dataclass(frozen=True, slots=True)
class Look:
    """A label taken apart: "red fish" is a fish that is red."""

    kind: str
    attributes: frozenset[str] = frozenset()


Reading = Callable[[str], Look]
Sum = tuple[float, int]  # of a scene: the sum of a measure and the number of things it is over


@dataclass(frozen=True, slots=True)
class ObjectScore:
    """One wish: the finding it was matched with, if there is one of its class."""

    kind: str
    matched: bool
    iou: float  # with its match; 0 without one
    best_iou: float  # with any finding of its class, others' matches included
    distance: float | None  # between the centres, as a share of the picture's diagonal
    attributes_right: bool | None  # all of them; None where none was asked for


@dataclass(frozen=True, slots=True)
class SceneScore:
    """One scene."""

    objects: tuple[ObjectScore, ...]  # in the order of the layout
    wanted: Mapping[str, int]  # by class
    found: Mapping[str, int]  # by class, classes that were asked for only
    relations: tuple[bool, ...]  # of each relation of the layout: does it hold in the picture?

    @property
    def extra(self) -> int:
        """Findings of the asked classes beyond the number asked for."""
        return sum(max(0, self.found[kind] - count) for kind, count in self.wanted.items())

    @property
    def counts_right(self) -> int:
        """Classes that stand in the picture exactly as often as asked for."""
        return sum(self.found[kind] == count for kind, count in self.wanted.items())

    def measures(self) -> dict[str, Sum]:
        """Every measure of Faithfulness as a sum and a count."""
        n, some = len(self.objects), self.objects
        distances = [o.distance for o in some if o.distance is not None]
        looks = [o.attributes_right for o in some if o.attributes_right is not None]
        found = {f"success{round(100 * t)}": (self._above(t), n) for t in THRESHOLDS}
        return {
            "miou": (sum(o.iou for o in some), n),
            "best_iou": (sum(o.best_iou for o in some), n),
            **found,
            "scene_success50": (self._above(0.5) == n, 1),
            "counts": (self.counts_right, len(self.wanted)),
            "scene_counts": (self.counts_right == len(self.wanted), 1),
            "distance": (sum(distances), len(distances)),
            "extra": (self.extra, n),
            "attributes": (sum(looks), len(looks)),
            "relations": (sum(self.relations), len(self.relations)),
        }

    def _above(self, threshold: float) -> int:
        return sum(o.matched and o.iou >= threshold for o in self.objects)


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """A set of scenes, with intervals over scenes; None where no scene asks for such a thing."""

    miou: Estimate | None  # mean IoU of wishes and their matches, 0 for what is not there
    best_iou: Estimate | None
    success30: Estimate | None  # wishes whose match overlaps by IoU 0.3 or more
    success50: Estimate | None
    success70: Estimate | None
    scene_success50: Estimate | None  # scenes with all wishes at IoU 0.5 or more
    counts: Estimate | None  # classes of a scene that are there exactly as often as asked for
    scene_counts: Estimate | None  # scenes with all classes right
    distance: Estimate | None  # of matched centres, as a share of the diagonal
    extra: Estimate | None  # findings beyond the number asked for, per wish
    attributes: Estimate | None  # of the wishes with attributes: matched and right in all of them
    relations: Estimate | None  # directions of the layout that hold between the matches


def whole_label(label: str) -> Look:
    """The label as the class, without attributes."""
    return Look(label)


def words_apart(attributes: Collection[str]) -> Reading:
    """A reading that takes known adjectives off the front: with {"red"}, "a red fish" is a red fish."""
    known = set(attributes)

    def read(label: str) -> Look:
        words = label.lower().split()
        words = words[1:] if words[:1] and words[0] in ("a", "an", "the") else words
        count = next((i for i, word in enumerate(words) if word not in known), len(words))
        count = min(count, len(words) - 1)  # an orange may be orange: the last word names the thing
        return Look(" ".join(words[count:]), frozenset(words[:count]))

    return read


def judge_scene(
    layout: Layout,
    detections: Iterable[Detection],
    canvas: Canvas = SQUARE,
    confidence: float = CONFIDENCE,
    read: Reading = whole_label,
    relations: Sequence[str] = DIRECTIONS,
    margin: float = 1.0,
) -> SceneScore:
    """Hold the findings of one picture against its layout.

    Labels and phrases are read in the same way and meet where their kinds are equal. A finding's
    attributes say something only where the detector read them off the picture itself: one that was
    asked for "red fish" answers in these words whatever it sees. A direction of the layout is asked for
    only where it would hold with its offset divided by `margin`, too: on the edge a pixel decides.
    """
    sure = [found for found in detections if found.score >= confidence]
    wishes, sights = [read(o.phrase) for o in layout], [read(found.label) for found in sure]
    boxes, places = layout.boxes, [found.box for found in sure]
    matches, best = _matched(wishes, sights, boxes, places, canvas)
    met = {i: places[j] for i, j in matches.items()}
    objects = [
        _object(wish, boxes[i], best[i], met.get(i), _seen(i, matches, sights), canvas)
        for i, wish in enumerate(wishes)
    ]
    kinds = dict.fromkeys(wish.kind for wish in wishes)
    wanted = {kind: sum(wish.kind == kind for wish in wishes) for kind in kinds}
    found = {kind: sum(sight.kind == kind for sight in sights) for kind in kinds}
    return SceneScore(tuple(objects), wanted, found, _relations(boxes, met, relations, margin))


def match(
    wishes: Sequence[Box], findings: Sequence[Box], canvas: Canvas = SQUARE
) -> list[tuple[int, int]]:
    """Pairs (wish, finding) of the largest total IoU; as many as the shorter list has boxes.

    Boxes that overlap nothing are still matched, the nearest first, so that a thing in the wrong
    place is misplaced, not missing.
    """
    if not wishes or not findings:
        return []
    try:
        from scipy.optimize import linear_sum_assignment
    except ImportError:
        raise SituError('matching needs scipy; install it with pip install "situ[eval]"') from None
    apart = [[distance(wish, finding, canvas) for finding in findings] for wish in wishes]
    gain = overlaps(wishes, findings) - CLOSER * np.array(apart)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True)]


def distance(one: Box, other: Box, canvas: Canvas = SQUARE) -> float:
    """Between the centres of two boxes, as a share of the diagonal of the canvas (width, height)."""
    (x, y), (u, v) = one.center, other.center
    return hypot((x - u) * canvas[0], (y - v) * canvas[1]) / hypot(*canvas)


def faithfulness(
    scenes: Sequence[SceneScore],
    groups: Sequence[str] | Sequence[int] | None = None,
    draws: int = DRAWS,
    level: float = LEVEL,
    seed: int = SEED,
) -> Faithfulness:
    """All scenes together. groups names what scenes share, such as a prompt drawn with many seeds."""
    if not any(scene.objects for scene in scenes):
        raise SituError("no scene has objects, so there is nothing to be faithful to")
    kept = [index for index, scene in enumerate(scenes) if scene.objects]
    shared = None if groups is None else [groups[index] for index in kept]
    rows = [scenes[index].measures() for index in kept]
    return Faithfulness(
        **{
            name: _ratio([row[name] for row in rows], shared, draws, level, seed)
            for name in rows[0]
        }
    )


def miou_by_kind(scenes: Iterable[SceneScore]) -> dict[str, float]:
    """Mean IoU of the wishes of each class, over all scenes."""
    values: dict[str, list[float]] = {}
    for scene in scenes:
        for item in scene.objects:
            values.setdefault(item.kind, []).append(item.iou)
    return {kind: sum(some) / len(some) for kind, some in values.items()}


def out_of_canvas(boxes_xyxy: Sequence[Sequence[float]]) -> list[float]:
    """The share of each box's area beyond the picture, for raw boxes in fractions of it.

    A situ Box never leaves the picture; a planner's or a detector's own numbers may. Boxes without
    area count as wholly outside.
    """
    return [_share_outside(*box) for box in boxes_xyxy]


def out_of_canvas_rate(boxes_xyxy: Sequence[Sequence[float]], slack: float = SLACK) -> float:
    """The share of raw boxes that leave the picture by more than slack of their area."""
    outside = out_of_canvas(boxes_xyxy)
    if not outside:
        raise SituError("there are no boxes, so none can leave the canvas")
    return sum(share > slack for share in outside) / len(outside)


def _share_outside(x0: float, y0: float, x1: float, y1: float) -> float:
    area = max(x1 - x0, 0.0) * max(y1 - y0, 0.0)
    if area <= 0:
        return 1.0
    width, height = min(x1, 1.0) - max(x0, 0.0), min(y1, 1.0) - max(y0, 0.0)
    return 1 - max(width, 0.0) * max(height, 0.0) / area


def _matched(
    wishes: Sequence[Look],
    sights: Sequence[Look],
    boxes: Sequence[Box],
    places: Sequence[Box],
    canvas: Canvas,
) -> tuple[dict[int, int], dict[int, float]]:
    """The finding of each wish that has one, and the best IoU of each wish, class by class."""
    matches: dict[int, int] = {}
    best: dict[int, float] = {}
    for kind in {wish.kind for wish in wishes}:
        ours = [i for i, wish in enumerate(wishes) if wish.kind == kind]
        theirs = [j for j, sight in enumerate(sights) if sight.kind == kind]
        asked, seen = [boxes[i] for i in ours], [places[j] for j in theirs]
        matches |= {ours[i]: theirs[j] for i, j in match(asked, seen, canvas)}
        highest = overlaps(asked, seen).max(1, initial=0.0)
        best |= {i: float(value) for i, value in zip(ours, highest, strict=True)}
    return matches, best


def _object(
    wish: Look, box: Box, best: float, met: Box | None, sight: Look | None, canvas: Canvas
) -> ObjectScore:
    right = sight is not None and wish.attributes <= sight.attributes
    return ObjectScore(
        kind=wish.kind,
        matched=met is not None,
        iou=box.iou(met) if met else 0.0,
        best_iou=best,
        distance=distance(box, met, canvas) if met else None,
        attributes_right=right if wish.attributes else None,
    )


def _seen(wish: int, matches: Mapping[int, int], sights: Sequence[Look]) -> Look | None:
    return sights[matches[wish]] if wish in matches else None


def _relations(
    boxes: Sequence[Box], met: Mapping[int, Box], names: Sequence[str], margin: float
) -> tuple[bool, ...]:
    """For each pair of objects and each relation it has in the layout: has it in the picture too?"""
    unknown = [name for name in names if name not in RELATIONS]
    if unknown:
        raise SituError(f"relation {unknown[0]!r} is unknown; allowed: {', '.join(RELATIONS)}")
    return tuple(
        i in met and j in met and RELATIONS[name](met[i], met[j])
        for i, j in combinations(range(len(boxes)), 2)
        for name in names
        if _clear(name, boxes[i], boxes[j], margin)
    )


def _clear(name: str, one: Box, other: Box, margin: float) -> bool:
    """Whether a relation holds, a direction even when the boxes are `margin` times closer along it."""
    closer = (1 - 1 / margin) / 2
    dx = (one.center[0] - other.center[0]) * closer if name in ("left of", "right of") else 0.0
    dy = (one.center[1] - other.center[1]) * closer if name in ("above", "below") else 0.0
    if dx == dy == 0:
        return RELATIONS[name](one, other)
    return RELATIONS[name](_halved(one, 0.0, 0.0), _halved(other, dx, dy))


def _halved(box: Box, dx: float, dy: float) -> Box:
    """Half as large in the middle of the picture, where it can be moved a little and stays in it."""
    x0, y0, x1, y1 = (0.25 + value / 2 for value in box.xyxy)
    return Box(x0 + dx, y0 + dy, x1 + dx, y1 + dy)


def _ratio(
    sums: Sequence[Sum],
    groups: Sequence[str | int] | None,
    draws: int,
    level: float,
    seed: int,
) -> Estimate | None:
    above, below = zip(*sums, strict=True)
    return ratio(above, below, groups, draws, level, seed) if sum(below) else None
