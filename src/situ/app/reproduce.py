"""The papers' tables, drawn and measured here, with the printed rows beside ours.

A run is a folder that grows: true pictures, one folder of pictures for each method, model and seed, and the
table. Everything in it is kept, so the same command goes on after an interruption and ends at once when
nothing is missing. Tables of the same world and size may share a folder and so the pictures of equal rows.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from situ.app import materials
from situ.app.evaluate import TABLES_FOLDER, Folder, provenance, world_named, write_json
from situ.app.generate import Output, generate, plan
from situ.app.load import load
from situ.app.materials import Material, Sources, Suite
from situ.app.pipeline import Pipeline
from situ.app.report import write_report
from situ.app.reproduce_plans import NAME as PLANNERS_TABLE
from situ.app.reproduce_plans import reproduce_plans
from situ.app.row_models import Models
from situ.app.settings import settled
from situ.app.table_cells import Scores, cells, scores_of
from situ.evaluation.coco_world import CocoWorld
from situ.evaluation.evidence import Evidence, shuffled
from situ.evaluation.tables import Row, Table, table_named
from situ.evaluation.world import World
from situ.methods import METHODS
from situ.methods.plan import Sampling
from situ.scene import SituError
from situ.scene.errors import did_you_mean
from situ.storybook import suites
from situ.version import VERSION

FORMAT = 2
ORACLE, FLOOR = "true pictures", "true pictures, boxes of others"
RUN = "run.json"  # what the pictures of a folder have in common


@dataclass(frozen=True)
class Size:
    """How much is drawn: scenes of each suite at most, seeds of each scene, and the sampling; guidance
    None is what the model was tuned for. things: of a scene, at least; None is as many as the suite has."""

    scenes: int
    seeds: int
    steps: int
    solver: str
    guidance: float | None = None
    gate: tuple[float, float, float] = (1.0, 0.0, 0.0)
    things: int | None = None


SIZES = {
    "smoke": Size(24, 1, 8, "dpm_solver_pp_2m"),
    "standard": Size(128, 3, 25, "plms"),
    "full": Size(1000, 3, 50, "plms"),
}
COCO_PICTURES = {  # HCMA: 30,000 pictures, 50 steps of PLMS
    "smoke": Size(16, 1, 50, "plms"),
    "standard": Size(1000, 1, 50, "plms"),
    "full": Size(30_000, 1, 50, "plms"),
}
COCO_PROMPTS = {  # T2I-CompBench: 10 pictures of each of 300 prompts
    "smoke": Size(8, 1, 50, "plms"),
    "standard": Size(100, 3, 50, "plms"),
    "full": Size(1000, 10, 50, "plms"),
}


@dataclass(frozen=True)
class Job:
    """All that drawing a row needs."""

    models: Models
    material: Material
    size: Size
    world: World
    out: Path
    quiet: bool = False


@dataclass(frozen=True)
class Filled:
    """A row that was drawn: by which model, where, and what it scores."""

    model: Mapping[str, str]
    folder: str
    scores: Scores


def reproduce(
    name: str,
    *,
    out: Path,
    size: str = "smoke",
    world: str = "storybook",
    model: str | None = None,
    models: Path | None = None,
    aligner: Path | None = None,
    sources: Sources | None = None,
    only: Sequence[str] = (),
    against: str | None = None,
    sampling: Mapping[str, Any] | None = None,
    device: str = "cpu",
    quiet: bool = False,
) -> dict[str, Any]:
    """Draw and measure a paper's table; writes OUT/table.json, .md and .html.

    model: what draws, by default the storybook's. models: a folder of the tuned models that rows name
    (situ.evaluation.tuned). aligner: HCMA's network, where it is not the model's. sources: where the coco
    world's scenes are from. only: titles or methods of the rows to fill; by default all that can be.
    against: the title of the row that others are compared with, where it is not the table's own.
    sampling: other values of a Size's fields for all rows, such as steps, gate or things: to look where a
    baseline struggles.
    """
    if name == PLANNERS_TABLE:  # draws nothing
        return reproduce_plans(out, sources.prompts if sources else None)
    table, looked = table_named(name, against), world_named(world)
    extent = replace(_size(size, world, name), **(sampling or {}))
    _check_only(table, only)
    _check_things(table, world, extent.things)
    sources = (sources or Sources()) if world == "coco" else None
    if sources:
        materials.check_coco(table, looked, sources, model)
    if models is not None and not models.is_dir():
        raise SituError(f"models: no folder {models}; it holds one folder for each tuned model")
    own = model or "storybook"
    pipe = load(own, device=device, aligner=aligner)
    if isinstance(looked, CocoWorld):
        looked.device = str(pipe.device)
    _sampling(pipe, extent)  # before anything is written
    run = {"world": world, **_plain(extent), "version": VERSION, "device": pipe.device.type}
    _check_same(out, run)
    material = _material(table, looked, extent, out, sources, pipe)
    _keep(out, run, material)
    rows = Models(pipe, own, world, models, aligner, device)
    result = _filled(Job(rows, material, extent, looked, out, quiet), only)
    write_json(out / "table.json", result)
    write_report(result, out)
    return result


def _material(
    table: Table, world: World, size: Size, out: Path, sources: Sources | None, pipe: Pipeline
) -> Material:
    if sources is None:
        return materials.storybook(table, world, size.scenes, out, size.things)
    return materials.coco(table, world, size.scenes, out, sources, pipe.backbone.size)


def _filled(job: Job, only: Sequence[str]) -> dict[str, Any]:
    filled: dict[str, Filled] = {}
    lacking: dict[str, str] = {}
    for row in job.material.table.rows:
        try:
            filled[row.title] = _fill(row, _drawing(row, job.models, only), job)
        except _LackingError as reason:
            lacking[row.title] = str(reason)
    return {
        "situ": FORMAT,
        **_described(job),
        "rows": _rows(job, filled),
        "lacking": lacking,
        "folders": {title: row.folder for title, row in filled.items()},
        "model": job.models.own.source,
        **provenance(job.world),
    }


class _LackingError(Exception):
    """Why a row cannot be filled."""


def _size(name: str, world: str, table: str) -> Size:
    pictures = table.startswith("hcma")
    sizes = SIZES if world == "storybook" else COCO_PICTURES if pictures else COCO_PROMPTS
    if name not in sizes:
        raise SituError(f"size {name!r}: {did_you_mean(name, sizes)}")
    return sizes[name]


def _plain(size: Size) -> dict[str, Any]:
    return {**asdict(size), "gate": list(size.gate)}


def _check_only(table: Table, only: Sequence[str]) -> None:
    known = [row.title for row in table.rows] + [row.method for row in table.rows if row.method]
    for name in only:
        if name not in known:
            hint = did_you_mean(name, dict.fromkeys(known))
            raise SituError(f"only: {table.name} has no row or method {name!r}: {hint}")


def _check_things(table: Table, world: str, things: int | None) -> None:
    numbered = any(suites.SUITES[name].things for name in materials.names_of(table))
    if things is not None and not (world == "storybook" and numbered):
        raise SituError(
            f"things is {things}; the pictures of {table.name} in the {world} world have no set number"
        )


def _check_same(out: Path, run: Mapping[str, Any]) -> None:
    """Pictures of other worlds, sizes or versions never stand beside these in one table."""
    for key, value in run.items():
        found = _read_run(out).get(key, value)
        if found != value:
            raise SituError(
                f"{out} holds pictures of {key} {found!r}, and these are of {value!r}; give another "
                "folder with --out"
            )


def _keep(out: Path, run: Mapping[str, Any], material: Material) -> None:
    """Write what the pictures of a folder have in common, its scenes included, which must be the same."""
    known = _read_run(out).get("suites", {})
    suites = {name: suite.digest for name, suite in material.suites.items()}
    for name, digest in suites.items():
        if known.get(name, digest) != digest:
            raise SituError(
                f"{out} holds pictures of other {name!r} scenes; give another folder with --out"
            )
    write_json(out / RUN, {**run, "suites": {**known, **suites}})


def _read_run(out: Path) -> dict[str, Any]:
    path = out / RUN
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _drawing(row: Row, models: Models, only: Sequence[str]) -> Pipeline:
    """What draws a row."""
    if row.method is None:
        raise _LackingError("another model")
    if row.method not in METHODS:
        raise _LackingError("not made yet")
    if only and not {row.method, row.title} & set(only):
        raise _LackingError("left out")
    try:
        pipe = models.of(row)
        settled(pipe.default_sampling(options=dict(row.settings)), row.method, pipe.backbone)
    except SituError as error:
        raise _LackingError(str(error)) from None
    return pipe


def _fill(row: Row, pipe: Pipeline, job: Job) -> Filled:
    folder = job.out / _folder(row, pipe)
    seeds = range(job.size.seeds)
    drawn = {
        name: [
            _drawn(row, pipe, suite, folder / f"seed-{seed}" / name, seed, job) for seed in seeds
        ]
        for name, suite in job.material.suites.items()
    }
    return Filled(pipe.source, folder.name, _scores(drawn, job.material))


def _folder(row: Row, pipe: Pipeline) -> str:
    """The method, what the row changes of it, and the weights: equal rows of other tables share it."""
    source, settings = pipe.source, [f"{k}={v}" for k, v in row.settings.items()]
    name = source["name"].replace("/", "--").replace("@", "--")
    return "-".join([str(row.method), *settings, name, source["weights"][:8]])


def _sampling(pipe: Pipeline, size: Size) -> Sampling:
    """How every row draws. Raises SituError that names a value which is not allowed."""
    guidance = pipe.guidance if size.guidance is None else size.guidance
    return pipe.default_sampling(
        steps=size.steps, solver=size.solver, guidance=guidance, gate=size.gate
    )


def _drawn(row: Row, pipe: Pipeline, suite: Suite, folder: Path, seed: int, job: Job) -> Evidence:
    """One seed of a row on one suite."""
    assert row.method is not None
    size, options = job.size, dict(row.settings)
    sampling = replace(_sampling(pipe, size), options=options)
    pictures = plan(pipe, suite.scenes, method=row.method, sampling=sampling, seed=seed, many=True)
    generate(pipe, pictures, Output(folder, quiet=job.quiet))
    paths = tuple(folder / picture.file for picture in pictures)
    return Evidence(Folder(paths), suite.scenes, job.world, folder / TABLES_FOLDER)


def _scores(drawn: Mapping[str, Sequence[Evidence]], material: Material) -> Scores:
    reals = {name: suite.real for name, suite in material.suites.items()}
    return scores_of(material.table.columns, drawn, reals)


def _rows(job: Job, filled: Mapping[str, Filled]) -> list[dict[str, Any]]:
    table = job.material.table
    base = filled.get(table.baseline)
    rows = _bounds(job.material)
    for row in table.rows:
        own = filled.get(row.title)
        against = base.scores if base and own is not base else None
        rows.append(
            {
                "title": row.title,
                "method": row.method,
                "model": dict(own.model) if own else None,
                "printed": None if set(row.printed) == {None} else list(row.printed),
                "ours": cells(own.scores, against) if own else None,
            }
        )
    return rows


def _bounds(material: Material) -> list[dict[str, Any]]:
    """What true pictures score, and what they score held against each other's scenes."""
    true = {name: suite.true for name, suite in material.suites.items() if suite.true}
    if len(true) < len(material.suites):
        return []
    bounds = (
        (ORACLE, {name: [own] for name, own in true.items()}),
        (FLOOR, {name: [shuffled(own)] for name, own in true.items()}),
    )
    return [
        {
            "title": title,
            "method": None,
            "model": None,
            "printed": None,
            "ours": cells(_scores(some, material)),
        }
        for title, some in bounds
    ]


def _described(job: Job) -> dict[str, Any]:
    """What was measured, and how."""
    table, suites = job.material.table, job.material.suites
    columns = [
        {
            "title": column.title,
            "suite": column.suite,
            "better": column.better,
            "printed": column.papers,
            "scale": column.scale,
            "n": len(suites[column.suite].scenes),
            "protocol": column.protocol,
            "scenes": suites[column.suite].made,
            "manifest": suites[column.suite].digest,
        }
        for column in table.columns
    ]
    return {
        "table": table.name,
        "paper": table.paper,
        "caption": table.caption,
        "world": job.world.name,
        "size": _plain(job.size),
        "baseline": table.baseline,
        "columns": columns,
    }
