"""How strong each system is, from who won against whom: the model of Bradley and Terry (1952).

P(i beats j) = p_i / (p_i + p_j). Strengths of greatest likelihood are found by the update of Newman
("Efficient computation of rankings from pairwise comparisons", 2023), one system after another:

    p_i <- sum_j w_ij p_j / (p_i + p_j)  /  sum_j w_ji / (p_i + p_j)

It stands still where the better known W_i / sum_j n_ij / (p_i + p_j) of Hunter (2004, equation 3) does,
and gets there in tens of rounds where that takes thousands: when one system wins nearly always. The
geometric mean of p is 1.
Matrices may have leading axes, one for each draw of a bootstrap.
"""

import math
from dataclasses import dataclass

import numpy as np

from situ.scene import SituError

ELO = 400 / math.log(10)  # points of Elo's scale for each unit of ln p
PSEUDO_WIN = 0.5
MAX_ROUNDS = 10_000
TOLERANCE = 1e-10  # of ln p, between two rounds


@dataclass(frozen=True, slots=True)
class Strengths:
    """ln p of each system [..., k]; `smoothed` [...] tells where pseudo-wins had to be added."""

    log: np.ndarray
    smoothed: np.ndarray

    @property
    def elo(self) -> np.ndarray:
        """Points on Elo's scale [..., k], 0 on average."""
        return ELO * self.log


def fit(wins: np.ndarray) -> Strengths:
    """Strengths from wins [..., k, k]: how often the row's system beat the column's, ties as half.

    Where one system could be moved up without end, half a win is added to every pair, both ways.
    """
    counts = np.array(wins, dtype=np.float64)
    _check(counts)
    smoothed = ~strongly_connected(counts)
    others = 1 - np.eye(counts.shape[-1])
    counts += PSEUDO_WIN * others * smoothed[..., None, None]
    return Strengths(_maximise(counts), smoothed)


def strongly_connected(wins: np.ndarray) -> np.ndarray:
    """Whether wins lead from every system to every other one, [...] of [..., k, k] (Ford 1957)."""
    k = wins.shape[-1]
    reached = (wins > 0) | np.eye(k, dtype=bool)
    for _ in range(max(1, (k - 1).bit_length())):  # each squaring doubles the length of the paths
        reached = (reached.astype(np.int64) @ reached.astype(np.int64)) > 0
    return np.asarray(reached.all((-2, -1)))


def _maximise(wins: np.ndarray) -> np.ndarray:
    p = np.ones(wins.shape[:-1])
    for _ in range(MAX_ROUNDS):
        before = p.copy()
        for i in range(wins.shape[-1]):
            both = p[..., i, None] + p
            p[..., i] = (wins[..., i, :] * p / both).sum(-1) / (wins[..., :, i] / both).sum(-1)
        p /= np.exp(np.log(p).mean(-1, keepdims=True))
        if np.abs(np.log(p / before)).max(initial=0.0) < TOLERANCE:
            break
    return np.log(p)


def _check(wins: np.ndarray) -> None:
    if wins.ndim < 2 or wins.shape[-1] != wins.shape[-2] or wins.shape[-1] < 2:
        raise SituError(f"wins: shape {wins.shape} must be [..., k, k] with k of at least 2")
    if not np.isfinite(wins).all() or (wins < 0).any():
        raise SituError("wins: counts must be finite and at least 0")
    if np.einsum("...ii->...", wins).any():
        raise SituError("wins: the diagonal must be 0, for no system meets itself")
