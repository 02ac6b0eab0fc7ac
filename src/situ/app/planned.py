"""How good planners are on the storybook's suites: their layouts, and the pictures that are drawn from them.

A suite's captions are given to each planner; the pages' own layouts stand beside as a faultless planner's.
Pictures of every layout are drawn by GLIGEN with the same seeds and scored by the suite's measure against
what the page shows, so a difference comes from the layouts alone. GLIGEN without boxes is the floor.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from situ.app.evaluate import Folder, plain, world_named, write_json
from situ.app.generate import Output, generate, plan
from situ.app.load import load
from situ.app.pipeline import Pipeline
from situ.app.placer import Placing, owners_of, plan_by_placer, propose
from situ.app.placer import load as load_placer
from situ.evaluation import suites as measures
from situ.evaluation.evidence import Evidence
from situ.evaluation.layout_realism import quantile_distances, realism
from situ.evaluation.metrics import Score
from situ.evaluation.nsr1k import (
    CountingPrompt,
    SpatialPrompt,
    layout_count,
    layout_relation,
    layout_score,
)
from situ.planners import plan_by_rules
from situ.planners.projection import broken
from situ.planners.reader import read
from situ.scene import Layout, Object, Scene, SituError
from situ.storybook import grammar, suites
from situ.storybook.verdict import parse
from situ.storybook.world import Page, sample_page

PLANNERS = ("rules", "placer")
TRUE, BASE = "true", "base"
MEASURES: dict[str, Callable[[Evidence, Evidence | None], Score]] = {
    "color": measures.color,
    "shape": measures.shape,
    "texture": measures.texture,
    "spatial": measures.spatial,
    "counting": measures.counting,
    "complex": measures.complex_,
}
_DIRECTIONS = {"left": "left", "right": "right", "above": "top", "below": "bottom"}
_SIDES = {"left of": "left", "right of": "right", "above": "above", "below": "below", "on": "on"}

Layouts = dict[str, list[Layout]]  # of each planner, one for each caption


@dataclass(frozen=True)
class Drawing:
    """How pictures are drawn: how many scenes of each suite, and how they are sampled."""

    scenes: int = 48
    steps: int = 15
    solver: str = "dpm_solver_pp_2m"
    seed: int = 0


def measure_layouts(count: int, placing: Placing | None = None) -> dict[str, Any]:
    """Layouts of `count` held-out pages, and of as many pages of the counting and spatial suites.

    `placer, as drawn` is what the network says before anything is mended.
    """
    placing = placing or Placing()
    pages = [sample_page(seed, "val") for seed in range(count)]
    scenes = [grammar.scene(page) for page in pages]
    layouts, seconds = _planned(scenes, placing)
    layouts["placer, as drawn"] = [_as_drawn(scene, placing) for scene in scenes]
    true = [scene.layout for scene in scenes]
    other = [grammar.scene(sample_page(count + seed, "val")).layout for seed in range(count)]
    half = realism(other, true, _kind)
    rows = {
        name: {
            **_realism(some, true),
            **_obeyed(scenes, some),
            "ms": 1000 * seconds[name] if name in seconds else None,
        }
        for name, some in {TRUE: true, **layouts}.items()
    }
    rows["other true pages"] = {
        "distance": half.distance,
        "overlap": half.overlap,
        "area": half.area,
    }
    return {"pages": count, "realism": rows, "nsr1k": _nsr(count, placing)}


def measure_pictures(
    out: Path,
    drawing: Drawing,
    *,
    model: str = "storybook",
    planners: Sequence[str] = PLANNERS,
    chosen: Sequence[str] = tuple(MEASURES),
    placing: Placing | None = None,
    quiet: bool = False,
) -> dict[str, Any]:
    """Draw and score every suite from the layouts of every planner; writes OUT/planned.json.

    A planner's gain is its score minus that of the true layouts on the same captions, with the paired
    interval. Pictures that are there already are kept, so the same command goes on where it stopped.
    """
    for suite in chosen:
        if suite not in MEASURES:
            raise SituError(f"suite {suite!r} is unknown; allowed: {', '.join(MEASURES)}")
    pipe, world = load(model), world_named("storybook")
    result: dict[str, Any] = {"drawing": vars(drawing), "model": pipe.source, "suites": {}}
    for suite in chosen:
        pages = suites.pages(suite, drawing.scenes)
        scenes = [suites.scene(page, suite) for page in pages]
        layouts, _ = _planned(scenes, placing or Placing(), planners)
        jobs = {TRUE: scenes} | {name: _with(scenes, some) for name, some in layouts.items()}
        scores = {}
        for name, some in {**jobs, BASE: scenes}.items():
            folder = out / name / suite
            method = "base" if name == BASE else "gligen"
            paths = _drawn(pipe, some, folder, method, drawing, quiet)
            evidence = Evidence(Folder(paths), tuple(scenes), world, folder / "evaluation")
            scores[name] = MEASURES[suite](evidence, None)
        result["suites"][suite] = _compared(scores)
        write_json(out / "planned.json", result)
    return result


def _planned(
    scenes: Sequence[Scene], placing: Placing, planners: Sequence[str] = PLANNERS
) -> tuple[Layouts, dict[str, float]]:
    """Layouts of each planner, and its mean processor seconds for a caption."""
    known: Mapping[str, Callable[[str, int], Any]] = {
        "rules": plan_by_rules,
        "placer": lambda text, seed: plan_by_placer(text, placing, seed),
    }
    layouts, seconds = {}, {}
    for name in planners:
        known[name](scenes[0].caption, 0)  # weights are read, code is warm
        begun = time.process_time()
        layouts[name] = [known[name](s.caption, seed).layout for seed, s in enumerate(scenes)]
        seconds[name] = (time.process_time() - begun) / len(scenes)
    return layouts, seconds


def _as_drawn(scene: Scene, placing: Placing) -> Layout:
    symbols = read(scene.caption)
    boxes = propose(load_placer(placing.placer), symbols, placing, 0)[0]
    phrases = [symbols.things[t].phrase for t in owners_of(symbols)]
    return Layout(tuple(Object(p, b) for p, b in zip(phrases, boxes, strict=True)))


def _realism(planned: Sequence[Layout], true: Sequence[Layout]) -> dict[str, Any]:
    found = realism(planned, true, _kind)
    gaps = {f"{name} gap": gap for name, gap in quantile_distances(planned, true).items()}
    return {name: getattr(found, name) for name in ("iou", "distance", "overlap", "area")} | gaps


def _obeyed(scenes: Sequence[Scene], layouts: Sequence[Layout]) -> dict[str, float]:
    """Share of the relations said that hold: as scene.relations has it, and as the storybook's grammar would
    say it again."""
    kept = said = again = pairs = 0
    for scene, layout in zip(scenes, layouts, strict=True):
        symbols = read(scene.caption)
        sure = [r for r in symbols.relations if r.sure]
        phrases = [thing.phrase for thing in symbols.things]
        owners = [phrases.index(item.phrase) for item in layout if item.phrase in phrases]
        kept += len(sure) - len(broken(symbols, owners, layout.boxes))
        said += len(sure)
        for r in sure:
            ends = [
                item.box
                for t in (r.subject, r.object)
                for item in layout
                if item.phrase == phrases[t]
            ]
            if len(ends) == 2:
                word = grammar.relation(*ends) or ""
                asked = _SIDES.get(r.predicate, "next").removesuffix(" of")
                again, pairs = again + (word == asked), pairs + 1
    return {"relations": kept / max(1, said), "said again": again / max(1, pairs)}


def _nsr(count: int, placing: Placing) -> dict[str, dict[str, float]]:
    """NSR-1K's layout metrics on the captions of the suites."""
    found: dict[str, dict[str, float]] = {}
    pages = {suite: suites.pages(suite, count) for suite in ("counting", "spatial")}
    for suite, some in pages.items():
        scenes = [suites.scene(page, suite) for page in some]
        layouts, _ = _planned(scenes, placing)
        for name, planned in {TRUE: [s.layout for s in scenes], **layouts}.items():
            row = found.setdefault(name, {})
            if suite == "counting":
                score = layout_score([_counted(a, b) for a, b in zip(scenes, planned, strict=True)])
                row |= {
                    "precision": score.precision,
                    "recall": score.recall,
                    "accuracy": score.accuracy,
                }
            else:
                right = [_directed(a, b) for a, b in zip(some, planned, strict=True)]
                row["spatial"] = sum(right) / len(right)
    return found


