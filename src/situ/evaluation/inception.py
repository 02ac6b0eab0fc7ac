"""The network behind FID, TensorFlow's Inception graph of 2015-12-05, and how pictures enter it.

It differs from the Inception v3 of picture classifiers (Szegedy et al. 2016): average pools leave the
padding out of the mean, the last block pools by the maximum, and there are 1008 classes.
"""

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from situ.files.weights import read_weights
from situ.scene import SituError
from situ.scene.errors import did_you_mean

NAME = "inception-2015-12-05"
FILE = "pt_inception-2015-12-05-6726825d.pth"
RELEASE = "the release fid_weights of github.com/mseitzer/pytorch-fid"
SIDE = 299
WIDTH = 2048

Preset = Literal["clean", "pytorch_fid", "tf_compat"]
Pictures = (
    NDArray[np.uint8] | Sequence[NDArray[np.uint8]]
)  # [N, H, W, 3], or [H, W, 3] of any sizes

Size = int | tuple[int, int]
Layer = tuple[int, Size, int]  # channels out, kernel, stride
Chain = tuple[Layer, ...]


class Convolution(nn.Module):
    """Convolution, batch normalisation, ReLU."""

    def __init__(self, channels: int, out: int, kernel: Size, stride: int, padding: Size) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(out, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv(x)))


class Mixed(nn.Module):
    """Chains of convolutions side by side, and a pool that ends in a 1x1 one of `pooled` channels.

    With `pooled` 0 the block halves the grid: its pool takes the maximum and has no convolution.
    """

    def __init__(self, channels: int, chains: Mapping[str, Chain], pooled: int) -> None:
        super().__init__()
        self.chains = {
            name: tuple(_add_chain(self, name, channels, chains[name])) for name in chains
        }
        self.pooled = pooled
        if pooled:
            self.branch_pool = Convolution(channels, pooled, 1, 1, 0)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat(
            [*(self._follow(names, x) for names in self.chains.values()), self._pool(x)], 1
        )

    def _follow(self, names: Sequence[str], x: Tensor) -> Tensor:
        for name in names:
            x = self.get_submodule(name)(x)
        return x

    def _pool(self, x: Tensor) -> Tensor:
        return self.branch_pool(_average(x)) if self.pooled else functional.max_pool2d(x, 3, 2)


