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
from situ.methods.options import read_options
from situ.methods.plan import Plan, Request, grounded, start
from situ.models.aligner import Aligner, Features, fitted, mean_over_boxes, omega
from situ.models.backbone import Backbone
from situ.scene import Layout, Scene, SituError
from situ.scene.errors import did_you_mean
from situ.scene.layout import MAX_OBJECTS

FORMS = {"raw": raw, "trust": raw, "share": rms_of_z}


@dataclass(frozen=True)
class Hcma:
    """How to align. lambda_1, lambda_2 and eta_t of eq. 8 are lambda_global, lambda_local and align_size.

    align_form: "raw" moves by align_size times the gradient (the paper's); "trust" does too, but by at
    most align_cap of the latent's root mean square; "share" always moves by align_size of it.
    align_fade: size and cap are times sigma to this power, so that they follow the noise, whatever the
    number of steps. align_between: the log-SNR in which to align; align_stride: every how many steps;
    align_iters: moves per step. align_need: 0 weighs all boxes alike (eq. 7), 1 by what each one lacks.
    aligner: the hash of its file, where a record asks for that one; empty for the model's own.
    """

    align_global: bool = True
    align_local: bool = True
    lambda_global: float = 1.0
    lambda_local: float = 1.0
    align_form: str = "share"
    align_size: float = 0.02
    align_cap: float = 0.05
    align_fade: float = 0.0
    align_between: tuple[float, float] = (-20.0, 20.0)
    align_stride: int = 1
    align_iters: int = 1
    align_need: float = 0.0
    aligner: str = ""

    def __post_init__(self) -> None:
        if self.align_form not in FORMS:
            hint = did_you_mean(self.align_form, FORMS)
            raise SituError(f"align_form: {self.align_form!r} is unknown: {hint}")
        for name in ("align_size", "align_cap", "align_need"):
            if getattr(self, name) < 0:
                raise SituError(f"{name}: {getattr(self, name)} is negative; allowed: 0 and more")
        for name in ("align_stride", "align_iters"):
            if getattr(self, name) < 1:
                raise SituError(f"{name}: {getattr(self, name)} is too few; at least 1")
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
        return self.weights == (0, 0) or self.align_size == 0

    def settled(self, backbone: Backbone) -> Self:
        """With the hash of the aligner that will be used; none is needed while both modules are off."""
        return self if self.off else replace(self, aligner=aligner_of(backbone, self)[1])

    def when(self, step: Step) -> bool:
        log_snr = float(torch.tensor(step.abar, dtype=torch.float64).logit())
        low, high = self.align_between
        return step.i % self.align_stride == 0 and low <= log_snr <= high

    def size(self, step: Step) -> float:
        return self.align_size * step.sigma**self.align_fade

    def cap(self, step: Step) -> float | None:
        return self.align_cap * step.sigma**self.align_fade if self.align_form == "trust" else None


def hcma(backbone: Backbone, request: Request) -> Plan:
    """Sample with align-then-denoise (algorithm 1, inference)."""
    s = request.sampling
    cond, uncond = grounded(backbone, request)
    z, steps, solver = start(backbone, request)
    guide = alignment(backbone, request.scenes, read_options(Hcma, s.options))
    return Plan(z, steps, cfg(cond, uncond, s.guidance, s.interval), solver, guide)


def alignment(backbone: Backbone, scenes: Sequence[Scene], options: Hcma) -> Guide:
    """The guide alone, which needs no U-Net: it goes with any denoiser of these latents."""
    if options.off:
        return keep
    aligner, _ = aligner_of(backbone, options)
    return Descent(
        Misfit.of(backbone, aligner, scenes, options),
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

    `report` has Omega_G [B], Omega_L [B], and Omega of every box [B, 30], which is nan where no box is.
    """

    aligner: Aligner
    options: Hcma
    captions: Tensor  # [B, D]
    boxes_xyxy: Tensor  # [B, M, 4]
    masks: Tensor  # [B, M]
    phrases: Tensor  # [B, M, D]
    sites: None = None
    full: bool = False
    report: Report = field(init=False, default_factory=dict)

    @classmethod
    def of(
        cls, backbone: Backbone, aligner: Aligner, scenes: Sequence[Scene], options: Hcma
    ) -> Self:
        layouts = [scene.layout for scene in scenes]
        captions = backbone.encode([scene.caption for scene in scenes]).pooled
        g = _grounding(backbone, layouts)
        most = max(len(layout) for layout in layouts)
        slots = g.boxes_xyxy[:, :most], g.masks[:, :most], g.phrases[:, :most]
        return cls(aligner, options, captions.float(), *slots)

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
        return total.to(view.z), (1 - worst).clamp(0, 1).to(view.z)

    def _boxes(self, features: Features) -> tuple[Tensor, Tensor]:
        """Omega_L [B], and the largest Omega of a box [B]."""
        seen = self.aligner.phrases(features, self.boxes_xyxy)
        each, masks = omega(seen, self.phrases), self.masks  # [B, M]
        mean = mean_over_boxes(each, masks)
        nothing = torch.full((len(each), MAX_OBJECTS), torch.nan, device=each.device)
        nothing[:, : each.shape[1]] = torch.where(masks > 0, each.detach().float(), torch.nan)
        self.report = {**self.report, "local": mean.detach(), "boxes": nothing}
        weighed = mean_over_boxes(each * _need(each, masks, self.options.align_need), masks)
        most = torch.where(masks > 0, each, 0)
        return weighed, most.max(1).values if most.shape[1] else torch.zeros_like(mean)


def _need(each: Tensor, masks: Tensor, power: float) -> Tensor:
    """Weights [B, M] of mean 1 over the boxes of a sample, in proportion to omega^power."""
    lacking = each.detach().clamp_min(1e-6) ** power
    mean = mean_over_boxes(lacking, masks)[:, None]
    return torch.where(masks > 0, lacking / mean.clamp_min(1e-6), 0)


def _grounding(backbone: Backbone, layouts: Sequence[Layout]) -> Grounding:
    phrases = list(dict.fromkeys(p for layout in layouts for p in layout.phrases))
    vectors = dict(zip(phrases, backbone.encode(phrases).pooled, strict=True))
    return Grounding.of(layouts, vectors, backbone.text.width).to(backbone.device)
