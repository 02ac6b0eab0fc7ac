"""Boxes: normalised corners [x0, y0, x1, y1] in 0..1, x to the right and y down."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from situ.scene.errors import SceneError, at, shown
from situ.scene.fields import number

Canvas = tuple[int, int]  # width and height, in pixels
Four = tuple[float, float, float, float]

# What float32 arithmetic and six-decimal text files lose; no box side is shorter.
ROUNDING = 1e-6

NAMES = ("x0", "y0", "x1", "y1")


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in fractions of the picture. What is within ROUNDING of its edge snaps to it."""

    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        for name, value in zip(NAMES, _numbers(self.xyxy), strict=True):
            object.__setattr__(self, name, _snap(value))
        _check_range(self.xyxy)
        _check_order(self.xyxy)

    @classmethod
    def of(cls, values: object) -> Self:
        """From a list of the four numbers [x0, y0, x1, y1]."""
        if not isinstance(values, Sequence) or isinstance(values, str) or len(values) != 4:
            raise SceneError(f"a box is four numbers, x0 y0 x1 y1 in 0..1; got {shown(values)}")
        return cls(*values)

    @classmethod
    def from_px(cls, x0: float, y0: float, x1: float, y1: float, canvas: Canvas) -> Self:
        """From corners in pixels of a canvas (width, height)."""
        left, top, right, bottom = _numbers((x0, y0, x1, y1))
        width, height = canvas
        if width <= 0 or height <= 0:
            raise SceneError(f"the canvas {width}x{height} must be wider and higher than 0")
        with at(f"{[left, top, right, bottom]} px of {width}x{height}"):
            return cls(left / width, top / height, right / width, bottom / height)

    @classmethod
    def from_xywh(
        cls, x: float, y: float, width: float, height: float, canvas: Canvas = (1, 1)
    ) -> Self:
        """From the upper left corner and the size; in fractions, or in pixels of a canvas."""
        x, y, width, height = _numbers((x, y, width, height), ("x", "y", "width", "height"))
        return cls.from_px(x, y, x + width, y + height, canvas)

    @classmethod
    def from_cxcywh(
        cls, cx: float, cy: float, width: float, height: float, canvas: Canvas = (1, 1)
    ) -> Self:
        """From the centre and the size; in fractions, or in pixels of a canvas."""
        cx, cy, width, height = _numbers((cx, cy, width, height), ("cx", "cy", "width", "height"))
        return cls.from_xywh(cx - width / 2, cy - height / 2, width, height, canvas)

    @classmethod
    def clamped(cls, x0: float, y0: float, x1: float, y1: float) -> Self | None:
        """The part of a rectangle that lies on the picture, or None when none of it does."""
        left, top, right, bottom = (_bounded(v) for v in _numbers((x0, y0, x1, y1)))
        if right - left < ROUNDING or bottom - top < ROUNDING:
            return None
        return cls(left, top, right, bottom)

    @property
    def xyxy(self) -> Four:
        return self.x0, self.y0, self.x1, self.y1

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def center(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    def to_px(self, canvas: Canvas) -> tuple[int, int, int, int]:
        """Corners in whole pixels, for cropping and drawing: nearest, and at least one pixel."""
        left, right = _whole_span(self.x0, self.x1, canvas[0])
        top, bottom = _whole_span(self.y0, self.y1, canvas[1])
        return left, top, right, bottom

    def to_xywh(self, canvas: Canvas = (1, 1)) -> Four:
        """Upper left corner and size; in fractions, or in unrounded pixels of a canvas."""
        width, height = canvas
        return self.x0 * width, self.y0 * height, self.width * width, self.height * height

    def to_cxcywh(self, canvas: Canvas = (1, 1)) -> Four:
        """Centre and size; in fractions, or in unrounded pixels of a canvas."""
        cx, cy = self.center
        width, height = canvas
        return cx * width, cy * height, self.width * width, self.height * height

    def intersection(self, other: "Box") -> "Box | None":
        """What both boxes cover, or None where they do not overlap."""
        return Box.clamped(
            max(self.x0, other.x0),
            max(self.y0, other.y0),
            min(self.x1, other.x1),
            min(self.y1, other.y1),
        )

    def iou(self, other: "Box") -> float:
        """Intersection over union, 0..1."""
        common = self._shared_area(other)
        return common / (self.area + other.area - common)

    def share_in(self, other: "Box") -> float:
        """The fraction of this box's area that lies in the other, 0..1."""
        return self._shared_area(other) / self.area

    def relative_to(self, window: "Box") -> "Box | None":
        """This box in the coordinates of a crop, or None when the crop misses it."""
        return Box.clamped(
            (self.x0 - window.x0) / window.width,
            (self.y0 - window.y0) / window.height,
            (self.x1 - window.x0) / window.width,
            (self.y1 - window.y0) / window.height,
        )

    def mirrored(self) -> "Box":
        """This box in the picture flipped left to right."""
        return Box(1 - self.x1, self.y0, 1 - self.x0, self.y1)

    def _shared_area(self, other: "Box") -> float:
        common = self.intersection(other)
        return common.area if common else 0.0


def _numbers(values: Sequence[object], names: Sequence[str] = NAMES) -> list[float]:
    try:
        return [number(value, name) for name, value in zip(names, values, strict=True)]
    except SceneError as error:
        raise SceneError(f"box {shown(list(values))}: {error}") from None


def _snap(value: float) -> float:
    nearest = 0.0 if value < 0.5 else 1.0
    return nearest if abs(value - nearest) <= ROUNDING else value


def _bounded(value: float) -> float:
    return _snap(min(max(value, 0.0), 1.0))


def _whole_span(low: float, high: float, size: int) -> tuple[int, int]:
    first = min(round(low * size), size - 1)
    return first, max(round(high * size), first + 1)


def _check_range(xyxy: Four) -> None:
    for name, value in zip(NAMES, xyxy, strict=True):
        if not 0 <= value <= 1:
            raise SceneError(
                f"box {list(xyxy)}: {name}={value} is outside 0..1; boxes are [x0, y0, x1, y1] in "
                f"fractions of the picture; {_range_hint(xyxy)}"
            )


def _range_hint(xyxy: Four) -> str:
    if max(xyxy) > 2 and min(xyxy) >= 0:
        return "these look like pixels: divide x by the width and y by the height"
    return "cut off the part outside the picture"


def _check_order(xyxy: Four) -> None:
    x0, y0, x1, y1 = xyxy
    for low, high, axis in ((x0, x1, "x"), (y0, y1, "y")):
        if high - low < ROUNDING:
            raise SceneError(
                f"box {list(xyxy)}: {axis}0={low} must be less than {axis}1={high}; "
                f"{_order_hint(xyxy)}"
            )


def _order_hint(xyxy: Four) -> str:
    x0, y0, x1, y1 = xyxy
    if x1 > 0 and y1 > 0 and x0 + x1 <= 1 and y0 + y1 <= 1:
        corners = [round(v, 6) for v in (x0, y0, x0 + x1, y0 + y1)]
        return f"if this is [x, y, width, height], write the corners {corners}"
    return "write the upper left corner first, then the lower right one"
