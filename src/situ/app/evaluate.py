"""Measure a folder of pictures against the scenes they were drawn for."""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from situ.app import manifest
from situ.app.sheet import read_picture, readable
from situ.evaluation.catalogue import Beside, metrics_of
from situ.evaluation.detections import read_labelled
from situ.evaluation.evidence import Evidence, PictureError, Source
from situ.evaluation.inception import Preset
from situ.evaluation.names import names_asked
from situ.evaluation.preference import Quality, read_q_align
from situ.evaluation.score import Metric, Score
from situ.evaluation.statistics import Estimate
from situ.evaluation.stored import UnfinishedError
from situ.evaluation.world import MissingError, Pictures, World
from situ.files.atomic import write_bytes
from situ.files.record import from_json
from situ.scene import Scene, SituError
from situ.scene.errors import at, did_you_mean
from situ.version import VERSION

if TYPE_CHECKING:
    from situ.data.coco import Item

FORMAT = 1
LIBRARIES = ("torch", "numpy", "transformers", "pycocotools", "scipy")
WORLDS = ("storybook", "coco")
TABLES_FOLDER = "evaluation"  # below the folder of pictures: what networks said of them


@dataclass(frozen=True)
class Folder:
    """Picture files as a Source; `size` is the side they are brought to, None for their own."""

    paths: tuple[Path, ...]
    size: int | None = None

    def __len__(self) -> int:
        return len(self.paths)

    def read(self, start: int, stop: int) -> Pictures:
        rows = [_pixels(path, self.size) for path in self.paths[start:stop]]
        shapes = {row.shape for row in rows}
        if len(shapes) > 1:
            odd = next(
                p
                for p, row in zip(self.paths[start:stop], rows, strict=True)
                if row.shape != rows[0].shape
            )
            raise PictureError(
                f"{odd} is not of the size of {self.paths[start]}; one size in a set"
            )
        return np.stack(rows)

    @property
    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for path in self.paths:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()[:16]


def world_named(name: str, preset: Preset | None = None) -> World:
    """The world of that name. `coco` needs weights that are fetched once: the error names each.

    `preset` is how FID's Inception is fed; the storybook's recogniser has one way only.
    """
    if name == "storybook":
        if preset is not None:
            raise SituError(
                f"preset {preset!r} is of FID's Inception; the storybook has another network"
            )
        from situ.evaluation.storybook_world import StorybookWorld

        return StorybookWorld()
    if name == "coco":
        from situ.evaluation.coco_world import CocoWorld

        return CocoWorld(preset=preset or "clean")
    raise SituError(f"world {name!r}: {did_you_mean(name, WORLDS)}")


def drawn(folder: Path) -> tuple[tuple[Path, ...], tuple[Scene, ...]]:
    """The pictures that a folder's manifest lists, with their scenes, in the order of their scenes.

    Raises SituError for a folder without a manifest and for a picture that is listed and missing.
    """
    entries = _entries(folder)
    paths = tuple(folder / entry["file"] for entry in entries)
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise SituError(
            f"{missing[0]} is listed in {folder / manifest.NAME} and missing, as are "
            f"{len(missing) - 1} more; draw them again"
        )
    for path in paths:
        _check_picture(path)
    return paths, tuple(_scene(entry, folder) for entry in entries)


def evidence_of(folder: Path, world: World, keep: bool = True) -> Evidence:
    """The pictures of a folder that `situ generate` wrote, held against their scenes."""
    paths, scenes = drawn(folder)
    return Evidence(Folder(paths), scenes, world, folder / TABLES_FOLDER if keep else None)


def reference_of(
    folder: Path, scenes: Sequence[Scene], world: World, keep: bool = True
) -> Evidence:
    """Real pictures of the same scenes from a COCO-format folder, cropped and scaled like the layouts.

    A scene's picture is the one with its caption and its boxes; one that has none is an error.
    """
    items = {
        (c, frozenset(item.layout)): item for item in real_items(folder) for c in item.captions
    }
    size = scenes[0].width
    paths = []
    for number, scene in enumerate(scenes):
        item = items.get((scene.caption, frozenset(scene.layout)))
        if item is None:
            raise SituError(
                f"{folder} has no picture of scene {number} ({scene.caption!r}) with its boxes"
            )
        paths.append(item.path)
    return Evidence(
        Folder(tuple(paths), size), tuple(scenes), world, folder / TABLES_FOLDER if keep else None
    )


