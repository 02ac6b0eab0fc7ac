"""Agreement against published tables, closed forms and properties."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from situ.evaluation.study.agreement import (
    METRICS,
    Metric,
    fleiss_kappa,
    krippendorff_alpha,
    percent_agreement,
)
from situ.scene import SituError

# Fleiss' example: 14 raters, 10 subjects, 5 categories.
FLEISS = np.array(
    [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
)
_ = None
# Krippendorff's example: 4 observers, 12 units, 5 values, missing data.
KRIPPENDORFF = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
    [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
]


def test_fleiss_example() -> None:
    assert fleiss_kappa(FLEISS) == pytest.approx(0.20993070, abs=5e-9)


@pytest.mark.parametrize(
    ("metric", "alpha"),
    [("nominal", 0.743421), ("ordinal", 0.815388), ("interval", 0.849107), ("ratio", 0.797403)],
)
def test_krippendorff_example(metric: Metric, alpha: float) -> None:
    assert krippendorff_alpha(KRIPPENDORFF, metric) == pytest.approx(alpha, abs=5e-7)


ratings = st.integers(2, 5).flatmap(
    lambda raters: st.lists(
        st.lists(st.sampled_from([1.0, 2.0, 5.0, None]), min_size=raters, max_size=raters),
        min_size=1,
        max_size=8,
    )
)


@settings(max_examples=30)
@given(ratings)
def test_krippendorff_by_its_definition(units: list[list[float | None]]) -> None:
    """1 - D_o / D_e written as sums over all pairs of values, interval metric."""
    alpha = krippendorff_alpha([*map(list, zip(*units, strict=True))], "interval")
    rated = [[v for v in unit if v is not None] for unit in units]
    rated = [unit for unit in rated if len(unit) > 1]
    pool = [v for unit in rated for v in unit]
    seen = sum(sum((a - b) ** 2 for a in unit for b in unit) / (len(unit) - 1) for unit in rated)
    chance = sum((a - b) ** 2 for a in pool for b in pool) / (len(pool) - 1) if pool else 0
    if chance == 0:
        assert math.isnan(alpha)
    else:
        assert alpha == pytest.approx(1 - seen / chance)


@settings(max_examples=30)
@given(ratings, st.sampled_from(METRICS), st.randoms())
def test_neither_the_order_of_raters_nor_of_units_matters(units: list, metric: Metric, rng) -> None:  # type: ignore[no-untyped-def]
    mixed = [rng.sample(unit, len(unit)) for unit in rng.sample(units, len(units))]
    one, other = (krippendorff_alpha([*zip(*u, strict=True)], metric) for u in (units, mixed))
    assert one == pytest.approx(other, nan_ok=True)


def test_full_agreement_is_one_and_two_opposed_raters_are_below_chance() -> None:
    assert krippendorff_alpha([[1, 2, 3], [1, 2, 3]], "ordinal") == 1
    assert fleiss_kappa(np.array([[3, 0], [0, 3]])) == 1
    assert fleiss_kappa(np.array([[1, 1], [1, 1]])) == -1
    assert percent_agreement(np.array([[1, 1], [2, 0]])) == 0.5


def test_units_of_one_rater_say_nothing() -> None:
    alone = np.vstack([FLEISS, [1, 0, 0, 0, 0]])
    assert fleiss_kappa(alone) == fleiss_kappa(FLEISS)
    assert math.isnan(percent_agreement(np.array([[1, 0]])))
    assert math.isnan(krippendorff_alpha([[1, None], [None, 2]]))
    assert math.isnan(krippendorff_alpha([[], []]))


def test_wrong_input_is_named() -> None:
    with pytest.raises(SituError, match="did you mean 'nominal'"):
        krippendorff_alpha([[1]], "nominel")  # type: ignore[arg-type]
    with pytest.raises(SituError, match="as many entries"):
        krippendorff_alpha([[1, 2], [1]])
    with pytest.raises(SituError, match="at least 0"):
        krippendorff_alpha([[1, -2], [1, 2]], "ratio")
