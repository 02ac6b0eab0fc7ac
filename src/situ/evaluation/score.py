"""A score of one set of pictures, with its interval and its comparison with another on the same scenes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from situ.evaluation import statistics
from situ.evaluation.evidence import Evidence
from situ.evaluation.statistics import Difference, Estimate, Rows
from situ.scene import SituError

Floats = NDArray[np.float64]
SET_DRAWS = 200  # of a metric of whole sets, which are slower to draw than means


@dataclass(frozen=True)
class Score:
    """A metric of one set of pictures. `above` / `below` [N] are each picture's share of a mean."""

    n: int
    statistic: Callable[[Rows], float]
    above: Floats | None = None
    below: Floats | None = None
    draws: int = SET_DRAWS
    warnings: tuple[str, ...] = ()

    def estimate(self) -> Estimate:
        """With the 95 % interval over pictures; without one (NaN) where drawing would take too long.

        A set drawn with replacement has fewer different pictures, which moves FID and KID up, so their
        intervals are moved back by as much as the mean of the draws lies beside the value.
        """
        if self.above is not None and self.below is not None:
            return statistics.ratio(self.above, self.below)
        value = self.statistic(np.arange(self.n))
        if not self.draws:
            return Estimate(value, float("nan"), float("nan"), self.n)
        drawn = [self.statistic(rows) for rows in statistics.resamples(self.n, draws=self.draws)]
        low, high = np.quantile(drawn, [0.025, 0.975]) - np.mean(drawn) + value
        return Estimate(value, float(low), float(high), self.n)

    def ahead_of(self, other: "Score") -> Difference | None:
        """This score minus another's on the same scenes; None where drawing would take too long."""
        if self.n != other.n:
            raise SituError(f"{self.n} pictures are paired with {other.n}; draw the same scenes")
        if not self.draws or not other.draws:
            return None
        return statistics.paired(
            self.statistic, other.statistic, self.n, draws=min(self.draws, other.draws)
        )


@dataclass(frozen=True)
class Metric:
    """What a metric measures and how; `reference` tells that it needs real pictures to compare with."""

    name: str
    title: str
    better: Literal["higher", "lower"]
    protocol: str
    measure: Callable[[Evidence, Evidence | None], Score]
    reference: bool = False


def mean_score(
    above: ArrayLike, below: ArrayLike | None = None, warnings: tuple[str, ...] = ()
) -> Score:
    """A share or a mean: sum(above) / sum(below), below 1 for each picture unless it is given."""
    a = np.asarray(above, np.float64)
    b = np.ones_like(a) if below is None else np.asarray(below, np.float64)
    if b.sum() <= 0:
        raise SituError("no scene asks for such a thing, so there is nothing to measure")
    return Score(
        len(a),
        lambda rows: float(a[rows].sum() / max(b[rows].sum(), 1e-12)),
        a,
        b,
        statistics.DRAWS,
        warnings,
    )
