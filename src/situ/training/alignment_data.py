"""What the aligner learns from: cached latents, vectors of captions and phrases, and what is not true."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from situ.conditioning.text import TextEncoder
from situ.data.coco import Item
from situ.ops.masks import coverage
from situ.scene import SituError
from situ.scene.layout import MAX_OBJECTS
from situ.training.loop import Batch

CELLS = 32  # of the grid on which empty places are looked for
TRIES = 8


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Vectors of texts, each once: `numbers` says which row of `vectors` [U, D] a text has."""

    numbers: dict[str, int]
    vectors: Tensor


@torch.no_grad()
def pooled(encoder: TextEncoder, texts: Sequence[str], at_once: int = 256) -> Table:
    """The pooled vectors of all different texts, in half precision.

    The text encoder looks back only, so what follows the end token changes nothing and is cut off: texts
    of like length go together.
    """
    numbers = {text: row for row, text in enumerate(dict.fromkeys(texts))}
    rows = torch.zeros(len(numbers), encoder.width, dtype=torch.float16)
    order = sorted(numbers, key=len)
    for start in range(0, len(order), at_once):
        part = order[start : start + at_once]
        tokens = encoder.tokens(part)
        ends = (tokens == encoder.tokenizer.eos_token_id).int().argmax(1)
        tokens = tokens[:, : int(ends.max()) + 1].to(encoder.model.device)
        states = encoder.model(input_ids=tokens).last_hidden_state.cpu()
        rows[[numbers[text] for text in part]] = states[torch.arange(len(part)), ends].half()
    return Table(numbers, rows)


class AlignmentData:
    """Cached latents (N, C, h, w) with the vectors of their captions and the numbers of their phrases.

    `false` gives for every item captions that are not true of it; without it, those of other items.
    """

    def __init__(
        self,
        items: Sequence[Item],
        latents: Sequence[np.ndarray] | np.ndarray,
        captions: Table,
        phrases: Table,
        false: Sequence[Sequence[str]] | None = None,
        empty: int = 1,
        total: int = 1000,
    ) -> None:
        if len(items) != len(latents):
            raise SituError(f"latents: {len(latents)} for {len(items)} pictures; cache them again")
        self.latents, self.total, self.empty = latents, total, empty
        self.vectors = captions.vectors
        self.rows = [
            [captions.numbers[c] for c in item.captions if c in captions.numbers] for item in items
        ]
        self.false = [[captions.numbers[c] for c in some] for some in false] if false else None
        self.boxes = torch.zeros(len(items), MAX_OBJECTS, 4)
        self.phrases = torch.full((len(items), MAX_OBJECTS), -1)
        for row, item in enumerate(items):
            for slot, thing in enumerate(item.layout):
                self.boxes[row, slot] = torch.tensor(thing.box.xyxy)
                self.phrases[row, slot] = phrases.numbers[thing.phrase]
        self.most = max((len(item.layout) for item in items), default=0)

    def batch(self, size: int, rng: torch.Generator) -> Batch:
        """Timesteps are stratified over the batch: one in each of `size` equal parts of the schedule."""
        rows = torch.randint(len(self.latents), (size,), generator=rng)
        turns = torch.randint(1 << 30, (size, 2), generator=rng).tolist()
        away = torch.randint(max(1, len(self.latents) - 1), (size,), generator=rng)
        strangers = ((rows + 1 + away) % len(self.latents)).tolist()
        parts = torch.randperm(size, generator=rng) + torch.rand(size, generator=rng)
        latents = torch.from_numpy(np.stack([self.latents[int(i)] for i in rows]))
        caption = [_turn(self.rows[i], a) for i, (a, _) in zip(rows.tolist(), turns, strict=True)]
        false = [
            _turn(self.false[i] if self.false and self.false[i] else self.rows[other], b)
            for i, other, (_, b) in zip(rows.tolist(), strangers, turns, strict=True)
        ]
        boxes, phrases = self.boxes[rows, : self.most], self.phrases[rows, : self.most]
        masks = (phrases >= 0).float()
        return {
            "latents": latents,
            "noise": torch.randn(latents.shape, generator=rng),
            "t": (parts * self.total / size).long().clamp(max=self.total - 1),
            "caption": torch.tensor(caption),
            "captions": self.vectors[caption].float(),
            "false_captions": self.vectors[false].float(),
            "boxes_xyxy": boxes,
            "masks": masks,
            "phrases": phrases,
            "empty_xyxy": empty_places(boxes, masks, self.empty, rng),
        }


def empty_places(boxes_xyxy: Tensor, masks: Tensor, count: int, rng: torch.Generator) -> Tensor:
    """Boxes [B, count, 4] where the least stands, each the best of some random ones."""
    sides = 0.15 + 0.35 * torch.rand(len(boxes_xyxy), count, TRIES, 2, generator=rng)
    corners = torch.rand(sides.shape, generator=rng) * (1 - sides)
    tried = torch.cat([corners, corners + sides], -1)  # [B, count, TRIES, 4]
    filled = (coverage(boxes_xyxy, CELLS, CELLS) * masks[..., None, None]).sum(1).clamp(max=1)
    inside = coverage(tried, CELLS, CELLS)
    share = (inside * filled[:, None, None]).sum((-1, -2)) / inside.sum((-1, -2))
    best = share.argmin(-1)[..., None, None].expand(-1, -1, 1, 4)
    return tried.gather(2, best).squeeze(2)


def false_captions(items: Sequence[Item], rng: np.random.Generator) -> list[list[str]]:
    """For each item, captions of its own in which one thing has become another of the set's phrases.

    Items none of whose phrases stands in a caption as it is have none.
    """
    phrases = sorted({phrase for item in items for phrase in item.layout.phrases})
    return [_falsified(item, phrases, rng) for item in items]


def _falsified(item: Item, phrases: Sequence[str], rng: np.random.Generator) -> list[str]:
    for caption in (item.captions[i] for i in rng.permutation(len(item.captions))):
        own = [phrase for phrase in item.layout.phrases if phrase in caption]
        others = [p for p in rng.choice(phrases, 4) if p not in item.layout.phrases]
        if own and others:
            phrase = own[int(rng.integers(len(own)))]
            return [caption.replace(phrase, _alike(phrase, others))]
    return []


def _alike(phrase: str, others: Sequence[str]) -> str:
    """The one that shares most words: the closer the lie, the more there is to learn."""
    return max(others, key=lambda other: len({*phrase.split()} & {*other.split()}))


def _turn(choices: Sequence[int], turn: int) -> int:
    return choices[turn % len(choices)]


__all__ = ["AlignmentData", "Table", "empty_places", "false_captions", "pooled"]
