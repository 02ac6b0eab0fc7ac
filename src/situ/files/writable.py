"""Whether a folder can be written, asked before hours of work."""

import tempfile
from pathlib import Path

from situ.scene import SituError


def check_writable(folder: Path) -> None:
    """Find out before a model is loaded that nothing can be written there. Leaves nothing behind."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SituError(
            f"out: cannot write into {folder}: {reason}; give another with --out"
        ) from None
