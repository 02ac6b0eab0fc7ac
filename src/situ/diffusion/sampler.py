"""The sampling loop, once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from situ.diffusion.guidance import Denoise
from situ.diffusion.guide import Guide, Report, keep, report_of
from situ.diffusion.schedule import Step, z0_from_eps
from situ.diffusion.solvers import Solver, plms


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The run after one step."""

    step: Step
    z: Tensor  # [B, C, h, w], at t_next
    z0: Tensor  # [B, C, h, w], the clean latent as seen from t: a preview
    report: Report  # what the guide did


def sample(
    steps: Iterable[Step], z: Tensor, denoise: Denoise, guide: Guide = keep, solver: Solver = plms
) -> Iterator[Frame]:
    """From noise z to a latent picture, the z of the last frame.

    Previews, logs, cancelling and tests live with whoever iterates. The guide moves z once per
    step, and the solver starts from where it moved it (HCMA, algorithm 1: align, then denoise).
    """
    advance = solver()
    for step in steps:
        with torch.no_grad():  # not around the yield, where it would leak into the caller
            z = guide(z, step)
            z_next, eps = advance(denoise, z, step)
            z, z0 = z_next, z0_from_eps(z, eps, step.abar)
        yield Frame(step, z, z0, report_of(guide))
