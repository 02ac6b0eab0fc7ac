"""A paper's table from nothing to the page, in small, twice."""

import json
from pathlib import Path

import pytest

from situ.app import reproduce as reproducing
from situ.app.reproduce import ORACLE, Size, reproduce
from situ.evaluation.tables import TABLES
from situ.scene import SituError


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(reproducing.SIZES, "smoke", Size(3, 2, 1, "ddim"))


def test_a_table_has_the_printed_rows_and_ours_and_repeats_itself(
    tiny_folder: Path, tmp_path: Path
) -> None:
    run = lambda: reproduce("hcma-1", out=tmp_path, model=str(tiny_folder), quiet=True)  # noqa: E731
    first = run()
    rows = {row["title"]: row for row in first["rows"]}
    table = TABLES["hcma-1"]
    assert list(rows)[2:] == [row.title for row in table.rows]
    for row in table.rows:
        assert (rows[row.title]["ours"] is not None) == (row.method in ("gligen", "base"))
        assert rows[row.title]["printed"] == list(row.printed)
    assert rows[ORACLE]["ours"][0]["value"] == pytest.approx(0, abs=1e-6)  # FID with itself
    assert run() == first == json.loads((tmp_path / "table.json").read_text())
    page = (tmp_path / "table.html").read_text()
    assert "GLIGEN (SD-v1.4)" in page
    assert page.count("<img") >= 6
    text = (tmp_path / "table.md").read_text()
    assert "not made yet" in text  # boxdiff
    assert "give the file of one" in text  # the tiny model has no aligner for hcma


def test_every_table_measures_suites_that_exist_and_prints_what_the_paper_does() -> None:
    from situ.storybook.suites import SUITES

    for table in TABLES.values():
        printed = [column for column in table.columns if column.papers]
        assert {column.suite for column in table.columns} <= set(SUITES)
        assert all(len(row.printed) == len(printed) for row in table.rows)
        assert any(row.method == table.baseline for row in table.rows)


def test_unknown_tables_and_sizes_are_named(tmp_path: Path) -> None:
    with pytest.raises(SituError, match="hcma-1"):
        reproduce("hcma1", out=tmp_path)
    with pytest.raises(SituError, match="smoke"):
        reproduce("hcma-1", out=tmp_path, size="smok")
