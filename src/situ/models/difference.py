"""A tuned U-Net as its difference from the one it was tuned from: the changed tensors only, in fp16.

The file names its base and that one's hash, so that a difference is never added to other weights.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from situ.files import atomic
from situ.files.weights import check_weights, read_weights, weights_hash
from situ.models.backbone import Backbone
from situ.models.folder import load_backbone
from situ.scene import SituError
from situ.scene.errors import shown

FILE = "difference.safetensors"  # a folder with this file is a model, too
KEY = "situ_difference"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Base:
    """What a difference belongs to: a model's name, as `--model` takes it, and its weights_hash."""

    name: str
    hash: str


def save_difference(path: Path, base: Backbone, tuned: Mapping[str, Tensor], name: str) -> int:
    """Write what `tuned`, the state of a U-Net like base's, changes of it; returns how many tensors. Atomic.

    `name`: how the base is found again. Raises SituError where nothing changed or a value is not finite.
    """
    own = base.unet.state_dict()
    _check_names(path, own, tuned, whole=True)
    changed = {n: tuned[n].detach().cpu().float() - own[n].cpu().float() for n in own}
    changed = {n: d.half().contiguous() for n, d in changed.items() if bool((d != 0).any())}
    if not changed:
        raise SituError(f"{path}: the tuned network equals {base.name}; there is no difference")
    for tensor, difference in changed.items():
        if not difference.isfinite().all():
            raise SituError(
                f"{path}: {tensor!r} has values that are not finite, or too far from base"
            )
    about = {"format": FORMAT, "base": name, "hash": base.weights_hash}
    metadata = {"format": "pt", KEY: json.dumps(about)}
    atomic.replace(path, lambda temporary: save_file(changed, temporary, metadata))
    return len(changed)


def base_of(path: Path) -> Base:
    """The base of a difference file; only the header is read. Raises SituError if it is none."""
    check_weights(path)
    with safe_open(path, "pt") as file:
        told = (file.metadata() or {}).get(KEY)
    if told is None:
        raise SituError(f"{path} holds other weights; it was not written as a difference")
    try:
        about = json.loads(told)
        name, digest, version = about["base"], about["hash"], about["format"]
    except (TypeError, KeyError, ValueError) as error:
        raise SituError(f"{path}: what it says about its base cannot be read: {error}") from None
    if version != FORMAT:
        raise SituError(f"{path} is of format {version}, this version reads {FORMAT}; update situ")
    return Base(str(name), str(digest))


def apply_difference(backbone: Backbone, path: Path, name: str | None = None) -> Backbone:
    """Add a difference to the U-Net of its base, in place, and return the backbone under its new hash.

    Raises SituError, before anything changes, if the file belongs to other weights or is not whole.
    """
    base = base_of(path)
    if base.hash != backbone.weights_hash:
        raise SituError(
            f"{path} belongs to {shown(base.name)} with weights {base.hash}, but {backbone.name} has "
            f"{backbone.weights_hash}; load the model it was tuned from, or tune again"
        )
    changes, own = read_weights(path), backbone.unet.state_dict()
    _check_names(path, own, changes, whole=False)
    for tensor, difference in changes.items():
        if not difference.isfinite().all():
            raise SituError(f"{path}: {tensor!r} has values that are not finite; copy it again")
    with torch.no_grad():
        for tensor, difference in changes.items():
            value = own[tensor]
            value.copy_(value.float() + difference.to(value.device).float())
    digest = hashlib.sha256(f"{base.hash}{weights_hash([path])}".encode()).hexdigest()[:16]
    return replace(backbone, name=name or path.parent.name, weights_hash=digest)


def load_difference(
    path: Path,
    folder: Path,
    dtype: torch.dtype = torch.float32,
    device: str = "cpu",
    name: str | None = None,
) -> Backbone:
    """The tuned backbone of a difference file and the folder of its base. The sum is taken in fp32."""
    tuned = apply_difference(load_backbone(folder), path, name)
    for network in (tuned.unet, tuned.text.model, tuned.autoencoder):
        network.to(dtype)
    return tuned.to(device)


def _check_names(
    path: Path, own: Mapping[str, Tensor], other: Mapping[str, Tensor], whole: bool
) -> None:
    unknown = other.keys() - own.keys() or (own.keys() - other.keys() if whole else set())
    if unknown:
        raise SituError(
            f"{path}: tensor {min(unknown)!r} is not in both networks; they differ in kind"
        )
    for name, tensor in other.items():
        if tensor.shape != own[name].shape:
            got, wanted = tuple(tensor.shape), tuple(own[name].shape)
            raise SituError(f"{path}: {name!r} has shape {got}, the base's is {wanted}")


__all__ = ["FILE", "Base", "apply_difference", "base_of", "load_difference", "save_difference"]
