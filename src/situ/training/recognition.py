"""Train the recogniser: every page, and every box cut from one, is asked what is on it.

    loss = BCE(kinds) + BCE(colours) + BCE(textures) + CE(background) + CE(count)

A box is asked for the one thing it was cut around; its background and count are left out.
"""

from collections.abc import Mapping, Sequence

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from situ.data.coco import Item
from situ.storybook.judge import as_pixels
from situ.storybook.kinds import KINDS
from situ.storybook.palette import BACKGROUNDS, COLOURS, TEXTURES
from situ.storybook.recogniser import Recogniser
from situ.training.contrastive import cut
from situ.training.detection import weathered
from situ.training.loop import Batch

WORDS = {"kinds": tuple(KINDS), "colours": tuple(COLOURS), "textures": TEXTURES}
ATTRIBUTES = {"kinds": "kind", "colours": "colour", "textures": "texture"}
CUT_OUT = 0.5  # share of the rows that are boxes


class RecognitionObjective(nn.Module):
    """The recogniser on pages and boxes whose contents are known."""

    def __init__(self, recogniser: Recogniser) -> None:
        super().__init__()
        self.trained = recogniser

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        said = self.trained.answer(self.trained(batch["pixels"]))
        parts = {
            name: functional.binary_cross_entropy_with_logits(said[name].float(), batch[name])
            * len(words)
            for name, words in WORDS.items()
        }
        whole = batch["whole"]
        for name in ("background", "count"):
            surprise = functional.cross_entropy(said[name].float(), batch[name], reduction="none")
            parts[name] = (surprise * whole).sum() / whole.sum().clamp(min=1)
        loss = torch.stack(list(parts.values())).sum()
        return {"loss": loss} | {name: part.detach() for name, part in parts.items()}


class RecognitionData:
    """Packed pictures (N, 128, 128, 3); `backgrounds` maps the image id of each item to its background."""

    def __init__(
        self, pictures: NDArray, items: Sequence[Item], backgrounds: Mapping[int, str]
    ) -> None:
        self.pictures, self.items = pictures, [item for item in items if len(item.layout)]
        self.rows = [row for row, item in enumerate(items) if len(item.layout)]
        names = list(BACKGROUNDS)
        self.backgrounds = [names.index(backgrounds[item.image_id]) for item in self.items]

    def batch(self, size: int, rng: torch.Generator) -> Batch:
        picks = torch.randint(len(self.items), (size,), generator=rng).tolist()
        turns = torch.randint(1 << 30, (size,), generator=rng).tolist()
        boxed = torch.rand(size, generator=rng) < CUT_OUT
        things = [
            turn % len(self.items[i].layout) if cut_out else None
            for i, turn, cut_out in zip(picks, turns, boxed.tolist(), strict=True)
        ]
        return {
            "pixels": weathered(self._pixels(picks, things), rng),
            "whole": 1 - boxed.float(),
            "background": torch.tensor([self.backgrounds[i] for i in picks]),
            "count": torch.tensor([len(self.items[i].layout) - 1 for i in picks]),
            **{name: self._presence(name, picks, things) for name in WORDS},
        }

    def _pixels(self, picks: Sequence[int], things: Sequence[int | None]) -> Tensor:
        pixels = as_pixels(self.pictures[[self.rows[i] for i in picks]])
        boxes = [
            (0.0, 0.0, 1.0, 1.0) if k is None else self.items[i].layout[k].box.xyxy
            for i, k in zip(picks, things, strict=True)
        ]
        return cut(pixels, torch.tensor(boxes), pixels.shape[-1])

    def _presence(self, name: str, picks: Sequence[int], things: Sequence[int | None]) -> Tensor:
        rows = torch.zeros(len(picks), len(WORDS[name]))
        for row, (i, k) in enumerate(zip(picks, things, strict=True)):
            looks = self.items[i].attributes
            for look in looks if k is None else (looks[k],):
                rows[row, WORDS[name].index(look[ATTRIBUTES[name]])] = 1
        return rows


__all__ = ["RecognitionData", "RecognitionObjective"]
