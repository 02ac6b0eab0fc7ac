"""Every metric by name: evidence in, a score out, with its interval and the items it was taken over.

A metric that is a mean over pictures keeps each picture's share, so that two methods can be compared on the
same scenes. A metric of whole sets (FID, AP) is a function of the rows it may look at, for the same purpose.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from situ.evaluation.average_precision import Matches, evaluate, truth_of
from situ.evaluation.clip_score import cosines
from situ.evaluation.detections import PictureSet, to_results
from situ.evaluation.evidence import Evidence
from situ.evaluation.frechet import (
    FeatureStatistics,
    frechet_distance,
    frechet_infinity,
    sample_warnings,
)
from situ.evaluation.kernel import cmmd as gaussian_mmd2
from situ.evaluation.kernel import polynomial_mmd2
from situ.evaluation.layout_faithfulness import (
    CONFIDENCE,
    Look,
    Reading,
    SceneScore,
    judge_scene,
    words_apart,
)
from situ.evaluation.score import SET_DRAWS, Metric, Score, mean_score
from situ.evaluation.statistics import Rows
from situ.scene import Layout, Object, SituError
from situ.scene.errors import did_you_mean
from situ.storybook.palette import COLOURS, TEXTURES

WIDE = 256  # features wider than this make draws too slow: their metrics have no interval
ADJECTIVES = (*COLOURS, *TEXTURES)
CLEAR = 1.5  # times as far along a direction as across it: below, captions name no direction either


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


def fid_infinity(e: Evidence, real: Evidence | None) -> Score:
    """Without an interval: a point is a whole series of distances."""
    still = FeatureStatistics.of(_needed(real).features)
    warnings = sample_warnings(still.count, len(e), still.width)

    def limit(rows: Rows) -> float:
        return frechet_infinity(still, e.features[rows]).value

    return Score(len(e), limit, draws=0, warnings=warnings)


def cmmd(e: Evidence, real: Evidence | None) -> Score:
    fixed, fake = _needed(real).cmmd_embeddings, e.cmmd_embeddings

    def distance(rows: Rows) -> float:
        return gaussian_mmd2(fixed, fake[rows])

    return Score(len(e), distance, draws=SET_DRAWS if len(fake) <= 2000 else 0)


def clip_large(e: Evidence, real: Evidence | None) -> Score:
    rows = e.large_embeddings
    world: Any = e.world
    return mean_score(cosines(rows, world.embed_texts_large([s.caption for s in e.scenes])))


def clip(e: Evidence, real: Evidence | None) -> Score:
    return mean_score(cosines(e.embeddings, e.captions))


def region_clip(e: Evidence, real: Evidence | None) -> Score:
    values = cosines(e.region_embeddings, e.phrases)
    owner = e.owners
    return mean_score(np.bincount(owner, values, len(e)), np.bincount(owner, minlength=len(e)))


def _faithful(
    measure: str, words: Sequence[str] = ()
) -> Callable[[Evidence, Evidence | None], Score]:
    def score(e: Evidence, real: Evidence | None) -> Score:
        pairs = [scene.measures()[measure] for scene in scene_scores(e, reading(words))]
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


def precision_ratio(e: Evidence, real: Evidence | None) -> Score:
    """AP as a share of what the same detector has on the real pictures of the same scenes."""
    oracle = _needed(real)
    if (e.seen is None) != (oracle.seen is None):
        raise SituError(
            "findings from a file have no oracle: no file has those of the real pictures"
        )
    ours, best = _matches(e), _matches(oracle)
    return Score(len(e), lambda rows: ours.ap(rows, None) / max(best.ap(rows, None), 1e-12))


def confidence(e: Evidence) -> float:
    """The least score at which a finding counts as a thing: what the world's detector was calibrated to."""
    own = None if e.seen is not None else getattr(e.world, "confidence", None)
    return CONFIDENCE if own is None else float(own)


def scene_scores(e: Evidence, read: Reading | None = None) -> list[SceneScore]:
    """The findings of every picture held against its layout; kinds are phrases without adjectives."""
    least = confidence(e)
    return [
        judge_scene(
            scene.layout, found, scene.canvas, least, read=read or reading(()), margin=CLEAR
        )
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
        Metric(
            "fid_infinity",
            "FID infinity",
            "lower",
            "FID of 15 subset sizes, continued to endlessly many pictures by a line in 1/N",
            fid_infinity,
            True,
        ),
        Metric("kid", "KID", "lower", "unbiased polynomial MMD^2 of all features", kid, True),
        Metric(
            "cmmd",
            "CMMD",
            "lower",
            "1000 times the biased Gaussian MMD^2 of the CLIP embeddings of pictures, sigma 10",
            cmmd,
            True,
        ),
        Metric("clip", "CLIP", "higher", "raw cosine of picture and caption", clip),
        Metric(
            "clip_large", "CLIP large", "higher", "the same by CLIP ViT-L/14 (NSR-1K)", clip_large
        ),
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
            "ap_ratio",
            "AP / oracle",
            "higher",
            "AP over that of the same detector on the real pictures of the same scenes",
            precision_ratio,
            True,
        ),
        Metric(
            "miou",
            "mIoU",
            "higher",
            f"IoU of an object and its match, 0 without: {FOUND}",
            _faithful("miou"),
        ),
        *(
            Metric(
                f"success{percent}",
                f"success@{percent / 100:g}",
                "higher",
                f"objects whose match overlaps by IoU {percent / 100:g} or more: {FOUND}",
                _faithful(f"success{percent}"),
            )
            for percent in (30, 50, 70)
        ),
        Metric("kind", "kind", "higher", f"objects matched at IoU 0.5: {FOUND}", in_box(())),
        Metric("colour", "+ colour", "higher", "of its right colour too", in_box(tuple(COLOURS))),
        Metric(
            "look", "+ texture", "higher", "of its right colour and texture", in_box(ADJECTIVES)
        ),
        Metric(
            "attribute",
            "attribute",
            "higher",
            "objects with a colour or texture whose match has all of them",
            _faithful("attributes", ADJECTIVES),
        ),
        Metric(
            "count", "count", "higher", "kinds found exactly as often as asked", _faithful("counts")
        ),
        Metric(
            "relation",
            "relation",
            "higher",
            f"directions of boxes, {CLEAR} times as far along as across, that hold among the matches; "
            "what is missing stands in none",
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


__all__ = [
    "ADJECTIVES",
    "METRICS",
    "Metric",
    "Score",
    "confidence",
    "mean_score",
    "metrics_named",
    "reading",
    "scene_scores",
]
