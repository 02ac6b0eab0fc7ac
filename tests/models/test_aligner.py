"""The aligner: which token lies where, what a box takes from them, gradients, files, and where it belongs."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from tiny_backbone import random_backbone

from situ.models.aligner import (
    Aligner,
    AlignerConfig,
    Spaces,
    fitted,
    load_aligner,
    mean_over_boxes,
    omega,
    save_aligner,
)
from situ.models.backbone import Backbone
from situ.scene import SituError

SMALL = AlignerConfig(channels=4, patch=2, width=32, blocks=2, heads=4, text_width=32)
ABAR, T = torch.tensor([0.4]), torch.tensor([500])


def small(**changes: object) -> Aligner:
    torch.manual_seed(1)
    return Aligner(replace(SMALL, **changes)).eval().requires_grad_(False)


def latents(batch: int = 1, height: int = 16, width: int = 16) -> torch.Tensor:
    return torch.randn(batch, 4, height, width, generator=torch.Generator().manual_seed(5))


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return random_backbone()


def test_the_paper_s_size() -> None:
    """256 tokens of d_k = 64 from 4 x 64 x 64, d_v = 512, six blocks: about 21 million parameters."""
    with torch.device("meta"):
        aligner = Aligner(AlignerConfig())
    assert aligner.patches[0].in_features == 64
    assert aligner.grid(torch.empty(1, 4, 64, 64)) == (16, 16)
    assert sum(p.numel() for p in aligner.parameters()) == pytest.approx(21e6, rel=0.05)
    assert [type(m).__name__ for m in aligner.to_caption].count("Linear") == 3


@pytest.mark.parametrize(("row", "column"), [(0, 5), (3, 1), (7, 0), (2, 6)])
def test_a_patch_is_the_token_at_its_row_and_column(row: int, column: int) -> None:
    """Without attention between tokens, only the token of the touched patch changes."""
    aligner = small(blocks=1)
    aligner.blocks[0].out.weight.zero_()
    aligner.blocks[0].out.bias.zero_()
    z, touched = latents(), latents()
    touched[:, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2] += 1
    cells = [aligner(x, ABAR, T).cells for x in (z, touched)]
    changed = (cells[0] != cells[1]).any(-1)[0]
    assert changed.nonzero().tolist() == [[row, column]]


def test_a_box_off_the_diagonal_takes_its_own_cells() -> None:
    """x 0.5-0.75, y 0-0.25 of a 4 x 8 grid of tokens: row 0, columns 4 and 5, and no other cell."""
    aligner = small()
    features = aligner(latents(height=8, width=16), ABAR, T)
    box = torch.tensor([[[0.5, 0.0, 0.75, 0.25]]])
    mean = aligner.to_phrase(features.cells[:, 0, 4:6].mean(1))
    torch.testing.assert_close(aligner.phrases(features, box)[:, 0], mean)


def test_the_gradient_of_a_box_is_where_the_box_is() -> None:
    """A wide and low box in the lower left, seen through one patch's own features: y down, x right."""
    aligner = small(blocks=1)
    aligner.blocks[0].out.weight.zero_()
    z = latents().requires_grad_()
    seen = aligner.phrases(aligner(z, ABAR, T), torch.tensor([[[0.0, 0.75, 0.5, 1.0]]]))
    (slope,) = torch.autograd.grad(seen.square().sum(), z)
    inside = torch.zeros(16, 16, dtype=torch.bool)
    inside[12:, :8] = True
    touched = slope[0].abs().sum(0) > 0
    assert touched[inside].all()
    assert not touched[~inside].any()


def test_a_box_smaller_than_a_cell_is_that_cell() -> None:
    aligner = small()
    features = aligner(latents(), ABAR, T)
    tiny = torch.tensor([[[0.41, 0.66, 0.42, 0.67]]])  # row 5, column 3 of 8 x 8
    seen = aligner.phrases(features, tiny)[:, 0]
    torch.testing.assert_close(seen, aligner.to_phrase(features.cells[:, 5, 3]))


