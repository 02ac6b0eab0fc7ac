"""The papers' tables, drawn and measured here, with the printed rows beside ours.

A run is a folder that grows: scenes, true pictures, one folder of pictures for each method and seed, and the
table. Everything in it is kept, so the same command goes on after an interruption and ends at once when
nothing is missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from situ.app.evaluate import Folder, plain, provenance, world_named, write_json
from situ.app.generate import Output, generate, plan
from situ.app.load import load
from situ.app.pipeline import Pipeline
from situ.app.report import write_report
from situ.app.settings import settled
from situ.evaluation.evidence import Evidence, shuffled
from situ.evaluation.metrics import Score
from situ.evaluation.tables import Column, Row, Table, table_named
from situ.evaluation.world import World
from situ.files.atomic import write_png
from situ.methods import METHODS
from situ.scene import SituError
from situ.scene.errors import did_you_mean
from situ.storybook import suites
from situ.storybook.render import render

FORMAT = 1
ORACLE, FLOOR = "true pictures", "true pictures, boxes of others"


@dataclass(frozen=True)
class Size:
    """How much is drawn: scenes of each suite, seeds of each scene, and the sampling."""

    scenes: int
    seeds: int
    steps: int
    solver: str


SIZES = {
    "smoke": Size(24, 1, 8, "dpm_solver_pp_2m"),
    "standard": Size(256, 3, 25, "plms"),
    "full": Size(1000, 3, 50, "plms"),
}


def reproduce(
    name: str,
    *,
    out: Path,
    size: str = "smoke",
    world: str = "storybook",
    model: str = "storybook",
    quiet: bool = False,
    only: Sequence[str] = (),
) -> dict[str, Any]:
    """Draw and measure a paper's table in the storybook; writes OUT/table.json, .md and .html.

    `only` names the methods to fill rows of; by default every row whose method exists.
    """
    table, extent = table_named(name), _size(size)
    if world != "storybook":
        raise SituError(
            f"world {world!r}: tables are drawn in the storybook; measure pictures of COCO scenes with "
            "situ generate --scenes and situ evaluate --world coco --reference"
        )
    looked, pipe = world_named(world), load(model)
    names = tuple(dict.fromkeys(column.suite for column in table.columns))
    truth = {suite: _truth(suite, extent.scenes, out / "true" / suite, looked) for suite in names}
    folders: dict[str, str] = {}

    def drawn(row: Row) -> dict[str, list[Evidence]]:
        return {
            suite: [
                _drawn(pipe, row, truth[suite], extent, seed, out, looked, quiet, folders)
                for seed in range(extent.seeds)
            ]
            for suite in names
        }

    reasons = {row.title: _lacking(row, pipe, only) for row in table.rows}
    filled = {row.title: drawn(row) for row in table.rows if not reasons[row.title]}
    result = _table(table, extent, truth, filled, looked)
    result["lacking"] = {title: reason for title, reason in reasons.items() if reason}
    result["folders"] = folders
    result["model"] = pipe.source
    write_json(out / "table.json", result)
    write_report(result, out)
    return result


def _size(name: str) -> Size:
    if name not in SIZES:
        raise SituError(f"size {name!r}: {did_you_mean(name, SIZES)}")
    return SIZES[name]


def _lacking(row: Row, pipe: Pipeline, only: Sequence[str]) -> str | None:
    """Why a row cannot be filled, or None."""
    if row.method is None:
        return "another model"
    if row.method not in METHODS:
        return "not made yet"
    if only and row.method not in only:
        return "left out"
    try:
        settled(pipe.default_sampling(options=dict(row.settings)), row.method, pipe.backbone)
    except SituError as error:
        return str(error)
    return None


def _truth(suite: str, count: int, folder: Path, world: World) -> Evidence:
    """The suite's pages, painted."""
    pages = suites.pages(suite, count)
    paths = [folder / f"{number:06d}.png" for number in range(count)]
    for page, path in zip(pages, paths, strict=True):
        if not path.exists():
            write_png(path, Image.fromarray(render(page)))
    scenes = tuple(suites.scene(page, suite) for page in pages)
    return Evidence(Folder(tuple(paths)), scenes, world, folder / "evaluation")


