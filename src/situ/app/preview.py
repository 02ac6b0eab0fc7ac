"""How a picture came to be: the clean picture as seen at every step, as files and as a film."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from situ.diffusion.schedule import Step
from situ.files.atomic import write_bytes, write_png

if TYPE_CHECKING:
    from PIL.Image import Image

FRAME_MS = 80
HOLD_MS = 1500  # the finished picture stays longer


class Preview:
    """Of the pictures of one batch. For a/0007.png: a/0007.steps/00.png ... and a/0007.steps.webp."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = paths
        self.films: list[list[Image]] = [[] for _ in paths]

    def add(self, step: Step, images: Sequence["Image"]) -> None:
        """One image for each picture of the batch."""
        digits = len(str(step.n - 1))
        for path, film, image in zip(self.paths, self.films, images, strict=True):
            write_png(path.with_suffix(".steps") / f"{step.i:0{digits}d}.png", image)
            film.append(image)

    def finish(self, images: Sequence["Image"]) -> None:
        """Write the films, which end with the pictures themselves."""
        for path, film, image in zip(self.paths, self.films, images, strict=True):
            write_bytes(path.with_suffix(".steps.webp"), _film([*film, image]))


def _film(images: Sequence["Image"]) -> bytes:
    buffer = io.BytesIO()
    durations = [FRAME_MS] * (len(images) - 1) + [HOLD_MS]
    first, *others = images
    options = {"append_images": others, "duration": durations, "loop": 0, "quality": 90}
    first.save(buffer, "WEBP", save_all=True, **options)
    return buffer.getvalue()
