"""Fréchet distance between two sets of features: FID and its relatives (Heusel et al. 2017, eq. 6)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import ArrayLike, NDArray

from situ.files.atomic import replace
from situ.scene import SituError

Array = NDArray[np.float64]

FEW = 2048  # rows of a set below which a Fréchet distance says little
LARGEST_START = 5000  # rows of the smallest subset of an extrapolation, where there are that many
FIELDS = ("count", "total", "outer", "space")


@dataclass(frozen=True, slots=True, eq=False)
class FeatureStatistics:
    """Sums over the rows of a feature table; two of them add up to those of the joined table.

    `space` names what made the features, such as "inception-2015-12-05/clean"; statistics of two
    different spaces do not mix. An empty name mixes with all.
    """

    count: int
    total: Array  # [d]
    outer: Array  # [d, d], the sum of each row's outer product with itself
    space: str = ""

    @classmethod
    def of(cls, features: ArrayLike, space: str = "") -> Self:
        """From features [n, d], n >= 0, of any float type."""
        rows = feature_rows(features).astype(np.float64)
        return cls(len(rows), rows.sum(axis=0), rows.T @ rows, space)

    def add(self, features: ArrayLike) -> Self:
        """These statistics with more rows [n, d]."""
        return self + type(self).of(features, self.space)

    def __add__(self, other: Self) -> Self:
        _check_pair(self, other)
        count, space = self.count + other.count, self.space or other.space
        return type(self)(count, self.total + other.total, self.outer + other.outer, space)

    @property
    def width(self) -> int:
        return len(self.total)

    @property
    def mean(self) -> Array:
        """[d]. Raises SituError where there is no row."""
        if self.count < 1:
            raise SituError("features: a mean needs at least 1 row, got 0")
        return self.total / self.count

    @property
    def covariance(self) -> Array:
        """[d, d], divided by n - 1. Raises SituError for fewer than two rows."""
        if self.count < 2:
            raise SituError(f"features: a covariance needs at least 2 rows, got {self.count}")
        return (self.outer - np.outer(self.total, self.mean)) / (self.count - 1)

    def save(self, path: Path) -> None:
        """Write an .npz file of plain arrays, whole or not at all."""
        replace(path, lambda temporary: _write(self, temporary))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote; never unpickles. Raises SituError that names the file."""
        content = _read(path)
        count, space = int(content["count"]), str(content["space"])
        total, outer = content["total"], content["outer"]
        if total.ndim != 1 or outer.shape != (len(total), len(total)) or count < 0:
            raise SituError(
                f"{path}: total {total.shape} and outer {outer.shape} of {count} rows do not belong "
                "together; expected (d,) and (d, d)"
            )
        if not (np.isfinite(total).all() and np.isfinite(outer).all()):
            raise SituError(f"{path}: holds NaN or infinite sums; compute the statistics again")
        return cls(count, total.astype(np.float64), outer.astype(np.float64), space)


@dataclass(frozen=True, slots=True)
class Extrapolation:
    """A Fréchet distance at several subset sizes and what a line in 1/N says for N -> infinity."""

    value: float  # the intercept
    slope: float
    sizes: tuple[int, ...]
    distances: tuple[float, ...]


def frechet_distance(a: FeatureStatistics, b: FeatureStatistics) -> float:
    """||m_a - m_b||^2 + tr(C_a) + tr(C_b) - 2 tr((C_a C_b)^(1/2)), covariances unbiased.

    Raises SituError for different widths or spaces and for fewer than two rows.
    """
    _check_pair(a, b)
    one = _gaussian(a)
    return _distance(one, _root(one.covariance), _gaussian(b))


def gaussian_distance(mean_a: Array, cov_a: Array, mean_b: Array, cov_b: Array) -> float:
    """The squared 2-Wasserstein distance of two Gaussians; means [d], covariances [d, d]."""
    width = len(mean_a)
    one, other = _Gaussian(mean_a, cov_a, width), _Gaussian(mean_b, cov_b, width)
    return _distance(one, _root(cov_a), other)


def frechet_infinity(
    real: FeatureStatistics,
    features: ArrayLike,
    points: int = 15,
    smallest: int | None = None,
    seed: int = 0,
) -> Extrapolation:
    """The distance for endlessly many generated pictures, by a line in 1/N (Chong and Forsyth 2020).

    `features` [n, d] are drawn from without replacement at `points` sizes from `smallest` (half of n, at
    most 5000) to n. The bias of the real side, whose size stays, remains in the value.
    """
    rows = feature_rows(features)
    check_widths(real.width, rows.shape[1])
    sizes = _subset_sizes(len(rows), points, smallest)
    rng = np.random.default_rng(seed)
    fixed = _gaussian(real)
    root = _root(fixed.covariance)
    distances: list[float] = []
    for size in sizes:
        some = FeatureStatistics.of(rows[rng.permutation(len(rows))[:size]])
        distances.append(_distance(fixed, root, _gaussian(some)))
    slope, value = np.polyfit(1 / np.asarray(sizes), distances, 1)
    return Extrapolation(float(value), float(slope), sizes, tuple(distances))