def _drawn(
    pipe: Pipeline,
    row: Row,
    truth: Evidence,
    extent: Size,
    seed: int,
    out: Path,
    world: World,
    quiet: bool,
    folders: dict[str, str],
) -> Evidence:
    """One seed of a row on one suite."""
    assert truth.folder is not None
    assert row.method is not None
    suite = truth.folder.parent.name
    below = "-".join([row.method, *(f"{k}={v}" for k, v in row.settings.items())])
    folder = out / below / f"seed-{seed}" / suite
    options = dict(row.settings)
    sampling = pipe.default_sampling(steps=extent.steps, solver=extent.solver, options=options)
    pictures = plan(pipe, truth.scenes, method=row.method, sampling=sampling, seed=seed, many=True)
    generate(pipe, pictures, Output(folder, quiet=quiet))
    folders.setdefault(row.title, str((out / below).relative_to(out)))
    paths = tuple(folder / picture.file for picture in pictures)
    return Evidence(Folder(paths), truth.scenes, world, folder / "evaluation")


def _table(
    table: Table,
    extent: Size,
    truth: dict[str, Evidence],
    filled: dict[str, dict[str, list[Evidence]]],
    world: World,
) -> dict[str, Any]:
    oracle = {suite: [real] for suite, real in truth.items()}
    floor = {suite: [shuffled(real)] for suite, real in truth.items()}
    base_row = next((r.title for r in table.rows if r.method == table.baseline), None)
    base = filled.get(base_row or "")
    rows = [
        {"title": title, "method": None, "printed": None, "ours": _cells(table, some, truth, None)}
        for title, some in ((ORACLE, oracle), (FLOOR, floor))
    ]
    for row in table.rows:
        own = filled.get(row.title)
        against = None if row.title == base_row else base
        rows.append(
            {
                "title": row.title,
                "method": row.method,
                "printed": list(row.printed),
                "ours": _cells(table, own, truth, against) if own else None,
            }
        )
    columns = [
        {
            "title": c.title,
            "suite": c.suite,
            "better": c.better,
            "printed": c.papers,
            "scale": c.scale,
        }
        for c in table.columns
    ]
    return {
        "situ": FORMAT,
        "table": table.name,
        "paper": table.paper,
        "caption": table.caption,
        "size": {
            "scenes": extent.scenes,
            "seeds": extent.seeds,
            "steps": extent.steps,
            "solver": extent.solver,
        },
        "baseline": base_row,
        "columns": columns,
        "rows": rows,
        **provenance(world),
    }


def _cells(
    table: Table,
    own: dict[str, list[Evidence]],
    truth: dict[str, Evidence],
    base: dict[str, list[Evidence]] | None,
) -> list[dict[str, Any]]:
    return [
        _cell(c, own[c.suite], truth[c.suite], base[c.suite] if base else None)
        for c in table.columns
    ]


def _cell(
    column: Column, own: Sequence[Evidence], real: Evidence, base: Sequence[Evidence] | None
) -> dict[str, Any]:
    score = _over_seeds([column.measure(e, real) for e in own])
    cell = {**plain(score.estimate()), "warnings": list(score.warnings)}
    if base is not None and len(base) == len(own):
        gain = score.ahead_of(_over_seeds([column.measure(e, real) for e in base]))
        if gain is not None:
            cell["gain"] = {**plain(gain.estimate), "p": gain.p}
    return cell


def _over_seeds(scores: Sequence[Score]) -> Score:
    """The mean over seeds; scenes are drawn together with all their seeds."""
    first = scores[0]
    if len(scores) == 1:
        return first

    def statistic(rows: np.ndarray) -> float:
        return float(np.mean([score.statistic(rows) for score in scores]))

    if first.above is None or first.below is None:
        return replace(first, statistic=statistic)
    above = np.sum([score.above for score in scores if score.above is not None], 0)
    below = np.sum([score.below for score in scores if score.below is not None], 0)
    return replace(first, statistic=statistic, above=above, below=below)
