"""What a table is drawn from: the scenes of every suite, and the true pictures they are held against."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from situ.app.evaluate import TABLES_FOLDER, Folder, real_items
from situ.data.protocol import draw
from situ.evaluation import nsr1k, t2i_prompts
from situ.evaluation.coco_world import CocoWorld
from situ.evaluation.evidence import Evidence
from situ.evaluation.photo_suites import Prompts, missing_weights, photo_columns
from situ.evaluation.tables import NSR, Table
from situ.evaluation.world import World
from situ.files.atomic import write_png
from situ.scene import Layout, Scene, SituError, codec
from situ.scene.errors import did_you_mean
from situ.storybook import suites
from situ.storybook.render import render

if TYPE_CHECKING:
    from situ.data.coco import Item

REFERENCES = ("paired", "full")
GET_COCO = (
    "val2014.zip and annotations_trainval2014.zip of cocodataset.org, unpacked into one folder"
)
GET_T2I = "examples/dataset of github.com/Karine-Huang/T2I-CompBench"
GET_NSR = "dataset/NSR-1K of github.com/weixi-feng/LayoutGPT"
T2I_FOLDERS, NSR_FOLDERS = ("", "t2i_compbench"), ("", "nsr1k")  # below --prompts


@dataclass(frozen=True)
class Sources:
    """Where the coco world's scenes come from. `layouts` are scenes that stand in for the planner's boxes."""

    coco: Path | None = None
    reference: str = "paired"
    prompts: Path | None = None
    layouts: Path | None = None


@dataclass(frozen=True)
class Suite:
    """Scenes to draw; `true` are their true pictures, `real` what FID compares with, where there are any."""

    scenes: tuple[Scene, ...]
    made: str
    true: Evidence | None = None
    real: Evidence | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of the scenes, in their order."""
        lines = "".join(codec.dumps(scene) + "\n" for scene in self.scenes)
        return hashlib.sha256(lines.encode()).hexdigest()


@dataclass(frozen=True)
class Material:
    """A table as it can be measured in a world, and the suites of its columns."""

    table: Table
    suites: Mapping[str, Suite]


def names_of(table: Table) -> tuple[str, ...]:
    return tuple(dict.fromkeys(column.suite for column in table.columns))


def storybook(
    table: Table, world: World, count: int, out: Path, things: int | None = None
) -> Material:
    """Held-out pages, painted below OUT/true; things: at least so many, where a suite has a number."""
    names = names_of(table)
    found = {name: _pages(name, count, out / "true" / name, world, things) for name in names}
    return Material(table, found)


def _pages(name: str, count: int, folder: Path, world: World, things: int | None) -> Suite:
    pages = suites.pages(name, count, things=things)
    paths = [folder / f"{number:06d}.png" for number in range(count)]
    for page, path in zip(pages, paths, strict=True):
        if not path.exists():
            write_png(path, Image.fromarray(render(page)))
    scenes = tuple(suites.scene(page, name) for page in pages)
    true = Evidence(Folder(tuple(paths)), scenes, world, folder / TABLES_FOLDER)
    return Suite(scenes, "the first held-out pages that fit the suite", true, true)


def check_coco(table: Table, world: World, sources: Sources, model: str | None) -> None:
    """Raises one SituError that names all that the coco world lacks, and where each is to be had."""
    lacking = []
    if model is None:
        lacking.append("--model (such as masterful/gligen-1-4-generation-text-box)")
    if sources.reference not in REFERENCES:
        raise SituError(
            f"reference {sources.reference!r}: {did_you_mean(sources.reference, REFERENCES)}"
        )
    if "any" in names_of(table):
        if sources.coco is None or not sources.coco.is_dir():
            lacking.append(f"--coco {_given(sources.coco)}({GET_COCO})")
    else:
        lacking += _lacking_prompts(table, sources.prompts)
    if isinstance(world, CocoWorld):
        lacking += missing_weights(table.columns, world)
    if lacking:
        raise SituError(f"{table.name} for COCO lacks: {'; '.join(lacking)}")


def _given(path: Path | None) -> str:
    return "" if path is None else f"{path}, which is no folder "


def _lacking_prompts(table: Table, folder: Path | None) -> list[str]:
    where = GET_NSR if table.columns == NSR else GET_T2I
    if folder is None:
        return [f"--prompts DIR ({where})"]
    files = [_prompt_file(folder, table, name) for name in names_of(table)]
    missing = [str(path) for path in files if not path.is_file()]
    return [f"{', '.join(missing)} ({where})"] if missing else []


