"""Tables: what they measure exists, and what they print is what the papers print."""

import tomllib
from pathlib import Path

import pytest

from situ.evaluation.tables import TABLES, Table, table_named
from situ.evaluation.tuned import VARIANTS, tuned
from situ.methods import METHODS
from situ.scene import SituError
from situ.storybook.suites import SUITES

RECIPES = Path(__file__).parents[2] / "recipes"
EVERY = list(TABLES.values())


@pytest.mark.parametrize("table", EVERY, ids=lambda t: t.name)
def test_columns_and_rows_fit(table: Table) -> None:
    printed = [column for column in table.columns if column.papers]
    titles = [row.title for row in table.rows]
    assert {column.suite for column in table.columns} <= set(SUITES)
    assert all(len(row.printed) == len(printed) for row in table.rows)
    assert all(column.protocol for column in table.columns)
    assert len(set(titles)) == len(titles)
    baseline = next(row for row in table.rows if row.title == table.baseline)
    assert baseline.method in METHODS


def test_the_abstracts_gains_are_between_printed_rows() -> None:
    """HCMA: 0.69 in FID over SD-v1.5, 0.0295 in CLIP over GLIGEN."""
    rows = {row.title: row.printed for row in TABLES["hcma-1"].rows}
    ours, second, gligen = rows["HCMA (SD-v1.4)"], rows["SD-v1.5"], rows["GLIGEN (SD-v1.4)"]
    assert (second[0] or 0) - (ours[0] or 0) == pytest.approx(0.69)
    assert (ours[1] or 0) - (gligen[1] or 0) == pytest.approx(0.0295)


def test_the_full_goal_is_the_same_row_in_all_of_its_tables() -> None:
    found = {
        row.printed[:4]
        for name in ("goal-1", "goal-3", "goal-5", "goal-6", "goal-7")
        for row in TABLES[name].rows
        if row.model == "storybook-goal" and row.method == "gligen"
    }
    assert found == {(53.55, 51.19, 58.37, 37.28)}


@pytest.mark.parametrize("world", ["storybook", "coco"])
def test_what_an_ablation_changes_is_in_its_recipe(world: str) -> None:
    for variant in VARIANTS:
        wanted = tuned(f"storybook-goal-{variant}".removesuffix("-"), world)
        tables = tomllib.loads((RECIPES / f"{wanted.recipe}.toml").read_text())
        for name, some in wanted.changes.items():
            changed = {k: v for k, v in some.items() if tables[name].get(k, 1.0) != v}
            assert changed, f"{wanted.name} changes nothing"
        assert f"recipes/{wanted.recipe}.toml --out models/{wanted.name}" in wanted.told("models")


def test_names_of_the_coco_world_are_of_its_recipe() -> None:
    assert tuned("storybook-goal", "coco").name == "goal-sd14"
    assert tuned("storybook-goal-mid4", "coco").name == "goal-sd14-mid8"
    assert tuned("storybook-goal-up64", "coco").never is None
    assert tuned("storybook-goal-up64", "storybook").never


def test_an_unknown_table_is_named() -> None:
    with pytest.raises(SituError, match="goal-1"):
        table_named("goal1")
