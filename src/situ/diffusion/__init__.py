"""How to sample, for any network: a schedule, a solver, guides, and the loop that joins them.

    for step in steps:                     # schedule.py
        z = guide(z, step)                 # guide.py, energy.py
        z, eps = advance(denoise, z, step) # solvers.py, guidance.py
        yield Frame(...)                   # sampler.py

Latents are [B, C, h, w] in variance-preserving space; a sample never depends on its batch.
"""

from situ.diffusion.energy import Descent, Energy, View, rms_of_z
from situ.diffusion.gate import gate_schedule
from situ.diffusion.guidance import Branch, Denoise, Record, cfg, together
from situ.diffusion.guide import Guide, chain, keep
from situ.diffusion.sampler import Frame, sample
from situ.diffusion.schedule import Schedule, Step, timesteps
from situ.diffusion.solvers import SOLVERS, ddim, dpm_solver_pp_2m, plms

__all__ = [
    "SOLVERS",
    "Branch",
    "Denoise",
    "Descent",
    "Energy",
    "Frame",
    "Guide",
    "Record",
    "Schedule",
    "Step",
    "View",
    "cfg",
    "chain",
    "ddim",
    "dpm_solver_pp_2m",
    "gate_schedule",
    "keep",
    "plms",
    "rms_of_z",
    "sample",
    "timesteps",
    "together",
]
