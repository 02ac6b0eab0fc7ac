"""Kernel distances between two sets of features: KID and CMMD. Memory stays at a few blocks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from situ.evaluation.frechet import Array, check_widths, feature_rows
from situ.scene import SituError

BLOCK = 2048  # rows and columns of the part of a kernel matrix that is held at once
SIGMA = 10.0  # of the Gaussian kernel, and
SCALE = 1000.0  # of the result: both as in Jayasumana et al. 2024

Kernel = Callable[[Array, Array], Array]  # [n, d], [m, d] -> [n, m]


@dataclass(frozen=True, slots=True)
class Kid:
    """Kernel distance over random subsets; `std` divides by the number of subsets."""

    mean: float
    std: float
    values: tuple[float, ...]  # one per subset
    size: int  # rows of each side of a subset


def kid(
    real: ArrayLike, fake: ArrayLike, subsets: int = 100, size: int = 1000, seed: int = 0
) -> Kid:
    """Unbiased polynomial MMD^2 over `subsets` draws of `size` rows (Binkowski et al. 2018).

    Features are [n, d] and [m, d]. Rows of one draw are distinct. Raises SituError for a size that a
    side does not have.
    """
    x, y = _pair(real, fake)
    if subsets < 1 or not 2 <= size <= min(len(x), len(y)):
        raise SituError(
            f"kid: {subsets} subsets of {size} rows from {len(x)} real and {len(y)} generated ones; at "
            "least 1 subset, of 2 rows up to the smaller side, is needed"
        )
    rng = np.random.default_rng(seed)
    values: list[float] = []
    for _ in range(subsets):
        some, others = (side[rng.choice(len(side), size, replace=False)] for side in (x, y))
        values.append(polynomial_mmd2(some, others))
    return Kid(float(np.mean(values)), float(np.std(values)), tuple(values), size)


def polynomial_mmd2(real: ArrayLike, fake: ArrayLike) -> float:
    """The unbiased MMD^2 of all rows with the kernel (x.y/d + 1)^3 (Binkowski et al. 2018, eq. 4).

    Features are [n, d] and [m, d]; each side needs two rows. Can be negative.
    """
    x, y = _pair(real, fake)
    n, m = len(x), len(y)
    within_x = _kernel_sum(x, x, _polynomial) - _polynomial_diagonal(x)
    within_y = _kernel_sum(y, y, _polynomial) - _polynomial_diagonal(y)
    across = _kernel_sum(x, y, _polynomial)
    return within_x / (n * (n - 1)) + within_y / (m * (m - 1)) - 2 * across / (n * m)


def cmmd(real: ArrayLike, fake: ArrayLike) -> float:
    """1000 times the biased Gaussian MMD^2 of unit rows, sigma 10 (Jayasumana et al. 2024).

    Features are CLIP's picture embeddings, [n, d] and [m, d], of any length: rows are normalised here.
    """
    x, y = (unit_rows(side) for side in _pair(real, fake))
    within = _kernel_sum(x, x, _gaussian) / len(x) ** 2 + _kernel_sum(y, y, _gaussian) / len(y) ** 2
    return SCALE * (within - 2 * _kernel_sum(x, y, _gaussian) / (len(x) * len(y)))


def unit_rows(features: ArrayLike, name: str = "features") -> Array:
    """Rows [n, d] divided by their length, in float64. Raises SituError for a row of zeros."""
    rows = feature_rows(features, name).astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if len(rows) and not lengths.all():
        raise SituError(f"{name}: row {int(lengths.argmin())} is all zeros and has no direction")
    return rows / lengths


def _pair(real: ArrayLike, fake: ArrayLike) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    x, y = feature_rows(real, "real features"), feature_rows(fake, "generated features")
    check_widths(x.shape[1], y.shape[1])
    if min(len(x), len(y)) < 2:
        raise SituError(
            f"features: {len(x)} real and {len(y)} generated rows; at least 2 of each are needed"
        )
    return x, y


def _polynomial(x: Array, y: Array) -> Array:
    return (x @ y.T / x.shape[1] + 1) ** 3


def _gaussian(x: Array, y: Array) -> Array:
    """For unit rows, where the squared distance is 2 - 2 x.y."""
    return np.exp((x @ y.T - 1) / SIGMA**2)


def _kernel_sum(x: NDArray[np.floating], y: NDArray[np.floating], kernel: Kernel) -> float:
    """The sum over all pairs of a row of x and a row of y."""
    return sum(float(kernel(a, b).sum()) for a in _blocks(x) for b in _blocks(y))


def _polynomial_diagonal(x: NDArray[np.floating]) -> float:
    """The sum over all pairs of a row with itself."""
    return sum(float((((a * a).mean(axis=1) + 1) ** 3).sum()) for a in _blocks(x))


def _blocks(rows: NDArray[np.floating]) -> Iterator[Array]:
    for start in range(0, len(rows), BLOCK):
        yield rows[start : start + BLOCK].astype(np.float64)
