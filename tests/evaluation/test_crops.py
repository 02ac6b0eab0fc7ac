"""Region crops against slices by hand, CLIP's own preprocessing, and counts over COCO's boxes."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from situ.data.coco import Crop
from situ.evaluation.crops import (
    MIN_SIDE,
    PADDING,
    Region,
    crop_px,
    cut,
    middle_square,
    select,
    survived,
    window_px,
)
from situ.scene import Box, SituError

SHARED = Path(__file__).parents[3] / "shared/data/coco/ap_golden/instances_val2014_100.json"


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_windows_take_every_pixel_that_is_touched_and_no_other() -> None:
    canvas = (100, 50)
    assert window_px(Box(0.101, 0.25, 0.309, 0.5), canvas) == (10, 12, 31, 25)
    assert window_px(Box(0, 0, 1, 1), canvas) == (0, 0, 100, 50)
    assert window_px(Box(0.2, 0.5, 0.20001, 0.50001), canvas) == (20, 25, 21, 26)
    assert window_px(Box(0.99999, 0.99999, 1, 1), canvas) == (99, 49, 100, 50)


@given(st.integers(8, 600), st.integers(8, 600), st.data())
def test_a_box_on_whole_pixels_gives_back_these_pixels(
    width: int, height: int, data: st.DataObject
) -> None:
    left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    right = data.draw(st.integers(left + 1, width))
    bottom = data.draw(st.integers(top + 1, height))
    box = Box(*(round(v, 7) for v in Box.from_px(left, top, right, bottom, (width, height)).xyxy))
    assert window_px(box, (width, height)) == (left, top, right, bottom)


def test_small_boxes_are_left_out() -> None:
    boxes = [
        [Box(0, 0, 0.0625, 0.5), Box(0, 0, 0.0624, 0.5)],
        [],
        [Box(0.1, 0.2, 0.9, 0.2626), Box(0.1, 0.2, 0.9, 0.262)],
    ]
    kept = select(boxes, (512, 512))
    assert [(r.picture, r.item) for r in kept] == [(0, 0), (2, 0)]
    assert kept[1].box == boxes[2][0]
    assert MIN_SIDE == 32 / 512
    assert len(select(boxes, (512, 512), min_side=0)) == 4
    assert select(boxes, (512, 512), min_side=0.6) == ()


def test_the_shorter_side_is_measured_in_pixels() -> None:
    boxes = [[Box(0, 0, 0.04, 0.5), Box(0, 0, 0.5, 0.04)]]
    assert [r.item for r in select(boxes, (1024, 512))] == [0]  # 41 and 20 px; the least is 32


def test_boxes_that_the_centre_crop_cut_in_two_are_left_out() -> None:
    box = Box(0, 0, 0.5, 0.5)
    kept = select([[box, box], [box]], (512, 512), shares=[[0.5, 0.49], [1.0]])
    assert [(r.picture, r.item) for r in kept] == [(0, 0), (1, 0)]
    with pytest.raises(SituError, match="picture 0 has 2 boxes"):
        select([[box, box]], (512, 512), shares=[[1.0]])
    with pytest.raises(SituError, match="picture 1 has 1 boxes"):
        select([[], [box]], (512, 512), shares=[[]])


def test_the_share_that_survives_by_hand() -> None:
    crop = Crop(640, 480)  # columns 80 to 560
    assert survived(crop, [100, 10, 50, 50]) == 1
    assert survived(crop, [60, 10, 40, 50]) == 0.5
    assert survived(crop, [550, 0, 40, 480]) == 0.25
    assert survived(crop, [0, 0, 80, 480]) == 0
    assert survived(crop, [0, 0, 640, 480]) == 0.75
    assert survived(crop, [100, 10, 0, 50]) == 0
    assert survived(Crop(480, 640), [10, 60, 50, 40]) == 0.5


@given(
    st.integers(20, 700),
    st.integers(20, 700),
    st.tuples(st.floats(0, 500), st.floats(0, 500), st.floats(1, 500), st.floats(1, 500)),
)
def test_the_share_agrees_with_the_box_of_the_training_crop(
    width: int, height: int, xywh: tuple[float, float, float, float]
) -> None:
    crop = Crop(width, height)
    box = crop.box(xywh)
    if box is not None:
        share = box.area * crop.side**2 / (xywh[2] * xywh[3])
        assert survived(crop, xywh) == pytest.approx(share, rel=1e-6)


@pytest.mark.skipif(not SHARED.is_file(), reason="the boxes of 100 COCO pictures are not at hand")
def test_the_shares_of_real_boxes() -> None:
    content = json.loads(SHARED.read_text())
    crops = {i["id"]: Crop(i["width"], i["height"]) for i in content["images"]}
    plain = [a for a in content["annotations"] if not a["iscrowd"]]
    left = np.array([survived(crops[a["image_id"]], a["bbox"]) for a in plain])
    assert len(left) == 830
    counts = (left == 0).mean(), (left < 0.5).mean(), (left > 1 - 1e-9).mean()
    assert [round(100 * share, 1) for share in counts] == [12.4, 18.1, 64.9]


def test_a_crop_of_its_own_size_is_the_slice() -> None:
    picture = noise(60, 80)
    region = Region(0, 3, Box.from_px(10, 20, 34, 44, (80, 60)))
    for mode in ("warp", "pad", "center"):
        assert np.array_equal(cut([picture], [region], 24, mode).pixels[0], picture[20:44, 10:34])
    assert np.array_equal(crop_px(picture, region.box), picture[20:44, 10:34])


def test_warp_stretches_the_crop() -> None:
    picture = noise(60, 80)
    region = Region(0, 0, Box.from_px(10, 20, 70, 32, (80, 60)))
    pixels = cut([picture], [region], 24).pixels[0]
    slice_ = Image.fromarray(picture[20:32, 10:70])
    assert np.array_equal(pixels, np.asarray(slice_.resize((24, 24), Image.Resampling.BICUBIC)))


def test_pad_keeps_the_shape_and_fills_both_sides() -> None:
    picture = noise(60, 80)
    region = Region(0, 0, Box.from_px(10, 20, 34, 32, (80, 60)))
    pixels = cut([picture], [region], 24, "pad").pixels[0]
    assert np.array_equal(pixels[6:18], picture[20:32, 10:34])
    assert np.array_equal(np.unique(pixels[:6].reshape(-1, 3), axis=0), [PADDING])
    assert np.array_equal(np.unique(pixels[18:].reshape(-1, 3), axis=0), [PADDING])


def test_center_keeps_the_middle_square_with_its_offset_rounded_down() -> None:
    picture = noise(60, 81)
    region = Region(0, 0, Box.from_px(10, 20, 41, 44, (81, 60)))  # 31 x 24: 7 columns too many
    pixels = cut([picture], [region], 24, "center").pixels[0]
    assert np.array_equal(pixels, picture[20:44, 13:37])


def test_mask_is_the_picture_with_all_else_black() -> None:
    picture = noise(64, 64).clip(1)
    region = Region(0, 0, Box(0.25, 0.5, 0.5, 0.75))
    pixels = cut([picture], [region], 64, "mask").pixels[0]
    assert np.array_equal(pixels[32:48, 16:32], picture[32:48, 16:32])
    assert np.count_nonzero(pixels) == 16 * 16 * 3
    assert cut([noise(64, 96)], [region], 32, "mask").pixels.shape == (1, 32, 32, 3)


def test_crops_know_their_pictures_and_objects() -> None:
    pictures = np.stack([noise(64, 64, 1), noise(64, 64, 2)])
    boxes = [[Box(0, 0, 0.01, 0.01), Box(0, 0, 0.5, 0.5)], [Box(0.5, 0.5, 1, 1)]]
    crops = cut(pictures, select(boxes, (64, 64)), 32)
    assert crops.index.tolist() == [[0, 1], [1, 0]]
    assert np.array_equal(crops.pixels, [pictures[0, :32, :32], pictures[1, 32:, 32:]])
    empty = cut(pictures, (), 32)
    assert (empty.pixels.shape, empty.index.shape) == ((0, 32, 32, 3), (0, 2))


@pytest.mark.parametrize("shape", [(100, 75), (75, 101), (33, 333), (240, 224), (7, 5)])
def test_the_middle_square_is_that_of_transformers(shape: tuple[int, int]) -> None:
    transformers = pytest.importorskip("transformers")
    processor = getattr(transformers, "CLIPImageProcessorPil", transformers.CLIPImageProcessor)()
    image = Image.fromarray(noise(*shape))
    options = {"do_rescale": False, "do_normalize": False, "return_tensors": "np"}
    theirs = np.asarray(processor(image, **options)["pixel_values"])[0].transpose(1, 2, 0)
    assert np.array_equal(np.asarray(middle_square(image, 224)), theirs)


def test_what_cannot_be_cut() -> None:
    region = Region(1, 0, Box(0, 0, 1, 1))
    with pytest.raises(SituError, match="picture 1 is not one of the 1 pictures"):
        cut([noise(8, 8)], [region], 4)
    with pytest.raises(SituError, match=r"pictures\[1\]: shape \(8, 8\) of uint8"):
        cut([noise(8, 8), noise(8, 8)[..., 0]], [region], 4)
    with pytest.raises(SituError, match="did you mean 'warp'"):
        cut([noise(8, 8)], [], 4, "wrap")  # type: ignore[arg-type]
