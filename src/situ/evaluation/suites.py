"""How pictures of the storybook suites are scored: the benchmarks' rules on what the judge sees.

Where T2I-CompBench asks BLIP "a red fish?", the judge is asked whether it sees one anywhere on the page;
the score of a picture is the product over its objects, as there. Prompts say no boxes, so none is compared.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from situ.evaluation.detections import Detection
from situ.evaluation.evidence import Evidence
from situ.evaluation.layout_faithfulness import CONFIDENCE
from situ.evaluation.metrics import ADJECTIVES, Score, clip, mean_score, reading
from situ.evaluation.nsr1k import CountingPrompt, SpatialPrompt, picture_count, picture_relation
from situ.evaluation.t2i_compbench import Related, spatial_score
from situ.scene import Layout
from situ.storybook.grammar import relation
from situ.storybook.palette import COLOURS, TEXTURES

T2I_RELATIONS = {
    "left": "on the left of",
    "right": "on the right of",
    "above": "on the top of",
    "below": "on the bottom of",
    "next": "next to",
}
NSR_RELATIONS = {"left": "left of", "right": "right of", "above": "above", "below": "below"}


def color(e: Evidence, real: Evidence | None) -> Score:
    return _present(e, tuple(COLOURS))


def shape(e: Evidence, real: Evidence | None) -> Score:
    return _present(e, ())


def texture(e: Evidence, real: Evidence | None) -> Score:
    return _present(e, TEXTURES)


def spatial(e: Evidence, real: Evidence | None) -> Score:
    """T2I-CompBench's 2-D rule for the first two objects, `official`."""
    return mean_score(_spatial(e))


def complex_(e: Evidence, real: Evidence | None) -> Score:
    """3-in-1: the mean of the attribute product, the spatial score and the CLIP cosine."""
    attributes, cosine = _present(e, ADJECTIVES).above, clip(e, real).above
    assert attributes is not None
    assert cosine is not None
    return mean_score((attributes + np.array(_spatial(e)) + cosine) / 3)


def counting(e: Evidence, real: Evidence | None) -> Score:
    """NSR-1K's accuracy: every kind exactly as often as asked."""
    counts = [
        picture_count(_counted(scene.layout), _kinds(found), CONFIDENCE)
        for scene, found in zip(e.scenes, e.detections, strict=True)
    ]
    return mean_score([c.points for c in counts], [c.of for c in counts])


def nsr_spatial(e: Evidence, real: Evidence | None) -> Score:
    """NSR-1K's spatial accuracy for the first two objects, `official`."""
    right = [
        picture_relation(_asked(scene.layout), _kinds(found), confidence=CONFIDENCE)
        for scene, found in zip(e.scenes, e.detections, strict=True)
    ]
    return mean_score([float(r) for r in right])


def _present(e: Evidence, words: Sequence[str]) -> Score:
    read = reading(words)
    rows = []
    for scene, found in zip(e.scenes, e.detections, strict=True):
        seen = {read(d.label) for d in found if d.score >= CONFIDENCE}
        rows.append(float(all(read(phrase) in seen for phrase in scene.layout.phrases)))
    return mean_score(rows)


def _spatial(e: Evidence) -> list[float]:
    return [
        spatial_score(_related(scene.layout), _kinds(found), confidence=CONFIDENCE).score
        for scene, found in zip(e.scenes, e.detections, strict=True)
    ]


def _kinds(found: Sequence[Detection]) -> list[Detection]:
    read = reading(())
    return [Detection(read(d.label).kind, d.score, d.box) for d in found]


def _related(layout: Layout) -> Related:
    first, second = (reading(())(item.phrase).kind for item in tuple(layout)[:2])
    said = relation(layout[0].box, layout[1].box)
    return Related(first, T2I_RELATIONS.get(said or ""), second)


def _asked(layout: Layout) -> SpatialPrompt:
    first, second = (reading(())(item.phrase).kind for item in tuple(layout)[:2])
    said = relation(layout[0].box, layout[1].box) or "next"
    return SpatialPrompt(0, "", "template", first, NSR_RELATIONS.get(said, "next to"), second, ())


def _counted(layout: Layout) -> CountingPrompt:
    kinds = Counter(reading(())(phrase).kind for phrase in layout.phrases)
    return CountingPrompt(0, "", "single-category", tuple(kinds.items()), ())
