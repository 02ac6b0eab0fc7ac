"""Backbones on disk: the folder layout of diffusers, read and written.

model_index.json   tokenizer/   text_encoder/   unet/   vae/   scheduler/scheduler_config.json
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from safetensors.torch import save_file

from situ.conditioning.text import TextEncoder, check_width
from situ.diffusion.schedule import Prediction, Schedule
from situ.files.atomic import replace, replace_files, write_bytes
from situ.files.weights import check_weights, read_weights, weights_hash
from situ.models.autoencoder import CLASSES, Autoencoder, read_autoencoder
from situ.models.backbone import Backbone
from situ.models.unet import UNet
from situ.models.unet_config import UNetConfig
from situ.scene import SituError

UNET = "unet/diffusion_pytorch_model.safetensors"
VAE = "vae/diffusion_pytorch_model.safetensors"
TEXT = "text_encoder/model.safetensors"
ALIGNER = "aligner.safetensors"  # may be there: HCMA's network for these latents and texts
CONFIGS = (
    "model_index.json",
    "unet/config.json",
    "vae/config.json",
    "text_encoder/config.json",
    "scheduler/scheduler_config.json",
)
TOKENIZERS = (("tokenizer/tokenizer.json",), ("tokenizer/vocab.json", "tokenizer/merges.txt"))


def load_backbone(
    folder: Path, dtype: torch.dtype = torch.float32, device: str = "cpu", name: str | None = None
) -> Backbone:
    """Load a diffusers folder of the SD-1.x / SD-2.x family, with or without GLIGEN's layers.

    Raises SituError that lists every missing file, or names the one that cannot be read.
    """
    weights = _complete(folder)
    index = _json(folder / "model_index.json")
    unet = _unet(folder, weights["unet"], dtype)
    text = _text_encoder(folder, dtype)
    check_width(text, unet.config.cross_attention_dim)
    return Backbone(
        name=name or folder.name,
        text=text,
        unet=unet,
        autoencoder=_autoencoder(folder, dtype),
        schedule=read_schedule(_json(folder / "scheduler/scheduler_config.json")),
        weights_hash=weights_hash(weights.values()),
        null_base=bool(index.get("_situ_null_base", False)),
        aligner=folder / ALIGNER if (folder / ALIGNER).is_file() else None,
    ).to(device)


def save_backbone(
    backbone: Backbone,
    folder: Path,
    dtype: torch.dtype = torch.float16,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Write the folder so that load_backbone and diffusers' own classes read it; more: for its index.

    It may be the folder that the backbone was loaded from: files are replaced when all are written.
    """

    def write(place: Path) -> None:
        write_json(place / "unet/config.json", backbone.unet.config.to_diffusers())
        _write_weights(backbone.unet, place / UNET, dtype)
        _for_diffusers(_copy(backbone.autoencoder.network, dtype)).save_pretrained(place / "vae")
        _copy(backbone.text.model, dtype).save_pretrained(place / "text_encoder")
        backbone.text.tokenizer.save_pretrained(place / "tokenizer")
        write_json(place / "scheduler/scheduler_config.json", schedule_config(backbone.schedule))
        if backbone.aligner is not None:
            write_bytes(place / ALIGNER, backbone.aligner.read_bytes())
        write_json(place / "model_index.json", {**_index(backbone), **(more or {})})

    replace_files(folder, write)


def read_schedule(config: dict[str, Any]) -> Schedule:
    """The noise schedule of a scheduler_config.json; only SD's family of them is known."""
    kind = config.get("beta_schedule", "scaled_linear")
    if kind != "scaled_linear":
        raise SituError(
            f"scheduler: beta_schedule {kind!r} is not supported; allowed: 'scaled_linear'"
        )
    prediction = config.get("prediction_type", "epsilon")
    if prediction not in ("epsilon", "v_prediction"):
        raise SituError(
            f"scheduler: prediction_type {prediction!r} is not supported; "
            "allowed: 'epsilon', 'v_prediction'"
        )
    return Schedule.scaled_linear(
        config.get("beta_start", 0.00085),
        config.get("beta_end", 0.012),
        config.get("num_train_timesteps", 1000),
        cast(Prediction, prediction),
    )


def schedule_config(schedule: Schedule) -> dict[str, Any]:
    """A scheduler_config.json for diffusers' PNDM, the PLMS that SD and GLIGEN sample with."""
    beta = 1 - schedule.abar[1:] / schedule.abar[:-1]
    return {
        "_class_name": "PNDMScheduler",
        "beta_schedule": "scaled_linear",
        "beta_start": round(float(1 - schedule.abar[0]), 8),
        "beta_end": round(float(beta[-1]), 8),
        "num_train_timesteps": schedule.total,
        "prediction_type": schedule.prediction,
        "set_alpha_to_one": False,
        "skip_prk_steps": True,
        "steps_offset": 1,
        "timestep_spacing": "leading",
    }


