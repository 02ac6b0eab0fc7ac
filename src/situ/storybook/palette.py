"""Colours, textures and backgrounds of the storybook world."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

RGB = tuple[int, int, int]
Picture = NDArray[np.uint8]

COLOURS: dict[str, RGB] = {
    "red": (219, 50, 54),
    "orange": (242, 133, 36),
    "yellow": (250, 208, 50),
    "green": (62, 160, 72),
    "blue": (46, 106, 206),
    "purple": (132, 66, 176),
    "pink": (246, 140, 182),
    "brown": (134, 84, 48),
    "black": (48, 48, 56),
    "white": (246, 246, 242),
}
TEXTURES = ("plain", "striped", "dotted", "checkered")
BACKGROUNDS: dict[str, str] = {
    "meadow": "in a meadow",
    "night": "at night",
    "sea": "under the sea",
    "desert": "in the desert",
    "snow": "in the snow",
    "sunset": "at sunset",
}


def mix(a: RGB, b: RGB, share: float) -> RGB:
    """The colour `share` of the way from a to b."""
    r, g, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return r, g, blue


def second_tone(colour: RGB) -> RGB:
    """The other tone of a texture: a tint, or a grey shade for very light and very dark colours."""
    luma = 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]
    if luma > 225:
        return 158, 166, 178
    return mix(colour, (255, 255, 255), 0.62)


def outline(colour: RGB) -> RGB:
    """The dark ink a thing is drawn with."""
    return mix(colour, (28, 20, 36), 0.68)


def texture(name: str, colour: RGB, width: int, height: int, unit: float) -> Image.Image:
    """A (height, width) fill; `unit` is the number of picture elements in one 1/128 of the canvas."""
    if name == "plain":
        return Image.new("RGB", (width, height), colour)
    y, x = np.mgrid[0:height, 0:width] / unit
    other = {
        "striped": lambda: (y % 11.0) >= 5.5,
        "dotted": lambda: _dots(x, y),
        "checkered": lambda: ((x // 7.0).astype(int) + (y // 7.0).astype(int)) % 2 == 1,
    }[name]()
    tones = np.array([colour, second_tone(colour)], np.uint8)
    return Image.fromarray(tones[other.astype(int)])


def _dots(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    row = np.floor(y / 9.0)
    dx = (x + 5.0 * (row % 2)) % 10.0 - 5.0
    dy = y % 9.0 - 4.5
    return dx**2 + dy**2 <= 2.9**2


def background(name: str, wobble: tuple[float, float, float], size: int) -> Picture:
    """The page behind the things, (size, size, 3); `wobble` in [0, 1]^3 moves horizon, hills and light."""
    y, x = (np.mgrid[0:size, 0:size] + 0.5) / size
    page = _Page(x, y, size)
    _BACKGROUND_PAINTERS[name](page, *wobble)
    return np.clip(page.rgb + 0.5, 0, 255).astype(np.uint8)


class _Page:
    """A float canvas with the three strokes that backgrounds are made of."""

    def __init__(self, x: NDArray[np.float64], y: NDArray[np.float64], size: int) -> None:
        self.x, self.y, self.size = x, y, size
        self.rgb = np.zeros((size, size, 3))

    def wash(self, top: RGB, bottom: RGB) -> None:
        share = self.y[..., None]
        self.rgb = np.array(top) * (1 - share) + np.array(bottom) * share

    def hill(self, colour: RGB, level: float, swell: float, waves: float, phase: float) -> None:
        ridge = level + swell * np.sin(2 * math.pi * (waves * self.x + phase))
        self._blend(colour, (self.y - ridge) * self.size)

    def disc(self, colour: RGB, cx: float, cy: float, radius: float) -> None:
        self._blend(colour, (radius - np.hypot(self.x - cx, self.y - cy)) * self.size)

    def _blend(self, colour: RGB, inside_px: NDArray[np.float64]) -> None:
        alpha = np.clip(inside_px + 0.5, 0, 1)[..., None]
        self.rgb = self.rgb * (1 - alpha) + np.array(colour) * alpha


def _meadow(page: _Page, a: float, b: float, c: float) -> None:
    page.wash((158, 213, 244), (226, 244, 250))
    page.disc((255, 236, 150), 0.12 + 0.76 * c, 0.14, 0.085)
    page.hill((164, 214, 130), 0.60 + 0.1 * a, 0.035, 1.0, b)
    page.hill((124, 190, 98), 0.74 + 0.1 * a, 0.03, 1.4, b + c)


def _night(page: _Page, a: float, b: float, c: float) -> None:
    page.wash((26, 30, 78), (70, 76, 140))
    for i in range(9):
        page.disc((238, 232, 190), (0.08 + 0.37 * i + b) % 1.0, 0.06 + (0.23 * i + c) % 0.5, 0.008)
    page.hill((40, 56, 88), 0.72 + 0.12 * a, 0.04, 1.0, b)


def _sea(page: _Page, a: float, b: float, c: float) -> None:
    page.wash((120, 214, 226), (28, 116, 172))
    page.hill((70, 168, 204), 0.34 + 0.1 * a, 0.02, 2.0, b)
    page.hill((222, 204, 150), 0.88, 0.02, 1.0, c)


def _desert(page: _Page, a: float, b: float, c: float) -> None:
    page.wash((252, 222, 170), (254, 242, 214))
    page.hill((238, 196, 128), 0.56 + 0.1 * a, 0.05, 0.8, b)
    page.hill((224, 172, 100), 0.76 + 0.08 * a, 0.04, 1.0, b + c)


def _snow(page: _Page, a: float, b: float, c: float) -> None:
    page.wash((176, 196, 222), (222, 230, 242))
    page.hill((232, 240, 250), 0.58 + 0.12 * a, 0.05, 1.0, b)
    page.hill((250, 252, 255), 0.76 + 0.08 * a, 0.03, 1.5, b + c)


def _sunset(page: _Page, a: float, b: float, c: float) -> None:
    page.wash((246, 138, 116), (255, 214, 150))
    page.disc((255, 240, 180), 0.15 + 0.7 * c, 0.52 + 0.08 * a, 0.12)
    page.hill((150, 92, 128), 0.66 + 0.1 * a, 0.04, 1.0, b)
    page.hill((112, 70, 112), 0.82 + 0.06 * a, 0.02, 1.6, b + c)


_BACKGROUND_PAINTERS = {
    "meadow": _meadow,
    "night": _night,
    "sea": _sea,
    "desert": _desert,
    "snow": _snow,
    "sunset": _sunset,
}
