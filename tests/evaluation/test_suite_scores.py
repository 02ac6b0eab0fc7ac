"""The storybook's suites: true layouts as findings reach 1, and each protocol's arithmetic."""

import pytest
from plain_world import PlainWorld, numbered, scene

from situ.evaluation import suites
from situ.evaluation.detections import Detection
from situ.evaluation.evidence import Evidence, InMemory
from situ.scene import Box, Scene
from situ.storybook import grammar
from situ.storybook import suites as prompts

Corners = tuple[float, float, float, float]
LEFT, RIGHT = (0.05, 0.4, 0.25, 0.6), (0.75, 0.4, 0.95, 0.6)
HIGH, LOW = (0.4, 0.05, 0.6, 0.25), (0.4, 0.75, 0.6, 0.95)
NEAR, SHELF = (0.3, 0.4, 0.5, 0.6), (0.3, 0.6, 0.7, 0.9)
STANDING = (0.4, 0.4, 0.6, 0.6)
ASKED = {
    "left": (LEFT, RIGHT),
    "right": (RIGHT, LEFT),
    "above": (HIGH, LOW),
    "below": (LOW, HIGH),
    "next": (LEFT, NEAR),
    "on": (STANDING, SHELF),
}


def page(first: Corners, second: Corners) -> Scene:
    return scene(("red fish", first), ("blue house", second))


def evidence(shown: Scene, score: float, *boxes: Corners) -> Evidence:
    found = [
        Detection(item.phrase, score, Box(*box))
        for item, box in zip(shown.layout, boxes, strict=True)
    ]
    return Evidence(InMemory(numbered(1)), (shown,), PlainWorld({0: found}))


def value(measure: object, e: Evidence) -> float:
    return measure(e, None).estimate().value  # type: ignore[operator]


@pytest.mark.parametrize("said", ASKED)
def test_true_pictures_fulfil_every_relation_and_swapped_ones_none(said: str) -> None:
    first, second = ASKED[said]
    shown = page(first, second)
    assert grammar.relation(Box(*first), Box(*second)) == said
    right, wrong = evidence(shown, 0.9, first, second), evidence(shown, 0.9, second, first)
    assert value(suites.nsr_spatial, right) == value(suites.nsr_spatial_strict, right) == 1
    assert value(suites.spatial, right) == 1
    if said != "next":  # the same either way round
        assert value(suites.nsr_spatial, wrong) == 0
        assert value(suites.spatial, wrong) == pytest.approx(0.5)


def test_the_published_rule_counts_findings_by_their_scores_and_ours_by_presence() -> None:
    e = evidence(page(LEFT, RIGHT), 0.8, LEFT, RIGHT)
    assert value(suites.spatial_official, e) == pytest.approx(0.25 * 0.8 + 0.25 * 0.8 + 0.5)
    assert value(suites.spatial, e) == 1
    unsure = evidence(page(LEFT, RIGHT), 0.1, LEFT, RIGHT)
    assert value(suites.spatial, unsure) == value(suites.spatial_official, unsure) == 0


def test_scenes_without_a_clear_relation_are_left_out_and_not_counted_wrong() -> None:
    clear, unclear = page(LEFT, RIGHT), page((0.1, 0.1, 0.3, 0.3), (0.5, 0.5, 0.7, 0.7))
    assert grammar.relation(*unclear.layout.boxes) is None
    found = [Detection(item.phrase, 0.9, item.box) for item in clear.layout]
    e = Evidence(InMemory(numbered(2)), (clear, unclear), PlainWorld({0: found}))
    for measure in (suites.spatial, suites.nsr_spatial, suites.nsr_spatial_strict):
        assert value(measure, e) == 1


def test_a_faultless_detector_reaches_1_on_every_suite() -> None:
    rules = {
        "color": [suites.color],
        "shape": [suites.shape],
        "texture": [suites.texture],
        "spatial": [suites.spatial, suites.nsr_spatial, suites.nsr_spatial_strict],
        "counting": [suites.counting, suites.counting_per_prompt, suites.numeracy],
    }
    for suite, measures in rules.items():
        scenes = tuple(prompts.scene(p, suite) for p in prompts.pages(suite, 12))
        told = {
            n: [Detection(o.phrase, 1.0, o.box) for o in s.layout] for n, s in enumerate(scenes)
        }
        e = Evidence(InMemory(numbered(12)), scenes, PlainWorld(told))
        low = (
            0.97 if suite == "spatial" else 1
        )  # layouts that overlap lose some of the published share
        assert all(value(measure, e) >= low for measure in measures), suite
