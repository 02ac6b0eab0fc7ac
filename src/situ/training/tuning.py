"""Fine-tune a grounded U-Net as GOAL does (eq. 15): the diffusion loss, DSAlign and MAAlign.

With alpha = beta = 0 nothing of the other two runs, and what is left is plain fine-tuning bit for bit.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from situ.conditioning.text import TextEncoder
from situ.data.coco import Item
from situ.diffusion.schedule import Schedule, z0_from_eps
from situ.diffusion.solvers import transfer
from situ.models.attention import Recorder
from situ.models.unet import UNet
from situ.scene import SituError
from situ.scene.errors import did_you_mean
from situ.scene.fields import check_least
from situ.scene.layout import MAX_OBJECTS
from situ.training.alignment_data import Table
from situ.training.contrastive import cosines
from situ.training.denoising import (
    DenoisingObjective,
    DenoisingSettings,
    LatentData,
    gates,
    probe,
)
from situ.training.loop import Batch
from situ.training.masked_attention import MAAlign, word_positions
from situ.training.semantic import DSAlign

PARTS = {
    "gated": ".fuser.",
    "self": ".attn1.",
    "cross": ".attn2.",
    "position": "position_net.",
}
DEAD = 1e-3  # tanh of a gate through which nothing comes
SAME = 0.9999  # a cosine above says the same, in other words at most
IGNORED = 0.5  # percent: below, the true boxes help no more than none


@dataclass(frozen=True)
class TuningSettings:
    """alpha weighs DSAlign, beta MAAlign; the defaults are the paper's.

    trained: which layers learn, of `gated`, `self`, `cross` (the paper) and `position` (the layer that
    makes grounding tokens, which GLIGEN trains too). own (ours): the share of a batch, rounded down, in
    which DSAlign and MAAlign judge a state that the network itself has drawn from noise, near the sample's
    timestep, in steps of which a whole picture takes own_steps: noised pictures tell it what will be
    there, its own drawings do not. Those samples have no diffusion loss. The rest as in
    DenoisingSettings; where a caption was dropped, no loss asks for its words.
    """

    alpha: float = 1e-2
    beta: float = 1e-3
    trained: tuple[str, ...] = ("gated", "self", "cross")
    own: float = 0.0
    own_steps: int = 15
    snr_gamma: float = 0.0
    noise_power: float = 0.0
    drop_caption: float = 0.0
    drop_grounding: float = 0.0
    drop_both: float = 0.0

    def __post_init__(self) -> None:
        check_least(self, "objective", 0, "alpha", "beta", "own")
        check_least(self, "objective", 1, "own_steps")
        if self.own >= 1:
            raise SituError(
                f"objective.own is {self.own}; below 1, for the diffusion loss needs some"
            )
        for part in self.trained:
            if part not in PARTS:
                raise SituError(f"objective.trained: {part!r}: {did_you_mean(part, PARTS)}")

    @property
    def denoising(self) -> DenoisingSettings:
        return DenoisingSettings(
            snr_gamma=self.snr_gamma,
            noise_power=self.noise_power,
            drop_caption=self.drop_caption,
            drop_grounding=self.drop_grounding,
            drop_both=self.drop_both,
        )


class TuningObjective(DenoisingObjective):
    """`trained` holds the U-Net, of which only the parts that the settings name learn."""

    def __init__(
        self,
        unet: UNet,
        text_model: nn.Module,
        schedule: Schedule,
        settings: TuningSettings,
        semantic: DSAlign | None = None,
        attention: MAAlign | None = None,
    ) -> None:
        super().__init__(unet, text_model, schedule, settings.denoising)
        choose_(unet, settings.trained)
        self.tuning = settings
        for name, weight, term in (
            ("alpha", settings.alpha, semantic),
            ("beta", settings.beta, attention),
        ):
            if weight and term is None:
                raise SituError(
                    f"objective.{name} is {weight}, but nothing was given to weigh by it"
                )
        # neither is a module: what they look with is not trained, averaged or saved
        self.semantic = semantic if settings.alpha else None
        self.attention = attention if settings.beta else None

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        unet, t, noise, z0 = self.unet, batch["t"], batch["noise"], batch["latents"].float()
        z = self.schedule.add_noise(z0, noise, t)
        grounding = unet.position_net(batch["boxes_xyxy"], batch["masks"], batch["phrases"])
        recorder = Recorder(self.attention.wanted) if self.attention else None
        states = self._states(batch["tokens"])
        own = self._own(len(z))
        if own:
            given = (noise[:own], t[:own], states[:own], grounding[:own], batch["gate"][:own])
            drawn, at = self.draw(*given)
            z, t = torch.cat([drawn, z[own:]]), torch.cat([at, t[own:]])
        output = unet(z, t, states, grounding, batch["gate"], attend=recorder).float()
        error = (output - self.schedule.target(z0, noise, t)).square().mean((1, 2, 3))
        losses = {"diffusion": (self.weight(t) * error)[own:].mean()}
        total = losses["diffusion"]
        if self.semantic:
            estimate = z0_from_eps(z, self.schedule.eps(output, z, t), self.schedule.level(t))
            losses |= self.semantic(estimate, {**batch, "t": t})
            total = total + self.tuning.alpha * losses["semantic"]
        if self.attention and recorder:
            losses |= self.attention(recorder.maps, batch)
            total = total + self.tuning.beta * losses["attention"]
        return {"loss": total, **{name: loss.detach() for name, loss in losses.items()}}

    def _own(self, size: int) -> int:
        """How many samples of a batch, the first ones, show states of the network's own."""
        return int(self.tuning.own * size) if self.semantic or self.attention else 0

    @torch.no_grad()
    def draw(
        self, noise: Tensor, t: Tensor, states: Tensor, grounding: Tensor, gate: Tensor
    ) -> tuple[Tensor, Tensor]:
        """From noise [B, C, h, w] by DDIM to the timestep of the path that is nearest to t [B]: the states
        there, and those timesteps. Not by diffusion/sampler.py, which runs all samples to the end of the
        path: here each rests where it has arrived, which halves the work."""
        path = self.schedule.steps(self.tuning.own_steps)
        ts = torch.tensor([step.t for step in path], device=t.device)
        stops, z = (ts - t[:, None]).abs().argmin(1), noise.clone()
        for step in path[: int(stops.max())]:
            rows = (stops > step.i).nonzero()[:, 0]
            here = z[rows]
            output = self.unet(here, step.t, states[rows], grounding[rows], gate[rows])
            eps = self.schedule.eps(output.float(), here, step.t)
            z[rows] = transfer(here, eps, step)
        return z, ts[stops]

    @property
    def text_model(self) -> nn.Module:
        return self.frozen[0]

    def plain(self) -> "TuningObjective":
        """The same networks with the diffusion loss alone."""
        bare = replace(self.tuning, alpha=0.0, beta=0.0)
        return TuningObjective(self.unet, self.text_model, self.schedule, bare)


