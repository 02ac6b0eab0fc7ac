"""Draw a picture again from the record inside it, and see whether it came out the same."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from situ.app.generate import Picture
from situ.app.pipeline import Pipeline
from situ.app.settings import OPTION_NAMES, sampling_of, settings_of, settled
from situ.app.sheet import read_png
from situ.files.record import Record
from situ.scene import SituError
from situ.version import VERSION


def again(
    pipe: Pipeline, path: Path, record: Record, changes: Mapping[str, Any], **other: Any
) -> Picture:
    """The same picture; with other sampling settings, method or seed where changes and other say so.

    Raises SituError if the weights are not those that drew it: the picture would be another one.
    """
    if pipe.backbone.weights_hash != record.model["weights"]:
        raise SituError(
            f"{path} was drawn by {record.model['name']} with weights {record.model['weights']}; "
            f"{pipe.backbone.name} here has {pipe.backbone.weights_hash}: load those with --model"
        )
    method = other.get("method", record.method)
    kept = {
        name: value
        for name, value in record.sampling.items()
        if method == record.method or name not in OPTION_NAMES
    }
    asked = settled(sampling_of({**kept, **changes}), method, pipe.backbone)
    sampling = settings_of(asked)
    renewed = replace(record, sampling=sampling, model=pipe.source, version=VERSION, **other)
    return Picture(f"{renewed.seed:04d}.png", 0, 0, renewed)


def compared(one: Path, other: Path) -> str:
    """How the pixels of two pictures differ, in words."""
    a, b = _pixels(one), _pixels(other)
    if a.shape != b.shape:
        return f"its size is not that of {one}"
    difference = np.abs(a - b)
    if not difference.any():
        return f"equal to {one} bit for bit"
    share = float((difference > 0).mean())
    return f"not equal to {one}: {share:.1%} of the values differ, by at most {difference.max()} of 255"


def _pixels(path: Path) -> np.ndarray:
    return np.asarray(read_png(path)).astype(np.int16)
