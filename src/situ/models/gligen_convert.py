"""Convert an original GLIGEN file (one pickle) into a diffusers folder (safetensors and JSON)."""

import json
import shutil
import zipfile
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from situ.models.gligen_checkpoint import (
    GLIGEN_SD14,
    autoencoder_from_original,
    check_names,
    text_encoder_from_original,
    unet_from_original,
)
from situ.models.unet import UNet
from situ.models.unet_config import UNetConfig
from situ.scene.errors import SituError

Weights = dict[str, Tensor]
PARTS = ("model", "text_encoder", "autoencoder")
SCHEDULER = {  # Stable Diffusion 1.4's
    "_class_name": "PNDMScheduler",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
}
INDEX = {
    "_class_name": "StableDiffusionGLIGENPipeline",
    "feature_extractor": [None, None],
    "requires_safety_checker": False,
    "safety_checker": [None, None],
    "scheduler": ["diffusers", "PNDMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}


class Ignored:
    """Stands in for the settings objects of OmegaConf inside the pickle; does and keeps nothing."""

    def __new__(cls, *_: object) -> "Ignored":
        return super().__new__(cls)

    def __init__(self, *_: object) -> None: ...

    def __setstate__(self, _: object) -> None: ...


# What the pickle may name besides tensors. Everything of OmegaConf is replaced by Ignored, so no
# code of the file or of that library runs; the rest are plain containers and types.
ALLOWED: list[Any] = [
    *(
        (Ignored, f"omegaconf.{name}")
        for name in (
            "dictconfig.DictConfig",
            "listconfig.ListConfig",
            "base.ContainerMetadata",
            "base.Metadata",
            "nodes.AnyNode",
            "nodes.BooleanNode",
            "nodes.FloatNode",
            "nodes.IntegerNode",
            "nodes.StringNode",
        )
    ),
    (Ignored, "typing.Any"),
    *(dict, list, tuple, int, float, str, bool, defaultdict),
]


def convert(source: Path, folder: Path, tokenizer: Path, config: UNetConfig = GLIGEN_SD14) -> Path:
    """Write `folder` in the layout of diffusers from an original GLIGEN checkpoint; returns it.

    tokenizer: the `tokenizer` folder of any Stable Diffusion 1.x, which GLIGEN's file lacks.
    """
    _check_paths(folder, tokenizer)
    parts = read_original(source)
    channels = parts["model"].get("input_blocks.0.0.weight", torch.empty(0, 4)).shape[1]
    config = replace(config, in_channels=channels)  # 9 for inpainting
    unet = unet_from_original(parts["model"], config)
    _check_shapes("model", unet, _unet_on_meta(config))
    vae = autoencoder_from_original(parts["autoencoder"])
    vae_config = autoencoder_config(vae)
    _check_shapes("autoencoder", vae, _autoencoder_on_meta(vae_config))
    text = text_encoder_from_original(parts["text_encoder"])
    text_config = text_encoder_config(text)
    _check_shapes("text_encoder", text, _text_encoder_on_meta(text_config))

    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    _write(partial / "unet", "diffusion_pytorch_model", unet, config.to_diffusers())
    _write(partial / "vae", "diffusion_pytorch_model", vae, vae_config)
    _write(partial / "text_encoder", "model", text, text_config)
    _write_json(partial / "scheduler" / "scheduler_config.json", SCHEDULER)
    _write_json(partial / "model_index.json", INDEX)
    shutil.copytree(tokenizer, partial / "tokenizer")
    return partial.rename(folder)


def read_original(source: Path) -> dict[str, Weights]:
    """The three networks of the pickle, read without running any of its code."""
    if not zipfile.is_zipfile(source):
        what = "not a PyTorch checkpoint" if source.is_file() else "no such file"
        raise SituError(f"{source}: {what}; give an original GLIGEN file (.bin or .pth)")
    try:
        with torch.serialization.safe_globals(ALLOWED):
            content = torch.load(source, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # a damaged pickle can fail in any way
        raise SituError(_unreadable(source, error)) from error
    missing = [part for part in PARTS if not isinstance(_get(content, part), Mapping)]
    if missing:
        raise SituError(
            f"{source}: lacks {', '.join(missing)}; an original GLIGEN checkpoint holds "
            f"{', '.join(PARTS)}. Files in diffusers' layout need no conversion"
        )
    return {part: dict(content[part]) for part in PARTS}


def autoencoder_config(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    """AutoencoderKL's config.json, from the shapes."""
    widths: list[int] = []
    while (name := f"encoder.down_blocks.{len(widths)}.resnets.0.conv1.weight") in weights:
        widths.append(weights[name].shape[0])
    layers = sum(
        name.startswith("encoder.down_blocks.0.resnets.") and name.endswith(".conv1.weight")
        for name in weights
    )
    return {
        "_class_name": "AutoencoderKL",
        "in_channels": 3,
        "out_channels": 3,
        "latent_channels": 4,
        "sample_size": 512,
        "act_fn": "silu",
        "norm_num_groups": 32,
        "block_out_channels": widths,
        "layers_per_block": layers,
        "down_block_types": ["DownEncoderBlock2D"] * len(widths),
        "up_block_types": ["UpDecoderBlock2D"] * len(widths),
        "scaling_factor": 0.18215,
    }


def text_encoder_config(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    """CLIPTextModel's config.json, from the shapes; a head of CLIP is always 64 wide."""
    prefix = "text_model."
    try:
        words, width = weights[prefix + "embeddings.token_embedding.weight"].shape
        length = weights[prefix + "embeddings.position_embedding.weight"].shape[0]
        inner = weights[prefix + "encoder.layers.0.mlp.fc1.weight"].shape[0]
    except KeyError as error:
        raise SituError(
            f"text_encoder: lacks tensor {error}; the file does not hold CLIP's text model"
        ) from None
    layers = sum(name.endswith(".mlp.fc1.weight") for name in weights)
    return {
        "architectures": ["CLIPTextModel"],
        "model_type": "clip_text_model",
        "hidden_act": "quick_gelu",
        "hidden_size": width,
        "intermediate_size": inner,
        "max_position_embeddings": length,
        "num_attention_heads": max(1, width // 64),
        "num_hidden_layers": layers,
        "projection_dim": width,
        "vocab_size": words,
        "layer_norm_eps": 1e-5,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "pad_token_id": 1,
    }


def _get(content: object, part: str) -> object:
    return content.get(part) if isinstance(content, Mapping) else None


def _unreadable(source: Path, error: Exception) -> str:
    named = str(error).split("GLOBAL ")
    if len(named) > 1:
        culprit = named[1].split()[0]
        return (
            f"{source}: holds {culprit}, which is neither a tensor nor a plain container, and "
            "loading it could run code; re-save the file with only its 'model', 'text_encoder' "
            "and 'autoencoder' entries on a machine that trusts it"
        )
    return f"{source}: cannot be read as a PyTorch checkpoint ({str(error).splitlines()[0]})"


def _check_paths(folder: Path, tokenizer: Path) -> None:
    if folder.exists():
        raise SituError(f"folder: {folder} exists already; give a new name or remove it")
    choices = (("tokenizer.json",), ("vocab.json", "merges.txt"))
    if not any(all((tokenizer / name).is_file() for name in choice) for choice in choices):
        raise SituError(
            f"tokenizer: {tokenizer} holds neither tokenizer.json nor vocab.json and merges.txt; "
            "give the 'tokenizer' folder of any Stable Diffusion 1.x"
        )


def _check_shapes(part: str, given: Weights, wanted: Weights) -> None:
    check_names(part, set(wanted), given)
    for name, tensor in given.items():
        if tensor.shape != wanted[name].shape:
            raise SituError(
                f"{part}: {name} has shape {tuple(tensor.shape)}, the network needs "
                f"{tuple(wanted[name].shape)}; the file is of another network"
            )


def _unet_on_meta(config: UNetConfig) -> Weights:
    with torch.device("meta"):
        return UNet(config).state_dict()


def _autoencoder_on_meta(config: Mapping[str, Any]) -> Weights:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    with torch.device("meta"):
        return AutoencoderKL.from_config(config).state_dict()  # pyright: ignore


def _text_encoder_on_meta(config: Mapping[str, Any]) -> Weights:
    from transformers import CLIPTextConfig, CLIPTextModel

    with torch.device("meta"):
        weights = CLIPTextModel(CLIPTextConfig(**config)).state_dict()
    # from transformers 5 on the model's own names lack the prefix that all files have
    return {"text_model." + name.removeprefix("text_model."): t for name, t in weights.items()}


def _write(folder: Path, name: str, weights: Weights, config: Mapping[str, Any]) -> None:
    _write_json(folder / "config.json", config)
    save_file(
        {key: value.contiguous() for key, value in weights.items()},
        folder / f"{name}.safetensors",
        metadata={"format": "pt"},
    )


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")
