"""Intervals and tests against closed forms, scipy, and how often they hold what they should."""

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from situ.evaluation.statistics import (
    bootstrap,
    mean,
    paired,
    paired_mean,
    ratio,
    resamples,
    sign_test,
    two_sided_p,
    wilson,
)
from situ.scene import SituError

RNG = np.random.default_rng(1)


def test_the_interval_of_a_mean_is_the_normal_one() -> None:
    values = RNG.normal(3, 2, 400)
    found = mean(values, draws=20_000)
    reach = NormalDist().inv_cdf(0.975) * values.std() / 20
    assert found.value == pytest.approx(values.mean())
    assert found.n == 400
    assert (found.low, found.high) == pytest.approx(
        (values.mean() - reach, values.mean() + reach), abs=0.03 * reach * 2
    )


def test_the_interval_agrees_with_scipy() -> None:
    scipy_stats = pytest.importorskip("scipy.stats")
    values = RNG.exponential(size=60)
    theirs = scipy_stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(5)
    ).confidence_interval
    found = mean(values, draws=20_000)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.01)


def test_any_statistic_agrees_with_the_fast_mean() -> None:
    values = RNG.normal(size=50)
    slow = bootstrap(lambda rows: float(values[rows].mean()), 50, draws=300)
    fast = mean(values, draws=300)
    assert (slow.value, slow.low, slow.high) == pytest.approx((fast.value, fast.low, fast.high))


def test_a_median_has_an_interval() -> None:
    values = np.arange(101.0)
    found = bootstrap(lambda rows: float(np.median(values[rows])), 101, draws=2000)
    # the ranks of the sign test's interval: 50 +- 1.96 * sqrt(101) / 2
    assert found.value == 50
    assert (found.low, found.high) == pytest.approx((40, 60), abs=2)


@pytest.mark.parametrize("grouped", [False, True])
def test_intervals_hold_the_truth_as_often_as_they_say(grouped: bool) -> None:
    """Boxes of a scene share its difficulty: drawn one by one their interval is far too short."""
    rng = np.random.default_rng(2)
    held, tries, scenes, boxes = 0, 300, 40, 5
    groups = np.repeat(np.arange(scenes), boxes).tolist()
    for _ in range(tries):
        shared = np.repeat(rng.normal(size=scenes), boxes)
        values = shared + 0.3 * rng.normal(size=scenes * boxes)
        found = mean(values, groups if grouped else None, draws=300)
        held += found.low <= 0 <= found.high
    share = held / tries
    assert (0.9 <= share <= 0.98) if grouped else share < 0.7


def test_the_coverage_of_independent_values() -> None:
    rng = np.random.default_rng(3)
    inside = [mean(rng.exponential(size=60), draws=300) for _ in range(300)]
    assert 0.9 <= np.mean([found.low <= 1 <= found.high for found in inside]) <= 0.98


def test_groups_of_one_are_no_groups() -> None:
    values = RNG.normal(size=30)
    assert mean(values, list(range(30))) == mean(values)


def test_groups_are_drawn_whole() -> None:
    groups = ["a", "b", "a", "c", "c", "c"]
    sizes = {"a": 2, "b": 1, "c": 3}
    for rows in resamples(6, groups, draws=50):
        drawn = [groups[row] for row in rows]
        counts = {name: drawn.count(name) / size for name, size in sizes.items()}
        assert sum(counts.values()) == 3
        assert all(count == int(count) for count in counts.values())
        assert np.array_equal(np.bincount(rows, minlength=6)[[0, 3]], [counts["a"], counts["c"]])


def test_one_group_has_no_spread() -> None:
    found = mean([1.0, 2.0, 6.0], ["same"] * 3)
    assert (found.value, found.low, found.high) == (3, 3, 3)


def test_a_ratio_is_of_sums() -> None:
    found = ratio([1, 0, 5], [1, 4, 5])
    assert found.value == pytest.approx(0.6)
    assert found.low < 0.6 < found.high
    assert ratio([2, 4, 6], [1, 2, 3]).low == pytest.approx(2)
    assert ratio([0.0, 3.0], [0, 4], draws=50).high == pytest.approx(0.75)  # empty draws left out


def test_equal_input_gives_equal_intervals_and_another_seed_does_not() -> None:
    values = RNG.normal(size=40)
    assert mean(values) == mean(values)
    assert mean(values).low != mean(values, seed=1).low


