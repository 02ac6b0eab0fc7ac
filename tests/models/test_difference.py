"""A difference added to its base is the tuned network, and added to nothing else."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_backbone import random_backbone
from torch import Tensor

from situ.models.difference import apply_difference, base_of, load_difference, save_difference
from situ.models.folder import load_backbone, save_backbone
from situ.scene import SituError

Weights = dict[str, Tensor]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "tiny"
    save_backbone(random_backbone(), path)
    return path


def tuned(folder: Path) -> Weights:
    """The base's U-Net, with cross-attention changed a little."""
    state = dict(load_backbone(folder).unet.state_dict())
    generator = torch.Generator().manual_seed(0)
    return {
        n: t + 0.01 * torch.randn(t.shape, generator=generator) if ".attn2." in n else t
        for n, t in state.items()
    }


@pytest.fixture
def path(folder: Path, tmp_path: Path) -> Path:
    path = tmp_path / "mine" / "difference.safetensors"
    save_difference(path, load_backbone(folder), tuned(folder), "storybook")
    return path


def test_only_what_changed_is_kept_and_the_sum_is_the_tuned_network(
    folder: Path, path: Path
) -> None:
    kept, wanted = load_file(path), tuned(folder)
    assert all(".attn2." in name for name in kept)
    assert all(tensor.dtype == torch.float16 for tensor in kept.values())
    found = load_difference(path, folder)
    for name, tensor in found.unet.state_dict().items():
        off = (tensor - wanted[name]).abs().max()
        assert off <= (3e-5 if name in kept else 0), name  # half precision of about 0.04
    assert found.name == "mine"
    base = load_backbone(folder)
    assert found.weights_hash != base.weights_hash
    assert found.weights_hash == load_difference(path, folder).weights_hash
    assert base_of(path).name == "storybook"
    assert base_of(path).hash == base.weights_hash


def test_it_is_loaded_in_the_precision_asked_for(folder: Path, path: Path) -> None:
    exact = load_difference(path, folder).unet.state_dict()
    half = load_difference(path, folder, torch.bfloat16)
    assert half.dtype == half.autoencoder.network.dtype == torch.bfloat16
    assert all(torch.equal(t, exact[n].bfloat16()) for n, t in half.unet.state_dict().items())


def test_another_base_is_refused_and_stays_as_it_is(path: Path, tmp_path: Path) -> None:
    other = random_backbone()
    with torch.no_grad():
        other.unet.conv_in.weight.add_(1)
    save_backbone(other, tmp_path / "other")
    loaded = load_backbone(tmp_path / "other")
    before = {n: t.clone() for n, t in loaded.unet.state_dict().items()}
    with pytest.raises(SituError, match="belongs to 'storybook' with weights"):
        apply_difference(loaded, path)
    assert all(torch.equal(t, before[n]) for n, t in loaded.unet.state_dict().items())


def rewritten(path: Path, change: dict[str, Tensor]) -> Path:
    base = base_of(path)
    save_file({**load_file(path), **change}, path, about(base.name, base.hash))
    return path


def about(base: str, digest: str, version: int = 1) -> dict[str, str]:
    return {"situ_difference": json.dumps({"format": version, "base": base, "hash": digest})}


def test_broken_files_say_what_is_wrong(folder: Path, path: Path, tmp_path: Path) -> None:
    name = min(load_file(path))
    shape = load_file(path)[name].shape
    with pytest.raises(SituError, match="not finite"):
        load_difference(rewritten(path, {name: torch.full(shape, torch.inf)}), folder)
    with pytest.raises(SituError, match="has shape"):
        load_difference(rewritten(path, {name: torch.zeros(1)}), folder)
    with pytest.raises(SituError, match="'zzz' is not in both"):
        load_difference(rewritten(path, {name: torch.zeros(shape), "zzz": torch.zeros(1)}), folder)
    save_file({}, path, about("x", "y", 9))
    with pytest.raises(SituError, match="of format 9"):
        base_of(path)
    save_file({}, path, {"situ_difference": "[]"})
    with pytest.raises(SituError, match="cannot be read"):
        base_of(path)
    with pytest.raises(SituError, match="not written as a difference"):
        base_of(folder / "unet/diffusion_pytorch_model.safetensors")
    with pytest.raises(SituError, match="is missing"):
        base_of(tmp_path / "none.safetensors")


def test_what_cannot_be_kept_is_not_written(folder: Path, tmp_path: Path) -> None:
    base, path = load_backbone(folder), tmp_path / "difference.safetensors"
    with pytest.raises(SituError, match="there is no difference"):
        save_difference(path, base, base.unet.state_dict(), "x")
    far = {n: t + 1e6 if "attn1" in n else t for n, t in base.unet.state_dict().items()}
    with pytest.raises(SituError, match="not finite"):
        save_difference(path, base, far, "x")
    with pytest.raises(SituError, match="differ in kind"):
        save_difference(path, base, {}, "x")
    assert not path.exists()
