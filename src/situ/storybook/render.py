"""Paint a page of the storybook with Pillow, four times oversampled."""

import numpy as np
from PIL import Image, ImageDraw

from situ.scene import Box
from situ.storybook.kinds import KINDS, Outline
from situ.storybook.palette import (
    COLOURS,
    RGB,
    Picture,
    background,
    mix,
    outline,
    second_tone,
    texture,
)
from situ.storybook.world import Page, Thing

OVERSAMPLING = 4
LINE = 1.3  # ink width in 1/128 of the canvas


def render(page: Page, size: int = 128) -> Picture:
    """The page as (size, size, 3) uint8; the same page always gives the same picture."""
    picture = background(page.background, page.wobble, size)
    for thing in page.things:
        _paste(picture, thing)
    return picture


def visible(page: Page, size: int = 128) -> np.ndarray:
    """The index of the thing seen at each pixel, (size, size) int16; -1 is background."""
    owner = np.full((size, size), -1, np.int16)
    for index, thing in enumerate(page.things):
        rows, columns, stamp = _stamp(thing, size)
        owner[rows, columns][stamp[..., 3] > 127] = index
    return owner


def _paste(picture: Picture, thing: Thing) -> None:
    rows, columns, stamp = _stamp(thing, len(picture))
    alpha = stamp[..., 3:].astype(np.float32) / 255
    under = picture[rows, columns]
    picture[rows, columns] = np.rint(under + (stamp[..., :3] - under.astype(np.float32)) * alpha)


def _stamp(thing: Thing, size: int) -> tuple[slice, slice, Picture]:
    """Where a thing goes, and its straight-alpha RGBA there."""
    x0, y0, x1, y1 = _pixels(thing.box, size)
    stamp = _draw(thing, (x1 - x0) * OVERSAMPLING, (y1 - y0) * OVERSAMPLING, size / 128)
    return slice(y0, y1), slice(x0, x1), np.asarray(stamp.reduce(OVERSAMPLING))


def _pixels(box: Box, size: int) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = (round(v * size) for v in box.xyxy)
    return x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)


def _draw(thing: Thing, width: int, height: int, scale: float) -> Image.Image:
    colour = COLOURS[thing.colour]
    inks: dict[str, RGB] = {"shade": mix(colour, (40, 30, 50), 0.3), "tint": second_tone(colour)}
    unit = OVERSAMPLING * scale
    fill = texture(thing.texture, colour, width, height, unit)
    line_px = max(1, round(LINE * unit))
    # Transparent ink, not transparent black: the softened edge then fades into the outline's colour.
    canvas = Image.new("RGBA", (width, height), (*outline(colour), 0))
    for part in KINDS[thing.kind].parts:
        points = [(x * (width - 1), y * (height - 1)) for x, y in part.outline]
        mask = Image.new("L", (width, height))
        ImageDraw.Draw(mask).polygon(points, fill=255)
        if part.ink == "main":
            canvas.paste(fill, mask=mask)
        else:
            canvas.paste(inks[part.ink] if isinstance(part.ink, str) else part.ink, mask=mask)
        if part.line:
            _ink(canvas, points, outline(colour), line_px)
    return canvas


def _ink(canvas: Image.Image, points: list[tuple[float, float]], ink: RGB, width_px: int) -> None:
    closed = [*points, points[0], points[1]]
    ImageDraw.Draw(canvas).line(closed, fill=(*ink, 255), width=width_px, joint="curve")


__all__ = ["Outline", "render", "visible"]
