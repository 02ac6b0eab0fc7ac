"""Tensor names of GLIGEN's original checkpoints and of the diffusers folders this project reads.

An original file holds three networks in the layout of CompVis' latent diffusion: `model` (the gated
U-Net), `autoencoder` and `text_encoder`.
"""

import re
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from situ.models.unet import UNet
from situ.models.unet_config import DOWN_TYPES, UP_TYPES, UNetConfig
from situ.scene.errors import SituError

GLIGEN_SD14 = UNetConfig(attention_type="gated")

UNET_RESIDUAL = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
UNET_ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
    "position_net": "position_net",
}
AUTOENCODER_INNER = {
    "nin_shortcut": "conv_shortcut",
    "norm_out": "conv_norm_out",
    "mid.block_1": "mid_block.resnets.0",
    "mid.block_2": "mid_block.resnets.1",
    "mid.attn_1.norm": "mid_block.attentions.0.group_norm",
    "mid.attn_1.q": "mid_block.attentions.0.to_q",
    "mid.attn_1.k": "mid_block.attentions.0.to_k",
    "mid.attn_1.v": "mid_block.attentions.0.to_v",
    "mid.attn_1.proj_out": "mid_block.attentions.0.to_out.0",
}
TEXT_PREFIX = "transformer.text_model."


def original_unet_names(config: UNetConfig) -> dict[str, str]:
    """Our name -> the original's, for every tensor of the U-Net; one to one."""
    with torch.device("meta"):
        ours = UNet(config).state_dict()
    modules = _original_modules(config)
    return {name: _original_name(name, modules) for name in ours}


def unet_from_original(tensors: Mapping[str, Tensor], config: UNetConfig) -> dict[str, Tensor]:
    """Rename the `model` part; missing, unknown and misshapen tensors are errors."""
    names = original_unet_names(config)
    check_names("model", set(names.values()), tensors)
    return {ours: tensors[original] for ours, original in names.items()}


def unet_to_original(tensors: Mapping[str, Tensor], config: UNetConfig) -> dict[str, Tensor]:
    """The inverse of unet_from_original."""
    names = original_unet_names(config)
    check_names("unet", set(names), tensors)
    return {original: tensors[ours] for ours, original in names.items()}


def autoencoder_from_original(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the `autoencoder` part for AutoencoderKL, whose attention has no 1x1 convolutions."""
    levels = 1 + max((int(n) for n in _found(r"encoder\.down\.(\d+)\.", tensors)), default=0)
    renamed = {_autoencoder_name(name, levels): value for name, value in tensors.items()}
    return {
        name: value.flatten(1) if ".attentions." in name and value.ndim == 4 else value
        for name, value in renamed.items()
        if not name.startswith("loss.")  # the discriminator of its training
    }


def text_encoder_from_original(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the `text_encoder` part; position_ids was a buffer of old transformers versions."""
    strangers = [name for name in tensors if not name.startswith(TEXT_PREFIX)]
    if strangers:
        raise SituError(
            f"text_encoder: tensor {strangers[0]!r} is not of CLIP's text model, whose names begin "
            f"with {TEXT_PREFIX!r}; only GLIGEN files for Stable Diffusion can be converted"
        )
    return {
        "text_model." + name.removeprefix(TEXT_PREFIX): value
        for name, value in tensors.items()
        if not name.endswith(".position_ids")
    }


def check_names(part: str, wanted: set[str], given: Iterable[str]) -> None:
    """Strict loading, told in one line."""
    found = set(given)
    for verb, names in (("lacks", wanted - found), ("has unknown", found - wanted)):
        if names:
            raise SituError(
                f"{part}: {verb} {len(names)} tensor(s), the first {min(names)!r}; "
                "the file is of another network than the one it is read as"
            )


def _original_modules(config: UNetConfig) -> dict[str, str]:
    """Our module prefix -> the original's, which counts layers of all levels in one list."""
    return {**UNET_ENDS, **_down_modules(config), **_up_modules(config)}


def _down_modules(config: UNetConfig) -> dict[str, str]:
    names: dict[str, str] = {}
    block = 1
    for level, kind in enumerate(config.down_block_types):
        for layer in range(config.layers[level]):
            names[f"down_blocks.{level}.resnets.{layer}"] = f"input_blocks.{block}.0"
            if DOWN_TYPES[kind]:
                names[f"down_blocks.{level}.attentions.{layer}"] = f"input_blocks.{block}.1"
            block += 1
        if level < len(config.layers) - 1:
            names[f"down_blocks.{level}.downsamplers.0.conv"] = f"input_blocks.{block}.0.op"
            block += 1
    return names


def _up_modules(config: UNetConfig) -> dict[str, str]:
    names: dict[str, str] = {}
    block = 0
    for level, kind in enumerate(config.up_block_types):
        attention = UP_TYPES[kind]
        for layer in range(config.layers[-1 - level] + 1):
            names[f"up_blocks.{level}.resnets.{layer}"] = f"output_blocks.{block}.0"
            if attention:
                names[f"up_blocks.{level}.attentions.{layer}"] = f"output_blocks.{block}.1"
            block += 1
        if level < len(config.layers) - 1:  # it belongs to the last layer, behind its attention
            place = f"output_blocks.{block - 1}.{1 + attention}.conv"
            names[f"up_blocks.{level}.upsamplers.0.conv"] = place
    return names


def _original_name(name: str, modules: Mapping[str, str]) -> str:
    parts = name.split(".")
    cut = next(i for i in range(len(parts), 0, -1) if ".".join(parts[:i]) in modules)
    prefix, rest = ".".join(parts[:cut]), parts[cut:]
    if ".resnets." in prefix:
        rest = [UNET_RESIDUAL[rest[0]], *rest[1:]]
    return ".".join([modules[prefix], *rest])


def _autoencoder_name(name: str, levels: int) -> str:
    for old, new in AUTOENCODER_INNER.items():
        name = name.replace(f".{old}.", f".{new}.")
    name = re.sub(r"\.block\.(\d+)\.", r".resnets.\1.", name)
    name = re.sub(r"\.(down|up)sample\.conv\.", r".\1samplers.0.conv.", name)
    name = re.sub(r"^encoder\.down\.", "encoder.down_blocks.", name)
    # the decoder's levels were numbered from the picture, not in the order of execution
    return re.sub(
        r"^decoder\.up\.(\d+)\.",
        lambda found: f"decoder.up_blocks.{levels - 1 - int(found[1])}.",
        name,
    )


def _found(pattern: str, names: Iterable[str]) -> list[str]:
    return [match[1] for name in names if (match := re.match(pattern, name))]
