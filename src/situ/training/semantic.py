"""DSAlign of GOAL (section 3.2): what a U-Net would draw must look like its caption and phrases.

The clean latent is estimated in one step, shown to a frozen critic, and what the critic sees in the whole
and in each box is brought closer to the words. Critic and decoder are frozen, the gradient passes through
them to the U-Net. The paper's critic is a decoder with CLIP behind it; ours can also be HCMA's aligner,
which reads latents, so that nothing is decoded.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from situ.conditioning.text import TextEncoder
from situ.diffusion.schedule import Schedule
from situ.models.aligner import Aligner
from situ.models.critics import ClipPair
from situ.ops.masks import coverage
from situ.scene import SituError
from situ.scene.fields import check_choices, check_least
from situ.training.loop import Batch

CHOICES = {
    "critic": ("exact", "tiny", "latent"),
    "region": ("mask", "crop"),
    "weight": ("one", "abar"),
}
WEIGHTS = ("local_weight", "global_weight", "near_weight")
COUNTS = ("boxes", "near", "slice", "t_min")


@dataclass(frozen=True)
class SemanticSettings:
    """The defaults are the paper's.

    critic: decode exactly, by a tiny decoder, or read the latent with HCMA's aligner. region: the whole
    picture, black outside of the box (eq. 5), or the box cut out. weight: of a sample; `abar` counts the
    sharp estimates of little noise more. t_min, t_max: other timesteps are left out. boxes: how many
    random boxes of a sample to look at, 0 for all. latent_t: the timestep at which the aligner reads, -1
    for that of the sample, so that it reads what it was trained on. near (ours): from how many of the
    nearest other phrases a box must be told, by a softmax over cosines divided by near_temperature, its
    cross-entropy times near_weight added: "striped" and "dotted" are words, and vectors, of little distance.
    slice: samples that are looked at together; of several slices each is computed again on the way back,
    which bounds memory; 0 takes all at once and keeps everything. checkpointing: the same inside of the
    decoder.
    """

    critic: str = "exact"
    local_weight: float = 1.0  # of eq. 8, and below of eq. 9: eq. 10 has 1 and 1
    global_weight: float = 1.0
    region: str = "mask"
    weight: str = "one"
    t_min: int = 0
    t_max: int = 999
    boxes: int = 0
    latent_t: int = 0
    near: int = 0
    near_weight: float = 1.0
    near_temperature: float = 0.1
    slice: int = 0
    checkpointing: bool = False

    def __post_init__(self) -> None:
        check_choices(self, "semantic", CHOICES)
        check_least(self, "semantic", 0, *WEIGHTS, *COUNTS)
        if self.latent_t < -1:
            raise SituError(f"semantic.latent_t is {self.latent_t}; a timestep, or -1")
        if self.near_temperature <= 0:
            raise SituError(f"semantic.near_temperature is {self.near_temperature}; more than 0")
        if self.t_max < self.t_min:
            raise SituError(f"semantic.t_max is {self.t_max}, below t_min = {self.t_min}")


class Critic(Protocol):
    """Something frozen that sees latents in the space of words."""

    @property
    def encoder(self) -> TextEncoder: ...

    def project(self, pooled: Tensor) -> Tensor:
        """The encoder's vectors at end tokens [n, width] in the critic's space [n, D]."""
        ...

    def __call__(
        self, z0: Tensor, t: Tensor, noise: Tensor, boxes_xyxy: Tensor, chosen: Tensor, /
    ) -> tuple[Tensor, Tensor]:
        """Clean latents [B, C, h, w] to whole [B, D] and regions [R, D], by the rows and columns of
        `chosen` [B, N] of bool; boxes are [B, N, 4], t [B] and `noise` are those of the step."""
        ...


@dataclass(frozen=True, eq=False)
class PixelCritic:
    """A decoder, latents to pictures in -1..1, and CLIP behind it (eq. 4 and 5)."""

    clip: ClipPair
    decode: Callable[[Tensor], Tensor]
    region: str = "mask"

    @property
    def encoder(self) -> TextEncoder:
        return self.clip.text

    def project(self, pooled: Tensor) -> Tensor:
        return self.clip.project(pooled)

    def __call__(
        self, z0: Tensor, t: Tensor, noise: Tensor, boxes_xyxy: Tensor, chosen: Tensor, /
    ) -> tuple[Tensor, Tensor]:
        pictures = drawn(self.decode, z0)
        rows = chosen.nonzero()[:, 0]
        view = masked if self.region == "mask" else self._cut
        squares = [self.clip.fit(pictures)]
        if len(rows):
            squares.append(self.clip.fit(view(pictures[rows], boxes_xyxy[chosen])))
        seen = self.clip.see(torch.cat(squares))
        return seen[: len(z0)], seen[len(z0) :]

    def _cut(self, pictures: Tensor, boxes_xyxy: Tensor) -> Tensor:
        return torch.cat([self.clip.fit(part) for part in cut_out(pictures, boxes_xyxy)])


@dataclass(frozen=True, eq=False)
class LatentCritic:
    """HCMA's aligner as the critic: it reads the latent, noised as at timestep `at`, -1 for the sample's
    own, and no decoder runs."""

    aligner: Aligner
    encoder: TextEncoder
    schedule: Schedule
    at: int = 0

    def project(self, pooled: Tensor) -> Tensor:
        return pooled.float()

    def __call__(
        self, z0: Tensor, t: Tensor, noise: Tensor, boxes_xyxy: Tensor, chosen: Tensor, /
    ) -> tuple[Tensor, Tensor]:
        t = t if self.at < 0 else torch.full_like(t, self.at)
        z = self.schedule.add_noise(z0, noise, t)
        features = self.aligner(z, self.schedule.level(t).flatten().to(z), t)
        return self.aligner.captions(features), self.aligner.phrases(features, boxes_xyxy)[chosen]


class DSAlign:
    """L_DSA of a batch (eq. 10). Nothing of it is trained.

    The batch gives t [B], noise, boxes_xyxy [B, N, 4], `chosen` [B, N] (boxes to look at, of those that
    are there), `told` [B] (whether the caption was), `caption_vectors` [B, D] and `phrase_vectors`
    [B, N, D] in the critic's space; with `near`, also `near_vectors` [B, N, K, D], zeros for none.
    """

    def __init__(self, critic: Critic, schedule: Schedule, settings: SemanticSettings) -> None:
        self.critic, self.schedule, self.settings = critic, schedule, settings

    def __call__(self, z0: Tensor, batch: Batch) -> dict[str, Tensor]:
        """z0 [B, C, h, w], the one-step estimate. `semantic`, and its parts `local`, `global` and, if asked
        for, `near`: means over the batch, to which a sample adds 0 where it has no box, no caption or
        another timestep."""
        s, weight = self.settings, self._weight(batch["t"]).to(z0.device)
        chosen = batch["chosen"].bool() & (s.local_weight > 0)
        told = batch["told"] * (s.global_weight > 0)
        rows = ((weight > 0) & (chosen.any(1) | (told > 0))).nonzero()[:, 0]
        parts = z0.new_zeros(3)
        slices = rows.split(s.slice or len(rows)) if len(rows) else ()
        again = len(slices) > 1 and torch.is_grad_enabled()  # of one alone it would save nothing
        for some in slices:
            parts = parts + self._part(some, z0, batch, chosen, told, weight, again) / len(z0)
        local, whole, near = parts.unbind()
        total = s.local_weight * local + s.global_weight * whole
        losses = {"local": local, "global": whole}
        if s.near:
            losses, total = losses | {"near": near}, total + s.near_weight * near
        return {"semantic": total, **losses}

    def _weight(self, t: Tensor) -> Tensor:
        s = self.settings
        inside = ((t >= s.t_min) & (t <= s.t_max)).float()
        return (
            inside * self.schedule.level(t).flatten().to(inside) if s.weight == "abar" else inside
        )

    def _part(
        self,
        rows: Tensor,
        z0: Tensor,
        batch: Batch,
        chosen: Tensor,
        told: Tensor,
        weight: Tensor,
        again: bool,
    ) -> Tensor:
        """Sums of weighted distances over some samples: [3]. again: compute on the way back."""
        given = (
            z0[rows],
            batch["t"][rows],
            batch["noise"][rows],
            batch["boxes_xyxy"][rows],
            chosen[rows],
            batch["phrase_vectors"][rows],
            batch["caption_vectors"][rows],
            batch["near_vectors"][rows] if self.settings.near else None,
        )
        look = self._distances
        apart = checkpoint(look, *given, use_reentrant=False) if again else look(*given)
        assert isinstance(apart, Tensor)
        local = weight[rows]
        return (apart * torch.stack([local, local * told[rows], local])).sum(1)

    def _distances(
        self,
        z0: Tensor,
        t: Tensor,
        noise: Tensor,
        boxes_xyxy: Tensor,
        chosen: Tensor,
        phrases: Tensor,
        captions: Tensor,
        near: Tensor | None,
    ) -> Tensor:
        """D_local (eq. 8), D_global (eq. 9) and how badly boxes are told from near phrases: [3, b]."""
        whole, regions = self.critic(z0, t, noise, boxes_xyxy, chosen)
        wanted, count = phrases[chosen], chosen.sum(1).clamp(min=1)

        def mean(each: Tensor) -> Tensor:
            return each.new_zeros(len(z0)).index_add(0, chosen.nonzero()[:, 0], each) / count

        local, apart = mean(spherical(regions, wanted)), spherical(whole, captions)
        if near is None:
            return torch.stack([local, apart, torch.zeros_like(local)])
        against = torch.cat([wanted[:, None], near[chosen]], 1)
        told = mistaken(regions, against, self.settings.near_temperature)
        return torch.stack([local, apart, mean(told)])


def spherical(a: Tensor, b: Tensor) -> Tensor:
    """arcsin(|a - b| / 2)^2 of normalised vectors [..., D]: a quarter of their angle squared (eq. 7).

    Written with the half angle's tangent, |a - b| / |a + b|, so that the gradient is finite everywhere.
    Some codes of guidance by CLIP double it.
    """
    a, b = (functional.normalize(_exact(x), dim=-1) for x in (a, b))
    return torch.atan2((a - b).norm(dim=-1), (a + b).norm(dim=-1)).square()


def mistaken(seen: Tensor, phrases: Tensor, temperature: float) -> Tensor:
    """Cross-entropy [R] of taking what was seen [R, D] for the first of some phrases [R, 1 + K, D].

    A phrase of zeros stands for none."""
    seen, vectors = (functional.normalize(_exact(x), dim=-1) for x in (seen, phrases))
    cosines = torch.einsum("rd,rkd->rk", seen, vectors) / temperature
    cosines = cosines.masked_fill((phrases == 0).all(-1), -torch.inf)
    return cosines.logsumexp(1) - cosines[:, 0]


def drawn(decode: Callable[[Tensor], Tensor], z0: Tensor) -> Tensor:
    """Latents as pictures [B, 3, H, W] in 0..1, never in fp16, in which SD's decoder overflows."""
    with _no_fp16(z0.device.type):
        return (_exact(decode(z0)) / 2 + 0.5).clamp(0, 1)


