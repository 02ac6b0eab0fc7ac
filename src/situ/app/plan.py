"""From sentences to layouts, for the command line and for drawing from a sentence alone."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from situ.planners import Planned, plan_by_rules
from situ.planners.llm import Endpoint, plan_by_llm
from situ.planners.nouns import singular
from situ.scene import Layout, Object, SituError
from situ.scene.errors import at, did_you_mean, shown

if TYPE_CHECKING:
    from situ.app.placer import Placing

Planner = Literal["rules", "placer", "llm"]
PLANNERS: tuple[str, ...] = ("rules", "placer", "llm")
MAX_SIDE = 16384


def plan_scenes(
    texts: Sequence[str],
    planner: str = "rules",
    n: int = 1,
    seed: int = 0,
    *,
    width: int = 512,
    height: int = 512,
    endpoint: Endpoint | None = None,
    cache: Path | None = None,
    words: frozenset[str] | None = None,
    placing: "Placing | None" = None,
) -> tuple[Planned, ...]:
    """n layouts for each text, in order: variant j of a text has the seed SEED + j.

    words are all that a model's phrases may hold, such as `storybook_words()`; others are left out of
    them, with a warning. placing says which placer to use and how freely it draws. Raises SituError for an
    unknown planner, an empty text, or a planner that lacks its endpoint.
    """
    plan = _planner(planner, endpoint, cache, width, height, placing)
    if n < 1:
        raise SituError(f"n: {n} must be at least 1")
    if not texts:
        raise SituError(
            "plan: there is no sentence to plan; give one in quotes or a file with some"
        )
    found = []
    for index, text in enumerate(texts):
        with at(f"sentence {index + 1}" if len(texts) > 1 else "plan"):
            found += [_within(plan(text, seed + j), words) for j in range(n)]
    return tuple(found)


def storybook_words() -> frozenset[str]:
    """The words that the storybook knows: its kinds, colours and textures."""
    from situ.storybook.kinds import KINDS
    from situ.storybook.palette import COLOURS, TEXTURES

    return frozenset([*KINDS, *COLOURS, *TEXTURES])


def told(planned: Planned) -> list[str]:
    """What a person should know of a plan: words that were not understood, and every warning."""
    lines = list(planned.warnings)
    if planned.unknown:
        lines.insert(0, f"not understood: {', '.join(planned.unknown[:12])}")
    return lines


def summary(planned: Planned) -> str:
    """One line on how a sentence was read."""
    symbols = planned.symbols
    parts = [symbols.describe() or "no things that could be placed"]
    parts += [f"background: {', '.join(symbols.background)}"] if symbols.background else []
    parts += [f"style: {', '.join(symbols.style)}"] if symbols.style else []
    parts += [f"without: {', '.join(symbols.absent)}"] if symbols.absent else []
    return "; ".join(parts)


def _planner(
    name: str,
    endpoint: Endpoint | None,
    cache: Path | None,
    width: int,
    height: int,
    placing: "Placing | None",
) -> Callable[[str, int], Planned]:
    if name not in PLANNERS:
        raise SituError(f"planner: {shown(name)} is unknown: {did_you_mean(str(name), PLANNERS)}")
    if name == "rules":
        return lambda text, seed: plan_by_rules(text, seed, width, height)
    if name == "placer":
        from situ.app.placer import plan_by_placer

        return lambda text, seed: plan_by_placer(text, placing, seed, width, height)
    if endpoint is None:
        raise SituError("planner: llm needs to know which model to ask; give its name")
    return lambda text, seed: plan_by_llm(text, endpoint, seed, width, height, cache)


def _within(planned: Planned, known: frozenset[str] | None) -> Planned:
    """Phrases of known words only; a thing whose kind is unknown keeps its own words."""
    if known is None:
        return planned
    objects, warnings = [], list(planned.warnings)
    for item in planned.layout:
        kept = [word for word in map(singular, item.phrase.split()) if word in known]
        kind = singular(item.phrase.split(" with ")[0].split(" of ")[0].split()[-1])
        if kind not in known:
            warnings.append(f"this model knows no {kind}; it draws best what it was trained on")
        objects.append(Object(" ".join(kept), item.box) if kind in known else item)
    scene = replace(planned.scene, layout=Layout(tuple(objects)))
    return replace(planned, scene=scene, warnings=tuple(dict.fromkeys(warnings)))
