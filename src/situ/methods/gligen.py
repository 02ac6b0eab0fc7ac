"""GLIGEN: Open-Set Grounded Text-to-Image Generation (Li et al., CVPR 2023).

Boxes and phrases become grounding tokens that gated self-attention layers read (models/transformer.py);
the gate may be closed along the way (scheduled sampling, section 3.4). Guidance compares with the
negative prompt and null grounding, under the same gate.
"""

from situ.diffusion.gate import gate_schedule
from situ.diffusion.guidance import cfg
from situ.methods.plan import Plan, Request, start
from situ.models.backbone import Backbone
from situ.scene import Layout


def gligen(backbone: Backbone, request: Request) -> Plan:
    """Sample with every object's phrase bound to its box."""
    s = request.sampling
    gates = gate_schedule(s.steps, s.gate)
    count = len(request.scenes)
    captions = backbone.encode([scene.caption for scene in request.scenes]).states
    negative = backbone.encode([s.negative]).states.expand(count, -1, -1)
    tokens = backbone.ground([scene.layout for scene in request.scenes])
    null = backbone.ground([Layout()]).expand(count, -1, -1)
    cond = backbone.branch(captions, tokens, gates)
    uncond = backbone.branch(negative, null, gates)
    z, steps, solver = start(backbone, request)
    return Plan(z, steps, cfg(cond, uncond, s.guidance, s.interval), solver)
