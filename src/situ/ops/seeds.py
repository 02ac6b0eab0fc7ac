"""Random numbers that depend on an image's own seed: not on its batch, nor on the device."""

from collections.abc import Sequence
from hashlib import blake2b

import torch
from torch import Generator, Tensor

from situ.scene.errors import SituError

SEEDS = 2**32  # torch's CPU generator reads 32 bits of a seed and drops the rest in silence


def generator(seed: int, stream: str) -> Generator:
    """A CPU generator for one purpose of one image: the stream "latent" of seed 7, say.

    Within a stream no two seeds give the same numbers: hashed into 32 bits, two among 30,000 images
    would with a chance of one in ten, so the seed is only turned.
    """
    if not 0 <= seed < SEEDS:
        raise SituError(f"seed: {seed} must be in 0..{SEEDS - 1}")
    turn = int.from_bytes(blake2b(stream.encode(), digest_size=4).digest(), "big")
    return Generator().manual_seed(seed ^ turn)


def draw(generators: Sequence[Generator], shape: Sequence[int]) -> Tensor:
    """Standard normal rows [B, *shape] in fp32 on the CPU, each from its own generator."""
    return torch.stack([torch.randn(tuple(shape), generator=g) for g in generators])


def latent_noise(seeds: Sequence[int], shape: Sequence[int], stream: str = "latent") -> Tensor:
    """The noise that sampling starts from: [B, *shape] in fp32 on the CPU."""
    return draw([generator(seed, stream) for seed in seeds], shape)
