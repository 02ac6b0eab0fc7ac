"""YOLO score: COCO average precision of what a detector finds in generated pictures (LAMA, Li et al. 2021).

The truth is the boxes that were given to the generator and no others: an object that nobody asked
for must not count as missed. The detector has to be asked for every class of the truth on every
picture, down to a score of about 0.001, or the tail of the precision-recall curve is cut off. Beside
a score stands its oracle, the same detector on the real pictures with the same truth: the ratio of
the two says what the generator loses.

Small, medium and large are the areas below 32^2, to 96^2 and above, in pixels of the truth's own
canvas: the same layout has other sizes at 256 than at 512.
"""

import contextlib
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from situ.evaluation.detections import Found, PictureSet, to_results, xywh_px
from situ.evaluation.statistics import Rows
from situ.scene import Layout, SituError
from situ.scene.box import Canvas
from situ.scene.errors import shown

MOST = 100  # findings per picture and class that count, the surest
IOUS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)
ALL_AREAS = 0  # its place among COCO's area ranges

Truth = Mapping[str, Any]  # images, annotations and categories, as in a COCO instances file
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class AveragePrecision:
    """COCO's twelve numbers, 0..1; None where no object has that size."""

    ap: float | None  # mean over classes and IoU 0.50, 0.55 ... 0.95
    ap50: float | None
    ap75: float | None
    ap_small: float | None
    ap_medium: float | None
    ap_large: float | None
    ar1: float | None  # recall of the surest 1, 10 and 100 findings per picture and class
    ar10: float | None
    ar100: float | None
    ar_small: float | None
    ar_medium: float | None
    ar_large: float | None


@dataclass(frozen=True, slots=True)
class PictureScore:
    """One picture: objects asked for, the share found at IoU 0.5, and over 0.5 ... 0.95 on average.

    Precision over recall needs many pictures, so there is no average precision of one.
    """

    image_id: int
    objects: int
    recall50: float
    recall: float


@dataclass(frozen=True, slots=True)
class ClassMatches:
    """The findings of one class in all pictures, the surest first; T are the ten IOUS."""

    picture: Rows  # [D] number of the picture each finding is on
    hit: Flags  # [T, D] it answers an object
    counts: Flags  # [T, D] it is right or wrong; False where it answers a crowd
    objects: NDArray[np.intp]  # [pictures] objects asked for


@dataclass(frozen=True, slots=True)
class Matches:
    """What bootstraps need: findings matched to objects once, to be weighed as often as one likes."""

    classes: tuple[ClassMatches, ...]
    pictures: int

    def ap(self, rows: Rows | None = None, iou: int | None = None) -> float:
        """AP of the pictures numbered by rows, each as often as it is named; all of them by default.

        iou picks one of IOUS (0 is AP50, 5 is AP75). Equals COCO's AP of a set with these pictures,
        up to the order of equal scores. Classes without an object in the draw are left out.
        The draws of a small set lie above its AP (0.504 of [0.488, 0.567] on 100 pictures of COCO):
        read its interval with care, and compare two methods by their paired difference.
        """
        chosen = np.arange(self.pictures) if rows is None else rows
        weights = np.bincount(chosen, minlength=self.pictures)
        areas = [_area(some, weights) for some in self.classes if some.objects @ weights]
        if not areas:
            raise SituError("none of these pictures has an object, so there is no precision")
        return float(np.mean(areas) if iou is None else np.mean([area[iou] for area in areas]))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The scores of a set of pictures, of each picture, and the matches behind both."""

    scores: AveragePrecision
    pictures: tuple[PictureScore, ...]  # those with an object, in the order of their ids
    matches: Matches  # of all pictures, in the order of their ids


@dataclass(frozen=True, slots=True)
class YoloScore:
    """Generated pictures, the oracle on real ones, and AP divided by the oracle's AP."""

    generated: Evaluation
    oracle: Evaluation | None
    ratio: float | None


