"""Networks that look at pictures while another network learns to draw them: CLIP's two encoders in one
space, and a small decoder in place of a large one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from torch import Tensor
from torch.nn import functional

from situ.conditioning.text import TextEncoder
from situ.models.autoencoder import Autoencoder
from situ.models.backbone import Backbone
from situ.scene import SituError

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
OURS = (0.5, 0.5, 0.5)  # the storybook's pictures are -1..1


@dataclass(frozen=True, slots=True, eq=False)
class ClipPair:
    """CLIP with both projections: pictures and texts as vectors of one space. Frozen, but gradients of
    pictures pass through.

    mean, std: how its pictures were normalised. mode: how they were resized, with antialiasing.
    """

    text: TextEncoder
    image: Any  # a CLIPVisionModelWithProjection
    mean: tuple[float, float, float] = CLIP_MEAN
    std: tuple[float, float, float] = CLIP_STD
    mode: str = "bicubic"

    @property
    def side(self) -> int:
        return int(self.image.config.image_size)

    def fit(self, pictures: Tensor) -> Tensor:
        """Pictures [n, 3, H, W], stretched to the encoder's square."""
        if pictures.shape[-2:] == (self.side, self.side):
            return pictures
        size = (self.side, self.side)
        return functional.interpolate(pictures, size, mode=self.mode, antialias=True)

    def see(self, squares: Tensor) -> Tensor:
        """Pictures [n, 3, side, side] in 0..1 to vectors [n, D], not normalised."""
        mean, std = (squares.new_tensor(v)[:, None, None] for v in (self.mean, self.std))
        pixels = ((squares - mean) / std).to(self.image.dtype)
        return self.image(pixel_values=pixels).image_embeds

    @torch.no_grad()
    def project(self, pooled: Tensor) -> Tensor:
        """Vectors at the end tokens [n, width] to the shared space [n, D]."""
        projection = self.text.model.text_projection
        return projection(pooled.to(projection.weight)).float()


def read_clip(folder: Path, device: str = "cpu") -> ClipPair:
    """CLIP from its own folder (config, tokenizer and weights side by side) or from a backbone's folder
    that has an image_encoder. Raises SituError that names what is missing.
    """
    from transformers import (
        CLIPTextModelWithProjection,
        CLIPTokenizer,
        CLIPVisionModelWithProjection,
    )

    split = (folder / "image_encoder").is_dir()
    parts = ("text_encoder", "image_encoder", "tokenizer") if split else ("", "", "")
    _check_clip(folder, split)
    options: dict[str, Any] = {"local_files_only": True}
    weights: dict[str, Any] = {"dtype": torch.float32, "use_safetensors": True, **options}
    text = CLIPTextModelWithProjection.from_pretrained(folder / parts[0], **weights)
    image: Any = CLIPVisionModelWithProjection.from_pretrained(folder / parts[1], **weights)
    tokenizer = CLIPTokenizer.from_pretrained(folder / parts[2], **options)
    for network in (text, image):
        network.eval().requires_grad_(False).to(device)  # pyright: ignore[reportArgumentType]
    if split:
        return ClipPair(TextEncoder(tokenizer, text), image, OURS, OURS, "bilinear")
    return ClipPair(TextEncoder(tokenizer, text), image)


def read_tiny_decoder(folder: Path, like: Autoencoder) -> Autoencoder:
    """A small decoder (diffusers' AutoencoderTiny, as TAESD) for the latents of another autoencoder."""
    if not (folder / "config.json").is_file():
        raise SituError(
            f"{folder} has no config.json; give a diffusers folder of an AutoencoderTiny"
        )
    network = AutoencoderTiny.from_pretrained(
        folder, torch_dtype=torch.float32, use_safetensors=True, local_files_only=True
    )
    channels = network.config["latent_channels"]
    if channels != like.channels:
        raise SituError(
            f"{folder} decodes latents of {channels} channels, the model's have {like.channels}"
        )
    return Autoencoder(network.eval().requires_grad_(False))


def backbone_clip(backbone: Backbone, folder: Path) -> ClipPair:
    """The CLIP of a backbone's own folder, on its device."""
    if not (folder / "image_encoder").is_dir():
        raise SituError(
            f"{folder} has no image_encoder, which DSAlign looks with; give the folder of a CLIP"
        )
    return read_clip(folder, str(backbone.device))


def _check_clip(folder: Path, split: bool) -> None:
    parts = ("text_encoder/", "image_encoder/") if split else ("",)
    wanted = [f"{part}{name}" for part in parts for name in ("config.json", "model.safetensors")]
    missing = [name for name in wanted if not (folder / name).is_file()]
    if missing:
        raise SituError(f"{folder} is no CLIP; missing: {', '.join(missing)}")


__all__ = ["ClipPair", "backbone_clip", "read_clip", "read_tiny_decoder"]
