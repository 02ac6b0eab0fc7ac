"""What every method takes and gives: a request for pictures in, a plan for the sampling loop out."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from torch import Tensor

from situ.diffusion.gate import gate_schedule
from situ.diffusion.guidance import Denoise
from situ.diffusion.guide import Guide, keep
from situ.diffusion.sampler import Frame, sample
from situ.diffusion.schedule import Step
from situ.diffusion.solvers import SOLVERS, Solver, ddim
from situ.methods.options import Value
from situ.models.backbone import Backbone, UNetBranch
from situ.scene import Layout, Scene, SituError


@dataclass(frozen=True)
class Sampling:
    """How to sample, whatever the method. Defaults are those of GLIGEN's inference script, without its
    negative prompt; `interval` is the part of the run (progress 0..1) in which guidance is on;
    `options` are what only one method knows, by name (methods/options.py)."""

    steps: int = 50
    solver: str = "plms"
    guidance: float = 7.5
    interval: tuple[float, float] = (0.0, 1.0)
    negative: str = ""
    gate: tuple[float, float, float] = (1.0, 0.0, 0.0)
    eta: float = 0.0
    options: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.solver not in SOLVERS:
            raise SituError(f"solver: {self.solver!r} is unknown; allowed: {', '.join(SOLVERS)}")
        if not 0 <= self.guidance <= 100:
            raise SituError(
                f"guidance: {self.guidance} is out of range; allowed: 0..100, 1 for none"
            )
        if self.steps < 1:
            raise SituError(f"steps: {self.steps} is too few; at least 1")
        if self.eta and self.solver != "ddim":
            raise SituError(f"eta: {self.eta} needs the solver 'ddim', not {self.solver!r}")


@dataclass(frozen=True, eq=False)
class Request:
    """Scenes of one canvas size, each with the seed of its picture."""

    scenes: tuple[Scene, ...]
    seeds: tuple[int, ...]
    sampling: Sampling = field(default_factory=Sampling)

    def __post_init__(self) -> None:
        if len(self.scenes) != len(self.seeds):
            raise SituError(
                f"seeds: {len(self.seeds)} for {len(self.scenes)} scenes; give one for each"
            )
        sizes = {(scene.width, scene.height) for scene in self.scenes}
        if len(sizes) != 1:
            raise SituError(f"scenes: one batch draws one canvas size, got {sorted(sizes)}")

    @property
    def canvas(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.scenes[0].width, self.scenes[0].height


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything the sampling loop needs. Running it is the same for all methods."""

    z: Tensor  # [B, C, h, w]
    steps: tuple[Step, ...]
    denoise: Denoise
    solver: Solver
    guide: Guide = keep

    def run(self) -> Iterator[Frame]:
        return sample(self.steps, self.z, self.denoise, self.guide, self.solver)


Method = Callable[[Backbone, Request], Plan]


def start(backbone: Backbone, request: Request) -> tuple[Tensor, tuple[Step, ...], Solver]:
    """The noise, the steps and the solver of a request, which no method changes."""
    s = request.sampling
    z = backbone.noise(request.seeds, *request.canvas)
    solver = (lambda: ddim(s.eta, request.seeds)) if s.eta else SOLVERS[s.solver]
    return z, backbone.schedule.steps(s.steps), solver


def ungrounded(backbone: Backbone, request: Request) -> tuple[UNetBranch, UNetBranch]:
    """The two branches of the text-only base: the captions and the negative prompt, boxes unread.

    For SD + GLIGEN weights the gated layers are skipped, which leaves Stable Diffusion itself. A network
    whose layers were all trained together (`null_base`) is given null grounding tokens instead.
    """
    s, count = request.sampling, len(request.scenes)
    gates = [1.0] * s.steps
    captions = backbone.encode([scene.caption for scene in request.scenes]).states
    negative = backbone.encode([s.negative]).states.expand(count, -1, -1)
    null = backbone.ground([Layout()]).expand(count, -1, -1) if backbone.null_base else None
    return backbone.branch(captions, null, gates), backbone.branch(negative, null, gates)


def grounded(backbone: Backbone, request: Request) -> tuple[UNetBranch, UNetBranch]:
    """GLIGEN's two branches: captions with their layouts, and the negative prompt with none."""
    s, count = request.sampling, len(request.scenes)
    gates = gate_schedule(s.steps, s.gate)
    captions = backbone.encode([scene.caption for scene in request.scenes]).states
    negative = backbone.encode([s.negative]).states.expand(count, -1, -1)
    tokens = backbone.ground([scene.layout for scene in request.scenes])
    null = backbone.ground([Layout()]).expand(count, -1, -1)
    return backbone.branch(captions, tokens, gates), backbone.branch(negative, null, gates)