def test_blocks_do_not_change_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    values = RNG.normal(size=40)
    whole = mean(values, draws=101)
    monkeypatch.setattr("situ.evaluation.statistics.AT_ONCE", 7 * 40)
    assert mean(values, draws=101) == whole


def test_pairs_cancel_what_both_share() -> None:
    """The scenes differ far more than the methods; a paired test sees that one is always better."""
    hard = RNG.normal(0, 5, 60)
    better, worse = hard + 0.2 + 0.1 * RNG.normal(size=60), hard
    found = paired_mean(better, worse)
    assert found.estimate.low > 0.15
    assert found.estimate.high < 0.25
    assert found.p < 0.01
    assert mean(better).low < mean(worse).high  # their own intervals tell nothing


def test_the_p_value_is_near_that_of_the_t_test() -> None:
    scipy_stats = pytest.importorskip("scipy.stats")
    one, other = RNG.normal(0.15, 1, 150), RNG.normal(0, 1, 150)
    theirs = scipy_stats.ttest_rel(one, other).pvalue
    assert paired_mean(one, other, draws=20_000).p == pytest.approx(theirs, rel=0.15, abs=0.005)


def test_equal_methods_are_called_different_as_rarely_as_said() -> None:
    rng = np.random.default_rng(4)
    ps = [paired_mean(*rng.normal(size=(2, 50)), draws=300).p for _ in range(300)]
    assert 0.02 <= np.mean(np.array(ps) < 0.05) <= 0.1


def test_any_paired_statistic_agrees_with_the_paired_mean() -> None:
    one, other = RNG.normal(0.3, 1, (2, 40))
    slow = paired(
        lambda rows: float(one[rows].mean()), lambda rows: float(other[rows].mean()), 40, draws=200
    )
    fast = paired_mean(one, other, draws=200)
    assert slow.p == fast.p
    assert slow.estimate.low == pytest.approx(fast.estimate.low)


@pytest.mark.parametrize(
    ("drawn", "p"), [([0, 0, 0], 1), ([1] * 99, 0.02), ([-1] + [1] * 98, 0.04), ([-1, 1], 1)]
)
def test_the_p_value_counts_the_rarer_side(drawn: list[float], p: float) -> None:
    assert two_sided_p(drawn) == pytest.approx(p)


def test_wilson_golden() -> None:
    found = wilson(60, 94)
    assert (round(found.low, 4), round(found.high, 4)) == (0.5375, 0.7282)
    assert found.value == 60 / 94
    assert found.n == 94


@settings(max_examples=40)
@given(st.integers(1, 300), st.floats(0, 1), st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_agrees_with_scipy(n: int, share: float, level: float) -> None:
    scipy_stats = pytest.importorskip("scipy.stats")
    successes = round(share * n)
    theirs = scipy_stats.binomtest(successes, n).proportion_ci(level, "wilson")
    found = wilson(successes, n, level)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@settings(max_examples=40)
@given(st.lists(st.integers(-2, 2), min_size=1, max_size=200))
def test_the_sign_test_agrees_with_scipy(differences: list[int]) -> None:
    scipy_stats = pytest.importorskip("scipy.stats")
    found = sign_test(differences)
    assert found.wins + found.losses + found.ties == len(differences)
    if found.wins + found.losses:
        theirs = scipy_stats.binomtest(found.wins, found.wins + found.losses).pvalue
        assert found.p == pytest.approx(theirs)
    else:
        assert found.p == 1


def test_the_sign_test_by_hand() -> None:
    assert sign_test([1, 2, 3, 0.5, 9, -1, 0]).p == pytest.approx(2 * (1 + 6) / 64)
    assert sign_test([1.0] * 10).p == pytest.approx(2 / 1024)


def test_mistakes_are_told() -> None:
    cases = [
        (lambda: mean([]), "must be a list of numbers"),
        (lambda: mean([1.0, np.nan]), r"values\[1\] is nan"),
        (lambda: mean([1, 2], ["a"]), "groups has 1 entries for 2 items"),
        (lambda: mean([1, 2], draws=0), "draws must be 1 or more"),
        (lambda: mean([1, 2], level=95), "level must be between 0 and 1"),
        (lambda: ratio([1], [0]), "nothing to share"),
        (lambda: paired_mean([1, 2], [1]), "2 values are paired with 1"),
        (lambda: wilson(5, 4), "5 successes of 4"),
        (lambda: bootstrap(lambda rows: 0.0, 0), "no items"),
    ]
    for mistake, message in cases:
        with pytest.raises(SituError, match=message):
            mistake()
