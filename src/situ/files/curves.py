"""Curves over the steps of a run, drawn with Pillow in the colours of the boxes they belong to."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from situ.files.draw import PALETTE, PAPER, Colour

INK: Colour = (40, 40, 44)
SOFT: Colour = (215, 215, 220)
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
LEFT, RIGHT, TOP, BOTTOM = 40, 14, 30, 30  # pixels around the plot
DASH = 6


@dataclass(frozen=True)
class Curve:
    """Values in 0..1 by step, None where there is none, and the step that is marked."""

    values: Sequence[float | None]
    colour: Colour
    mark: int | None = None


def box_colour(index: int) -> Colour:
    """The colour of a box, as `files.draw` draws it."""
    return PALETTE[index % len(PALETTE)]


def curves(lines: Sequence[Curve], level: float, title: str, size: tuple[int, int]) -> Image.Image:
    """A chart of curves with a dashed line at a level."""
    picture = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(picture)
    plot = _Plot(size, max((len(line.values) for line in lines), default=1))
    _frame(draw, plot, title)
    _dashes(draw, plot, level)
    for line in lines:
        _curve(draw, plot, line)
    return picture


@dataclass(frozen=True)
class _Plot:
    size: tuple[int, int]
    count: int

    def at(self, step: float, value: float) -> tuple[float, float]:
        """Pixels of a value at a step."""
        wide, high = self.size[0] - LEFT - RIGHT, self.size[1] - TOP - BOTTOM
        share = step / max(1, self.count - 1)
        return LEFT + share * wide, TOP + (1 - min(max(value, 0), 1)) * high


def _frame(draw: ImageDraw.ImageDraw, plot: _Plot, title: str) -> None:
    font = ImageFont.load_default(12)
    for tick in TICKS:
        start, end = plot.at(0, tick), plot.at(plot.count - 1, tick)
        draw.line((*start, *end), fill=SOFT)
        draw.text((6, start[1] - 7), f"{tick:.2f}", fill=INK, font=font)
    for step in sorted({0, plot.count // 4, plot.count // 2, 3 * plot.count // 4, plot.count - 1}):
        x, y = plot.at(step, 0)
        draw.text((x - 5, y + 6), str(step), fill=INK, font=font)
    draw.text((LEFT, 8), title, fill=INK, font=ImageFont.load_default(13))


def _dashes(draw: ImageDraw.ImageDraw, plot: _Plot, level: float) -> None:
    (x, y), (end, _) = plot.at(0, level), plot.at(plot.count - 1, level)
    while x < end:
        draw.line((x, y, min(x + DASH, end), y), fill=INK)
        x += 2 * DASH


def _curve(draw: ImageDraw.ImageDraw, plot: _Plot, line: Curve) -> None:
    points = [(k, value) for k, value in enumerate(line.values) if value is not None]
    places = [plot.at(k, value) for k, value in points]
    if len(places) > 1:
        draw.line(places, fill=line.colour, width=3)
    if line.mark is not None and (value := line.values[line.mark]) is not None:
        x, y = plot.at(line.mark, value)
        draw.ellipse((x - 5, y - 5, x + 5, y + 5), fill=line.colour, outline=INK)
