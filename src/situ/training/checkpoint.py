"""A checkpoint is one safetensors file: parameters, their average, the optimizer's moments and the step."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from situ.files.atomic import replace
from situ.scene import SituError
from situ.training.ema import Average

FILE = "checkpoint.safetensors"


def save_checkpoint(
    folder: Path,
    step: int,
    parameters: Mapping[str, nn.Parameter],
    optimizer: torch.optim.Optimizer,
    average: Average | None,
) -> None:
    """Write folder/checkpoint.safetensors atomically."""
    tensors = {f"model/{name}": p.detach() for name, p in parameters.items()}
    if average:
        tensors |= {f"average/{name}": value for name, value in average.values.items()}
    for name, p in parameters.items():
        for key, value in optimizer.state.get(p, {}).items():
            tensors[f"optimizer/{key}/{name}"] = torch.as_tensor(value)
    tensors = {name: tensor.contiguous().cpu() for name, tensor in tensors.items()}
    metadata = {"situ": json.dumps({"step": step})}
    replace(folder / FILE, lambda path: save_file(tensors, path, metadata))


def load_checkpoint(
    folder: Path,
    parameters: Mapping[str, nn.Parameter],
    optimizer: torch.optim.Optimizer,
    average: Average | None,
) -> int:
    """Restore everything from `folder` in place and return the step; 0 if there is no checkpoint."""
    path = folder / FILE
    if not path.exists():
        return 0
    tensors, step = read_checkpoint(path)
    missing = [name for name in parameters if f"model/{name}" not in tensors]
    if missing:
        raise SituError(
            f"{path} has no {missing[0]!r}: it belongs to another model; use an empty folder"
        )
    for name, p in parameters.items():
        with torch.no_grad():
            p.copy_(tensors[f"model/{name}"])
        optimizer.state[p] = _moments(tensors, name, p)
        if average and f"average/{name}" in tensors:
            average.values[name] = tensors[f"average/{name}"].to(p.device)
    return step


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], int]:
    """All tensors of a checkpoint and its step."""
    try:
        with safe_open(path, "pt") as file:
            step = json.loads(file.metadata()["situ"])["step"]
            return {name: file.get_tensor(name) for name in file.keys()}, step  # noqa: SIM118 - not a dict
    except (SafetensorError, KeyError, TypeError) as error:
        raise SituError(f"{path} is not a checkpoint of situ: {error}") from None


def trained_weights(folder: Path, averaged: bool = True) -> dict[str, Tensor]:
    """The parameters of a run: their average where one was kept, else the last ones."""
    tensors, _ = read_checkpoint(folder / FILE)
    prefix = "average/" if averaged and any(n.startswith("average/") for n in tensors) else "model/"
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _moments(tensors: Mapping[str, Tensor], name: str, p: nn.Parameter) -> dict[str, Tensor]:
    found = {}
    for key in ("step", "exp_avg", "exp_avg_sq"):
        if f"optimizer/{key}/{name}" in tensors:
            value = tensors[f"optimizer/{key}/{name}"]
            found[key] = value if key == "step" else value.to(p.device)
    return found
