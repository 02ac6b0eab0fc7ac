"""What the judgements say: shares of wins, how sure they are, strengths, and how far raters agree.

Judgements share prompts and raters, so a count of all of them as if each were a coin of its own is too
sure of itself. Intervals are therefore given over prompts and over raters, drawn whole, and the test
counts one majority per prompt.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

from situ.evaluation.statistics import (
    DRAWS,
    LEVEL,
    SEED,
    Estimate,
    SignTest,
    ratio,
    resamples,
    sign_test,
    wilson,
)
from situ.evaluation.study.agreement import fleiss_kappa, krippendorff_alpha, percent_agreement
from situ.evaluation.study.answers import Judgement
from situ.evaluation.study.bradley_terry import ELO, fit
from situ.scene import SituError

POINTS = {"left": 1.0, "tie": 0.5, "right": 0.0}  # of the left system


@dataclass(frozen=True, slots=True)
class Duel:
    """One system against another. Shares are of `one`, a tie being half a win.

    majorities counts prompts: on how many of them more raters chose one than the other.
    """

    one: str
    other: str
    wins: int
    losses: int
    ties: int
    share: Estimate  # as if all judgements were independent (Wilson); too narrow
    over_prompts: Estimate
    over_raters: Estimate
    majorities: SignTest


@dataclass(frozen=True, slots=True)
class Standing:
    """A system against all others: its share of wins, and its strength (Bradley-Terry)."""

    system: str
    share: Estimate  # over prompts
    strength: Estimate  # ln p, 0 on average over systems; interval over prompts
    elo: Estimate


@dataclass(frozen=True, slots=True)
class Agreement:
    """Between raters of the same two pictures of a prompt; None where no two raters saw the same.

    Values are one system, a tie and the other: ordered, so alpha is given both ways.
    """

    percent: float | None  # 0..1
    fleiss_kappa: float | None
    alpha_nominal: float | None
    alpha_ordinal: float | None
    units: int  # that two raters or more judged


@dataclass(frozen=True, slots=True)
class Result:
    """The answers to one question."""

    question: str
    judgements: int
    prompts: int
    raters: int
    duels: tuple[Duel, ...]
    standings: tuple[Standing, ...]  # the best first
    smoothed: bool  # whether the strengths needed pseudo-wins to be finite
    agreement: Agreement
    left: Estimate  # how often the left picture won, a tie being half; 0.5 without a habit

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, lists, strings and numbers."""
        return asdict(self)


def analyse(
    judgements: Sequence[Judgement],
    systems: Sequence[str] | None = None,
    draws: int = DRAWS,
    level: float = LEVEL,
    seed: int = SEED,
) -> tuple[Result, ...]:
    """A result to each question that was answered. Shares are of the system that comes first in
    `systems`, or in the alphabet."""
    if not judgements:
        raise SituError("there are no judgements: no answers count")
    known = {name for j in judgements for name in (j.left_system, j.right_system)}
    ordered = sorted(known) if systems is None else [name for name in systems if name in known]
    by_question: dict[str, list[Judgement]] = {}
    for judgement in judgements:
        by_question.setdefault(judgement.question, []).append(judgement)
    return tuple(
        _result(question, by_question[question], ordered, draws, level, seed)
        for question in sorted(by_question)
    )


def duel(
    one: str, other: str, judgements: Sequence[Judgement], draws: int, level: float, seed: int
) -> Duel:
    """Two systems; judgements of others are left aside."""
    met = [j for j in judgements if {one, other} == {j.left_system, j.right_system}]
    points = np.array([_points(j, one) for j in met])
    prompts, raters = [j.prompt_id for j in met], [j.rater_id for j in met]
    ones = np.ones(len(met))
    return Duel(
        one=one,
        other=other,
        wins=int((points == 1.0).sum()),
        losses=int((points == 0.0).sum()),
        ties=int((points == 0.5).sum()),
        share=wilson(float(points.sum()), len(met), level),
        over_prompts=ratio(points, ones, prompts, draws, level, seed),
        over_raters=ratio(points, ones, raters, draws, level, seed),
        majorities=sign_test(_majorities(points, prompts)),
    )


