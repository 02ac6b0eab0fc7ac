"""The judge of the storybook: a small detector that says what stands where on a page.

It looks at pictures only to judge them. Its findings carry no gradient: a model that is trained to
please the judge would make every score of it meaningless.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from situ.files.weights import read_weights
from situ.ops.masks import cell_centres
from situ.scene import Box, SituError
from situ.storybook.kinds import KINDS
from situ.storybook.palette import COLOURS, TEXTURES
from situ.storybook.verdict import Finding

SIZE = 128  # pixels of the side it was trained on; other pictures are resized
STRIDE = 4  # pixels of the side of a cell
WIDTHS = (64, 96, 128)  # channels at 32, 16 and 8 cells
WEIGHTS = Path(__file__).parent / "weights" / "judge.safetensors"
SHARED = 0.5  # IoU at which two findings are one thing: things share less than 0.3 of the smaller
TYPICAL_SIDE = 0.2  # of the page, from a thing's middle to its edge
AT_ONCE = 64  # pictures in a batch

Pictures = NDArray[Any] | Tensor  # [B, H, W, 3], uint8 or float in 0..1


@dataclass(frozen=True, slots=True)
class Reading:
    """What the network says at each cell; all but the sides are logits."""

    kinds: Tensor  # [B, 20, h, w], each kind by itself: is the middle of one here?
    sides: Tensor  # [B, 4, h, w], from the cell's centre to the left, top, right, bottom edge
    colours: Tensor  # [B, 10, h, w]
    textures: Tensor  # [B, 4, h, w]


class Residual(nn.Module):
    """x + conv(conv(x)), without norms: it starts as the identity (SkipInit, De & Smith 2020)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(functional.silu(self.first(functional.silu(x))))


class Judge(nn.Module):
    """Centre heatmaps, boxes and looks on a 32 x 32 grid (CenterNet, Zhou et al. 2019)."""

    def __init__(self, widths: tuple[int, int, int] = WIDTHS) -> None:
        super().__init__()
        near, middle, far = widths
        self.stem = nn.Conv2d(3 * STRIDE**2, near, 3, padding=1)
        self.fine = Residual(near)
        self.down_middle = nn.Conv2d(near, middle, 2, 2)
        self.parts = nn.Sequential(Residual(middle), Residual(middle))
        self.down_far = nn.Conv2d(middle, far, 2, 2)
        self.whole = Residual(far)
        self.up_middle = nn.Conv2d(far, middle, 1)
        self.joined = Residual(middle)
        self.up_near = nn.Conv2d(middle, near, 1)
        self.last = Residual(near)
        self.mix = nn.Conv2d(near, near, 3, padding=1)
        self.heads = nn.Conv2d(near, sum(HEADS), 1)
        _start_rare_(self.heads)

    def forward(self, pixels: Tensor) -> Reading:
        """pixels: [B, 3, 128, 128] in [-1, 1]."""
        cells = functional.pixel_unshuffle(pixels, STRIDE)  # [B, 48, 32, 32]
        cells = cells.contiguous(memory_format=torch.channels_last)
        fine = self.fine(self.stem(cells))  # [B, near, 32, 32]
        parts = self.parts(self.down_middle(fine))  # [B, middle, 16, 16]
        whole = self.whole(self.down_far(parts))  # [B, far, 8, 8]
        parts = self.joined(parts + _doubled(self.up_middle(whole)))
        fine = self.last(fine + _doubled(self.up_near(parts)))
        says = self.heads(
            functional.silu(self.mix(functional.silu(fine)))
        ).float()  # [B, 38, 32, 32]
        kinds, sides, colours, textures = says.split(HEADS, 1)
        return Reading(kinds, TYPICAL_SIDE * sides.clamp(-4, 4).exp(), colours, textures)

    @torch.no_grad()
    def find(self, pictures: Pictures, least: float = 0.05) -> list[list[Finding]]:
        """The things on each picture that score at least `least`, the surest first."""
        batches = as_pixels(pictures).split(AT_ONCE)
        return [found for pixels in batches for found in _findings(self(pixels), least)]

    @torch.no_grad()
    def name(self, pictures: Pictures, boxes: Sequence[Sequence[Box]]) -> list[list[Finding]]:
        """What stands in given boxes: the likeliest kind and look at the middle of each."""
        batches = as_pixels(pictures).split(AT_ONCE)
        sheets = [sheet for pixels in batches for sheet in _sheets(self(pixels))]
        return [
            [sheet.at(*_cell(box, sheet.kinds.shape[-1]), box=box) for box in some]
            for sheet, some in zip(sheets, boxes, strict=True)
        ]


