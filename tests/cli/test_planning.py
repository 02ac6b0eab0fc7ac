"""situ plan: what it prints, draws and refuses."""

import json
from pathlib import Path

import pytest
from PIL import Image

from situ.app.plan import PLANNERS, plan_scenes, storybook_words, summary, told
from situ.cli.planning import Plan
from situ.planners.llm import Endpoint
from situ.scene import SituError, codec
from situ.storybook.verdict import parse

CAPTION = "three red fish above a house, at night"


def test_it_prints_how_it_read_the_sentence_and_every_box(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert Plan(CAPTION).run() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == CAPTION
    assert "3 red fish; 1 house; red fish above house; background: at night" in lines[1]
    objects = [codec.parse_object(line.split(maxsplit=1)[1]) for line in lines[2:]]
    assert [item.phrase for item in objects] == ["red fish"] * 3 + ["house"]


def test_json_is_scenes_that_generate_reads(capsys: pytest.CaptureFixture[str]) -> None:
    assert Plan(CAPTION, as_json=True, n=2, seed=5, width=640, height=384).run() == 0
    scenes = [codec.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [scene.canvas for scene in scenes] == [(640, 384)] * 2
    assert scenes[0].layout != scenes[1].layout
    assert scenes[0] == plan_scenes([CAPTION], seed=5, width=640, height=384)[0].scene
    assert all(scene.caption == CAPTION for scene in scenes)


def test_a_file_has_one_sentence_to_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sentences.txt"
    file.write_text("two cats\n\na dog under a tree\n")
    assert Plan(file=file, as_json=True).run() == 0
    captions = [json.loads(line)["caption"] for line in capsys.readouterr().out.splitlines()]
    assert captions == ["two cats", "a dog under a tree"]


@pytest.mark.parametrize("n", [1, 5])
def test_layouts_are_drawn(tmp_path: Path, n: int) -> None:
    target = tmp_path / "plan.png"
    assert Plan(CAPTION, n=n, draw=target).run() == 0
    with Image.open(target) as picture:
        assert (picture.width > 1000) == (n > 1)
        assert len(set(picture.convert("RGB").tobytes())) > 10


def test_what_was_not_understood_is_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    Plan("a blorp left of a cup, the cup left of the blorp").run()
    errors = capsys.readouterr().err
    assert "not understood: blorp" in errors
    assert "contradicts" in errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (Plan(), "give one of a caption or --file"),
        (Plan("a cat", file=Path("x")), "give one of a caption or --file"),
        (Plan(" "), "nothing to plan"),
        (Plan("a cat", n=0), "n: 0"),
        (Plan("a cat", planner="llm"), "--model"),
        (Plan("a cat", model="tiny"), "--planner llm"),
        (Plan("a cat", width=0), "width"),
        (Plan("a cat", planner="llm", model="tiny", base_url="nowhere"), "base_url"),
        (Plan("a cat", local=True), "--planner llm"),
        (Plan("a cat", planner="llm", model="/no/where/at/all", local=True), "no language model"),
        (Plan("a cat", planner="llm", model="x", local=True, base_url="http://x"), "leave it out"),
        (Plan("a cat", temperature=0.5), "--planner placer"),
        (Plan("a cat", planner="placer", placer="nowhere"), "placer: no folder"),
        (Plan("a cat", planner="placer", temperature=-1.0), "temperature"),
    ],
)
def test_mistakes_are_told_in_one_line(options: Plan, message: str) -> None:
    with pytest.raises(SituError, match=message) as caught:
        options.run()
    assert "\n" not in str(caught.value)


def test_planners_are_known_by_name() -> None:
    with pytest.raises(SituError, match="did you mean 'rules'"):
        plan_scenes(["a cat"], "rule")
    with pytest.raises(SituError, match="which model"):
        plan_scenes(["a cat"], "llm")
    with pytest.raises(SituError, match="no sentence"):
        plan_scenes([])
    with pytest.raises(SituError, match="sentence 2"):
        plan_scenes(["a cat", ""])
    assert PLANNERS == ("rules", "placer", "llm")


def test_the_placer_plans_and_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "sentences.txt"
    file.write_text("two red fish above a house\na cat on a table\n")
    target = tmp_path / "plan.png"
    assert Plan(file=file, planner="placer", n=2, seed=3, as_json=True, draw=target).run() == 0
    out = capsys.readouterr()
    scenes = [codec.loads(line) for line in out.out.splitlines()[:4]]
    assert scenes[0].layout != scenes[1].layout
    assert scenes[0].layout.phrases == ("red fish", "red fish", "house")
    assert "the placer was trained on no table" in out.err
    assert target.exists()


def test_variants_have_successive_seeds() -> None:
    texts = ["a cat and a dog", "two kites"]
    plans = plan_scenes(texts, n=3, seed=7)
    assert [plan.scene.caption for plan in plans] == [text for text in texts for _ in range(3)]
    assert plans[4].layout == plan_scenes([texts[1]], seed=8)[0].layout


def test_a_closed_vocabulary_keeps_to_its_words() -> None:
    text = "two huge striped red fish and a lovely dog"
    (plan,) = plan_scenes([text], words=storybook_words())
    assert plan.layout.phrases[:2] == ("striped red fish",) * 2
    assert parse(plan.layout.phrases[0]) == ("fish", "red", "striped")
    assert any("no dog" in line for line in told(plan))
    assert "huge" in summary(plan)


def test_a_language_model_that_is_away_is_told_of() -> None:
    pytest.importorskip("openai")
    endpoint = Endpoint("tiny", "http://127.0.0.1:9/v1", 5)
    (plan,) = plan_scenes([CAPTION], "llm", endpoint=endpoint)
    assert len(plan.layout) == 4
    assert "planned by rules" in told(plan)[0]
