"""Faithfulness by hand, by brute force, and for layouts that are their own detections."""

import itertools
from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from situ.evaluation.detections import Detection
from situ.evaluation.layout_faithfulness import (
    Look,
    faithfulness,
    judge_scene,
    match,
    miou_by_kind,
    out_of_canvas,
    out_of_canvas_rate,
    whole_label,
    words_apart,
)
from situ.scene import Box, Layout, Object, SituError

pytest.importorskip("scipy")
LEFT, RIGHT, LOW = Box(0, 0, 0.4, 0.4), Box(0.5, 0, 0.9, 0.4), Box(0, 0.5, 0.4, 0.9)
READ = words_apart({"red", "blue", "orange", "striped"})

sides = st.integers(0, 20)
boxes = (
    st.tuples(sides, sides, sides, sides)
    .filter(lambda v: v[0] != v[2] and v[1] != v[3])
    .map(lambda v: (min(v[0], v[2]), min(v[1], v[3]), max(v[0], v[2]), max(v[1], v[3])))
    .map(lambda v: Box(*(side / 20 for side in v)))
)
layouts = st.lists(st.tuples(st.sampled_from(["cat", "dog"]), boxes), min_size=1, max_size=5).map(
    lambda rows: Layout(tuple(Object(*row) for row in rows))
)


def layout(*things: tuple[str, Box]) -> Layout:
    return Layout(tuple(Object(phrase, box) for phrase, box in things))


def found(*things: tuple[str, Box], score: float = 0.9) -> list[Detection]:
    return [Detection(label, score, box) for label, box in things]


def moved(box: Box, share: float) -> Box:
    """Moved right by a share of its width: IoU = (1 - share) / (1 + share)."""
    return Box(box.x0 + share * box.width, box.y0, box.x1 + share * box.width, box.y1)


@settings(max_examples=40)
@given(layouts)
def test_a_layout_is_faithful_to_itself(asked: Layout) -> None:
    scene = judge_scene(asked, found(*((o.phrase, o.box) for o in asked)))
    score = faithfulness([scene], draws=5)
    for measure in ("miou", "best_iou", "success70", "scene_success50", "counts", "scene_counts"):
        assert getattr(score, measure).value == pytest.approx(1)
    assert score.distance is not None
    assert score.extra is not None
    assert score.distance.value == pytest.approx(0, abs=1e-9)
    assert score.extra.value == 0
    assert scene.relations == (True,) * len(scene.relations)


@settings(max_examples=40)
@given(st.lists(boxes, min_size=1, max_size=4), st.lists(boxes, min_size=1, max_size=4))
def test_the_matching_has_the_largest_total(wishes: list[Box], findings: list[Box]) -> None:
    pairs = match(wishes, findings)
    assert len(pairs) == min(len(wishes), len(findings))
    total = sum(wishes[i].iou(findings[j]) for i, j in pairs)
    few, many = sorted([wishes, findings], key=len)
    best = max(
        sum(a.iou(b) for a, b in zip(few, some, strict=True))
        for some in itertools.permutations(many, len(few))
    )
    assert total == pytest.approx(best, abs=1e-6)


def test_the_greedy_match_would_be_worse() -> None:
    """The best single pair is (0, 0), but it would leave the second wish alone."""
    wishes = [Box(0, 0, 0.4, 0.4), Box(0.1, 0, 0.5, 0.4)]
    findings = [Box(0.04, 0, 0.44, 0.4), Box(0, 0, 0.24, 0.4)]
    assert wishes[0].iou(findings[0]) > wishes[1].iou(findings[0]) > wishes[0].iou(findings[1])
    assert wishes[1].iou(findings[1]) < 0.3
    assert match(wishes, findings) == [(0, 1), (1, 0)]


def test_without_overlap_the_nearest_is_meant() -> None:
    assert match([LEFT], [Box(0.9, 0.9, 1, 1), Box(0.5, 0.5, 0.6, 0.6)]) == [(0, 1)]


def test_one_scene_by_hand() -> None:
    """A cat moved by a third of its width (IoU 1/2), a dog that is a cat, and a cat too many."""
    asked = layout(("cat", LEFT), ("dog", RIGHT))
    scene = judge_scene(asked, found(("cat", moved(LEFT, 1 / 3)), ("cat", RIGHT)))
    cat, dog = scene.objects
    assert (cat.matched, cat.iou, cat.best_iou) == (True, pytest.approx(0.5), pytest.approx(0.5))
    assert cat.distance == pytest.approx(0.4 / 3 / sqrt(2))
    assert (dog.matched, dog.iou, dog.distance) == (False, 0, None)
    assert (scene.wanted, scene.found, scene.extra) == (
        {"cat": 1, "dog": 1},
        {"cat": 2, "dog": 0},
        1,
    )
    score = faithfulness([scene], draws=5)
    values = {
        "miou": 0.25,
        "success30": 0.5,
        "success50": 0.5,
        "success70": 0,
        "scene_success50": 0,
        "counts": 0,
        "scene_counts": 0,
        "extra": 0.5,
        "relations": 0,
    }
    for measure, value in values.items():
        assert getattr(score, measure).value == pytest.approx(value), measure
    assert score.attributes is None


@pytest.mark.parametrize(
    ("share", "right"), [(0.17, (1, 1, 1)), (0.18, (1, 1, 0)), (0.34, (1, 0, 0)), (0.54, (0, 0, 0))]
)
def test_success_at_each_overlap(share: float, right: tuple[int, int, int]) -> None:
    """(1 - s) / (1 + s) is 0.7, 0.5 and 0.3 at s = 0.1765, 0.3333 and 0.5385."""
    wish = Box(0, 0, 0.5, 0.5)
    sums = judge_scene(layout(("cat", wish)), found(("cat", moved(wish, share)))).measures()
    assert tuple(sums[f"success{t}"][0] for t in (30, 50, 70)) == right