def test_the_literal_mean_divides_by_all_cells() -> None:
    """H2: coverage of a quarter of the canvas, averaged over all of it, is a quarter as large."""
    boxed, literal = small(), small(pool="all")
    features = boxed(latents(), ABAR, T)
    box = torch.tensor([[[0.5, 0.0, 1.0, 0.5]]])
    quarter = literal.to_phrase(features.cells[:, :4, 4:].mean((1, 2)) / 4)
    torch.testing.assert_close(literal.phrases(features, box)[:, 0], quarter)


def test_slots_without_a_box_and_thirty_overlapping_boxes_are_finite() -> None:
    aligner = small()
    corners = torch.rand(1, 30, 2, generator=torch.Generator().manual_seed(0)) * 0.5
    boxes = torch.cat([corners, corners + 0.4], -1)
    boxes[:, 7] = 0
    z = latents().requires_grad_()
    seen = aligner.phrases(aligner(z, ABAR, T), boxes)
    (slope,) = torch.autograd.grad(omega(seen, torch.ones(32)).sum(), z)
    assert seen.shape == (1, 30, 32)
    assert seen.isfinite().all()
    assert slope.isfinite().all()
    assert aligner.phrases(aligner(z, ABAR, T), boxes[:, :0]).shape == (1, 0, 32)


@given(height=st.sampled_from([2, 4, 10, 24]), width=st.sampled_from([2, 8, 14]))
@settings(max_examples=8)
def test_any_size_of_latent(height: int, width: int) -> None:
    features = small()(latents(2, height, width), ABAR.expand(2), T.expand(2))
    assert features.cells.shape == (2, height // 2, width // 2, 32)


def test_a_latent_that_does_not_fit_is_told_so() -> None:
    with pytest.raises(SituError, match="4 x 15 x 16 does not fit; it reads 4 channels in patches"):
        small()(torch.zeros(1, 4, 15, 16), ABAR, T)
    with pytest.raises(SituError, match="16 x 16 x 16 does not fit"):
        small()(torch.zeros(1, 16, 16, 16), ABAR, T)


@pytest.mark.parametrize(("noise", "reads"), [("log_snr", {"abar"}), ("t", {"t"}), ("none", set())])
def test_it_is_told_what_its_config_says_about_the_noise(noise: str, reads: set[str]) -> None:
    aligner = small(noise=noise)
    scene = aligner(latents(), ABAR, T).scene
    for name, other in {"abar": (ABAR / 2, T), "t": (ABAR, T + 100)}.items():
        assert torch.equal(aligner(latents(), *other).scene, scene) != (name in reads)


def test_gradients_equal_finite_differences_in_double_precision() -> None:
    aligner = small(heads=2).double()
    z = latents(1, 4, 4).double()
    boxes = torch.tensor([[[0.1, 0.2, 0.9, 0.6], [0.5, 0.5, 0.52, 0.9]]]).double()
    text = torch.randn(32, generator=torch.Generator().manual_seed(8)).double()

    def energy(z: torch.Tensor) -> torch.Tensor:
        features = aligner(z, ABAR.double(), T)
        regions = omega(aligner.phrases(features, boxes), text).mean(1)
        return omega(aligner.captions(features), text) + regions

    assert torch.autograd.gradcheck(energy, z.requires_grad_(), eps=1e-6, atol=1e-8)


def test_a_batch_equals_single_samples() -> None:
    aligner, z = small(), latents(3)
    abar, t = torch.tensor([0.1, 0.5, 0.9]), torch.tensor([900, 500, 50])
    boxes = torch.rand(3, 4, 2, generator=torch.Generator().manual_seed(2)) * 0.5
    boxes = torch.cat([boxes, boxes + 0.3], -1)
    features = aligner(z, abar, t)
    both = aligner.captions(features), aligner.phrases(features, boxes)
    for k in range(3):
        one = aligner(z[k : k + 1], abar[k : k + 1], t[k : k + 1])
        torch.testing.assert_close(aligner.captions(one)[0], both[0][k])
        torch.testing.assert_close(aligner.phrases(one, boxes[k : k + 1])[0], both[1][k])


def test_omega_is_one_minus_the_cosine_and_its_mean_skips_empty_slots() -> None:
    one = torch.tensor([[[3.0, 0.0], [0.0, 2.0], [1.0, 1.0]]])
    text = torch.tensor([[[1.0, 0.0], [1.0, 0.0], [-1.0, -1.0]]])
    each = omega(one, text)
    torch.testing.assert_close(each, torch.tensor([[0.0, 1.0, 2.0]]))
    assert mean_over_boxes(each, torch.tensor([[1.0, 1.0, 0.0]])).tolist() == [0.5]
    assert mean_over_boxes(each * torch.nan, torch.zeros(1, 3)).tolist() == [0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"noise": "logsnr"}, "noise is 'logsnr': did you mean 'log_snr'"),
        ({"pool": "max"}, "pool is 'max'"),
        ({"width": 30}, "width 30 must divide by its 4 heads"),
        ({"blocks": 0}, "blocks is 0; 1 or more"),
    ],
)
def test_a_config_that_makes_no_aligner(change: dict[str, object], message: str) -> None:
    with pytest.raises(SituError, match=message):
        replace(SMALL, **change)


