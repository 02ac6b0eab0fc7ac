"""Every metric by name: evidence in, a score out, with its interval and the items it was taken over.

A metric that is a mean over pictures keeps each picture's share, so that two methods can be compared on the
same scenes. A metric of whole sets (FID, AP) is a function of the rows it may look at, for the same purpose.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from situ.evaluation import statistics
from situ.evaluation.average_precision import Matches, evaluate, truth_of
from situ.evaluation.clip_score import cosines
from situ.evaluation.detections import PictureSet, to_results
from situ.evaluation.evidence import Evidence
from situ.evaluation.frechet import FeatureStatistics, frechet_distance, sample_warnings
from situ.evaluation.kernel import polynomial_mmd2
from situ.evaluation.layout_faithfulness import (
    Look,
    Reading,
    SceneScore,
    judge_scene,
    words_apart,
)
from situ.evaluation.statistics import Difference, Estimate, Rows
from situ.scene import Layout, Object, SituError
from situ.scene.errors import did_you_mean
from situ.storybook.palette import COLOURS, TEXTURES

Floats = NDArray[np.float64]
SET_DRAWS = 200  # of a metric of whole sets, which are slower to draw than means
WIDE = 256  # features wider than this make draws too slow: their metrics have no interval
ADJECTIVES = (*COLOURS, *TEXTURES)


@dataclass(frozen=True)
class Score:
    """A metric of one set of pictures. `above` / `below` [N] are each picture's share of a mean."""

    n: int
    statistic: Callable[[Rows], float]
    above: Floats | None = None
    below: Floats | None = None
    draws: int = SET_DRAWS
    warnings: tuple[str, ...] = ()

    def estimate(self) -> Estimate:
        """With the 95 % interval over pictures; without one (NaN) where drawing would take too long.

        A set drawn with replacement has fewer different pictures, which moves FID and KID up, so their
        intervals are moved back by as much as the mean of the draws lies beside the value.
        """
        if self.above is not None and self.below is not None:
            return statistics.ratio(self.above, self.below)
        value = self.statistic(np.arange(self.n))
        if not self.draws:
            return Estimate(value, float("nan"), float("nan"), self.n)
        drawn = [self.statistic(rows) for rows in statistics.resamples(self.n, draws=self.draws)]
        low, high = np.quantile(drawn, [0.025, 0.975]) - np.mean(drawn) + value
        return Estimate(value, float(low), float(high), self.n)

    def ahead_of(self, other: "Score") -> Difference | None:
        """This score minus another's on the same scenes; None where drawing would take too long."""
        if self.n != other.n:
            raise SituError(f"{self.n} pictures are paired with {other.n}; draw the same scenes")
        if not self.draws or not other.draws:
            return None
        return statistics.paired(
            self.statistic, other.statistic, self.n, draws=min(self.draws, other.draws)
        )


@dataclass(frozen=True)
class Metric:
    """What a metric measures and how; `reference` tells that it needs real pictures to compare with."""

    name: str
    title: str
    better: Literal["higher", "lower"]
    protocol: str
    measure: Callable[[Evidence, Evidence | None], Score]
    reference: bool = False


def mean_score(above: ArrayLike, below: ArrayLike | None = None) -> Score:
    """A share or a mean: sum(above) / sum(below), below 1 for each picture unless it is given."""
    a = np.asarray(above, np.float64)
    b = np.ones_like(a) if below is None else np.asarray(below, np.float64)
    if b.sum() <= 0:
        raise SituError("no scene asks for such a thing, so there is nothing to measure")
    return Score(
        len(a),
        lambda rows: float(a[rows].sum() / max(b[rows].sum(), 1e-12)),
        a,
        b,
        statistics.DRAWS,
    )


def _frechet(real: NDArray[np.float32], fake: NDArray[np.float32], owner: Rows, n: int) -> Score:
    still = FeatureStatistics.of(real)
    rows_of = _rows_by_owner(owner, n)

    def distance(rows: Rows) -> float:
        return frechet_distance(still, FeatureStatistics.of(fake[_gathered(rows_of, rows)]))

    draws = SET_DRAWS if fake.shape[1] <= WIDE else 0
    return Score(
        n, distance, draws=draws, warnings=sample_warnings(len(real), len(fake), fake.shape[1])
    )


def _kernel(real: NDArray[np.float32], fake: NDArray[np.float32], owner: Rows, n: int) -> Score:
    rows_of = _rows_by_owner(owner, n)

    def distance(rows: Rows) -> float:
        return polynomial_mmd2(real, fake[_gathered(rows_of, rows)])

    return Score(n, distance, draws=SET_DRAWS if len(fake) <= 2000 else 0)


def fid(e: Evidence, real: Evidence | None) -> Score:
    return _frechet(_needed(real).features, e.features, np.arange(len(e)), len(e))


def kid(e: Evidence, real: Evidence | None) -> Score:
    return _kernel(_needed(real).features, e.features, np.arange(len(e)), len(e))


def region_fid(e: Evidence, real: Evidence | None) -> Score:
    return _frechet(_needed(real).region_features, e.region_features, e.owners, len(e))


def region_kid(e: Evidence, real: Evidence | None) -> Score:
    return _kernel(_needed(real).region_features, e.region_features, e.owners, len(e))


def clip(e: Evidence, real: Evidence | None) -> Score:
    return mean_score(cosines(e.embeddings, e.captions))


def region_clip(e: Evidence, real: Evidence | None) -> Score:
    values = cosines(e.region_embeddings, e.phrases)
    owner = e.owners
    return mean_score(np.bincount(owner, values, len(e)), np.bincount(owner, minlength=len(e)))


