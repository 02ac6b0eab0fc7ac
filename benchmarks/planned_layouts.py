"""Planners on the storybook: how true their layouts are, and how well pictures from them fit the sentence.

    python benchmarks/planned_layouts.py layouts                        # a minute, no pictures
    python benchmarks/planned_layouts.py pictures --out runs/planned    # draws 1152 pictures
    python benchmarks/planned_layouts.py pictures --out runs/planned --scenes 12 --suites spatial counting

`pictures` draws each suite from the pages' own layouts, from planned ones and from the caption alone; scores
are the suites' measures as the judge sees them, and a gain is against the true layouts, paired by scene.
Pictures that are there already are kept.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from situ.app.placer import Placing
from situ.app.planned import MEASURES, PLANNERS, Drawing, measure_layouts, measure_pictures


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("what", choices=("layouts", "pictures"))
    parser.add_argument("--pages", type=int, default=512, help="held-out pages (layouts)")
    parser.add_argument("--out", type=Path, default=Path("runs/planned"))
    parser.add_argument("--scenes", type=int, default=48, help="of each suite (pictures)")
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--suites", nargs="+", choices=MEASURES, default=tuple(MEASURES))
    parser.add_argument("--planners", nargs="+", choices=PLANNERS, default=PLANNERS)
    parser.add_argument("--model", default="storybook")
    parser.add_argument("--placer", default="storybook")
    parser.add_argument("--temperature", type=float, default=Placing().temperature)
    given = parser.parse_args()
    placing = Placing(given.placer, given.temperature)
    if given.what == "layouts":
        result = measure_layouts(given.pages, placing)
        _print_layouts(result)
        return
    drawing = Drawing(given.scenes, given.steps, seed=given.seed)
    result = measure_pictures(
        given.out,
        drawing,
        model=given.model,
        planners=given.planners,
        chosen=given.suites,
        placing=placing,
    )
    _print_pictures(result)


def _print_layouts(result: dict[str, Any]) -> None:
    print(f"{result['pages']} held-out pages")
    for part in ("realism", "nsr1k"):
        for name, row in result[part].items():
            numbers = (f"{k} {v:.3f}" for k, v in row.items() if v is not None)
            print(f"  {name:18s} {'  '.join(numbers)}")
    print(json.dumps(result))


def _print_pictures(result: dict[str, Any]) -> None:
    for suite, rows in result["suites"].items():
        for name, row in rows.items():
            gain = f"  gain {_percent(row['gain'], '+')}" if "gain" in row else ""
            print(f"{suite:10s} {name:8s} {_percent(row)}{gain}")


def _percent(row: dict[str, Any], sign: str = "") -> str:
    value, low, high = (f"{100 * row[name]:{sign}.1f}" for name in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


if __name__ == "__main__":
    main()
