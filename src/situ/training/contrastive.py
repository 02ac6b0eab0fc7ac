"""Train CLIP on pictures with captions and on box crops with phrases (Radford et al. 2021, two groups).

Rows with the same text are positives of each other: the target of a row is uniform over its equals.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from situ.data.coco import Item
from situ.training.loop import Batch


class ContrastiveObjective(nn.Module):
    """Symmetric InfoNCE; `trained` is a Clip, batch rows are pictures with token ids and a text number."""

    def __init__(self, clip: Any) -> None:
        super().__init__()
        self.trained: Any = clip

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        scale = self.trained.log_scale.exp().clamp(max=100)
        scene, scene_hits = self._match(batch, "scene", scale)
        crop, crop_hits = self._match(batch, "crop", scale)
        return {
            "loss": scene + crop,
            "scene": scene,
            "crop": crop,
            "scene_top1": scene_hits,
            "crop_top1": crop_hits,
        }

    def _match(self, batch: Batch, group: str, scale: Tensor) -> tuple[Tensor, Tensor]:
        tokens, numbers = batch[f"{group}_tokens"], batch[f"{group}_text"]
        length = int((tokens != tokens[:, -1:]).sum(1).max()) + 1  # padding is the end token
        texts = self.trained.text(input_ids=tokens[:, :length]).text_embeds.float()
        images = self.trained.image(pixel_values=batch[f"{group}_pixels"]).image_embeds.float()
        logits = (
            scale * functional.normalize(images, dim=-1) @ functional.normalize(texts, dim=-1).T
        )
        same = (numbers[:, None] == numbers[None]).float()
        targets = same / same.sum(1, keepdim=True)
        loss = (
            functional.cross_entropy(logits, targets) + functional.cross_entropy(logits.T, targets)
        ) / 2
        hits = same.gather(1, logits.argmax(1, keepdim=True)).mean()
        return loss, hits


class PairData:
    """Whole pictures with a caption and box crops with their phrase, both at the encoder's size."""

    def __init__(
        self,
        items: Sequence[Item],
        pictures: NDArray,
        tokenizer: Any,
        size: int,
        crops_per_picture: float = 2.0,
    ) -> None:
        self.items, self.pictures, self.size, self.ratio = items, pictures, size, crops_per_picture
        self.tokenizer = tokenizer
        self.boxes = [(i, k) for i, item in enumerate(items) for k in range(len(item.layout))]

    def batch(self, size: int, rng: torch.Generator) -> Batch:
        scenes = torch.randint(len(self.items), (size,), generator=rng).tolist()
        turns = torch.randint(5, (size,), generator=rng).tolist()
        picks = torch.randint(len(self.boxes), (round(size * self.ratio),), generator=rng).tolist()
        shift = torch.rand(len(picks), 4, generator=rng)
        captions = [
            self.items[i].captions[t % len(self.items[i].captions)]
            for i, t in zip(scenes, turns, strict=True)
        ]
        pairs = [self.boxes[i] for i in picks]
        phrases = [self.items[i].layout[k].phrase for i, k in pairs]
        whole = torch.tensor([[0.0, 0.0, 1.0, 1.0]]).expand(size, 4)
        boxes = torch.tensor([self.items[i].layout[k].box.xyxy for i, k in pairs])
        boxes = boxes + (shift - 0.5) * 0.04
        return {
            "scene_pixels": self._cut(scenes, whole),
            "crop_pixels": self._cut([i for i, _ in pairs], boxes),
            **self._texts("scene", captions),
            **self._texts("crop", phrases),
        }

    def _cut(self, rows: Sequence[int], boxes_xyxy: Tensor) -> Tensor:
        pictures = torch.from_numpy(np.stack([self.pictures[i] for i in rows]))
        return cut(pictures.permute(0, 3, 1, 2).float() / 127.5 - 1, boxes_xyxy, self.size)

    def _texts(self, group: str, texts: Sequence[str]) -> Batch:
        rows = self.tokenizer(
            list(texts), padding="max_length", truncation=True, return_tensors="pt"
        ).input_ids
        numbers = {text: i for i, text in enumerate(dict.fromkeys(texts))}
        return {f"{group}_tokens": rows, f"{group}_text": torch.tensor([numbers[t] for t in texts])}


def cut(pictures: Tensor, boxes_xyxy: Tensor, size: int) -> Tensor:
    """One box of each picture (B, C, H, W), stretched to (B, C, size, size) by bilinear sampling."""
    x0, y0, x1, y1 = (boxes_xyxy * 2 - 1).unbind(1)
    zero = torch.zeros_like(x0)
    rows = [(x1 - x0) / 2, zero, (x1 + x0) / 2, zero, (y1 - y0) / 2, (y1 + y0) / 2]
    theta = torch.stack(rows, 1).view(-1, 2, 3)
    grid = functional.affine_grid(theta, [len(pictures), 3, size, size], align_corners=False)
    return functional.grid_sample(
        pictures, grid, mode="bilinear", padding_mode="border", align_corners=False
    )
