"""What a reader finds on the pages of a reproduced table."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plain_world import PlainWorld, numbered, scene

from situ.app.report import markdown, write_report
from situ.app.table_cells import cells, scores_of
from situ.evaluation.evidence import Evidence, InMemory
from situ.evaluation.metrics import Score, mean_score
from situ.evaluation.tables import Column
from situ.files.atomic import write_bytes


@pytest.fixture
def result() -> dict[str, Any]:
    own = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 9, "warnings": ["few <scenes>"]}
    gain = {"value": -0.125, "low": -0.2, "high": -0.05, "n": 9, "p": 0.004}
    row = {"method": "gligen", "model": {"name": "m", "weights": "abc"}, "printed": [12.5]}
    column = {"title": "Color", "suite": "color", "better": "higher", "printed": True, "scale": 100}
    told = {"n": 9, "protocol": "by rule", "scenes": "pages", "manifest": "f" * 64}
    return {
        "paper": "P",
        "caption": "Table 1",
        "world": "storybook",
        "size": {
            "scenes": 9,
            "seeds": 1,
            "steps": 8,
            "solver": "plms",
            "guidance": 3.0,
            "gate": [0.3, 0, 0.7],
        },
        "baseline": "A & B",
        "versions": {"situ": "1"},
        "models": {"clip": "clip-1"},
        "columns": [{**column, **told}],
        "rows": [
            {
                "title": "true pictures",
                "method": None,
                "model": None,
                "printed": None,
                "ours": [own],
            },
            {"title": "A & B", **row, "ours": [own]},
            {"title": "C", **row, "printed": None, "ours": [{**own, "gain": gain}]},
            {"title": "D", **row, "model": None, "ours": None},
        ],
        "lacking": {"D": "not made yet"},
        "folders": {"A & B": "a#b", "C": "c"},
    }


def test_markdown_has_both_rows_intervals_gains_and_what_is_missing(result: dict[str, Any]) -> None:
    lines = markdown(result).splitlines()
    assert "| A & B | printed | 12.5 |" in lines
    assert "| A & B | here | 50.00 [40.00, 60.00] |" in lines
    assert "| C | here | 50.00 [40.00, 60.00] ▼ |" in lines
    assert "| C | -12.50 [-20.00, -5.00] p = 0.004 ▼ |" in lines
    assert "- D: not made yet" in lines
    assert any("8 steps of plms, guidance 3, gate 0.3 0 0.7; situ 1." in line for line in lines)
    assert "- C: gligen, m (abc)" in lines
    assert "- Color: few <scenes>" in lines
    assert sum(line.startswith("| C |") for line in lines) == 2  # the paper has no such row


def test_the_page_shows_pictures_of_each_row_below_each_other(
    result: dict[str, Any], tmp_path: Path
) -> None:
    for name in ("true/color", "a#b/seed-0/color/000", "c/seed-0/color/000"):
        write_bytes(tmp_path / name / "000000-0.png", b"picture")
    write_report(result, tmp_path)
    page = (tmp_path / "table.html").read_text()
    places = [page.index(f'src="{name}') for name in ("true/color", "a%23b/seed-0", "c/seed-0")]
    assert places == sorted(places)
    assert "few &lt;scenes&gt;" in page
    assert "A &amp; B" in page


def test_slow_statistics_are_computed_once_for_each_draw() -> None:
    calls: list[bytes] = []
    values = np.arange(6.0) ** 2

    def slow(rows: Any) -> float:
        calls.append(rows.tobytes())
        return float(np.median(values[rows]))

    e = Evidence(InMemory(numbered(6)), (scene(),) * 6, PlainWorld())
    column = Column("median", "any", "higher", lambda e, real: Score(6, slow, draws=50), "median")
    own, other = (scores_of([column], {"any": [e]}, {"any": None}) for _ in range(2))
    before = cells(own)[0]
    assert cells(own, other)[0]["gain"]["value"] == 0
    assert {k: v for k, v in cells(own)[0].items() if k != "gain"} == before
    assert len(calls) <= 2 * 51


def test_seeds_are_averaged_for_each_scene() -> None:
    """The interval of the mean over seeds is that of each scene's own mean."""
    rng = np.random.default_rng(0)
    shares = iter(rng.random((2, 8)))
    rows = [mean_score(share) for share in (next(shares), next(shares))]
    told = iter(rows)
    e = Evidence(InMemory(numbered(8)), (scene(),) * 8, PlainWorld())
    column = Column("mean", "any", "higher", lambda e, real: next(told), "mean")
    (both,) = scores_of([column], {"any": [e, e]}, {"any": None})
    means = np.mean([row.above for row in rows if row.above is not None], 0)
    own, expected = both.estimate(), mean_score(means).estimate()
    assert (own.value, own.low, own.high) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )
