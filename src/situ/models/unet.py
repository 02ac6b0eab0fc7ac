"""The denoising U-Net of SD-1.x and SD-2.x, with GLIGEN's gated layers.

Parameter names are those of diffusers' UNet2DConditionModel, so its weights load as they are.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from situ.models.attention import Attend, Attention, Context, Run, Site, Stop
from situ.models.transformer import PositionNet, SpatialTransformer
from situ.models.unet_blocks import (
    DownLevel,
    Level,
    MiddleLevel,
    ResidualBlock,
    TimeEmbedding,
    timestep_features,
    up_levels,
)
from situ.models.unet_config import UNetConfig
from situ.ops.fourier import fourier_features
from situ.ops.masks import cell_centres
from situ.scene.errors import SituError

if TYPE_CHECKING:
    from situ.diffusion.schedule import Step


class UNet(nn.Module):
    """(noisy latent, time, text, grounding) -> what the schedule's prediction says: eps or v.

    plain_attention: explicit softmax(q k^T) v, whose backward is faster than fused attention's on a
    CPU. checkpointing: compute activations again on the way back instead of keeping them.
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        self.plain_attention = False
        self.checkpointing = False
        dims = config.block_out_channels
        self.conv_in = nn.Conv2d(config.in_channels, dims[0], 3, padding=1)
        if config.position_channels:
            self.position_in = nn.Linear(config.position_channels, dims[0], bias=False)
        self.time_embedding = TimeEmbedding(dims[0], 4 * dims[0])
        self.down_blocks = nn.ModuleList(DownLevel(config, i) for i in range(len(dims)))
        self.mid_block = MiddleLevel(config)
        self.up_blocks = nn.ModuleList(up_levels(config))
        self.conv_norm_out = nn.GroupNorm(config.norm_num_groups, dims[0], eps=1e-5)
        self.conv_out = nn.Conv2d(dims[0], config.out_channels, 3, padding=1)
        if config.gated:
            self.position_net = PositionNet(config.cross_attention_dim)
        self._name_sites()

    def forward(
        self,
        z: Tensor,
        t: Tensor | int,
        context: Tensor | Context,
        grounding: Tensor | None = None,
        gate: float | Tensor = 1.0,
        attend: Attend | None = None,
        step: "Step | None" = None,
        stop_after: Site | None = None,
    ) -> Tensor | None:
        """z [B, C, h, w], t [B], context [B, L, D], grounding [B, N, D], gate [B] -> [B, C', h, w].

        grounding None or gate 0.0 skips the gated layers. A pass stopped after a site gives None.
        """
        if isinstance(context, Tensor):
            context = Context(context, context)
        if not isinstance(gate, Tensor) and gate == 0:
            grounding = None
        self._check(z, t, context, grounding, gate, stop_after)
        run = Run(
            Context(context.key.to(self.dtype), context.value.to(self.dtype)),
            None if grounding is None else grounding.to(self.dtype),
            gate[:, None, None] if isinstance(gate, Tensor) and gate.ndim else gate,
            attend,
            step,
            stop_after.name if stop_after else None,
            self.plain_attention,
            self.checkpointing,
        )
        try:
            return self._denoise(z.to(self.dtype), t, run).to(z.dtype)
        except Stop:
            return None

    def _denoise(self, z: Tensor, t: Tensor | int, run: Run) -> Tensor:
        time = self._time(t, z)  # [B, T]
        skips = [self._enter(z)]  # [B, C0, h, w]
        for block in self.down_blocks:
            skips += block(skips[-1], time, run)  # ... [B, C0, h/2, w/2] ... [B, C1, h/4, w/4] ...
        x = self.mid_block(skips[-1], time, run)  # [B, Cn, h/2^n, w/2^n]
        for block in self.up_blocks:
            x = block(x, time, skips, run)  # ... [B, C0, h, w]
        return self.conv_out(silu(self.conv_norm_out(x)))  # [B, C', h, w]

    def _enter(self, z: Tensor) -> Tensor:
        x = self.conv_in(z)
        if not self.config.position_channels:
            return x
        cells = cell_centres(z.shape[-2], z.shape[-1], z.device)  # [h, w, 2]
        features = fourier_features(cells, self.config.position_channels // 4)
        return x + self.position_in(features.to(self.dtype)).permute(2, 0, 1)

    def _time(self, t: Tensor | int, z: Tensor) -> Tensor:
        steps = torch.as_tensor(t, device=z.device).expand(z.shape[0])
        features = timestep_features(steps, self.config.block_out_channels[0])
        # every residual block starts by activating it: done once here
        return silu(self.time_embedding(features.to(self.dtype)))

    @property
    def dtype(self) -> torch.dtype:
        return self.conv_in.weight.dtype

    def sites(self, height: int, width: int) -> tuple[Site, ...]:
        """Every attention site for a latent of this size, in the order of execution."""
        sizes = [(height, width)]
        for _ in self.down_blocks[1:]:
            sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
        levels = [*self.down_blocks, self.mid_block, *self.up_blocks]
        return tuple(
            attention.site(size)
            for level, size in zip(levels, [*sizes, sizes[-1], *reversed(sizes)], strict=True)
            for attention in _attentions(level)
        )

    def zero_residuals_(self) -> "UNet":
        """Start residual branches, transformers and output at zero, as latent diffusion trains."""
        for module in self.modules():
            if isinstance(module, ResidualBlock):
                _zero(module.conv2)
            elif isinstance(module, SpatialTransformer):
                _zero(module.proj_out)
        _zero(self.conv_out)
        return self

    def _name_sites(self) -> None:
        for name, module in self.named_modules():
            if isinstance(module, Attention):
                module.name = name
                module.place = "down" if name[0] == "d" else "up" if name[0] == "u" else "mid"

    def _check(
        self,
        z: Tensor,
        t: Tensor | int,
        context: Context,
        grounding: Tensor | None,
        gate: float | Tensor,
        stop_after: Site | None,
    ) -> None:
        batch, dim = z.shape[0], self.config.cross_attention_dim
        _check_shape("z", z, (None, self.config.in_channels, None, None))
        _check_shape("context", context.key, (batch, None, dim))
        _check_shape("context", context.value, (batch, context.key.shape[1], dim))
        for name, value in (("t", t), ("gate", gate)):
            if isinstance(value, Tensor) and value.ndim:
                _check_shape(name, value, (batch,))
        if grounding is not None:
            self._check_grounding(grounding, batch)
        if stop_after is not None:
            self._check_stop(stop_after, grounding)

    def _check_grounding(self, grounding: Tensor, batch: int) -> None:
        _check_shape("grounding", grounding, (batch, None, self.config.cross_attention_dim))
        if not self.config.gated:
            raise SituError(
                "grounding: this U-Net has attention_type 'default' and no gated layers; "
                "load GLIGEN weights, or give grounding=None"
            )

    def _check_stop(self, site: Site, grounding: Tensor | None) -> None:
        if site.kind == "gated" and grounding is None:
            raise SituError(
                f"stop_after: {site.name} does not run without grounding or with gate 0; "
                "stop after a self or cross site"
            )
        if site.name not in {known.name for known in self.sites(1, 1)}:
            raise SituError(f"stop_after: no site {site.name!r}; take one of unet.sites(h, w)")


def _attentions(level: nn.Module) -> list[Attention]:
    assert isinstance(level, Level)
    layers = [layer for layer in level.attentions if isinstance(layer, SpatialTransformer)]
    return [attention for layer in layers for attention in layer.attentions()]


def _zero(layer: nn.Module) -> None:
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


def _check_shape(name: str, value: Tensor, shape: tuple[int | None, ...]) -> None:
    fits = value.ndim == len(shape) and all(
        want in (None, have) for want, have in zip(shape, value.shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("any" if want is None else str(want) for want in shape)
        raise SituError(f"{name}: shape {tuple(value.shape)} does not fit; give [{wanted}]")
