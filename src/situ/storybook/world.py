"""Random pages of the storybook: what is on them and where, exactly reproducible from a seed."""

import math
import random
from dataclasses import dataclass
from typing import Literal

from situ.scene import Box
from situ.storybook.kinds import KINDS
from situ.storybook.palette import BACKGROUNDS, COLOURS, TEXTURES

Split = Literal["train", "val", "novel"]
COUNT_WEIGHTS = (26, 26, 20, 14, 8, 6)  # pages with 1, 2, ... 6 things
MOST_THINGS = len(COUNT_WEIGHTS)
SIDES = ((0.26, 0.80), (0.25, 0.60), (0.25, 0.50), (0.24, 0.44), (0.24, 0.38), (0.24, 0.34))
STRETCH = 0.4  # log of how much wider or narrower than usual a thing may be: people draw any box
OVERLAP = 0.30  # of the smaller box, the most that two things may share
MARGIN = 0.02


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing on a page: what it is, how it looks and its tight box."""

    kind: str
    colour: str
    texture: str
    box: Box


@dataclass(frozen=True, slots=True)
class Page:
    """Things from back to front on a background; `wobble` in [0, 1]^3 varies the background."""

    things: tuple[Thing, ...]
    background: str
    wobble: tuple[float, float, float]
    seed: int
    split: Split


def held_out(kind: str, colour: str) -> bool:
    """Whether no training page shows this kind in this colour: one colour per kind, two for every third."""
    k, c = list(KINDS).index(kind), list(COLOURS).index(colour)
    return c == (3 * k + 1) % 10 or (k % 3 == 0 and c == (3 * k + 6) % 10)


def held_out_relation(first: str, second: str) -> bool:
    """Whether no training caption relates these two kinds in this order."""
    names = list(KINDS)
    return (7 * names.index(first) + 3 * names.index(second)) % 10 == 0


def sample_page(seed: int, split: Split = "train", things: int | None = None) -> Page:
    """The page of a seed. `val` is the training distribution at other seeds; every page of `novel` shows
    at least one colour and kind that were never together in training."""
    rng = random.Random(f"storybook/{split}/{seed}")
    count = things or rng.choices(range(1, MOST_THINGS + 1), COUNT_WEIGHTS)[0]
    looks = _looks(rng, count, split)
    boxes = _boxes(rng, [KINDS[kind].aspect for kind, _, _ in looks])
    placed = [Thing(*look, box) for look, box in zip(looks, boxes, strict=True)]
    placed.sort(key=lambda thing: thing.box.y1)  # lower on the page is nearer to the reader
    wobble = (rng.random(), rng.random(), rng.random())
    return Page(tuple(placed), rng.choice(list(BACKGROUNDS)), wobble, seed, split)


def _looks(rng: random.Random, count: int, split: Split) -> list[tuple[str, str, str]]:
    looks = [_look(rng, novel=split == "novel" and i == 0) for i in range(count)]
    if count >= 2 and rng.random() < 0.22:  # "three red fish"
        copies = rng.randint(2, count)
        looks[:copies] = [looks[0]] * copies
    return looks


def _look(rng: random.Random, novel: bool) -> tuple[str, str, str]:
    while True:
        kind, colour = rng.choice(list(KINDS)), rng.choice(list(COLOURS))
        if held_out(kind, colour) == novel:
            return kind, colour, rng.choices(TEXTURES, (40, 20, 20, 20))[0]


def _boxes(rng: random.Random, aspects: list[float]) -> list[Box]:
    low, high = SIDES[len(aspects) - 1]
    while True:
        boxes: list[Box] = []
        for aspect in aspects:
            box = _free_box(rng, aspect, low, high, boxes)
            if box is None:
                break
            boxes.append(box)
        else:
            return boxes


def _free_box(
    rng: random.Random, aspect: float, low: float, high: float, taken: list[Box]
) -> Box | None:
    for _ in range(60):
        side = rng.uniform(low, high)
        ratio = aspect * math.exp(rng.uniform(-STRETCH, STRETCH))
        width = min(side * ratio**0.5, 1 - 2 * MARGIN)
        height = min(side / ratio**0.5, 1 - 2 * MARGIN)
        if taken and rng.random() < 0.12:  # standing on something
            box = _on_top(rng, width, height, rng.choice(taken))
        else:
            x0 = rng.uniform(MARGIN, 1 - MARGIN - width)
            y0 = rng.uniform(MARGIN, 1 - MARGIN - height)
            box = _snapped(x0, y0, width, height)
        if box is not None and all(_shared(box, other) <= OVERLAP for other in taken):
            return box
    return None


def _on_top(rng: random.Random, width: float, height: float, under: Box) -> Box | None:
    x0 = under.center[0] - width / 2 + rng.uniform(-0.05, 0.05)
    y0 = under.y0 - height + 0.02
    inside = x0 >= 0 and y0 >= 0 and x0 + width <= 1
    return _snapped(x0, y0, width, height) if inside else None


def _snapped(x0: float, y0: float, width: float, height: float) -> Box:
    """On the 1/128 grid, so that the drawn pixels fill the box exactly."""
    left, top = round(x0 * 128), round(y0 * 128)
    right, bottom = min(128, left + round(width * 128)), min(128, top + round(height * 128))
    return Box(left / 128, top / 128, right / 128, bottom / 128)


def _shared(a: Box, b: Box) -> float:
    wide = min(a.x1, b.x1) - max(a.x0, b.x0)
    high = min(a.y1, b.y1) - max(a.y0, b.y0)
    return max(wide, 0.0) * max(high, 0.0) / min(a.area, b.area)
