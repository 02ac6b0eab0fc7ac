"""Real COCO pictures, where they are at hand, and the geometry of the centre crop by hand."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from situ.data.coco import MIN_AREA, Crop, read_coco
from situ.scene import SituError


def test_the_crop_is_the_centred_square() -> None:
    crop = Crop(640, 480)
    assert (crop.side, crop.left_top) == (480, (80, 0))
    box = crop.box([80 + 120, 120, 240, 240])
    assert box is not None
    assert box.xyxy == pytest.approx((0.25, 0.25, 0.75, 0.75))


def test_a_box_outside_of_the_crop_or_too_small_is_left_out() -> None:
    crop = Crop(640, 480)
    assert crop.box([0, 0, 70, 480]) is None
    assert crop.box([200, 200, 47, 48]) is None
    assert crop.box([200, 200, 49, 48]) is not None


@given(
    st.integers(10, 1000),
    st.integers(10, 1000),
    st.tuples(*[st.floats(0, 1000)] * 4),
)
def test_what_is_left_of_a_box_lies_on_the_canvas(
    width: int, height: int, xywh: tuple[float, ...]
) -> None:
    box = Crop(width, height).box(xywh)
    assert box is None or (box.area >= MIN_AREA * 0.999 and 0 <= box.x0 < box.x1 <= 1)


def test_a_missing_annotation_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SituError, match=r"instances\.json is missing"):
        read_coco(tmp_path)
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations/instances.json").write_text("{\n\n]")
    with pytest.raises(SituError, match=r"instances\.json:3: not valid JSON"):
        read_coco(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"categories": [{"id": 1}]}, r"instances\.json: the key 'name' is missing"),
        ({"annotations": [{"bbox": []}]}, r"instances\.json: the key 'image_id' is missing"),
        ({"annotations": None}, r"instances\.json: annotations must be a list"),
    ],
)
def test_what_an_annotation_file_lacks_is_told(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    whole = {"images": [], "annotations": [], "categories": []}
    (tmp_path / "annotations").mkdir()
    for name, content in (("instances", {**whole, **change}), ("captions", whole)):
        (tmp_path / f"annotations/{name}.json").write_text(json.dumps(content))
    with pytest.raises(SituError, match=message):
        read_coco(tmp_path)


REAL = Path(__file__).parents[3] / "shared/data/coco/val2017_ccby"


@pytest.mark.skipif(not REAL.is_dir(), reason="the 47 real COCO pictures are not at hand")
def test_real_pictures_give_scenes_and_squares() -> None:
    items = read_coco(REAL, "instances.json", "captions.json")
    assert len(items) == 47
    for item in items:
        assert item.captions
        areas = [box.area for box in item.layout.boxes]
        assert areas == sorted(areas, reverse=True)
        assert item.pixels(64).shape == (64, 64, 3)
    assert sum(len(item.layout) for item in items) > 47
