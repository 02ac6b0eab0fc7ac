"""The coding of matrices: what comes out is what went in, and its error is what rounding says."""

import math
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from torch import Tensor

from situ.models.low_rank import (
    DamagedError,
    Factors,
    Shape,
    Spectrum,
    packed,
    relative_error,
    rounded,
    unpacked,
)


def low_rank(rows: int, columns: int, rank: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    left, right = (torch.randn(n, rank, generator=generator) for n in (rows, columns))
    return left @ right.T


def shapes(factors: list[Factors]) -> list[Shape]:
    return [Shape((f.left.shape[1], f.right.shape[1]), len(f.weights)) for f in factors]


@hypothesis_settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(0, 4)), min_size=0, max_size=5
    ),
    st.integers(0, 1000),
)
def test_whole_numbers_come_back_exactly(sizes: list[tuple[int, int, int]], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)

    def numbers(*size: int) -> Tensor:
        return torch.randint(-127, 128, size, generator=generator).to(torch.int8)

    given_ = [Factors(numbers(r, m), numbers(r, n), torch.rand(r).bfloat16()) for m, n, r in sizes]
    weights = torch.cat([f.weights for f in given_] or [torch.empty(0)])
    found = unpacked(packed(given_), shapes(given_), weights)
    assert len(found) == len(given_)
    for before, after in zip(given_, found, strict=True):
        assert torch.equal(before.left, after.left)
        assert torch.equal(before.right, after.right)
        assert torch.equal(before.weights, after.weights)


def test_the_weighted_sum_is_the_matrix_by_hand() -> None:
    left, right = torch.tensor([[1, 2], [0, -3]]), torch.tensor([[4, 0, 1], [1, 1, 1]])
    found = Factors(left.to(torch.int8), right.to(torch.int8), torch.tensor([0.5, 2.0])).matrix()
    assert found.tolist() == [[2.0, 0.0, 0.5], [4.0 - 6.0, -6.0, 1.0 - 6.0]]


@pytest.mark.parametrize(("rows", "columns", "rank"), [(40, 40, 3), (160, 20, 5), (12, 90, 2)])
def test_a_matrix_of_few_components_keeps_those_and_a_fine_step_is_exact(
    rows: int, columns: int, rank: int
) -> None:
    matrix = low_rank(rows, columns, rank)
    factors = rounded(Spectrum.of(matrix), 0.01)
    assert len(factors.weights) == rank  # none for the noise of the decomposition
    assert relative_error({"m": matrix}, {"m": factors.matrix()}) < 0.01  # bytes: 1 in 254


def test_the_error_is_that_of_rounding_to_a_step() -> None:
    """Each number of s u and s v is off by step / sqrt(12): together m n numbers by (m + n) r of them."""
    matrix = low_rank(200, 150, 150)
    step = 2.0
    off = (rounded(Spectrum.of(matrix), step).matrix() - matrix).square().sum()
    kept = len(rounded(Spectrum.of(matrix), step).weights)
    expected = (200 + 150) * kept * step**2 / 12
    assert float(off) == pytest.approx(expected, rel=0.25)


def test_larger_steps_take_fewer_bytes_and_err_more() -> None:
    matrix = low_rank(96, 64, 64)
    sizes, errors = [], []
    for step in (0.3, 1.0, 3.0, 10.0, 1000.0):
        factors = rounded(Spectrum.of(matrix), step)
        sizes.append(len(packed([factors])))
        errors.append(relative_error({"m": matrix}, {"m": factors.matrix()}))
    assert sizes == sorted(sizes, reverse=True)
    assert errors == sorted(errors)
    assert errors[-1] == 1.0  # nothing is left


def test_alike_numbers_are_coded_near_their_entropy() -> None:
    generator = torch.Generator().manual_seed(0)
    rows = [(s * torch.randn(1, 4000, generator=generator)).round() for s in (0.5, 3.0, 20.0)] * 6
    factors = [Factors(r.to(torch.int8), r.to(torch.int8), torch.ones(1)) for r in rows]
    bits = sum(2 * row.numel() * entropy(row) for row in rows)
    assert len(packed(factors)) * 8 < 1.08 * bits


def entropy(row: Tensor) -> float:
    _, counts = row.unique(return_counts=True)
    share = counts / counts.sum()
    return float(-(share * share.log2()).sum())


def test_error_by_hand() -> None:
    given_ = {"a": torch.tensor([3.0, 0.0]), "b": torch.tensor([4.0])}
    found = {"a": torch.tensor([3.0, 1.0]), "b": torch.tensor([4.0])}
    assert relative_error(given_, found) == pytest.approx(math.sqrt(1 / 25))


def test_damage_is_told() -> None:
    factors = [rounded(Spectrum.of(low_rank(9, 7, 2)), 0.1)]
    content, known = packed(factors), shapes(factors)
    weights = factors[0].weights
    with pytest.raises(DamagedError, match="numbers or more"):
        unpacked(content, [Shape((9, 8), 2)], weights)
    with pytest.raises(DamagedError, match="1 weights for 2 components"):
        unpacked(content, known, weights[:1])
    with pytest.raises(DamagedError, match="numbers or more"):
        unpacked(content[:-9], known, weights)
    with pytest.raises(DamagedError):
        unpacked(b"no zlib at all", known, weights)
    bomb = zlib.compress(np.zeros(10**7, np.uint8).tobytes())
    with pytest.raises(DamagedError, match="where there should be 36"):
        unpacked(bomb, known, weights)
