"""Rows on disk: what a network says of many pictures, in parts that survive an interruption.

Each part is one .npy file of at most PART rows, written whole. A run that was stopped goes on with the parts
that are missing; the processes of a `torchrun` take every n-th part and all read the same result.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from situ.files.atomic import replace
from situ.ops.processes import process_place
from situ.scene import SituError

PART = 256

Compute = Callable[[int, int], NDArray[Any]]  # rows start ... stop


class UnfinishedError(SituError):
    """Other processes have not written all of their parts yet."""


def stored_rows(
    folder: Path | None, count: int, compute: Compute, part: int = PART
) -> NDArray[Any]:
    """Rows 0 ... count - 1, from `folder` where it has them; without a folder nothing is kept.

    Under torchrun (RANK, WORLD_SIZE) a process computes its share and raises UnfinishedError if the others
    have not done theirs; the same command in one process then only reads.
    """
    spans = [(start, min(start + part, count)) for start in range(0, count, part)]
    if folder is None:
        return np.concatenate([compute(*span) for span in spans])
    rank, world = process_place()
    paths = [folder / f"{start:06d}-{stop:06d}.npy" for start, stop in spans]
    for number, (path, span) in enumerate(zip(paths, spans, strict=True)):
        if number % world == rank and not path.exists():
            _write(path, compute(*span))
    missing = [path.name for path in paths if not path.exists()]
    if missing:
        raise UnfinishedError(
            f"{folder} lacks {len(missing)} of {len(paths)} parts, {missing[0]} first, that other "
            "processes write; run again when they are done"
        )
    return np.concatenate(
        [_read(path, stop - start) for path, (start, stop) in zip(paths, spans, strict=True)]
    )


def _write(path: Path, rows: NDArray[Any]) -> None:
    def save(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.save(file, rows, allow_pickle=False)

    replace(path, save)


def _read(path: Path, count: int) -> NDArray[Any]:
    try:
        rows = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise SituError(
            f"{path} is not a whole .npy file ({error}); delete it and run again"
        ) from None
    if len(rows) != count:
        raise SituError(f"{path} has {len(rows)} rows, not {count}; delete it and run again")
    return rows
