"""How much signal is left at each timestep, and the steps a sampler takes.

Variance preserving, with the papers' letters: `z = √abar z0 + √(1 - abar) eps`, where z0 is the
clean latent, eps the noise and abar the signal's share of the variance (Ho et al. 2020, eq. 4).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor

from situ.scene.errors import SituError

Prediction = Literal["epsilon", "v_prediction"]
Level = float | Tensor  # an abar: one number for the batch, or one per sample [B, 1, 1, 1]


@dataclass(frozen=True, slots=True)
class Step:
    """Step i of n: from timestep t, where the signal is abar, to t_next, where it is abar_next."""

    i: int
    n: int
    t: int
    t_next: int  # -1 after the last step
    abar: float
    abar_next: float

    def __post_init__(self) -> None:
        if not 0 <= self.i < self.n:
            raise SituError(f"step: i = {self.i} must be in 0..{self.n - 1}, one of n = {self.n}")
        if not (0 < self.abar < 1 and 0 < self.abar_next < 1):
            raise SituError(f"step: abar {self.abar} and {self.abar_next} must be between 0 and 1")

    @property
    def sigma(self) -> float:
        """Standard deviation of the noise in z."""
        return (1 - self.abar) ** 0.5

    @property
    def progress(self) -> float:
        """0 at the first step, below 1 at the last."""
        return self.i / self.n

    @property
    def last(self) -> bool:
        return self.t_next < 0

    @property
    def ahead(self) -> "Step":
        """The same step seen from its end, where two-stage solvers look. Not for the last step."""
        return Step(self.i, self.n, self.t_next, self.t_next, self.abar_next, self.abar_next)


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """abar [T] in float64, falling with t, and what the network was trained to predict."""

    abar: Tensor
    prediction: Prediction = "epsilon"

    def __post_init__(self) -> None:
        if self.abar.ndim != 1 or self.abar.dtype != torch.float64:
            got = f"{list(self.abar.shape)} {self.abar.dtype}"
            raise SituError(f"schedule: abar is {got}; give one row of float64")
        inside = bool(((self.abar > 0) & (self.abar < 1)).all())
        if not inside or bool((self.abar.diff() >= 0).any()):
            raise SituError("schedule: abar must fall with t and stay between 0 and 1")
        if self.prediction not in ("epsilon", "v_prediction"):
            allowed = "allowed: 'epsilon', 'v_prediction'"
            raise SituError(f"schedule: prediction {self.prediction!r} is unknown; {allowed}")

    @classmethod
    def scaled_linear(
        cls,
        start: float = 0.00085,
        end: float = 0.012,
        total: int = 1000,
        prediction: Prediction = "epsilon",
    ) -> Self:
        """√beta rises linearly from √start to √end: Stable Diffusion's schedule."""
        root = torch.linspace(start**0.5, end**0.5, total, dtype=torch.float64)
        return cls((1 - root**2).cumprod(0), prediction)

    @property
    def total(self) -> int:
        return len(self.abar)

    def steps(self, n: int, offset: int = 1) -> tuple[Step, ...]:
        """The n steps of a sampler."""
        return self.path(timesteps(self, n, offset))

    def path(self, ts: Sequence[int]) -> tuple[Step, ...]:
        """The steps through any falling timesteps, and from the last of them to abar[0]."""
        abar = self.abar.tolist()
        ends = [*ts[1:], -1]
        return tuple(
            Step(i, len(ts), t, t_next, abar[t], abar[max(t_next, 0)])
            for i, (t, t_next) in enumerate(zip(ts, ends, strict=True))
        )

    def level(self, t: int | Tensor) -> Tensor:
        """abar at t, ready to meet latents: t [B] -> [B, 1, 1, 1] in float64."""
        return self.abar[torch.as_tensor(t).cpu()].reshape(-1, 1, 1, 1)

    def snr(self, t: int | Tensor) -> Tensor:
        """Signal-to-noise ratio abar / (1 - abar) in fp32, shaped and placed like t."""
        t = torch.as_tensor(t)
        abar = self.abar[t.cpu()]
        return (abar / (1 - abar)).float().to(t.device)

    def add_noise(self, z0: Tensor, eps: Tensor, t: int | Tensor) -> Tensor:
        """z at t, one timestep per sample: t [B] or int."""
        return mix(z0, eps, self.level(t))

    def target(self, z0: Tensor, eps: Tensor, t: int | Tensor) -> Tensor:
        """What the network learns to give at t."""
        return eps if self.prediction == "epsilon" else v_from_eps(z0, eps, self.level(t))

    def eps(self, output: Tensor, z: Tensor, t: int | Tensor) -> Tensor:
        """The noise, from what the network gives at (z, t)."""
        return output if self.prediction == "epsilon" else eps_from_v(output, z, self.level(t))


def timesteps(schedule: Schedule, n: int, offset: int = 1) -> list[int]:
    """n timesteps, evenly spaced from below: 981, 961, ..., 1 for 50 of 1000, as in CompVis."""
    total = schedule.total
    if not 1 <= n <= total:
        raise SituError(f"steps: {n} must be in 1..{total}, the length of the noise schedule")
    stride = total // n
    # with as many steps as timesteps there is no room above the last one for the offset
    shift = min(offset, total - 1 - (n - 1) * stride)
    return [k * stride + shift for k in reversed(range(n))]


def mix(z0: Tensor, eps: Tensor, abar: Level) -> Tensor:
    """z = √abar z0 + √(1 - abar) eps."""
    signal, noise = _roots(abar, z0)
    return signal * z0 + noise * eps


def z0_from_eps(z: Tensor, eps: Tensor, abar: Level) -> Tensor:
    """One-step estimate of the clean latent: `mix` solved for z0."""
    signal, noise = _roots(abar, z)
    return (z - noise * eps) / signal


def eps_from_z0(z: Tensor, z0: Tensor, abar: Level) -> Tensor:
    """`mix` solved for the noise."""
    signal, noise = _roots(abar, z)
    return (z - signal * z0) / noise


def v_from_eps(z0: Tensor, eps: Tensor, abar: Level) -> Tensor:
    """Velocity v = √abar eps - √(1 - abar) z0 (Salimans & Ho 2022, section 4)."""
    signal, noise = _roots(abar, z0)
    return signal * eps - noise * z0


def eps_from_v(v: Tensor, z: Tensor, abar: Level) -> Tensor:
    """The noise, given the velocity at z: a rotation back."""
    signal, noise = _roots(abar, z)
    return signal * v + noise * z


def _roots(abar: Level, like: Tensor) -> tuple[Level, Level]:
    """√abar and √(1 - abar), taken in double precision before they meet the latents' own."""
    signal, noise = abar**0.5, (1 - abar) ** 0.5
    if isinstance(signal, Tensor) and isinstance(noise, Tensor):
        return signal.to(like), noise.to(like)
    return signal, noise
