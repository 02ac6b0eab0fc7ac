"""Strengths against golden values, another library, closed forms and properties."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from situ.evaluation.study.bradley_terry import ELO, fit, strongly_connected
from situ.scene import SituError

WINS = np.array([[0, 7, 9, 5], [3, 0, 8, 4], [1, 2, 0, 3], [5, 6, 7, 0]])


def test_golden_strengths() -> None:
    found = fit(WINS)
    assert found.log == pytest.approx([0.69246, 0.016165, -1.056813, 0.348188], abs=5e-6)
    assert found.elo == pytest.approx([120.293, 2.808, -183.587, 60.486], abs=5e-4)
    assert not found.smoothed


def test_choix_agrees() -> None:
    choix = pytest.importorskip("choix")
    pairs = [(i, j) for i in range(4) for j in range(4) for _ in range(WINS[i, j])]
    assert fit(WINS).log == pytest.approx(choix.ilsr_pairwise(4, pairs), abs=1e-6)


@settings(max_examples=30)
@given(st.integers(1, 50), st.integers(1, 50))
def test_two_systems_have_the_odds_of_their_wins(won: int, lost: int) -> None:
    log = fit(np.array([[0, won], [lost, 0]])).log
    assert log[0] - log[1] == pytest.approx(math.log(won / lost), abs=1e-8)


@settings(max_examples=30)
@given(st.lists(st.integers(1, 9), min_size=12, max_size=12), st.permutations(range(4)))
def test_names_do_not_matter_and_expected_wins_are_the_wins(
    counts: list[int], order: list[int]
) -> None:
    wins = np.zeros((4, 4))
    wins[~np.eye(4, dtype=bool)] = counts
    log = fit(wins).log
    assert fit(wins[np.ix_(order, order)]).log == pytest.approx(log[order], abs=1e-7)
    assert log.sum() == pytest.approx(0, abs=1e-9)
    chance = 1 / (1 + np.exp(log[None, :] - log[:, None]))  # the maximum of the likelihood
    expected = ((wins + wins.T) * chance).sum(1)
    assert expected == pytest.approx(wins.sum(1), abs=1e-6)


def test_who_never_lost_is_held_back_by_half_a_win() -> None:
    found = fit(np.array([[0, 10], [0, 0]]))
    assert found.smoothed
    assert found.log[0] - found.log[1] == pytest.approx(math.log(10.5 / 0.5))
    nothing = fit(np.zeros((3, 3)))
    assert nothing.smoothed
    assert nothing.log == pytest.approx(np.zeros(3))


def test_a_near_certain_winner_is_found_to_the_last_digit() -> None:
    """Five systems, each of which beats all that follow 600 to 0: hard for slow updates."""
    wins = np.triu(np.full((5, 5), 600.0), 1)
    log = fit(wins).log
    smoothed = wins + 0.5 * (1 - np.eye(5))
    chance = 1 / (1 + np.exp(log[None, :] - log[:, None]))
    expected = ((smoothed + smoothed.T) * chance * (1 - np.eye(5))).sum(1)
    assert expected == pytest.approx(smoothed.sum(1), rel=1e-9)


def test_a_circle_of_wins_is_connected_and_a_chain_is_not() -> None:
    k = 9
    circle = np.roll(np.eye(k), 1, axis=1)
    chain = circle.copy()
    chain[-1, 0] = 0
    assert strongly_connected(circle)
    assert not strongly_connected(chain)
    assert strongly_connected(np.stack([circle, chain])).tolist() == [True, False]
    assert fit(circle).log == pytest.approx(np.zeros(k))


def test_a_stack_is_fitted_like_its_parts() -> None:
    stack = np.stack([WINS, WINS.T, np.triu(WINS)])
    both = fit(stack)
    assert both.smoothed.tolist() == [False, False, True]
    for row, wins in zip(both.log, stack, strict=True):
        assert row == pytest.approx(fit(wins).log, abs=1e-8)
    assert both.log[1] == pytest.approx(-both.log[0], abs=1e-8)


def test_400_points_are_odds_of_ten_to_one() -> None:
    assert math.log(10) * ELO == pytest.approx(400)


@pytest.mark.parametrize(
    "wins", [np.zeros((2, 3)), np.zeros((1, 1)), np.eye(2), -WINS, np.full((2, 2), np.nan)]
)
def test_wrong_tables_are_refused(wins: np.ndarray) -> None:
    with pytest.raises(SituError, match="wins"):
        fit(wins)
