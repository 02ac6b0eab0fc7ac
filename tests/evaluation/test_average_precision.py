"""COCO's own fake detections, whose scores are published, and properties on them."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from situ.evaluation.average_precision import (
    Evaluation,
    evaluate,
    only_asked,
    truth_of,
    yolo_score,
)
from situ.evaluation.detections import (
    Detection,
    PictureSet,
    from_results,
    read_detections,
    to_results,
    write_detections,
)
from situ.evaluation.statistics import bootstrap
from situ.scene import Box, Layout, Object, SituError

pytest.importorskip("pycocotools")
GOLDEN = Path(__file__).parents[3] / "shared/data/coco/ap_golden"
NAMES = ("AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large")
NAMES += ("AR1", "AR10", "AR100", "AR_small", "AR_medium", "AR_large")
LEFT, RIGHT = Box(0.1, 0.1, 0.4, 0.4), Box(0.5, 0.5, 0.9, 0.9)


def read(name: str) -> Any:
    if not GOLDEN.is_dir():
        pytest.skip("the COCO sample is not at hand")
    return json.loads((GOLDEN / name).read_text())


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    return read("instances_val2014_100.json")


@pytest.fixture(scope="module")
def results() -> list[dict[str, Any]]:
    return read("instances_val2014_fakebbox100_results.json")


@pytest.fixture(scope="module")
def evaluation(truth: dict[str, Any], results: list[dict[str, Any]]) -> Evaluation:
    return evaluate(truth, results)


def own(truth: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The truth as its own detections."""
    return [
        {k: a[k] for k in ("image_id", "category_id", "bbox")} | {"score": 1.0}
        for a in truth["annotations"]
        if not a["iscrowd"]
    ]


def test_the_published_scores(evaluation: Evaluation) -> None:
    scores = evaluation.scores
    assert scores.ap == pytest.approx(0.5045806987, abs=5e-11)
    assert scores.ap50 == pytest.approx(0.6969727247, abs=5e-11)
    assert scores.ap75 == pytest.approx(0.5729816670, abs=5e-11)
    assert scores.ar100 == pytest.approx(0.5953529829, abs=5e-11)
    expected = read("expected_bbox.json")
    for name in NAMES:
        assert getattr(scores, name.lower()) == pytest.approx(expected[name], abs=1e-12)


def test_the_published_scores_through_files_and_fractions(
    tmp_path: Path, truth: dict[str, Any], evaluation: Evaluation
) -> None:
    """Boxes that were normalised and written again score the same, to the last digit."""
    pictures = PictureSet.of(truth)
    found = read_detections(GOLDEN / "instances_val2014_fakebbox100_results.json", pictures)
    write_detections(tmp_path / "again.json", found, pictures)
    again = read_detections(tmp_path / "again.json", pictures)
    assert yolo_score(truth, again).generated.scores == evaluation.scores


def test_the_truth_as_its_own_detections(truth: dict[str, Any]) -> None:
    found = evaluate(truth, own(truth))
    assert found.scores.ap == pytest.approx(1)
    assert found.scores.ar1 == pytest.approx(0.6047, abs=5e-5)
    assert found.scores.ar100 == pytest.approx(1)
    assert found.matches.ap() == pytest.approx(1)
    assert all(picture.recall == picture.recall50 == 1 for picture in found.pictures)


def test_faster_coco_eval_agrees(
    truth: dict[str, Any], results: list[dict[str, Any]], evaluation: Evaluation
) -> None:
    other = pytest.importorskip("faster_coco_eval")
    gt = other.COCO(truth)
    run = other.COCOeval_faster(gt, gt.loadRes(results), "bbox")
    run.run()
    theirs = [float(v) for v in run.stats[:12]]
    ours = [getattr(evaluation.scores, name.lower()) for name in NAMES]
    assert ours == pytest.approx(theirs, abs=1e-6)


def test_weighed_matches_give_the_same_precision(evaluation: Evaluation) -> None:
    scores, matches = evaluation.scores, evaluation.matches
    assert matches.ap() == pytest.approx(scores.ap, abs=1e-12)
    assert matches.ap(iou=0) == pytest.approx(scores.ap50, abs=1e-12)
    assert matches.ap(iou=5) == pytest.approx(scores.ap75, abs=1e-12)


def test_a_resampled_set_scores_as_coco_scores_the_copied_pictures(
    truth: dict[str, Any],
    results: list[dict[str, Any]],
) -> None:
    # scores that tie between pictures are ordered by picture, and copies are other pictures
    rng = np.random.default_rng(0)
    spread = [row | {"score": (row["score"] + 1e-6 * n) / 2} for n, row in enumerate(results)]
    ids = sorted(image["id"] for image in truth["images"])
    rows = rng.integers(len(ids), size=len(ids))
    images, annotations, found = [], [], []
    for copy, row in enumerate(rows, 1):
        images += [i | {"id": copy} for i in truth["images"] if i["id"] == ids[row]]
        for source, copies in ((truth["annotations"], annotations), (spread, found)):
            copies += [r | {"image_id": copy} for r in source if r["image_id"] == ids[row]]
    resampled = truth | {"images": images, "annotations": annotations}
    expected = evaluate(resampled, found).scores.ap
    assert evaluate(truth, spread).matches.ap(rows) == pytest.approx(expected, abs=1e-9)


def test_the_precision_has_an_interval(evaluation: Evaluation) -> None:
    found = bootstrap(evaluation.matches.ap, evaluation.matches.pictures, draws=20)
    assert found.value == pytest.approx(evaluation.scores.ap)
    assert 0.4 < found.low < found.high < 0.7


