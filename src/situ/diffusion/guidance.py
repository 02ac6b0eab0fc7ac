"""What predicts the noise: a network with its conditioning, and combinations of several."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from situ.diffusion.schedule import Step
from situ.scene.errors import SituError


class Denoise(Protocol):
    """(z, step) -> eps, both [B, C, h, w]. Always the noise, whatever the network predicts."""

    def __call__(self, z: Tensor, step: Step, /) -> Tensor: ...


@dataclass(eq=False)
class Record:
    """A wish handed to a branch: keep the attention maps of the wanted sites.

    Unless `full`, the noise is not read, so the pass may stop after the last of them.
    """

    wanted: Callable[[Any], bool]
    full: bool = False
    maps: Any = None  # set by the branch; what it holds is between the network and the energy


class Branch(Protocol):
    """The network with ONE conditioning bound to it; a branch without `record` is a Denoise."""

    def __call__(self, z: Tensor, step: Step, record: Record | None = None, /) -> Tensor: ...


@runtime_checkable
class Joinable(Protocol):
    """A branch that can share its call with another: their batches are laid end to end."""

    def joined(self, other: Branch, /) -> Branch | None:
        """The branch for z [self's batch + other's batch, C, h, w]; None if they do not fit."""
        ...


Together = Callable[[Tensor, Step], tuple[Tensor, ...]]


def together(branches: Sequence[Branch]) -> Together:
    """All branches on the same latent: in one call of the network where they can be joined."""
    first, *others = branches
    one = reduce(_join, others, first)

    def evaluate(z: Tensor, step: Step) -> tuple[Tensor, ...]:
        if one is None:
            return tuple(branch(z, step) for branch in branches)
        return one(torch.cat([z] * len(branches)), step).chunk(len(branches))

    return evaluate


def _join(branch: Branch | None, other: Branch) -> Branch | None:
    return branch.joined(other) if isinstance(branch, Joinable) else None


def cfg(
    cond: Branch, uncond: Branch, scale: float, interval: tuple[float, float] = (0.0, 1.0)
) -> Denoise:
    """Classifier-free guidance: away from the unconditional noise (Ho & Salimans 2021, eq. 6).

    `interval` is the part of the run, in progress from 0 to 1, that is guided (Kynkäänniemi et al.
    2024); outside it, and for scale 1, the unconditional branch is not evaluated at all.
    """
    low, high = interval
    if not 0 <= low <= high <= 1:
        raise SituError(f"interval: {interval} must rise within 0..1, as parts of the run")
    both = together([uncond, cond])

    def denoise(z: Tensor, step: Step) -> Tensor:
        if scale == 1 or not low <= step.progress < high:
            return cond(z, step)
        eps_uncond, eps_cond = both(z, step)
        return eps_uncond + scale * (eps_cond - eps_uncond)

    return denoise
