"""A world is the networks that look at its pictures: one for features, one for captions, one for boxes.

Metrics know no network. They ask the world, so one metric measures the storybook and photographs alike.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from situ.evaluation.detections import Detection
from situ.scene import SituError

Pictures = NDArray[np.uint8]  # [N, H, W, 3]
Rows = NDArray[np.float32]  # [N, d]


# What a network says depends on the code around it, too: raise its number when that code changes what it
# says, so that nothing which the older code said is read again.
CODE: Mapping[str, int] = {
    "features": 1,
    "clip": 1,
    "detector": 1,
    "cmmd": 1,
    "clip_large": 1,
    "answers": 1,
    "preference": 1,
    "depth": 1,
}


class MissingError(SituError):
    """Weights or a library that a metric needs are not on this machine; the text says how to get them."""


class World(Protocol):
    """What every metric may ask for. A network that is not there raises MissingError when it is asked."""

    @property
    def name(self) -> str: ...

    @property
    def models(self) -> Mapping[str, str]:
        """What "features", "clip", "detector" and others are, each with a digest of its weights."""
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


@runtime_checkable
class Answering(Protocol):
    """A world that has a network for questions about pictures ("answers" of its models)."""

    def answer(self, pictures: Pictures, questions: Sequence[Sequence[str]]) -> list[list[float]]:
        """P(yes) in 0..1 of each question about each picture."""
        ...


@runtime_checkable
class Preferring(Protocol):
    """A world that knows what people prefer ("preference" of its models)."""

    def prefer(self, pictures: Pictures, texts: Sequence[str]) -> Rows:
        """Cosine and logit of each picture with its own text: [N, 2]."""
        ...


@runtime_checkable
class Deep(Protocol):
    """A world that sees depth ("depth" of its models)."""

    def nearness(self, pictures: Pictures) -> Rows:
        """[N, h, w] of any size, larger where nearer, in any linear scale of a picture's own."""
        ...


@runtime_checkable
class Embedding(Protocol):
    """A world whose CMMD takes another network than its CLIP score ("cmmd" of its models)."""

    def embed_for_cmmd(self, pictures: Pictures) -> Rows: ...


@runtime_checkable
class Wide(Protocol):
    """A world with a second, larger CLIP ("clip_large" of its models)."""

    def embed_pictures_large(self, pictures: Pictures) -> Rows: ...

    def embed_texts_large(self, texts: Sequence[str]) -> Rows: ...