def test_recall_by_picture(truth: dict[str, Any], evaluation: Evaluation) -> None:
    """One person of 42 is found; AR100 is over classes, so it is not the mean of these."""
    pictures = evaluation.pictures
    crowds = {a["image_id"] for a in truth["annotations"]}
    counted = sum(not a["iscrowd"] for a in truth["annotations"])
    assert {p.image_id for p in pictures} <= crowds
    assert sum(p.objects for p in pictures) == counted
    assert all(0 <= p.recall <= p.recall50 <= 1 for p in pictures)


def test_the_first_annotation_counts_even_with_number_0() -> None:
    """pycocotools takes a match with annotation 0 for none; a file may well count from 0."""
    made = truth_of({1: Layout((Object("cat", LEFT),))}, (100, 100))
    made["annotations"][0]["id"] = 0
    row = {"image_id": 1, "category_id": 1, "bbox": [10, 10, 30, 30], "score": 0.9}
    assert evaluate(made, [row]).scores.ap == pytest.approx(1)


def test_precision_by_hand() -> None:
    """Two cats; the surest finding is wrong, the next is right: precision 1/2 up to recall 1/2."""
    made = truth_of({1: Layout((Object("cat", LEFT), Object("cat", RIGHT)))}, (512, 512))
    found = {
        1: [Detection("cat", 0.9, Box(0, 0.6, 0.2, 0.9)), Detection("cat", 0.8, LEFT)],
    }
    score = yolo_score(made, found).generated
    assert score.scores.ap == pytest.approx(0.5 * 51 / 101)
    assert score.pictures[0].recall == score.pictures[0].recall50 == 0.5
    assert (score.scores.ap_small, score.scores.ap_medium) == (None, None)
    assert score.scores.ap_large == pytest.approx(0.5 * 51 / 101)


def test_the_canvas_decides_what_is_small() -> None:
    layouts = {1: Layout((Object("cat", Box(0, 0, 0.15, 0.15)),))}
    found = {1: [Detection("cat", 0.9, Box(0, 0, 0.15, 0.15))]}
    at_128 = yolo_score(truth_of(layouts, (128, 128)), found).generated.scores
    at_512 = yolo_score(truth_of(layouts, (512, 512)), found).generated.scores
    assert (at_128.ap_small, at_128.ap_medium) == (pytest.approx(1), None)
    assert (at_512.ap_small, at_512.ap_medium) == (None, pytest.approx(1))


def test_the_oracle_and_the_ratio() -> None:
    made = truth_of({1: Layout((Object("cat", LEFT), Object("dog", RIGHT)))}, (512, 512))
    real = {1: [Detection("cat", 0.9, LEFT), Detection("dog", 0.8, RIGHT)]}
    score = yolo_score(made, {1: real[1][:1]}, real)
    assert score.generated.scores.ap == pytest.approx(0.5)
    assert score.oracle is not None
    assert score.oracle.scores.ap == pytest.approx(1)
    assert score.ratio == pytest.approx(0.5)
    blind = yolo_score(made, real, {1: []})
    assert blind.ratio is None
    assert yolo_score(made, real).oracle is None


def test_things_that_nobody_asked_for_do_not_count_as_missed(
    truth: dict[str, Any], results: list[dict[str, Any]]
) -> None:
    large = [a for a in truth["annotations"] if not a["iscrowd"] and a["area"] > 10_000]
    asked = only_asked(truth, [a["id"] for a in large])
    assert len(asked["annotations"]) == len(large)
    assert {i["id"] for i in asked["images"]} == {a["image_id"] for a in large}
    found = evaluate(asked, own(asked)).scores
    assert found.ap == pytest.approx(1)
    known = {i["id"] for i in asked["images"]}
    less = evaluate(asked, [r for r in results if r["image_id"] in known]).scores
    assert less.ar100 is not None
    assert 0 < less.ar100 < 1
    with pytest.raises(SituError, match="annotation 5 was asked for"):
        only_asked(truth, [5])


def test_a_picture_without_findings_or_objects_is_no_error() -> None:
    made = truth_of({1: Layout((Object("cat", LEFT),)), 2: Layout()}, (64, 64))
    empty = yolo_score(made, {})
    assert empty.generated.scores.ap == 0
    assert [p.image_id for p in empty.generated.pictures] == [1]
    noisy = yolo_score(made, {1: [Detection("cat", 0.5, LEFT)], 2: [Detection("cat", 0.9, LEFT)]})
    assert noisy.generated.scores.ap == pytest.approx(0.5)  # the false one comes first
    with pytest.raises(SituError, match="none of these pictures has an object"):
        noisy.generated.matches.ap(np.array([1, 1]))


def test_rows_of_another_set_are_refused(truth: dict[str, Any]) -> None:
    row = {"image_id": 1, "category_id": 1, "bbox": [0, 0, 9, 9], "score": 0.5}
    with pytest.raises(SituError, match="row 0: image_id 1 is not among the 100 pictures"):
        evaluate(truth, [row])
    with pytest.raises(SituError, match="picture 1: 'cat' is no class of this set"):
        truth_of({1: Layout((Object("cat", LEFT),))}, (64, 64), {1: "dog"})


def test_categories_keep_their_numbers() -> None:
    made = truth_of({5: Layout((Object("cat", LEFT),))}, (640, 480), {17: "cat", 90: "toothbrush"})
    pictures = PictureSet.of(made)
    rows = to_results({5: [Detection("cat", 0.5, LEFT)]}, pictures)
    assert rows[0]["category_id"] == made["annotations"][0]["category_id"] == 17
    assert rows[0]["bbox"] == made["annotations"][0]["bbox"] == [64, 48, 192, 144]
    assert from_results(rows, pictures)[5][0].box == LEFT
    assert math.isclose(made["annotations"][0]["area"], 192 * 144)