def yolo_score(truth: Truth, generated: Found, real: Found | None = None) -> YoloScore:
    """Score detections, by image id, against the boxes that were asked for, given as `truth`.

    real are the same detector's findings on the real pictures, cropped and scaled like the layouts.
    """
    pictures = PictureSet.of(truth)
    score = evaluate(truth, to_results(generated, pictures))
    oracle = None if real is None else evaluate(truth, to_results(real, pictures))
    ratio = None
    if oracle and oracle.scores.ap and score.scores.ap is not None:
        ratio = score.scores.ap / oracle.scores.ap
    return YoloScore(score, oracle, ratio)


def truth_of(
    layouts: Mapping[int, Layout], canvas: Canvas, names: Mapping[int, str] | None = None
) -> dict[str, Any]:
    """The layouts given to the generator as truth; phrases are the labels of detections.

    names numbers the classes, as in COCO's own categories; by default they are counted from 1 in
    the order in which they appear. It should hold every class that the detector is asked for.
    """
    phrases = dict.fromkeys(phrase for layout in layouts.values() for phrase in layout.phrases)
    names = dict(enumerate(phrases, 1)) if names is None else names
    ids = {name: category_id for category_id, name in names.items()}
    pairs = [(image_id, item) for image_id, layout in layouts.items() for item in layout]
    unknown = next(((i, item) for i, item in pairs if item.phrase not in ids), None)
    if unknown:
        raise SituError(f"picture {unknown[0]}: {unknown[1].phrase!r} is no class of this set")
    return {
        "images": [{"id": i, "width": canvas[0], "height": canvas[1]} for i in layouts],
        "annotations": [
            {"id": number, "image_id": image_id, "category_id": ids[item.phrase]}
            | _extent(xywh_px(item.box, canvas))
            for number, (image_id, item) in enumerate(pairs, 1)
        ],
        "categories": [{"id": i, "name": name} for i, name in names.items()],
    }


def _extent(bbox: list[float]) -> dict[str, Any]:
    return {"bbox": bbox, "area": bbox[2] * bbox[3], "iscrowd": 0}


def only_asked(truth: Truth, annotation_ids: Collection[int]) -> dict[str, Any]:
    """A COCO truth with only the annotations that were given to the generator, and their pictures."""
    asked = set(annotation_ids)
    kept = [annotation for annotation in truth["annotations"] if annotation["id"] in asked]
    missing = asked - {annotation["id"] for annotation in kept}
    if missing:
        raise SituError(f"annotation {min(missing)} was asked for but is not in the truth")
    pictures = {annotation["image_id"] for annotation in kept}
    images = [image for image in truth["images"] if image["id"] in pictures]
    return {"images": images, "annotations": kept, "categories": truth["categories"]}


def evaluate(truth: Truth, results: Sequence[Mapping[str, Any]]) -> Evaluation:
    """COCO's bounding box evaluation of result rows; crowds of the truth neither help nor harm.

    Raises SituError for rows on pictures that the truth does not have, which COCO leaves out.
    """
    _check_pictures(truth, results)
    run = _evaluated(truth, results)
    numbers = [None if value < 0 else float(value) for value in run.stats]
    return Evaluation(AveragePrecision(*numbers), _picture_scores(run), _matches(run))


def _evaluated(truth: Truth, results: Sequence[Mapping[str, Any]]) -> Any:
    try:
        from pycocotools.cocoeval import COCOeval
    except ImportError:
        raise SituError(
            'average precision needs pycocotools; install it with pip install "situ[eval]"'
        ) from None
    found = [{"iscrowd": 0, "area": row["bbox"][2] * row["bbox"][3], **row} for row in results]
    with contextlib.redirect_stdout(io.StringIO()):  # it prints its table
        run = COCOeval(_index(truth, truth["annotations"]), _index(truth, found), "bbox")
        run.params.maxDets = [1, 10, MOST]
        run.evaluate()
        run.accumulate()
        run.summarize()
    return run


