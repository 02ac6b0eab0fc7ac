"""COCO's result format: what is written is read back, and files of another kind are refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from situ.evaluation.detections import (
    Detection,
    PictureSet,
    overlaps,
    read_detections,
    write_detections,
)
from situ.scene import Box, SituError

PICTURES = PictureSet({7: (640, 480), 9: (100, 200)}, {1: "person", 90: "toothbrush"})
GOOD = {"image_id": 7, "category_id": 1, "bbox": [64, 48, 320, 240], "score": 0.5}


def written(path: Path, *rows: Any) -> Path:
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name != key}


corners = st.lists(st.floats(0, 1, allow_subnormal=False), min_size=2, max_size=2).map(sorted)
boxes = (
    st.tuples(corners, corners)
    .map(lambda xy: (xy[0][0], xy[1][0], xy[0][1], xy[1][1]))
    .filter(lambda b: b[2] - b[0] > 1e-4 and b[3] - b[1] > 1e-4)
    .map(lambda b: Box(*b))
)


def test_pixels_become_fractions(tmp_path: Path) -> None:
    found = read_detections(written(tmp_path / "found.json", GOOD), PICTURES)
    assert found == {7: [Detection("person", 0.5, Box(0.1, 0.1, 0.6, 0.6))], 9: []}


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from([7, 9]), st.floats(0, 1), boxes), max_size=6))
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, float, Box]]
) -> None:
    found: dict[int, list[Detection]] = {7: [], 9: []}
    for image_id, score, box in rows:
        found[image_id].append(Detection("toothbrush", score, box))
    path = tmp_path_factory.mktemp("found") / "found.json"
    full = Detection("person", 1.0, Box(0, 0, 1, 1))  # a file of small boxes only is refused
    found[7].append(full)
    write_detections(path, found, PICTURES)
    for image_id, detections in read_detections(path, PICTURES).items():
        for ours, theirs in zip(found[image_id], detections, strict=True):
            assert (ours.label, ours.score) == (theirs.label, theirs.score)
            assert ours.box.xyxy == pytest.approx(theirs.box.xyxy, abs=2e-6)


def test_numbers_of_few_digits_stay_as_they_are(tmp_path: Path) -> None:
    """IoU of boxes in whole pixels meets a threshold exactly, and one bit more or less decides."""
    rows = [
        GOOD | {"bbox": [x / 100, 3.32, 268.6 - x / 100, 271.91]} for x in range(1266, 26000, 97)
    ]
    found = read_detections(written(tmp_path / "in.json", *rows), PICTURES)
    write_detections(tmp_path / "out.json", found, PICTURES)
    again = json.loads((tmp_path / "out.json").read_text())
    assert [row["bbox"] for row in again] == [[round(v, 6) for v in r["bbox"]] for r in rows]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (GOOD | {"image_id": 8}, "image_id 8 is not of this set; it has 2: 7, 9"),
        (GOOD | {"image_id": "7"}, "image_id must be a whole number, got '7'"),
        (GOOD | {"category_id": 2}, "category_id 2 is not of this set; it has 2: 1, 90"),
        (GOOD | {"bbox": [0, 0, float("nan"), 9]}, "bbox must be a finite number, got nan"),
        (GOOD | {"bbox": [0, 0, None, 9]}, "bbox must be a number, got None"),
        (GOOD | {"bbox": [0, 0, 9]}, "[0.0, 0.0, 9.0] is not [x, y, width, height]"),
        (GOOD | {"bbox": [0, 0, 9, 0]}, "with some area"),
        (GOOD | {"bbox": [0, 0, 9, -2]}, "with some area"),
        (
            GOOD | {"bbox": [400, 300, 600, 400]},
            "leaves the 640x480 picture by 360 pixels; if these are corners, write "
            "[400.0, 300.0, 200.0, 100.0]",
        ),
        (GOOD | {"bbox": [-5, 0, 9, 9]}, "leaves the 640x480 picture by 5 pixels"),
        (GOOD | {"score": float("nan")}, "score must be a finite number, got nan"),
        (GOOD | {"score": 73.5}, "score must be in 0..1, got 73.5"),
        (GOOD | {"score": "high"}, "score must be a number, got 'high'"),
        (without("score"), "the key 'score' is missing"),
        (without("bbox"), "the key 'bbox' is missing"),
        ([1, 2], "a detection must be a JSON object"),
    ],
)
def test_a_row_that_does_not_fit_is_named(tmp_path: Path, row: Any, message: str) -> None:
    path = written(tmp_path / "found.json", GOOD, GOOD, row)
    with pytest.raises(SituError) as caught:
        read_detections(path, PICTURES)
    assert str(caught.value).startswith(f"{path}: row 2: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_fractions_are_no_pixels(tmp_path: Path) -> None:
    rows = [GOOD | {"bbox": [0.1, 0.1, 0.5, 0.5]}, GOOD | {"bbox": [0, 0, 1, 1]}]
    with pytest.raises(SituError, match=r"row 0: bbox \[0.1, .* fractions of the picture"):
        read_detections(written(tmp_path / "found.json", *rows), PICTURES)


def test_a_hair_over_the_edge_is_cut(tmp_path: Path) -> None:
    row = GOOD | {"bbox": [320, 240, 320.9, 240.2]}
    (found,) = read_detections(written(tmp_path / "found.json", row), PICTURES)[7]
    assert found.box == Box(0.5, 0.5, 1, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[{]", "line 1: not valid JSON"),
        ('{"annotations": []}', "COCO results must be a list"),
    ],
)
def test_a_file_that_is_no_list_of_rows_is_refused(
    tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "found.json"
    path.write_text(content)
    with pytest.raises(SituError, match=message) as caught:
        read_detections(path, PICTURES)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SituError, match=r"none\.json.*cannot be read"):
        read_detections(tmp_path / "none.json", PICTURES)


def test_what_a_set_does_not_have_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    box = Box(0, 0, 1, 1)
    with pytest.raises(SituError, match="label 'cat' is no category; it has 2: person"):
        write_detections(path, {7: [Detection("cat", 0.5, box)]}, PICTURES)
    with pytest.raises(SituError, match="image_id 3 is not of this set"):
        write_detections(path, {3: [Detection("person", 0.5, box)]}, PICTURES)
    assert list(tmp_path.iterdir()) == []


def test_two_categories_of_one_name_are_refused() -> None:
    with pytest.raises(SituError, match="two categories are named 'cat'"):
        PictureSet({}, {1: "cat", 2: "dog", 3: "cat"})


@settings(max_examples=40)
@given(st.lists(boxes, max_size=4), st.lists(boxes, max_size=4))
def test_overlaps_are_those_of_the_boxes(one: list[Box], other: list[Box]) -> None:
    expected = [[a.iou(b) for b in other] for a in one]
    table = overlaps(one, other)
    assert table.shape == (len(one), len(other))
    assert np.allclose(table, np.reshape(expected, table.shape), atol=1e-3)
