"""Residual blocks, resampling and the levels of the U-Net."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, silu

from situ.models.attention import Run
from situ.models.transformer import SpatialTransformer
from situ.models.unet_config import DOWN_TYPES, UP_TYPES, UNetConfig


def timestep_features(t: Tensor, dim: int) -> Tensor:
    """t [B] -> [B, dim] in fp32: cosines, then sines, of 10000^(-k / (dim / 2)) t."""
    half = dim // 2
    ladder = torch.exp(-math.log(10000.0) * torch.arange(half, device=t.device).float() / half)
    phase = t.float()[:, None] * ladder
    return torch.cat([phase.cos(), phase.sin()], dim=-1)


class TimeEmbedding(nn.Module):
    def __init__(self, features: int, dim: int) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(features, dim)
        self.linear_2 = nn.Linear(dim, dim)

    def forward(self, features: Tensor) -> Tensor:
        return self.linear_2(silu(self.linear_1(features)))


class ResidualBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, time_dim: int, groups: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, inputs, eps=1e-5)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.time_emb_proj = nn.Linear(time_dim, outputs)
        self.norm2 = nn.GroupNorm(groups, outputs, eps=1e-5)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else None

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """x [B, C, h, w], time [B, T] already activated -> [B, C', h, w]"""
        y = self.conv1(silu(self.norm1(x)))
        y = y + self.time_emb_proj(time)[:, :, None, None]
        y = self.conv2(silu(self.norm2(y)))
        return y + (x if self.conv_shortcut is None else self.conv_shortcut(x))


class Downsample(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class Upsample(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, size: torch.Size) -> Tensor:
        return self.conv(interpolate(x, size=tuple(size), mode="nearest"))


class Level(nn.Module):
    """Residual blocks of one resolution; the first `attentions` of them with a transformer."""

    def __init__(self, config: UNetConfig, level: int, inputs: list[int], attentions: int) -> None:
        """inputs: the channels that arrive at each residual block."""
        super().__init__()
        dim, groups = config.block_out_channels[level], config.norm_num_groups
        time_dim = 4 * config.block_out_channels[0]
        self.resnets = nn.ModuleList(ResidualBlock(c, dim, time_dim, groups) for c in inputs)
        self.attentions = nn.ModuleList(
            SpatialTransformer(
                dim,
                config.heads[level],
                config.cross_attention_dim,
                groups,
                config.use_linear_projection,
                config.gated,
            )
            for _ in range(attentions)
        )

    def apply_layer(self, index: int, x: Tensor, time: Tensor, run: Run) -> Tensor:
        x = run.call(self.resnets[index], x, time)
        return self.attentions[index](x, run) if len(self.attentions) else x


class DownLevel(Level):
    def __init__(self, config: UNetConfig, level: int) -> None:
        dims, count = config.block_out_channels, config.layers[level]
        inputs = [dims[max(level - 1, 0)]] + [dims[level]] * (count - 1)
        attentions = count if DOWN_TYPES[config.down_block_types[level]] else 0
        super().__init__(config, level, inputs, attentions)
        last = level == len(dims) - 1
        self.downsamplers = nn.ModuleList([] if last else [Downsample(dims[level])])

    def forward(self, x: Tensor, time: Tensor, run: Run) -> list[Tensor]:
        """Every feature map that the way up reads; the last one is the output."""
        maps = [x]
        for i in range(len(self.resnets)):
            maps.append(self.apply_layer(i, maps[-1], time, run))
        for downsample in self.downsamplers:
            maps.append(downsample(maps[-1]))
        return maps[1:]


class MiddleLevel(Level):
    def __init__(self, config: UNetConfig) -> None:
        super().__init__(config, -1, [config.block_out_channels[-1]] * 2, attentions=1)

    def forward(self, x: Tensor, time: Tensor, run: Run) -> Tensor:
        x = self.apply_layer(0, x, time, run)
        return run.call(self.resnets[1], x, time)


class UpLevel(Level):
    def __init__(self, config: UNetConfig, level: int, skips: list[int]) -> None:
        """skips: channels of the feature maps left on the way down; takes its own off the end."""
        dims, count = config.block_out_channels, config.layers[level] + 1
        arriving = [dims[min(level + 1, len(dims) - 1)]] + [dims[level]] * (count - 1)
        attentions = count if UP_TYPES[config.up_block_types[-1 - level]] else 0
        super().__init__(config, level, [c + skips.pop() for c in arriving], attentions)
        self.upsamplers = nn.ModuleList([Upsample(dims[level])] if level else [])

    def forward(self, x: Tensor, time: Tensor, skips: list[Tensor], run: Run) -> Tensor:
        for i in range(len(self.resnets)):
            x = self.apply_layer(i, torch.cat([x, skips.pop()], dim=1), time, run)
        for upsample in self.upsamplers:
            x = upsample(x, skips[-1].shape[-2:])
        return x


def up_levels(config: UNetConfig) -> list[UpLevel]:
    """From the deepest level to the first."""
    dims, skips = config.block_out_channels, [config.block_out_channels[0]]
    for level, dim in enumerate(dims):
        skips += [dim] * (config.layers[level] + (level < len(dims) - 1))
    return [UpLevel(config, level, skips) for level in reversed(range(len(dims)))]
