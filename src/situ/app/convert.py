"""Scene files from and to the layouts of other programs. What a format does not tell must be given."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from situ.files.atomic import write_bytes
from situ.scene import Scene, SituError, codec, formats, strict_json
from situ.scene.box import Canvas
from situ.scene.coco import read_coco, to_coco
from situ.scene.errors import at
from situ.scene.fields import mapping

FORMATS = ("situ", "gligen", "diffusers", "ideogram", "coco", "yolo")
INSTANCES, CAPTIONS = "instances.json", "captions.json"

Reader = Callable[[Mapping[str, Any]], Scene]
Writer = Callable[[Scene], dict[str, Any]]

WRITERS: dict[str, Writer] = {
    "situ": codec.to_json,
    "gligen": formats.to_gligen,
    "diffusers": formats.to_diffusers,
    "ideogram": formats.to_ideogram,
}


@dataclass(frozen=True)
class Beside:
    """What scenes have and a format may lack."""

    canvas: Canvas | None = None  # not told by gligen, ideogram and yolo
    captions: Path | None = None  # COCO's second file
    caption: str | None = None  # not told by yolo
    names: Path | None = None  # YOLO's classes, one to a line


def read(source: Path, kind: str, beside: Beside) -> Iterator[Scene]:
    """The scenes of a file; a .jsonl file has one to a line."""
    if kind == "coco":
        captions = _needed(
            "captions", beside.captions, "COCO keeps captions in a file of their own"
        )
        for image in read_coco(source, captions):
            with at(f"{captions}: image {image.image_id}"):
                yield image.scene()
        return
    if kind == "yolo":
        caption = _needed("caption", beside.caption, "YOLO's labels have none")
        with at(source):
            text = strict_json.read(source)
            canvas = beside.canvas or formats.SQUARE
            yield formats.from_yolo(text, _names(beside), caption, canvas)
        return
    reader = _reader(kind, beside)
    for place, text in _texts(source):
        with at(place):
            scene = reader(mapping(strict_json.parse(text), "a scene"))
        yield scene


def write(scenes: Sequence[Scene], target: Path, kind: str, beside: Beside) -> list[Path]:
    """Write scenes and return the files: one file, two for COCO, one for each scene for YOLO."""
    contents = _contents(scenes, target, kind, beside)
    for path, content in contents.items():
        write_bytes(path, content.encode())
    return list(contents)


def _contents(scenes: Sequence[Scene], target: Path, kind: str, beside: Beside) -> dict[Path, str]:
    if kind == "coco":
        instances, captions = (json.dumps(part) + "\n" for part in to_coco(scenes))
        return {target / INSTANCES: instances, target / CAPTIONS: captions}
    if kind == "yolo":
        names = _names(beside)
        labels = [formats.to_yolo(scene, names) for scene in scenes]
        return {target / f"{i:06d}.txt": label for i, label in enumerate(labels)}
    lines = [json.dumps(WRITERS[kind](scene), ensure_ascii=False) + "\n" for scene in scenes]
    if len(lines) > 1 and target.suffix != ".jsonl":
        raise SituError(f"{target}: {len(lines)} scenes need a name that ends in .jsonl")
    return {target: "".join(lines)}


def _reader(kind: str, beside: Beside) -> Reader:
    canvas = beside.canvas
    if kind == "gligen":
        return lambda data: formats.from_gligen(data, canvas or formats.SQUARE)
    if kind == "ideogram":
        return lambda data: formats.from_ideogram(data, *([canvas] if canvas else []))
    return formats.from_diffusers if kind == "diffusers" else codec.from_json


def _texts(source: Path) -> Iterator[tuple[str, str]]:
    if source.suffix == ".jsonl":
        return strict_json.lines(source)
    return iter([(str(source), strict_json.read(source))])


def _names(beside: Beside) -> list[str]:
    path = _needed("names", beside.names, "YOLO's labels have numbers only")
    return [line.strip() for line in strict_json.read(path).splitlines() if line.strip()]


def _needed(option: str, value: Any, why: str) -> Any:
    if value is None:
        raise SituError(f"--{option}: {why}; give it")
    return value
