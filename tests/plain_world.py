"""A world without networks, for tests: what it sees is written into the pictures."""

from collections.abc import Sequence

import numpy as np

from situ.evaluation.detections import Detection
from situ.evaluation.world import Pictures, Rows
from situ.scene import Box, Layout, Object, Scene


class PlainWorld:
    """Features are mean colours, words are hashed to fixed vectors, detections are given beforehand."""

    name = "plain"
    crop_side = 8

    def __init__(self, told: dict[int, list[Detection]] | None = None) -> None:
        self.models = {"features": "means-1", "clip": "hash-1", "detector": "told-1"}
        self.told = told or {}
        self.looked = 0

    def features(self, pictures: Pictures) -> Rows:
        self.looked += len(pictures)
        return pictures.reshape(len(pictures), -1, 3).mean(1).astype(np.float32)

    def embed_pictures(self, pictures: Pictures) -> Rows:
        return pictures.reshape(len(pictures), -1, 3).mean(1).astype(np.float32) + 1

    def embed_texts(self, texts: Sequence[str]) -> Rows:
        return np.array([[1.0 + len(text) % 7, 1.0, 2.0] for text in texts], np.float32)

    def detect(self, pictures: Pictures, phrases: Sequence[Sequence[str]]) -> list[list[Detection]]:
        """The number of a picture is its first value."""
        return [self.told.get(int(picture[0, 0, 0]), []) for picture in pictures]


def numbered(count: int, side: int = 16) -> Pictures:
    """Pictures whose first value is their number; the rest is seeded noise."""
    pictures = np.random.default_rng(0).integers(0, 255, (count, side, side, 3), np.uint8)
    pictures[:, 0, 0, 0] = np.arange(count)
    return pictures


def scene(
    *objects: tuple[str, tuple[float, float, float, float]], caption: str = "a page"
) -> Scene:
    return Scene(caption, Layout(tuple(Object(p, Box(*b)) for p, b in objects)), 16, 16)
