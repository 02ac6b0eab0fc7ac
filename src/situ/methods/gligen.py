"""GLIGEN: Open-Set Grounded Text-to-Image Generation (Li et al., CVPR 2023).

Boxes and phrases become grounding tokens that gated self-attention layers read (models/transformer.py);
the gate may be closed along the way (scheduled sampling, section 3.4). Guidance compares with the
negative prompt and null grounding, under the same gate.
"""

from situ.diffusion.guidance import cfg
from situ.methods.plan import Plan, Request, grounded, start
from situ.models.backbone import Backbone


def gligen(backbone: Backbone, request: Request) -> Plan:
    """Sample with every object's phrase bound to its box."""
    s = request.sampling
    cond, uncond = grounded(backbone, request)
    z, steps, solver = start(backbone, request)
    return Plan(z, steps, cfg(cond, uncond, s.guidance, s.interval), solver)
