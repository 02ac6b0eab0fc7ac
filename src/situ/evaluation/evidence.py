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
from situ.evaluation.world import (
    CODE,
    Answering,
    Deep,
    Embedding,
    Pictures,
    Preferring,
    Wide,
    World,
)
from situ.scene import Box, Scene, SituError, codec

Found = list[list[Detection]]
Names = Sequence[Sequence[str]]  # of each picture, what to look for or to ask


class PictureError(SituError):
    """A picture of the set cannot be used, so that no metric of the set can be."""


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
    scenes, the network's weights and the version of the code around it, so nothing stale is ever read.
    `seen` are findings from elsewhere, which then stand for all that the world's detector would say.
    """

    source: Source
    scenes: tuple[Scene, ...]
    world: World
    folder: Path | None = None
    cropping: Cropping = field(default_factory=Cropping)
    seen: Found | None = None

    def __post_init__(self) -> None:
        if len(self.source) != len(self.scenes):
            raise SituError(
                f"{len(self.source)} pictures for {len(self.scenes)} scenes; give one for each"
            )
        if not self.scenes:
            raise SituError("there are no pictures to measure")
        if self.seen is not None and len(self.seen) != len(self.scenes):
            raise SituError(f"findings of {len(self.seen)} pictures came for {len(self.scenes)}")

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
    def cmmd_embeddings(self) -> NDArray[np.float32]:
        """[N, e], of the pictures, for CMMD; those of the CLIP score where a world has no others."""
        if isinstance(self.world, Embedding):
            return self._rows("cmmd", self.world.embed_for_cmmd)
        return self.embeddings

    @cached_property
    def large_embeddings(self) -> NDArray[np.float32]:
        """[N, e], of the pictures, by the larger CLIP."""
        world = self.world
        if not isinstance(world, Wide):
            raise SituError(f"the world {world.name} has one CLIP only; measure clip")
        return self._rows("clip_large", world.embed_pictures_large)

    @cached_property
    def preferences(self) -> NDArray[np.float32]:
        """[N, 2], cosine and logit of each picture with its caption."""
        world = self.world
        if not isinstance(world, Preferring):
            raise SituError(
                f"the world {world.name} has no network of preferences, and none that would stand for it"
            )
        captions = [scene.caption for scene in self.scenes]

        def look(start: int, stop: int) -> NDArray[np.float32]:
            return world.prefer(self.source.read(start, stop), captions[start:stop])

        return stored_rows(self._place("preference", "pictures"), len(self), look)

    @cached_property
    def nearness(self) -> NDArray[np.float32]:
        """[N, h, w], larger where nearer."""
        if not isinstance(self.world, Deep):
            raise SituError(f"the world {self.world.name} has no network that sees depth")
        return self._rows("depth", self.world.nearness)

    def answers(self, questions: Names) -> list[list[float]]:
        """P(yes) of each question about each picture."""
        world = self.world
        if not isinstance(world, Answering):
            raise SituError(f"the world {world.name} has no network that answers questions")

        def look(start: int, stop: int) -> NDArray[Any]:
            some = questions[start:stop]
            busy = [n for n, asked in enumerate(some) if asked]
            said: list[list[float]] = [[] for _ in some]
            if busy:
                pictures = self.source.read(start, stop)[busy]
                for n, row in zip(
                    busy, world.answer(pictures, [some[n] for n in busy]), strict=True
                ):
                    said[n] = row
            return np.array([json.dumps(row) for row in said])

        rows = stored_rows(self._place("answers", "said", questions), len(self), look)
        return [json.loads(str(row)) for row in rows]

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
    def detections(self) -> Found:
        """What stands on each picture, of the phrases of its layout."""
        return self.findings([scene.layout.phrases for scene in self.scenes])

    def findings(self, phrases: Names) -> Found:
        """What stands on each picture when its own phrases are looked for; kept as rows of JSON text."""
        if self.seen is not None:
            return self.seen

        def find(start: int, stop: int) -> NDArray[Any]:
            found = self.world.detect(self.source.read(start, stop), phrases[start:stop])
            return np.array([_to_text(some) for some in found])

        rows = stored_rows(self._place("detector", "found", phrases), len(self), find)
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

    def _place(self, model: str, what: str, asked: Names = ()) -> Path | None:
        if self.folder is None:
            return None
        name = f"{what}-{self.world.models[model]}-code{CODE[model]}-{self._fingerprint}"
        return self.folder / (f"{name}-{_digest(asked)}" if asked else name)

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
    return replace(evidence, scenes=scenes)


def _digest(names: Names) -> str:
    return hashlib.sha256(json.dumps([list(some) for some in names]).encode()).hexdigest()[:12]


def _to_text(found: Sequence[Detection]) -> str:
    return json.dumps([[d.label, d.score, *d.box.xyxy] for d in found])


def _from_text(text: str) -> list[Detection]:
    return [Detection(label, score, Box(*xyxy)) for label, score, *xyxy in json.loads(text)]
