"""Number types and devices by name, and the device of one of torchrun's processes."""

import os

import torch

from situ.scene import SituError
from situ.scene.errors import did_you_mean, shown

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def dtype_of(name: str | torch.dtype) -> torch.dtype:
    """float32, bfloat16 or float16, by name or as torch's own."""
    if isinstance(name, torch.dtype):
        name = dtype_name(name)
    if name not in DTYPES:
        raise SituError(f"dtype: {shown(name)} is unknown: {did_you_mean(str(name), DTYPES)}")
    return DTYPES[name]


def dtype_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def device_of(name: str) -> torch.device:
    """A device that this machine has; "auto" takes a GPU where there is one."""
    if name == "auto":
        return torch.device(_fastest())
    try:
        device = torch.device(name)
    except RuntimeError:
        raise SituError(f"device: {shown(name)} is unknown; {_here()}") from None
    if device.type not in _available() or (device.index or 0) >= _count(device.type):
        raise SituError(f"device: {name!r} is not on this machine; {_here()}")
    return device


def process_device(name: str) -> torch.device:
    """As `device_of`, but of the processes that torchrun started on this machine each has a GPU of its own.

    Raises SituError, too, where there are more processes than GPUs, or one GPU is named for them all.
    """
    device, number = device_of(name), os.environ.get("LOCAL_RANK")
    if device.type != "cuda" or number is None:
        return device
    count, gpus = int(os.environ.get("LOCAL_WORLD_SIZE", "1")), _count("cuda")
    if device.index is not None and count > 1:
        raise SituError(f"device: {name!r} is one GPU for {count} processes; give cuda")
    if int(number) >= gpus:
        raise SituError(
            f"device: process {int(number) + 1} of this machine needs a GPU of its own, and there are "
            f"{gpus}; start at most {gpus} (torchrun --nproc-per-node {gpus})"
        )
    return torch.device("cuda", int(number) if device.index is None else device.index)


def _available() -> list[str]:
    kinds = ["cpu"]
    if torch.cuda.is_available():
        kinds.append("cuda")
    if torch.backends.mps.is_available():
        kinds.append("mps")
    return kinds


def _fastest() -> str:
    return next((kind for kind in ("cuda", "mps") if kind in _available()), "cpu")


def _count(kind: str) -> int:
    return torch.cuda.device_count() if kind == "cuda" else 1


def _here() -> str:
    return f"allowed here: {', '.join(_available())}, auto"
