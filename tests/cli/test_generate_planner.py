"""situ generate from a sentence alone: which planner gives the boxes."""

from pathlib import Path

import pytest

from situ.app.plan import plan_scenes, storybook_words
from situ.cli.generate import Generate
from situ.scene import SituError

CAPTION = "two red fish above a blue house"


@pytest.mark.parametrize("planner", [None, "rules", "placer"])
def test_boxes_come_from_the_planner_that_was_asked_for(planner: str | None) -> None:
    ((draft,), _) = Generate(CAPTION, planner=planner, seed=4)._input()
    (plan,) = plan_scenes([CAPTION], planner or "rules", seed=4, words=storybook_words())
    assert draft.scene.layout == plan.layout
    assert "planned red fish" in draft.note


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (Generate(CAPTION, planner="placr"), "did you mean 'placer'"),
        (Generate(CAPTION, planner="llm"), "--llm NAME"),
        (Generate(CAPTION, llm="x"), "--planner llm"),
        (Generate(CAPTION, llm_url="http://x"), "--planner llm"),
        (Generate(CAPTION, objects=("cat: 0 0 1 1",), planner="placer"), "some already"),
        (Generate(scene=Path("x.json"), planner="placer"), "some already"),
        (Generate(CAPTION, planner="llm", llm="local:/no/where/at/all"), "no language model"),
    ],
)
def test_mistakes_are_told_in_one_line(options: Generate, message: str) -> None:
    with pytest.raises(SituError, match=message) as caught:
        options._input()
    assert "\n" not in str(caught.value)
