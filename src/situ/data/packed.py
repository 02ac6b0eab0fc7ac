"""A data set as one array file per quantity, so that a training step reads rows instead of pictures."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from situ.data.coco import Item
from situ.files.atomic import replace


def pack_pictures(
    items: Sequence[Item],
    path: Path,
    size: int,
    progress: Callable[[int], None] = lambda done: None,
) -> NDArray[np.uint8]:
    """All pictures, centre-cropped, as a memory-mapped (N, size, size, 3) uint8 file; kept if it is there."""
    if not path.exists():
        replace(path, lambda temporary: _write(items, temporary, size, progress))
    return np.load(path, mmap_mode="r")


def _write(items: Sequence[Item], path: Path, size: int, progress: Callable[[int], None]) -> None:
    rows = open_memmap(path, "w+", np.uint8, (len(items), size, size, 3))
    for i, item in enumerate(items):
        rows[i] = item.pixels(size)
        progress(i + 1)
    rows.flush()
