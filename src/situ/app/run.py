"""One run of a method: frames for a batch of scenes, and a way to change the latents between them.

A picture must not depend on what is drawn beside it. The kernels of a CPU choose their order of
summation by the size of the batch, which moves the last bit and, over fifty steps, pixels. So an
exact run draws its pictures side by side, each as a batch of its own: every operation has the
shape that the scene alone asks for, and the result is equal bit for bit for every batch size.
"""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from situ.diffusion.guide import chain
from situ.diffusion.sampler import Frame
from situ.diffusion.schedule import Step
from situ.methods import Method
from situ.methods.plan import Plan, Request
from situ.models.backbone import Backbone


class Override:
    """A guide that hands over other latents, once, when it is given some."""

    def __init__(self) -> None:
        self.z: Tensor | None = None

    def __call__(self, z: Tensor, step: Step) -> Tensor:
        given, self.z = self.z, None
        return z if given is None else given.to(z)


class Run:
    """A method on a backbone, ready to be iterated once. `z` is where the latents are now [B, C, h, w]."""

    def __init__(
        self,
        backbone: Backbone,
        method: Method,
        request: Request,
        latents: Tensor | None = None,
        exact: bool = True,
    ) -> None:
        parts = _singles(request) if exact else [request]
        sizes = [len(part.seeds) for part in parts]
        given = [None] * len(parts) if latents is None else latents.split(sizes)
        plans = [_plan(backbone, method, part, z) for part, z in zip(parts, given, strict=True)]
        self.request = request
        self.overrides = [Override() for _ in parts]
        self.sizes = sizes
        self.plans = [
            replace(plan, guide=chain(override, plan.guide))
            for plan, override in zip(plans, self.overrides, strict=True)
        ]
        self.z = torch.cat([plan.z for plan in plans])

    def __iter__(self) -> Iterator[Frame]:
        for frames in zip(*(plan.run() for plan in self.plans), strict=True):
            frame = _together(frames)
            self.z = frame.z
            yield frame

    def replace(self, z: Tensor) -> None:
        """Go on from these latents [B, C, h, w] instead."""
        self.z = z
        for override, part in zip(self.overrides, z.split(self.sizes), strict=True):
            override.z = part.clone()


def _singles(request: Request) -> list[Request]:
    pairs = zip(request.scenes, request.seeds, strict=True)
    return [Request((scene,), (seed,), request.sampling) for scene, seed in pairs]


def _plan(backbone: Backbone, method: Method, request: Request, z: Tensor | None) -> Plan:
    plan = method(backbone, request)
    # a copy of its own: where a row lies in a larger tensor must not matter either
    return plan if z is None else replace(plan, z=z.clone().to(plan.z))


def _together(frames: tuple[Frame, ...]) -> Frame:
    first = frames[0]
    if len(frames) == 1:
        return first
    report = {name: torch.cat([frame.report[name] for frame in frames]) for name in first.report}
    z, z0 = torch.cat([frame.z for frame in frames]), torch.cat([frame.z0 for frame in frames])
    return Frame(first.step, z, z0, report)