def _index(truth: Truth, annotations: Sequence[Mapping[str, Any]]) -> Any:
    """pycocotools' index. Ids count from 1: it takes a match with number 0 for none."""
    from pycocotools.coco import COCO

    index: Any = COCO()
    rows = [{**row, "id": number} for number, row in enumerate(annotations, 1)]
    rows = [{"iscrowd": 0, "area": row["bbox"][2] * row["bbox"][3], **row} for row in rows]
    images, categories = truth["images"], truth["categories"]
    index.dataset = {"images": images, "categories": categories, "annotations": rows}
    index.createIndex()
    return index


def _check_pictures(truth: Truth, results: Sequence[Mapping[str, Any]]) -> None:
    known = {image["id"] for image in truth["images"]}
    for index, row in enumerate(results):
        if row["image_id"] not in known:
            raise SituError(
                f"row {index}: image_id {shown(row['image_id'])} is not among the {len(known)} "
                "pictures of the truth"
            )


def _by_class(run: Any) -> list[list[dict[str, Any] | None]]:
    """pycocotools' records at all areas: for each class those of each picture, or None."""
    areas, pictures = len(run.params.areaRng), len(run.params.imgIds)
    starts = range(ALL_AREAS * pictures, len(run.evalImgs), areas * pictures)
    return [run.evalImgs[start : start + pictures] for start in starts]


def _picture_scores(run: Any) -> tuple[PictureScore, ...]:
    found = np.zeros((len(run.params.imgIds), len(IOUS)))
    objects = np.zeros(len(run.params.imgIds), int)
    for records in _by_class(run):
        for picture, record in enumerate(records):
            if record is not None:
                asked = np.asarray(record["gtIgnore"]) == 0
                objects[picture] += asked.sum()
                found[picture] += (record["gtMatches"][:, asked] > 0).sum(1)
    return tuple(
        PictureScore(int(image_id), int(n), float(hits[0] / n), float(hits.mean() / n))
        for image_id, hits, n in zip(run.params.imgIds, found, objects, strict=True)
        if n
    )


def _matches(run: Any) -> Matches:
    pictures = len(run.params.imgIds)
    classes = [_class_matches(records, pictures) for records in _by_class(run)]
    return Matches(tuple(some for some in classes if some.objects.any()), pictures)


def _class_matches(records: Sequence[dict[str, Any] | None], pictures: int) -> ClassMatches:
    objects = np.zeros(pictures, np.intp)
    present = [(number, record) for number, record in enumerate(records) if record is not None]
    for number, record in present:
        objects[number] = np.count_nonzero(np.asarray(record["gtIgnore"]) == 0)
    none = np.zeros((len(IOUS), 0))
    scores = np.concatenate([[], *(record["dtScores"] for _, record in present)])
    order = np.argsort(-scores, kind="stable")
    picture = np.repeat([n for n, _ in present], [len(r["dtScores"]) for _, r in present])
    hit = np.concatenate([none, *(r["dtMatches"] > 0 for _, r in present)], 1)
    skip = np.concatenate([none, *(r["dtIgnore"] for _, r in present)], 1)
    hit, counts = hit[:, order].astype(bool), ~skip[:, order].astype(bool)
    return ClassMatches(picture[order].astype(np.intp), hit & counts, counts, objects)


def _area(some: ClassMatches, weights: NDArray[np.intp]) -> NDArray[np.float64]:
    """Area under precision over recall at each of IOUS, 101 points, pictures counted by weight."""
    weight = weights[some.picture]
    right = np.cumsum(some.hit * weight, 1)
    told = np.cumsum(some.counts * weight, 1)
    precision = right / np.maximum(told, 1)
    best = np.maximum.accumulate(precision[:, ::-1], 1)[:, ::-1]  # at this recall or more
    best = np.pad(best, ((0, 0), (0, 1)))
    recall = right / (some.objects @ weights)
    rows = zip(recall, best, strict=True)
    return np.array([row[np.searchsorted(reached, RECALLS)].mean() for reached, row in rows])
