"""Matrices in few bytes: singular vectors, coarsely rounded where little hangs on them, in Huffman's code.

What tuning adds to a matrix has few large singular values. Component i of M = U S V' is kept as the rows
s_i u_i and s_i v_i, rounded to multiples of one step that is the same for all matrices, so that every bit
buys the same error wherever it is spent; a component too small for its cost is left out. Rows of small
numbers are then coded together: a block of deflate has one Huffman table, and suits what is alike.
"""

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

LARGEST = 127
WORTH = 0.15  # a component's energy, in squared steps for each of its numbers, below which it is left out


class DamagedError(ValueError):
    """The bytes are not those of the matrices that they are said to be."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Of a matrix: its tensor's shape, whose first dimension is its rows, and the components kept of it."""

    tensor: tuple[int, ...]
    rank: int

    @property
    def rows(self) -> int:
        return self.tensor[0]

    @property
    def columns(self) -> int:
        return math.prod(self.tensor[1:])


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """A matrix [m, n] and its singular vectors, each as long as its singular value."""

    matrix: Tensor
    left: Tensor  # [r, m]
    right: Tensor  # [r, n]
    values: Tensor  # [r]

    @classmethod
    def of(cls, tensor: Tensor) -> "Spectrum":
        matrix = tensor.detach().float().cpu().flatten(1)
        u, s, v = torch.linalg.svd(matrix, full_matrices=False)
        return cls(matrix, (u * s).T.contiguous(), v * s[:, None], s)


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """The sum over r of weights[r] left[r] right[r]': whole numbers [r, m] and [r, n], bf16 weights [r]."""

    left: Tensor
    right: Tensor
    weights: Tensor

    def matrix(self) -> Tensor:
        return (self.left.float().T * self.weights.float()) @ self.right.float()


def rounded(spectrum: Spectrum, step: float) -> Factors:
    """The components worth keeping, in whole steps; the weights are those of least squares."""
    numbers = sum(spectrum.matrix.shape)
    kept = spectrum.values.square() > WORTH * step**2 * numbers
    left, right = (_whole(rows[kept], step) for rows in (spectrum.left, spectrum.right))
    seen = left.any(1) & right.any(1)
    left, right = left[seen], right[seen]
    size = left.square().sum(1) * right.square().sum(1)
    weights = ((left @ spectrum.matrix) * right).sum(1) / size
    return Factors(left.to(torch.int8), right.to(torch.int8), weights.bfloat16())


def _whole(rows: Tensor, step: float) -> Tensor:
    """Rows in multiples of a step, or of a larger one of their own where they would not fit into a byte."""
    steps = (rows.abs().amax(1, keepdim=True) / LARGEST).clamp(min=step)
    return (rows / steps).round()


def packed(factors: Sequence[Factors]) -> bytes:
    """The whole numbers of all matrices; `unpacked` gives them back."""
    rows = [row.numpy() for some in factors for side in (some.left, some.right) for row in side]
    spreads = np.array([_spread(row) for row in rows], np.uint8)
    order = np.argsort(spreads, kind="stable")
    codes = b"".join(rows[i].tobytes() for i in order)
    huffman = zlib.compressobj(9, zlib.DEFLATED, 15, 9, zlib.Z_HUFFMAN_ONLY)
    return huffman.compress(spreads.tobytes() + codes) + huffman.flush()


def unpacked(content: bytes, shapes: Sequence[Shape], weights: Tensor) -> list[Factors]:
    """The inverse. Raises DamagedError."""
    sides = [length for s in shapes for length in [s.rows] * s.rank + [s.columns] * s.rank]
    plain = _inflated(content, len(sides) + sum(sides))
    if len(weights) != sum(s.rank for s in shapes):
        raise DamagedError(f"{len(weights)} weights for {sum(s.rank for s in shapes)} components")
    order = np.argsort(plain[: len(sides)], kind="stable")
    numbers, first = plain[len(sides) :].view(np.int8), 0
    rows = [numbers[:0]] * len(sides)
    for place in order.tolist():
        rows[place] = numbers[first : first + sides[place]]
        first += sides[place]
    return _grouped(rows, shapes, weights)


def _grouped(
    rows: Sequence[NDArray[np.int8]], shapes: Sequence[Shape], weights: Tensor
) -> list[Factors]:
    found, first, done = [], 0, 0
    for s in shapes:
        left, right = rows[first : first + s.rank], rows[first + s.rank : first + 2 * s.rank]
        found.append(
            Factors(
                torch.from_numpy(np.array(left, np.int8).reshape(s.rank, s.rows)),
                torch.from_numpy(np.array(right, np.int8).reshape(s.rank, s.columns)),
                weights[done : done + s.rank],
            )
        )
        first, done = first + 2 * s.rank, done + s.rank
    return found


def _inflated(content: bytes, size: int) -> NDArray[np.uint8]:
    inflate = zlib.decompressobj()
    try:
        plain = inflate.decompress(content, size + 1)
    except zlib.error as error:
        raise DamagedError(str(error)) from None
    if len(plain) != size or not inflate.eof:
        raise DamagedError(f"{len(plain)} numbers or more where there should be {size}")
    return np.frombuffer(plain, np.uint8)


def _spread(row: NDArray[np.int8]) -> int:
    """How large the numbers of a row are, on a scale of 1/16 octaves: 0 to 112."""
    return round(16 * math.log2(1 + math.sqrt(float(np.square(row, dtype=np.float64).mean()))))


def relative_error(given: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> float:
    """The length of what is wrong, over all tensors, as a share of what was given."""
    pairs = [(given[name].double(), found[name].double()) for name in given]
    wrong = sum(float((a - b).square().sum()) for a, b in pairs)
    return math.sqrt(wrong / sum(float(a.square().sum()) for a, _ in pairs))


__all__ = [
    "DamagedError",
    "Factors",
    "Shape",
    "Spectrum",
    "packed",
    "relative_error",
    "rounded",
    "unpacked",
]