def identical_bias(width: int, count: int) -> float:
    """To second order, the expected distance of two sets of `count` rows of one standard Gaussian.

    A distance of 0 is reported as about 2d/N + d(d+1)/(2N); other distances are raised likewise.
    """
    return (2 * width + width * (width + 1) / 2) / count


def sample_warnings(real: int, fake: int, width: int) -> tuple[str, ...]:
    """What a reader must know about a distance of sets of these sizes; empty when there is nothing."""
    fewest = min(real, fake)
    found: list[str] = []
    if fewest < FEW:
        found.append(
            f"only {fewest} pictures on one side: below {FEW} the distance is mostly sampling bias; "
            "prefer KID or CMMD"
        )
    if fewest < width:
        found.append(
            f"{fewest} pictures are fewer than the {width} features: the covariance is singular"
        )
    if real != fake:
        found.append(
            f"{real} real and {fake} generated pictures: the bias depends on both sizes, so compare "
            "only with values of the same sizes"
        )
    return tuple(found)


def feature_rows(features: ArrayLike, name: str = "features") -> NDArray[Any]:
    """A feature table [n, d] as an array. Raises SituError for other shapes, NaN and infinities."""
    rows = np.asarray(features)
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise SituError(f"{name}: shape {rows.shape} is not a table; expected (rows, features)")
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(bad):
        raise SituError(
            f"{name}: row {bad[0]} holds NaN or infinity ({len(bad)} of {len(rows)} rows do); "
            "all values must be finite"
        )
    return rows


def check_widths(a: int, b: int) -> None:
    """Raises SituError when two feature tables have different numbers of columns."""
    if a != b:
        raise SituError(
            f"features: widths {a} and {b} differ; both sides must come from one network"
        )


def _check_pair(a: FeatureStatistics, b: FeatureStatistics) -> None:
    check_widths(a.width, b.width)
    if a.space and b.space and a.space != b.space:
        raise SituError(
            f"features: {a.space!r} and {b.space!r} are different spaces; both sides must come from "
            "one network and one preset"
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Gaussian:
    mean: Array
    covariance: Array
    rank: int  # the covariance's, at most


def _gaussian(statistics: FeatureStatistics) -> _Gaussian:
    rank = min(statistics.count - 1, statistics.width)
    return _Gaussian(statistics.mean, statistics.covariance, rank)


def _root(covariance: Array) -> Array:
    """R [d, d] with R^T R = C: rows are eigenvectors, scaled by the roots of their eigenvalues."""
    values, vectors = np.linalg.eigh(covariance)
    return np.sqrt(values.clip(0))[:, None] * vectors.T


def _distance(a: _Gaussian, root_a: Array, b: _Gaussian) -> float:
    """R C_b R^T is C_a^(1/2) C_b C_a^(1/2) in another basis, so it has the eigenvalues of C_a C_b.

    Of those, no more than the smaller rank are not zero; the rest would add the roots of rounding errors.
    """
    inner = root_a @ b.covariance @ root_a.T
    values = np.linalg.eigvalsh((inner + inner.T) / 2)[-min(a.rank, b.rank) :]
    apart = a.mean - b.mean
    spread = np.trace(a.covariance) + np.trace(b.covariance) - 2 * np.sqrt(values.clip(0)).sum()
    return float(apart @ apart + spread)


def _subset_sizes(count: int, points: int, smallest: int | None) -> tuple[int, ...]:
    start = min(LARGEST_START, count // 2) if smallest is None else smallest
    if points < 2 or not 2 <= start < count:
        raise SituError(
            f"frechet_infinity: {points} subset sizes from {start} to {count} rows; at least 2 sizes "
            "from 2 or more rows, growing, are needed"
        )
    return tuple(dict.fromkeys(int(n) for n in np.linspace(start, count, points).round()))


def _write(statistics: FeatureStatistics, path: Path) -> None:
    with path.open("wb") as file:
        values: dict[str, Any] = {name: np.asarray(getattr(statistics, name)) for name in FIELDS}
        np.savez(file, allow_pickle=False, **values)


def _read(path: Path) -> dict[str, Any]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in FIELDS}
    except FileNotFoundError:
        raise SituError(f"{path} is missing") from None
    except (ValueError, KeyError, AttributeError, EOFError, OSError, BadZipFile) as error:
        raise SituError(
            f"{path} is not a file of feature statistics ({error}); expected an .npz file with "
            f"{', '.join(FIELDS)}"
        ) from None
