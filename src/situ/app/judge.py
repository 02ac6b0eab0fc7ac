"""How well pictures of storybook scenes follow their boxes, as the storybook's judge sees it."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from situ.app import manifest
from situ.files.record import read_record
from situ.scene import Layout, SituError
from situ.storybook.judge import load_judge
from situ.storybook.verdict import Score, give_verdict, score, wishes


def judge_folder(folder: Path) -> dict[str, Any]:
    """Judge the pictures in the manifest of `folder` by the scenes inside them; 95 % bootstrap intervals.

    kind, colour, look: asked objects that are found (IoU >= 0.5) with the right kind, with its colour
    too, with its texture too. extra: things that nobody asked for, per asked object.
    """
    paths = manifest.pictures(folder)
    if not paths:
        raise SituError(f"{folder} lists no pictures; give the folder that situ generate wrote")
    layouts = [read_record(path).scene.layout for path in paths]
    found = judge_pictures(np.stack([_pixels(path) for path in paths]), layouts)
    return {"pictures": len(paths), "objects": sum(map(len, layouts)), **asdict(found)}


def judge_pictures(pictures: np.ndarray, layouts: Sequence[Layout]) -> Score:
    """Judge pictures [B, H, W, 3] against the layouts they were drawn for."""
    findings = load_judge().find(pictures)
    verdicts = [
        give_verdict(wishes(layout), found)
        for layout, found in zip(layouts, findings, strict=True)
        if len(layout)
    ]
    if not verdicts:
        raise SituError("no scene has objects, so there is nothing to judge")
    return score(verdicts)


def table(result: dict[str, Any]) -> str:
    """The result of judge_folder as lines for a terminal."""
    lines = [f"{result['pictures']} pictures, {result['objects']} objects"]
    names = {
        "kind": "right kind",
        "colour": "and colour",
        "look": "and texture",
        "extra": "extra things",
        "ap50": "AP50",
    }
    for key, name in names.items():
        e = result[key]
        lines.append(f"{name:<13}{e['value']:.3f}  [{e['low']:.3f}, {e['high']:.3f}]")
    return "\n".join(lines)


def _pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))
