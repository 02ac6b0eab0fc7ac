"""Train a grounded U-Net on cached latents: the diffusion loss, and supervision of the network's inside.

Caption and grounding are dropped at random, each by itself and both together, so that one network is the
grounded model, the text-only base (null grounding) and the unconditional branch of guidance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from situ.conditioning.grounding import Grounding
from situ.data.coco import Item
from situ.diffusion.schedule import Schedule
from situ.models.attention import Recorder, where
from situ.models.unet import UNet
from situ.training.loop import Batch
from situ.training.supervision import Heads, owner_loss


@dataclass(frozen=True)
class DenoisingSettings:
    """Weights and rates of the objective.

    snr_gamma: min-SNR weighting (Hang et al. 2023), in terms of the schedule's prediction; 0 for none.
    noise_power: weight sigma to this power besides, where sigma^2 = 1 - abar: less of what is left at
    the end of sampling, more of what decides a picture.
    owner_weight, place_weight, picture_weight: of the three questions of training/supervision.py.
    """

    snr_gamma: float = 0.0
    noise_power: float = 0.0
    owner_weight: float = 0.0
    place_weight: float = 0.0
    picture_weight: float = 0.0
    drop_caption: float = 0.1
    drop_grounding: float = 0.1
    drop_both: float = 0.08


class DenoisingObjective(nn.Module):
    """`trained` holds the U-Net and the heads that read it; the text model is frozen and runs in the step."""

    def __init__(
        self, unet: UNet, text_model: nn.Module, schedule: Schedule, settings: DenoisingSettings
    ) -> None:
        super().__init__()
        self.trained = nn.ModuleDict({"unet": unet})
        if settings.place_weight or settings.picture_weight:
            self.trained["heads"] = Heads(unet)
        self.schedule, self.settings = schedule, settings
        # a tuple hides it from the module tree: it is neither trained, averaged nor saved
        self.frozen = (text_model.eval().requires_grad_(False),)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        unet, t, noise, z0 = self.unet, batch["t"], batch["noise"], batch["latents"].float()
        z = self.schedule.add_noise(z0, noise, t)
        grounding = unet.position_net(batch["boxes_xyxy"], batch["masks"], batch["phrases"])
        recorder = Recorder(where("gated"))
        states = self._states(batch["tokens"])
        output = unet(z, t, states, grounding, batch["gate"], attend=recorder)
        error = (output.float() - self.schedule.target(z0, noise, t)).square().mean((1, 2, 3))
        losses = {"diffusion": (self.weight(t) * error).mean(), **self._inside(batch, recorder)}
        total = torch.stack([self._share(name) * loss for name, loss in losses.items()]).sum()
        return {"loss": total, **{name: loss.detach() for name, loss in losses.items()}}

    @property
    def unet(self) -> UNet:
        unet = self.trained["unet"]
        assert isinstance(unet, UNet)
        return unet

    def _share(self, name: str) -> float:
        return 1.0 if name == "diffusion" else getattr(self.settings, f"{name}_weight")

    def _inside(self, batch: Batch, recorder: Recorder) -> dict[str, Tensor]:
        s, boxes, masks = self.settings, batch["boxes_xyxy"], batch["masks"]
        losses = {"owner": owner_loss(recorder.maps, boxes, masks)} if s.owner_weight else {}
        if "heads" in self.trained:
            heads = self.trained["heads"]
            assert isinstance(heads, Heads)
            losses["place"] = heads.place_loss(recorder.maps, boxes, masks)
            losses["picture"] = heads.picture_loss(batch["pictures"])
        return losses

    @torch.no_grad()
    def _states(self, tokens: Tensor) -> Tensor:
        return self.frozen[0](input_ids=tokens).last_hidden_state

    def weight(self, t: Tensor) -> Tensor:
        """min-SNR-gamma: min(snr, gamma) / snr for eps, min(snr, gamma) / (snr + 1) for v."""
        gamma, snr = self.settings.snr_gamma, self.schedule.snr(t)
        noise = (1 + snr) ** (-self.settings.noise_power / 2)
        if not gamma:
            return noise
        below = snr if self.schedule.prediction == "epsilon" else snr + 1
        return noise * snr.clamp(max=gamma) / below


class LatentData:
    """Cached latents (N, C, h, w) with the captions and layouts of their items."""

    def __init__(
        self,
        items: Sequence[Item],
        latents: NDArray[np.float16],
        tokens: Sequence[Tensor],
        empty_tokens: Tensor,
        vectors: dict[str, Tensor],
        pictures: NDArray[np.uint8],
        settings: DenoisingSettings,
        total: int = 1000,
    ) -> None:
        self.pictures = pictures  # (N, H, W, 3), small
        self.latents, self.tokens, self.empty = latents, tokens, empty_tokens
        self.settings, self.total = settings, total
        width = len(next(iter(vectors.values())))
        self.grounding = [Grounding.of([item.layout], vectors, width) for item in items]
        self.null = Grounding.null(1, width)

    def batch(self, size: int, rng: torch.Generator) -> Batch:
        """Timesteps are stratified over the batch: one in each of `size` equal parts of the schedule."""
        rows = torch.randint(len(self.latents), (size,), generator=rng)
        turns = torch.randint(1 << 30, (size,), generator=rng)
        coins = torch.rand(size, generator=rng)
        parts = torch.randperm(size, generator=rng) + torch.rand(size, generator=rng)
        latents = torch.from_numpy(np.stack([self.latents[int(i)] for i in rows]))
        drawn = zip(rows.tolist(), turns.tolist(), strict=True)
        picks = [(row, turn % len(self.tokens[row])) for row, turn in drawn]
        both, caption, grounding = self._drops(coins)
        # half of the dropped layouts skip the gated layers, half meet null tokens: both must work
        shut = (both | grounding) & (turns % 2 == 0)
        told, placed = ~(both | caption), ~(both | grounding)
        slots = [
            self.grounding[row] if placed[i] else self.null for i, (row, _) in enumerate(picks)
        ]
        texts = [self.tokens[row][c] if told[i] else self.empty for i, (row, c) in enumerate(picks)]
        batch = {
            "latents": latents,
            "pictures": torch.from_numpy(np.stack([self.pictures[int(i)] for i in rows])),
            "noise": torch.randn(latents.shape, generator=rng),
            "t": (parts * self.total / size).long().clamp(max=self.total - 1),
            "tokens": torch.stack(texts),
            "boxes_xyxy": torch.cat([g.boxes_xyxy for g in slots]),
            "gate": 1 - shut.float(),
            "masks": torch.cat([g.masks for g in slots]),
            "phrases": torch.cat([g.phrases for g in slots]),
        }
        return batch | self.more(batch, picks, told, rng)

    def more(
        self,
        batch: Batch,
        picks: Sequence[tuple[int, int]],
        told: Tensor,
        rng: torch.Generator,
    ) -> Batch:
        """What a subclass adds to a batch: here nothing.

        picks: the row and the number of the caption of every sample. told [B]: whether it was kept.
        """
        return {}

    def _drops(self, coins: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        s = self.settings
        edges = np.cumsum([s.drop_both, s.drop_caption, s.drop_grounding])
        both = coins < edges[0]
        caption = (coins >= edges[0]) & (coins < edges[1])
        return both, caption, (coins >= edges[1]) & (coins < edges[2])


def probe(
    objective: DenoisingObjective, batch: Batch, ts: Sequence[int] = (700,)
) -> dict[str, float]:
    """Error with the true boxes against null boxes on one held-out batch, and the gap between them in %.

    The gap opens long before pictures show that boxes are followed; the loss alone never shows it.
    """
    null = {**batch, "masks": torch.zeros_like(batch["masks"])}
    result = {}
    for t in ts:
        at_t = {"t": torch.full_like(batch["t"], t)}
        true, blank = (_error(objective, {**b, **at_t}) for b in (batch, null))
        result |= {f"probe_{t}": true, f"probe_{t}_gap": 100 * (blank - true) / blank}
    return result


@torch.no_grad()
def _error(objective: DenoisingObjective, batch: Batch) -> float:
    return float(objective(batch)["diffusion"])


def gates(unet: UNet) -> dict[str, float]:
    """tanh of every gate of the network: dead gates are the usual reason why boxes are ignored."""
    return {
        name: float(value.detach().tanh())
        for name, value in unet.named_parameters()
        if name.endswith(("alpha_attn", "alpha_dense"))
    }


def open_gates_(unet: UNet, value: float) -> None:
    """Start with tanh(gate) = value everywhere instead of GLIGEN's 0, for training from scratch."""
    start = float(np.arctanh(value))
    for name, parameter in unet.named_parameters():
        if name.endswith(("alpha_attn", "alpha_dense")):
            nn.init.constant_(parameter, start)


__all__ = [
    "DenoisingObjective",
    "DenoisingSettings",
    "LatentData",
    "gates",
    "open_gates_",
    "probe",
]