def _counted(scene: Scene, planned: Layout) -> Any:
    kinds = Counter(map(_kind, scene.layout.phrases))
    asked = CountingPrompt(0, scene.caption, "single-category", tuple(kinds.items()), ())
    return layout_count(asked, planned.phrases, "strict")


def _directed(page: Page, planned: Layout) -> bool:
    first, second = page.things
    relation = _DIRECTIONS.get(grammar.relation(first.box, second.box) or "", "next to")
    asked = SpatialPrompt(0, "", "template", first.kind, relation, second.kind, ())
    return layout_relation(asked, tuple(planned), "strict")


def _kind(phrase: str) -> str:
    return parse(phrase)[0]


def _with(scenes: Sequence[Scene], layouts: Sequence[Layout]) -> list[Scene]:
    return [Scene(s.caption, layout, *s.canvas) for s, layout in zip(scenes, layouts, strict=True)]


def _drawn(
    pipe: Pipeline,
    scenes: Sequence[Scene],
    folder: Path,
    method: str,
    drawing: Drawing,
    quiet: bool,
) -> tuple[Path, ...]:
    sampling = pipe.default_sampling(steps=drawing.steps, solver=drawing.solver)
    pictures = plan(pipe, scenes, method=method, sampling=sampling, seed=drawing.seed, many=True)
    generate(pipe, pictures, Output(folder, quiet=quiet))
    return tuple(folder / picture.file for picture in pictures)


def _compared(scores: Mapping[str, Score]) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for name, score in scores.items():
        rows[name] = plain(score.estimate())
        gain = score.ahead_of(scores[TRUE]) if name != TRUE else None
        if gain is not None:
            rows[name]["gain"] = {**plain(gain.estimate), "p": gain.p}
    return rows
