"""The things of the storybook: each a drawing of a few parts in the unit square of its box.

x grows to the right, y grows down, and the silhouette touches all four sides, so a thing's box is tight.
A part has a shape and an ink: `main` carries the thing's colour and texture, `shade` and `tint` are darker
and lighter relatives of the colour, anything else is a fixed colour that the kind always has.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from situ.storybook.palette import RGB

Point = tuple[float, float]
Outline = tuple[Point, ...]

WOOD: RGB = (150, 104, 66)
CREAM: RGB = (255, 243, 214)
GLASS: RGB = (206, 236, 250)
INK: RGB = (40, 34, 48)
LEAF: RGB = (84, 168, 84)


@dataclass(frozen=True, slots=True)
class Part:
    """One filled outline; `line` draws its edge in dark ink."""

    outline: Outline
    ink: str | RGB = "main"
    line: bool = True


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing: how it is drawn, how wide it is for its height, and its plural."""

    parts: tuple[Part, ...]
    aspect: float
    plural: str


def oval(x0: float, y0: float, x1: float, y1: float, start: float = 0, turn: float = 1) -> Outline:
    """An ellipse in a box, or the part of it that begins at `start` turns clockwise from the right."""
    cx, cy, rx, ry = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2
    angles = [2 * math.pi * (start + turn * i / 40) for i in range(41)]
    return tuple((cx + rx * math.cos(a), cy + ry * math.sin(a)) for a in angles)


def block(x0: float, y0: float, x1: float, y1: float) -> Outline:
    return (x0, y0), (x1, y0), (x1, y1), (x0, y1)


def fitted(points: list[Point]) -> Outline:
    """The same outline, stretched to touch all sides of the unit square."""
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    wide, high = max(xs) - min(xs), max(ys) - min(ys)
    return tuple(((x - min(xs)) / wide, (y - min(ys)) / high) for x, y in points)


def polar(radius: Callable[[float], float], turn: float = -0.25) -> Outline:
    """A closed curve r(angle), fitted to the unit square."""
    angles = [2 * math.pi * i / 96 for i in range(96)]
    tilt = 2 * math.pi * turn
    return fitted(
        [(radius(a) * math.cos(a + tilt), radius(a) * math.sin(a + tilt)) for a in angles]
    )


def _star() -> Outline:
    corners = [(1.0 if i % 2 == 0 else 0.45, 2 * math.pi * i / 10 - math.pi / 2) for i in range(10)]
    return fitted([(r * math.cos(a), r * math.sin(a)) for r, a in corners])


def _heart() -> Outline:
    angles = [2 * math.pi * i / 72 for i in range(72)]
    return fitted(
        [
            (
                16 * math.sin(a) ** 3,
                -(13 * math.cos(a) - 5 * math.cos(2 * a) - 2 * math.cos(3 * a) - math.cos(4 * a)),
            )
            for a in angles
        ]
    )