def wins(judgements: Sequence[Judgement], systems: Sequence[str]) -> np.ndarray:
    """How often the row's system beat the column's, ties as half: [k, k]."""
    table = np.zeros((len(systems), len(systems)))
    for judgement in judgements:
        left = systems.index(judgement.left_system)
        right = systems.index(judgement.right_system)
        points = POINTS[judgement.choice]
        table[left, right] += points
        table[right, left] += 1 - points
    return table


def agreement(judgements: Sequence[Judgement]) -> Agreement:
    """A unit is two pictures; which of them stood left does not matter."""
    raters = {rater: i for i, rater in enumerate(dict.fromkeys(j.rater_id for j in judgements))}
    units: dict[tuple[str, int, str, str], dict[int, float]] = {}
    for j in judgements:
        first, second = sorted((j.left_system, j.right_system))
        unit = units.setdefault((j.prompt_id, j.image, first, second), {})
        unit[raters[j.rater_id]] = _points(j, first)
    shared = [unit for unit in units.values() if len(unit) > 1]
    values = [[*unit.values()] for unit in shared]
    counts = np.array([[v.count(p) for p in (1.0, 0.5, 0.0)] for v in values]).reshape(-1, 3)
    table = [[unit.get(rater) for unit in shared] for rater in raters.values()]
    return Agreement(
        percent=_or_none(percent_agreement(counts)),
        fleiss_kappa=_or_none(fleiss_kappa(counts)),
        alpha_nominal=_or_none(krippendorff_alpha(table, "nominal")),
        alpha_ordinal=_or_none(krippendorff_alpha(table, "ordinal")),
        units=len(shared),
    )


def _or_none(value: float) -> float | None:
    """JSON has no nan."""
    return None if np.isnan(value) else value


def _result(
    question: str,
    judgements: Sequence[Judgement],
    systems: Sequence[str],
    draws: int,
    level: float,
    seed: int,
) -> Result:
    met = {frozenset((j.left_system, j.right_system)) for j in judgements}
    pairs = [pair for pair in combinations(systems, 2) if frozenset(pair) in met]
    standings, smoothed = _standings(judgements, systems, draws, level, seed)
    left = [POINTS[j.choice] for j in judgements]
    raters = [j.rater_id for j in judgements]
    return Result(
        question=question,
        judgements=len(judgements),
        prompts=len({j.prompt_id for j in judgements}),
        raters=len(set(raters)),
        duels=tuple(duel(*pair, judgements, draws, level, seed) for pair in pairs),
        standings=standings,
        smoothed=smoothed,
        agreement=agreement(judgements),
        left=ratio(left, np.ones(len(left)), raters, draws, level, seed),
    )


def _standings(
    judgements: Sequence[Judgement], systems: Sequence[str], draws: int, level: float, seed: int
) -> tuple[tuple[Standing, ...], bool]:
    """Shares and strengths, each with its interval over prompts."""
    prompts = list(dict.fromkeys(j.prompt_id for j in judgements))
    tables = np.stack(
        [wins([j for j in judgements if j.prompt_id == prompt], systems) for prompt in prompts]
    )
    drawn = np.stack([tables[rows].sum(0) for rows in resamples(len(prompts), None, draws, seed)])
    found, spread = fit(tables.sum(0)), fit(drawn).log
    low, high = np.quantile(spread, [(1 - level) / 2, (1 + level) / 2], axis=0)
    standings = []
    for i, system in enumerate(systems):
        won, met = tables[:, i].sum(-1), (tables[:, i] + tables[:, :, i]).sum(-1)
        share = ratio(won, met, None, draws, level, seed)
        value, least, most = float(found.log[i]), float(low[i]), float(high[i])
        strength = Estimate(value, least, most, len(prompts))
        elo = Estimate(ELO * value, ELO * least, ELO * most, len(prompts))
        standings.append(Standing(system, share, strength, elo))
    ordered = sorted(standings, key=lambda s: -s.strength.value)
    return tuple(ordered), bool(found.smoothed)


def _points(judgement: Judgement, system: str) -> float:
    points = POINTS[judgement.choice]
    return points if judgement.left_system == system else 1 - points


def _majorities(points: np.ndarray, prompts: Sequence[str]) -> list[float]:
    """For each prompt above 0 where most raters chose the first system, below 0 the second."""
    leads: dict[str, float] = {}
    for value, prompt in zip(points, prompts, strict=True):
        leads[prompt] = leads.get(prompt, 0.0) + 2 * value - 1
    return list(leads.values())
