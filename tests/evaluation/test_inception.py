"""FID's network against its functions written out, and the three ways that pictures enter it."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from situ.evaluation.inception import (
    FILE,
    SIDE,
    Inception,
    InceptionFeatures,
    load_inception,
    prepare,
)
from situ.scene import SituError


@pytest.fixture(scope="module")
def network() -> Inception:
    """Random weights and batch statistics that keep the size of the signal through 48 layers."""
    torch.manual_seed(0)
    network = Inception().eval().requires_grad_(False)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)  # type: ignore[union-attr]
            module.running_var.uniform_(0.5, 1.5)  # type: ignore[union-attr]
            module.weight.uniform_(0.8, 1.2)
            module.bias.normal_(0, 0.1)
    return network


def noise(count: int, height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3), np.uint8)


class Written:
    """The graph in torch functions over a state dict: FID's, or the plain Inception v3's."""

    def __init__(self, tensors: dict[str, Tensor], plain: bool) -> None:
        self.tensors, self.plain = tensors, plain

    def c(
        self, x: Tensor, name: str, stride: int = 1, padding: int | tuple[int, int] = 0
    ) -> Tensor:
        t = self.tensors
        x = functional.conv2d(x, t[f"{name}.conv.weight"], None, stride, padding)
        mean, var = t[f"{name}.bn.running_mean"], t[f"{name}.bn.running_var"]
        weight, bias = t[f"{name}.bn.weight"], t[f"{name}.bn.bias"]
        return functional.batch_norm(x, mean, var, weight, bias, eps=1e-3).relu()

    def pooled(self, x: Tensor, block: str, last: bool = False) -> Tensor:
        if last and not self.plain:
            x = functional.max_pool2d(x, 3, 1, 1)
        else:
            total = functional.conv2d(
                x.flatten(0, 1)[:, None], torch.ones(1, 1, 3, 3), padding=1
            ).view_as(x)
            seen = functional.conv2d(torch.ones_like(x[:1, :1]), torch.ones(1, 1, 3, 3), padding=1)
            x = total / (9 if self.plain else seen)
        return self.c(x, f"{block}.branch_pool")

    def a(self, x: Tensor, b: str) -> Tensor:
        five = self.c(self.c(x, f"{b}.branch5x5_1"), f"{b}.branch5x5_2", padding=2)
        three = self.c(self.c(x, f"{b}.branch3x3dbl_1"), f"{b}.branch3x3dbl_2", padding=1)
        three = self.c(three, f"{b}.branch3x3dbl_3", padding=1)
        return torch.cat([self.c(x, f"{b}.branch1x1"), five, three, self.pooled(x, b)], 1)

    def b(self, x: Tensor, b: str) -> Tensor:
        three = self.c(self.c(x, f"{b}.branch3x3dbl_1"), f"{b}.branch3x3dbl_2", padding=1)
        three = self.c(three, f"{b}.branch3x3dbl_3", 2)
        return torch.cat([self.c(x, f"{b}.branch3x3", 2), three, functional.max_pool2d(x, 3, 2)], 1)

    def seven(self, x: Tensor, names: str, columns: str) -> Tensor:
        for number, column in enumerate(columns, 1):
            padding = {"1": (0, 0), "r": (0, 3), "c": (3, 0)}[column]
            x = self.c(x, f"{names}_{number}", padding=padding)
        return x

    def m(self, x: Tensor, b: str) -> Tensor:
        short = self.seven(x, f"{b}.branch7x7", "1rc")
        long = self.seven(x, f"{b}.branch7x7dbl", "1crcr")
        return torch.cat([self.c(x, f"{b}.branch1x1"), short, long, self.pooled(x, b)], 1)

    def d(self, x: Tensor, b: str) -> Tensor:
        three = self.c(self.c(x, f"{b}.branch3x3_1"), f"{b}.branch3x3_2", 2)
        seven = self.c(self.seven(x, f"{b}.branch7x7x3", "1rc"), f"{b}.branch7x7x3_4", 2)
        return torch.cat([three, seven, functional.max_pool2d(x, 3, 2)], 1)

    def e(self, x: Tensor, b: str, last: bool) -> Tensor:
        short = self.c(x, f"{b}.branch3x3_1")
        long = self.c(self.c(x, f"{b}.branch3x3dbl_1"), f"{b}.branch3x3dbl_2", padding=1)
        parts = [
            self.c(x, f"{b}.branch1x1"),
            self.c(short, f"{b}.branch3x3_2a", padding=(0, 1)),
            self.c(short, f"{b}.branch3x3_2b", padding=(1, 0)),
            self.c(long, f"{b}.branch3x3dbl_3a", padding=(0, 1)),
            self.c(long, f"{b}.branch3x3dbl_3b", padding=(1, 0)),
            self.pooled(x, b, last),
        ]
        return torch.cat(parts, 1)

    def features(self, x: Tensor) -> Tensor:
        x = self.c(self.c(x, "Conv2d_1a_3x3", 2), "Conv2d_2a_3x3")
        x = functional.max_pool2d(self.c(x, "Conv2d_2b_3x3", padding=1), 3, 2)
        x = functional.max_pool2d(self.c(self.c(x, "Conv2d_3b_1x1"), "Conv2d_4a_3x3"), 3, 2)
        for name in ("5b", "5c", "5d"):
            x = self.a(x, f"Mixed_{name}")
        x = self.b(x, "Mixed_6a")
        for name in ("6b", "6c", "6d", "6e"):
            x = self.m(x, f"Mixed_{name}")
        x = self.e(self.d(x, "Mixed_7a"), "Mixed_7b", False)
        return self.e(x, "Mixed_7c", True).mean((2, 3))


def test_names_shapes_and_counts(network: Inception) -> None:
    tensors = network.state_dict()
    assert len(tensors) == 566
    assert sum(p.numel() for p in network.parameters()) == 23_850_960
    assert sum(b.numel() for b in network.buffers()) == 34_526
    shapes = {
        "Conv2d_1a_3x3.conv.weight": (32, 3, 3, 3),
        "Mixed_5b.branch_pool.conv.weight": (32, 192, 1, 1),
        "Mixed_5d.branch5x5_2.conv.weight": (64, 48, 5, 5),
        "Mixed_6a.branch3x3.conv.weight": (384, 288, 3, 3),
        "Mixed_6b.branch7x7dbl_5.conv.weight": (192, 128, 1, 7),
        "Mixed_6e.branch7x7_3.conv.weight": (192, 192, 7, 1),
        "Mixed_7a.branch7x7x3_4.bn.running_var": (192,),
        "Mixed_7b.branch3x3dbl_3b.conv.weight": (384, 384, 3, 1),
        "Mixed_7c.branch1x1.conv.weight": (320, 2048, 1, 1),
        "fc.weight": (1008, 2048),
        "fc.bias": (1008,),
    }
    assert {name: tuple(tensors[name].shape) for name in shapes} == shapes
    assert {m.eps for m in network.modules() if isinstance(m, nn.BatchNorm2d)} == {1e-3}


@torch.no_grad()
def test_features_are_those_of_fids_graph_and_not_of_the_plain_one(network: Inception) -> None:
    x = torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    features = network(x)
    assert features.shape == (1, 2048)
    fid, plain = (Written(network.state_dict(), p).features(x) for p in (False, True))
    assert torch.linalg.vector_norm(features - fid) < 1e-5 * torch.linalg.vector_norm(fid)
    assert torch.linalg.vector_norm(features - plain) > 0.05 * torch.linalg.vector_norm(plain)


def test_all_presets_leave_the_pixels_of_299_alone() -> None:
    pictures = noise(2, SIDE, SIDE)
    levels = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    assert torch.equal(prepare(pictures, "clean"), (levels - 128) / 128)
    assert torch.equal(prepare(pictures, "tf_compat"), (levels - 128) / 128)
    assert torch.allclose(prepare(pictures, "pytorch_fid"), levels / 127.5 - 1, atol=1e-6)


def test_the_two_scalings_differ_by_less_than_a_level() -> None:
    flat = np.stack([np.full((8, 8, 3), level, np.uint8) for level in (0, 1, 128, 255)])
    gap = (prepare(flat, "pytorch_fid") - prepare(flat, "tf_compat")).abs().amax(dim=(1, 2, 3))
    exact = [2 * level / 255 - level / 128 for level in (0, 1, 128, 255)]
    assert gap.numpy() == pytest.approx(exact, abs=1e-6)
    assert gap.max().item() == pytest.approx(1 / 128, abs=1e-6)
    assert torch.allclose(prepare(flat, "clean"), prepare(flat, "tf_compat"), atol=1e-5)


def test_clean_is_the_antialiased_bicubic_on_floats() -> None:
    for height, width in ((512, 400), (64, 90)):
        pictures = noise(1, height, width)
        levels = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
        resized = functional.interpolate(
            levels, (SIDE, SIDE), mode="bicubic", align_corners=False, antialias=True
        ).clamp(0, 255)
        ours = prepare(pictures, "clean") * 128 + 128
        assert (ours - resized).abs().mean() < 0.006
        assert ours.min() >= 0
        assert ours.max() <= 255
        assert (ours - ours.round()).abs().max() > 0.4


def ramp(width: int) -> NDArray[np.uint8]:
    """Levels 0, 10, 20 ... from left to right."""
    row = np.arange(width, dtype=np.uint8) * 10
    return np.broadcast_to(row[None, None, :, None], (1, 5, width, 3)).copy()


@pytest.mark.parametrize("width", [7, 20])
def test_bilinear_reads_a_ramp_where_its_definition_says(width: int) -> None:
    steps, scale = np.arange(SIDE), width / SIDE
    tensorflow = np.minimum(steps * scale, width - 1) * 10
    half_pixel = np.clip((steps + 0.5) * scale - 0.5, 0, width - 1) * 10
    ours = prepare(ramp(width), "tf_compat")[0, 0] * 128 + 128
    assert ours[0].numpy() == pytest.approx(tensorflow, abs=1e-3)
    assert torch.allclose(ours, ours[:1].expand(SIDE, SIDE), atol=1e-3)
    ours = (prepare(ramp(width), "pytorch_fid")[0, 0] + 1) * 127.5
    assert ours[0].numpy() == pytest.approx(half_pixel, abs=1e-3)
    turned = ramp(width).transpose(0, 2, 1, 3).copy()
    ours = prepare(turned, "tf_compat")[0, 2] * 128 + 128
    assert ours[:, 0].numpy() == pytest.approx(tensorflow, abs=1e-3)


def test_bilinear_presets_do_not_antialias() -> None:
    stripes = np.zeros((1, 4 * SIDE, 4 * SIDE, 3), np.uint8)
    stripes[:, :, ::4] = 255  # TensorFlow 1 reads every fourth column
    assert torch.all(prepare(stripes, "tf_compat") == 127 / 128)
    assert torch.all(prepare(stripes, "pytorch_fid") == -1)
    assert torch.allclose(
        prepare(stripes, "clean")[..., 9:-9].mean(), torch.tensor(-0.5), atol=0.02
    )


def test_pictures_of_different_sizes_come_as_a_list() -> None:
    pictures = [noise(1, 40, 60)[0], noise(1, 70, 30)[0]]
    together = prepare(pictures, "tf_compat")
    assert torch.equal(together[1:], prepare(pictures[1][None], "tf_compat"))
    assert prepare([]).shape == (0, 3, SIDE, SIDE)


def test_pictures_and_presets_that_are_not_known() -> None:
    with pytest.raises(SituError, match="did you mean 'clean'"):
        prepare(noise(1, 8, 8), "clear")  # type: ignore[arg-type]
    for wrong in (noise(1, 8, 8)[0], noise(1, 8, 8).astype(np.float32), noise(1, 8, 8)[..., :1]):
        with pytest.raises(SituError, match=r"expected \(N, H, W, 3\) of uint8"):
            prepare(wrong)  # type: ignore[arg-type]


class FirstPixels(nn.Module):
    """A network that is quick: its features are the first values of its input."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(1, 1)
        self.batches: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.batches.append(len(x))
        return x.flatten(1)[:, :2048]


