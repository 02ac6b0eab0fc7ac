"""Photographs as a world: FID's Inception, CLIP ViT-B/32 and Grounding DINO, each fetched once by the user.

The folder of weights is $SITU_WEIGHTS, by default ~/.cache/situ:

    pt_inception-2015-12-05-6726825d.pth
    clip-vit-base-patch32/        the repository openai/clip-vit-base-patch32
    grounding-dino-tiny/          the repository IDEA-Research/grounding-dino-tiny
"""

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from situ.evaluation.clip_score import ClipScorer
from situ.evaluation.detections import Detection, Detector
from situ.evaluation.detectors import load_detector
from situ.evaluation.inception import SIDE, InceptionFeatures, Preset, load_inception
from situ.evaluation.world import MissingError, Pictures, Rows
from situ.scene import SituError

CLIP = "clip-vit-base-patch32"
DETECTOR = "grounding-dino-tiny"


class CocoWorld:
    """`preset` is FID's resize (situ.evaluation.inception); all networks run on `device`."""

    name = "coco"
    crop_side = SIDE

    def __init__(
        self, weights: Path | None = None, preset: Preset = "clean", device: str = "cpu"
    ) -> None:
        own = os.environ.get("SITU_WEIGHTS") or "~/.cache/situ"
        self.weights = weights or Path(own).expanduser()
        self.preset: Preset = preset
        self.device = device

    @property
    def models(self) -> dict[str, str]:
        return {"features": f"inception-{self.preset}", "clip": CLIP, "detector": DETECTOR}

    def features(self, pictures: Pictures) -> Rows:
        return self._inception(pictures)

    def embed_pictures(self, pictures: Pictures) -> Rows:
        return self._clip.image_features(pictures)

    def embed_texts(self, texts: Sequence[str]) -> Rows:
        return self._clip.text_features(texts)

    def detect(self, pictures: Pictures, phrases: Sequence[Sequence[str]]) -> list[list[Detection]]:
        return self._detector.find(pictures, phrases)

    @cached_property
    def _inception(self) -> InceptionFeatures:
        try:
            network = load_inception(self.weights, self.device)
        except SituError as error:
            raise MissingError(str(error)) from None
        return InceptionFeatures(network, self.preset)

    @cached_property
    def _clip(self) -> ClipScorer:
        folder = self.weights / CLIP
        if not folder.is_dir():
            raise MissingError(f"{folder} is missing: put the repository openai/{CLIP} there")
        return ClipScorer.from_folder(folder, self.device)

    @cached_property
    def _detector(self) -> Detector:
        folder = self.weights / DETECTOR
        if not folder.is_dir():
            raise MissingError(
                f"{folder} is missing: put the repository IDEA-Research/{DETECTOR} there"
            )
        return load_detector(folder, "precision", self.device, local_only=True)
