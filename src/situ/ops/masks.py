"""Boxes as masks on a grid of cells; row = y, column = x."""

import torch
from torch import Tensor


def coverage(boxes_xyxy: Tensor, height: int, width: int) -> Tensor:
    """Share of each cell that lies in the box, exactly: [..., 4] in 0..1 -> [..., height, width].

    A box of any area touches at least one cell, so no object is lost on a coarse grid.
    """
    x0, y0, x1, y1 = boxes_xyxy.unbind(-1)
    return _overlap(y0, y1, height)[..., :, None] * _overlap(x0, x1, width)[..., None, :]


def cell_centres(height: int, width: int, device: torch.device | None = None) -> Tensor:
    """Normalised (x, y) of the middle of every cell, row = y: [height, width, 2] in fp32."""
    y = (torch.arange(height, device=device) + 0.5) / height
    x = (torch.arange(width, device=device) + 0.5) / width
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)


def _overlap(start: Tensor, end: Tensor, cells: int) -> Tensor:
    """Length shared by [start, end] and each of the cells that divide 0..1, in cells."""
    left = torch.arange(cells, device=start.device, dtype=start.dtype)
    start, end = start[..., None] * cells, end[..., None] * cells
    return (end.minimum(left + 1) - start.maximum(left)).clamp_min(0)
