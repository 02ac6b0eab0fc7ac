"""Help for a small grounded network that learns from scratch: losses on its inside, by heads that are
thrown away after training.

Where a thing goes is learned from the noise alone only after a very long time. Three questions whose
answers are known exactly make it fast, each asked of every sample at every noise level:

owner    which object does a cell belong to? Asked of the gated attention itself, without a head.
place    where in its owner's box does a cell lie? Asked of the output of every gated layer.
picture  what will be seen there? Asked of the upper transformers, for a small copy of the clean picture.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from situ.models.attention import Maps, Site
from situ.models.transformer import GatedSelfAttention, SpatialTransformer
from situ.models.unet import UNet
from situ.ops.masks import cell_centres

WAVES = 4  # cosines along each side of a box
PIXELS = 8  # of the small picture, along the side of a cell: enough to see a texture


class Heads(nn.Module):
    """Linear readers of a U-Net's features; hooks keep what they read during a forward pass."""

    def __init__(self, unet: UNet) -> None:
        super().__init__()
        self.kept: dict[str, Tensor] = {}
        self.place, self.picture = nn.ModuleDict(), nn.ModuleDict()
        for name, module in unet.named_modules():
            if isinstance(module, GatedSelfAttention):
                width = module.norm1.normalized_shape[0]
                reader = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * WAVES))
                self.place[_key(name)] = reader
                module.register_forward_hook(self._keeper(name))
            elif isinstance(module, SpatialTransformer) and name.startswith("up_blocks"):
                width = module.norm.num_channels
                reader = nn.Conv2d(width, 3 * PIXELS**2, 1)
                self.picture[_key(name)] = nn.Sequential(nn.GroupNorm(1, width), reader)
                module.register_forward_hook(self._keeper(name))

    def _keeper(self, name: str) -> Callable[[nn.Module, tuple[object, ...], Tensor], None]:
        def keep(module: nn.Module, inputs: tuple[object, ...], output: Tensor) -> None:
            self.kept[_key(name)] = output

        return keep

    def place_loss(self, maps: Maps, boxes_xyxy: Tensor, masks: Tensor) -> Tensor:
        """Mean squared error of cos(pi k u), cos(pi k v) over owned cells; u, v in the owner's box."""
        losses = []
        for site in maps:
            key = _key(site.name.removesuffix(".attn"))
            told = self.place[key](self.kept[key]).float()  # [B, cells, 2 WAVES]
            true, owned = places(boxes_xyxy, masks, site)
            error = (told - true).square().mean(-1) * owned
            losses.append(error.sum() / owned.sum().clamp(min=1))
        return torch.stack(losses).mean()

    def picture_loss(self, pictures: Tensor) -> Tensor:
        """Mean squared error of the small picture (B, H, W, 3) uint8, as seen from each transformer."""
        clean = pictures.permute(0, 3, 1, 2).float() / 127.5 - 1
        losses = []
        for key, head in self.picture.items():
            told = functional.pixel_shuffle(head(self.kept[key]).float(), PIXELS)
            true = functional.interpolate(clean, told.shape[-2:], mode="area")
            losses.append((told - true).square().mean())
        return torch.stack(losses).mean()


def owner_loss(maps: Maps, boxes_xyxy: Tensor, masks: Tensor) -> Tensor:
    """Cross-entropy of the owner of each cell under the gated attention among the grounding tokens.

    maps: [B, heads, cells, cells + N] at each gated site; boxes [B, N, 4]; masks [B, N]. A cell without
    an owner should choose an empty slot. Samples whose grounding was dropped are left out.
    """
    losses = []
    for site, probs in maps.items():
        owner = cell_owner(boxes_xyxy, masks, site.height, site.width)  # [B, cells], -1 = none
        tokens = probs.mean(1)[..., -masks.shape[1] :].float()  # [B, cells, N]
        share = tokens / tokens.sum(-1, keepdim=True).clamp(min=1e-8)
        used = masks[:, None, :]
        choices = torch.cat([share * used, (share * (1 - used)).sum(-1, keepdim=True)], -1)
        target = torch.where(owner < 0, masks.shape[1], owner)
        picked = choices.gather(-1, target[..., None]).squeeze(-1).clamp(min=1e-6)
        has_any = masks.any(1).float()
        losses.append((-picked.log().mean(1) * has_any).sum() / has_any.sum().clamp(min=1))
    return torch.stack(losses).mean()


def cell_owner(boxes_xyxy: Tensor, masks: Tensor, height: int, width: int) -> Tensor:
    """The slot whose box holds each cell's centre, the lowest on the page if several do; -1 for none."""
    cells = cell_centres(height, width, boxes_xyxy.device).flatten(0, 1)  # [cells, 2]
    x, y = cells[:, 0, None], cells[:, 1, None]
    x0, y0, x1, y1 = (v[:, None, :] for v in boxes_xyxy.unbind(-1))  # [B, 1, N]
    inside = (x >= x0) & (x < x1) & (y >= y0) & (y < y1) & masks.bool()[:, None, :]
    depth = torch.where(inside, y1, -1.0)  # [B, cells, N]
    nearest, slot = depth.max(-1)
    return torch.where(nearest < 0, -1, slot)


def places(boxes_xyxy: Tensor, masks: Tensor, site: Site) -> tuple[Tensor, Tensor]:
    """cos(pi k u), cos(pi k v) of each cell in its owner's box [B, cells, 2 WAVES], and who is owned."""
    owner = cell_owner(boxes_xyxy, masks, site.height, site.width)
    picked = owner.clamp(min=0)[..., None].expand(-1, -1, 4)
    box = boxes_xyxy.gather(1, picked)  # [B, cells, 4]
    cells = cell_centres(site.height, site.width, boxes_xyxy.device).flatten(0, 1)
    side = (box[..., 2:] - box[..., :2]).clamp(min=1e-3)
    inside = ((cells - box[..., :2]) / side).clamp(0, 1)  # [B, cells, 2]
    waves = math.pi * torch.arange(1, WAVES + 1, device=boxes_xyxy.device)
    return (inside[..., None] * waves).cos().flatten(-2), (owner >= 0).float()


def _key(name: str) -> str:
    return name.replace(".", "_")  # a dot cannot be part of a module's name