def masked(pictures: Tensor, boxes_xyxy: Tensor) -> Tensor:
    """Pictures [R, 3, H, W], black outside of the pixels that the box [R, 4] touches."""
    touched = coverage(boxes_xyxy, *pictures.shape[-2:]) > 0
    return pictures * touched[:, None]


def cut_out(pictures: Tensor, boxes_xyxy: Tensor) -> list[Tensor]:
    """The pixels [1, 3, h, w] that each box [R, 4] touches, of its own picture."""
    height, width = pictures.shape[-2:]
    touched = coverage(boxes_xyxy, height, width) > 0
    parts = []
    for picture, inside in zip(pictures, touched, strict=True):
        rows, columns = inside.any(1).nonzero()[:, 0], inside.any(0).nonzero()[:, 0]
        if not len(rows):
            raise SituError("boxes: one has no area, so nothing can be cut out")
        top, left = int(rows[0]), int(columns[0])
        parts.append(picture[None, :, top : int(rows[-1]) + 1, left : int(columns[-1]) + 1])
    return parts


def _exact(x: Tensor) -> Tensor:
    """In fp32 at least."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _no_fp16(device: str) -> AbstractContextManager[object]:
    half = torch.is_autocast_enabled(device) and torch.get_autocast_dtype(device) == torch.float16
    return torch.autocast(device, enabled=False) if half else nullcontext()


__all__ = ["DSAlign", "LatentCritic", "PixelCritic", "SemanticSettings", "spherical"]
