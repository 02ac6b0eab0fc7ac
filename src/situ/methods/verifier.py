"""HCMA's aligner as a verifier: it scores a picture while it is still noise, and moves nothing.

One forward pass of the aligner costs about a hundredth of a step of the U-Net, so it can be asked at every
step: to tell how a picture came about (app/explain.py), or which of several seeds to finish (app/race.py).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from situ.diffusion.energy import Watch
from situ.diffusion.schedule import Step
from situ.methods.hcma import Hcma, Misfit, aligner_of
from situ.models.backbone import Backbone
from situ.scene import Scene


def watching(backbone: Backbone, scenes: Sequence[Scene], aligner: str = "") -> Watch:
    """A guide that reports "watch/global" [B], "watch/local" [B] and "watch/boxes" [B, 30]: all are Omega.

    aligner: the hash of the one that is wanted; empty for the model's own.
    """
    options = Hcma(aligner=aligner)
    return Watch(Misfit.of(backbone, aligner_of(backbone, options)[0], scenes, options))


def finished(last: Step) -> Step:
    """Where the latents are after the last step, as a step that an energy can look at."""
    return Step(last.i, last.n, 0, -1, last.abar_next, last.abar_next)


def scores(watch: Watch, z: Tensor, step: Step) -> Tensor:
    """How well latents [B, C, h, w] at t of a step keep to their layouts: high is good, [B].

    As minus the mean Omega of the boxes, or of the caption where there is no box.
    """
    watch(z, step)
    mean = watch.report["watch/boxes"].nanmean(1)
    return -torch.where(mean.isfinite(), mean, watch.report["watch/global"])
