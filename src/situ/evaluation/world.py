"""A world is the networks that look at its pictures: one for features, one for captions, one for boxes.

Metrics know no network. They ask the world, so one metric measures the storybook and photographs alike.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from situ.evaluation.detections import Detection
from situ.scene import SituError

Pictures = NDArray[np.uint8]  # [N, H, W, 3]
Rows = NDArray[np.float32]  # [N, d]


class MissingError(SituError):
    """Weights or a library that a metric needs are not on this machine; the text says how to get them."""


class World(Protocol):
    """What every metric may ask for. A network that is not there raises MissingError when it is asked."""

    @property
    def name(self) -> str: ...

    @property
    def models(self) -> Mapping[str, str]:
        """What "features", "clip" and "detector" are, for the record of a result."""
        ...

    @property
    def crop_side(self) -> int:
        """Pixels of the side that regions are brought to."""
        ...

    def features(self, pictures: Pictures) -> Rows:
        """What FID and KID compare, of pictures or of crops."""
        ...

    def embed_pictures(self, pictures: Pictures) -> Rows:
        """Embeddings in the space of `embed_texts`; not normalised."""
        ...

    def embed_texts(self, texts: Sequence[str]) -> Rows: ...

    def detect(self, pictures: Pictures, phrases: Sequence[Sequence[str]]) -> list[list[Detection]]:
        """What stands where, the surest first. `phrases` says what to look for on each picture."""
        ...
