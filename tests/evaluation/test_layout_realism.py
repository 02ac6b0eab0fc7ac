"""Realism of layouts against closed forms and brute force."""

from itertools import permutations

import numpy as np
import pytest

from situ.evaluation.layout_realism import (
    box_distance,
    layout_iou,
    quantile_distances,
    realism,
    shares,
)
from situ.scene import Box, Layout, Object, SituError

pytest.importorskip("scipy")


def layouts(count: int, shift: float = 0.0, seed: int = 0) -> list[Layout]:
    rng = np.random.default_rng(seed)
    made = []
    for x, y, w, h in rng.uniform(0.1, 0.3, (count, 4)):
        made.append(Layout((Object("cat", Box(x + shift, y, x + shift + w, y + h)),)))
    return made


def kind(phrase: str) -> str:
    return phrase.split()[-1]


def test_what_is_true_is_perfect() -> None:
    true = layouts(40)
    found = realism(true, true, kind)
    assert found.iou == pytest.approx(1)
    assert found.distance == pytest.approx(0, abs=1e-6)
    assert found.overlap == 0
    assert found.area == pytest.approx(np.mean([b.area for t in true for b in t.boxes]))


def test_a_shift_is_the_square_of_its_share_of_the_spread() -> None:
    """Equal covariances leave |difference of means|^2; the shift is along x alone."""
    true = layouts(200)
    x = [box.center[0] for layout in true for box in layout.boxes]
    assert box_distance(layouts(200, 0.2), true, kind) == pytest.approx(
        (0.2 / np.std(x)) ** 2, rel=1e-6
    )
    gaps = quantile_distances(layouts(200, 0.2), true)
    assert gaps["x"] == pytest.approx(0.2, abs=1e-9)
    assert max(gaps["y"], gaps["width"]) < 1e-9


def test_iou_takes_the_best_pairing_of_each_phrase() -> None:
    rng = np.random.default_rng(3)
    for _ in range(30):
        values = rng.uniform(0.05, 0.45, (6, 4))
        boxes = [Box(x, y, x + w, y + h) for x, y, w, h in values]
        true = Layout(tuple(Object("cat", box) for box in boxes[:3]))
        planned = Layout(tuple(Object("cat", box) for box in boxes[3:]))
        best = max(
            sum(a.iou(b) for a, b in zip(boxes[:3], order, strict=True)) / 3
            for order in permutations(boxes[3:])
        )
        assert layout_iou(planned, true) == pytest.approx(best)


def test_other_phrases_and_missing_boxes_count_nothing() -> None:
    box = Box(0.1, 0.1, 0.5, 0.5)
    cat, dog = Layout((Object("cat", box),)), Layout((Object("dog", box),))
    assert layout_iou(dog, cat) == 0
    assert layout_iou(Layout((*cat, *dog)), cat) == pytest.approx(0.5)
    assert layout_iou(Layout(), cat) == 0


def test_overlap_is_of_the_smaller() -> None:
    large, small = Box(0, 0, 0.8, 0.8), Box(0.7, 0.7, 0.9, 0.9)
    layout = Layout((Object("a", large), Object("b", small)))
    assert shares(layout) == pytest.approx([0.25])
    assert shares(Layout()) == []


def test_too_few_boxes_say_nothing() -> None:
    assert np.isnan(box_distance(layouts(5), layouts(5), kind))
    with pytest.raises(SituError, match="one for each"):
        realism(layouts(2), layouts(3), kind)
