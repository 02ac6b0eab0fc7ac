"""Train a grounded U-Net on cached latents: the diffusion loss, and supervision of the gated attention.

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
from situ.models.attention import Maps, Recorder, where
from situ.models.unet import UNet
from situ.ops.masks import cell_centres
from situ.training.loop import Batch


@dataclass(frozen=True)
class DenoisingSettings:
    """Weights and rates of the objective.

    snr_gamma: min-SNR weighting (Hang et al. 2023), in terms of the schedule's prediction; 0 for none.
    attention_weight: of the cross-entropy that asks each cell's gated attention to choose the object
    whose box the cell is in (the nearest to the reader, where boxes overlap), or an empty slot.
    """

    snr_gamma: float = 0.0
    attention_weight: float = 0.0
    drop_caption: float = 0.1
    drop_grounding: float = 0.1
    drop_both: float = 0.08


class DenoisingObjective(nn.Module):
    """`trained` is the U-Net; the text model is frozen and runs in the step."""

    def __init__(
        self, unet: UNet, text_model: nn.Module, schedule: Schedule, settings: DenoisingSettings
    ) -> None:
        super().__init__()
        self.trained = unet
        self.schedule, self.settings = schedule, settings
        # a tuple hides it from the module tree: it is neither trained, averaged nor saved
        self.frozen = (text_model.eval().requires_grad_(False),)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        t, noise, z0 = batch["t"], batch["noise"], batch["latents"].float()
        z = self.schedule.add_noise(z0, noise, t)
        grounding = self.trained.position_net(batch["boxes_xyxy"], batch["masks"], batch["phrases"])
        recorder = Recorder(where("gated")) if self.settings.attention_weight else None
        output = self.trained(
            z, t, self._states(batch["tokens"]), grounding, batch["gate"], attend=recorder
        )
        error = (output.float() - self.schedule.target(z0, noise, t)).square().mean((1, 2, 3))
        diffusion = (self.weight(t) * error).mean()
        losses = {"loss": diffusion, "diffusion": diffusion.detach()}
        if recorder:
            attention = attention_loss(recorder.maps, batch["boxes_xyxy"], batch["masks"])
            losses["attention"] = attention.detach()
            losses["loss"] = diffusion + self.settings.attention_weight * attention
        return losses

    @torch.no_grad()
    def _states(self, tokens: Tensor) -> Tensor:
        return self.frozen[0](input_ids=tokens).last_hidden_state

    def weight(self, t: Tensor) -> Tensor:
        """min-SNR-gamma: min(snr, gamma) / snr for eps, min(snr, gamma) / (snr + 1) for v."""
        gamma, snr = self.settings.snr_gamma, self.schedule.snr(t)
        if not gamma:
            return torch.ones_like(snr)
        below = snr if self.schedule.prediction == "epsilon" else snr + 1
        return snr.clamp(max=gamma) / below


def attention_loss(maps: Maps, boxes_xyxy: Tensor, masks: Tensor) -> Tensor:
    """Cross-entropy of the owner of each cell under the gated attention among the grounding tokens.

    maps: [B, heads, cells, cells + N] at each gated site; boxes [B, N, 4]; masks [B, N]. Samples whose
    grounding was dropped have no owner anywhere and are left out.
    """
    losses = []
    for site, probs in maps.items():
        owner = cell_owner(boxes_xyxy, masks, site.height, site.width)  # [B, cells], -1 = none
        tokens = probs.mean(1)[..., -masks.shape[1] :].float()  # [B, cells, N]
        share = tokens / tokens.sum(-1, keepdim=True).clamp(min=1e-8)
        used = masks[:, None, :]
        choices = torch.cat([share * used, (share * (1 - used)).sum(-1, keepdim=True)], -1)
        target = torch.where(owner < 0, masks.shape[1], owner)
        picked = choices.gather(-1, target[..., None]).squeeze(-1).clamp(min=1e-6)
        has_any = masks.any(1).float()
        losses.append((-picked.log().mean(1) * has_any).sum() / has_any.sum().clamp(min=1))
    return torch.stack(losses).mean()


def cell_owner(boxes_xyxy: Tensor, masks: Tensor, height: int, width: int) -> Tensor:
    """The slot whose box holds each cell's centre, the one reaching lowest if several do; -1 for none."""
    cells = cell_centres(height, width, boxes_xyxy.device).flatten(0, 1)  # [cells, 2]
    x, y = cells[:, 0, None], cells[:, 1, None]
    x0, y0, x1, y1 = (v[:, None, :] for v in boxes_xyxy.unbind(-1))  # [B, 1, N]
    inside = (x >= x0) & (x < x1) & (y >= y0) & (y < y1) & masks.bool()[:, None, :]
    depth = torch.where(inside, y1, -1.0)  # [B, cells, N]
    nearest, slot = depth.max(-1)
    return torch.where(nearest < 0, -1, slot)


class LatentData:
    """Cached latents (N, C, h, w) with the captions and layouts of their items."""

    def __init__(
        self,
        items: Sequence[Item],
        latents: NDArray[np.float16],
        tokens: Sequence[Tensor],
        empty_tokens: Tensor,
        vectors: dict[str, Tensor],
        settings: DenoisingSettings,
        total: int = 1000,
    ) -> None:
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
        both, caption, grounding = self._drops(coins)
        # half of the dropped layouts skip the gated layers, half meet null tokens: both must work
        shut = (both | grounding) & (turns % 2 == 0)
        slots = [
            self.null if both[i] or grounding[i] else self.grounding[int(row)]
            for i, row in enumerate(rows)
        ]
        texts = [
            self.empty if both[i] or caption[i] else self._caption(int(row), int(turns[i]))
            for i, row in enumerate(rows)
        ]
        return {
            "latents": latents,
            "noise": torch.randn(latents.shape, generator=rng),
            "t": (parts * self.total / size).long().clamp(max=self.total - 1),
            "tokens": torch.stack(texts),
            "boxes_xyxy": torch.cat([g.boxes_xyxy for g in slots]),
            "gate": 1 - shut.float(),
            "masks": torch.cat([g.masks for g in slots]),
            "phrases": torch.cat([g.phrases for g in slots]),
        }

    def _drops(self, coins: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        s = self.settings
        edges = np.cumsum([s.drop_both, s.drop_caption, s.drop_grounding])
        both = coins < edges[0]
        caption = (coins >= edges[0]) & (coins < edges[1])
        return both, caption, (coins >= edges[1]) & (coins < edges[2])

    def _caption(self, row: int, turn: int) -> Tensor:
        choices = self.tokens[row]
        return choices[turn % len(choices)]


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
    "attention_loss",
    "cell_owner",
    "gates",
    "open_gates_",
    "probe",
]
