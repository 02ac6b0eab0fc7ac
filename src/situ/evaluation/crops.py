"""Regions of pictures: which boxes are scored, and their pixels as pictures of one size."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from situ.data.coco import Crop
from situ.scene import Box, SituError
from situ.scene.box import ROUNDING, Canvas
from situ.scene.errors import did_you_mean

MIN_SIDE = 32 / 512  # of the canvas' shorter side: what a kept box's shorter side has at least
MIN_SURVIVED = 0.5  # of a box's area that the centre crop must have left
PADDING = (
    122,
    116,
    104,
)  # the mean colour of CLIP's training pictures, which its encoder sees as 0

Picture = NDArray[np.uint8]  # [H, W, 3]
Pixels = tuple[int, int, int, int]  # left, top, right, bottom
CropMode = Literal["warp", "pad", "center", "mask"]


@dataclass(frozen=True, slots=True)
class Region:
    """An object of a picture: the index of the picture, of the object in its layout, and its box."""

    picture: int
    item: int
    box: Box


@dataclass(frozen=True, slots=True, eq=False)
class Crops:
    """Pixels [R, size, size, 3] of uint8, and which region each of the R is."""

    pixels: NDArray[np.uint8]
    regions: tuple[Region, ...]

    @property
    def index(self) -> NDArray[np.int64]:
        """(picture, object) of every crop: [R, 2]."""
        pairs = [(region.picture, region.item) for region in self.regions]
        return np.asarray(pairs, np.int64).reshape(-1, 2)


def survived(crop: Crop, bbox_xywh_px: Sequence[float]) -> float:
    """The share of a box of the uncropped picture, in its pixels, that lies in the centre crop: 0..1."""
    x, y, width, height = bbox_xywh_px
    if width <= 0 or height <= 0:
        return 0.0
    across, down = (
        max(0.0, min(start + length, edge + crop.side) - max(start, edge)) / length
        for start, length, edge in zip((x, y), (width, height), crop.left_top, strict=True)
    )
    return across * down


def select(
    boxes: Iterable[Iterable[Box]],
    canvas: Canvas,
    min_side: float = MIN_SIDE,
    shares: Sequence[Sequence[float]] | None = None,
    min_share: float = MIN_SURVIVED,
) -> tuple[Region, ...]:
    """The boxes that are large enough to score, in their order; one inner sequence per picture.

    A box stays when its shorter side in pixels is at least `min_side` of the canvas' shorter one (32 of
    512) and, where `shares` are given as from `survived`, at least `min_share` of it is left.
    """
    least_px = (min_side - ROUNDING) * min(canvas)
    found: list[Region] = []
    for p, layout in enumerate(boxes):
        known = list(layout)
        left = [1.0] * len(known) if shares is None else _shares_of(shares, p, len(known))
        for i, (box, share) in enumerate(zip(known, left, strict=True)):
            short_px = min(box.width * canvas[0], box.height * canvas[1])
            if short_px >= least_px and share >= min_share:
                found.append(Region(p, i, box))
    return tuple(found)


def cut(
    pictures: Sequence[Picture] | NDArray[np.uint8],
    regions: Sequence[Region],
    size: int,
    mode: CropMode = "warp",
) -> Crops:
    """Every region as a square of `size` pixels.

    `warp`    the crop, stretched
    `pad`     the crop in the middle of a square of its longer side, the rest PADDING
    `center`  the crop as CLIP's own preprocessing takes it: its middle square
    `mask`    the whole picture, black outside of the box (the region loss of GOAL)

    All are resized by Pillow's antialiased bicubic. To resize by another filter, take `crop_px` instead.
    """
    if mode not in get_args(CropMode):
        raise SituError(f"crop_mode: {mode!r} is unknown; {did_you_mean(mode, get_args(CropMode))}")
    pixels = np.empty((len(regions), size, size, 3), np.uint8)
    for i, region in enumerate(regions):
        pixels[i] = _squared(_picture_of(pictures, region), region.box, size, mode)
    return Crops(pixels, tuple(regions))


def crop_px(picture: Picture, box: Box) -> Picture:
    """The pixels that a box touches, [h, w, 3]."""
    height, width = picture.shape[:2]
    left, top, right, bottom = window_px(box, (width, height))
    return picture[top:bottom, left:right]


def window_px(box: Box, canvas: Canvas) -> Pixels:
    """The whole pixels that a box touches: floor and ceil, on the canvas, at least one."""
    left, right = _touched(box.x0, box.x1, canvas[0])
    top, bottom = _touched(box.y0, box.y1, canvas[1])
    return left, top, right, bottom


def middle_square(image: Image.Image, size: int) -> Image.Image:
    """CLIP's geometry: the shorter side to `size`, bicubic, then the middle, its offset rounded down."""
    width, height = image.size
    short = min(width, height)
    wide, high = size * width // short, size * height // short
    resized = image.resize((wide, high), Image.Resampling.BICUBIC)
    left, top = (wide - size) // 2, (high - size) // 2
    return resized.crop((left, top, left + size, top + size))


def _shares_of(shares: Sequence[Sequence[float]], picture: int, count: int) -> Sequence[float]:
    if picture >= len(shares) or len(shares[picture]) != count:
        raise SituError(
            f"shares: picture {picture} has {count} boxes; one share for each of them is needed"
        )
    return shares[picture]


def _picture_of(pictures: Sequence[Picture] | NDArray[np.uint8], region: Region) -> Picture:
    if not 0 <= region.picture < len(pictures):
        raise SituError(
            f"regions: picture {region.picture} is not one of the {len(pictures)} pictures given"
        )
    picture = pictures[region.picture]
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise SituError(
            f"pictures[{region.picture}]: shape {picture.shape} of {picture.dtype} is not a colour "
            "picture; expected (H, W, 3) of uint8"
        )
    return picture


def _squared(picture: Picture, box: Box, size: int, mode: CropMode) -> Picture:
    if mode == "mask":
        return _resized(Image.fromarray(_masked(picture, box)), size)
    image = Image.fromarray(crop_px(picture, box))
    if mode == "center":
        return np.asarray(middle_square(image, size))
    return _resized(_padded(image) if mode == "pad" else image, size)


def _masked(picture: Picture, box: Box) -> Picture:
    height, width = picture.shape[:2]
    left, top, right, bottom = window_px(box, (width, height))
    masked = np.zeros_like(picture)
    masked[top:bottom, left:right] = picture[top:bottom, left:right]
    return masked


def _padded(image: Image.Image) -> Image.Image:
    side = max(image.size)
    square = Image.new("RGB", (side, side), PADDING)
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square


def _resized(image: Image.Image, size: int) -> Picture:
    return np.asarray(image.resize((size, size), Image.Resampling.BICUBIC))


def _touched(low: float, high: float, size: int) -> tuple[int, int]:
    """Rounding errors of a box do not reach into the next pixel."""
    slack = ROUNDING * size
    first = min(math.floor(low * size + slack), size - 1)
    return first, max(min(math.ceil(high * size - slack), size), first + 1)
