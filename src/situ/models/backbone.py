"""A backbone: tokenizer, text encoder, U-Net, autoencoder and noise schedule that belong together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from situ.conditioning.grounding import Grounding
from situ.conditioning.text import Remembering, TextEncoder, Texts
from situ.diffusion.guidance import Branch, Record
from situ.diffusion.schedule import Schedule, Step
from situ.models.attention import Attend, Recorder
from situ.models.autoencoder import Autoencoder
from situ.models.unet import UNet
from situ.ops.seeds import latent_noise
from situ.scene import Layout, SituError


@dataclass(frozen=True, eq=False)
class Backbone:
    """Everything a method needs to turn scenes into pictures.

    name and weights_hash say which weights made a picture. null_base tells how the grounded network is
    made text-only: True with null grounding tokens (trained so: the storybook), False by skipping the
    gated layers (SD + GLIGEN, where the frozen SD is underneath). aligner is the file of HCMA's network
    for these latents and texts, where there is one (models/aligner.py reads it when it is wanted).
    """

    name: str
    text: TextEncoder
    unet: UNet
    autoencoder: Autoencoder
    schedule: Schedule
    weights_hash: str
    null_base: bool = False
    aligner: Path | None = None

    @property
    def device(self) -> torch.device:
        return self.unet.conv_in.weight.device

    @property
    def dtype(self) -> torch.dtype:
        return self.unet.dtype

    @property
    def size(self) -> int:
        """The side in pixels that the network was trained at."""
        return (self.unet.config.sample_size or 64) * self.autoencoder.factor

    def latent_shape(self, width: int, height: int) -> tuple[int, int, int]:
        """(C, h, w) of a canvas in pixels. Raises SituError if the network cannot draw that size."""
        unit = self.autoencoder.factor * 2 ** (len(self.unet.config.block_out_channels) - 1)
        for side, value in (("width", width), ("height", height)):
            if value % unit or value <= 0:
                raise SituError(
                    f"{side}: {value} px cannot be drawn by {self.name}; use a multiple of {unit}, "
                    f"best {self.size}"
                )
        factor = self.autoencoder.factor
        return self.autoencoder.channels, height // factor, width // factor

    def noise(self, seeds: Sequence[int], width: int, height: int) -> Tensor:
        """Where sampling starts: each image from its own seed, (B, C, h, w) in fp32."""
        return latent_noise(seeds, self.latent_shape(width, height)).to(self.device)

    def encode(self, texts: Sequence[str]) -> Texts:
        return self.text.encode(texts)

    def remembering(self) -> "Backbone":
        """The same networks, which read the same texts once: for a plan that asks for them twice."""
        return replace(self, text=Remembering(self.text.tokenizer, self.text.model))

    @torch.no_grad()
    def ground(self, layouts: Sequence[Layout]) -> Tensor:
        """Grounding tokens (B, 30, D) of layouts; an empty layout gives null tokens in every slot."""
        if not self.unet.config.gated:
            raise SituError(
                f"{self.name} has no gated layers, so it cannot follow boxes; load GLIGEN weights, "
                "or draw from the caption alone with --method base"
            )
        phrases = list(dict.fromkeys(p for layout in layouts for p in layout.phrases))
        vectors = dict(zip(phrases, self.encode(phrases).pooled, strict=True))
        grounding = Grounding.of(layouts, vectors, self.text.width).to(self.device)
        return self.unet.position_net(grounding.boxes_xyxy, grounding.masks, grounding.phrases)

    def branch(
        self,
        states: Tensor,
        grounding: Tensor | None,
        gates: Sequence[float],
        edit: Attend | None = None,
    ) -> "UNetBranch":
        """The network bound to token states (B, L, D), grounding tokens and a gate for every step."""
        return UNetBranch(self.unet, self.schedule, states, grounding, tuple(gates), edit)

    @torch.no_grad()
    def decode(self, z: Tensor, chunk: int = 8) -> Tensor:
        """Latents to pictures (B, 3, H, W) in [0, 1], a few at a time to bound memory."""
        pictures = [self.autoencoder.decode(part).float() for part in z.split(chunk)]
        return (torch.cat(pictures) / 2 + 0.5).clamp(0, 1)

    def to(self, device: torch.device | str) -> "Backbone":
        """Move every network, in place."""
        for network in (self.text.model, self.unet, self.autoencoder):
            network.to(device)
        return self


@dataclass(frozen=True, eq=False)
class UNetBranch:
    """(z, step) -> eps: the U-Net with one conditioning bound to it, whatever it predicts inside."""

    unet: UNet
    schedule: Schedule
    states: Tensor  # [B, L, D]
    grounding: Tensor | None  # [B, N, D]
    gates: tuple[float, ...]  # one per sampler step
    edit: Attend | None = None

    def __call__(self, z: Tensor, step: Step, record: Record | None = None, /) -> Tensor:
        recorder = Recorder(record.wanted, self.edit) if record else None
        stop = None
        if recorder and record and not record.full:
            stop = recorder.last(self._sites(z, step))
        attend = recorder or self.edit
        gate = self.gates[step.i]
        output = self.unet(z, step.t, self.states, self.grounding, gate, attend, step, stop)
        if record and recorder:
            record.maps = recorder.maps
        return z if output is None else self.schedule.eps(output, z, step.t)

    def _sites(self, z: Tensor, step: Step) -> Sequence[Any]:
        sites = self.unet.sites(z.shape[-2], z.shape[-1])
        shut = self.grounding is None or self.gates[step.i] == 0
        return [site for site in sites if not (shut and site.kind == "gated")]

    def joined(self, other: Branch, /) -> "UNetBranch | None":
        """Both conditionings end to end, if they use one network at the same gates without edits."""
        if not isinstance(other, UNetBranch) or self.edit or other.edit:
            return None
        same = other.unet is self.unet and other.gates == self.gates
        if not same or (self.grounding is None) != (other.grounding is None):
            return None
        grounding = self.grounding
        if grounding is not None and other.grounding is not None:
            grounding = torch.cat([grounding, other.grounding])
        return replace(self, states=torch.cat([self.states, other.states]), grounding=grounding)
