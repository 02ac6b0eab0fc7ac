"""What a world's networks say of a set of pictures, computed when a metric first asks and kept on disk."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from situ.evaluation.crops import MIN_SIDE, CropMode, Region, cut, select
from situ.evaluation.detections import Detection
from situ.evaluation.stored import stored_rows
from situ.evaluation.world import Pictures, World
from situ.scene import Box, Scene, SituError, codec


class Source(Protocol):
    """Pictures by number, all of one size, without all of them in memory."""

    def __len__(self) -> int: ...

    def read(self, start: int, stop: int) -> Pictures: ...

    @property
    def fingerprint(self) -> str:
        """Changes when a picture does."""
        ...


@dataclass(frozen=True)
class InMemory:
    """An array of pictures [N, H, W, 3] as a Source."""

    pictures: Pictures

    def __len__(self) -> int:
        return len(self.pictures)

    def read(self, start: int, stop: int) -> Pictures:
        return self.pictures[start:stop]

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.pictures.tobytes()).hexdigest()[:16]


@dataclass(frozen=True)
class Cropping:
    """Which boxes are regions, and how they are brought to a square (situ.evaluation.crops)."""

    mode: CropMode = "warp"
    min_side: float = MIN_SIDE


@dataclass(frozen=True)
class Evidence:
    """Pictures with the scenes they are held against; row i of every table is picture i.

    `folder` keeps the tables; None keeps nothing. A table's place on disk depends on the pictures, the
    scenes and the network, so nothing stale is ever read.
    """

    source: Source
    scenes: tuple[Scene, ...]
    world: World
    folder: Path | None = None
    cropping: Cropping = field(default_factory=Cropping)

    def __post_init__(self) -> None:
        if len(self.source) != len(self.scenes):
            raise SituError(
                f"{len(self.source)} pictures for {len(self.scenes)} scenes; give one for each"
            )
        if not self.scenes:
            raise SituError("there are no pictures to measure")

    def __len__(self) -> int:
        return len(self.scenes)

    @cached_property
    def features(self) -> NDArray[np.float32]:
        """[N, d]"""
        return self._rows("features", self.world.features)

    @cached_property
    def embeddings(self) -> NDArray[np.float32]:
        """[N, e], of the pictures."""
        return self._rows("clip", self.world.embed_pictures)

    @cached_property
    def captions(self) -> NDArray[np.float32]:
        """[N, e], of the captions."""
        return self.world.embed_texts([scene.caption for scene in self.scenes])

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        """The boxes that are large enough to be cut out, picture by picture."""
        boxes = [scene.layout.boxes for scene in self.scenes]
        return select(boxes, self.scenes[0].canvas, self.cropping.min_side)

    @property
    def owners(self) -> NDArray[np.intp]:
        """[R], the picture of every region."""
        return np.array([region.picture for region in self.regions], np.intp)

    @cached_property
    def region_features(self) -> NDArray[np.float32]:
        """[R, d]"""
        return self._region_rows("features", self.world.features)

    @cached_property
    def region_embeddings(self) -> NDArray[np.float32]:
        """[R, e]"""
        return self._region_rows("clip", self.world.embed_pictures)

    @cached_property
    def phrases(self) -> NDArray[np.float32]:
        """[R, e], of the phrase of every region."""
        asked = [self.scenes[r.picture].layout[r.item].phrase for r in self.regions]
        return self.world.embed_texts(asked)

    @cached_property
    def detections(self) -> list[list[Detection]]:
        """What stands on each picture; kept as rows of JSON text."""

        def find(start: int, stop: int) -> NDArray[Any]:
            asked = [scene.layout.phrases for scene in self.scenes[start:stop]]
            found = self.world.detect(self.source.read(start, stop), asked)
            return np.array([_to_text(some) for some in found])

        rows = stored_rows(self._place("detector", "found"), len(self), find)
        return [_from_text(str(row)) for row in rows]

    def _rows(self, model: str, look: Callable[[Pictures], NDArray[np.float32]]) -> NDArray[Any]:
        def compute(start: int, stop: int) -> NDArray[np.float32]:
            return look(self.source.read(start, stop))

        return stored_rows(self._place(model, "pictures"), len(self), compute)

    def _region_rows(
        self, model: str, look: Callable[[Pictures], NDArray[np.float32]]
    ) -> NDArray[Any]:
        if not len(self.regions):
            raise SituError(
                "no box is large enough to be cut out; its shorter side must be at least "
                f"{self.cropping.min_side:g} of the picture's"
            )

        def compute(start: int, stop: int) -> NDArray[np.float32]:
            return look(self._cut(self.regions[start:stop]))

        return stored_rows(self._place(model, "regions"), len(self.regions), compute)

    def _cut(self, regions: Sequence[Region]) -> Pictures:
        first, last = regions[0].picture, regions[-1].picture + 1
        near = [replace(region, picture=region.picture - first) for region in regions]
        pictures = self.source.read(first, last)
        return cut(pictures, near, self.world.crop_side, self.cropping.mode).pixels

    def _place(self, model: str, what: str) -> Path | None:
        if self.folder is None:
            return None
        return self.folder / f"{what}-{self.world.models[model]}-{self._fingerprint}"

    @cached_property
    def _fingerprint(self) -> str:
        digest = hashlib.sha256(self.source.fingerprint.encode())
        for scene in self.scenes:
            digest.update(codec.dumps(scene).encode())
        digest.update(repr(self.cropping).encode())
        return digest.hexdigest()[:12]


def shuffled(evidence: Evidence) -> Evidence:
    """The same pictures held against each other's scenes: what a model scores that ignores its input."""
    scenes = (*evidence.scenes[1:], evidence.scenes[0])
    return Evidence(evidence.source, scenes, evidence.world, evidence.folder, evidence.cropping)


def _to_text(found: Sequence[Detection]) -> str:
    return json.dumps([[d.label, d.score, *d.box.xyxy] for d in found])


def _from_text(text: str) -> list[Detection]:
    return [Detection(label, score, Box(*xyxy)) for label, score, *xyxy in json.loads(text)]
