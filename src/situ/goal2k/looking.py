"""Pictures of the set in batches for networks, and the networks that look at them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from situ.evaluation.detections import Detection, Detector
from situ.evaluation.detectors import Settings as DetectorSettings
from situ.evaluation.detectors import distinct, load_detector
from situ.goal2k.prompts import Prompt
from situ.goal2k.settings import STORYBOOK, Boxes
from situ.scene import SituError

DECIMALS = 5  # of what a network says: the last bits of a sum are not the same on every machine
Picture = NDArray[np.uint8]  # [H, W, 3]


@dataclass(frozen=True, slots=True)
class Seen:
    """A prompt and one of its pictures."""

    prompt: Prompt
    file: str
    pixels: Picture


Look = Callable[[Sequence[Seen]], list[list[Detection]]]


def read_picture(folder: Path, name: str) -> Picture:
    """The pixels of a candidate; a missing or broken file is an error that names it."""
    try:
        with Image.open(folder / name) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as error:
        raise SituError(
            f"{folder / name} cannot be read ({type(error).__name__}); make it again with "
            "--stage pictures --again"
        ) from None


def looker(settings: Boxes, local_only: bool = False) -> Look:
    """A detector that looks for the phrases of each prompt; of findings that are one the surest stays."""
    detector = _detector(settings, local_only)

    def look(seen: Sequence[Seen]) -> list[list[Detection]]:
        found: list[list[Detection]] = [[] for _ in seen]
        for rows in _by_size(seen):
            pixels = np.stack([seen[row].pixels for row in rows])
            phrases = [seen[row].prompt.phrases for row in rows]
            for row, some in zip(rows, detector.find(pixels, phrases), strict=True):
                found[row] = distinct(some, settings.overlap)
        return found

    return look


def rounded(values: Iterable[float]) -> list[float]:
    return [round(float(value), DECIMALS) for value in values]


def _detector(settings: Boxes, local_only: bool) -> Detector:
    whole = settings.source == STORYBOOK  # "striped red fish", not "fish"
    name = f"{STORYBOOK}:look" if whole else settings.source
    chosen = DetectorSettings(score=settings.score, overlap=settings.overlap)
    return load_detector(name, chosen, settings.device, local_only)


def _by_size(seen: Sequence[Seen]) -> list[list[int]]:
    """Rows whose pictures have the same shape, which fit into one array."""
    groups: dict[Any, list[int]] = {}
    for row, one in enumerate(seen):
        groups.setdefault(one.pixels.shape, []).append(row)
    return list(groups.values())


def found_of(detections: Iterable[Detection]) -> Mapping[str, list[Detection]]:
    """Detections by label, the surest first."""
    groups: dict[str, list[Detection]] = {}
    for detection in sorted(detections, key=lambda d: -d.score):
        groups.setdefault(detection.label, []).append(detection)
    return groups
