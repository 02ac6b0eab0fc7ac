"""Metrics against cases whose answer is known, and their intervals and comparisons."""

from dataclasses import replace

import numpy as np
import pytest
from plain_world import PlainWorld, numbered, scene

from situ.evaluation.detections import Detection
from situ.evaluation.evidence import Evidence, InMemory
from situ.evaluation.frechet import FeatureStatistics, frechet_distance
from situ.evaluation.metrics import METRICS, mean_score, metrics_named
from situ.scene import Box, SituError

LEFT, RIGHT = (0.0, 0.0, 0.4, 0.5), (0.6, 0.1, 1.0, 0.6)


def evidence(told: dict[int, list[Detection]], count: int = 1) -> Evidence:
    scenes = (scene(("striped red fish", LEFT), ("blue house", RIGHT)),) * count
    return Evidence(InMemory(numbered(count)), scenes, PlainWorld(told))


def saw(label: str, box: tuple[float, float, float, float], score: float = 0.9) -> Detection:
    return Detection(label, score, Box(*box))


def value(name: str, e: Evidence, real: Evidence | None = None) -> float:
    return METRICS[name].measure(e, real).estimate().value


ALL_RIGHT = [saw("striped red fish", LEFT), saw("blue house", RIGHT)]


@pytest.mark.parametrize(
    ("found", "kind", "colour", "look"),
    [
        (ALL_RIGHT, 1.0, 1.0, 1.0),
        ([saw("red fish", LEFT), saw("blue house", RIGHT)], 1.0, 1.0, 0.5),
        ([saw("striped red fish", LEFT), saw("dotted blue house", RIGHT)], 1.0, 1.0, 0.5),
        ([saw("striped green fish", LEFT), saw("blue house", RIGHT)], 1.0, 0.5, 0.5),
        ([saw("striped red cat", LEFT), saw("blue house", RIGHT)], 0.5, 0.5, 0.5),
        ([saw("striped red fish", RIGHT), saw("blue house", LEFT)], 0.0, 0.0, 0.0),
        ([saw("striped red fish", LEFT, 0.1)], 0.0, 0.0, 0.0),
        ([], 0.0, 0.0, 0.0),
    ],
)
def test_objects_are_right_in_kind_then_colour_then_texture(
    found: list[Detection], kind: float, colour: float, look: float
) -> None:
    e = evidence({0: found})
    assert (value("kind", e), value("colour", e), value("look", e)) == (kind, colour, look)


def test_the_oracle_reaches_the_ceiling_of_every_box_metric() -> None:
    e = evidence(dict.fromkeys(range(5), ALL_RIGHT), 5)
    high = {name: value(name, e) for name in ("ap", "ap50", "miou", "kind", "count", "relation")}
    assert high == pytest.approx(dict.fromkeys(high, 1.0))
    assert value("extra", e) == 0


def test_fid_is_the_frechet_distance_of_all_features_and_0_with_itself() -> None:
    e, real = evidence({}, 40), evidence({}, 40)
    assert value("fid", e, real) == pytest.approx(0, abs=1e-6)
    moved = replace(e, source=InMemory(numbered(40) // 2))
    expected = frechet_distance(
        FeatureStatistics.of(real.features), FeatureStatistics.of(moved.features)
    )
    estimate = METRICS["fid"].measure(moved, real).estimate()
    assert estimate.value == pytest.approx(expected)
    assert estimate.low < expected < estimate.high


def test_region_clip_is_the_mean_over_boxes() -> None:
    e = evidence({}, 3)
    a, b = e.region_embeddings.astype(float), e.phrases.astype(float)
    cosines = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    assert len(cosines) == 6
    assert value("region_clip", e) == pytest.approx(cosines.mean())


def test_few_pictures_are_warned_of_inside_the_score() -> None:
    warnings = METRICS["fid"].measure(evidence({}, 5), evidence({}, 5)).warnings
    assert any("2048" in text or "2,048" in text for text in warnings)


def test_a_method_is_ahead_only_where_the_paired_interval_says_so() -> None:
    rng = np.random.default_rng(0)
    base = rng.random(300)
    better, same = mean_score(base + 0.05), mean_score(base[::-1].copy())
    gain = better.ahead_of(mean_score(base))
    assert gain is not None
    assert gain.estimate.value == pytest.approx(0.05)
    assert gain.p < 0.01
    level = same.ahead_of(mean_score(base))
    assert level is not None
    assert level.p > 0.5


def test_methods_are_compared_on_the_same_scenes_only() -> None:
    with pytest.raises(SituError, match="3 pictures are paired with 4"):
        mean_score([1, 2, 3]).ahead_of(mean_score([1, 2, 3, 4]))


def test_what_needs_real_pictures_says_so() -> None:
    with pytest.raises(SituError, match="--reference"):
        METRICS["fid"].measure(evidence({}), None)


def test_unknown_metrics_are_named_with_the_nearest() -> None:
    with pytest.raises(SituError, match="region_fid"):
        metrics_named(["regionfid"])
