"""Train CLIP on pictures with captions and on box crops with phrases (Radford et al. 2021, two groups).

Rows with the same text are positives of each other: the target of a row is uniform over its equals. Beside
a text encoder that stays as it is (others read its states), pictures alone can learn on.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from situ.data.coco import Item
from situ.training.alignment_data import Table
from situ.training.loop import Batch

BLURRED = 0.5  # of the crops: a network that draws shows blurred estimates
BLUR_SIDES = (0.25, 1.0)  # of the crop's side, to which it is shrunk and enlarged again


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
        return _matched(scale, images, texts, numbers)


class ImageObjective(nn.Module):
    """Of a Clip the image encoder, both projections and the temperature learn; its text transformer stays.

    A crop names its phrase among all phrases of the data, of which many differ in one word, so that it must
    see every word of them; a whole picture its caption among those of the batch.
    """

    def __init__(self, clip: Any, phrases: Tensor, scenes: float = 0.3) -> None:
        """`phrases` [P, width]: the text transformer's vectors of all phrases; `scenes` weighs pictures."""
        super().__init__()
        clip.text.requires_grad_(False)
        clip.text.text_projection.requires_grad_(True)
        self.trained: Any = clip
        self.phrases, self.scenes = phrases.float(), scenes

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        crops, texts = self._seen(batch["crop_pixels"]), self._read(self.phrases)
        logits = self._scale() * cosines(crops, texts.to(crops))
        crop = functional.cross_entropy(logits, batch["crop_text"])
        images, captions = self._seen(batch["scene_pixels"]), self._read(batch["scene_vectors"])
        scene, scene_hits = _matched(self._scale(), images, captions, batch["scene_text"])
        return {
            "loss": crop + self.scenes * scene,
            "scene": scene.detach(),
            "crop": crop.detach(),
            "scene_top1": scene_hits,
            "crop_top1": (logits.argmax(1) == batch["crop_text"]).float().mean(),
        }

    def _scale(self) -> Tensor:
        return self.trained.log_scale.exp().clamp(max=100)

    def _seen(self, pixels: Tensor) -> Tensor:
        return self.trained.image(pixel_values=pixels).image_embeds.float()

    def _read(self, vectors: Tensor) -> Tensor:
        projection = self.trained.text.text_projection
        return projection(vectors.to(projection.weight)).float()


def _matched(
    scale: Tensor, images: Tensor, texts: Tensor, numbers: Tensor
) -> tuple[Tensor, Tensor]:
    """Symmetric InfoNCE of rows [n, D], of which those of one number [n] are equals; the share of hits."""
    logits = scale * cosines(images, texts)
    same = (numbers[:, None] == numbers[None]).float()
    targets = same / same.sum(1, keepdim=True)
    forth, back = (functional.cross_entropy(rows, targets) for rows in (logits, logits.T))
    return (forth + back) / 2, same.gather(1, logits.argmax(1, keepdim=True)).mean()


def cosines(a: Tensor, b: Tensor) -> Tensor:
    """[n, D], [m, D] -> [n, m]"""
    return functional.normalize(a, dim=-1) @ functional.normalize(b, dim=-1).T


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
        captions, phrases, pixels = self.views(size, rng)
        return {**pixels, **self._texts("scene", captions), **self._texts("crop", phrases)}

    def views(self, size: int, rng: torch.Generator) -> tuple[list[str], list[str], Batch]:
        """Captions of random pictures, phrases of random boxes, and the pixels of both."""
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
        pixels = {
            "scene_pixels": self._cut(scenes, whole),
            "crop_pixels": self._cut([i for i, _ in pairs], boxes),
        }
        return captions, phrases, pixels

    def _cut(self, rows: Sequence[int], boxes_xyxy: Tensor) -> Tensor:
        pictures = torch.from_numpy(np.stack([self.pictures[i] for i in rows]))
        return cut(pictures.permute(0, 3, 1, 2).float() / 127.5 - 1, boxes_xyxy, self.size)

    def _texts(self, group: str, texts: Sequence[str]) -> Batch:
        rows = self.tokenizer(
            list(texts), padding="max_length", truncation=True, return_tensors="pt"
        ).input_ids
        numbers = {text: i for i, text in enumerate(dict.fromkeys(texts))}
        return {f"{group}_tokens": rows, f"{group}_text": torch.tensor([numbers[t] for t in texts])}


class NamedData(PairData):
    """The same with texts as rows of tables, so that no text encoder runs while training.

    The batch holds `scene_vectors` [B, width], and the numbers of captions and phrases in their tables. Half
    of the crops are mirrored (phrases say nothing of sides) and half are blurred.
    """

    def __init__(
        self,
        items: Sequence[Item],
        pictures: NDArray,
        captions: Table,
        phrases: Table,
        size: int,
        crops_per_picture: float = 5.0,
    ) -> None:
        super().__init__(items, pictures, None, size, crops_per_picture)
        self.captions, self.phrases = captions, phrases

    def batch(self, size: int, rng: torch.Generator) -> Batch:
        captions, phrases, pixels = self.views(size, rng)
        crops = pixels["crop_pixels"]
        mirrored = torch.rand(len(crops), 1, 1, 1, generator=rng) < 0.5
        rows = torch.tensor([self.captions.numbers[text] for text in captions])
        return {
            "scene_pixels": pixels["scene_pixels"],
            "crop_pixels": blurred(torch.where(mirrored, crops.flip(-1), crops), rng),
            "scene_vectors": self.captions.vectors[rows].float(),
            "scene_text": rows,
            "crop_text": torch.tensor([self.phrases.numbers[text] for text in phrases]),
        }


def blurred(squares: Tensor, rng: torch.Generator) -> Tensor:
    """Squares (n, C, s, s) of which a share is shrunk to some side and enlarged again."""
    chance, size = torch.rand(len(squares), 2, generator=rng).unbind(1)
    low, high = BLUR_SIDES
    sides = ((low + (high - low) * size) * squares.shape[-1]).round().int().tolist()
    rows = []
    for square, blur, side in zip(
        squares.split(1), (chance < BLURRED).tolist(), sides, strict=True
    ):
        small = functional.interpolate(square, (side, side), mode="bilinear", antialias=True)
        back = functional.interpolate(small, square.shape[-2:], mode="bicubic").clamp(-1, 1)
        rows.append(back if blur else square)
    return torch.cat(rows)


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
