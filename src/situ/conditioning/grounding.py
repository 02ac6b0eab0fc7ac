"""Layouts as grounding tensors: boxes, which slots are used, and phrase vectors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from situ.scene import Layout
from situ.scene.layout import MAX_OBJECTS


@dataclass(frozen=True, slots=True, eq=False)
class Grounding:
    """Always MAX_OBJECTS slots; an unused slot holds zeros, which the network replaces by learned nulls.

    Boxes stay in fp32: half precision moves the Fourier features of a box by up to 0.1.
    """

    boxes_xyxy: Tensor  # [B, 30, 4] fp32
    masks: Tensor  # [B, 30]
    phrases: Tensor  # [B, 30, D]

    @classmethod
    def of(
        cls, layouts: Sequence[Layout], vectors: Mapping[str, Tensor], width: int
    ) -> "Grounding":
        """`vectors` gives the pooled text vector [D] of every phrase."""
        result = cls.null(len(layouts), width)
        for row, layout in enumerate(layouts):
            for slot, item in enumerate(layout):
                result.boxes_xyxy[row, slot] = torch.tensor(item.box.xyxy)
                result.masks[row, slot] = 1
                result.phrases[row, slot] = vectors[item.phrase].to(result.phrases)
        return result

    @classmethod
    def null(cls, batch: int, width: int) -> "Grounding":
        """No object anywhere: what the unconditional branch and the text-only base are given."""
        return cls(
            torch.zeros(batch, MAX_OBJECTS, 4),
            torch.zeros(batch, MAX_OBJECTS),
            torch.zeros(batch, MAX_OBJECTS, width),
        )

    def to(self, device: torch.device | str) -> "Grounding":
        return Grounding(self.boxes_xyxy.to(device), self.masks.to(device), self.phrases.to(device))