def choose_(unet: UNet, parts: Sequence[str]) -> None:
    """Only these parts of PARTS learn. Raises SituError where the network has none of them."""
    marks = [PARTS[part] for part in parts]
    found = False
    for name, parameter in unet.named_parameters():
        chosen = any(
            mark in f".{name}" if mark[0] == "." else name.startswith(mark) for mark in marks
        )
        parameter.requires_grad_(chosen)
        found |= chosen
    if not found:
        raise SituError(
            f"objective.trained: this network has none of {', '.join(parts) or 'nothing'}"
        )


class TuningData(LatentData):
    """Cached latents as in LatentData, and what DSAlign and MAAlign ask for.

    The batch also holds `told` [B] (1 where the caption was not dropped); with `words`, `words` [B, N, L]
    of 0/1, the tokens of every phrase in the caption of this turn; with the tables of the critic's
    vectors, `caption_vectors`, `phrase_vectors` and `chosen` (`boxes` random ones of a sample, or all), and
    with `near` the vectors of the so many nearest other phrases, `near_vectors`.
    Latents, noise, timesteps and drops are exactly those of LatentData.
    """

    def __init__(
        self,
        items: Sequence[Item],
        latents: Sequence[NDArray] | NDArray,
        text: TextEncoder,
        settings: DenoisingSettings,
        *,
        words: bool = True,
        captions: Table | None = None,
        phrases: Table | None = None,
        boxes: int = 0,
        near: int = 0,
        total: int = 1000,
    ) -> None:
        if len(items) != len(latents):
            raise SituError(f"latents: {len(latents)} for {len(items)} pictures; cache them again")
        tokens = [text.tokens(item.captions) for item in items]
        nothing = np.broadcast_to(np.zeros((1, 1, 1, 3), np.uint8), (len(items), 1, 1, 3))
        vectors = _grounding_vectors(items, text)
        super().__init__(
            items,
            latents,  # pyright: ignore[reportArgumentType]  (rows are all that is asked of it)
            tokens,
            text.tokens([""])[0],
            vectors,
            nothing,
            settings,
            total,
        )
        self.items, self.text, self.with_words, self.boxes = items, text, words, boxes
        self.near = near
        self.caption_table, self.phrase_table = captions, phrases
        self._positions: dict[tuple[int, int], tuple[tuple[int, ...], ...]] = {}

    def more(
        self,
        batch: Batch,
        picks: Sequence[tuple[int, int]],
        told: Tensor,
        rng: torch.Generator,
    ) -> Batch:
        more = {"told": told.float()}
        if self.with_words:
            more["words"] = self._words(picks, told)
        if self.caption_table and self.phrase_table:
            more |= self._vectors(picks, self.caption_table, self.phrase_table)
            more["chosen"] = some_of(batch["masks"], self.boxes, rng)
        return more

    def _words(self, picks: Sequence[tuple[int, int]], told: Tensor) -> Tensor:
        words = torch.zeros(len(picks), MAX_OBJECTS, self.text.length)
        for b, pick in enumerate(picks):
            for slot, positions in enumerate(self._where(*pick) if told[b] else ()):
                words[b, slot, list(positions)] = 1
        return words

    def _where(self, row: int, turn: int) -> tuple[tuple[int, ...], ...]:
        if (row, turn) not in self._positions:
            scene = self.items[row].scene(turn)
            self._positions[row, turn] = word_positions(self.text, scene)
        return self._positions[row, turn]

    def _vectors(
        self, picks: Sequence[tuple[int, int]], captions: Table, phrases: Table
    ) -> dict[str, Tensor]:
        slots = torch.zeros(len(picks), MAX_OBJECTS, phrases.vectors.shape[1])
        numbers = []
        for b, (row, turn) in enumerate(picks):
            numbers.append(captions.numbers[self.items[row].captions[turn]])
            known = [phrases.numbers[phrase] for phrase in self.items[row].layout.phrases]
            slots[b, : len(known)] = phrases.vectors[known].float()
        vectors = {"caption_vectors": captions.vectors[numbers].float(), "phrase_vectors": slots}
        if self.near:
            vectors["near_vectors"] = nearest(slots, phrases.vectors.float(), self.near)
        return vectors


