"""DrawBench: categories of the public file, and the 94 prompts of GOAL's study."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from situ.evaluation.drawbench import CATEGORIES, of_categories, read_drawbench
from situ.scene import SituError

DATA = Path(__file__).parents[3] / "shared/data/drawbench"
at_hand = pytest.mark.skipif(not DATA.is_dir(), reason="DrawBench is not at hand")


@at_hand
def test_categories() -> None:
    prompts = read_drawbench(DATA / "drawbench.csv")
    assert [prompt.index for prompt in prompts] == list(range(200))
    assert Counter(prompt.category for prompt in prompts) == {
        "Reddit": 38,
        "Colors": 25,
        "Text": 21,
        "DALL-E": 20,
        "Descriptions": 20,
        "Positional": 20,
        "Counting": 19,
        "Conflicting": 10,
        "Gary Marcus et al.": 10,
        "Misspellings": 10,
        "Rare Words": 7,
    }


@at_hand
def test_the_study_has_94_prompts() -> None:
    study = of_categories(read_drawbench(DATA / "drawbench.csv"))
    with (DATA / "goal_subset_94.csv").open(newline="", encoding="utf-8") as file:
        expected = [(int(r["index"]), r["category"], r["prompt"]) for r in csv.DictReader(file)]
    assert len(study) == 94
    assert [(p.index, p.category, p.text) for p in study] == expected


def test_quirk_spaces_and_quotes(tmp_path: Path) -> None:
    path = tmp_path / "drawbench.csv"
    path.write_text('Prompts,Category\n"A cat, red.\nAsleep",Gary Marcus et al. \n', newline="")
    (prompt,) = read_drawbench(path)
    assert (prompt.text, prompt.category) == ("A cat, red.\nAsleep", "Gary Marcus et al.")


def test_broken_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "drawbench.csv"
    path.write_text("Prompt,Category\nA cat,Colors\n")
    with pytest.raises(SituError, match=r"drawbench\.csv: lacks the column Prompts"):
        read_drawbench(path)
    path.write_text("Prompts,Category\nA cat,Colours\n")
    with pytest.raises(SituError, match="row 0: must have a prompt and one of Colors"):
        read_drawbench(path)
    path.write_text("Prompts,Category\nA cat\n")
    with pytest.raises(SituError, match="row 0"):
        read_drawbench(path)
    with pytest.raises(SituError, match="'Colours' is unknown"):
        of_categories([], ["Colours"])
    assert len(set(CATEGORIES)) == 11
