"""How a picture came about: what the aligner saw at every step, kept inside the picture.

A text of its own beside the record: the record says how to draw the picture, the trace what was seen on
the way. Numbers have four digits, so fifty steps of five boxes are two kilobytes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from torch import Tensor

from situ.diffusion.guide import Report
from situ.files.png import read_texts
from situ.scene import strict_json
from situ.scene.errors import SceneError, at, shown
from situ.scene.fields import entry, mapping, number, sequence

KEY = "situ_trace"
DIGITS = 4
ROWS = (
    "global",
    "slope",
    "share",
)  # Omega_G; size of the gradient; share of the latent that was moved
MAX_STEPS = 10_000

Value = float | None  # None where nothing was seen


@dataclass(frozen=True)
class Trace:
    """By step: Omega of the caption and of every box, and where HCMA moved the latent, how far.

    All rows are as long as the run; `boxes` holds one for each box of the layout.
    """

    rows: Mapping[str, tuple[Value, ...]]
    boxes: tuple[tuple[Value, ...], ...]

    def dumps(self) -> str:
        """One line of JSON."""
        return json.dumps({**self.rows, "boxes": self.boxes}, separators=(",", ":"))


@dataclass(eq=False)
class Recorder:
    """Collects the reports of one run, step by step."""

    name: str  # of the guide that reports
    reports: list[Report] = field(default_factory=list)

    def add(self, report: Report) -> None:
        self.reports.append(report)

    def trace(self, sample: int, boxes: int) -> Trace | None:
        """What was seen of one sample of the batch, or None where no guide saw anything."""
        if not any(
            self._has(report, "global") or self._has(report, "boxes") for report in self.reports
        ):
            return None
        rows = {key: tuple(self._value(r, key, sample) for r in self.reports) for key in ROWS}
        rows = {key: row for key, row in rows.items() if any(value is not None for value in row)}
        each = [self._boxes(report, sample, boxes) for report in self.reports]
        return Trace(rows, tuple(zip(*each, strict=True)))

    def _has(self, report: Report, key: str) -> bool:
        return f"{self.name}/{key}" in report

    def _value(self, report: Report, key: str, sample: int) -> Value:
        row = report.get(f"{self.name}/{key}")
        return None if row is None else _rounded(row[sample])

    def _boxes(self, report: Report, sample: int, boxes: int) -> list[Value]:
        row = report.get(f"{self.name}/boxes")
        return [None if row is None else _rounded(row[sample, k]) for k in range(boxes)]


def read_trace(path: Path, boxes: int) -> Trace | None:
    """The trace inside a picture of so many boxes, or None. It is untrusted: sizes and types are checked."""
    text = read_texts(path).get(KEY)
    if text is None:
        return None
    with at(f"{path}: {KEY}"):
        data = mapping(strict_json.parse(text), "a trace")
        rows = {key: _row(data[key], key) for key in ROWS if key in data}
        each = tuple(_row(row, "boxes") for row in sequence(entry(data, "boxes"), "boxes"))
        lengths = {len(row) for row in (*rows.values(), *each)}
        if len(each) != boxes or len(lengths) != 1 or max(lengths) > MAX_STEPS:
            raise SceneError(
                f"{len(each)} boxes and rows of {shown(sorted(lengths))} steps do not fit"
            )
    return Trace(rows, each)


def _row(data: Any, name: str) -> tuple[Value, ...]:
    return tuple(None if value is None else number(value, name) for value in sequence(data, name))


def _rounded(value: Tensor) -> Value:
    plain = round(float(value), DIGITS)
    return plain if isfinite(plain) else None
