"""NSR-1K on photographs and on layouts: truth from the benchmark's files, found by the captions."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from situ.evaluation.compbench import place_of
from situ.evaluation.evidence import Evidence
from situ.evaluation.nsr1k import (
    LAYOUTS_PER_PROMPT,
    CountingPrompt,
    LayoutCount,
    Matching,
    PictureCount,
    SpatialPrompt,
    layout_count,
    layout_relation,
    picture_count,
    picture_relation,
    read_counting,
    read_spatial,
)
from situ.evaluation.score import Metric, Score, mean_score
from situ.scene import SituError

FOLDERS = ("", "nsr1k")  # of --prompts
SOURCE = "dataset/NSR-1K of github.com/weixi-feng/LayoutGPT"
COUNTING, SPATIAL = "counting/counting.val.json", "spatial/spatial.val.json"
GOLD = "the gold layouts themselves reach"

Prompt = TypeVar("Prompt", CountingPrompt, SpatialPrompt)
Measure = Callable[[Evidence, Path | None], Score]


def nsr1k_metrics(folder: Path | None) -> tuple[Metric, ...]:
    """The benchmark's metrics; `folder` holds its files, if it is there."""

    def metric(name: str, title: str, protocol: str, measure: Measure) -> Metric:
        return Metric(
            f"nsr1k_{name}",
            f"NSR {title}",
            "higher",
            protocol,
            lambda e, real: measure(e, folder),
        )

    boxes = "findings of 0.7 or more of the world's detector and not of GLIP-L"
    return (
        metric(
            "counting",
            "counting",
            f"official: points over what could be earned, at most 0.9164; {boxes}",
            _counting(per_prompt=False),
        ),
        metric(
            "counting_per_prompt",
            "counting/prompt",
            f"pictures with all counts right; {boxes}",
            _counting(per_prompt=True),
        ),
        metric(
            "spatial", "spatial", f"official: one pair is enough; {boxes}", _spatial("official")
        ),
        metric(
            "spatial_strict",
            "spatial strict",
            f"the surest box of each; {boxes}",
            _spatial("strict"),
        ),
        metric(
            "layout_precision",
            "layout precision",
            "of the scenes' boxes, without comparisons, official names",
            _counted("precision"),
        ),
        metric("layout_recall", "layout recall", "the same, of what was asked", _counted("recall")),
        metric(
            "layout_counting",
            "layout counting",
            f"layouts with all counts right; {GOLD} 0.9908",
            _counted("right"),
        ),
        metric(
            "layout_spatial",
            "layout spatial",
            f"layouts whose relation holds, official; {GOLD} 0.9329",
            _placed,
        ),
    )


def _asked(
    e: Evidence, read: Callable[[Path], Sequence[Prompt]], name: str, folder: Path | None
) -> tuple[dict[int, Prompt], tuple[str, ...]]:
    """The prompt of every picture whose caption is of the benchmark."""
    known: dict[str, Prompt] = {}
    for prompt in read(place_of(folder, name, FOLDERS, SOURCE)):
        known.setdefault(" ".join(prompt.prompt.split()), prompt)
    captions = [" ".join(scene.caption.split()) for scene in e.scenes]
    found = {n: known[caption] for n, caption in enumerate(captions) if caption in known}
    if not found:
        raise SituError(f"none of the {len(captions)} captions is of {name}")
    warnings = []
    if len(found) < len(captions):
        warnings.append(f"{len(captions) - len(found)} captions are not of {name} and are left out")
    lacking = len(known) - len({prompt.prompt for prompt in found.values()})
    if lacking > 0:
        warnings.append(f"{lacking} of {len(known)} prompts have no picture")
    each = len(found) / (len(known) - lacking)
    if each != LAYOUTS_PER_PROMPT:
        warnings.append(
            f"{each:g} pictures to a prompt; published numbers have {LAYOUTS_PER_PROMPT}"
        )
    return found, tuple(warnings)


def _score(n: int, rows: dict[int, tuple[float, float]], warnings: tuple[str, ...]) -> Score:
    above, below = np.zeros(n), np.zeros(n)
    for place, (a, b) in rows.items():
        above[place], below[place] = a, b
    return mean_score(above, below, warnings)


def _names(n: int, asked: dict[int, tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Each name once: a detector that is asked twice may find twice."""
    return [tuple(dict.fromkeys(asked.get(place, ()))) for place in range(n)]


def counts(e: Evidence, asked: Mapping[int, CountingPrompt]) -> dict[int, PictureCount]:
    """How well pictures, by number, fit the numbers that their prompts ask for."""
    names = {n: tuple(name for name, _ in prompt.counts) for n, prompt in asked.items()}
    found = e.findings(_names(len(e), names))
    return {n: picture_count(prompt, found[n]) for n, prompt in asked.items()}


def relations(
    e: Evidence, asked: Mapping[int, SpatialPrompt], matching: Matching = "official"
) -> dict[int, bool]:
    """Whether pictures, by number, have the relation that their prompts ask for."""
    found = e.findings(_names(len(e), {n: (p.first, p.second) for n, p in asked.items()}))
    return {
        n: picture_relation(prompt, found[n], matching, e.scenes[n].canvas)
        for n, prompt in asked.items()
    }


def _counting(per_prompt: bool) -> Measure:
    def measure(e: Evidence, folder: Path | None) -> Score:
        asked, warnings = _asked(e, read_counting, COUNTING, folder)
        rows = {
            n: (float(c.right), 1.0) if per_prompt else (float(c.points), float(c.of))
            for n, c in counts(e, asked).items()
        }
        return _score(len(e), rows, warnings)

    return measure


def _spatial(matching: Matching) -> Measure:
    def measure(e: Evidence, folder: Path | None) -> Score:
        asked, warnings = _asked(e, read_spatial, SPATIAL, folder)
        right = relations(e, asked, matching)
        return _score(len(e), {n: (float(r), 1.0) for n, r in right.items()}, warnings)

    return measure


def _counted(part: str) -> Measure:
    def measure(e: Evidence, folder: Path | None) -> Score:
        asked, warnings = _asked(e, read_counting, COUNTING, folder)
        layouts: dict[int, LayoutCount] = {
            n: layout_count(prompt, e.scenes[n].layout.phrases) for n, prompt in asked.items()
        }
        values = {n: getattr(count, part) for n, count in layouts.items()}
        rows = {n: (float(v), 1.0) for n, v in values.items() if v is not None}
        return _score(len(e), rows, warnings)

    return measure


def _placed(e: Evidence, folder: Path | None) -> Score:
    asked, warnings = _asked(e, read_spatial, SPATIAL, folder)
    rows = {
        n: (float(layout_relation(prompt, tuple(e.scenes[n].layout))), 1.0)
        for n, prompt in asked.items()
    }
    return _score(len(e), rows, warnings)
