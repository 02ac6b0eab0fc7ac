"""The storybook as a world: its recogniser, critic and judge, by which nothing is ever trained."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from situ.evaluation.detections import Detection
from situ.evaluation.detectors import StorybookDetector
from situ.evaluation.world import MissingError, Pictures, Rows
from situ.files.weights import weights_hash
from situ.storybook import judge, recogniser

CRITIC = Path(judge.__file__).parent / "weights" / "critic"
AT_ONCE = 64
# From where a finding counts: as many things are then missed as are seen that are not there (21 and 24 of
# 1365, on pages of seeds that no table uses).
CONFIDENCE = 0.25
LEAST = 0.05  # the score of the least sure finding that average precision sees


class StorybookWorld:
    """The networks that ship with this package."""

    name = "storybook"
    crop_side = judge.SIZE
    confidence = CONFIDENCE

    @property
    def models(self) -> dict[str, str]:
        files = {
            "features": [recogniser.WEIGHTS],
            "clip": [
                CRITIC / part / "model.safetensors" for part in ("image_encoder", "text_encoder")
            ],
            "detector": [judge.WEIGHTS],
        }
        return {what: f"{what}-{weights_hash(paths)}" for what, paths in files.items()}

    def features(self, pictures: Pictures) -> Rows:
        return self._recogniser.look(pictures)

    def embed_pictures(self, pictures: Pictures) -> Rows:
        return self._critic.pictures(pictures)

    def embed_texts(self, texts: Sequence[str]) -> Rows:
        return self._critic.texts(texts)

    def detect(self, pictures: Pictures, phrases: Sequence[Sequence[str]]) -> list[list[Detection]]:
        """Every thing the judge finds, labelled like a phrase of the storybook: "striped red fish"."""
        return self._detector.find(pictures, phrases)

    @cached_property
    def _recogniser(self) -> recogniser.Recogniser:
        return recogniser.load_recogniser()

    @cached_property
    def _detector(self) -> StorybookDetector:
        return StorybookDetector("look", score=LEAST)

    @cached_property
    def _critic(self) -> "Critic":
        return Critic(CRITIC)


class Critic:
    """The second, independent CLIP of the storybook."""

    def __init__(self, folder: Path) -> None:
        from transformers import (
            CLIPTextModelWithProjection,
            CLIPTokenizer,
            CLIPVisionModelWithProjection,
        )

        if not (folder / "text_encoder").is_dir():
            raise MissingError(
                f"{folder} is missing: install situ again, its weights are part of it"
            )
        self.tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
        text = CLIPTextModelWithProjection.from_pretrained(
            folder / "text_encoder", dtype=torch.float32
        )
        image = CLIPVisionModelWithProjection.from_pretrained(
            folder / "image_encoder", dtype=torch.float32
        )
        self.text, self.image = text.eval(), image.eval()
        side: Any = image.config.image_size
        self.side = int(side)

    @torch.no_grad()
    def pictures(self, pictures: Pictures) -> Rows:
        """[N, H, W, 3] to [N, d], warped to the encoder's square."""
        parts = []
        for start in range(0, len(pictures), AT_ONCE):
            pixels = judge.as_pixels(pictures[start : start + AT_ONCE])
            small = functional.interpolate(
                pixels, (self.side, self.side), mode="bilinear", antialias=True
            )
            parts.append(self.image(pixel_values=small).image_embeds.numpy())
        return np.concatenate(parts)

    @torch.no_grad()
    def texts(self, texts: Sequence[str]) -> Rows:
        """[N, d]; texts of more than 77 tokens are cut."""
        parts = []
        for start in range(0, len(texts), AT_ONCE):
            rows = list(texts[start : start + AT_ONCE])
            tokens = self.tokenizer(
                rows, padding="max_length", truncation=True, max_length=77, return_tensors="pt"
            )
            parts.append(self.text(input_ids=tokens.input_ids).text_embeds.numpy())
        return np.concatenate(parts)
