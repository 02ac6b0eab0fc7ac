"""Training of the placer: boxes of a COCO-format set, given their phrases and what is said of them.

What is said of a picture comes from its captions, read as the rule planner reads a sentence, or from the
boxes themselves, where each relation that holds is told with some chance. The first teaches what people mean
by "next to"; the second needs no caption that says so.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from situ.models.placer import MOST, Placer, Query, encode, to_bins
from situ.planners.naming import name_of
from situ.planners.reader import read
from situ.scene import Box, Layout, SituError
from situ.scene.relations import RELATIONS
from situ.training.loop import Batch

WINDOW = 8  # batches' worth of layouts with about as many things, of which a batch is drawn
LARGER = 1.3  # times the area, from which one thing is called larger
TURNED = {"left of": "right of", "right of": "left of"}  # in a mirror
SIDES = (
    0.36,
    0.64,
)  # of the picture: what lies before, between and after is left, middle and right

Told = tuple[tuple[int, str, int], ...]


@dataclass(frozen=True)
class PlacingSettings:
    """How examples are made.

    captions: share of examples whose relations come from a caption; the others' come from the boxes.
    most_told: share of the relations between boxes that is told at most. places: chance that a scene's
    things are told their part of the picture, each with the same chance again. mirror: chance that a
    picture is turned left to right. blur: bins by which targets are smoothed, for neighbours are nearly
    right.
    """

    captions: float = 1.0
    most_told: float = 0.5
    places: float = 0.2
    mirror: float = 0.5
    blur: float = 0.7

    def __post_init__(self) -> None:
        for name in ("captions", "most_told", "places", "mirror"):
            if not 0 <= getattr(self, name) <= 1:
                raise SituError(f"objective.{name} is {getattr(self, name)}; it must be in 0..1")
        if self.blur < 0:
            raise SituError(f"objective.blur is {self.blur}; it must be at least 0")


@dataclass(frozen=True, slots=True)
class Placed:
    """A layout and what each of some captions says of it."""

    layout: Layout
    told: tuple[Told, ...] = ()


class PlacingData:
    """Layouts in a random order of their things, half of them mirrored, with some relations told.

    A batch holds layouts with about as many things, or most of it would be padding.
    """

    def __init__(
        self, placed: Sequence[Placed], settings: PlacingSettings, bins: int, buckets: int
    ) -> None:
        fitting = [p for p in placed if 1 <= len(p.layout) <= MOST]
        self.placed = sorted(fitting, key=lambda p: len(p.layout))
        if not self.placed:
            raise SituError(f"data: no picture has 1 to {MOST} boxes")
        self.settings, self.bins, self.buckets = settings, bins, buckets

    def batch(self, size: int, rng: torch.Generator) -> Batch:
        window = min(len(self.placed), max(WINDOW * size, len(self.placed) // 8))
        start = int(torch.randint(1 - window, len(self.placed), (1,), generator=rng))
        start = min(max(start, 0), len(self.placed) - window)
        chosen = (start + torch.randint(window, (size,), generator=rng)).tolist()
        dice = random.Random(int(torch.randint(2**31, (1,), generator=rng)))
        examples = [example(self.placed[i], self.settings, dice) for i in chosen]
        batch = encode([query for query, _ in examples], self.buckets)
        batch["bins"] = torch.zeros(*batch["there"].shape, 4, dtype=torch.long)
        for row, (_, boxes) in enumerate(examples):
            batch["bins"][row, : len(boxes)] = torch.tensor(to_bins(boxes, self.bins))
        return batch


class PlacingObjective(nn.Module):
    """Cross entropy of every coordinate, in nats, against targets smoothed over neighbouring bins."""

    def __init__(self, placer: Placer, settings: PlacingSettings) -> None:
        super().__init__()
        self.trained = placer
        near = torch.arange(placer.config.bins).float()
        distance = near[:, None] - near
        spread = (-0.5 * (distance / max(settings.blur, 1e-3)) ** 2).softmax(1)
        self.register_buffer("spread", spread, persistent=False)
        self.spread: Tensor

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        chances = self.trained(batch).float().log_softmax(-1)  # [B, N, 4, bins]
        targets = self.spread.to(chances.device)[batch["bins"]]
        entropy = -(targets * chances).sum(-1)  # [B, N, 4]
        there = batch["there"]
        means = (entropy * there[..., None]).sum((0, 1)) / there.sum()
        sizes, places = means[:2].sum(), means[2:].sum()
        return {"loss": sizes + places, "sizes": sizes.detach(), "places": places.detach()}


def example(
    placed: Placed, settings: PlacingSettings, dice: random.Random
) -> tuple[Query, list[Box]]:
    """One example: things that look alike stay together, as a sentence names them."""
    boxes = list(placed.layout.boxes)
    told = _told_by_caption(placed, dice) if dice.random() < settings.captions else None
    told = _told_by_boxes(boxes, settings.most_told, dice) if told is None else told
    if dice.random() < settings.mirror:
        boxes = [box.mirrored() for box in boxes]
        told = tuple((s, TURNED.get(p, p), o) for s, p, o in told)
    order = _order(placed.layout.phrases, dice)
    new = {old: i for i, old in enumerate(order)}
    boxes = [boxes[i] for i in order]
    chance = dice.random() if dice.random() < settings.places else 0.0
    query = Query(
        tuple(placed.layout.phrases[i] for i in order),
        tuple((new[s], p, new[o]) for s, p, o in told),
        tuple(place_of(box) if dice.random() < chance else "" for box in boxes),
    )
    return query, boxes


def read_caption(caption: str, layout: Layout) -> Told:
    """The sure relations of a caption between things that the layout has as often as the caption says."""
    symbols = read(caption)
    names = sorted(set(layout.phrases), key=lambda name: (-len(name), name))
    members = []
    for thing in symbols.things:
        name = name_of(thing.phrase, names)
        found = [i for i, phrase in enumerate(layout.phrases) if phrase == name]
        members.append(found if len(found) == thing.count else [])
    return tuple(
        (s, relation.predicate, o)
        for relation in symbols.relations
        if relation.sure
        for landmark in (relation.object, relation.other)
        if landmark is not None
        for s in members[relation.subject]
        for o in members[landmark]
        if s != o
    )


def place_of(box: Box) -> str:
    """The part of the picture that a box's middle is in, as words say it."""
    across, down = ((v > SIDES[0]) + (v > SIDES[1]) for v in box.center)
    words = f"{('top', '', 'bottom')[down]} {('left', '', 'right')[across]}".strip()
    return words or "middle"


def _told_by_caption(placed: Placed, dice: random.Random) -> Told | None:
    return dice.choice(placed.told) if placed.told else None


def _told_by_boxes(boxes: Sequence[Box], most: float, dice: random.Random) -> Told:
    chance = most * dice.random()
    told = []
    for i, a in enumerate(boxes):
        for j, b in enumerate(boxes):
            if i != j and dice.random() < chance / 2:
                holding = [name for name, holds in RELATIONS.items() if holds(a, b)]
                holding += ["larger"] if a.area > LARGER * b.area else []
                told += [(i, dice.choice(holding), j)] if holding else []
    return tuple(told)


def _order(phrases: Sequence[str], dice: random.Random) -> list[int]:
    names = sorted(set(phrases))
    dice.shuffle(names)
    groups = [[i for i, phrase in enumerate(phrases) if phrase == name] for name in names]
    for group in groups:
        dice.shuffle(group)
    return [i for group in groups for i in group]
