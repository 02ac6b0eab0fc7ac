"""Many pictures with their boxes on one sheet."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from situ.files.atomic import write_png
from situ.files.draw import sheet, with_boxes
from situ.scene import Layout, SituError


def write_sheet(
    pictures: Sequence[tuple[Path, Layout]], target: Path, columns: int | None = None
) -> None:
    """Read pictures, draw their boxes and write them in rows."""
    if columns is not None and columns < 1:
        raise SituError(f"columns: {columns} must be at least 1")
    write_png(
        target, sheet((with_boxes(read_png(path), boxes) for path, boxes in pictures), columns)
    )


def read_png(path: Path) -> Image.Image:
    """The pixels of a PNG file that may come from anywhere."""
    try:
        with Image.open(path, formats=["PNG"]) as image:
            return image.convert("RGB")
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise SituError(f"{path}: cannot be read as a PNG picture: {error}") from None
