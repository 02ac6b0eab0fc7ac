"""A grounded U-Net as the files that ComfyUI's own nodes load, in the tensor names of latent diffusion.

gligen.safetensors   the gated layers and position_net, for its GLIGEN loader (models/gligen)
unet.safetensors     all other layers, for its diffusion model loader (models/diffusion_models); or
lora.safetensors     what they changed of a base model, for its LoRA loader (models/loras)

GOAL tunes self- and cross-attention, too, so the first file alone is not the tuned model.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from situ.files import atomic
from situ.models.backbone import Backbone
from situ.models.gligen_checkpoint import original_unet_names
from situ.models.unet_config import UNetConfig
from situ.scene import SituError

GLIGEN, UNET, LORA = "gligen.safetensors", "unet.safetensors", "lora.safetensors"
GATED = ".fuser."
POSITION = "position_net."
HEADS_OF_768, HEAD_WIDTH = (
    8,
    64,
)  # its loader knows SD 1.x by the width of texts, and tells heads from it

Weights = dict[str, Tensor]


def write_comfyui(
    backbone: Backbone,
    folder: Path,
    dtype: torch.dtype = torch.float16,
    base: Backbone | None = None,
) -> list[Path]:
    """Write the two files below `folder` and return them; with `base` the second holds the difference.

    Raises SituError where ComfyUI has no such network, or base is of another kind or equal. Each is atomic.
    """
    config = backbone.unet.config
    _check_config(backbone.name, config)
    state = backbone.unet.state_dict()
    files = {folder / GLIGEN: gligen_patch(state, config)}
    if base is None:
        files[folder / UNET] = plain_unet(state, config)
    else:
        files[folder / LORA] = lora(state, config, base)
    for path, tensors in files.items():
        kept = {n: t.detach().to("cpu", dtype).contiguous() for n, t in tensors.items()}
        atomic.replace(path, lambda temporary, kept=kept: save_file(kept, temporary))
    return list(files)


def gligen_patch(state: Mapping[str, Tensor], config: UNetConfig) -> Weights:
    """The gated layers and position_net under their original names."""
    names = original_unet_names(config)
    return {names[name]: tensor for name, tensor in state.items() if _grounds(name)}


def plain_unet(state: Mapping[str, Tensor], config: UNetConfig) -> Weights:
    """Everything else under its original name, without the prefix of whole checkpoints."""
    names = original_unet_names(config)
    return {names[name]: tensor for name, tensor in state.items() if not _grounds(name)}


def lora(state: Mapping[str, Tensor], config: UNetConfig, base: Backbone) -> Weights:
    """What the layers that do not ground changed of a base, gated or not, as full matrices: `diff` of a
    weight and `diff_b` of a bias, below the layer's original name with underscores for dots."""
    if replace(base.unet.config, attention_type=config.attention_type) != config:
        raise SituError(
            f"base: {base.name} is of another kind than the model; give the one it was tuned from"
        )
    before, after = plain_unet(base.unet.state_dict(), base.unet.config), plain_unet(state, config)
    changed = {n: after[n].float() - before[n].to(after[n].device).float() for n in after}
    found = {_lora_name(n): d for n, d in changed.items() if bool((d != 0).any())}
    if not found:
        raise SituError(f"base: only gated layers differ from {base.name}; leave the base out")
    return found


def _lora_name(original: str) -> str:
    layer, kind = original.rsplit(".", 1)
    return f"lora_unet_{layer.replace('.', '_')}.{'diff' if kind == 'weight' else 'diff_b'}"


def _grounds(name: str) -> bool:
    return GATED in name or name.startswith(POSITION)


def _check_config(name: str, config: UNetConfig) -> None:
    """Its loaders guess the network from the shapes, and know those of SD 1.x and 2.x only."""
    if (replace(config, sample_size=64, in_channels=4), config.heads) not in _known():
        raise SituError(
            f"export: {name} is not a GLIGEN of Stable Diffusion 1.x or 2.x, the only ones that ComfyUI "
            "loads; use --format diffusers"
        )


def _known() -> list[tuple[UNetConfig, tuple[int, ...]]]:
    """SD 1.x and 2.x with GLIGEN's layers, and their heads, however the settings write them."""
    one = UNetConfig(attention_type="gated")
    heads = tuple(width // HEAD_WIDTH for width in one.block_out_channels)
    two = replace(
        one, cross_attention_dim=1024, use_linear_projection=True, attention_head_dim=heads
    )
    eight = (HEADS_OF_768,) * len(heads)
    return [(one, eight), (replace(one, attention_head_dim=eight), eight), (two, heads)]


__all__ = ["gligen_patch", "lora", "plain_unet", "write_comfyui"]
