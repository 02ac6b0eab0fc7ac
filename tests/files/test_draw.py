"""Boxes on pictures, and sheets."""

import numpy as np
import pytest
from PIL import Image

from situ.files.draw import PALETTE, READABLE_PX, sheet, with_boxes
from situ.scene import Box, Layout, Object

GREY = (128, 128, 128)


def grey(width: int = 128, height: int = 128) -> Image.Image:
    return Image.new("RGB", (width, height), GREY)


def coloured(image: Image.Image, colour: tuple[int, int, int]) -> np.ndarray:
    return (np.asarray(image) == colour).all(axis=2)


def test_small_pictures_are_enlarged_by_a_whole_factor_and_large_ones_kept() -> None:
    assert with_boxes(grey(), Layout()).size == (READABLE_PX, READABLE_PX)
    assert with_boxes(grey(100, 50), Layout()).size == (400, 200)
    assert with_boxes(grey(512, 512), Layout()).size == (512, 512)


def test_the_picture_itself_is_left_alone() -> None:
    picture = grey()
    with_boxes(picture, Layout((Object("fish", Box(0.1, 0.1, 0.9, 0.9)),)))
    assert picture.size == (128, 128)
    assert picture.getextrema() == ((128, 128),) * 3


def test_the_outline_lies_on_the_edges_of_the_box() -> None:
    box = Box(0.25, 0.5, 0.75, 1.0)
    drawn = coloured(with_boxes(grey(512, 512), Layout((Object("fish", box),))), PALETTE[0])
    rows, columns = np.nonzero(drawn[256:])  # below the label
    assert (columns.min(), columns.max() + 1) == (128, 384)
    assert rows.max() + 257 == 512
    assert drawn[256, 200]
    assert not drawn[400, 200:300].any()


@pytest.mark.parametrize("box", [Box(0, 0, 0.1, 0.1), Box(0.9, 0, 1, 1), Box(0.9, 0.9, 1, 1)])
@pytest.mark.parametrize("phrase", ["fish", "a very long phrase " * 15, "красная рыба"])
def test_every_label_stays_on_the_picture(box: Box, phrase: str) -> None:
    drawn = with_boxes(grey(), Layout((Object(phrase, box),)))
    assert coloured(drawn, PALETTE[0]).any()
    assert drawn.size == (READABLE_PX, READABLE_PX)


def test_tags_of_neighbours_do_not_cover_each_other() -> None:
    boxes = (Box(0.3, 0.5, 0.6, 0.9), Box(0.4, 0.52, 0.7, 0.9))
    drawn = with_boxes(grey(), Layout(tuple(Object("a long phrase", box) for box in boxes)))
    alone = with_boxes(grey(), Layout((Object("a long phrase", boxes[0]),)))
    tag = np.s_[170:192, 117:210]  # over the first box
    assert np.array_equal(np.asarray(drawn)[tag], np.asarray(alone)[tag])


def test_more_objects_than_colours_begin_again() -> None:
    items = [Object(f"thing {i}", Box(0.03 * i, 0.1, 0.03 * i + 0.1, 0.9)) for i in range(30)]
    with_boxes(grey(), Layout(tuple(items)))


def test_a_sheet_has_rows_of_equal_cells() -> None:
    assert sheet([grey(10, 10)] * 4, gap=2).size == (26, 26)
    assert sheet([grey(10, 10)] * 5, columns=3, gap=2).size == (38, 26)
    assert sheet([grey(10, 10)], columns=3, gap=2).size == (14, 14)
    assert sheet([grey(10, 20), grey(30, 10)], columns=2, gap=0).size == (60, 20)


def test_every_picture_is_on_the_sheet() -> None:
    colours = [(i, 0, 0) for i in range(7)]
    drawn = sheet([Image.new("RGB", (5, 5), colour) for colour in colours], columns=3)
    assert all(coloured(drawn, colour).sum() == 25 for colour in colours)


def test_an_empty_sheet_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        sheet([])
