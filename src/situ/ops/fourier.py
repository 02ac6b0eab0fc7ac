"""Fourier features of coordinates, as GLIGEN feeds boxes to its network."""

import torch
from torch import Tensor


def fourier_features(x: Tensor, frequencies: int = 8, temperature: float = 100.0) -> Tensor:
    """x [..., n] -> [..., 2 * frequencies * n] in fp32; order: frequency > (sin, cos) > coordinate.

    GLIGEN (Li et al. 2023), section 3.2: sin and cos of temperature^(k / frequencies) x; no 2 pi.
    Always fp32: the highest frequency turns the rounding of bfloat16 into errors of 0.2.
    """
    ladder = temperature ** (torch.arange(frequencies, device=x.device).float() / frequencies)
    phase = ladder[:, None] * x.float()[..., None, :]  # [..., frequencies, n]
    return torch.stack((phase.sin(), phase.cos()), dim=-2).flatten(-3)
