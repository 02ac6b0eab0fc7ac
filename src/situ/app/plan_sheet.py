"""Planned layouts as a picture."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from situ.files.atomic import write_png
from situ.files.draw import sheet, with_boxes
from situ.scene import Scene

PAPER = (236, 238, 240)
LONGEST_PX = 512


def write_plans(scenes: Sequence[Scene], target: Path) -> None:
    """Every layout on paper in the shape of its canvas, all on one sheet; a single one without rim."""
    pictures = [with_boxes(Image.new("RGB", _size(scene), PAPER), scene.layout) for scene in scenes]
    write_png(target, pictures[0] if len(pictures) == 1 else sheet(pictures))


def _size(scene: Scene) -> tuple[int, int]:
    factor = LONGEST_PX / max(scene.canvas)
    return max(1, round(scene.width * factor)), max(1, round(scene.height * factor))