def written(folder: Path, backbone: Backbone) -> Path:
    save_aligner(folder / "a.safetensors", small(), Spaces.of(backbone), torch.float32)
    return folder / "a.safetensors"


def test_a_file_gives_the_same_aligner_back(tmp_path: Path, backbone: Backbone) -> None:
    aligner, spaces = load_aligner(written(tmp_path, backbone))
    assert asdict(aligner.config) == asdict(SMALL)
    z = latents()
    assert torch.equal(aligner(z, ABAR, T).scene, small()(z, ABAR, T).scene)
    assert spaces.differing(Spaces.of(backbone)) is None


def test_it_is_read_once_for_a_backbone_and_again_where_the_file_has_changed(
    tmp_path: Path, backbone: Backbone
) -> None:
    path = written(tmp_path, backbone)
    own = replace(backbone, aligner=path)
    first = fitted(own)
    assert fitted(own) is first
    save_aligner(path, small(blocks=1), Spaces.of(backbone))
    assert fitted(own).aligner.config.blocks == 1
    assert fitted(own).hash != first.hash


def test_half_precision_belongs_and_another_encoder_does_not(
    tmp_path: Path, backbone: Backbone
) -> None:
    path = written(tmp_path, backbone)
    half = random_backbone()
    for network in (half.text.model, half.autoencoder):
        network.bfloat16().float()
    assert fitted(replace(half, aligner=path)).aligner.config == SMALL
    for part in ("autoencoder", "text encoder"):
        other = random_backbone()
        network = other.text.model if part == "text encoder" else other.autoencoder
        for parameter in network.parameters():
            parameter.data += 0.1 * torch.randn_like(parameter)
        with pytest.raises(SituError, match=f"belongs to another {part} than that of tiny"):
            fitted(replace(other, aligner=path))


def test_a_backbone_without_an_aligner_says_how_to_give_one(
    tmp_path: Path, backbone: Backbone
) -> None:
    with pytest.raises(SituError, match=r"tiny has none; give the file of one, or put it as align"):
        fitted(backbone)
    with pytest.raises(SituError, match="gone.safetensors is missing"):
        fitted(replace(backbone, aligner=tmp_path / "gone.safetensors"))


def test_other_files_are_no_aligners(tmp_path: Path, backbone: Backbone) -> None:
    plain = tmp_path / "plain.safetensors"
    save_file({"x": torch.zeros(1)}, plain)
    with pytest.raises(SituError, match="was not written as an aligner"):
        load_aligner(plain)
    (tmp_path / "cut.safetensors").write_bytes(written(tmp_path, backbone).read_bytes()[:500])
    with pytest.raises(SituError, match="is not a whole safetensors file"):
        load_aligner(tmp_path / "cut.safetensors")
    save_file({"aligner.cls": torch.zeros(3)}, plain, {"situ_aligner": "{}"})
    with pytest.raises(SituError, match="does not fit its config"):
        load_aligner(plain)
