"""Geometry of boxes, and what a wrong box is told."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from situ.scene import Box, SceneError
from situ.scene.box import ROUNDING

CANVAS = (640, 480)


def near(one: Box, other: Box) -> bool:
    return one.xyxy == pytest.approx(other.xyxy, abs=1e-9)


@given(box=...)
def test_size_center_and_corners_agree(box: Box) -> None:
    cx, cy = box.center
    assert box.area == box.width * box.height > 0
    assert cx - box.width / 2 == pytest.approx(box.x0)
    assert cy + box.height / 2 == pytest.approx(box.y1)


@given(box=..., width=st.integers(1, 4096), height=st.integers(1, 4096))
def test_every_unit_comes_back(box: Box, width: int, height: int) -> None:
    canvas = (width, height)
    assert near(Box.from_xywh(*box.to_xywh(canvas), canvas), box)
    assert near(Box.from_cxcywh(*box.to_cxcywh(canvas), canvas), box)
    assert near(Box.from_xywh(*box.to_xywh()), box)
    assert near(Box.from_cxcywh(*box.to_cxcywh()), box)


@given(box=..., width=st.integers(1, 4096), height=st.integers(1, 4096))
def test_pixels_lie_on_the_canvas_and_differ_by_half_a_pixel(
    box: Box, width: int, height: int
) -> None:
    x0, y0, x1, y1 = box.to_px((width, height))
    assert 0 <= x0 < x1 <= width
    assert 0 <= y0 < y1 <= height
    if box.width * width >= 1:
        assert abs(x0 - box.x0 * width) <= 0.5 + 1e-9


@given(st.data())
def test_whole_pixels_come_back(data: st.DataObject) -> None:
    width, height = data.draw(st.integers(2, 4096)), data.draw(st.integers(2, 4096))
    x0, y0 = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    x1, y1 = data.draw(st.integers(x0 + 1, width)), data.draw(st.integers(y0 + 1, height))
    canvas = (width, height)
    assert Box.from_px(x0, y0, x1, y1, canvas).to_px(canvas) == (x0, y0, x1, y1)


@given(a=..., b=...)
def test_iou_is_symmetric_and_bounded(a: Box, b: Box) -> None:
    assert a.iou(a) == 1
    assert a.iou(b) == b.iou(a)
    assert 0 <= a.iou(b) <= 1
    assert (a.iou(b) > 0) == (a.intersection(b) is not None)


@given(a=..., b=...)
def test_intersection_lies_in_both(a: Box, b: Box) -> None:
    common = a.intersection(b)
    assert common == b.intersection(a)
    if common:
        assert common.share_in(a) == pytest.approx(1)
        assert common.share_in(b) == pytest.approx(1)
        assert common.area == pytest.approx(a.share_in(b) * a.area)


def test_iou_of_a_quarter() -> None:
    assert Box(0, 0, 0.5, 0.5).iou(Box(0.25, 0, 0.75, 0.5)) == pytest.approx(1 / 3)
    assert Box(0, 0, 0.5, 1).iou(Box(0.5, 0, 1, 1)) == 0


@given(box=...)
def test_mirroring_twice_changes_nothing(box: Box) -> None:
    assert near(box.mirrored().mirrored(), box)
    assert box.mirrored().area == pytest.approx(box.area)


@given(box=..., window=...)
def test_a_crop_shows_what_it_shares(box: Box, window: Box) -> None:
    seen = box.relative_to(window)
    shared = box.intersection(window)
    if seen and shared:
        assert seen.area * window.area == pytest.approx(shared.area, rel=1e-3, abs=1e-6)
    assert box.relative_to(Box(0, 0, 1, 1)) == box


@given(st.tuples(*[st.floats(-3, 3)] * 4))
def test_clamped_is_a_box_or_none(corners: tuple[float, float, float, float]) -> None:
    x0, y0, x1, y1 = corners
    box = Box.clamped(x0, y0, x1, y1)
    seen = min(min(x1, 1) - max(x0, 0), min(y1, 1) - max(y0, 0))
    if seen > 2 * ROUNDING:
        assert box is not None
        assert box.width == pytest.approx(min(x1, 1) - max(x0, 0), abs=2 * ROUNDING)
    if seen < ROUNDING / 2:
        assert box is None


def test_rounding_errors_snap_to_the_edge() -> None:
    assert Box(-1e-7, 0, 1.0000001192, 1).xyxy == (0, 0, 1, 1)
    assert math.copysign(1, Box(-0.0, 0, 1, 1).x0) == 1


def test_any_real_number_is_taken_as_a_float() -> None:
    box = Box(0, 0, 1, Fraction(1, 2))  # type: ignore[arg-type]
    assert [type(value) for value in box.xyxy] == [float] * 4


WRONG = [
    ((math.nan, 0, 1, 1), ["x0 must be a finite number", "nan"]),
    ((0, -math.inf, 1, 1), ["y0 must be a finite number", "-inf"]),
    ((10**400, 0, 1, 1), ["x0 must be a finite number"]),
    ((True, 0, 1, 1), ["x0 must be a number", "True (bool)"]),
    ((0, 0, "1", 1), ["x1 must be a number", "'1' (str)"]),
    ((0, 0, None, 1), ["x1 must be a number", "None"]),
    ((10, 20, 110, 220), ["x0=10.0 is outside 0..1", "pixels", "divide x by the width"]),
    ((-0.2, 0, 1, 1), ["x0=-0.2 is outside 0..1", "cut off"]),
    ((0, 0, 1, 1.2), ["y1=1.2 is outside 0..1", "cut off"]),
    ((0.5, 0.5, 0.2, 0.3), ["x0=0.5 must be less than x1=0.2", "[0.5, 0.5, 0.7, 0.8]"]),
    ((0.1, 0.6, 0.5, 0.2), ["y0=0.6 must be less than y1=0.2", "[0.1, 0.6, 0.6, 0.8]"]),
    ((0.9, 0.9, 0.2, 0.3), ["x0=0.9 must be less than x1=0.2", "upper left corner first"]),
    ((0.5, 0, 0.5, 1), ["x0=0.5 must be less than x1=0.5"]),
]


@pytest.mark.parametrize(("corners", "told"), WRONG)
def test_a_wrong_box_is_told_in_one_line(corners: tuple[float, ...], told: list[str]) -> None:
    with pytest.raises(SceneError) as caught:
        Box(*corners)
    line = str(caught.value)
    assert line.startswith("box [")
    assert all(part in line for part in told), line
    assert "\n" not in line


@pytest.mark.parametrize("values", [[0, 0, 1], [0, 0, 1, 1, 1], "0 0 1 1", {"x0": 0}, None, 5])
def test_a_box_is_four_numbers(values: object) -> None:
    with pytest.raises(SceneError, match="a box is four numbers, x0 y0 x1 y1 in"):
        Box.of(values)


def test_pixels_beyond_the_canvas_name_both() -> None:
    with pytest.raises(SceneError, match=r"\[10.*700.*\] px of 640x480: box .* x1=1.09375"):
        Box.from_px(10, 20, 700, 220, CANVAS)
    with pytest.raises(SceneError, match="width must be a number"):
        Box.from_xywh(1, 2, "3", 4, CANVAS)  # type: ignore[arg-type]
    with pytest.raises(SceneError, match="canvas 0x480 must be wider"):
        Box.from_px(1, 2, 3, 4, (0, 480))
