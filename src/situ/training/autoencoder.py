"""Train a small autoencoder on crops of pictures.

    loss = |x - y| + square (x - y)^2 + kl * mean(z^2),   y = decode(z + noise * n),  n ~ N(0, I)

The noise makes latents smooth and the decoder forgiving; the penalty keeps them near zero, so that together
they act as a variational autoencoder of fixed variance.
"""

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from situ.training.loop import Batch


class AutoencoderObjective(nn.Module):
    """Reconstruction of (B, 3, H, W) crops in [-1, 1]; `decoder_only` keeps the latents as they are."""

    def __init__(
        self,
        network: Any,
        noise: float,
        kl: float,
        decoder_only: bool = False,
        square: float = 4.0,
    ) -> None:
        super().__init__()
        self.trained = network.to(memory_format=torch.channels_last)
        self.noise, self.kl, self.square = noise, kl, square
        network.encoder.requires_grad_(not decoder_only)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        pixels = batch["pixels"].float().permute(0, 3, 1, 2) / 127.5 - 1
        z = self.trained.encode(pixels).latent.float()
        picture = self.trained.decode(z + self.noise * batch["noise"]).sample.float()
        error = picture - pixels
        absolute, square, size = error.abs().mean(), error.square().mean(), z.square().mean()
        psnr = -10 * torch.log10(square / 4)
        loss = absolute + self.square * square + self.kl * size
        return {"loss": loss, "l1": absolute, "psnr": psnr, "z2": size}


@torch.no_grad()
def psnr(network: Any, pictures: NDArray) -> float:
    """Peak signal-to-noise ratio in dB of clean reconstructions of (N, H, W, 3) uint8, mean over pictures."""
    total = 0.0
    for i in range(0, len(pictures), 16):
        rows = torch.from_numpy(pictures[i : i + 16].copy()).permute(0, 3, 1, 2)
        pixels = rows.float() / 127.5 - 1
        error = network.decode(network.encode(pixels).latent).sample.clamp(-1, 1) - pixels
        total += float((-10 * torch.log10(error.square().mean((1, 2, 3)) / 4)).sum())
    return total / len(pictures)


class CropData:
    """Random square crops of packed pictures (N, H, W, 3), with the noise for their latents."""

    def __init__(self, pictures: NDArray, crop: int, latent_channels: int, factor: int) -> None:
        self.pictures, self.crop, self.shape = (
            pictures,
            crop,
            (latent_channels, crop // factor, crop // factor),
        )

    def batch(self, size: int, rng: torch.Generator) -> Batch:
        room = self.pictures.shape[1] - self.crop + 1
        rows = torch.randint(len(self.pictures), (size,), generator=rng)
        corners = torch.randint(room, (size, 2), generator=rng)
        crops = [
            self._crop(int(i), int(y), int(x)) for i, (y, x) in zip(rows, corners, strict=True)
        ]
        noise = torch.randn(size, *self.shape, generator=rng)
        return {"pixels": torch.stack(crops), "noise": noise}

    def _crop(self, row: int, y: int, x: int) -> Tensor:
        window = self.pictures[row, y : y + self.crop, x : x + self.crop]
        return torch.from_numpy(window.copy())
