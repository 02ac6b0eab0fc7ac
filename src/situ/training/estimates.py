"""Pictures as a network sees them through noise: as crude as what it draws, and it is known what they show.

A CLIP that has learned from true pictures alone errs about what a network draws: it takes blurred stripes
for checks, and a network that it teaches learns to please it instead of drawing stripes. So DSAlign's critic
learns from such pictures, too.
"""

import torch
from torch import Tensor

from situ.diffusion.sampler import sample
from situ.diffusion.solvers import ddim
from situ.models.backbone import Backbone

NOISE = (0.2, 0.8)  # shares of the schedule; from further back little of a thing is left
MOST_STEPS = 4


@torch.no_grad()
def estimates(backbone: Backbone, latents: Tensor, rng: torch.Generator) -> Tensor:
    """Latents [B, C, h, w], noised to some timestep and drawn to the end in one to four steps, as pictures
    [B, 3, H, W] in 0..1. Neither caption nor box is told, so that what they show comes from the latents
    alone."""
    low, high = (int(share * backbone.schedule.total) for share in NOISE)
    t = int(torch.randint(low, high, (1,), generator=rng))
    count = int(torch.randint(1, MOST_STEPS + 1, (1,), generator=rng))
    steps = backbone.schedule.path([t * (count - i) // count for i in range(count)])
    noise = torch.randn(latents.shape, generator=rng).to(latents)
    states = backbone.encode([""]).states.expand(len(latents), -1, -1)
    branch = backbone.branch(states, None, [0.0] * count)
    z = backbone.schedule.add_noise(latents, noise, t)
    for frame in sample(steps, z, branch, solver=ddim):
        z = frame.z0
    return backbone.decode(z)


__all__ = ["estimates"]
