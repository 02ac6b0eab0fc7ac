"""Transformer blocks of the U-Net, with GLIGEN's gated self-attention inside."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, linear

from situ.models.attention import Attention, Run, Size, Stop
from situ.ops.fourier import fourier_features
from situ.scene.errors import SituError


class GEGLU(nn.Module):
    """Gated linear unit with an exact GELU (Shazeer 2020)."""

    def __init__(self, dim: int, inner: int) -> None:
        super().__init__()
        self.proj = nn.Linear(dim, 2 * inner)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.proj(x).chunk(2, dim=-1)
        return value * gelu(gate)


class FeedForward(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.net = nn.Sequential(GEGLU(dim, 4 * dim), nn.Identity(), nn.Linear(4 * dim, dim))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class GatedSelfAttention(nn.Module):
    """GLIGEN's layer (Li et al. 2023, eq. 4) and the gated feed-forward the paper leaves out.

    x <- x + gate tanh(alpha_attn) SelfAttention(LN([x; W grounding])) on the visual rows
    x <- x + gate tanh(alpha_dense) FeedForward(LN(x))
    """

    def __init__(self, dim: int, heads: int, grounding_dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(grounding_dim, dim)
        self.attn = Attention("gated", dim, heads)
        self.ff = FeedForward(dim)
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)
        self.alpha_attn = nn.Parameter(torch.zeros(()))
        self.alpha_dense = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor, grounding: Tensor, run: Run, size: Size) -> Tensor:
        """x [B, n, C], grounding [B, N, D] -> [B, n, C]"""
        seen = self.norm1(torch.cat([x, self.linear(grounding).to(x.dtype)], dim=1))
        # only visual rows ask: the rows of the objects would be thrown away
        y = self.attn(seen[:, : x.shape[1]], seen, seen, run, size)
        x = x + (run.gate * self.alpha_attn.tanh()).to(x.dtype) * y
        return x + (run.gate * self.alpha_dense.tanh()).to(x.dtype) * self.ff(self.norm2(x))


class TransformerBlock(nn.Module):
    """Self-attention, gated self-attention, cross-attention, feed-forward; all residual."""

    def __init__(self, dim: int, heads: int, context_dim: int, gated: bool) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attn1 = Attention("self", dim, heads)
        self.fuser = GatedSelfAttention(dim, heads, context_dim) if gated else None
        self.norm2 = nn.LayerNorm(dim)
        self.attn2 = Attention("cross", dim, heads, context_dim)
        self.norm3 = nn.LayerNorm(dim)
        self.ff = FeedForward(dim)

    def forward(self, x: Tensor, run: Run, size: Size) -> Tensor:
        """x [B, n, C] -> [B, n, C], n = height * width"""
        y = self.norm1(x)
        x = x + self.attn1(y, y, y, run, size)
        if self.fuser is not None and run.grounding is not None:
            x = self.fuser(x, run.grounding, run, size)
        x = x + self.attn2(self.norm2(x), run.context.key, run.context.value, run, size)
        return x + self.ff(self.norm3(x))

    def attentions(self) -> list[Attention]:
        """In the order of execution."""
        gated = [self.fuser.attn] if self.fuser is not None else []
        return [self.attn1, *gated, self.attn2]


class SpatialTransformer(nn.Module):
    """A transformer block over the cells of a feature map, between two projections."""

    def __init__(
        self, dim: int, heads: int, context_dim: int, groups: int, linear: bool, gated: bool
    ) -> None:
        super().__init__()
        project: Callable[[], nn.Module] = (
            (lambda: nn.Linear(dim, dim)) if linear else (lambda: nn.Conv2d(dim, dim, 1))
        )
        self.norm = nn.GroupNorm(groups, dim, eps=1e-6)
        self.proj_in = project()
        self.transformer_blocks = nn.ModuleList([TransformerBlock(dim, heads, context_dim, gated)])
        self.proj_out = project()

    def forward(self, x: Tensor, run: Run) -> Tensor:
        """x [B, C, h, w] -> [B, C, h, w]"""
        y = run.call(self._until_stop, x, run)
        if y is None:
            raise Stop
        return y

    def _until_stop(self, x: Tensor, run: Run) -> Tensor | None:
        try:
            return self._transform(x, run)
        except Stop:  # activation checkpointing must see the function return
            return None

    def _transform(self, x: Tensor, run: Run) -> Tensor:
        size = (x.shape[-2], x.shape[-1])
        y = self.norm(x).permute(0, 2, 3, 1).flatten(1, 2)  # [B, h w, C], a view if channels last
        y = _per_cell(self.proj_in, y)
        y = self.transformer_blocks[0](y, run, size)
        y = _per_cell(self.proj_out, y)
        return x + y.unflatten(1, size).permute(0, 3, 1, 2)

    def attentions(self) -> list[Attention]:
        block = self.transformer_blocks[0]
        assert isinstance(block, TransformerBlock)
        return block.attentions()


def _per_cell(layer: nn.Module, x: Tensor) -> Tensor:
    """A linear layer, or the 1x1 convolution that SD-1.x stores in its place."""
    assert isinstance(layer, nn.Linear | nn.Conv2d)
    return linear(x, layer.weight.flatten(1), layer.bias)


class PositionNet(nn.Module):
    """Phrase and box of each object -> its grounding token (Li et al. 2023, eq. 5).

    An empty slot gets learned null features in place of its phrase and box; it still makes a token.
    """

    null_positive_feature: Tensor
    null_position_feature: Tensor

    def __init__(self, dim: int, frequencies: int = 8, hidden: int = 512) -> None:
        super().__init__()
        self.frequencies = frequencies
        features = 2 * frequencies * 4
        self.null_positive_feature = nn.Parameter(torch.zeros(dim))
        self.null_position_feature = nn.Parameter(torch.zeros(features))
        self.linears = nn.Sequential(
            nn.Linear(dim + features, hidden),
            nn.SiLU(),
            nn.Linear(hidden, hidden),
            nn.SiLU(),
            nn.Linear(hidden, dim),
        )

    def forward(self, boxes_xyxy: Tensor, masks: Tensor, phrases: Tensor) -> Tensor:
        """boxes [B, N, 4] fp32 in 0..1, masks [B, N] of 0/1, phrases [B, N, D] -> [B, N, D]"""
        _need_fp32(boxes_xyxy)
        real = masks.bool()[..., None]
        features = fourier_features(boxes_xyxy, self.frequencies)
        # where, not a product: whatever an empty slot holds, even NaN, must not matter
        phrase = torch.where(real, phrases.float(), self.null_positive_feature.float())
        position = torch.where(real, features, self.null_position_feature.float())
        return self.linears(torch.cat([phrase, position], dim=-1).to(self._dtype))

    @property
    def _dtype(self) -> torch.dtype:
        return self.null_positive_feature.dtype


def _need_fp32(boxes_xyxy: Tensor) -> None:
    if boxes_xyxy.dtype not in (torch.float32, torch.float64):
        raise SituError(
            f"boxes: dtype {boxes_xyxy.dtype} rounds coordinates too far for the Fourier features; "
            "keep boxes in float32 from the layout on"
        )
