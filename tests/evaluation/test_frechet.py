"""The Fréchet distance against closed forms, other formulas, other libraries and golden values."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from situ.evaluation.frechet import (
    FeatureStatistics,
    frechet_distance,
    frechet_infinity,
    gaussian_distance,
    identical_bias,
    sample_warnings,
)
from situ.scene import SituError

Table = NDArray[np.float64]
of = FeatureStatistics.of


def tables() -> tuple[Table, Table]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((500, 32)), 1.2 * rng.standard_normal((400, 32)) + 0.1


def random_table(seed: int, rows: int, width: int) -> Table:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((rows, width)) @ rng.standard_normal((width, width)) + rng.random()


def test_golden_gaussians() -> None:
    a = np.array([2.0, 3.0]), np.diag([1.0, 4.0])
    b = np.array([5.0, 7.0]), np.array([[3.0, 2.0], [2.0, 8.0]])
    assert gaussian_distance(*a, *b) == pytest.approx(26.455097962516446, rel=1e-15)
    c = np.zeros(2), np.diag([1.0, 4.0])
    d = np.array([1.0, 0.0]), np.diag([9.0, 16.0])
    assert gaussian_distance(*c, *d) == 9.0


def test_golden_tables() -> None:
    x, y = tables()
    assert round(frechet_distance(of(x), of(y)), 11) == 3.09296528440


def test_equal_covariances_leave_the_squared_distance_of_the_means() -> None:
    x, _ = tables()
    shift = np.arange(32) / 10
    assert frechet_distance(of(x), of(x + shift)) == pytest.approx(float(shift @ shift), rel=1e-10)


def test_scipy_and_plain_eigenvalues_agree() -> None:
    linalg = pytest.importorskip("scipy.linalg")
    x, y = tables()
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    common = np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(a) + np.trace(b)
    by_root = common - 2 * np.trace(linalg.sqrtm(a @ b)).real
    by_values = common - 2 * np.sqrt(np.linalg.eigvals(a @ b)).sum().real
    value = frechet_distance(of(x), of(y))
    assert value == pytest.approx(by_root, abs=1e-10)
    assert value == pytest.approx(by_values, abs=1e-10)


def test_torchmetrics_agrees() -> None:
    torch = pytest.importorskip("torch")
    module = pytest.importorskip("torchmetrics.image.fid")

    class Plain(torch.nn.Module):
        num_features = 32

        def forward(self, rows):
            return rows

    x, y = tables()
    metric = module.FrechetInceptionDistance(feature=Plain())
    metric.update(torch.from_numpy(x), real=True)
    metric.update(torch.from_numpy(y), real=False)
    assert frechet_distance(of(x), of(y)) == pytest.approx(metric.compute().item(), abs=1e-11)


def test_the_moments_are_numpys() -> None:
    x = random_table(5, 40, 6)
    statistics = of(x.astype(np.float32))
    assert statistics.total.dtype == np.float64
    assert statistics.mean == pytest.approx(x.astype(np.float32).astype(float).mean(0), rel=1e-12)
    expected = np.cov(x.astype(np.float32).astype(float), rowvar=False)
    assert statistics.covariance == pytest.approx(expected, rel=1e-10)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(2, 40), st.integers(2, 40), st.integers(1, 12))
def test_a_distance_is_symmetric_zero_to_itself_and_blind_to_rotation(
    seed: int, n: int, m: int, width: int
) -> None:
    x, y = random_table(seed, n, width), random_table(seed + 1, m, width)
    rotation = np.linalg.qr(np.random.default_rng(seed).standard_normal((width, width)))[0]
    value = frechet_distance(of(x), of(y))
    size = 1 + value
    assert frechet_distance(of(x), of(x)) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(of(y), of(x)) == pytest.approx(value, abs=1e-6 * size)
    turned = frechet_distance(of(x @ rotation), of(y @ rotation))
    assert turned == pytest.approx(value, abs=1e-6 * size)


def test_rounding_of_a_singular_covariance_does_not_add_up() -> None:
    x = 10 * random_table(1, 60, 300)
    assert of(x).covariance.trace() > 1e6
    assert frechet_distance(of(x), of(x)) == pytest.approx(0, abs=1e-6)


@given(st.integers(0, 10**6), st.lists(st.integers(0, 15), min_size=1, max_size=5))
def test_parts_add_up_to_the_whole(seed: int, counts: list[int]) -> None:
    x = random_table(seed, sum(counts), 4)
    whole = of(x, "clip")
    parts = np.split(x, np.cumsum(counts)[:-1])
    merged, grown = of(parts[0], "clip"), of(parts[0], "clip")
    for part in parts[1:]:
        merged, grown = merged + of(part), grown.add(part)
    for some in (merged, grown):
        assert (some.count, some.space) == (whole.count, "clip")
        assert some.total == pytest.approx(whole.total, rel=1e-10, abs=1e-10)
        assert some.outer == pytest.approx(whole.outer, rel=1e-10, abs=1e-10)


def test_a_saved_file_comes_back_whole_and_holds_no_objects(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "real"  # no suffix: the name stays as it is given
    saved = of(tables()[0], "inception-2015-12-05/clean")
    saved.save(path)
    assert [p.name for p in path.parent.iterdir()] == ["real"]
    loaded = FeatureStatistics.load(path)
    assert (loaded.count, loaded.space) == (500, saved.space)
    assert np.array_equal(loaded.total, saved.total)
    assert np.array_equal(loaded.outer, saved.outer)
    with np.load(path, allow_pickle=False) as file:
        assert {file[name].dtype.kind for name in file.files} == {"i", "f", "U"}


def test_files_that_are_not_statistics_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with pytest.raises(SituError, match=r"a\.npz is missing"):
        FeatureStatistics.load(path)
    for content in (b"", b"text", b"PK\x03\x04 cut off"):
        path.write_bytes(content)
        with pytest.raises(SituError, match=r"a\.npz is not a file of feature statistics"):
            FeatureStatistics.load(path)
    np.savez(path, mu=np.zeros(2), sigma=np.eye(2))
    with pytest.raises(SituError, match="not a file of feature statistics"):
        FeatureStatistics.load(path)
    np.savez(path, count=3, total=np.zeros(2), outer=np.array([{}, {}]), space="")
    with pytest.raises(SituError, match="not a file of feature statistics"):
        FeatureStatistics.load(path)
    np.savez(path, count=3, total=np.zeros(2), outer=np.eye(3), space="")
    with pytest.raises(SituError, match="do not belong together"):
        FeatureStatistics.load(path)
    np.savez(path, count=3, total=np.zeros(2), outer=np.full((2, 2), np.nan), space="")
    with pytest.raises(SituError, match="NaN or infinite"):
        FeatureStatistics.load(path)


def test_a_distance_of_unequal_or_tiny_sets_is_refused() -> None:
    with pytest.raises(SituError, match="widths 2 and 3 differ"):
        frechet_distance(of(np.zeros((4, 2))), of(np.zeros((4, 3))))
    with pytest.raises(SituError, match="needs at least 2 rows, got 1"):
        frechet_distance(of(np.zeros((4, 2))), of(np.zeros((1, 2))))
    with pytest.raises(SituError, match="needs at least 1 row, got 0"):
        frechet_distance(of(np.zeros((0, 2))), of(np.zeros((4, 2))))
    with pytest.raises(SituError, match="'a/clean' and 'a/tf_compat' are different spaces"):
        frechet_distance(of(np.zeros((4, 2)), "a/clean"), of(np.zeros((4, 2)), "a/tf_compat"))


def test_tables_with_holes_are_refused() -> None:
    table = np.zeros((5, 2))
    table[3, 1] = np.nan
    with pytest.raises(SituError, match=r"row 3 holds NaN or infinity \(1 of 5 rows do\)"):
        of(table)
    with pytest.raises(SituError, match=r"shape \(5,\) is not a table"):
        of(np.zeros(5))


def test_the_bias_of_two_equal_gaussians() -> None:
    theory = {count: identical_bias(64, count) for count in (100, 1000, 20000)}
    assert [f"{value:.4g}" for value in theory.values()] == ["22.08", "2.208", "0.1104"]
    rng = np.random.default_rng(0)
    for count, repeats in ((100, 30), (1000, 20), (20000, 5)):
        pairs = [[of(rng.standard_normal((count, 64))) for _ in "ab"] for _ in range(repeats)]
        measured = np.mean([frechet_distance(a, b) for a, b in pairs])
        assert measured == pytest.approx(theory[count], rel=0.03)


def test_the_extrapolation_takes_the_bias_of_the_generated_side_away() -> None:
    fake = np.random.default_rng(0).standard_normal((4000, 16))
    real = FeatureStatistics(100000, np.zeros(16), 99999 * np.eye(16))  # exactly standard
    result = frechet_infinity(real, fake, smallest=200, seed=1)
    assert len(result.sizes) == len(result.distances) == 15
    assert (result.sizes[0], result.sizes[-1]) == (200, 4000)
    assert result.distances[-1] == pytest.approx(frechet_distance(real, of(fake)), rel=1e-9)
    assert result.slope == pytest.approx(200 * identical_bias(16, 200) / 2, rel=0.15)
    assert abs(result.value) < 0.3 * result.distances[-1]


def test_the_extrapolation_is_the_least_squares_line_and_seeded() -> None:
    x, y = tables()
    result = frechet_infinity(of(x), y, seed=2)
    assert result == frechet_infinity(of(x), y, seed=2)
    assert result.distances != frechet_infinity(of(x), y, seed=3).distances
    assert (result.sizes[0], result.sizes[-1]) == (200, 400)
    u, v = 1 / np.array(result.sizes), np.array(result.distances)
    slope = np.sum((u - u.mean()) * (v - v.mean())) / np.sum((u - u.mean()) ** 2)
    assert result.slope == pytest.approx(slope, rel=1e-8)
    assert result.value == pytest.approx(v.mean() - slope * u.mean(), rel=1e-8)
    with pytest.raises(SituError, match="15 subset sizes from 400 to 400 rows"):
        frechet_infinity(of(x), y, smallest=400)
    with pytest.raises(SituError, match="widths 32 and 5 differ"):
        frechet_infinity(of(x), np.zeros((10, 5)))


def test_warnings_of_small_and_unequal_sets() -> None:
    assert sample_warnings(30000, 30000, 2048) == ()
    assert sample_warnings(2048, 2048, 2048) == ()
    (small,) = sample_warnings(2047, 2047, 512)
    assert small.startswith("only 2047 pictures")
    (unequal,) = sample_warnings(40504, 30000, 2048)
    assert unequal.startswith("40504 real and 30000 generated")
    (singular,) = sample_warnings(3000, 3000, 4096)
    assert "fewer than the 4096 features" in singular
    assert len(sample_warnings(1000, 400, 2048)) == 3
