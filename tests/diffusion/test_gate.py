"""The gate against GLIGEN's own formula where that works, and exact fractions where it does not."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from situ.diffusion import gate_schedule
from situ.scene.errors import SituError


def published(n: int, parts: tuple[float, float, float]) -> list[float]:
    """The alpha_type generator as the paper's code defines it."""
    first, second = int(parts[0] * n), int(parts[1] * n)
    decay = np.arange(0.0, 1.0, 1 / second)[::-1] if second else []
    return [1.0] * first + [float(x) for x in decay] + [0.0] * (n - first - second)


@pytest.mark.parametrize("parts", [(0.3, 0.0, 0.7), (1.0, 0.0, 0.0), (0.2, 0.4, 0.4)])
def test_equals_the_published_schedule(parts: tuple[float, float, float]):
    assert gate_schedule(50, parts) == pytest.approx(published(50, parts))


@given(n=st.integers(1, 1000), cuts=st.tuples(st.integers(0, 100), st.integers(0, 100)))
def test_every_legal_triple_of_percents(n: int, cuts: tuple[int, int]):
    low, high = sorted(cuts)
    percents = low, high - low, 100 - high
    gate = gate_schedule(n, [p / 100 for p in percents])
    opened, closing = (floor(Fraction(p, 100) * n) for p in percents[:2])
    assert len(gate) == n
    assert gate[:opened] == [1.0] * opened
    decay = [float(Fraction(closing - k, closing)) for k in range(1, closing + 1)]
    assert gate[opened : opened + closing] == pytest.approx(decay)
    assert not any(gate[opened + closing :])
    assert gate == sorted(gate, reverse=True)


def test_thirty_percent_of_fifty_steps_is_fifteen():
    assert gate_schedule(50, (0.3, 0.0, 0.7)) == [1.0] * 15 + [0.0] * 35


def test_a_shut_gate_is_exactly_zero():
    assert gate_schedule(49, (0.0, 1.0, 0.0))[-1] == 0.0


@pytest.mark.parametrize("parts", [(0.3, 0.3, 0.3), (1.2, -0.2, 0.0), (1.0,), (float("nan"), 1, 0)])
def test_wrong_parts_are_explained(parts: tuple[float, ...]):
    with pytest.raises(SituError, match=r"must be three parts \(open, closing, shut\) that add to"):
        gate_schedule(50, parts)
