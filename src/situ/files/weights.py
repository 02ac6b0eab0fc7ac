"""Read safetensors, and nothing else: clear errors for pickles, truncated files and wrong names."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from situ.scene import SituError

if TYPE_CHECKING:
    from torch import Tensor

PICKLE_STARTS = (b"\x80", b"PK\x03\x04")  # a bare pickle, and torch.save's zip archive


def read_weights(path: Path) -> "dict[str, Tensor]":
    """All tensors of a safetensors file. Raises SituError naming the file if it is anything else."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    check_weights(path)
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from None


def check_weights(path: Path) -> None:
    """Read the header only, so that a bad file is refused before anything large is loaded."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt"):
            pass
    except FileNotFoundError:
        raise SituError(f"{path} is missing") from None
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from None


def weights_hash(paths: Iterable[Path]) -> str:
    """The first 16 hex digits of the SHA-256 over all files, in the order given."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def _unreadable(path: Path, error: Exception) -> SituError:
    if path.is_file():
        with path.open("rb") as file:
            if file.read(4).startswith(PICKLE_STARTS):  # a safetensors file may begin so, too
                return SituError(
                    f"{path} is a pickle, whatever its name says; only safetensors are read"
                )
    return SituError(f"{path} is not a whole safetensors file ({error}); fetch or copy it again")
