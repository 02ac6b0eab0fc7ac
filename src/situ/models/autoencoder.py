"""The autoencoder of a backbone: diffusers' classes behind two functions, pixels to latents and back.

SD's is AutoencoderKL. The storybook's is AutoencoderDC (deep compression, Chen et al. 2024): residual
space-to-depth shortcuts keep nearly all work at a quarter of the resolution.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_dc import AutoencoderDC
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor, nn


def deep_compression(
    latent_channels: int, widths: Sequence[int], layers: Sequence[int], **config: Any
) -> Any:
    """A small AutoencoderDC of residual blocks; each width after the first halves the resolution."""
    return AutoencoderDC(
        latent_channels=latent_channels,
        encoder_block_types="ResBlock",
        decoder_block_types="ResBlock",
        encoder_block_out_channels=tuple(widths),
        decoder_block_out_channels=tuple(widths),
        encoder_layers_per_block=tuple(layers),
        decoder_layers_per_block=tuple(layers),
        encoder_qkv_multiscales=((),) * len(widths),
        decoder_qkv_multiscales=((),) * len(widths),
        upsample_block_type="interpolate",
        **config,
    )


class Autoencoder(nn.Module):
    """Pixels (B, 3, H, W) in [-1, 1] to scaled latents (B, C, H/f, W/f) and back, in the network's dtype."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network: Any = network  # AutoencoderDC or AutoencoderKL, whose types say too little

    @property
    def scaling(self) -> float:
        return float(self.network.config["scaling_factor"])

    @property
    def factor(self) -> int:
        """Pixels per latent cell along a side."""
        config = self.network.config
        widths = config.get("encoder_block_out_channels") or config["block_out_channels"]
        return 2 ** (len(widths) - 1)

    @property
    def channels(self) -> int:
        return int(self.network.config["latent_channels"])

    def encode(self, pixels: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Latents of pixels: the mean of a KL autoencoder, or a sample from it if a generator is given."""
        coded = self.network.encode(pixels.to(self.network.dtype))
        if hasattr(coded, "latent"):
            return coded.latent * self.scaling
        posterior = coded.latent_dist
        z = posterior.sample(generator) if generator else posterior.mode()
        return z * self.scaling

    def decode(self, z: Tensor) -> Tensor:
        return self.network.decode(z.to(self.network.dtype) / self.scaling).sample


CLASSES: dict[str, Any] = {"AutoencoderKL": AutoencoderKL, "AutoencoderDC": AutoencoderDC}


def read_autoencoder(
    folder: Path, class_name: str, dtype: torch.dtype, variant: str | None = None
) -> Autoencoder:
    """Load `folder` (config.json, safetensors) as one of CLASSES."""
    network = CLASSES[class_name].from_pretrained(
        folder, torch_dtype=dtype, use_safetensors=True, local_files_only=True, variant=variant
    )
    return Autoencoder(network.eval())
