"""How well pictures fit texts by CLIP: cosines, and the scores that are made of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from situ.evaluation.crops import middle_square
from situ.evaluation.frechet import check_widths
from situ.evaluation.kernel import unit_rows
from situ.scene import SituError

Array = NDArray[np.float64]
Features = NDArray[np.float32]  # [N, d]
Pictures = (
    NDArray[np.uint8] | Sequence[NDArray[np.uint8]]
)  # [N, H, W, 3], or [H, W, 3] of any sizes

PREFIX = "A photo depicts "  # what CLIPScore puts before each text (Hessel et al. 2021)
MEAN = (0.48145466, 0.4578275, 0.40821073)  # of CLIP's training pictures, red green blue in 0..1
STD = (0.26862954, 0.26130258, 0.27577711)


class Encoder(Protocol):
    """Whatever puts pictures and texts into one space, of any row lengths."""

    def image_features(self, pictures: Pictures, /) -> Features: ...

    def text_features(self, texts: Sequence[str], /) -> Features: ...


def cosines(image_features: ArrayLike, text_features: ArrayLike) -> Array:
    """The raw cosine of each picture with its own text: [N, d], [N, d] -> [N] in -1..1."""
    images = unit_rows(image_features, "image features")
    texts = unit_rows(text_features, "text features")
    check_widths(images.shape[1], texts.shape[1])
    if len(images) != len(texts):
        raise SituError(
            f"{len(images)} pictures and {len(texts)} texts; each picture needs one text"
        )
    return np.einsum("nd,nd->n", images, texts)


def pair_cosines(
    encoder: Encoder, pictures: Pictures, texts: Sequence[str], prefix: str = ""
) -> Array:
    """Cosines [N] of pictures with their texts; `prefix` goes before each text, as in PREFIX."""
    prompts = [prefix + text for text in texts]
    if len(pictures) != len(prompts):
        raise SituError(
            f"{len(pictures)} pictures and {len(prompts)} texts; each picture needs one text"
        )
    return cosines(encoder.image_features(pictures), encoder.text_features(prompts))


def hessel(cosine: ArrayLike) -> Array:
    """CLIPScore of each item, 2.5 max(cosine, 0) (Hessel et al. 2021, section 3); texts need PREFIX."""
    return 2.5 * np.asarray(cosine, np.float64).clip(0)


def torchmetrics_score(cosine: ArrayLike) -> float:
    """What torchmetrics calls CLIPScore: 100 times the mean cosine, and 0 where that is negative."""
    return float(max(100 * _mean(np.asarray(cosine, np.float64)), 0.0))


def region_mean(
    values: ArrayLike, pictures: ArrayLike, reduce: Literal["box", "picture"] = "box"
) -> float:
    """The mean over regions, or the mean over pictures of each picture's mean (InstanceDiffusion).

    `values` [R] and `pictures` [R], the index of each region's picture.
    """
    scores, owners = np.asarray(values, np.float64), np.asarray(pictures)
    if scores.shape != owners.shape or scores.ndim != 1:
        raise SituError(f"regions: {scores.shape} values of {owners.shape} pictures do not match")
    if reduce == "box":
        return _mean(scores)
    return _mean(np.asarray([scores[owners == owner].mean() for owner in np.unique(owners)]))


@dataclass(frozen=True, slots=True, eq=False)
class ClipScorer:
    """A CLIP model of transformers with its tokenizer, as an Encoder."""

    model: Any
    tokenizer: Any
    batch: int = 32
    squash: bool = False  # warp whole pictures to the square, as CMMD's port does

    @classmethod
    def from_folder(
        cls, folder: Path, device: str = "cpu", batch: int = 32, squash: bool = False
    ) -> Self:
        """A folder as the hub has it: config.json, model.safetensors and the tokenizer's files."""
        from transformers import CLIPModel, CLIPTokenizer

        if not (folder / "config.json").is_file():
            raise SituError(
                f"{folder / 'config.json'} is missing; give the folder of a CLIP model, such as "
                "openai/clip-vit-base-patch32"
            )
        try:
            model: Any = CLIPModel.from_pretrained(folder, local_files_only=True)
            tokenizer = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise SituError(f"{folder} is not a whole CLIP model: {reason}") from None
        return cls(model.to(device).eval().requires_grad_(False), tokenizer, batch, squash)

    @property
    def size(self) -> int:
        """Pixels per side of the square that the model sees."""
        return int(self.model.config.vision_config.image_size)

    @property
    def length(self) -> int:
        """Tokens of a text that are read, 77 in every CLIP; the rest is cut."""
        return int(self.model.config.text_config.max_position_embeddings)

    @torch.no_grad()
    def image_features(self, pictures: Pictures, /) -> Features:
        """Projected features [N, d], not normalised, of uint8 pictures."""
        rows: list[Tensor] = []
        for start in range(0, len(pictures), self.batch):
            prepare = squashed_pixels if self.squash else clip_pixels
            pixels = prepare(pictures[start : start + self.batch], self.size)
            inputs = pixels.to(self.model.device, self.model.dtype)
            rows.append(_projected(self.model.get_image_features(pixel_values=inputs)))
        return self._stacked(rows)

    @torch.no_grad()
    def text_features(self, texts: Sequence[str], /) -> Features:
        """Projected features [N, d], not normalised."""
        rows: list[Tensor] = []
        options = {"padding": "max_length", "max_length": self.length, "truncation": True}
        for start in range(0, len(texts), self.batch):
            some = list(texts[start : start + self.batch])
            tokens = self.tokenizer(some, return_tensors="pt", **options).to(self.model.device)
            rows.append(_projected(self.model.get_text_features(**tokens)))
        return self._stacked(rows)

    def _stacked(self, rows: Iterable[Tensor]) -> Features:
        empty = np.empty((0, int(self.model.config.projection_dim)), np.float32)
        return np.concatenate([empty, *(row.float().cpu().numpy() for row in rows)])


def clip_pixels(pictures: Pictures, size: int) -> Tensor:
    """What CLIP sees of uint8 pictures: the middle square, normalised; [N, 3, size, size] in fp32."""
    squares = [np.asarray(middle_square(Image.fromarray(p), size)) for p in pictures]
    return _normalised(torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2).float() / 255)


def squashed_pixels(pictures: Pictures, size: int) -> Tensor:
    """Whole uint8 pictures in a square, by bicubic interpolation without antialiasing, as the public
    port of CMMD enters them: [N, 3, size, size] in fp32."""
    rows = [torch.from_numpy(np.asarray(p)).permute(2, 0, 1).float() / 255 for p in pictures]
    squares = [
        functional.interpolate(row[None], (size, size), mode="bicubic", align_corners=False)
        for row in rows
    ]
    return _normalised(torch.cat(squares).clamp(0, 1))


def _normalised(pixels: Tensor) -> Tensor:
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    return (pixels - mean) / std


def _projected(output: Any) -> Tensor:
    """transformers 5 wraps the features, and 4 does not."""
    return output if isinstance(output, Tensor) else output.pooler_output


def _mean(values: Array) -> float:
    if not values.size:
        raise SituError("there are no cosines to average: score at least one picture")
    return float(values.mean())
