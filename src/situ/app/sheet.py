"""Many pictures with their boxes on one sheet."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from situ.evaluation.evidence import PictureError
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
    return read_picture(path, ("PNG",))


def read_picture(path: Path, formats: tuple[str, ...] | None = None) -> Image.Image:
    """The pixels of a picture file, of all formats unless some are given. Raises PictureError."""
    with readable(path, formats) as image:
        return image.convert("RGB")


@contextmanager
def readable(path: Path, formats: tuple[str, ...] | None = None) -> Iterator[Image.Image]:
    """A picture file of which the head has been read. What cannot be read raises PictureError."""
    try:
        with Image.open(path, formats=formats) as image:
            yield image
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        kind = f"a {' or '.join(formats)} picture" if formats else "a picture"
        raise PictureError(f"{path} is not {kind} that can be read ({error})") from None
