"""How sure a score is: intervals and tests over scenes, prompts or raters.

Items that share something (the boxes of a scene, the answers to one prompt) are not independent;
`groups` names what they share, and whole groups are then drawn (cluster bootstrap, Davison & Hinkley
1997, section 3.8). Every draw is seeded: equal input gives equal intervals.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from situ.scene import SituError

DRAWS = 2000
LEVEL = 0.95
SEED = 0
AT_ONCE = 2**22  # counts that are held in memory together

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]  # which items a draw holds, each as often as it was drawn
Groups = Sequence[Hashable]
Statistic = Callable[[Rows], float]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value, its interval, and the number of items it was taken over."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}] (n={self.n})"


@dataclass(frozen=True, slots=True)
class Difference:
    """How much a method is ahead of another, and the two-sided p-value that it is not at all."""

    estimate: Estimate
    p: float


@dataclass(frozen=True, slots=True)
class SignTest:
    """Items on which the first is better, worse and equal, and the two-sided exact p-value."""

    wins: int
    losses: int
    ties: int
    p: float


def mean(
    values: ArrayLike,
    groups: Groups | None = None,
    draws: int = DRAWS,
    level: float = LEVEL,
    seed: int = SEED,
) -> Estimate:
    """The mean of values [n] with its percentile interval (Efron 1979)."""
    values = _numbers(values, "values")
    return ratio(values, np.ones_like(values), groups, draws, level, seed)


def ratio(
    numerators: ArrayLike,
    denominators: ArrayLike,
    groups: Groups | None = None,
    draws: int = DRAWS,
    level: float = LEVEL,
    seed: int = SEED,
) -> Estimate:
    """sum(numerators) / sum(denominators), both [n], with its percentile interval.

    With one row per scene, as (right boxes, boxes), this is the share of boxes and scenes are drawn.
    Draws without any denominator are left out.
    """
    above, below = _numbers(numerators, "numerators"), _numbers(denominators, "denominators")
    _same_length(above, below)
    if below.sum() <= 0:
        raise SituError(f"the denominators add up to {below.sum():g}: there is nothing to share")
    sums = _drawn_sums(np.stack([above, below], 1), groups, draws, seed)
    sums = sums[sums[:, 1] > 0]
    value = float(above.sum() / below.sum())
    return _estimate(value, sums[:, 0] / sums[:, 1], level, len(above))


def bootstrap(
    statistic: Statistic,
    n: int,
    groups: Groups | None = None,
    draws: int = DRAWS,
    level: float = LEVEL,
    seed: int = SEED,
) -> Estimate:
    """Any statistic of n items with its percentile interval (Efron 1979).

    statistic takes the numbers of the items to look at, some of them more than once, and gives one
    float: `lambda rows: float(np.median(values[rows]))`.
    """
    values = [statistic(rows) for rows in resamples(n, groups, draws, seed)]
    return _estimate(statistic(np.arange(n)), np.array(values, np.float64), level, n)


def resamples(
    n: int, groups: Groups | None = None, draws: int = DRAWS, seed: int = SEED
) -> Iterator[Rows]:
    """Item numbers of each draw: n items, or as many whole groups as there are, with replacement."""
    members = _members(n, groups)
    order = np.argsort(members, kind="stable")
    for block in _counts(members.max() + 1, draws, seed):
        for count in block:
            yield np.repeat(order, count[members[order]])


def paired_mean(
    one: ArrayLike,
    other: ArrayLike,
    groups: Groups | None = None,
    draws: int = DRAWS,
    level: float = LEVEL,
    seed: int = SEED,
) -> Difference:
    """mean(one) - mean(other) of two methods on the same items, both [n].

    Both are drawn together, so what makes an item hard for both cancels out.
    """
    a, b = _numbers(one, "the first values"), _numbers(other, "the second values")
    _same_length(a, b)
    gain = a - b
    sums = _drawn_sums(np.stack([gain, np.ones_like(gain)], 1), groups, draws, seed)
    means = sums[:, 0] / sums[:, 1]
    return Difference(_estimate(float(gain.mean()), means, level, len(gain)), two_sided_p(means))


def paired(
    one: Statistic,
    other: Statistic,
    n: int,
    groups: Groups | None = None,
    draws: int = DRAWS,
    level: float = LEVEL,
    seed: int = SEED,
) -> Difference:
    """one - other, any two statistics of the same n items, such as the AP of two methods."""
    gains = [one(rows) - other(rows) for rows in resamples(n, groups, draws, seed)]
    everything = np.arange(n)
    drawn = np.array(gains, np.float64)
    value = one(everything) - other(everything)
    return Difference(_estimate(value, drawn, level, n), two_sided_p(drawn))


def two_sided_p(differences: ArrayLike) -> float:
    """Twice the share of bootstrap differences on the rarer side of 0, which lies on both sides.

    One is added to count and draws, so that no finite number of draws says 0 (Davison & Hinkley 1997,
    section 4.2).
    """
    drawn = _numbers(differences, "differences")
    rarer = min(np.count_nonzero(drawn <= 0), np.count_nonzero(drawn >= 0))
    return min(1.0, 2 * (rarer + 1) / (len(drawn) + 1))


def wilson(successes: float, n: int, level: float = LEVEL) -> Estimate:
    """A share with its score interval (Wilson 1927); a tie may be half a success.

    Judgements that share prompts or raters need `ratio` with groups instead.
    """
    if n < 1 or not 0 <= successes <= n:
        raise SituError(f"{successes} successes of {n}: n must be 1 or more, successes in 0..n")
    z2 = NormalDist().inv_cdf((1 + _level(level)) / 2) ** 2
    share = successes / n
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    reach = sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return Estimate(share, max(0.0, middle - reach), min(1.0, middle + reach), n)


def sign_test(differences: ArrayLike) -> SignTest:
    """Is an item as likely above 0 as below it? Exact and two-sided; ties are left out.

    Only signs count: for votes, give one majority per prompt, not one difference per vote.
    """
    values = _numbers(differences, "differences")
    wins, losses = int(np.count_nonzero(values > 0)), int(np.count_nonzero(values < 0))
    return SignTest(wins, losses, len(values) - wins - losses, _binomial_p(wins, wins + losses))


def _binomial_p(successes: int, n: int) -> float:
    """The chance that n fair coins fall at least as unevenly."""
    ways, term = 0, 1
    for k in range(min(successes, n - successes) + 1):
        ways += term
        term = term * (n - k) // (k + 1)
    return min(1.0, 2 * ways / 2**n)


def _drawn_sums(columns: Floats, groups: Groups | None, draws: int, seed: int) -> Floats:
    """Column sums [draws, k] of resampled rows: [n, k] is first added up to one row per group."""
    members = _members(len(columns), groups)
    totals = np.zeros((members.max() + 1, columns.shape[1]))
    np.add.at(totals, members, columns)
    return np.concatenate([block @ totals for block in _counts(len(totals), draws, seed)])


def _counts(n: int, draws: int, seed: int) -> Iterator[NDArray[np.intp]]:
    """How often each of n things is drawn, in blocks [some, n] of draws."""
    if draws < 1:
        raise SituError(f"draws must be 1 or more, got {draws}")
    rng, at_once = np.random.default_rng(seed), max(1, AT_ONCE // n)
    for start in range(0, draws, at_once):
        rows = min(at_once, draws - start)
        chosen = rng.integers(n, size=(rows, n)) + n * np.arange(rows)[:, None]
        yield np.bincount(chosen.ravel(), minlength=rows * n).reshape(rows, n)


def _members(n: int, groups: Groups | None) -> Rows:
    """The group of each item as 0, 1, ...; without groups each item is its own."""
    if n < 1:
        raise SituError("there are no items to score: give at least one")
    if groups is None:
        return np.arange(n)
    if len(groups) != n:
        raise SituError(f"groups has {len(groups)} entries for {n} items; give one to each item")
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(group, len(numbers)) for group in groups], np.intp)


def _estimate(value: float, drawn: Floats, level: float, n: int) -> Estimate:
    tail = (1 - _level(level)) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Estimate(float(value), float(low), float(high), n)


def _level(level: float) -> float:
    if not 0 < level < 1:
        raise SituError(f"level must be between 0 and 1, such as 0.95; got {level}")
    return level


def _numbers(values: Any, name: str) -> Floats:
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or not len(array):
        raise SituError(f"{name} must be a list of numbers, got an array of shape {array.shape}")
    if not np.isfinite(array).all():
        row = int(np.flatnonzero(~np.isfinite(array))[0])
        raise SituError(f"{name}[{row}] is {array[row]}; every one must be finite")
    return array


def _same_length(one: Floats, other: Floats) -> None:
    if len(one) != len(other):
        raise SituError(f"{len(one)} values are paired with {len(other)}; give one to each item")
