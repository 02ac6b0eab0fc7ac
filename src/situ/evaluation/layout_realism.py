"""How much planned layouts are like true ones: sizes, shapes and places of things, overlap, and IoU.

Box statistics follow DocSim's and LayoutGAN's descendants in what they compare, and FID in how: a Gaussian
each for true and planned boxes of a kind, and the Frechet distance between them. Boxes become (centre x,
centre y, log width, log height) in units of their spread over the true ones, so that no axis rules.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from situ.evaluation.frechet import FeatureStatistics, frechet_distance
from situ.scene import Box, Layout, SituError

Floats = NDArray[np.float64]
FEWEST = 12  # boxes of a kind on either side: of fewer, four means and ten covariances say nothing
COLUMNS = ("x", "y", "width", "height")


@dataclass(frozen=True, slots=True)
class Realism:
    """Of layouts against the true ones of the same captions.

    iou: mean IoU of boxes with the true boxes of the same phrase, paired as well as can be. distance: mean
    over kinds, by their number of true boxes, of the Frechet distance of boxes. overlap: mean share of the
    smaller box of every two. area: mean of a layout's box areas.
    """

    iou: float
    distance: float
    overlap: float
    area: float
    layouts: int


def realism(
    planned: Sequence[Layout], true: Sequence[Layout], kind_of: Callable[[str], str]
) -> Realism:
    """Measure planned[i] against true[i]; kind_of gives the kind that a phrase names."""
    if len(planned) != len(true) or not true:
        raise SituError(
            f"{len(planned)} layouts are held against {len(true)} true ones; give one for each"
        )
    return Realism(
        float(np.mean([layout_iou(a, b) for a, b in zip(planned, true, strict=True)])),
        box_distance(planned, true, kind_of),
        _mean([share for layout in planned for share in shares(layout)]),
        _mean([box.area for layout in planned for box in layout.boxes]),
        len(true),
    )


def layout_iou(planned: Layout, true: Layout) -> float:
    """Mean IoU over true boxes, each paired with at most one planned box of its phrase so that the sum is
    the largest; a box without a partner counts 0 (the max-IoU of LayoutGAN++, Kikuchi et al. 2021)."""
    total = 0.0
    for phrase in set(true.phrases):
        ones = [item.box for item in true if item.phrase == phrase]
        others = [item.box for item in planned if item.phrase == phrase]
        if others:
            table = np.array([[a.iou(b) for b in others] for a in ones])
            total += float(table[_matched(table)].sum())
    return total / max(len(true), len(planned), 1)


def box_distance(
    planned: Sequence[Layout], true: Sequence[Layout], kind_of: Callable[[str], str]
) -> float:
    """Mean Frechet distance of boxes over kinds, by their number of true boxes; kinds with fewer than FEWEST
    boxes on either side are left out. 0 is the same mean and spread."""
    ours, theirs = _by_kind(planned, kind_of), _by_kind(true, kind_of)
    spread = np.std(np.concatenate(list(theirs.values())), axis=0)
    distances, weights = [], []
    for kind, rows in theirs.items():
        others = ours.get(kind, np.empty((0, 4)))
        if min(len(rows), len(others)) >= FEWEST:
            pair = (FeatureStatistics.of(rows / spread), FeatureStatistics.of(others / spread))
            distances.append(frechet_distance(*pair))
            weights.append(len(rows))
    return float(np.average(distances, weights=weights)) if distances else float("nan")


def quantile_distances(planned: Sequence[Layout], true: Sequence[Layout]) -> dict[str, float]:
    """Mean distance between the quantiles of planned and true boxes (Wasserstein-1), for each of COLUMNS, in
    fractions of the picture."""
    ours, theirs = (
        np.array([_four(b) for layout in some for b in layout.boxes]) for some in (planned, true)
    )
    at = np.linspace(0.005, 0.995, 100)
    gaps = np.abs(np.quantile(ours, at, axis=0) - np.quantile(theirs, at, axis=0)).mean(0)
    return dict(zip(COLUMNS, map(float, gaps), strict=True))


def shares(layout: Layout) -> list[float]:
    """Of every two boxes, what they share of the smaller one."""
    boxes = layout.boxes
    return [max(a.share_in(b), b.share_in(a)) for i, a in enumerate(boxes) for b in boxes[i + 1 :]]


def _matched(table: Floats) -> Any:
    try:
        from scipy.optimize import linear_sum_assignment
    except ImportError:
        raise SituError('matching needs scipy; install it with pip install "situ[eval]"') from None
    return linear_sum_assignment(-table)


def _by_kind(layouts: Sequence[Layout], kind_of: Callable[[str], str]) -> dict[str, Floats]:
    rows: dict[str, list[list[float]]] = defaultdict(list)
    for layout in layouts:
        for item in layout:
            x, y, width, height = _four(item.box)
            rows[kind_of(item.phrase)].append([x, y, log(width), log(height)])
    return {kind: np.array(some) for kind, some in rows.items()}


def _four(box: Box) -> tuple[float, float, float, float]:
    return *box.center, box.width, box.height


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0
