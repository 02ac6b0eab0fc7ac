"""Scenes as JSON: one to a file, or one to a line (JSONL).

{"situ": 1, "caption": "a red fish in a pond", "width": 512, "height": 512,
 "objects": [{"phrase": "red fish", "box": [0.05, 0.4, 0.45, 0.8]}]}
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from situ.scene import strict_json
from situ.scene.box import Box
from situ.scene.errors import SceneError, at, did_you_mean, shown
from situ.scene.fields import mapping, sequence
from situ.scene.layout import Layout, Object
from situ.scene.scene import Scene

VERSION = 1
SCENE_KEYS = ("situ", "caption", "width", "height", "objects")
OBJECT_KEYS = ("phrase", "box")


def to_json(scene: Scene) -> dict[str, Any]:
    """The scene as plain dictionaries, lists, strings and numbers."""
    return {
        "situ": VERSION,
        "caption": scene.caption,
        "width": scene.width,
        "height": scene.height,
        "objects": [{"phrase": item.phrase, "box": list(item.box.xyxy)} for item in scene.layout],
    }


def from_json(data: object) -> Scene:
    """The scene of a parsed JSON object. Only width, height and objects may be missing."""
    record = _record(data, "a scene", SCENE_KEYS, required=("situ", "caption"))
    _check_version(record["situ"])
    items = sequence(record.get("objects", []), "objects")
    layout = Layout(tuple(_object(item, index) for index, item in enumerate(items)))
    sides = {key: record[key] for key in ("width", "height") if key in record}
    return Scene(record["caption"], layout, **sides)


def dumps(scene: Scene) -> str:
    """The scene on one line of JSON, ready to be a line of a JSONL file."""
    return json.dumps(to_json(scene), ensure_ascii=False)


def loads(text: str) -> Scene:
    """The scene of a JSON text."""
    return from_json(strict_json.parse(text))


def read_scene(path: str | Path) -> Scene:
    """The only scene of a JSON file."""
    text = strict_json.read(path)
    with at(path):
        return loads(text)


def read_scenes(path: str | Path) -> Iterator[Scene]:
    """The scenes of a JSONL file of any length, read as they are asked for."""
    for place, line in strict_json.lines(path):
        with at(place):
            scene = loads(line)
        yield scene


def parse_object(text: str) -> Object:
    """An object as typed in a shell: "red fish: 0.05 0.4 0.45 0.8", or with commas."""
    phrase, colon, numbers = text.rpartition(":")
    with at(f"object {shown(text)}"):
        if not colon:
            raise SceneError('write "phrase: x0 y0 x1 y1", as in "red fish: 0.05 0.4 0.45 0.8"')
        return Object(phrase, Box.of([_float(word) for word in numbers.replace(",", " ").split()]))


def format_object(item: Object) -> str:
    """The text that parse_object reads back as the same object."""
    return f"{item.phrase}: {' '.join(map(repr, item.box.xyxy))}"


def _object(data: object, index: int) -> Object:
    with at(f"objects[{index}]"):
        record = _record(data, "an object", OBJECT_KEYS, required=OBJECT_KEYS)
        return Object(record["phrase"], Box.of(record["box"]))


def _record(
    data: object, what: str, allowed: Sequence[str], required: Sequence[str]
) -> Mapping[str, Any]:
    record = mapping(data, what)
    for key in record:
        if key not in allowed:
            raise SceneError(f"unknown key {shown(key)}: {did_you_mean(str(key), allowed)}")
    for key in required:
        if key not in record:
            example = f'; add "situ": {VERSION}' if key == "situ" else ""
            raise SceneError(f"{what} needs the key {key!r}{example}")
    return record


def _check_version(version: object) -> None:
    if version == VERSION and type(version) is int:
        return
    newer = "; a newer situ wrote this: upgrade" if _is_newer(version) else ""
    raise SceneError(
        f"situ must be {VERSION}, the version of this format; got {shown(version)}{newer}"
    )


def _is_newer(version: object) -> bool:
    return type(version) is int and version > VERSION


def _float(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise SceneError(f"{shown(word)} is not a number: write x0 y0 x1 y1 in 0..1") from None