def test_features_come_in_batches_under_the_name_of_their_preset() -> None:
    network = FirstPixels()
    encoder = InceptionFeatures(network, "tf_compat", batch=2)  # type: ignore[arg-type]
    pictures = noise(3, 50, 50)
    rows = encoder(pictures)
    assert (rows.dtype, network.batches) == (np.float32, [2, 1])
    assert np.array_equal(rows, prepare(pictures, "tf_compat").flatten(1)[:, :2048].numpy())
    assert encoder.space == "inception-2015-12-05/tf_compat"
    assert encoder([]).shape == (0, 2048)


def flat(network: Inception) -> dict[str, Tensor]:
    """One value per tensor in the shape of the network's: a file of a few kilobytes."""
    tensors = network.state_dict().items()
    return {
        name: torch.full((), number, dtype=t.dtype).expand(t.shape)
        for number, (name, t) in enumerate(tensors)
    }


def test_a_file_is_read_as_pickle_or_safetensors(network: Inception, tmp_path: Path) -> None:
    tensors = flat(network)
    torch.save(tensors, tmp_path / FILE)
    loaded = load_inception(tmp_path)
    assert not loaded.training
    assert all(torch.equal(t, tensors[name]) for name, t in loaded.state_dict().items())
    half = {n: t.half().contiguous() for n, t in tensors.items() if t.is_floating_point()}
    save_file(half, tmp_path / "half.safetensors")  # and without the batch counters
    rounded = load_inception(tmp_path / "half.safetensors").state_dict()
    assert rounded["fc.weight"].dtype == torch.float32
    assert torch.equal(rounded["fc.weight"], half["fc.weight"].float())


