"""The tables of both papers: what they measure, and the numbers they print. A row is filled by its method as
soon as one exists; `settings` are what it changes of that method, `model` whose weights draw it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from situ.evaluation import suites
from situ.evaluation.evidence import Evidence
from situ.evaluation.metrics import METRICS, Score
from situ.evaluation.tuned import GOAL as GOAL_MODEL
from situ.scene import SituError
from situ.scene.errors import did_you_mean

Measure = Callable[[Evidence, Evidence | None], Score]


@dataclass(frozen=True)
class Column:
    """A score over the pictures of one suite; `papers` tells that the paper prints it."""

    title: str
    suite: str
    better: Literal["higher", "lower"]
    measure: Measure
    protocol: str
    papers: bool = True
    scale: float = 1.0  # of the paper's numbers


@dataclass(frozen=True)
class Row:
    """A line of a paper's table. `method` is the name it has or will have here; None where it never will.

    model: other weights than the table's, by their name in the storybook (situ.evaluation.tuned).
    """

    title: str
    method: str | None
    printed: tuple[float | None, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    model: str | None = None


@dataclass(frozen=True)
class Table:
    """`baseline` is the title of the row that others are compared with on the same scenes."""

    name: str
    paper: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    baseline: str = "GLIGEN"


def _metric(
    name: str, suite: str = "any", papers: bool = True, scale: float = 1, title: str | None = None
) -> Column:
    metric = METRICS[name]
    return Column(
        title or metric.title, suite, metric.better, metric.measure, metric.protocol, papers, scale
    )


def _benchmark(title: str, suite: str, measure: Measure, protocol: str) -> Column:
    return Column(title, suite, "higher", measure, protocol, True, 100)


def _goal(title: str, printed: tuple[float | None, ...], variant: str = "") -> Row:
    """GOAL is GLIGEN with tuned weights."""
    return Row(title, "gligen", printed, model=f"{GOAL_MODEL}-{variant}".removesuffix("-"))


HCMA = "HCMA (arXiv 2505.06512)"
GOAL = "GOAL"
IMAGE_AND_REGION = (
    _metric("fid"),
    _metric("clip"),
    _metric("region_fid"),
    _metric("region_clip"),
    _metric("kind", papers=False),
    _metric("colour", papers=False),
    _metric("look", papers=False),
)
SEEN = "pictures on which the judge surely sees every thing"
RULE = "T2I-CompBench's 2-D rule for the first two things, a sure finding counted as 1"
ATTRIBUTES = (
    _benchmark("Color", "color", suites.color, f"{SEEN} in its colour"),
    _benchmark("Shape", "shape", suites.shape, f"{SEEN}, whatever its colour"),
    _benchmark("Texture", "texture", suites.texture, f"{SEEN} in its texture"),
    _benchmark("Spatial", "spatial", suites.spatial, RULE),
)
COMPBENCH = (
    *ATTRIBUTES,
    _metric("clip", "non_spatial", scale=100, title="Non-Spatial"),
    _benchmark(
        "Complex", "complex", suites.complex_, "mean of attributes, spatial rule and CLIP cosine"
    ),
)
NSR = (
    _benchmark(
        "Counting", "counting", suites.counting, "NSR-1K: kinds found exactly as often as asked"
    ),
    _metric("clip", "counting"),
    _benchmark("Spatial", "spatial", suites.nsr_spatial, "NSR-1K: the first two things as asked"),
    _metric("clip", "spatial"),
)
EVERY_STEP = {"align_stride": 1, "align_between": (-20.0, 20.0)}  # as the paper aligns
O2RA = {**EVERY_STEP, "align_global": False}
C2IA = {**EVERY_STEP, "align_local": False}
NONE4, NONE6 = (None,) * 4, (None,) * 6  # of rows that are ours alone

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "hcma-1",
            HCMA,
            "Table 1: COCO 2014, image and region level",
            IMAGE_AND_REGION,
            (
                Row("SD-v1.4", "base", (12.12, 0.2917, 13.66, 0.2238)),
                Row("SD-v1.5", None, (9.43, 0.2907, 13.76, 0.2237)),
                Row("Attend-and-Excite", "attend-excite", (14.87, 0.2854, 14.57, 0.2224)),
                Row("BoxDiff", "boxdiff", (20.26, 0.2833, 14.27, 0.2248)),
                Row("Layout-Guidance", "layout-guidance", (21.82, 0.2869, 21.50, 0.2262)),
                Row("GLIGEN (LDM)", None, (13.05, 0.2891, 18.53, 0.2381)),
                Row("GLIGEN (SD-v1.4)", "gligen", (12.07, 0.2936, 17.25, 0.2356)),
                Row("HCMA (SD-v1.4)", "hcma", (8.74, 0.3231, 12.48, 0.2392), EVERY_STEP),
                _goal("GOAL", NONE4),
                Row("HCMA + GOAL", "hcma", NONE4, EVERY_STEP, model=GOAL_MODEL),
            ),
            baseline="GLIGEN (SD-v1.4)",
        ),
        Table(
            "hcma-2",
            HCMA,
            "Table 2: ablation of C2IA and O2RA",
            IMAGE_AND_REGION,
            (
                Row("neither", "gligen", (12.07, 0.2936, 17.25, 0.2356)),
                Row("O2RA", "hcma", (9.62, 0.3225, 11.65, 0.2389), O2RA),
                Row("C2IA", "hcma", (9.14, 0.3229, 11.75, 0.2386), C2IA),
                Row("both", "hcma", (8.74, 0.3231, 12.48, 0.2392), EVERY_STEP),
            ),
            baseline="neither",
        ),
        Table(
            "goal-1",
            GOAL,
            "Table 1: T2I-CompBench",
            COMPBENCH,
            (
                Row("Stable v1.4", "base", (37.65, 35.76, 41.56, 12.46, 30.79, 28.18)),
                Row("HN-DiffusionITM", None, (36.71, 35.48, 39.84, 11.22, 30.91, 28.05)),
                Row("Composable v2", None, (40.63, 32.99, 36.45, 8.01, 29.80, 28.98)),
                Row("DPT", None, (48.84, 38.93, 50.1, 14.63, 30.83, 30.05)),
                Row("DPT+SC", None, (51.51, 39.61, 49.38, 15.45, 30.84, 30.29)),
                Row("GLIGEN", "gligen", (34.41, 38.61, 46.34, 35.42, 30.42, 28.96)),
                Row("LayoutGPT", None, (33.86, 36.35, 44.07, 35.06, 30.31, 26.36)),
                Row("LayoutLLM-T2I", None, (37.98, 39.78, 47.62, 31.97, 29.24, 27.66)),
                _goal("GOAL", (53.55, 51.19, 58.37, 37.28, 30.94, 32.48)),
                Row("HCMA", "hcma", NONE6, EVERY_STEP),
                Row("HCMA + GOAL", "hcma", NONE6, EVERY_STEP, model=GOAL_MODEL),
            ),
        ),
        Table(
            "goal-2",
            GOAL,
            "Table 2: NSR-1K",
            NSR,
            (
                Row("Stable v1.4", "base", (32.22, 0.256, 16.89, 0.252)),
                Row("Stable v2.1", None, (42.44, 0.256, 17.81, 0.256)),
                Row("Attn-Exct v1", "attend-excite", (38.96, 0.258, 24.38, 0.263)),
                Row("Attn-Exct v2", None, (45.74, 0.254, 26.86, 0.264)),
                Row("LayoutLLM-T2I", None, (57.89, 0.261, 49.25, 0.267)),
                Row("LayoutGPT", None, (55.64, 0.261, 60.64, 0.268)),
                Row("Attention Refocusing", "attention-refocusing", (57.26, 0.244, 61.23, 0.251)),
                Row("GLIGEN", "gligen", (56.02, 0.258, 60.03, 0.265)),
                _goal("GOAL", (60.25, 0.263, 63.12, 0.271)),
            ),
        ),
        Table(
            "goal-3",
            GOAL,
            "Table 3: training-free methods on T2I-CompBench",
            ATTRIBUTES,
            (
                Row("Structured v2", None, (49.90, 42.18, 49.00, 13.86)),
                Row("Box Diff", "boxdiff", (50.26, 45.11, 53.18, 33.01)),
                Row("Attn-Exct v1", "attend-excite", (53.31, 38.51, 56.13, 10.06)),
                Row("Attention Refocusing", "attention-refocusing", (45.38, 43.04, 50.62, 36.01)),
                Row("GLIGEN", "gligen", (34.41, 38.61, 46.34, 35.42)),
                _goal("GOAL", (53.55, 51.19, 58.37, 37.28)),
            ),
        ),
        Table(
            "goal-5",
            GOAL,
            "Table 5: effect of loss terms",
            ATTRIBUTES,
            (
                Row("frozen", "gligen", (34.41, 38.61, 46.34, 35.42)),
                _goal("L_LDM", (44.17, 44.27, 53.86, 36.42), "tuned"),
                _goal("L_LDM + L_MAA", (49.83, 46.89, 55.21, 36.77), "maa"),
                _goal("L_LDM + L_DSA", (47.69, 50.01, 56.28, 37.02), "dsa"),
                _goal("all", (53.55, 51.19, 58.37, 37.28)),
            ),
            baseline="frozen",
        ),
        Table(
            "goal-6",
            GOAL,
            "Table 6: levels of semantic alignment",
            ATTRIBUTES,
            (
                _goal("neither", (49.83, 46.89, 55.21, 36.77), "maa"),
                _goal("local", (52.08, 51.12, 57.03, 37.10), "local"),
                _goal("global", (50.02, 48.49, 56.51, 36.99), "global"),
                _goal("both", (53.55, 51.19, 58.37, 37.28)),
            ),
            baseline="neither",
        ),
        Table(
            "goal-7",
            GOAL,
            "Table 7: cross-attention layers for MAAlign",
            ATTRIBUTES,
            (
                _goal("middle block, 8x8", (49.50, 50.02, 55.48, 36.24), "mid4"),
                _goal("decoder, 64x64", (51.60, 49.85, 56.58, 35.21), "up64"),
                _goal("decoder, 32x32", (49.76, 49.10, 55.95, 35.79), "up32"),
                _goal("decoder, 16x16", (53.55, 51.19, 58.37, 37.28)),
            ),
            baseline="decoder, 16x16",
        ),
    )
}


def table_named(name: str, baseline: str | None = None) -> Table:
    """A table, with another of its rows as the baseline where one is given."""
    if name not in TABLES:
        raise SituError(f"table {name!r}: {did_you_mean(name, TABLES)}")
    table = TABLES[name]
    titles = [row.title for row in table.rows]
    if baseline is not None and baseline not in titles:
        raise SituError(
            f"against: {name} has no row {baseline!r}: {did_you_mean(baseline, titles)}"
        )
    return replace(table, baseline=baseline or table.baseline)
