"""From one latent to the next: each solver is a few lines around one exact formula.

A solver is a factory. Calling it starts a run and gives a function that may remember earlier steps:

    advance(denoise, z, step) -> (z_next, eps)

It takes the function, not the noise, since PLMS evaluates twice in its first step. The z it is
given, which a guide may just have moved, is the one that every formula starts from.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from situ.diffusion.guidance import Denoise
from situ.diffusion.schedule import Step, eps_from_z0, mix, z0_from_eps
from situ.ops.seeds import draw, generator
from situ.scene.errors import SituError

Advance = Callable[[Denoise, Tensor, Step], tuple[Tensor, Tensor]]
Solver = Callable[[], Advance]

# Weights of the noise now, one step ago, two, three: the mean over the coming step of the
# polynomial through them, of lower degree while the history is short.
ADAMS_BASHFORTH = (
    (1.0,),
    (3 / 2, -1 / 2),
    (23 / 12, -16 / 12, 5 / 12),
    (55 / 24, -59 / 24, 37 / 24, -9 / 24),
)


def transfer(z: Tensor, eps: Tensor, step: Step) -> Tensor:
    """Along the straight line that eps points out: DDIM's step (Song et al. 2021, equation 12)."""
    return mix(z0_from_eps(z, eps, step.abar), eps, step.abar_next)


def plms() -> Advance:
    """Pseudo linear multistep, as in Stable Diffusion (Liu et al. 2022; second order).

    n steps, n + 1 evaluations: with no history yet, the first step averages the noise at both ends.
    It mixes noise, so a network that predicts v is converted first; diffusers mixes v instead.
    """
    history: list[Tensor] = []

    def advance(denoise: Denoise, z: Tensor, step: Step) -> tuple[Tensor, Tensor]:
        eps = denoise(z, step)
        history[:] = [eps, *history[:3]]
        if len(history) == 1 and not step.last:
            ahead = denoise(transfer(z, eps, step), step.ahead)
            return transfer(z, (eps + ahead) / 2, step), eps
        weighted = (w * e for w, e in zip(ADAMS_BASHFORTH[len(history) - 1], history, strict=True))
        return transfer(z, sum(weighted, torch.zeros_like(eps)), step), eps

    return advance


def ddim(eta: float = 0.0, seeds: Sequence[int] = ()) -> Advance:
    """DDIM (Song et al. 2021, equations 12 and 16); eta = 1 is ancestral sampling as in DDPM.

    With eta > 0 every image draws its noise from its own seed.
    """
    if not 0 <= eta <= 1:
        raise SituError(f"eta: {eta} must be in 0..1; 0 is deterministic, 1 is ancestral")
    generators = [generator(seed, "ddim") for seed in seeds]

    def advance(denoise: Denoise, z: Tensor, step: Step) -> tuple[Tensor, Tensor]:
        eps = denoise(z, step)
        if eta == 0:
            return transfer(z, eps, step), eps
        if len(generators) != len(z):
            raise SituError(f"seeds: {len(seeds)} for {len(z)} images; eta > 0 needs one per image")
        fresh, kept = _noise_levels(step, eta)
        z_next = step.abar_next**0.5 * z0_from_eps(z, eps, step.abar) + kept * eps
        return z_next + fresh * draw(generators, z.shape[1:]).to(z), eps

    return advance


def _noise_levels(step: Step, eta: float) -> tuple[float, float]:
    """Standard deviations of the fresh and the kept noise (Song et al. 2021, equation 16)."""
    variance = (1 - step.abar_next) / (1 - step.abar) * (1 - step.abar / step.abar_next)
    return eta * variance**0.5, (1 - step.abar_next - eta**2 * variance) ** 0.5


def dpm_solver_pp_2m() -> Advance:
    """DPM-Solver++ (2M), Lu et al. 2022b, algorithm 2: second order in the half log-SNR.

    It extrapolates the trend of the clean latent by half a step. What a guide moved is no trend:
    the clean latent of one step ago is moved along, as if the noise seen there had not changed.
    As in diffusers, a run of fewer than 15 steps ends with one of first order: it is too long.
    """
    history: list[tuple[Tensor, float, Tensor]] = []  # z0 and half log-SNR before, and z promised

    def advance(denoise: Denoise, z: Tensor, step: Step) -> tuple[Tensor, Tensor]:
        eps = denoise(z, step)
        z0, here = z0_from_eps(z, eps, step.abar), _half_log_snr(step.abar)
        mean = z0
        if history and not (step.last and step.n < 15):
            z0_before, before, promised = history[0]
            trend = z0 - z0_before - (z - promised) / step.abar**0.5
            mean = z0 + (_half_log_snr(step.abar_next) - here) / (here - before) / 2 * trend
        z_next = mix(mean, eps_from_z0(z, mean, step.abar), step.abar_next)
        history[:] = [(z0, here, z_next)]
        return z_next, eps

    return advance


def _half_log_snr(abar: float) -> float:
    return 0.5 * math.log(abar / (1 - abar))


SOLVERS: dict[str, Solver] = {
    "plms": plms,
    "ddim": ddim,
    "dpm_solver_pp_2m": dpm_solver_pp_2m,
}
