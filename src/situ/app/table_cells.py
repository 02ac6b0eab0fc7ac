"""The cells of a reproduced table: scores over seeds, with intervals and paired gains."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from situ.app.evaluate import plain
from situ.evaluation.evidence import Evidence
from situ.evaluation.metrics import Score
from situ.evaluation.statistics import Rows
from situ.evaluation.tables import Column

Scores = Sequence[Score]  # one for each column


def scores_of(
    columns: Sequence[Column],
    drawn: Mapping[str, Sequence[Evidence]],
    reals: Mapping[str, Evidence | None],
) -> Scores:
    """What the seeds of each suite score in every column."""
    return [
        _over_seeds([_measured(column, e, reals[column.suite]) for e in drawn[column.suite]])
        for column in columns
    ]


def cells(own: Scores, base: Scores | None = None) -> list[dict[str, Any]]:
    """Every column's estimate, and what it gains over a baseline on the same scenes."""
    return [
        _cell(score, other) for score, other in zip(own, base or [None] * len(own), strict=True)
    ]


def _cell(score: Score, base: Score | None) -> dict[str, Any]:
    cell = {**plain(score.estimate()), "warnings": list(score.warnings)}
    gain = None if base is None else score.ahead_of(base)
    if gain is not None:
        cell["gain"] = {**plain(gain.estimate), "p": gain.p}
    return cell


def _measured(column: Column, pictures: Evidence, real: Evidence | None) -> Score:
    score = column.measure(pictures, real)
    if score.above is not None:
        return score
    return replace(score, statistic=_remembering(score.statistic))


def _remembering(statistic: Callable[[Rows], float]) -> Callable[[Rows], float]:
    """Every interval and every gain draws the same rows, so a slow statistic is computed once for each."""
    known: dict[bytes, float] = {}

    def remembered(rows: Rows) -> float:
        key = hashlib.sha256(rows.tobytes()).digest()
        if key not in known:
            known[key] = statistic(rows)
        return known[key]

    return remembered


def _over_seeds(scores: Sequence[Score]) -> Score:
    """The mean over seeds; scenes are drawn together with all their seeds."""
    first = scores[0]
    if len(scores) == 1:
        return first

    def statistic(rows: Rows) -> float:
        return float(np.mean([score.statistic(rows) for score in scores]))

    if first.above is None or first.below is None:
        return replace(first, statistic=statistic)
    above = np.sum([score.above for score in scores if score.above is not None], 0)
    below = np.sum([score.below for score in scores if score.below is not None], 0)
    return replace(first, statistic=statistic, above=above, below=below)
