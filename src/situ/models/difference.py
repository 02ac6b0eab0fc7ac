"""A tuned U-Net as its difference from the one it was tuned from: the changed tensors only.

The file names its base and that one's hash, so that a difference is never added to other weights. It has
one of two forms: `half`, every number in fp16, or `low_rank`, as models/low_rank.py says, for a given
number of bytes. The file tells its form and how far it is from the true difference.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from situ.files import atomic
from situ.files.weights import check_weights, read_weights, weights_hash
from situ.models.backbone import Backbone
from situ.models.folder import load_backbone
from situ.models.low_rank import (
    Shape,
    Spectrum,
    packed,
    relative_error,
    rounded,
    unpacked,
)
from situ.scene import SituError
from situ.scene.errors import shown

FILE = "difference.safetensors"  # a folder with this file is a model, too
KEY = "situ_difference"
FORMATS = {1: "half", 2: "low_rank"}
CODES, WEIGHTS = "codes", "weights"  # no network has tensors of these names
OCTAVES, HALVINGS = 10, 11  # the step is sought so far around the mean size of a number

Weights = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Base:
    """What a difference belongs to: a model's name, as `--model` takes it, and its weights_hash."""

    name: str
    hash: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What was written: tensors that changed, the form, the file's bytes, and the relative error, the
    length of all that is wrong over the length of the difference."""

    tensors: int
    form: str
    bytes: int
    error: float


def save_difference(
    path: Path,
    base: Backbone,
    tuned: Mapping[str, Tensor],
    name: str,
    most_bytes: int | None = None,
) -> Kept:
    """Write what `tuned`, the state of a U-Net like base's, changes of it. Atomic.

    `name`: how the base is found again. most_bytes: of the file, which is then `low_rank` where fp16 does
    not fit. Raises SituError where nothing changed, a value is not finite, or the bytes do not suffice.
    """
    own = base.unet.state_dict()
    _check_names(path, own, tuned, whole=True)
    changed = {n: tuned[n].detach().cpu().float() - own[n].cpu().float() for n in own}
    changed = {n: d for n, d in changed.items() if bool((d != 0).any())}
    if not changed:
        raise SituError(f"{path}: the tuned network equals {base.name}; there is no difference")
    return _write(path, changed, Base(name, base.weights_hash), most_bytes)


def compact(path_in: Path, path_out: Path, most_bytes: int) -> Kept:
    """Write a difference again in at most so many bytes. The error told is that from `path_in`."""
    return _write(path_out, read_difference(path_in), base_of(path_in), most_bytes)


def base_of(path: Path) -> Base:
    """The base of a difference file; only the header is read. Raises SituError if it is none."""
    about = _about(path)
    return Base(str(about["base"]), str(about["hash"]))


def read_difference(path: Path) -> Weights:
    """The tensors that a difference changes, in fp32, by their names in the U-Net. Raises SituError."""
    about, tensors = _about(path), read_weights(path)
    if FORMATS[about["format"]] == "low_rank":
        try:
            tensors = _from_low_rank(about["matrices"], tensors)
        except (KeyError, TypeError, ValueError) as error:
            raise SituError(f"{path} is damaged ({error}); copy it again") from None
    changes = {name: tensor.float() for name, tensor in tensors.items()}
    _check_finite(path, changes, "copy it again")
    return changes


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
    changes, own = read_difference(path), backbone.unet.state_dict()
    _check_names(path, own, changes, whole=False)
    with torch.no_grad():
        for tensor, difference in changes.items():
            value = own[tensor]
            value.copy_(value.float() + difference.to(value.device))
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


def _write(path: Path, changed: Weights, base: Base, most_bytes: int | None) -> Kept:
    half = {name: difference.half().contiguous() for name, difference in changed.items()}
    _check_finite(path, half, "the run has diverged, or is too far from its base")
    error = relative_error(changed, half)
    content, form = _file(base, 1, half, error), FORMATS[1]
    if most_bytes is not None and len(content) > most_bytes:
        content, error = _Coarse(changed, base).within(path, most_bytes)
        form = FORMATS[2]
    atomic.write_bytes(path, content)
    return Kept(len(changed), form, len(content), error)


class _Coarse:
    """The low-rank form of a difference, for any step."""

    def __init__(self, changed: Weights, base: Base) -> None:
        self.changed, self.base = changed, base
        self.spectra = {name: Spectrum.of(d) for name, d in changed.items() if d.ndim > 1}
        self.vectors = {name: d.half() for name, d in changed.items() if d.ndim <= 1}

    def within(self, path: Path, most_bytes: int) -> tuple[bytes, float]:
        """The file of the smallest step that fits, and its error. The larger a step, the fewer bytes."""
        spectra = self.spectra.values()
        numbers = sum(s.matrix.numel() for s in spectra)
        energy = sum(float(s.matrix.square().sum()) for s in spectra)
        middle = math.sqrt(energy / max(1, numbers))
        low, high = -float(OCTAVES), float(OCTAVES)
        best = self.file(middle * 2**high)
        if len(best[0]) > most_bytes:
            raise SituError(
                f"{path}: most_bytes is {most_bytes}, but names and vectors alone take {len(best[0])}"
            )
        for _ in range(HALVINGS):
            between = (low + high) / 2
            found = self.file(middle * 2**between)
            if len(found[0]) <= most_bytes:
                best, high = found, between
            else:
                low = between
        return best

    def file(self, step: float) -> tuple[bytes, float]:
        factors = [rounded(spectrum, step) for spectrum in self.spectra.values()]
        matrices = [
            (name, list(self.changed[name].shape), len(some.weights))
            for name, some in zip(self.spectra, factors, strict=True)
        ]
        codes = np.frombuffer(packed(factors), np.uint8).copy()
        weights = torch.cat([some.weights for some in factors] or [torch.empty(0)]).bfloat16()
        tensors = {**self.vectors, CODES: torch.from_numpy(codes), WEIGHTS: weights}
        error = relative_error(self.changed, _from_low_rank(matrices, tensors))
        return _file(self.base, 2, tensors, error, matrices=matrices), error


def _from_low_rank(matrices: Sequence[Sequence[Any]], tensors: Weights) -> Weights:
    """All tensors, from the names, shapes and ranks of the matrices and what is stored. Raises ValueError,
    TypeError or KeyError where these do not go together."""
    shapes = [Shape(tuple(map(int, shape)), int(rank)) for _, shape, rank in matrices]
    factors = unpacked(tensors[CODES].numpy().tobytes(), shapes, tensors[WEIGHTS])
    found = {name: d for name, d in tensors.items() if name not in (CODES, WEIGHTS)}
    for (name, _, _), shape, some in zip(matrices, shapes, factors, strict=True):
        found[name] = some.matrix().reshape(shape.tensor)
    return found


def _file(base: Base, version: int, tensors: Weights, error: float, **more: Any) -> bytes:
    about = {"format": version, "base": base.name, "hash": base.hash, **more}
    about |= {"form": FORMATS[version], "error": float(f"{error:.3g}")}
    return save(tensors, {"format": "pt", KEY: json.dumps(about, separators=(",", ":"))})


def _about(path: Path) -> dict[str, Any]:
    """What a difference file says of itself."""
    check_weights(path)
    with safe_open(path, "pt") as file:
        told = (file.metadata() or {}).get(KEY)
    if told is None:
        raise SituError(f"{path} holds other weights; it was not written as a difference")
    try:
        about = json.loads(told)
        version, _, _ = about["format"], about["base"], about["hash"]
    except (TypeError, KeyError, ValueError) as error:
        raise SituError(f"{path}: what it says about its base cannot be read: {error}") from None
    if version not in FORMATS:
        known = " and ".join(map(str, FORMATS))
        raise SituError(f"{path} is of format {version}, this version reads {known}; update situ")
    return about


def _check_finite(path: Path, tensors: Weights, advice: str) -> None:
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise SituError(f"{path}: {name!r} has values that are not finite; {advice}")


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


__all__ = [
    "FILE",
    "Base",
    "Kept",
    "apply_difference",
    "base_of",
    "compact",
    "load_difference",
    "read_difference",
    "save_difference",
]
