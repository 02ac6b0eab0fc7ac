"""Train the judge: where the middles of things are, how far their edges, and how they look.

    loss = focal(kinds) + mean(-ln IoU) + CE(colours) + CE(textures)

The last three are means over the cells near the middle of a thing, weighted by nearness.
"""

from collections.abc import Sequence

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from situ.data.coco import Item
from situ.ops.masks import cell_centres
from situ.storybook.judge import Judge, Reading, as_pixels
from situ.storybook.kinds import KINDS
from situ.storybook.palette import COLOURS, TEXTURES
from situ.training.loop import Batch

SPREAD = 0.1  # of a thing's side: one standard deviation of its hill on the heatmap
NEAR = 0.6  # height of the hill above which a cell must know the box and the look
NOISE = 0.12  # the most noise on a training picture, where its pixels are in [-1, 1]


class DetectionObjective(nn.Module):
    """The judge on pages whose things are known."""

    def __init__(self, judge: Judge) -> None:
        super().__init__()
        self.trained = judge

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        reading: Reading = self.trained(batch["pixels"])
        boxes, labels = batch["boxes_xyxy"], batch["labels"]
        rows, columns = reading.kinds.shape[-2:]
        hills = middles(boxes, rows, columns) * (labels[..., 0, None, None] >= 0)
        weight, box, label = nearest(hills, boxes, labels)
        parts = {
            "kinds": focal_loss(reading.kinds, kind_targets(hills, labels[..., 0])),
            "boxes": (weight * unit_box(reading.sides, box)).sum(),
            "colours": (weight * _surprise(reading.colours, label[:, 1])).sum(),
            "textures": (weight * _surprise(reading.textures, label[:, 2])).sum(),
        }
        loss = torch.stack(list(parts.values())).sum()
        return {"loss": loss} | {name: part.detach() for name, part in parts.items()}


def nearest(hills: Tensor, boxes_xyxy: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The thing of each cell: weights [B, h, w] of sum 1, boxes and labels [B, 4 or 3, h, w]."""
    height, slot = hills.max(1)
    weight = torch.where(height > NEAR, height, 0)
    row = torch.arange(len(slot), device=slot.device)[:, None, None]
    box = boxes_xyxy[row, slot].permute(0, 3, 1, 2)
    label = labels[row, slot].clamp(min=0).permute(0, 3, 1, 2)
    return weight / weight.sum().clamp(min=1), box, label


def _surprise(logits: Tensor, label: Tensor) -> Tensor:
    return functional.cross_entropy(logits, label, reduction="none")


def middles(boxes_xyxy: Tensor, height: int, width: int) -> Tensor:
    """A Gaussian hill for each box, 1 at the cell of its middle: [B, N, 4] -> [B, N, h, w]."""
    x0, y0, x1, y1 = boxes_xyxy[..., None, None].unbind(2)  # [B, N, 1, 1]
    column = ((x0 + x1) / 2 * width).floor().clamp(max=width - 1)
    row = ((y0 + y1) / 2 * height).floor().clamp(max=height - 1)
    y, x = torch.arange(height, device=row.device)[:, None], torch.arange(width, device=row.device)
    dx = (x - column) / (SPREAD * (x1 - x0) * width).clamp(min=0.5)
    dy = (y - row) / (SPREAD * (y1 - y0) * height).clamp(min=0.5)
    return (-0.5 * (dx**2 + dy**2)).exp()


def kind_targets(hills: Tensor, kinds: Tensor) -> Tensor:
    """The highest hill of each kind; kinds are -1 for none: [B, N, h, w] -> [B, 20, h, w]."""
    empty = hills.new_zeros(len(hills), len(KINDS), *hills.shape[-2:])
    index = kinds.clamp(min=0)[..., None, None].expand_as(hills)
    return empty.scatter_reduce(1, index, hills, "amax")


def focal_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Penalty-reduced focal loss for each middle (CenterNet, eq. 1: alpha 2, beta 4)."""
    chance = logits.sigmoid()
    hit = (1 - chance) ** 2 * functional.logsigmoid(logits)
    miss = (1 - target) ** 4 * chance**2 * functional.logsigmoid(-logits)
    return -torch.where(target == 1, hit, miss).sum() / (target == 1).sum().clamp(min=1)


def unit_box(sides: Tensor, boxes_xyxy: Tensor) -> Tensor:
    """-ln IoU of boxes around one cell (UnitBox, Yu et al. 2016): [B, 4, h, w] -> [B, h, w]."""
    centres = cell_centres(sides.shape[-2], sides.shape[-1], sides.device).permute(2, 0, 1)
    true = torch.cat([centres - boxes_xyxy[:, :2], boxes_xyxy[:, 2:] - centres], 1).clamp(min=1e-3)
    common = sides.minimum(true)
    area, true_area, shared = (_area(value) for value in (sides, true, common))
    return (area + true_area - shared).log() - shared.log()


def _area(sides: Tensor) -> Tensor:
    left, top, right, bottom = sides.unbind(1)
    return (left + right) * (top + bottom)


class DetectionData:
    """Packed pictures (N, 128, 128, 3) with the boxes and looks of their items."""

    def __init__(self, pictures: NDArray, items: Sequence[Item]) -> None:
        self.pictures = pictures
        slots = max(len(item.layout) for item in items)
        self.boxes = torch.tensor([0.0, 0.0, 1.0, 1.0]).repeat(len(items), slots, 1)
        self.labels = torch.full((len(items), slots, 3), -1)
        for row, item in enumerate(items):
            for slot, box in enumerate(item.layout.boxes):
                self.boxes[row, slot] = torch.tensor(box.xyxy)
                self.labels[row, slot] = torch.tensor(_numbers(item.attributes[slot]))

    def batch(self, size: int, rng: torch.Generator) -> Batch:
        rows = torch.randint(len(self.pictures), (size,), generator=rng)
        pixels = as_pixels(self.pictures[rows.numpy()])
        return {
            "pixels": weathered(pixels, rng),
            "boxes_xyxy": self.boxes[rows],
            "labels": self.labels[rows],
        }


def _numbers(look: dict[str, str]) -> tuple[int, int, int]:
    kind, colour = list(KINDS).index(look["kind"]), list(COLOURS).index(look["colour"])
    return kind, colour, TEXTURES.index(look["texture"])


def weathered(pixels: Tensor, rng: torch.Generator) -> Tensor:
    """Blur and noise of random strength, so that generated pages are read as well as rendered ones.

    Half of the noise is coarse, as a generator's mistakes are: whole patches a little off.
    """
    blur, fine, coarse = (torch.rand(3, len(pixels), 1, 1, 1, generator=rng) ** 2).unbind()
    soft = _softened(_softened(pixels))
    grain = torch.randn(pixels.shape, generator=rng)
    patches = torch.randn(*pixels.shape[:2], 16, 16, generator=rng)
    patches = functional.interpolate(patches, pixels.shape[-2:], mode="bilinear")
    return pixels.lerp(soft, blur) + NOISE * (fine * grain + coarse * patches)


def _softened(pixels: Tensor) -> Tensor:
    return functional.avg_pool2d(pixels, 3, 1, 1, count_include_pad=False)


__all__ = ["DetectionData", "DetectionObjective", "focal_loss", "middles", "unit_box", "weathered"]
