import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from situ.files.weights import check_weights, read_weights
from situ.scene import SituError

PICKLE = b"\x80"


def header_of(path: Path) -> bytes:
    return path.read_bytes()[:8]


def test_a_header_as_long_as_a_pickle_begins_is_read(tmp_path: Path) -> None:
    """Its first byte is the length's lowest, and one in 32 of lengths that 8 divides ends in 0x80."""
    path, tensors = tmp_path / "w.safetensors", {"a": torch.arange(3.0)}
    for n in range(256):
        save_file(tensors, path, {"padding": "x" * n})
        if header_of(path).startswith(PICKLE):
            break
    assert header_of(path).startswith(PICKLE)
    check_weights(path)
    assert torch.equal(read_weights(path)["a"], tensors["a"])


@pytest.mark.parametrize("save", ["pickle", "torch"])
def test_a_pickle_is_named_and_never_loaded(tmp_path: Path, save: str) -> None:
    path = tmp_path / "w.safetensors"
    if save == "torch":
        torch.save({"a": torch.zeros(3)}, path)
    else:
        path.write_bytes(pickle.dumps({"a": [0.0] * 3}))
    for read in (check_weights, read_weights):
        with pytest.raises(SituError, match=r"w\.safetensors is a pickle"):
            read(path)


def test_a_broken_or_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    with pytest.raises(SituError, match=r"w\.safetensors is missing"):
        check_weights(path)
    save_file({"a": torch.zeros(30)}, path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(SituError, match=r"w\.safetensors is not a whole safetensors file"):
        check_weights(path)
