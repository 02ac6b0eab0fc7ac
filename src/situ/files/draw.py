"""Boxes and phrases on a copy of a picture, and sheets of many pictures. Pillow only."""

import math
from collections.abc import Iterable, Sequence

from PIL import Image, ImageDraw, ImageFont
from PIL.Image import Resampling

from situ.scene import Layout, Object

Colour = tuple[int, int, int]
Corners = tuple[int, int, int, int]
Font = ImageFont.FreeTypeFont

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
PAD_PX = 3


def with_boxes(picture: Image.Image, layout: Layout) -> Image.Image:
    """A copy with every object's box and phrase, enlarged by a whole factor if it is small."""
    factor = max(1, math.ceil(READABLE_PX / max(picture.size)))
    size = (picture.width * factor, picture.height * factor)
    copy = picture.convert("RGB").resize(size, Resampling.LANCZOS)
    draw = ImageDraw.Draw(copy)
    line = max(2, min(size) // 150)
    font = _font(max(11, min(size) // 28))
    for index, item in enumerate(layout):
        draw.rectangle(_inside(item.box.to_px(size)), outline=_colour(index), width=line)
    tags: list[Corners] = []
    for index, item in enumerate(layout):  # after all boxes, so that no line crosses a word
        _label(draw, item, _colour(index), font, tags)
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


def _font(size_px: int) -> Font:
    """Pillow's own, so that every machine draws the same. It knows Latin letters."""
    font = ImageFont.load_default(size_px)
    assert isinstance(font, ImageFont.FreeTypeFont)  # as of every wheel of Pillow
    return font


def _inside(corners: Sequence[int]) -> tuple[int, int, int, int]:
    """Pillow draws the last row and column too."""
    left, top, right, bottom = corners
    return left, top, max(left, right - 1), max(top, bottom - 1)


def _label(
    draw: ImageDraw.ImageDraw, item: Object, colour: Colour, font: Font, taken: list[Corners]
) -> None:
    """The phrase on a tag by the box, on the picture and clear of the tags that are there already."""
    width, height = draw.im.size
    text = _fitting(item.phrase, width - 2 * PAD_PX, font)
    wide = int(font.getlength(text)) + 2 * PAD_PX
    high = sum(font.getmetrics()) + 2
    x0, y0, _, y1 = item.box.to_px((width, height))
    x = min(x0, max(0, width - wide))
    places = [(x, y, x + wide, y + high) for y in (y0 - high, y0, y1 - high, y1)]
    inside = [place for place in places if place[1] >= 0 and place[3] <= height]
    free = [place for place in inside if not any(_overlap(place, other) for other in taken)]
    tag = next(iter(free or inside), (x, 0, x + wide, high))
    taken.append(tag)
    draw.rectangle((tag[0], tag[1], tag[2] - 1, tag[3] - 1), fill=colour)
    draw.text((tag[0] + PAD_PX, tag[1] + 1), text, fill=_ink(colour), font=font)


def _overlap(one: Corners, other: Corners) -> bool:
    across = one[0] < other[2] and other[0] < one[2]
    return across and one[1] < other[3] and other[1] < one[3]


def _fitting(phrase: str, width: int, font: Font) -> str:
    text = phrase
    while len(text) > 1 and font.getlength(text) > width:
        text = text[:-2].rstrip() + "…"
    return text


def _colour(index: int) -> Colour:
    return PALETTE[index % len(PALETTE)]


def _ink(paper: Colour) -> Colour:
    """Black or white, whichever is easier to read (luminance of ITU-R BT.601)."""
    red, green, blue = paper
    return (0, 0, 0) if 0.299 * red + 0.587 * green + 0.114 * blue > 120 else (255, 255, 255)