def write_json(path: Path, content: dict[str, Any]) -> None:
    write_bytes(path, (json.dumps(content, indent=2) + "\n").encode())


def _complete(folder: Path) -> dict[str, Path]:
    """Paths of the weight files. Every missing file is named at once."""
    if not folder.is_dir():
        raise SituError(
            f"{folder} is not a folder; give a diffusers folder with {', '.join(CONFIGS)}"
        )
    missing = [name for name in CONFIGS if not (folder / name).is_file()]
    if not any(all((folder / part).is_file() for part in choice) for choice in TOKENIZERS):
        missing.append(
            "tokenizer/tokenizer.json (or tokenizer/vocab.json and tokenizer/merges.txt)"
        )
    found = {part: _variant(folder / name) for part, name in _weights().items()}
    missing += [name for part, name in _weights().items() if found[part] is None]
    if missing:
        raise SituError(f"{folder} is not complete; missing: {', '.join(missing)}")
    paths = {part: path for part, path in found.items() if path is not None}
    for path in paths.values():
        check_weights(path)
    return paths


def _weights() -> dict[str, str]:
    return {"text_encoder": TEXT, "unet": UNET, "vae": VAE}


def _variant(path: Path) -> Path | None:
    """The file, or its half precision variant as the hub names it."""
    half = path.with_name(path.name.replace(".safetensors", ".fp16.safetensors"))
    return next((p for p in (path, half) if p.is_file()), None)


def _unet(folder: Path, weights: Path, dtype: torch.dtype) -> UNet:
    config = UNetConfig.from_diffusers(_json(folder / "unet/config.json"))
    with torch.device("meta"):
        unet = UNet(config)
    tensors = {name: tensor.to(dtype) for name, tensor in read_weights(weights).items()}
    expected = unet.state_dict()
    for name in sorted(expected.keys() ^ tensors.keys()):
        state = "lacks" if name in expected else "has an unknown"
        raise SituError(
            f"{weights} {state} tensor {name!r}; its config.json describes another network"
        )
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape:
            got, wanted = tuple(tensor.shape), tuple(expected[name].shape)
            raise SituError(
                f"{weights}: {name!r} has shape {got}, its config.json asks for {wanted}"
            )
    unet.load_state_dict(tensors, assign=True)
    return unet.eval().requires_grad_(False)


def _autoencoder(folder: Path, dtype: torch.dtype) -> Autoencoder:
    kind = _json(folder / "vae/config.json").get("_class_name", "AutoencoderKL")
    if kind not in CLASSES:
        raise SituError(
            f"{folder / 'vae/config.json'}: class {kind!r} is not supported; allowed: {', '.join(CLASSES)}"
        )
    variant = _variant_name(folder / VAE)
    network = read_autoencoder(folder / "vae", kind, dtype, variant)
    return network.requires_grad_(False)


def _text_encoder(folder: Path, dtype: torch.dtype) -> TextEncoder:
    from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

    architectures = _json(folder / "text_encoder/config.json").get("architectures") or []
    projected = "CLIPTextModelWithProjection" in architectures
    model = (CLIPTextModelWithProjection if projected else CLIPTextModel).from_pretrained(
        folder / "text_encoder",
        dtype=dtype,
        use_safetensors=True,
        local_files_only=True,
        variant=_variant_name(folder / TEXT),
    )
    tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
    return TextEncoder(tokenizer, model.eval().requires_grad_(False))


def _variant_name(path: Path) -> str | None:
    return None if path.is_file() else "fp16"


def _write_weights(network: torch.nn.Module, path: Path, dtype: torch.dtype) -> None:
    tensors = {n: t.detach().to("cpu", dtype).contiguous() for n, t in network.state_dict().items()}
    replace(path, lambda temporary: save_file(tensors, temporary, {"format": "pt"}))


def _copy(network: Any, dtype: torch.dtype) -> Any:
    from copy import deepcopy

    return deepcopy(network).to("cpu", dtype)


def _for_diffusers(network: Any) -> Any:
    """Its SD pipelines count the entries of block_out_channels to learn the size of a latent cell."""
    if "encoder_block_out_channels" in network.config:
        network.register_to_config(block_out_channels=network.config["encoder_block_out_channels"])
    return network


def _index(backbone: Backbone) -> dict[str, Any]:
    gated = backbone.unet.config.gated
    kind = "StableDiffusionGLIGENPipeline" if gated else "StableDiffusionPipeline"
    return {
        "_class_name": kind,
        "_situ_null_base": backbone.null_base,
        "feature_extractor": [None, None],
        "safety_checker": [None, None],
        "requires_safety_checker": False,
        "scheduler": ["diffusers", "PNDMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", type(backbone.autoencoder.network).__name__],
    }


def _json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise SituError(f"{path}:{error.lineno}: not valid JSON: {error.msg}") from None