def test_a_missing_file_says_what_to_get_and_where_it_goes(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / FILE):
        with pytest.raises(SituError) as caught:
            load_inception(path)
        message = str(caught.value)
        assert str(tmp_path / FILE) in message
        assert "fid_weights of github.com/mseitzer/pytorch-fid" in message
        assert "\n" not in message


def test_files_of_other_networks_are_refused(network: Inception, tmp_path: Path) -> None:
    path, tensors = tmp_path / "w.pth", flat(network)

    def refused(content: object) -> str:
        torch.save(content, path)
        with pytest.raises(SituError) as caught:
            load_inception(path)
        return str(caught.value)

    less = {name: t for name, t in tensors.items() if name != "fc.bias"}
    assert "lacks tensor 'fc.bias'" in refused(less)
    extra = {**tensors, "AuxLogits.fc.bias": torch.zeros(1)}
    assert "has an unknown tensor 'AuxLogits.fc.bias'" in refused(extra)
    other = {**tensors, "fc.bias": torch.zeros(1000)}
    assert "'fc.bias' has shape (1000,), FID's Inception has (1008,)" in refused(other)
    assert "does not hold named tensors" in refused([torch.zeros(1)])


class Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('ran')",)


def test_a_pickle_that_runs_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    for content in (pickle.dumps(Harmful(), protocol=2), b"", b"nothing of the kind"):
        path.write_bytes(content)
        with pytest.raises(SituError, match="is not a file of weights"):
            load_inception(path)
    torch.save({"fc.bias": Harmful()}, path)
    with pytest.raises(SituError, match="is not a file of weights"):
        load_inception(path)
