"""HCMA's algorithm 1 in full: the aligner learns, and the U-Net learns to denoise what it has aligned.

Lines 8 to 11 are Omega_G + Omega_L of the noised latent, as when the aligner trains alone; line 12 moves
that latent down their gradient; line 13 asks the U-Net for the noise of the moved latent. The moved latent
is a constant for the U-Net's loss, so the two losses share no parameter and training both in one step is
the same as in turns.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from situ.conditioning.text import TextEncoder
from situ.diffusion.energy import raw, rms_of_z
from situ.diffusion.schedule import eps_from_z0
from situ.models.aligner import Aligner, mean_over_boxes, omega
from situ.models.unet import UNet
from situ.scene import SituError
from situ.scene.fields import check_choices, check_least
from situ.scene.layout import MAX_OBJECTS
from situ.training.alignment import AlignmentObjective
from situ.training.alignment_data import AlignmentData, Table
from situ.training.loop import Batch
from situ.training.tuning import choose_

TRAINED = ("none", "gated", "all")
FORMS = {"raw": raw, "share": rms_of_z}
TARGETS = ("original", "corrected")


@dataclass(frozen=True)
class UNetSettings:
    """Whether the U-Net learns beside the aligner, and what its latents are.

    train_unet: "none" (the aligner alone), "gated" (GLIGEN's layers) or "all". lr: its own largest
    learning rate, which rises and falls as the aligner's. align_form and align_size: how far line 12
    moves, as in one of 50 steps of sampling. target: the noise that was added ("original", line 13), or
    the noise that leads from the moved latent back to the clean one ("corrected"). drop: the share of
    samples that lose caption and boxes and are not moved, so that the network stays its own
    unconditional branch.
    """

    train_unet: str = "none"
    lr: float = 5e-5
    align_form: str = "raw"
    align_size: float = 6.0
    target: str = "original"
    drop: float = 0.1

    def __post_init__(self) -> None:
        allowed = {"train_unet": TRAINED, "align_form": FORMS, "target": TARGETS}
        check_choices(self, "unet", allowed)
        check_least(self, "unet", 0, "lr", "align_size")
        if not 0 <= self.drop <= 1:
            raise SituError(f"unet.drop is {self.drop}; it must be in 0..1")


class JointObjective(nn.Module):
    """`trained` holds what the aligner's objective trains, and the U-Net."""

    def __init__(
        self,
        alignment: AlignmentObjective,
        unet: UNet,
        text_model: nn.Module,
        settings: UNetSettings,
        lr: float,
    ) -> None:
        """lr: the loop's, of which the U-Net's is a multiple."""
        super().__init__()
        if settings.train_unet == "gated":
            choose_(unet, ("gated",))
        else:
            unet.requires_grad_(settings.train_unet == "all")
        self.alignment, self.settings = alignment, settings
        self.trained = nn.ModuleDict({**dict(alignment.trained.items()), "unet": unet})
        self.rates: Mapping[str, float] = {"unet.": settings.lr / lr}
        # a tuple hides it from the module tree: it is neither trained, averaged nor saved
        self.frozen = (text_model.eval().requires_grad_(False),)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        said = self.alignment(batch)
        noise = self.noise_loss(batch)
        return {**said, "loss": said["loss"] + noise, "noise": noise.detach()}

    @property
    def unet(self) -> UNet:
        unet = self.trained["unet"]
        assert isinstance(unet, UNet)
        return unet

    def noise_loss(self, batch: Batch) -> Tensor:
        """Line 13 on the latent of line 12, a mean over batch and latent."""
        schedule, t, z0 = self.alignment.schedule, batch["t"], _full(batch["latents"])
        kept = batch["kept"]
        z = schedule.add_noise(z0, batch["noise"], t)
        z = z + kept[:, None, None, None] * (self.aligned(z, batch) - z)
        slots = (0, MAX_OBJECTS - batch["masks"].shape[1])
        numbers = functional.pad(batch["phrases"], slots, value=-1)
        grounding = self.unet.position_net(
            functional.pad(batch["boxes_xyxy"], (0, 0, *slots)),
            functional.pad(batch["masks"], slots) * kept[:, None],
            self.alignment.table[0][numbers.clamp_min(0)].to(z),
        )
        with torch.no_grad():
            states = self.frozen[0](input_ids=batch["tokens"].long()).last_hidden_state
        output = self.unet(z, t, states, grounding, torch.ones_like(kept))
        noise = batch["noise"]
        if self.settings.target == "corrected":
            noise = eps_from_z0(z, z0, schedule.level(t))
        return (_full(output) - schedule.target(z0, noise, t)).square().mean()

    def aligned(self, z: Tensor, batch: Batch) -> Tensor:
        """Z^(a) of eq. 8 for z [B, C, h, w]; nothing can be asked of how it came about."""
        alignment, weights = self.alignment, self.alignment.settings
        level = alignment.schedule.level(batch["t"]).flatten().to(z)
        with torch.enable_grad():
            z = z.detach().requires_grad_()
            each = misfit(
                alignment.aligner,
                z,
                level,
                batch,
                alignment.table[0],
                (weights.lambda_global, weights.lambda_local),
            )
            (slope,) = torch.autograd.grad(each.sum(), z)
        z = z.detach()
        move = self.settings.align_size * FORMS[self.settings.align_form](slope.to(z), z)
        finite = move.isfinite().flatten(1).all(1)[:, None, None, None]
        return torch.where(finite, z - move, z)


def misfit(
    aligner: Aligner,
    z: Tensor,
    level: Tensor,
    batch: Batch,
    table: Tensor,
    weights: tuple[float, float],
) -> Tensor:
    """lambda_1 Omega_G + lambda_2 Omega_L of each sample (eq. 6 and 7): [B]."""
    features = aligner(z, level, batch["t"])
    whole = omega(_full(aligner.captions(features)), batch["captions"])
    seen = _full(aligner.phrases(features, batch["boxes_xyxy"]))
    each = omega(seen, table[batch["phrases"].clamp_min(0)])
    return weights[0] * whole + weights[1] * mean_over_boxes(each, batch["masks"])


def _full(x: Tensor) -> Tensor:
    """At least fp32, where autocast or a cache has left half precision."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


class JointData:
    """The batches of AlignmentData, with the tokens of captions [B, L] and whether they were `kept` [B]."""

    def __init__(
        self, data: AlignmentData, captions: Table, encoder: TextEncoder, drop: float
    ) -> None:
        self.data, self.drop = data, drop
        self.latents = data.latents
        self.tokens = encoder.tokens(list(captions.numbers)).int()
        self.nothing = encoder.tokens([""]).int()

    def batch(self, size: int, rng: torch.Generator) -> Batch:
        batch = self.data.batch(size, rng)
        kept = torch.rand(size, generator=rng) >= self.drop
        tokens = torch.where(kept[:, None], self.tokens[batch["caption"]], self.nothing)
        return {**batch, "tokens": tokens, "kept": kept.float()}


__all__ = ["JointData", "JointObjective", "UNetSettings", "misfit"]