class Split(nn.Module):
    """The blocks on the 8x8 grid, whose 3x3 chains end in a row and a column filter side by side."""

    def __init__(self, channels: int, pool: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.pool = pool
        self.branch1x1 = Convolution(channels, 320, 1, 1, 0)
        self.branch3x3_1 = Convolution(channels, 384, 1, 1, 0)
        self.branch3x3_2a = Convolution(384, 384, (1, 3), 1, (0, 1))
        self.branch3x3_2b = Convolution(384, 384, (3, 1), 1, (1, 0))
        self.branch3x3dbl_1 = Convolution(channels, 448, 1, 1, 0)
        self.branch3x3dbl_2 = Convolution(448, 384, 3, 1, 1)
        self.branch3x3dbl_3a = Convolution(384, 384, (1, 3), 1, (0, 1))
        self.branch3x3dbl_3b = Convolution(384, 384, (3, 1), 1, (1, 0))
        self.branch_pool = Convolution(channels, 192, 1, 1, 0)

    def forward(self, x: Tensor) -> Tensor:
        short = self.branch3x3_1(x)
        long = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        parts = (
            self.branch1x1(x),
            self.branch3x3_2a(short),
            self.branch3x3_2b(short),
            self.branch3x3dbl_3a(long),
            self.branch3x3dbl_3b(long),
            self.branch_pool(self.pool(x)),
        )
        return torch.cat(parts, 1)


class Inception(nn.Module):
    """Pictures [N, 3, 299, 299], scaled to -1..1, to the 2048 features of FID. Tensors are named as in
    torchvision; `fc` takes no part in the features."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Convolution(3, 32, 3, 2, 0)
        self.Conv2d_2a_3x3 = Convolution(32, 32, 3, 1, 0)
        self.Conv2d_2b_3x3 = Convolution(32, 64, 3, 1, 1)
        self.Conv2d_3b_1x1 = Convolution(64, 80, 1, 1, 0)
        self.Conv2d_4a_3x3 = Convolution(80, 192, 3, 1, 0)
        self.Mixed_5b = _grid_35(192, 32)
        self.Mixed_5c = _grid_35(256, 64)
        self.Mixed_5d = _grid_35(288, 64)
        self.Mixed_6a = _to_grid_17(288)
        self.Mixed_6b = _grid_17(128)
        self.Mixed_6c = _grid_17(160)
        self.Mixed_6d = _grid_17(160)
        self.Mixed_6e = _grid_17(192)
        self.Mixed_7a = _to_grid_8(768)
        self.Mixed_7b = Split(1280, _average)
        self.Mixed_7c = Split(2048, _maximum)
        self.fc = nn.Linear(WIDTH, 1008)

    def forward(self, x: Tensor) -> Tensor:
        """Features [N, 2048]."""
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(functional.max_pool2d(x, 3, 2)))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(functional.max_pool2d(x, 3, 2))))
        x = self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))
        x = self.Mixed_6e(self.Mixed_6d(x))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        return x.mean(dim=(2, 3))


@dataclass(frozen=True, slots=True, eq=False)
class InceptionFeatures:
    """The network with its preset: uint8 pictures to features."""

    network: Inception
    preset: Preset = "clean"
    batch: int = 32

    @property
    def space(self) -> str:
        """What FeatureStatistics are to be labelled with."""
        return f"{NAME}/{self.preset}"

    @torch.no_grad()
    def __call__(self, pictures: Pictures) -> NDArray[np.float32]:
        """Features [N, 2048] of pictures [N, H, W, 3], or of a list of [H, W, 3] of different sizes."""
        device = self.network.fc.weight.device
        rows = [np.empty((0, WIDTH), np.float32)]
        for start in range(0, len(pictures), self.batch):
            inputs = prepare(pictures[start : start + self.batch], self.preset)
            rows.append(self.network(inputs.to(device)).float().cpu().numpy())
        return np.concatenate(rows)


def load_inception(path: Path, device: str = "cpu") -> Inception:
    """The network with the public weights, a .pth or .safetensors file or the folder that holds it.

    Pickles are read with torch's weights-only reader. Raises SituError for a missing file and for
    tensors of other names or shapes.
    """
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        raise SituError(
            f"{file} is missing: get {FILE} from {RELEASE} and put it there, or give the path of the file"
        )
    tensors = _tensors(file)
    with torch.device("meta"):
        network = Inception()
    _check(file, network.state_dict(), tensors)
    network.load_state_dict(tensors, assign=True)
    return network.eval().requires_grad_(False).to(device, torch.float32)


def prepare(pictures: Pictures, preset: Preset = "clean") -> Tensor:
    """What the network sees of uint8 pictures, [N, 3, 299, 299] in fp32, about -1..1.

    `clean`        Pillow's antialiased bicubic on floats, (x - 128) / 128 (Parmar et al. 2022)
    `pytorch_fid`  bilinear without antialias, 2 x / 255 - 1
    `tf_compat`    TensorFlow 1's bilinear (no half-pixel offset, no antialias), (x - 128) / 128
    """
    if preset not in get_args(Preset):
        raise SituError(f"preset: {preset!r} is unknown; {did_you_mean(preset, get_args(Preset))}")
    parts = [_prepare(part, preset) for part in _stacks(pictures)]
    return torch.cat([torch.empty(0, 3, SIDE, SIDE), *parts])


def _prepare(pictures: NDArray[np.uint8], preset: Preset) -> Tensor:
    if preset == "clean":
        return (torch.stack([_pillow_bicubic(picture) for picture in pictures]) - 128) / 128
    levels = torch.from_numpy(pictures.transpose(0, 3, 1, 2).astype(np.float32))
    if preset == "tf_compat":
        return (_tensorflow_bilinear(levels) - 128) / 128
    resized = functional.interpolate(
        levels / 255, (SIDE, SIDE), mode="bilinear", align_corners=False
    )
    return 2 * resized - 1


def _stacks(pictures: Pictures) -> Iterator[NDArray[np.uint8]]:
    """The pictures as arrays [n, H, W, 3]."""
    if isinstance(pictures, np.ndarray):
        stacks = [pictures] if len(pictures) else []
    else:
        stacks = [picture[None] for picture in pictures]
    for stack in stacks:
        if stack.dtype != np.uint8 or stack.ndim != 4 or stack.shape[3] != 3 or not stack.size:
            raise SituError(
                f"pictures: shape {stack.shape} of {stack.dtype} is not a stack of colour pictures; "
                "expected (N, H, W, 3) of uint8"
            )
        yield stack


def _pillow_bicubic(picture: NDArray[np.uint8]) -> Tensor:
    """[H, W, 3] -> [3, 299, 299], resized as floats, cut to 0..255 and not rounded."""
    channels = [
        np.asarray(
            Image.fromarray(picture[..., c].astype(np.float32)).resize(
                (SIDE, SIDE), Image.Resampling.BICUBIC
            )
        )
        for c in range(3)
    ]
    return torch.from_numpy(np.stack(channels).clip(0, 255))


def _tensorflow_bilinear(x: Tensor) -> Tensor:
    """Output cell i reads the input at i * in / out: [N, 3, H, W] -> [N, 3, 299, 299]."""
    return _stretch(_stretch(x, 2), 3)


def _stretch(x: Tensor, axis: int) -> Tensor:
    size = x.shape[axis]
    place = torch.arange(SIDE) * (size / SIDE)
    low = place.long().clamp_max(size - 1)
    high = (low + 1).clamp_max(size - 1)
    weight = (place - low).view(-1, *[1] * (3 - axis))
    return torch.lerp(x.index_select(axis, low), x.index_select(axis, high), weight)


def _tensors(file: Path) -> dict[str, Tensor]:
    if file.suffix == ".safetensors":
        return read_weights(file)
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise SituError(
            f"{file} is not a file of weights ({reason}); get it from {RELEASE}"
        ) from None
    if not isinstance(content, dict) or not all(isinstance(v, Tensor) for v in content.values()):
        raise SituError(f"{file} does not hold named tensors; get {FILE} from {RELEASE}")
    return content


def _check(file: Path, expected: Mapping[str, Tensor], tensors: dict[str, Tensor]) -> None:
    """Names and shapes; a batch counter that a conversion dropped is put back, for nothing reads it."""
    for name in expected.keys() - tensors.keys():
        if name.endswith(".num_batches_tracked"):
            tensors[name] = torch.zeros((), dtype=torch.long)
    for name in sorted(expected.keys() ^ tensors.keys()):
        state = "lacks" if name in expected else "has an unknown"
        raise SituError(f"{file} {state} tensor {name!r}; it is not {FILE} of {RELEASE}")
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape:
            got, wanted = tuple(tensor.shape), tuple(expected[name].shape)
            raise SituError(f"{file}: {name!r} has shape {got}, FID's Inception has {wanted}")


def _average(x: Tensor) -> Tensor:
    return functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def _maximum(x: Tensor) -> Tensor:
    return functional.max_pool2d(x, 3, 1, 1)


def _add_chain(block: nn.Module, name: str, channels: int, chain: Chain) -> Iterator[str]:
    """Add the convolutions of a chain; their names count from 1 where there is more than one."""
    for number, (out, kernel, stride) in enumerate(chain, 1):
        rows, columns = kernel if isinstance(kernel, tuple) else (kernel, kernel)
        padding = (rows // 2, columns // 2) if stride == 1 else 0
        full = f"{name}_{number}" if len(chain) > 1 else name
        block.add_module(full, Convolution(channels, out, kernel, stride, padding))
        channels = out
        yield full


def _grid_35(channels: int, pooled: int) -> Mixed:
    chains = {
        "branch1x1": ((64, 1, 1),),
        "branch5x5": ((48, 1, 1), (64, 5, 1)),
        "branch3x3dbl": ((64, 1, 1), (96, 3, 1), (96, 3, 1)),
    }
    return Mixed(channels, chains, pooled)


def _to_grid_17(channels: int) -> Mixed:
    chains = {
        "branch3x3": ((384, 3, 2),),
        "branch3x3dbl": ((64, 1, 1), (96, 3, 1), (96, 3, 2)),
    }
    return Mixed(channels, chains, 0)


def _grid_17(inner: int) -> Mixed:
    row, column = (1, 7), (7, 1)
    chains: dict[str, Chain] = {
        "branch1x1": ((192, 1, 1),),
        "branch7x7": ((inner, 1, 1), (inner, row, 1), (192, column, 1)),
        "branch7x7dbl": (
            (inner, 1, 1),
            (inner, column, 1),
            (inner, row, 1),
            (inner, column, 1),
            (192, row, 1),
        ),
    }
    return Mixed(768, chains, 192)


def _to_grid_8(channels: int) -> Mixed:
    chains: dict[str, Chain] = {
        "branch3x3": ((192, 1, 1), (320, 3, 2)),
        "branch7x7x3": ((192, 1, 1), (192, (1, 7), 1), (192, (7, 1), 1), (192, 3, 2)),
    }
    return Mixed(channels, chains, 0)
