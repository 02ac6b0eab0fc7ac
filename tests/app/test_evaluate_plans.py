"""Layouts of a planner against benchmarks: the numbers, going on after an interruption, Table 8."""

import json
from pathlib import Path
from typing import Any

import pytest

from situ.app import evaluate_plans as evaluating
from situ.app.evaluate_plans import PLANS, By, evaluate_plans, lines
from situ.app.plan_benchmarks import benchmark_named, nsr1k_benchmark, storybook_benchmark
from situ.app.reproduce_plans import PRINTED, reproduce_plans
from situ.cli.main import main
from situ.scene import SituError

COUNTING = [
    ("two dogs", [["dog", 2]]),
    ("three cats", [["cat", 2]]),  # the gold is wrong: one cat too many is planned
    ("a bird and a kite", [["bird", 1]]),  # the kite costs precision, not accuracy
]
SPATIAL = [
    ("a cat to the left of a dog", "cat", "left", "dog"),
    ("a cup under a table", "cup", "top", "table"),  # the gold is wrong
]


@pytest.fixture
def nsr(tmp_path: Path) -> Path:
    """A folder in NSR-1K's form."""
    box = [0.1, 0.1, 0.2, 0.2]
    counting = [
        {"id": i, "prompt": text, "sub-type": "real", "num_object": counts, "object_list": []}
        for i, (text, counts) in enumerate(COUNTING)
    ]
    spatial = [
        {"id": i, "prompt": t, "type": "natural", "relation": r, "obj1": [a, box], "obj2": [b, box]}
        for i, (t, a, r, b) in enumerate(SPATIAL)
    ]
    for kind, records in (("counting", counting), ("spatial", spatial)):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / f"{kind}.val.json").write_text(json.dumps(records))
    return tmp_path


def test_numbers_are_those_of_a_reckoning_by_hand(nsr: Path, tmp_path: Path) -> None:
    result = evaluate_plans(nsr1k_benchmark(nsr), By(), tmp_path / "out")
    scores = result["scores"]
    assert scores["counting precision"] == pytest.approx((1 + 2 / 3 + 1 / 2) / 3)
    assert scores["counting recall"] == 1
    assert scores["counting accuracy"] == pytest.approx(2 / 3)
    assert scores["spatial accuracy"] == 0.5
    assert (scores["counting N"], scores["spatial N"], result["n"]) == (3, 2, 5)
    assert json.loads((tmp_path / "out/evaluation.json").read_text()) == result
    assert "66.67" in lines(result)


def test_a_broken_run_goes_on_and_ends_the_same(
    nsr: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    whole = evaluate_plans(nsr1k_benchmark(nsr), By(), out)
    kept = (out / PLANS).read_bytes().splitlines(keepends=True)
    (out / PLANS).write_bytes(b"".join(kept[:3]) + kept[3][:20])  # two sentences and a torn line
    planned: list[str] = []
    plan = By.plan

    def counted(self: By, prompt: str) -> Any:
        planned.append(prompt)
        return plan(self, prompt)

    monkeypatch.setattr(By, "plan", counted)
    assert evaluate_plans(nsr1k_benchmark(nsr), By(), out) == whole
    assert len(planned) == 3
    evaluate_plans(nsr1k_benchmark(nsr), By(), out)
    assert len(planned) == 3
    assert (out / PLANS).read_bytes() == b"".join(kept)


def test_a_folder_belongs_to_one_planner_and_benchmark(nsr: Path, tmp_path: Path) -> None:
    evaluate_plans(nsr1k_benchmark(nsr), By(), tmp_path / "out")
    with pytest.raises(SituError, match="another planner"):
        evaluate_plans(nsr1k_benchmark(nsr), By(seed=1), tmp_path / "out")


def test_plans_of_older_rules_are_not_taken_for_those_of_newer(
    nsr: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate_plans(nsr1k_benchmark(nsr), By(), tmp_path / "out")
    sources = tmp_path / "planners"
    sources.mkdir()
    (sources / "rules.py").write_text("mended = True\n")
    monkeypatch.setattr(evaluating.planners, "__file__", str(sources / "__init__.py"))
    evaluating._code.cache_clear()
    with pytest.raises(SituError, match="another planner"):
        evaluate_plans(nsr1k_benchmark(nsr), By(), tmp_path / "out")
    monkeypatch.undo()
    evaluating._code.cache_clear()
    evaluate_plans(nsr1k_benchmark(nsr), By(), tmp_path / "out")


def test_the_manifest_tells_other_layouts(nsr: Path, tmp_path: Path) -> None:
    found = [
        evaluate_plans(nsr1k_benchmark(nsr), By(seed=seed), tmp_path / f"{seed}-{again}")
        for seed, again in ((0, 0), (0, 1), (1, 0))
    ]
    hashes = [result["manifest_sha256"] for result in found]
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.parametrize(
    ("name", "split", "message"),
    [
        ("nsr1k", "train", "neither counting.train.json nor spatial.train.json"),
        ("nsr1k", "test", "split"),
        ("t2i_compbench", "val", "no spatial_val.txt"),
        ("nsr2k", "val", "nsr1k"),
    ],
)
def test_mistakes_are_told_in_one_line(name: str, split: str, message: str, nsr: Path) -> None:
    with pytest.raises(SituError, match=message) as caught:
        benchmark_named(name, nsr, split)
    assert "\n" not in str(caught.value)


def test_every_page_of_the_storybook_scores_its_own_layout() -> None:
    """The pages' own layouts are right by the metrics that planners are measured with."""
    from situ.storybook import suites

    benchmark = storybook_benchmark(12)
    pages = [*suites.pages("counting", 12), *suites.pages("spatial", 12)]
    own = [suites.scene(page, "spatial").layout for page in pages]
    scores = benchmark.score(own)
    assert scores["counting accuracy"] == scores["spatial accuracy, strict"] == 1
    assert scores["counting precision"] == scores["counting recall"] == 1
    assert benchmark.score([type(own[0])()] * 24)["spatial accuracy"] == 0


def test_table_8_has_the_printed_rows_and_ours(nsr: Path, tmp_path: Path) -> None:
    out = tmp_path / "table"
    result = reproduce_plans(out, nsr, (By(), By("llm")))
    text = (out / "table.md").read_text()
    for row in PRINTED.values():
        for value in row:
            assert f"{value:.2f}" in text
    assert "66.67" in text
    assert [row["title"] for row in result["rows"] if "lacking" in row] == ["language model"]


def test_commands_tell_what_is_missing_and_print_the_table(
    nsr: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate-plans"]) == 2
    assert "--data" in capsys.readouterr().err
    assert main(["evaluate-plans", "--data", str(nsr), "--model", "x"]) == 2
    assert "--model" in capsys.readouterr().err
    done = ["evaluate-plans", "--data", str(nsr), "--out", str(tmp_path / "a"), "--json"]
    assert main(done) == 0
    assert json.loads(capsys.readouterr().out)["n"] == 5
