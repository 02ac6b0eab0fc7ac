"""A difference added to its base is the tuned network, and added to nothing else."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tiny_backbone import random_backbone
from torch import Tensor

from situ.models.difference import (
    apply_difference,
    base_of,
    compact,
    load_difference,
    read_difference,
    save_difference,
)
from situ.models.folder import load_backbone, save_backbone
from situ.models.low_rank import relative_error
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


def told(path: Path) -> dict[str, object]:
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()["situ_difference"])


def change(folder: Path) -> Weights:
    """Matrices of few large components, and vectors, as tuning makes them."""
    state = dict(load_backbone(folder).unet.state_dict())
    generator = torch.Generator().manual_seed(1)

    def of(tensor: Tensor) -> Tensor:
        if tensor.ndim < 2:
            return 0.02 * torch.randn(tensor.shape, generator=generator)
        rows, columns = tensor.flatten(1).shape
        u, v = (torch.randn(n, 6, generator=generator) for n in (rows, columns))
        exact = (u * 0.5 ** torch.arange(6)) @ v.T
        return (0.01 * exact + 2e-4 * torch.randn(rows, columns, generator=generator)).view_as(
            tensor
        )

    return {n: of(t) for n, t in state.items() if ".attn" in n or ".fuser." in n}


def grown(folder: Path) -> Weights:
    state, changed = load_backbone(folder).unet.state_dict(), change(folder)
    return {n: t + changed[n] if n in changed else t for n, t in state.items()}


def test_a_file_within_a_budget_says_its_form_and_its_error(folder: Path, tmp_path: Path) -> None:
    base, path, errors = load_backbone(folder), tmp_path / "difference.safetensors", []
    whole = save_difference(path, base, grown(folder), "tiny")
    assert (whole.form, whole.bytes) == ("half", path.stat().st_size)
    assert whole.error < 5e-4  # half precision keeps 11 bits
    for most in (whole.bytes // 2, whole.bytes // 4):
        kept = save_difference(path, base, grown(folder), "tiny", most)
        assert 0.9 * most < kept.bytes == path.stat().st_size <= most
        assert (kept.form, kept.tensors) == ("low_rank", whole.tensors)
        found = read_difference(path)
        assert kept.error == pytest.approx(relative_error(change(folder), found), rel=0.01)
        assert told(path)["form"] == "low_rank"
        assert told(path)["error"] == pytest.approx(kept.error, rel=0.01)
        for name, tensor in change(folder).items():
            assert tensor.ndim > 1 or torch.allclose(found[name], tensor, rtol=1e-3), name
        errors.append(kept.error)
    assert errors == sorted(errors)
    assert errors[0] < 0.05
    assert base_of(path).hash == base.weights_hash
    summed = load_difference(path, folder).unet.state_dict()
    for name, tensor in read_difference(path).items():
        assert torch.equal(summed[name], base.unet.state_dict()[name] + tensor), name


def test_a_difference_that_fits_stays_in_half_precision(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "difference.safetensors"
    kept = save_difference(path, load_backbone(folder), grown(folder), "tiny", 10**8)
    assert kept.form == told(path)["form"] == "half"


def test_a_written_difference_can_be_made_smaller(folder: Path, tmp_path: Path) -> None:
    large, small, direct = (tmp_path / f"{name}.safetensors" for name in "abc")
    base = load_backbone(folder)
    most = save_difference(large, base, grown(folder), "tiny").bytes // 3
    kept = compact(large, small, most)
    once = save_difference(direct, base, grown(folder), "tiny", most)
    assert kept.error == pytest.approx(once.error, rel=0.05)
    assert base_of(small) == base_of(large)
    with pytest.raises(SituError, match="most_bytes is 99, but names and vectors alone take"):
        compact(large, tmp_path / "none", 99)
    assert not (tmp_path / "none").exists()


def test_a_damaged_coarse_file_is_refused(folder: Path, tmp_path: Path) -> None:
    path, base = tmp_path / "difference.safetensors", load_backbone(folder)
    most = save_difference(path, base, grown(folder), "tiny").bytes // 3
    save_difference(path, base, grown(folder), "tiny", most)
    tensors, about = load_file(path), told(path)

    def refused(match: str, tensors: Weights = tensors, **changed: object) -> None:
        save_file(tensors, path, {"situ_difference": json.dumps({**about, **changed})})
        with pytest.raises(SituError, match=match):
            load_difference(path, folder)

    flipped = tensors["codes"].clone()
    flipped[len(flipped) // 2 :] ^= 255
    refused("is damaged", {**tensors, "codes": flipped})
    refused("is damaged", {n: t for n, t in tensors.items() if n != "weights"})
    refused("is damaged", matrices=[["a", [3, 4], "many"]])
    refused("is damaged", matrices=None)
    refused("not finite", {**tensors, "weights": tensors["weights"] * torch.inf})
    first, *rest = told(path)["matrices"]  # type: ignore[misc]
    refused("'zzz' is not in both", matrices=[["zzz", *first[1:]], *rest])