HEADS = (len(KINDS), 4, len(COLOURS), len(TEXTURES))


def load_judge() -> Judge:
    """The judge with the weights of this package, ready to look."""
    judge = Judge()
    judge.load_state_dict({name: value.float() for name, value in read_weights(WEIGHTS).items()})
    return judge.eval().requires_grad_(False)


def as_pixels(pictures: Pictures) -> Tensor:
    """Pictures as [B, 3, 128, 128] in [-1, 1]."""
    x = pictures if isinstance(pictures, Tensor) else torch.tensor(pictures)
    if x.ndim != 4 or x.shape[-1] != 3 or x.shape[1] != x.shape[2]:
        raise SituError(f"pictures have shape {list(x.shape)}; the judge reads [B, side, side, 3]")
    x = x.float() / 127.5 - 1 if x.dtype == torch.uint8 else x.float() * 2 - 1
    x = x.permute(0, 3, 1, 2).contiguous()
    if x.shape[-1] == SIZE:
        return x
    return functional.interpolate(x, (SIZE, SIZE), mode="bilinear", antialias=True)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The reading of one picture, on the CPU: chances, most likely looks, and box corners."""

    kinds: Tensor  # [20, h, w], in 0..1
    corners: Tensor  # [4, h, w], x0 y0 x1 y1
    colours: Tensor  # [h, w]
    textures: Tensor  # [h, w]

    def at(self, y: int, x: int, kind: int | None = None, box: Box | None = None) -> Finding:
        chances = self.kinds[:, y, x]
        best = int(chances.argmax()) if kind is None else kind
        return Finding(
            list(KINDS)[best],
            list(COLOURS)[int(self.colours[y, x])],
            TEXTURES[int(self.textures[y, x])],
            box or _box(self.corners[:, y, x]),
            float(chances[best]),
        )


def _sheets(reading: Reading) -> list[_Sheet]:
    height, width = reading.kinds.shape[-2:]
    centres = cell_centres(height, width, reading.sides.device).permute(2, 0, 1)
    left_top, right_bottom = reading.sides.split(2, 1)
    corners = torch.cat([centres - left_top, centres + right_bottom], 1)
    rows = (reading.kinds.sigmoid(), corners, reading.colours.argmax(1), reading.textures.argmax(1))
    return [_Sheet(*row) for row in zip(*(value.cpu() for value in rows), strict=True)]


def _findings(reading: Reading, least: float) -> list[list[Finding]]:
    return [_distinct(_peaks(sheet, least)) for sheet in _sheets(reading)]


def _peaks(sheet: _Sheet, least: float) -> list[Finding]:
    """Findings at the cells whose chance no neighbour exceeds, the surest first."""
    highest = functional.max_pool2d(sheet.kinds[None], 3, 1, 1)[0]
    places = ((sheet.kinds == highest) & (sheet.kinds >= least)).nonzero().tolist()
    found = [sheet.at(y, x, kind) for kind, y, x in places]
    return sorted(found, key=lambda finding: -finding.score)


def _distinct(found: Sequence[Finding]) -> list[Finding]:
    """One finding for each place, whatever its kind: no two things of a page share so much."""
    kept: list[Finding] = []
    for finding in found:
        if all(finding.box.iou(other.box) < SHARED for other in kept):
            kept.append(finding)
    return kept


def _box(corners: Tensor) -> Box:
    """The part of a box on the page; it is never empty, for it holds the centre of its cell."""
    box = Box.clamped(*corners.tolist())
    assert box is not None
    return box


def _cell(box: Box, cells: int) -> tuple[int, int]:
    """Row and column of the cell that holds the middle of a box."""
    x, y = box.center
    return min(int(y * cells), cells - 1), min(int(x * cells), cells - 1)


def _doubled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0)


def _start_rare_(heads: nn.Conv2d) -> None:
    """Begin with a chance of 0.01 everywhere, or the many empty cells drown the few middles."""
    assert heads.bias is not None
    nn.init.zeros_(heads.bias)
    nn.init.normal_(heads.weight, std=0.01)
    nn.init.constant_(heads.bias[: HEADS[0]], -4.6)


__all__ = ["Finding", "Judge", "Reading", "as_pixels", "load_judge"]