# fmt: off
KINDS: dict[str, Kind] = {
    "ball": Kind((Part(oval(0, 0, 1, 1)), Part(oval(0.2, 0.14, 0.42, 0.34), "tint", False)), 1.0, "balls"),
    "star": Kind((Part(_star()),), 1.05, "stars"),
    "heart": Kind((Part(_heart()),), 1.1, "hearts"),
    "house": Kind(
        (
            Part(block(0.1, 0.42, 0.9, 1)),
            Part(((0, 0.46), (0.5, 0), (1, 0.46)), "shade"),
            Part(block(0.42, 0.64, 0.62, 1), WOOD),
            Part(block(0.18, 0.56, 0.34, 0.74), GLASS),
            Part(block(0.7, 0.56, 0.84, 0.74), GLASS),
        ),
        1.0,
        "houses",
    ),
    "tree": Kind(
        (
            Part(block(0.41, 0.6, 0.59, 1), WOOD),
            Part(((0.5, 0), (0.84, 0.36), (0.68, 0.36), (1, 0.76), (0, 0.76), (0.32, 0.36), (0.16, 0.36))),
        ),
        0.75,
        "trees",
    ),
    "fish": Kind(
        (
            Part(((0.6, 0.5), (1, 0.05), (0.9, 0.5), (1, 0.95)), "shade"),
            Part(oval(0, 0, 0.78, 1)),
            Part(oval(0.12, 0.28, 0.26, 0.48), (255, 255, 255)),
            Part(oval(0.15, 0.33, 0.22, 0.44), INK, False),
        ),
        1.5,
        "fish",
    ),
    "boat": Kind(
        (
            Part(block(0.46, 0, 0.52, 0.7), WOOD, False),
            Part(((0.56, 0.04), (0.95, 0.62), (0.56, 0.62)), CREAM),
            Part(((0.42, 0.14), (0.42, 0.62), (0.12, 0.62)), CREAM),
            Part(((0, 0.66), (1, 0.66), (0.82, 1), (0.18, 1))),
        ),
        1.05,
        "boats",
    ),
    "car": Kind(
        (
            Part(((0.18, 0.42), (0.3, 0), (0.7, 0), (0.84, 0.42)), "shade"),
            Part(((0.34, 0.1), (0.49, 0.1), (0.49, 0.38), (0.26, 0.38)), GLASS, False),
            Part(((0.54, 0.1), (0.66, 0.1), (0.75, 0.38), (0.54, 0.38)), GLASS, False),
            Part(((0, 0.46), (0.06, 0.38), (0.94, 0.38), (1, 0.5), (1, 0.82), (0, 0.82))),
            Part(oval(0.12, 0.6, 0.36, 1), INK),
            Part(oval(0.64, 0.6, 0.88, 1), INK),
            Part(oval(0.19, 0.72, 0.29, 0.88), (208, 208, 214), False),
            Part(oval(0.71, 0.72, 0.81, 0.88), (208, 208, 214), False),
        ),
        1.6,
        "cars",
    ),
    "mushroom": Kind(
        (
            Part(((0.36, 0.4), (0.64, 0.4), (0.7, 1), (0.3, 1)), CREAM),
            Part(oval(0, 0, 1, 1.16, 0.5, 0.5)),
        ),
        0.95,
        "mushrooms",
    ),
    "flower": Kind(
        (
            Part(block(0.47, 0.5, 0.53, 1), LEAF, False),
            Part(((0.5, 0.92), (0.16, 0.7), (0.26, 0.92)), LEAF, False),
            Part(((0.5, 0.92), (0.84, 0.7), (0.74, 0.92)), LEAF, False),
            Part(tuple((x, 0.66 * y) for x, y in polar(lambda a: 1 + 0.32 * math.cos(6 * a)))),
            Part(oval(0.36, 0.23, 0.64, 0.43), (255, 216, 92)),
        ),
        0.72,
        "flowers",
    ),
    "umbrella": Kind(
        (
            Part(block(0.475, 0.1, 0.525, 0.9), WOOD, False),
            Part(((0.525, 0.88), (0.525, 1), (0.3, 1), (0.3, 0.88), (0.36, 0.88), (0.36, 0.94)), WOOD, False),
            Part(
                (*oval(0, 0, 1, 1.1, 0.5, 0.5),
                 (0.83, 0.46), (0.67, 0.55), (0.5, 0.46), (0.33, 0.55), (0.17, 0.46))
            ),
        ),
        1.0,
        "umbrellas",
    ),
    "cup": Kind(
        (
            Part(oval(0.55, 0.2, 1, 0.75), "shade"),
            Part(oval(0.68, 0.33, 0.88, 0.61), CREAM),
            Part(((0, 0.08), (0.8, 0.08), (0.7, 1), (0.1, 1))),
            Part(oval(0, 0, 0.8, 0.18), "tint"),
        ),
        1.05,
        "cups",
    ),
    "cat": Kind(
        (
            Part(((0.04, 0), (0.36, 0.22), (0.08, 0.5)), "shade"),
            Part(((0.96, 0), (0.64, 0.22), (0.92, 0.5)), "shade"),
            Part(oval(0, 0.14, 1, 1)),
            Part(oval(0.22, 0.42, 0.38, 0.62), (255, 255, 255)),
            Part(oval(0.62, 0.42, 0.78, 0.62), (255, 255, 255)),
            Part(oval(0.27, 0.46, 0.35, 0.6), INK, False),
            Part(oval(0.65, 0.46, 0.73, 0.6), INK, False),
            Part(((0.42, 0.68), (0.58, 0.68), (0.5, 0.78)), (240, 130, 140)),
        ),
        1.05,
        "cats",
    ),
    "bird": Kind(
        (
            Part(((0, 0.3), (0.2, 0.2), (0.2, 0.4)), (246, 170, 50)),
            Part(((0.6, 0.4), (1, 0.14), (0.94, 0.62)), "shade"),
            Part(oval(0.2, 0.26, 0.86, 1)),
            Part(oval(0.12, 0, 0.56, 0.56)),
            Part(oval(0.22, 0.16, 0.33, 0.3), (255, 255, 255)),
            Part(oval(0.24, 0.19, 0.3, 0.28), INK, False),
            Part(oval(0.42, 0.46, 0.78, 0.78, 0, 0.5), "shade"),
        ),
        1.25,
        "birds",
    ),
    "balloon": Kind(
        (
            Part(block(0.48, 0.7, 0.52, 1), INK, False),
            Part(((0.5, 0.68), (0.6, 0.78), (0.4, 0.78)), "shade"),
            Part(oval(0, 0, 1, 0.72)),
            Part(oval(0.2, 0.1, 0.4, 0.26), "tint", False),
        ),
        0.62,
        "balloons",
    ),
    "kite": Kind(
        (
            Part(((0.5, 0.7), (0.7, 0.84), (0.7, 1), (0.5, 0.92), (0.3, 1), (0.3, 0.84)), "shade"),
            Part(((0.5, 0), (1, 0.34), (0.5, 0.8), (0, 0.34))),
        ),
        0.72,
        "kites",
    ),
    "rocket": Kind(
        (
            Part(((0.36, 0.84), (0.5, 1), (0.64, 0.84)), (250, 176, 50)),
            Part(((0.26, 0.5), (0, 0.72), (0, 0.92), (0.3, 0.82)), "shade"),
            Part(((0.74, 0.5), (1, 0.72), (1, 0.92), (0.7, 0.82)), "shade"),
            Part(((0.5, 0), (0.72, 0.2), (0.78, 0.5), (0.7, 0.86), (0.3, 0.86), (0.22, 0.5), (0.28, 0.2))),
            Part(oval(0.37, 0.28, 0.63, 0.44), GLASS),
        ),
        0.62,
        "rockets",
    ),
    "butterfly": Kind(
        (
            Part(((0.5, 0.46), (0.3, 0.04), (0.06, 0), (0, 0.24), (0.12, 0.5), (0.5, 0.56))),
            Part(((0.5, 0.46), (0.7, 0.04), (0.94, 0), (1, 0.24), (0.88, 0.5), (0.5, 0.56))),
            Part(((0.5, 0.54), (0.14, 0.58), (0.1, 0.86), (0.3, 1), (0.46, 0.76)), "shade"),
            Part(((0.5, 0.54), (0.86, 0.58), (0.9, 0.86), (0.7, 1), (0.54, 0.76)), "shade"),
            Part(oval(0.44, 0.22, 0.56, 0.88), INK),
        ),
        1.15,
        "butterflies",
    ),
    "apple": Kind(
        (
            Part(((0.47, 0.3), (0.47, 0), (0.54, 0), (0.54, 0.3)), WOOD, False),
            Part(((0.54, 0.14), (0.66, 0.01), (0.86, 0.02), (0.74, 0.16)), LEAF),
            Part(
                tuple(
                    (x, 0.16 + 0.84 * y)
                    for x, y in polar(lambda a: 1 - 0.3 * math.exp(-8 * (1 - math.cos(a))))
                )
            ),
        ),
        0.98,
        "apples",
    ),
    "hat": Kind(
        (
            Part(oval(0, 0.7, 1, 1), "shade"),
            Part(((0.24, 0.06), (0.76, 0.06), (0.82, 0.86), (0.18, 0.86))),
            Part(block(0.19, 0.66, 0.81, 0.8), CREAM),
            Part(oval(0.24, 0, 0.76, 0.14), "tint"),
        ),
        1.2,
        "hats",
    ),
}