def test_findings_that_are_not_sure_do_not_count() -> None:
    asked = layout(("cat", LEFT))
    weak = found(("cat", LEFT), score=0.2)
    assert not judge_scene(asked, weak).objects[0].matched
    assert judge_scene(asked, weak, confidence=0.1).objects[0].iou == pytest.approx(1)


def test_what_nobody_asked_for_is_no_extra() -> None:
    """A table under the cat is not a second cat."""
    scene = judge_scene(layout(("cat", LEFT)), found(("cat", LEFT), ("table", RIGHT)))
    assert scene.extra == 0
    assert scene.counts_right == 1


def test_words_are_taken_apart() -> None:
    assert READ("a striped Red fish") == Look("fish", frozenset({"striped", "red"}))
    assert READ("fire hydrant") == Look("fire hydrant")
    assert READ("an orange") == Look("orange")
    assert READ("blue orange") == Look("orange", frozenset({"blue"}))
    assert whole_label("red fish") == Look("red fish")


def test_attributes_by_hand() -> None:
    asked = layout(("red cat", LEFT), ("striped blue dog", RIGHT), ("fish", LOW))
    seen = found(("red cat", LEFT), ("blue dog", RIGHT), ("red fish", LOW))
    scene = judge_scene(asked, seen, read=READ)
    assert [o.attributes_right for o in scene.objects] == [True, False, None]
    assert scene.measures()["attributes"] == (1, 2)
    missing = judge_scene(asked, [], read=READ)
    assert missing.measures()["attributes"] == (0, 2)


def test_relations_by_hand() -> None:
    """Cat left of dog, cat above fish; dog and fish lie diagonally, so neither way."""
    asked = layout(("cat", LEFT), ("dog", RIGHT), ("fish", LOW))
    assert judge_scene(asked, found(*((o.phrase, o.box) for o in asked))).relations == (True, True)
    swapped = judge_scene(asked, found(("cat", RIGHT), ("dog", LEFT), ("fish", LOW)))
    assert swapped.relations == (False, False)
    lost = judge_scene(asked, found(("cat", LEFT), ("dog", RIGHT)))
    assert lost.relations == (True, False)
    assert judge_scene(asked, [], relations=()).relations == ()
    with pytest.raises(SituError, match="relation 'beside' is unknown; allowed: left of"):
        judge_scene(asked, [], relations=["beside"])


def test_the_canvas_gives_distances_their_shape() -> None:
    """100 pixels to the right on 400x300, whose diagonal is 500."""
    asked, seen = layout(("cat", Box(0, 0, 0.2, 0.2))), found(("cat", Box(0.25, 0, 0.45, 0.2)))
    assert judge_scene(asked, seen, (400, 300)).objects[0].distance == pytest.approx(0.2)


def test_a_set_is_a_share_of_boxes_and_not_a_mean_of_scenes() -> None:
    good = judge_scene(layout(("cat", LEFT)), found(("cat", LEFT)))
    poor = judge_scene(layout(("cat", LEFT), ("dog", RIGHT), ("fish", LOW)), [])
    empty = judge_scene(Layout(), found(("cat", LEFT)))
    score = faithfulness([good, poor, empty])
    assert score.miou is not None
    assert score.scene_counts is not None
    assert score.miou.value == pytest.approx(1 / 4)
    assert score.scene_counts.value == pytest.approx(1 / 2)
    assert score.miou.n == 2
    assert (score.miou.low, score.miou.high) == (0, 1)
    together = faithfulness([good, poor, empty], groups=["prompt", "prompt", "other"])
    assert together.miou is not None
    assert together.miou.low == together.miou.high == pytest.approx(1 / 4)
    assert miou_by_kind([good, poor]) == {"cat": pytest.approx(0.5), "dog": 0, "fish": 0}
    with pytest.raises(SituError, match="nothing to be faithful to"):
        faithfulness([empty])


def test_out_of_canvas() -> None:
    raw = [(0.1, 0.1, 0.5, 0.5), (-0.5, 0, 0.5, 1), (0.5, 0.5, 1.5, 1.5), (2, 0, 3, 1)]
    assert out_of_canvas(raw) == pytest.approx([0, 0.5, 0.75, 1])
    assert out_of_canvas([(0.5, 0.5, 0.5, 0.9)]) == [1]
    assert out_of_canvas_rate(raw) == pytest.approx(0.75)
    assert out_of_canvas_rate(raw, slack=0.6) == pytest.approx(0.5)
    with pytest.raises(SituError, match="no boxes"):
        out_of_canvas_rate([])


@pytest.mark.parametrize(
    ("second", "clear"),
    [
        ((0.5, 0.2, 0.8, 0.5), True),  # apart, and level
        ((0.5, 0.34, 0.8, 0.64), True),  # 0.3 along, 0.14 across
        ((0.5, 0.42, 0.8, 0.72), False),  # 0.3 along, 0.22 across
        ((0.36, 0.2, 0.66, 0.5), False),  # shares 0.47 of the width already; closer, more than half
    ],
)
def test_a_margin_asks_only_for_directions_that_a_small_shift_keeps(
    second: tuple[float, float, float, float], clear: bool
) -> None:
    layout = Layout((Object("cat", Box(0.2, 0.2, 0.5, 0.5)), Object("dog", Box(*second))))
    found = [Detection(thing.phrase, 1.0, thing.box) for thing in layout]
    asked = judge_scene(layout, found, margin=1.5).relations
    assert asked == ((True,) if clear else ())
    assert judge_scene(layout, found).relations == (True,)
