"""GOAL's Table 8: planners on NSR-1K, with the printed rows beside ours.

The paper prints means over five layouts of a language model for each prompt. The rules give one layout, the
same each time, so one is measured. Without NSR-1K's files the same metrics are taken of the storybook's
counting and spatial captions; those numbers stand beside nothing that the paper prints.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from situ.app.evaluate import write_json
from situ.app.evaluate_plans import By, evaluate_plans
from situ.app.plan_benchmarks import nsr1k_benchmark, storybook_benchmark
from situ.files.atomic import write_bytes
from situ.scene import SituError

NAME = "goal-8"
PAPER, CAPTION = "GOAL", "Table 8: text-to-layout on NSR-1K"
COLUMNS = ("counting precision", "counting recall", "counting accuracy", "spatial accuracy")
PRINTED: Mapping[str, tuple[float, ...]] = {
    "LayoutTransformer": (75.70, 61.69, 22.26, 6.36),
    "llama2-7B": (75.42, 90.47, 71.00, 30.51),
    "llama2-13B": (76.90, 92.80, 77.56, 29.15),
    "GPT-3.5": (94.81, 96.49, 86.33, 86.33),
    "GPT-4": (88.23, 97.60, 94.48, 90.11),
}
NOTES = (
    "Precision counts every planned object that the prompt's annotation lacks as wrong, also one that the "
    "sentence names; recall and accuracy do not.",
    "54 % of the counting and 70 % of the spatial prompts are templates. High numbers here say less about "
    "free sentences than they seem to.",
    "NSR-1K's own layouts reach 99.08 in counting and 93.29 in spatial accuracy: some are empty.",
    "GPT-3.5's printed spatial accuracy equals its counting accuracy to the digit; it may be a slip.",
)


def reproduce_plans(
    out: Path, data: Path | None = None, planners: Sequence[By] = (By(), By("placer"), By("llm"))
) -> dict[str, Any]:
    """Measure planners and put them beside the paper's rows; writes OUT/table.json and OUT/table.md.

    data: NSR-1K's folder; without it the storybook's captions are planned. A planner that cannot run gets
    a reason for its row.
    """
    benchmark = nsr1k_benchmark(data) if data else storybook_benchmark()
    rows = [{"title": title, "printed": list(row)} for title, row in PRINTED.items()]
    for by in planners:
        row: dict[str, Any] = {"title": _title(by), "planner": by.planner}
        try:
            row["ours"] = evaluate_plans(benchmark, by, out / benchmark.name / by.planner)
        except SituError as error:
            row["lacking"] = str(error)
        rows.append(row)
    result = {
        "table": NAME,
        "paper": PAPER,
        "caption": CAPTION,
        "benchmark": benchmark.name,
        "split": benchmark.split,
        "protocol": benchmark.protocol,
        "columns": list(COLUMNS),
        "rows": rows,
        "notes": list(NOTES),
    }
    write_json(out / "table.json", result)
    write_bytes(out / "table.md", plans_markdown(result).encode())
    return result


def plans_markdown(result: Mapping[str, Any]) -> str:
    """The table and its notes."""
    lines = [
        f"# {result['paper']}, {result['caption']}",
        "",
        f"here: {result['benchmark']} {result['split']}; {result['protocol']}",
        "",
        "| | | " + " | ".join(result["columns"]) + " | N |",
        "|---|---|" + "---:|" * (len(result["columns"]) + 1),
    ]
    lines += [_row(row, result["columns"]) for row in result["rows"]]
    lacking = [f"- {r['title']}: {r['lacking']}" for r in result["rows"] if "lacking" in r]
    lines += ["", "## Rows that are missing", "", *lacking] if lacking else []
    return "\n".join([*lines, "", "## Notes", "", *(f"- {note}" for note in result["notes"]), ""])


def _row(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    if "printed" in row:
        cells, source = [f"{value:.2f}" for value in row["printed"]], "printed"
        return f"| {row['title']} | {source} | {' | '.join(cells)} | |"
    if "ours" not in row:
        return f"| {row['title']} | here | {' | '.join('-' for _ in columns)} | |"
    scores = row["ours"]["scores"]
    cells = [f"{100 * scores[name]:.2f}" if name in scores else "-" for name in columns]
    fell_back = row["ours"]["fell_back"]
    number = f"{row['ours']['n']}" + (f", {fell_back} of them by the rules" if fell_back else "")
    return f"| {row['title']} | here | {' | '.join(cells)} | {number} |"


def _title(by: By) -> str:
    names = {"rules": "rules (ours)", "placer": "rules and placer (ours)"}
    return names.get(by.planner, by.endpoint.model if by.endpoint else "language model")