def real_items(folder: Path) -> "tuple[Item, ...]":
    """The items of a COCO-format folder, its annotations named as Situ writes them or as COCO does
    (instances_val2014.json beside captions_val2014.json and pictures in val2014)."""
    from situ.data.coco import read_coco

    if (folder / "annotations/instances.json").exists():
        return read_coco(folder)
    found = sorted((folder / "annotations").glob("instances_*.json"))
    if len(found) != 1:
        raise SituError(
            f"{folder}/annotations must hold instances.json or one instances_NAME.json; it holds "
            f"{len(found)}"
        )
    name = found[0].stem.removeprefix("instances_")
    captions = f"annotations/captions_{name}.json"
    return read_coco(folder, f"annotations/{found[0].name}", captions, name)


@dataclass(frozen=True)
class Extra:
    """What some metrics take beside the pictures: another folder of the same scenes, the folder of the
    benchmarks' files, Q-Align's scores, findings of another detector, and FID's preset."""

    against: Path | None = None
    prompts: Path | None = None
    q_align: Path | None = None
    detections: Path | None = None
    preset: Preset | None = None


def evaluate(
    folder: Path,
    *,
    world: str = "storybook",
    metrics: Sequence[str] = (),
    reference: Path | None = None,
    extra: Extra | None = None,
    keep: bool = True,
) -> dict[str, Any]:
    """Measure the pictures of `folder` and write DIR/evaluation.json.

    `metrics` are names and groups of situ.evaluation.names. Metrics that lack weights, a library or real
    pictures are listed under "missing" with the reason, and all others are computed. Raises SituError for
    pictures, files and names that are wrong.
    """
    names_asked(metrics)
    more = extra or Extra()
    looked = world_named(world, more.preset) if more.preset else world_named(world)
    pictures = evidence_of(folder, looked, keep)
    files = files_of(folder)
    if more.detections:
        pictures = replace(pictures, seen=read_labelled(more.detections, files))
    real = reference_of(reference, pictures.scenes, looked, keep) if reference else None
    result = measure(
        pictures, real, metrics_of(looked, metrics, _beside(more, looked, files, keep))
    )
    result["warnings"] = scene_warnings(folder)
    result["manifest"] = hashlib.sha256((folder / manifest.NAME).read_bytes()).hexdigest()
    result["given"] = {k: str(v) for k, v in asdict(more).items() if v is not None}
    if more.detections:
        digest = hashlib.sha256(more.detections.read_bytes()).hexdigest()
        result["models"]["detector"] = f"{more.detections.name}-{digest[:16]}"
    write_json(folder / "evaluation.json", result)
    return result


def _beside(more: Extra, world: World, files: Sequence[str], keep: bool) -> Beside:
    for path in (more.against, more.prompts):
        if path is not None and not path.is_dir():
            raise SituError(f"{path} is not a folder")
    against = evidence_of(more.against, world, keep) if more.against else None
    qualities = (more.q_align, _qualities(more.q_align, files)) if more.q_align else None
    return Beside(against, more.prompts, qualities)


def _qualities(path: Path, files: Sequence[str]) -> tuple[Mapping[str, Quality], ...]:
    given = read_q_align(path)
    lacking = [name for name in files if name not in given]
    if lacking:
        raise SituError(
            f"{path}: has no scores of {lacking[0]} and {len(lacking)} of {len(files)} pictures in all; "
            f"names must be those of {manifest.NAME}"
        )
    return tuple(given[name] for name in files)


def files_of(folder: Path) -> tuple[str, ...]:
    """File names of a folder's manifest in the order of its evidence."""
    return tuple(entry["file"] for entry in _entries(folder))


