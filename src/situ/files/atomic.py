"""Write a file whole or not at all: to a temporary neighbour first, then renamed over the target."""

import io
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from situ.scene import SituError

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.PngImagePlugin import PngInfo


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` atomically. Raises SituError on a full disk or missing permission."""
    replace(path, lambda temporary: _write_and_sync(temporary, content))


def write_png(path: Path, image: "Image", info: "PngInfo | None" = None) -> None:
    """Write a picture as PNG atomically, with optional text chunks."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=info)
    write_bytes(path, buffer.getvalue())


def replace(path: Path, write: Callable[[Path], Any]) -> None:
    """Let `write` fill a temporary file beside `path`, then put it in place in one step."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise _cannot_write(path, error) from error
    temporary = Path(name)
    try:
        write(temporary)
        os.chmod(temporary, 0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def replace_files(folder: Path, write: Callable[[Path], Any]) -> None:
    """Let `write` fill a temporary folder inside `folder`, then put each of its files in place in one step.

    What is there stays whole until all is written, even for whoever has it open; other files stay.
    """
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".", suffix=".tmp", dir=folder))
    except OSError as error:
        raise _cannot_write(folder, error) from error
    try:
        write(temporary)
        _move_files(temporary, folder)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if made:
            with suppress(OSError):
                folder.rmdir()  # succeeds where nothing came into it


def _move_files(source: Path, target: Path) -> None:
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)


def _write_and_sync(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _cannot_write(path: Path, error: OSError) -> SituError:
    reason = error.strerror or type(error).__name__
    return SituError(f"cannot write {path}: {reason}; nothing was left behind")