def nearest(slots: Tensor, vectors: Tensor, count: int) -> Tensor:
    """Of vectors [P, D] the `count` nearest by cosine to each that is not zero of slots [B, N, D], itself and
    its equals left out: [B, N, count, D], zeros where there are no more."""
    found = slots.new_zeros(*slots.shape[:2], count, slots.shape[2])
    there = slots.any(-1)
    alike = cosines(slots[there], vectors)
    alike = alike.masked_fill(alike > SAME, -torch.inf)
    values, rows = alike.topk(min(count, len(vectors)), 1)
    picked = torch.where(values.isfinite()[..., None], vectors[rows], 0)
    found[there] = functional.pad(picked, (0, 0, 0, count - picked.shape[1]))
    return found


def some_of(masks: Tensor, count: int, rng: torch.Generator) -> Tensor:
    """Of the boxes that are there [B, N], `count` random ones of each sample, or all for 0: [B, N]."""
    if not count:
        return masks.clone()
    turn = torch.rand(masks.shape, generator=rng).masked_fill(masks == 0, -1)
    first = turn.argsort(1, descending=True)[:, :count]
    return torch.zeros_like(masks).scatter(1, first, 1.0) * masks


def watch(
    objective: TuningObjective, batch: Batch, ts: Sequence[int] = (500, 700, 900)
) -> dict[str, float]:
    """On a held-out batch: every term, the boxes' probe and all gates. Warns as `troubles` says."""
    found = probe(objective.plain(), batch, ts)
    with torch.no_grad():
        terms = objective(batch)
    found |= {f"held_out_{name}": float(value) for name, value in terms.items()}
    opened = gates(objective.unet)
    sizes = [abs(value) for value in opened.values()]
    found |= {"gate_mean": sum(sizes) / max(1, len(sizes)), "gate_most": max(sizes, default=0.0)}
    found |= {f"gate/{name}": value for name, value in opened.items()}
    for trouble in troubles(found):
        warnings.warn(trouble, stacklevel=2)
    return found


def troubles(found: Mapping[str, float]) -> list[str]:
    """What the monitor's numbers tell that a loss would not."""
    told = []
    if found["gate_most"] < DEAD:
        told.append(
            f"every gate is below {DEAD}: boxes cannot be seen; start from GLIGEN's weights, or train "
            "the gated layers"
        )
    gaps = [value for name, value in found.items() if name.endswith("_gap")]
    if gaps and max(gaps) < IGNORED:
        told.append(
            f"boxes are ignored: with them the error is at most {max(gaps):.2f} % lower than without"
        )
    return told


def _grounding_vectors(items: Sequence[Item], text: TextEncoder) -> dict[str, Tensor]:
    phrases = sorted({phrase for item in items for phrase in item.layout.phrases}) or [""]
    return dict(zip(phrases, text.encode(phrases).pooled.cpu(), strict=True))


__all__ = [
    "TuningData",
    "TuningObjective",
    "TuningSettings",
    "choose_",
    "some_of",
    "troubles",
    "watch",
]
