"""HCMA: Hierarchical Cross-modal Alignment for Grounded Text-to-Image Generation (Wang et al.).

GLIGEN, with one descent before every step: the latent goes down the gradient of how badly it fits the
caption (C2IA) and how badly every box fits its phrase (O2RA), as the aligner sees them (eq. 6-9). The
moved latent is both what the U-Net looks at and where the solver starts. With both modules off it is
GLIGEN, bit for bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import torch
from torch import Tensor

from situ.conditioning.grounding import Grounding
from situ.diffusion.energy import Descent, Guard, View, raw, rms_of_z
from situ.diffusion.guidance import cfg
from situ.diffusion.guide import Guide, Report, keep
from situ.diffusion.schedule import Step
from situ.methods.avoidance import read_avoid, trespass, unwanted
from situ.methods.options import read_options
from situ.methods.plan import Plan, Request, grounded, start, ungrounded
from situ.models.aligner import Aligner, Features, fitted, mean_over_boxes, omega
from situ.models.backbone import Backbone
from situ.scene import Layout, Scene, SituError
from situ.scene.errors import did_you_mean
from situ.scene.layout import MAX_OBJECTS

Slots = tuple[Tensor, Tensor, Tensor]  # boxes [B, M, 4], masks [B, M], phrases [B, M, D]
PAPER_STEPS = 50
STRIDE, LEAST_MOVES = 3, 5  # of a whole run: with fewer moves each would go too far
FORMS = {"raw": raw, "trust": raw, "share": rms_of_z}


@dataclass(frozen=True)
class Hcma:
    """How to align. lambda_1, lambda_2 and eta_t of eq. 8 are lambda_global, lambda_local and align_size.

    align_form: "raw" moves by align_size times the gradient (the paper's); "trust" does too, but by at
    most align_cap of the latent's root mean square; "share" always moves by align_size of it. Size and
    cap are those of one of 50 steps, the paper's number; where a run moves n times, each move is 50 / n
    times that, so that all together stay the same. align_fade: size and cap are also times sigma to this
    power. align_between: the log-SNR in which to align; above 1 things have formed, and aligning further
    only costs. align_stride: every how many steps; 0 is every third, which costs a third and draws as well
    (docs/log.md for both), and more often in runs of under 15 steps. The paper aligns in every step, from
    -20 to 20. align_iters: moves per step.
    align_need: 0 weighs all boxes alike (eq. 7), 1 by what each one lacks.
    avoid: phrases that boxes must not show (methods/avoidance.py); they add lambda_avoid times their
    cosine above avoid_margin to the energy.
    grounding: whether the U-Net reads boxes; without, it is the text-only base, as of a checkpoint that
    has no gated layers, and boxes go to the aligner alone.
    aligner: the hash of its file, where a record asks for that one; empty for the model's own.
    """

    align_global: bool = True
    align_local: bool = True
    lambda_global: float = 1.0
    lambda_local: float = 1.0
    align_form: str = "raw"
    align_size: float = 6.0
    align_cap: float = 0.05
    align_fade: float = 0.0
    align_between: tuple[float, float] = (-20.0, 1.0)
    align_stride: int = 0
    align_iters: int = 1
    align_need: float = 0.0
    avoid: str = ""
    avoid_margin: float = 0.2
    lambda_avoid: float = 1.0
    grounding: bool = True
    aligner: str = ""

    def __post_init__(self) -> None:
        if self.align_form not in FORMS:
            hint = did_you_mean(self.align_form, FORMS)
            raise SituError(f"align_form: {self.align_form!r} is unknown: {hint}")
        for name in ("align_size", "align_cap", "align_need", "align_stride"):
            if getattr(self, name) < 0:
                raise SituError(f"{name}: {getattr(self, name)} is negative; allowed: 0 and more")
        if self.align_iters < 1:
            raise SituError(f"align_iters: {self.align_iters} is too few; at least 1")
        read_avoid(self.avoid)
        low, high = self.align_between
        if low > high:
            raise SituError(f"align_between: {low} must not lie above {high}")

    @property
    def weights(self) -> tuple[float, float]:
        """lambda_1 and lambda_2, 0 for a module that is off."""
        both = (self.lambda_global, self.align_global), (self.lambda_local, self.align_local)
        return tuple(weight if on else 0.0 for weight, on in both)  # pyright: ignore[reportReturnType]

    @property
    def off(self) -> bool:
        avoids = self.avoid and self.lambda_avoid
        return self.align_size == 0 or (self.weights == (0, 0) and not avoids)

    def settled(self, backbone: Backbone) -> Self:
        """With the hash of the aligner that will be used; none is needed while both modules are off."""
        return self if self.off else replace(self, aligner=aligner_of(backbone, self)[1])

    def when(self, step: Step) -> bool:
        log_snr = float(torch.tensor(step.abar, dtype=torch.float64).logit())
        low, high = self.align_between
        return step.i % self._stride(step) == 0 and low <= log_snr <= high

    def size(self, step: Step) -> float:
        return self.align_size * self._part(step)

    def cap(self, step: Step) -> float | None:
        return self.align_cap * self._part(step) if self.align_form == "trust" else None

    def _part(self, step: Step) -> float:
        moves = step.n / self._stride(step)
        return PAPER_STEPS / moves * step.sigma**self.align_fade

    def _stride(self, step: Step) -> int:
        return self.align_stride or max(1, min(STRIDE, step.n // LEAST_MOVES))


def hcma(backbone: Backbone, request: Request) -> Plan:
    """Sample with align-then-denoise (algorithm 1, inference)."""
    s = request.sampling
    options = read_options(Hcma, s.options)
    if options.grounding and not backbone.unet.config.gated:
        raise SituError(
            f"{backbone.name} has no gated layers, so its U-Net cannot read boxes; with "
            "--set grounding=false they go to the aligner alone"
        )
    reader = backbone.remembering()  # the aligner wants the words that the U-Net reads
    cond, uncond = (grounded if options.grounding else ungrounded)(reader, request)
    z, steps, solver = start(backbone, request)
    guide = keep if options.off else _descent(backbone, reader, request.scenes, options)
    return Plan(z, steps, cfg(cond, uncond, s.guidance, s.interval), solver, guide)


def alignment(backbone: Backbone, scenes: Sequence[Scene], options: Hcma) -> Guide:
    """The guide alone, which needs no U-Net: it goes with any denoiser of these latents."""
    return keep if options.off else _descent(backbone, backbone, scenes, options)


def _descent(backbone: Backbone, reader: Backbone, scenes: Sequence[Scene], options: Hcma) -> Guide:
    aligner, _ = aligner_of(backbone, options)
    return Descent(
        Misfit.of(reader, aligner, scenes, options),
        when=options.when,
        size=options.size,
        iters=options.align_iters,
        scale=FORMS[options.align_form],
        cap=options.cap,
        guard=Guard(),
        name="align",
    )


def aligner_of(backbone: Backbone, options: Hcma) -> tuple[Aligner, str]:
    """The backbone's aligner and its hash. Raises SituError if the options ask for another."""
    found = fitted(backbone)
    if options.aligner not in ("", found.hash):
        raise SituError(
            f"aligner: {options.aligner} is asked for, but that of {backbone.name} is {found.hash} "
            f"({backbone.aligner}); give the file that drew this picture"
        )
    return found.aligner, found.hash


@dataclass(eq=False)
class Misfit:
    """The energy lambda_1 Omega_G + lambda_2 Omega_L (eq. 8), each sample's own. It reads z alone.

    `report` has Omega_G [B], Omega_L [B], and Omega of every box [B, 30], which is nan where no box is;
    with something to avoid also by how much it is there [B], which adds to the energy.
    """

    aligner: Aligner
    options: Hcma
    captions: Tensor  # [B, D]
    boxes_xyxy: Tensor  # [B, M, 4]
    masks: Tensor  # [B, M]
    phrases: Tensor  # [B, M, D]
    avoided: Slots | None = None
    sites: None = None
    full: bool = False
    report: Report = field(init=False, default_factory=dict)
    _shares: dict[tuple[int, int], Tensor] = field(init=False, default_factory=dict, repr=False)

    @classmethod
    def of(
        cls, backbone: Backbone, aligner: Aligner, scenes: Sequence[Scene], options: Hcma
    ) -> Self:
        layouts = [scene.layout for scene in scenes]
        captions = backbone.encode([scene.caption for scene in scenes]).pooled
        avoid, avoided = read_avoid(options.avoid), None
        if avoid:
            avoided = _slots(backbone, [unwanted(avoid, layout) for layout in layouts])
        return cls(aligner, options, captions.float(), *_slots(backbone, layouts), avoided)

    def __call__(self, view: View, step: Step) -> tuple[Tensor, Tensor]:
        """loss [B], and fit [B]: the cosine of what fits worst."""
        z, here = view.z.to(self.aligner.cls.dtype), view.z.new_ones(len(view.z))
        features = self.aligner(z, here * step.abar, here * step.t)
        total, worst = here.to(z) * 0, here.to(z) * 0
        weight_global, weight_local = self.options.weights
        self.report = {}
        if weight_global:
            whole = omega(self.aligner.captions(features), self.captions)
            total, worst = total + weight_global * whole, worst.maximum(whole)
            self.report = {"global": whole.detach()}
        if weight_local:
            boxes, most = self._boxes(features)
            total, worst = total + weight_local * boxes, worst.maximum(most)
        if self.avoided:
            total = total + self.options.lambda_avoid * self._trespass(features, self.avoided)
        return total.to(view.z), (1 - worst).clamp(0, 1).to(view.z)

    def _boxes(self, features: Features) -> tuple[Tensor, Tensor]:
        """Omega_L [B], and the largest Omega of a box [B]."""
        seen = self.aligner.pooled(features, self._shares_of(features))
        each, masks = omega(seen, self.phrases), self.masks  # [B, M]
        mean = mean_over_boxes(each, masks)
        nothing = torch.full((len(each), MAX_OBJECTS), torch.nan, device=each.device)
        nothing[:, : each.shape[1]] = torch.where(masks > 0, each.detach().float(), torch.nan)
        self.report = {**self.report, "local": mean.detach(), "boxes": nothing}
        need = self.options.align_need
        weighed = mean_over_boxes(each * _need(each, masks, need), masks) if need else mean
        most = torch.where(masks > 0, each, 0)
        return weighed, most.max(1).values if most.shape[1] else torch.zeros_like(mean)

    def _shares_of(self, features: Features) -> Tensor:
        """What each token gives to each box, which no step changes."""
        rows, columns = features.cells.shape[1:3]
        if (rows, columns) not in self._shares:
            boxes_xyxy = self.boxes_xyxy.to(features.cells)
            self._shares[rows, columns] = self.aligner.shares(boxes_xyxy, rows, columns)
        return self._shares[rows, columns]

    def _trespass(self, features: Features, avoided: Slots) -> Tensor:
        boxes_xyxy, masks, phrases = avoided
        seen = self.aligner.phrases(features, boxes_xyxy)
        found = trespass(seen, phrases, masks, self.options.avoid_margin)
        self.report = {**self.report, "avoid": found.detach()}
        return found


def _need(each: Tensor, masks: Tensor, power: float) -> Tensor:
    """Weights [B, M] of mean 1 over the boxes of a sample, in proportion to omega^power."""
    lacking = each.detach().clamp_min(1e-6) ** power
    mean = mean_over_boxes(lacking, masks)[:, None]
    return torch.where(masks > 0, lacking / mean.clamp_min(1e-6), 0)


def _slots(backbone: Backbone, layouts: Sequence[Layout]) -> Slots:
    """Boxes, masks and phrases, of no more slots than the largest layout needs."""
    phrases = list(dict.fromkeys(p for layout in layouts for p in layout.phrases))
    vectors = dict(zip(phrases, backbone.encode(phrases).pooled, strict=True))
    g = Grounding.of(layouts, vectors, backbone.text.width).to(backbone.device)
    most = max(len(layout) for layout in layouts)
    return g.boxes_xyxy[:, :most], g.masks[:, :most], g.phrases[:, :most]
