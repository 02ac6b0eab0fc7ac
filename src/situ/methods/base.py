"""The text-only base under the grounded model: the caption alone, boxes unread.

For SD + GLIGEN weights the gated layers are skipped, which leaves Stable Diffusion itself. A network whose
layers were all trained together (`null_base`) is given null grounding tokens instead.
"""

from situ.diffusion.guidance import cfg
from situ.methods.plan import Plan, Request, start
from situ.models.backbone import Backbone
from situ.scene import Layout


def base(backbone: Backbone, request: Request) -> Plan:
    """Sample from the captions; the layouts are only kept with the picture."""
    s = request.sampling
    count, gates = len(request.scenes), [1.0] * s.steps
    captions = backbone.encode([scene.caption for scene in request.scenes]).states
    negative = backbone.encode([s.negative]).states.expand(count, -1, -1)
    null = backbone.ground([Layout()]).expand(count, -1, -1) if backbone.null_base else None
    cond, uncond = (backbone.branch(states, null, gates) for states in (captions, negative))
    z, steps, solver = start(backbone, request)
    return Plan(z, steps, cfg(cond, uncond, s.guidance, s.interval), solver)