def scene_warnings(folder: Path) -> list[str]:
    """What a reader must know of a manifest: scenes without pictures, and with fewer than others."""
    numbers = [entry.get("scene_index", 0) for entry in _entries(folder)]
    drawn_of = Counter(numbers)
    gone = sorted(set(range(max(numbers) + 1)) - set(numbers))
    most = max(drawn_of.values())
    few = sorted(number for number, count in drawn_of.items() if count < most)
    found = []
    if gone:
        found.append(f"{len(gone)} scenes have no picture ({_first(gone)}); they are not measured")
    if few:
        found.append(
            f"{len(few)} scenes have fewer pictures than the {most} of others ({_first(few)}) and weigh less"
        )
    return found


def _first(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:5])) + ", ..." * (len(numbers) > 5)


def _entries(folder: Path) -> list[dict[str, Any]]:
    entries = sorted(manifest.read(folder), key=lambda e: (e.get("scene_index", 0), e["file"]))
    if not entries:
        raise SituError(
            f"{folder} has no {manifest.NAME}; give the folder that situ generate wrote"
        )
    return entries


def measure(pictures: Evidence, real: Evidence | None, metrics: Sequence[Metric]) -> dict[str, Any]:
    """All that can be measured, as plain values: what, how, on how many, by which networks."""
    scores: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for metric in metrics:
        if metric.reference and real is None:
            missing[metric.name] = "compares with real pictures; give them with --reference"
            continue
        try:
            scores[metric.name] = _entry(metric, metric.measure(pictures, real))
        except (UnfinishedError, PictureError):
            raise
        except (MissingError, SituError) as error:
            missing[metric.name] = str(error)
    return {
        "situ": FORMAT,
        "world": pictures.world.name,
        "pictures": len(pictures),
        "objects": sum(len(scene.layout) for scene in pictures.scenes),
        "scores": scores,
        "missing": missing,
        "warnings": [],
        **provenance(pictures.world),
    }


def provenance(world: World) -> dict[str, Any]:
    """Which networks looked, and the versions of everything that computed."""
    versions = {name: _version(name) for name in LIBRARIES}
    return {"models": dict(world.models), "versions": {"situ": VERSION, **versions}}


def plain(estimate: Estimate) -> dict[str, Any]:
    """An estimate as JSON has it: no NaN."""
    return {
        k: None if isinstance(v, float) and math.isnan(v) else v
        for k, v in asdict(estimate).items()
    }


def write_json(path: Path, content: dict[str, Any]) -> None:
    write_bytes(path, (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())


def lines(result: dict[str, Any]) -> str:
    """The result for a terminal."""
    rows = [f"{result['pictures']} pictures, {result['objects']} objects, world {result['world']}"]
    rows += [f"warning: {text}" for text in result["warnings"]]
    wide = 1 + max(
        [13, *(len(s["title"]) for s in result["scores"].values()), *map(len, result["missing"])]
    )
    for score in result["scores"].values():
        low, high = score["low"], score["high"]
        interval = "" if low is None else f"  [{low:.4f}, {high:.4f}]"
        rows.append(f"{score['title']:<{wide}}{score['value']:>9.4f}{interval}")
        rows += [f"  warning: {text}" for text in score["warnings"]]
    rows += [f"{name:<{wide}}  missing: {reason}" for name, reason in result["missing"].items()]
    return "\n".join(rows)


def _entry(metric: Metric, score: Score) -> dict[str, Any]:
    entry = {"title": metric.title, "better": metric.better, "protocol": metric.protocol}
    return {**entry, **plain(score.estimate()), "warnings": list(score.warnings)}


def _scene(entry: dict[str, Any], folder: Path) -> Scene:
    with at(f"{folder / manifest.NAME}: {entry['file']}"):
        own = {k: v for k, v in entry.items() if k not in ("file", "scene_index", "image_index")}
        return from_json(own).scene


def _check_picture(path: Path) -> None:
    """Only the head is read; a picture that breaks off later is found when it is looked at."""
    with readable(path):
        pass


def _pixels(path: Path, size: int | None) -> Pictures:
    picture = read_picture(path)
    if size is None:
        return np.asarray(picture)
    from situ.data.coco import Crop

    return np.asarray(Crop(*picture.size).picture(picture, size))


def _version(name: str) -> str | None:
    try:
        return installed(name)
    except PackageNotFoundError:
        return None


__all__ = [
    "Extra",
    "Source",
    "drawn",
    "evaluate",
    "evidence_of",
    "lines",
    "measure",
    "reference_of",
    "world_named",
]
