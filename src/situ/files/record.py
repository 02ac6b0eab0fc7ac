"""What a picture tells about itself: all that is needed to draw it again.

Two texts travel inside the PNG. `situ` is ours, JSON with a version; `parameters` is the line that
AUTOMATIC1111's web UI began and most viewers of generated pictures read.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from situ.files.png import read_texts
from situ.scene import Scene, SituError, codec, strict_json
from situ.scene.errors import SceneError, at, did_you_mean, shown
from situ.scene.fields import entry, mapping, number, sequence, text, whole

FORMAT = 1
SOURCES = ("name", "weights", "dtype")
SEED_LIMIT = 2**32

Settings = Mapping[str, Any]  # strings, numbers and short lists of numbers


@dataclass(frozen=True)
class Record:
    """A picture's scene, seed, method, sampling settings, model and version of this package."""

    scene: Scene
    seed: int
    method: str
    sampling: Settings
    model: Mapping[str, str]  # name, weights (a hash) and dtype
    version: str

    def to_json(self) -> dict[str, Any]:
        return {
            "situ": FORMAT,
            "scene": codec.to_json(self.scene),
            "seed": self.seed,
            "method": self.method,
            "sampling": {key: _listed(value) for key, value in self.sampling.items()},
            "model": dict(self.model),
            "version": self.version,
        }

    def dumps(self) -> str:
        """One line of JSON. Equal records give equal lines."""
        return json.dumps(self.to_json(), ensure_ascii=False)

    def texts(self) -> dict[str, str]:
        """The texts to put into the picture, by key."""
        return {"parameters": infotext(self), "situ": self.dumps()}


def from_json(data: object) -> Record:
    """Read what `to_json` wrote. The data is untrusted: types, ranges and sizes are checked."""
    record = mapping(data, "a record")
    if entry(record, "situ") != FORMAT:
        raise SceneError(
            f"situ must be {FORMAT}, got {shown(record['situ'])}: a newer situ wrote this"
        )
    with at("scene"):
        scene = codec.from_json(entry(record, "scene"))
    return Record(
        scene=scene,
        seed=whole(entry(record, "seed"), "seed", 0, SEED_LIMIT - 1),
        method=text(entry(record, "method"), "method"),
        sampling={str(k): _setting(v, str(k)) for k, v in _part(record, "sampling").items()},
        model={key: text(entry(_part(record, "model"), key), f"model.{key}") for key in SOURCES},
        version=text(entry(record, "version"), "version"),
    )


def read_record(path: Path) -> Record:
    """The record inside a picture."""
    texts = read_texts(path)
    if "situ" not in texts:
        held = did_you_mean("situ", texts) if texts else "it holds no text at all"
        raise SituError(f"{path} was not drawn by situ, or lost its text on the way ({held})")
    with at(f"{path}: situ"):
        return from_json(strict_json.parse(texts["situ"]))


def infotext(record: Record) -> str:
    """The `parameters` text: prompt, negative prompt, and a line of settings."""
    sampling = record.sampling
    settings = {
        "Steps": sampling.get("steps"),
        "Sampler": str(sampling.get("solver", "")).upper(),
        "CFG scale": sampling.get("guidance"),
        "Seed": record.seed,
        "Size": f"{record.scene.width}x{record.scene.height}",
        "Model hash": record.model["weights"],
        "Model": record.model["name"],
        "Method": record.method,
        "Objects": "; ".join(map(codec.format_object, record.scene.layout)),
        "Version": f"situ {record.version}",
    }
    line = ", ".join(f"{key}: {_quoted(value)}" for key, value in settings.items() if value != "")
    negative = sampling.get("negative")
    before = [record.scene.caption, *([f"Negative prompt: {negative}"] if negative else [])]
    return "\n".join([*before, line])


def _quoted(value: object) -> str:
    """As the web UI does: a value that could be taken for more settings is written as JSON."""
    plain = str(value)
    return json.dumps(plain, ensure_ascii=False) if any(c in plain for c in ',:\n"') else plain


def _part(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return mapping(entry(record, key), key)


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _setting(value: object, name: str) -> Any:
    """A word, a number or a short row of numbers."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, list):
        return tuple(number(item, name) for item in sequence(value, name)[:10])
    return number(value, name)
