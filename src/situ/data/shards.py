"""Rows of one large array in many safetensors files: made piece by piece, read row by row."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from situ.files.atomic import replace
from situ.ops.processes import process_place
from situ.scene import SituError

ROWS = 2048  # in one file
NAME = "rows"


class Shards(Sequence):
    """The rows of a folder of shards, mapped into memory."""

    def __init__(self, folder: Path) -> None:
        self.files = [_open(path) for path in sorted(folder.glob("*.safetensors"))]
        self.counts = [file.get_slice(NAME).get_shape()[0] for file in self.files]
        self.starts = np.cumsum([0, *self.counts])

    def __len__(self) -> int:
        return int(self.starts[-1])

    def __getitem__(self, row: int) -> NDArray:  # pyright: ignore[reportIncompatibleMethodOverride]
        if not 0 <= row < len(self):
            raise IndexError(row)
        shard = int(np.searchsorted(self.starts, row, "right")) - 1
        inside = row - int(self.starts[shard])
        return self.files[shard].get_slice(NAME)[inside : inside + 1][0]


def write_shards(
    folder: Path,
    count: int,
    make: Callable[[int, int], NDArray],
    progress: Callable[[int], None] = lambda done: None,
    rows: int = ROWS,
) -> Shards:
    """`count` rows, of which make(start, stop) gives some. Shards that are there are kept, so an
    interrupted run goes on; each is written atomically. The processes of torchrun begin at different
    shards, and so share the work."""
    folder.mkdir(parents=True, exist_ok=True)
    for done, start in enumerate(_from_own(range(0, count, rows)), 1):
        stop, path = min(start + rows, count), folder / f"{start // rows:05d}.safetensors"
        if not path.exists():
            made = np.ascontiguousarray(make(start, stop))
            replace(path, lambda temporary, made=made: save_file({NAME: made}, temporary))
        progress(min(done * rows, count))
    shards = Shards(folder)
    if len(shards) != count:
        raise SituError(f"{folder} holds {len(shards)} rows instead of {count}; remove it")
    return shards


def _from_own(starts: Sequence[int]) -> list[int]:
    """All of them, beginning with the part of this process."""
    rank, world = process_place()
    first = len(starts) * rank // world
    return [*starts[first:], *starts[:first]]


def _open(path: Path):
    try:
        return safe_open(path, "np")
    except SafetensorError as error:
        raise SituError(f"{path} is not a whole safetensors file ({error}); remove it") from None
