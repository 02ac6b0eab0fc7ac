"""The U-Net's settings, and their reading from and writing to the config.json of diffusers."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, cast

from situ.scene.errors import SituError

DOWN_TYPES = {"DownBlock2D": False, "CrossAttnDownBlock2D": True}  # value: has attention
UP_TYPES = {"UpBlock2D": False, "CrossAttnUpBlock2D": True}

# Keys of diffusers whose every value but these would be another network.
FIXED: dict[str, tuple[Any, ...]] = {
    "_class_name": ("UNet2DConditionModel",),
    "act_fn": ("silu", "swish"),
    "addition_embed_type": (None,),
    "center_input_sample": (False,),
    "class_embed_type": (None,),
    "class_embeddings_concat": (False,),
    "conv_in_kernel": (3,),
    "conv_out_kernel": (3,),
    "cross_attention_norm": (None,),
    "downsample_padding": (1,),
    "dropout": (0, 0.0),
    "dual_cross_attention": (False,),
    "encoder_hid_dim": (None,),
    "encoder_hid_dim_type": (None,),
    "flip_sin_to_cos": (True,),
    "freq_shift": (0,),
    "mid_block_only_cross_attention": (None, False),
    "mid_block_scale_factor": (1, 1.0),
    "mid_block_type": ("UNetMidBlock2DCrossAttn",),
    "norm_eps": (1e-5,),
    "num_attention_heads": (None,),
    "num_class_embeds": (None,),
    "only_cross_attention": (False,),
    "resnet_out_scale_factor": (1, 1.0),
    "resnet_skip_time_act": (False,),
    "resnet_time_scale_shift": ("default",),
    "reverse_transformer_layers_per_block": (None,),
    "time_cond_proj_dim": (None,),
    "time_embedding_act_fn": (None,),
    "time_embedding_dim": (None,),
    "time_embedding_type": ("positional",),
    "timestep_post_act": (None,),
    "transformer_layers_per_block": (1,),
}
# Keys that change nothing here: they belong to parts that FIXED rules out, or to fp16 kernels.
HARMLESS = {
    "addition_embed_type_num_heads",
    "addition_time_embed_dim",
    "projection_class_embeddings_input_dim",
    "upcast_attention",
}


@dataclass(frozen=True)
class UNetConfig:
    """Settings of a U-Net of the SD-1.x / SD-2.x family; the default is SD-1.4.

    attention_head_dim is the NUMBER of heads, as in every published SD config.
    position_channels is ours: so many Fourier features of each cell's position enter after conv_in.
    """

    sample_size: int | None = 64
    in_channels: int = 4
    out_channels: int = 4
    block_out_channels: tuple[int, ...] = (320, 640, 1280, 1280)
    down_block_types: tuple[str, ...] = ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",)
    up_block_types: tuple[str, ...] = ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3
    layers_per_block: int | tuple[int, ...] = 2
    cross_attention_dim: int = 768
    attention_head_dim: int | tuple[int, ...] = 8
    norm_num_groups: int = 32
    use_linear_projection: bool = False
    attention_type: Literal["gated", "default"] = "default"
    position_channels: int = 0

    def __post_init__(self) -> None:
        self._check_counts()
        self._check_types()
        self._check_channels()

    @property
    def gated(self) -> bool:
        return self.attention_type == "gated"

    @property
    def layers(self) -> tuple[int, ...]:
        """Residual blocks per level, going down."""
        return self._per_level(self.layers_per_block)

    @property
    def heads(self) -> tuple[int, ...]:
        """Attention heads per level, going down."""
        return self._per_level(self.attention_head_dim)

    @classmethod
    def from_diffusers(cls, config: Mapping[str, Any]) -> "UNetConfig":
        """Read the contents of a unet/config.json; whatever this network cannot do is refused."""
        ours = {f.name for f in fields(cls)}
        for key, value in config.items():
            _check_foreign(key, value, ours)
        missing = {"cross_attention_dim": 1280, "sample_size": None}  # diffusers' own defaults
        kept = {key: _frozen(value) for key, value in config.items() if key in ours}
        return cls(**{**missing, **kept})

    def to_diffusers(self) -> dict[str, Any]:
        """The contents of a unet/config.json; `position_channels` appears only when it is on."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        if not self.position_channels:
            del values["position_channels"]
        lists = {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
        return {"_class_name": "UNet2DConditionModel", **lists}

    def _per_level(self, value: int | tuple[int, ...]) -> tuple[int, ...]:
        return (value,) * len(self.block_out_channels) if isinstance(value, int) else value

    def _check_counts(self) -> None:
        levels = len(self.block_out_channels)
        for name in (
            "down_block_types",
            "up_block_types",
            "layers_per_block",
            "attention_head_dim",
        ):
            value = getattr(self, name)
            if not isinstance(value, int) and len(value) != levels:
                raise SituError(
                    f"{name}: {value!r} has {len(value)} entries; give {levels}, "
                    "one for each of block_out_channels"
                )
        for name in ("in_channels", "out_channels", "cross_attention_dim", "norm_num_groups"):
            _check_positive(name, getattr(self, name))
        for name in ("block_out_channels", "layers", "heads"):
            for value in getattr(self, name):
                _check_positive(name, value)

    def _check_types(self) -> None:
        for name, allowed in (("down_block_types", DOWN_TYPES), ("up_block_types", UP_TYPES)):
            for value in getattr(self, name):
                _check_member(name, value, tuple(allowed))
        _check_member("attention_type", self.attention_type, ("default", "gated"))

    def _check_channels(self) -> None:
        for channels, heads in zip(self.block_out_channels, self.heads, strict=True):
            _check_divides("attention_head_dim (number of heads)", heads, channels)
            _check_divides("norm_num_groups", self.norm_num_groups, channels)
        if self.position_channels < 0 or self.position_channels % 4:
            raise SituError(
                f"position_channels: {self.position_channels} is not a multiple of 4 "
                "(sine and cosine of x and y); use 32, or 0 for none"
            )


def _check_positive(name: str, value: int) -> None:
    if not isinstance(value, int) or value < 1:
        raise SituError(f"{name}: {value!r} is not a positive whole number")


def _check_member(name: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        raise SituError(
            f"{name}: {value!r} is not supported; use {' or '.join(map(repr, allowed))}"
        )


def _check_divides(name: str, divisor: int, channels: int) -> None:
    if channels % divisor:
        raise SituError(
            f"{name}: {divisor} does not divide {channels} channels of block_out_channels"
        )


def _check_foreign(key: str, value: object, ours: set[str]) -> None:
    """A key that is not ours must be known to change nothing."""
    if key in FIXED:
        _check_member(key, value, FIXED[key])
    elif key == "use_gated_attention":
        raise SituError(
            f"{key}: a key of GLIGEN's fork of diffusers, which published diffusers ignores; "
            "replace it by attention_type = 'gated'"
        )
    elif key not in ours and key not in HARMLESS and not key.startswith("_") and value is not None:
        raise SituError(
            f"{key}: unknown U-Net setting with value {value!r}; remove it if it is off"
        )


def _frozen(value: object) -> object:
    return tuple(cast(list[object], value)) if isinstance(value, list) else value
