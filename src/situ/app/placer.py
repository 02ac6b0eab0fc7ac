"""The planner that reads with the rules and places with a trained network, then mends what it proposes."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from situ.app.find import PACKAGE
from situ.planners import Planned, plan_by_rules
from situ.planners.projection import Projected, broken, project
from situ.planners.reader import read
from situ.planners.symbols import Symbols
from situ.scene import Box, Layout, Object, Scene, SituError
from situ.scene.errors import did_you_mean, shown

if TYPE_CHECKING:
    from situ.models.placer import Placer, Query

BUILT_IN = {"storybook": PACKAGE / "storybook/weights/placer"}


@dataclass(frozen=True, slots=True)
class Placing:
    """Which placer draws, and how freely: temperature 0 always gives the likeliest layout. Of `tries`
    proposals the one is kept that breaks the fewest relations and had to be moved least."""

    placer: str = "storybook"
    temperature: float = 0.8
    top: float = 0.95
    tries: int = 4

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= 10:
            raise SituError(f"temperature: {self.temperature} must be in 0..10")
        if not 0 < self.top <= 1:
            raise SituError(f"top: {self.top} must be above 0 and at most 1")
        if not 1 <= self.tries <= 64:
            raise SituError(f"tries: {self.tries} must be in 1..64")


def plan_by_placer(
    caption: str,
    placing: Placing | None = None,
    seed: int = 0,
    width: int = 512,
    height: int = 512,
) -> Planned:
    """Plan a caption; with the rules alone, and a warning, where the placer was trained on no such thing or
    no proposal could be mended.

    Raises SituError for a caption without a word, or a placer that is not there.
    """
    if not isinstance(caption, str) or not caption.strip():
        raise SituError("caption: there is nothing to plan; write at least one word")
    placing = placing or Placing()
    placer, symbols = load(placing.placer), read(caption)
    reason = unfit(placer, symbols)
    if reason:
        return _by_rules(caption, seed, width, height, reason)
    owners = owners_of(symbols)
    proposed = propose(placer, symbols, placing, seed) if owners else [()]
    best = mended(symbols, owners, proposed)
    if best.broken:
        ruled = plan_by_rules(caption, seed, width, height)
        if _breaks_fewer(symbols, owners, ruled, best):
            return _by_rules(caption, seed, width, height, "no proposal fits what is said")
    objects = (
        Object(symbols.things[t].phrase, box) for t, box in zip(owners, best.boxes, strict=True)
    )
    scene = Scene(caption, Layout(tuple(objects)), width, height)
    return Planned(
        scene, symbols, symbols.unknown, (*symbols.warnings, *_told(symbols, best)), "placer"
    )


def propose(
    placer: "Placer", symbols: Symbols, placing: Placing, seed: int
) -> list[tuple[Box, ...]]:
    """Layouts as the placer draws them, before anything is mended; the same seed gives the same ones."""
    import torch

    from situ.models.placer import encode

    batch = encode([query_of(symbols)], placer.config.buckets)
    tries = placing.tries if placing.temperature else 1
    batch = {name: rows.expand(tries, *rows.shape[1:]) for name, rows in batch.items()}
    rng = torch.Generator().manual_seed(seed)
    drawn = placer.draw(batch, rng, placing.temperature, placing.top)
    return [tuple(_box(*four) for four in layout) for layout in drawn.tolist()]


def mended(symbols: Symbols, owners: tuple[int, ...], proposed: list[tuple[Box, ...]]) -> Projected:
    """The best of some proposals after projection."""
    found = [project(symbols, owners, boxes) for boxes in proposed]
    return min(found, key=lambda one: (len(one.broken), one.moved))


def query_of(symbols: Symbols) -> "Query":
    """What the placer is asked: every copy of a thing by itself, and the sure relations of all copies."""
    from situ.models.placer import INVERSES, Query

    owners = owners_of(symbols)
    members = [[i for i, o in enumerate(owners) if o == t] for t in range(len(symbols.things))]
    relations = tuple(
        (s, relation.predicate, o)
        for relation in symbols.relations
        if relation.sure and relation.predicate in INVERSES
        for landmark in (relation.object, relation.other)
        if landmark is not None
        for s in members[relation.subject]
        for o in members[landmark]
        if s != o
    )
    phrases = tuple(symbols.things[t].phrase for t in owners)
    return Query(phrases, relations, tuple(symbols.things[t].place for t in owners))


def owners_of(symbols: Symbols) -> tuple[int, ...]:
    """The thing of each box, in the order of the things."""
    return tuple(t for t, thing in enumerate(symbols.things) for _ in range(thing.count))


def unfit(placer: "Placer", symbols: Symbols) -> str:
    """Why a placer cannot place a scene; nothing if it can."""
    from situ.models.placer import MOST, noun_of

    strange = [t.phrase for t in symbols.things if noun_of(t.phrase) not in placer.config.nouns]
    if strange:
        return f"the placer was trained on no {', no '.join(dict.fromkeys(strange))}"
    count = len(owners_of(symbols))
    return f"{count} things are more than the {MOST} of the placer" if count > MOST else ""


@lru_cache(maxsize=2)
def load(name: str) -> "Placer":
    """A built-in placer, or the folder of one."""
    from situ.models.placer import load_placer

    folder = BUILT_IN.get(name) or Path(name).expanduser()
    if not folder.is_dir():
        guess = did_you_mean(name, BUILT_IN)
        raise SituError(
            f"placer: no folder {shown(name)}; give one, or a built-in placer ({guess})"
        )
    return load_placer(folder)


def _box(width: float, height: float, x: float, y: float) -> Box:
    """A proposal as a box: what lies outside of the picture is moved in, not cut off."""
    width, height = (min(max(side, 0.02), 0.98) for side in (width, height))
    x = min(max(x, width / 2), 1 - width / 2)
    y = min(max(y, height / 2), 1 - height / 2)
    box = Box.clamped(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    assert box is not None
    return box


def _breaks_fewer(
    symbols: Symbols, owners: tuple[int, ...], ruled: Planned, best: Projected
) -> bool:
    boxes = ruled.layout.boxes
    return len(boxes) == len(owners) and len(broken(symbols, owners, boxes)) < len(best.broken)


def _told(symbols: Symbols, found: Projected) -> list[str]:
    names = [thing.phrase for thing in symbols.things]
    return [
        f"{names[r.subject]} {r.predicate} {names[r.object]}: this does not hold in the layout"
        for r in found.broken
    ]


def _by_rules(caption: str, seed: int, width: int, height: int, why: str) -> Planned:
    ruled = plan_by_rules(caption, seed, width, height)
    warnings = (f"planned by rules, not by the placer: {why}", *ruled.warnings)
    return Planned(ruled.scene, ruled.symbols, ruled.unknown, warnings)
