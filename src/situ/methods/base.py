"""The text-only base under the grounded model: the caption alone, boxes unread."""

from situ.diffusion.guidance import cfg
from situ.methods.plan import Plan, Request, start, ungrounded
from situ.models.backbone import Backbone


def base(backbone: Backbone, request: Request) -> Plan:
    """Sample from the captions; the layouts are only kept with the picture."""
    s = request.sampling
    cond, uncond = ungrounded(backbone, request)
    z, steps, solver = start(backbone, request)
    return Plan(z, steps, cfg(cond, uncond, s.guidance, s.interval), solver)