def _prompt_file(folder: Path, table: Table, suite: str) -> Path:
    nsr = table.columns == NSR
    name = f"{suite}/{suite}.val.json" if nsr else t2i_prompts.SUITES[suite]
    places = [folder / inside / name for inside in (NSR_FOLDERS if nsr else T2I_FOLDERS)]
    return next((place for place in places if place.is_file()), places[0])


def coco(
    table: Table, world: World, count: int, out: Path, sources: Sources, side: int
) -> Material:
    """COCO's pictures for HCMA's tables, benchmark prompts for GOAL's. `side`: of the pictures to draw."""
    if "any" in names_of(table):
        found, prompts = {"any": _pictures(world, count, out, sources, side)}, Prompts({}, {})
    else:
        found, prompts = _prompts(table, count, sources, side)
    columns = photo_columns(table.columns, prompts)
    return Material(replace(table, columns=columns), found)


def _pictures(world: World, count: int, out: Path, sources: Sources, side: int) -> Suite:
    assert sources.coco is not None
    items = coco_items(sources.coco)
    drawn = draw(items, min(count, sum(bool(len(item.layout)) for item in items)))
    scenes = tuple(item.scene(caption, side) for item, caption in drawn)
    kept = out / "true" / "any" / TABLES_FOLDER
    true = Evidence(Folder(tuple(i.path for i, _ in drawn), side), scenes, world, kept)
    full = sources.reference == "full"
    real = _every(items, world, side, kept) if full else true
    against = f"all {len(items)} pictures" if full else "the same pictures"
    made = f"situ data coco, seed 0, of {len(items)} pictures, cropped; FID against {against}"
    return Suite(scenes, made, true, real)


def _every(items: "Sequence[Item]", world: World, side: int, kept: Path) -> Evidence:
    scenes = tuple(item.scene(0, side) for item in items)
    return Evidence(Folder(tuple(item.path for item in items), side), scenes, world, kept)


def coco_items(folder: Path) -> "tuple[Item, ...]":
    """val2014 where it is there, else the one set that the folder holds."""
    from situ.data.coco import read_coco

    names = "annotations/instances_val2014.json", "annotations/captions_val2014.json", "val2014"
    if (folder / names[0]).exists():
        return read_coco(folder, *names)
    if (folder / "instances.json").exists():
        return read_coco(folder, "instances.json", "captions.json")
    return real_items(folder)


def _prompts(
    table: Table, count: int, sources: Sources, side: int
) -> tuple[dict[str, Suite], Prompts]:
    assert sources.prompts is not None
    files = {name: _prompt_file(sources.prompts, table, name) for name in names_of(table)}
    if table.columns == NSR:
        counting = {p.prompt: p for p in nsr1k.read_counting(files["counting"])}
        spatial = {p.prompt: p for p in nsr1k.read_spatial(files["spatial"])}
        texts = {"counting": tuple(counting), "spatial": tuple(spatial)}
        known = Prompts(counting, spatial)
    else:
        texts = {name: t2i_prompts.read_prompts(path) for name, path in files.items()}
        kinds = (
            t2i_prompts.read_complex_sets(files["complex"].parent) if "complex" in files else None
        )
        known = Prompts({}, {}, kinds)
    layouts = _layouts(sources.layouts)
    boxes = f"of {sources.layouts.name}" if sources.layouts else "by situ plan's rules, seed 0"
    made = f"the benchmark's first prompts, boxes {boxes}"
    planned = {name: _planned(some[:count], layouts, side) for name, some in texts.items()}
    return {name: Suite(scenes, made) for name, scenes in planned.items()}, known


def _layouts(path: Path | None) -> Mapping[str, Layout] | None:
    return None if path is None else {s.caption: s.layout for s in codec.read_scenes(path)}


def _planned(
    texts: Sequence[str], layouts: Mapping[str, Layout] | None, side: int
) -> tuple[Scene, ...]:
    if layouts is None:
        from situ.app.plan import plan_scenes

        return tuple(p.scene for p in plan_scenes(texts, width=side, height=side))
    absent = [text for text in texts if text not in layouts]
    if absent:
        raise SituError(
            f"layouts: no scene has the caption {absent[0]!r}, and {len(absent) - 1} more"
        )
    return tuple(Scene(text, layouts[text], side, side) for text in texts)
