"""Kernel distances against sums written out over pairs, another library, and golden values."""

import numpy as np
import pytest
from numpy.typing import NDArray

from situ.evaluation import kernel
from situ.evaluation.kernel import cmmd, kid, polynomial_mmd2, unit_rows
from situ.scene import SituError

Table = NDArray[np.float64]


def tables() -> tuple[Table, Table]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((500, 32)), 1.2 * rng.standard_normal((400, 32)) + 0.1


def small() -> tuple[Table, Table]:
    rng = np.random.default_rng(1)
    return rng.standard_normal((7, 3)), rng.standard_normal((5, 3)) + 0.5


def test_golden_values() -> None:
    assert round(polynomial_mmd2(*tables()), 13) == 0.0509551504247
    assert cmmd(*tables()) == pytest.approx(0.11629873709062544, rel=1e-12)


def test_the_unbiased_form_is_the_mean_over_pairs_of_different_rows() -> None:
    x, y = small()

    def k(a: Table, b: Table) -> float:
        return (float(a @ b) / 3 + 1) ** 3

    def within(rows: Table) -> float:
        return float(
            np.mean([k(a, b) for i, a in enumerate(rows) for j, b in enumerate(rows) if i != j])
        )

    expected = within(x) + within(y) - 2 * np.mean([k(a, b) for a in x for b in y])
    assert polynomial_mmd2(x, y) == pytest.approx(expected, rel=1e-12)


def test_cmmd_is_the_biased_form_of_unit_rows() -> None:
    x, y = small()

    def mean(left: Table, right: Table) -> float:
        pairs = [(a / np.linalg.norm(a), b / np.linalg.norm(b)) for a in left for b in right]
        return float(np.mean([np.exp(-np.sum((a - b) ** 2) / (2 * 10**2)) for a, b in pairs]))

    expected = 1000 * (mean(x, x) + mean(y, y) - 2 * mean(x, y))
    assert cmmd(x, y) == pytest.approx(expected, rel=1e-9)
    assert cmmd(3 * x, y) == pytest.approx(expected, rel=1e-9)
    assert cmmd(x, x) == pytest.approx(0, abs=1e-9)


def test_blocks_do_not_change_the_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = polynomial_mmd2(*tables()), cmmd(*tables())
    monkeypatch.setattr(kernel, "BLOCK", 37)
    assert (polynomial_mmd2(*tables()), cmmd(*tables())) == pytest.approx(whole, rel=1e-11)


def test_subsets_of_everything_are_the_whole() -> None:
    x, y = tables()
    result = kid(x[:400], y, subsets=3, size=400)
    assert result.values == pytest.approx([polynomial_mmd2(x[:400], y)] * 3, rel=1e-11)
    assert result.std == pytest.approx(0, abs=1e-12)


def test_subsets_are_seeded_and_scatter_around_the_whole() -> None:
    x, y = tables()
    result = kid(x, y, subsets=200, size=50, seed=3)
    assert result == kid(x, y, subsets=200, size=50, seed=3)
    assert result.values != kid(x, y, subsets=200, size=50, seed=4).values
    assert (len(result.values), result.size) == (200, 50)
    assert (result.mean, result.std) == (np.mean(result.values), np.std(result.values))
    assert abs(result.mean - polynomial_mmd2(x, y)) < 4 * result.std / 200**0.5


def test_it_is_unbiased_for_two_samples_of_one_distribution() -> None:
    rng = np.random.default_rng(2)
    values = [
        polynomial_mmd2(rng.standard_normal((40, 8)), rng.standard_normal((60, 8)))
        for _ in range(200)
    ]
    assert abs(np.mean(values)) < 4 * np.std(values) / 200**0.5
    assert min(values) < 0


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance`")
def test_torchmetrics_gives_the_same_kid() -> None:
    torch = pytest.importorskip("torch")
    module = pytest.importorskip("torchmetrics.image.kid")

    class Plain(torch.nn.Module):
        num_features = 32

        def forward(self, rows):
            return rows

    x, y = tables()
    metric = module.KernelInceptionDistance(feature=Plain(), subsets=2, subset_size=400)
    metric.update(torch.from_numpy(x[:400]), real=True)
    metric.update(torch.from_numpy(y), real=False)
    assert polynomial_mmd2(x[:400], y) == pytest.approx(metric.compute()[0].item(), rel=1e-6)


@pytest.mark.parametrize(
    ("real", "fake", "message"),
    [
        (np.ones((3, 2)), np.ones((3, 4)), "widths 2 and 4"),
        (np.ones((1, 2)), np.ones((3, 2)), "1 real and 3 generated"),
        (np.ones((3, 2)), np.full((3, 2), np.nan), "generated features: row 0 holds NaN"),
    ],
)
def test_tables_that_cannot_be_compared(real: Table, fake: Table, message: str) -> None:
    for score in (polynomial_mmd2, cmmd, kid):
        with pytest.raises(SituError, match=message):
            score(real, fake)


def test_a_subset_larger_than_a_side_and_a_row_without_direction() -> None:
    with pytest.raises(SituError, match="100 subsets of 1000 rows from 500 real and 400"):
        kid(*tables())
    with pytest.raises(SituError, match="row 1 is all zeros"):
        unit_rows([[1.0, 0.0], [0.0, 0.0]])
