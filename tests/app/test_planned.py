"""The measurement of planners, in small: true layouts are the yardstick that they must be."""

from pathlib import Path

import pytest

from situ.app.planned import Drawing, measure_layouts, measure_pictures
from situ.scene import SituError

pytest.importorskip("scipy")


def test_layouts_are_held_against_the_true_ones() -> None:
    found = measure_layouts(24)
    true, rules, placer = (found["realism"][name] for name in ("true", "rules", "placer"))
    assert true["iou"] == pytest.approx(1)
    assert true["said again"] == 1
    assert rules["relations"] == placer["relations"] == 1
    assert 0 < placer["iou"] < 1
    assert placer["ms"] > 0
    nsr = found["nsr1k"]
    assert nsr["true"]["accuracy"] == nsr["rules"]["accuracy"] == nsr["placer"]["accuracy"] == 1


def test_pictures_are_drawn_once_and_compared(tmp_path: Path) -> None:
    drawing = Drawing(scenes=2, steps=2)
    found = measure_pictures(tmp_path, drawing, chosen=["color"], planners=["placer"], quiet=True)
    rows = found["suites"]["color"]
    assert list(rows) == ["true", "placer", "base"]
    assert "gain" not in rows["true"]
    assert rows["placer"]["gain"]["value"] == pytest.approx(
        rows["placer"]["value"] - rows["true"]["value"]
    )
    pictures = sorted(tmp_path.glob("*/color/**/*.png"))
    assert len(pictures) == 6
    times = [path.stat().st_mtime_ns for path in pictures]
    again = measure_pictures(tmp_path, drawing, chosen=["color"], planners=["placer"], quiet=True)
    assert again["suites"] == found["suites"]
    assert [path.stat().st_mtime_ns for path in pictures] == times
    with pytest.raises(SituError, match="allowed: color"):
        measure_pictures(tmp_path, drawing, chosen=["colour"])
