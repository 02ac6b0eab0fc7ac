"""Train HCMA's aligner on cached latents: Omega_G and Omega_L (eq. 6, 7) over random timesteps.

The U-Net is not needed: a latent is noised inside the step and must still say what it shows. With
positives alone an answer that never changes can score well, so every step also logs by how much a
caption or phrase fits better than another's, and the contrastive form makes that margin the goal.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from situ.diffusion.schedule import Schedule
from situ.models.aligner import Aligner, mean_over_boxes, omega
from situ.scene import SituError
from situ.training.contrastive import cosines
from situ.training.loop import Batch

LARGEST_SCALE = 100.0
START_SCALE = 2.66  # log of 1 / 0.07, as in CLIP


@dataclass(frozen=True)
class AlignmentSettings:
    """lambda_1 and lambda_2 weigh caption and boxes, in either form.

    cosine: weight of the literal losses, eq. 6 and 7. contrast: weight of the contrastive ones (0 is the
    paper): a latent picks its caption among those of the batch and a false one of its own, a box picks
    its phrase among all there are, and a phrase its boxes among all of the batch and `empty` places of
    every picture where nothing stands.
    """

    lambda_global: float = 1.0
    lambda_local: float = 1.0
    cosine: float = 1.0
    contrast: float = 0.0
    empty: int = 1

    def __post_init__(self) -> None:
        if min(self.cosine, self.contrast, self.lambda_global, self.lambda_local) < 0:
            raise SituError("objective: its weights are 0 or more")


class AlignmentObjective(nn.Module):
    """`trained` holds the aligner and the temperatures of the contrastive form."""

    def __init__(
        self, aligner: Aligner, phrases: Tensor, schedule: Schedule, settings: AlignmentSettings
    ) -> None:
        """`phrases` [P, D]: the vectors of all phrases of the data, in the order of their numbers."""
        super().__init__()
        self.trained = nn.ModuleDict({"aligner": aligner})
        if settings.contrast:
            self.trained["scales"] = Scales()
        self.schedule, self.settings = schedule, settings
        # a tuple hides it from the module tree: it is neither trained, averaged nor saved
        self.table = (phrases.to(aligner.cls.device),)

    @property
    def aligner(self) -> Aligner:
        aligner = self.trained["aligner"]
        assert isinstance(aligner, Aligner)
        return aligner

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        t = batch["t"]
        z = self.schedule.add_noise(batch["latents"].float(), batch["noise"], t)
        features = self.aligner(z, self.schedule.level(t).flatten().to(z), t)
        captions = self.aligner.captions(features).float()
        boxes = torch.cat([batch["boxes_xyxy"], batch["empty_xyxy"]], 1)
        seen, empty = (
            self.aligner.phrases(features, boxes)
            .float()
            .split((batch["boxes_xyxy"].shape[1], batch["empty_xyxy"].shape[1]), 1)
        )
        parts = self._cosines(batch, captions, seen)
        if self.settings.contrast:
            parts |= self._contrasts(batch, captions, seen, empty)
        loss = torch.stack([self._weight(name) * part for name, part in parts.items()]).sum()
        return {"loss": loss, **{name: part.detach() for name, part in parts.items()}}

    def _weight(self, name: str) -> float:
        s = self.settings
        kind = {"omega": s.cosine, "contrast": s.contrast}.get(name.split("_")[0], 0.0)
        return kind * (s.lambda_global if name.endswith("global") else s.lambda_local)

    def _cosines(self, batch: Batch, captions: Tensor, seen: Tensor) -> dict[str, Tensor]:
        """Omega_G, Omega_L, and how much larger they are for another caption and another phrase."""
        masks, whole = batch["masks"], omega(captions, batch["captions"])
        own = self._vectors(batch["phrases"])
        each = omega(seen, own)
        with torch.no_grad():
            other = omega(captions, batch["captions"].roll(1, 0))
            strangers = self._strangers(batch["phrases"])
            local = omega(seen, self._vectors(strangers)) - each
            differs = masks * (strangers != batch["phrases"])
            margins = {
                "margin_global": (other - whole).mean(),
                "margin_local": (local * differs).sum() / differs.sum().clamp_min(1),
            }
        return {
            "omega_global": whole.mean(),
            "omega_local": mean_over_boxes(each, masks).mean(),
            **margins,
        }

    def _contrasts(
        self, batch: Batch, captions: Tensor, seen: Tensor, empty: Tensor
    ) -> dict[str, Tensor]:
        scales = self.trained["scales"]
        assert isinstance(scales, Scales)
        whole, hits = caption_contrast(
            captions, batch["captions"], batch["false_captions"], batch["caption"], scales.caption()
        )
        there = batch["masks"] > 0
        local, local_hits = phrase_contrast(
            seen[there],
            batch["phrases"][there],
            self.table[0],
            empty.flatten(0, 1),
            scales.phrase(),
        )
        return {
            "contrast_global": whole,
            "contrast_local": local,
            "hits_global": hits,
            "hits_local": local_hits,
        }

    def _vectors(self, numbers: Tensor) -> Tensor:
        return self.table[0][numbers.clamp_min(0)].float()

    def _strangers(self, numbers: Tensor) -> Tensor:
        """Another phrase for every box: the one of the next box that is there, through the whole batch."""
        there = numbers >= 0
        moved = numbers.clone()
        moved[there] = numbers[there].roll(1)
        return moved


class Scales(nn.Module):
    """The two learned temperatures, as logarithms of their inverse."""

    def __init__(self) -> None:
        super().__init__()
        self.logs = nn.Parameter(torch.full((2,), START_SCALE))

    def caption(self) -> Tensor:
        return self.logs[0].exp().clamp(max=LARGEST_SCALE)

    def phrase(self) -> Tensor:
        return self.logs[1].exp().clamp(max=LARGEST_SCALE)


def caption_contrast(
    seen: Tensor, texts: Tensor, false_texts: Tensor, numbers: Tensor, scale: Tensor
) -> tuple[Tensor, Tensor]:
    """InfoNCE of latents with captions, both ways, and how often the latent picks its own: means over B.

    seen, texts, false_texts [B, D]; rows of one number [B] have one caption and are positives of each
    other. A latent must also tell its caption from its false one, which only its own row meets.
    """
    logits = scale * cosines(seen, texts)
    same = (numbers[:, None] == numbers[None]).to(logits)
    false = scale * functional.cosine_similarity(seen, false_texts, dim=-1)[:, None]
    forth = _surprise(torch.cat([logits, false], 1), functional.pad(same, (0, 1)))
    back = _surprise(logits.mT, same)
    hits = same.gather(1, logits.argmax(1, keepdim=True)).squeeze(1)
    return ((forth + back) / 2).mean(), hits.mean()


def phrase_contrast(
    seen: Tensor, numbers: Tensor, table: Tensor, empty: Tensor, scale: Tensor
) -> tuple[Tensor, Tensor]:
    """InfoNCE of boxes with phrases, both ways, and how often a box picks its own: means over R.

    seen [R, D] with the numbers [R] of their phrases in `table` [P, D]; a box chooses among the whole
    table, a phrase among all boxes and the empty places [E, D].
    """
    if not len(seen):
        return seen.sum(), seen.sum()
    forth = scale * cosines(seen, table.float())
    present = numbers.unique()
    back = scale * cosines(table[present].float(), torch.cat([seen, empty]))
    same = functional.pad((present[:, None] == numbers[None]).to(back), (0, len(empty)))
    loss = functional.cross_entropy(forth, numbers) + _surprise(back, same).mean()
    return loss / 2, (forth.argmax(1) == numbers).float().mean()


def _surprise(logits: Tensor, same: Tensor) -> Tensor:
    """Cross-entropy of each row with the uniform distribution over its positives: [n]."""
    return functional.cross_entropy(logits, same / same.sum(1, keepdim=True), reduction="none")


@torch.no_grad()
def probe(objective: AlignmentObjective, batch: Batch, ts: Sequence[int]) -> dict[str, float]:
    """Both losses, margins and hits on one held-out batch, at each of some timesteps."""
    found = {}
    for t in ts:
        said = objective({**batch, "t": torch.full_like(batch["t"], t)})
        found |= {f"{name}_{t}": float(value) for name, value in said.items() if name != "loss"}
    return found


__all__ = ["AlignmentObjective", "AlignmentSettings", "probe"]
