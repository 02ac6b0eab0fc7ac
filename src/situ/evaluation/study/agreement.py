"""How far raters agree with one another, beyond what chance would bring."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from situ.scene import SituError
from situ.scene.errors import did_you_mean

Metric = Literal["nominal", "ordinal", "interval", "ratio"]
METRICS: tuple[Metric, ...] = ("nominal", "ordinal", "interval", "ratio")

Ratings = Sequence[Sequence[float | None]]  # [raters][units]; None or nan where one is missing


def percent_agreement(counts: np.ndarray) -> float:
    """The share of pairs of raters that chose alike, meaned over units; nan without such a pair.

    counts [units, categories] are raters that chose a category. Units of one rater say nothing.
    """
    rated = _rated(counts)
    return float(_alike(rated).mean()) if len(rated) else float("nan")


def fleiss_kappa(counts: np.ndarray) -> float:
    """Kappa of Fleiss (1971) from counts [units, categories]; nan where chance alone explains all.

    Fleiss asks for equally many raters of each unit. Where they differ, a unit counts once in the
    agreement that is seen, and a rating once in the shares of the categories.
    """
    rated = _rated(counts)
    return _kappa(rated) if len(rated) else float("nan")


def krippendorff_alpha(ratings: Ratings, metric: Metric = "nominal") -> float:
    """Alpha of Krippendorff (2011, "Computing Krippendorff's alpha-reliability"); 1 is full agreement.

    Ratings may be missing. nan where fewer than two values are used at all.
    """
    if metric not in METRICS:
        raise SituError(f"metric {metric!r}: {did_you_mean(metric, METRICS)}")
    values, counts = _tabled(ratings)
    if metric == "ratio" and (values < 0).any():
        raise SituError(f"ratio: values must be at least 0, got {values.min()}")
    together = _coincidences(counts)
    distance = _distances(values, together.sum(0), metric)
    seen, expected = (together * distance).sum(), _expected(together, distance)
    return float(1 - seen / expected) if expected > 0 else float("nan")


def _rated(counts: np.ndarray) -> np.ndarray:
    """The units of at least two raters."""
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2 or (table < 0).any():
        raise SituError(f"counts: [units, categories] of at least 0, got shape {table.shape}")
    return table[table.sum(1) >= 2]


def _alike(counts: np.ndarray) -> np.ndarray:
    """Fleiss' P_i of each unit."""
    n = counts.sum(1)
    return (counts * (counts - 1)).sum(1) / (n * (n - 1))


def _kappa(counts: np.ndarray) -> float:
    seen = _alike(counts).mean()
    by_chance = ((counts.sum(0) / counts.sum()) ** 2).sum()
    return float((seen - by_chance) / (1 - by_chance)) if by_chance < 1 else float("nan")


def _tabled(ratings: Ratings) -> tuple[np.ndarray, np.ndarray]:
    """The values that occur, in order, and how often each unit has them [units, values]."""
    if len({len(row) for row in ratings}) > 1:
        raise SituError("ratings: every rater needs as many entries as there are units")
    rows = [[np.nan if rating is None else float(rating) for rating in row] for row in ratings]
    table = np.array(rows, dtype=np.float64).T.reshape(-1, len(rows))
    values = np.unique(table[~np.isnan(table)])
    return values, (table[:, :, None] == values).sum(1).astype(np.float64)


def _coincidences(counts: np.ndarray) -> np.ndarray:
    """o_ck: how often two values stand side by side in a unit, a unit of m weighted by 1/(m - 1)."""
    rated = _rated(counts)
    weighted = rated / (rated.sum(1, keepdims=True) - 1)
    return rated.T @ weighted - np.diag(weighted.sum(0))


def _distances(values: np.ndarray, often: np.ndarray, metric: Metric) -> np.ndarray:
    """delta squared between all values; `often` is n_c."""
    one, other = values[:, None], values[None, :]
    if metric == "nominal":
        return (one != other).astype(np.float64)
    if metric == "interval":
        return (one - other) ** 2
    if metric == "ratio":
        total = one + other
        return np.where(total == 0, 0.0, (one - other) / np.where(total == 0, 1.0, total)) ** 2
    ranks = np.cumsum(often) - often / 2  # a value's place, in the middle of its ties
    return (ranks[:, None] - ranks[None, :]) ** 2


def _expected(together: np.ndarray, distance: np.ndarray) -> float:
    often = together.sum(0)
    total = often.sum()
    return float(often @ distance @ often / (total - 1)) if total > 1 else 0.0
