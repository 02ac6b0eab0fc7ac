"""How pictures of the storybook are scored by the benchmarks' rules on what the judge sees.

Where T2I-CompBench asks BLIP "a red fish?", the judge is asked whether it sees one anywhere on the page;
the score of a picture is the product over its objects, as there. Prompts say no boxes, so none is compared.
Names, numbers and relations come from the scene's layout, by the words that its captions would use; a
scene whose first two objects stand in no clear relation is left out of what asks for one.

The published 2-D rule adds a quarter of each detector score, which a true page of a judge that is 87 % sure
loses as well. `spatial` therefore counts a finding that is sure enough as 1; `spatial_official` is the rule
as it was published.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from situ.evaluation.detections import Detection
from situ.evaluation.evidence import Evidence
from situ.evaluation.metrics import ADJECTIVES, Score, clip, confidence, mean_score, reading
from situ.evaluation.nsr1k import (
    CountingPrompt,
    Matching,
    PictureCount,
    SpatialPrompt,
    picture_count,
    picture_relation,
)
from situ.evaluation.t2i_compbench import Related, numeracy_score, spatial_score, three_in_one
from situ.scene import Layout
from situ.storybook.grammar import relation
from situ.storybook.palette import COLOURS, TEXTURES

Protocol = Literal["present", "official"]

T2I_RELATIONS = {
    "left": "on the left of",
    "right": "on the right of",
    "above": "on the top of",
    "below": "on the bottom of",
    "next": "next to",
    "on": "on the top of",
}
NSR_RELATIONS = {
    "left": "left",
    "right": "right",
    "above": "top",
    "below": "bottom",
    "next": "next to",
    "on": "top",
}


def color(e: Evidence, real: Evidence | None) -> Score:
    return _present(e, tuple(COLOURS))


def shape(e: Evidence, real: Evidence | None) -> Score:
    return _present(e, ())


def texture(e: Evidence, real: Evidence | None) -> Score:
    return _present(e, TEXTURES)


def spatial(e: Evidence, real: Evidence | None) -> Score:
    """T2I-CompBench's 2-D rule for the first two objects, a finding that is sure enough counted as 1."""
    return _related_score(e, "present")


def spatial_official(e: Evidence, real: Evidence | None) -> Score:
    """The same rule as published: each finding counts by its score."""
    return _related_score(e, "official")


def complex_(e: Evidence, real: Evidence | None) -> Score:
    """3-in-1: the mean of the attribute product, the spatial score and the CLIP cosine; without the
    spatial score where the first two objects stand in no clear relation."""
    return _three(e, real, "present")


def complex_official(e: Evidence, real: Evidence | None) -> Score:
    """The same with the published spatial rule."""
    return _three(e, real, "official")


def numeracy(e: Evidence, real: Evidence | None) -> Score:
    """T2I-CompBench++: half for every kind that is there, half for its exact number."""
    asked = [tuple(_counts(scene.layout).items()) for scene in e.scenes]
    pairs = zip(asked, e.detections, strict=True)
    return mean_score(
        [numeracy_score(a, _kinds(found), confidence=confidence(e))[0] for a, found in pairs]
    )


def counting(e: Evidence, real: Evidence | None) -> Score:
    """NSR-1K's accuracy, `official`: every kind exactly as often as asked."""
    counts = _counted(e)
    return mean_score([c.points for c in counts], [c.of for c in counts])


def counting_per_prompt(e: Evidence, real: Evidence | None) -> Score:
    """The share of pictures with every kind exactly as often as asked."""
    return mean_score([float(c.right) for c in _counted(e)])


def nsr_spatial(e: Evidence, real: Evidence | None) -> Score:
    """NSR-1K's spatial accuracy for the first two objects, `official`: one pair of boxes is enough."""
    return _placed(e, "official")


def nsr_spatial_strict(e: Evidence, real: Evidence | None) -> Score:
    """The same of the surest finding of each."""
    return _placed(e, "strict")


def _present(e: Evidence, words: Sequence[str]) -> Score:
    read = reading(words)
    rows = []
    for scene, found in zip(e.scenes, e.detections, strict=True):
        seen = {read(d.label) for d in found if d.score >= confidence(e)}
        rows.append(float(all(read(phrase) in seen for phrase in scene.layout.phrases)))
    return mean_score(rows)


def _related_score(e: Evidence, protocol: Protocol) -> Score:
    scores = _spatial(e, protocol)
    clear = np.array([score is not None for score in scores], np.float64)
    return mean_score([score or 0.0 for score in scores], clear)


def _spatial(e: Evidence, protocol: Protocol) -> list[float | None]:
    """Of every picture; None where no relation is asked for."""
    least, scores = confidence(e), []
    for scene, found in zip(e.scenes, e.detections, strict=True):
        asked = _related(scene.layout)
        seen = _kinds(found)
        if protocol == "present":
            seen = [replace(d, score=1.0) for d in seen if d.score >= least]
        scores.append(asked and spatial_score(asked, seen, confidence=least).score)
    return scores


def _three(e: Evidence, real: Evidence | None, protocol: Protocol) -> Score:
    attributes, cosine = _shares(_present(e, ADJECTIVES)), _shares(clip(e, real))
    parts = zip(attributes, _spatial(e, protocol), cosine, strict=True)
    return mean_score(
        [
            three_in_one("action" if said is None else "both", float(a), said, float(c))
            for a, said, c in parts
        ]
    )


def _shares(score: Score) -> NDArray[np.float64]:
    assert score.above is not None
    return score.above


def _counted(e: Evidence) -> list[PictureCount]:
    pairs = zip(e.scenes, e.detections, strict=True)
    return [picture_count(_asked_counts(s.layout), _kinds(f), confidence(e)) for s, f in pairs]


def _placed(e: Evidence, matching: Matching) -> Score:
    right: list[float] = []
    clear: list[float] = []
    for scene, found in zip(e.scenes, e.detections, strict=True):
        asked = _asked(scene.layout)
        clear.append(float(asked is not None))
        held = asked and picture_relation(
            asked, _kinds(found), matching, scene.canvas, confidence(e)
        )
        right.append(float(bool(held)))
    return mean_score(right, clear)


def _kinds(found: Sequence[Detection]) -> list[Detection]:
    read = reading(())
    return [Detection(read(d.label).kind, d.score, d.box) for d in found]


def _relation(layout: Layout) -> tuple[str, str, str] | None:
    """Kinds of the first two objects and how they stand to each other, where that is clear."""
    if len(layout) < 2:
        return None
    said = relation(layout[0].box, layout[1].box)
    first, second = (reading(())(item.phrase).kind for item in tuple(layout)[:2])
    return None if said is None else (first, said, second)


def _related(layout: Layout) -> Related | None:
    said = _relation(layout)
    return said and Related(said[0], T2I_RELATIONS[said[1]], said[2])


def _asked(layout: Layout) -> SpatialPrompt | None:
    said = _relation(layout)
    if said is None:
        return None
    return SpatialPrompt(0, "", "template", said[0], NSR_RELATIONS[said[1]], said[2], ())


def _asked_counts(layout: Layout) -> CountingPrompt:
    return CountingPrompt(0, "", "single-category", tuple(_counts(layout).items()), ())


def _counts(layout: Layout) -> Counter[str]:
    return Counter(reading(())(phrase).kind for phrase in layout.phrases)
