"""Boxes and phrases on a copy of a picture, and sheets of many pictures. Pillow only."""

import math
from collections.abc import Iterable, Sequence

from PIL import Image, ImageDraw, ImageFont
from PIL.Image import Resampling

from situ.scene import Layout

Colour = tuple[int, int, int]

# Okabe and Ito's palette, which colour-blind readers can tell apart; black is left for the text.
PALETTE: tuple[Colour, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
READABLE_PX = 384  # smaller pictures are enlarged before anything is written on them
PAPER: Colour = (255, 255, 255)


def with_boxes(picture: Image.Image, layout: Layout) -> Image.Image:
    """A copy with every object's box and phrase, enlarged by a whole factor if it is small."""
    factor = max(1, math.ceil(READABLE_PX / max(picture.size)))
    size = (picture.width * factor, picture.height * factor)
    copy = picture.convert("RGB").resize(size, Resampling.LANCZOS)
    draw = ImageDraw.Draw(copy)
    line = max(2, min(size) // 150)
    font = ImageFont.load_default(max(11, min(size) // 28))
    for index, item in enumerate(layout):
        draw.rectangle(_inside(item.box.to_px(size)), outline=_colour(index), width=line)
    for index, item in enumerate(layout):  # after all boxes, so that no line crosses a word
        _label(draw, item.phrase, item.box.to_px(size), size, _colour(index), font)
    return copy


def sheet(pictures: Iterable[Image.Image], columns: int | None = None, gap: int = 8) -> Image.Image:
    """Pictures in rows on white paper, each centred in a cell as large as the largest of them."""
    shown = [picture.convert("RGB") for picture in pictures]
    if not shown:
        raise ValueError("a sheet needs at least one picture")
    columns = min(columns or math.ceil(math.sqrt(len(shown))), len(shown))
    wide, high = max(p.width for p in shown) + gap, max(p.height for p in shown) + gap
    rows = math.ceil(len(shown) / columns)
    paper = Image.new("RGB", (columns * wide + gap, rows * high + gap), PAPER)
    for index, picture in enumerate(shown):
        row, column = divmod(index, columns)
        left = gap + column * wide + (wide - gap - picture.width) // 2
        top = gap + row * high + (high - gap - picture.height) // 2
        paper.paste(picture, (left, top))
    return paper


def _inside(corners: Sequence[int]) -> tuple[int, int, int, int]:
    """Pillow draws the last row and column too."""
    left, top, right, bottom = corners
    return left, top, max(left, right - 1), max(top, bottom - 1)


def _label(
    draw: ImageDraw.ImageDraw,
    phrase: str,
    box_px: Sequence[int],
    size: tuple[int, int],
    colour: Colour,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """The phrase on a tag: over the box where there is room, else inside it; never off the picture."""
    text = _fitting(phrase, size[0], font)
    left, top, right, bottom = font.getbbox(text)
    pad = 3
    width, height = right - left + 2 * pad, bottom - top + 2 * pad
    x = min(box_px[0], max(0, size[0] - int(width)))
    y = box_px[1] - height if box_px[1] >= height else box_px[1]
    draw.rectangle((x, y, x + width - 1, y + height - 1), fill=colour)
    draw.text((x + pad - left, y + pad - top), text, fill=_ink(colour), font=font)


def _fitting(phrase: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    text = phrase
    while len(text) > 1 and font.getbbox(text)[2] > width - 8:
        text = text[:-2].rstrip() + "…"
    return text


def _colour(index: int) -> Colour:
    return PALETTE[index % len(PALETTE)]


def _ink(paper: Colour) -> Colour:
    """Black or white, whichever is easier to read (luminance of ITU-R BT.601)."""
    red, green, blue = paper
    return (0, 0, 0) if 0.299 * red + 0.587 * green + 0.114 * blue > 120 else (255, 255, 255)