def _faithful(measure: str) -> Callable[[Evidence, Evidence | None], Score]:
    def score(e: Evidence, real: Evidence | None) -> Score:
        pairs = [scene.measures()[measure] for scene in scene_scores(e)]
        return mean_score([above for above, _ in pairs], [below for _, below in pairs])

    return score


def in_box(words: Sequence[str]) -> Callable[[Evidence, Evidence | None], Score]:
    """Objects found at IoU 0.5 with the right kind and, of its attributes, those that are among `words`."""

    def score(e: Evidence, real: Evidence | None) -> Score:
        scores = scene_scores(e, reading(words))
        right = [
            float(sum(o.iou >= 0.5 and o.attributes_right is not False for o in s.objects))
            for s in scores
        ]
        return mean_score(right, [float(len(s.objects)) for s in scores])

    return score


def precision(iou: int | None) -> Callable[[Evidence, Evidence | None], Score]:
    """COCO's AP against the boxes that were asked for, kinds as classes; iou as in Matches.ap."""

    def score(e: Evidence, real: Evidence | None) -> Score:
        matches = _matches(e)
        return Score(len(e), lambda rows: matches.ap(rows, iou))

    return score


def scene_scores(e: Evidence, read: Reading | None = None) -> list[SceneScore]:
    """The findings of every picture held against its layout; kinds are phrases without adjectives."""
    return [
        judge_scene(scene.layout, found, scene.canvas, read=read or reading(()))
        for scene, found in zip(e.scenes, e.detections, strict=True)
    ]


def reading(words: Sequence[str]) -> Reading:
    """Takes labels apart and keeps those adjectives that are among `words`.

    A storybook phrase without a texture means a plain thing, so "plain" is read into it.
    """
    apart = words_apart(ADJECTIVES)

    def read(label: str) -> Look:
        look = apart(label)
        plain = look.attributes if look.attributes & set(TEXTURES) else look.attributes | {"plain"}
        return Look(look.kind, frozenset(plain) & set(words))

    return read


def _needed(real: Evidence | None) -> Evidence:
    if real is None:
        raise SituError("this metric compares with real pictures; give them with --reference")
    return real


def _rows_by_owner(owner: Rows, n: int) -> list[Rows]:
    """For each picture, the rows of a table that are its own."""
    order = np.argsort(owner, kind="stable")
    return np.split(order, np.searchsorted(owner[order], np.arange(1, n)))


def _gathered(rows_of: Sequence[Rows], pictures: Rows) -> Rows:
    return np.concatenate([rows_of[i] for i in pictures])


def _matches(e: Evidence) -> Matches:
    read = reading(())
    layouts = {i: _kinds_only(scene.layout, read) for i, scene in enumerate(e.scenes)}
    kinds = {item.phrase for layout in layouts.values() for item in layout}
    found = {
        i: [replace(d, label=kind) for d in some if (kind := read(d.label).kind) in kinds]
        for i, some in enumerate(e.detections)
    }
    truth = truth_of(layouts, e.scenes[0].canvas)
    return evaluate(truth, to_results(found, PictureSet.of(truth))).matches


def _kinds_only(layout: Layout, read: Reading) -> Layout:
    return Layout(tuple(Object(read(item.phrase).kind, item.box) for item in layout))


CROPS = "boxes of a short side of 1/16 of the picture or more, warped to the network's square"
FOUND = "the detector's sure findings, matched within a kind by the largest total IoU"

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("fid", "FID", "lower", "Frechet distance of the world's features", fid, True),
        Metric("kid", "KID", "lower", "unbiased polynomial MMD^2 of all features", kid, True),
        Metric("clip", "CLIP", "higher", "raw cosine of picture and caption", clip),
        Metric("region_fid", "region FID", "lower", f"FID of crops: {CROPS}", region_fid, True),
        Metric("region_kid", "region KID", "lower", f"KID of crops: {CROPS}", region_kid, True),
        Metric(
            "region_clip",
            "region CLIP",
            "higher",
            f"cosine of crop and phrase: {CROPS}",
            region_clip,
        ),
        Metric(
            "ap", "AP", "higher", "COCO AP of the detector against the asked boxes", precision(None)
        ),
        Metric("ap50", "AP50", "higher", "the same at IoU 0.5", precision(0)),
        Metric(
            "miou",
            "mIoU",
            "higher",
            f"IoU of an object and its match, 0 without: {FOUND}",
            _faithful("miou"),
        ),
        Metric("kind", "kind", "higher", f"objects matched at IoU 0.5: {FOUND}", in_box(())),
        Metric("colour", "+ colour", "higher", "of its right colour too", in_box(tuple(COLOURS))),
        Metric(
            "look", "+ texture", "higher", "of its right colour and texture", in_box(ADJECTIVES)
        ),
        Metric(
            "count", "count", "higher", "kinds found exactly as often as asked", _faithful("counts")
        ),
        Metric(
            "relation",
            "relation",
            "higher",
            "relations of boxes that hold among the matches",
            _faithful("relations"),
        ),
        Metric(
            "extra",
            "extra",
            "lower",
            "findings beyond those asked, for each object",
            _faithful("extra"),
        ),
    )
}


def metrics_named(names: Sequence[str]) -> tuple[Metric, ...]:
    """Metrics by name; all of them for none. An unknown name is an error that lists what there is."""
    for name in names:
        if name not in METRICS:
            raise SituError(f"metric {name!r}: {did_you_mean(name, METRICS)}")
    return tuple(METRICS[name] for name in (names or METRICS))
