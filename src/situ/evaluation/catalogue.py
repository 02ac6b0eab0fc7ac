"""Every metric by its name, as a world measures it; a world that has no counterpart says so."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from situ.evaluation import suites
from situ.evaluation.clip_score import cosines
from situ.evaluation.compbench import compbench_metrics
from situ.evaluation.evidence import Evidence
from situ.evaluation.metrics import METRICS, clip
from situ.evaluation.names import names_asked
from situ.evaluation.nsr1k_scores import nsr1k_metrics
from situ.evaluation.preference import Quality
from situ.evaluation.preference_scores import preference_metrics
from situ.evaluation.score import Metric, Score, mean_score
from situ.evaluation.world import World
from situ.scene import SituError

Measure = Callable[[Evidence, Evidence | None], Score]

# Attributes that a crop is sorted by, and the sentence around them (InstanceDiffusion, Wang et al. 2024).
COLOURS = ("black", "white", "red", "green", "yellow", "blue", "pink", "purple")
TEXTURES = ("rubber", "fluffy", "metallic", "wooden", "plastic", "fabric", "leather", "glass")
SENTENCE = "a {} object"

BY_JUDGE = (
    "what the judge sees in the place of BLIP-VQA and UniDet, held against the scene's layout"
)
STORYBOOK: Mapping[str, tuple[Measure, str]] = {
    "t2i_color": (suites.color, "product over objects: is its kind there in its colour?"),
    "t2i_shape": (suites.shape, "product over objects: is its kind there?"),
    "t2i_texture": (suites.texture, "product over objects: is its kind there in its texture?"),
    "t2i_spatial": (
        suites.spatial_official,
        "official 2-D rule, which counts findings by their scores",
    ),
    "t2i_spatial_present": (suites.spatial, "2-D rule, a finding of 0.25 or more counts as 1"),
    "t2i_numeracy": (suites.numeracy, "half for presence, half for the count"),
    "t2i_non_spatial": (clip, "raw cosine of the critic"),
    "t2i_complex": (suites.complex_, "mean of attributes, the 2-D rule by presence and the cosine"),
    "nsr1k_counting": (suites.counting, "official: kinds found exactly as often as asked"),
    "nsr1k_counting_per_prompt": (suites.counting_per_prompt, "pictures with all counts right"),
    "nsr1k_spatial": (suites.nsr_spatial, "official: one pair of boxes stands as asked"),
    "nsr1k_spatial_strict": (suites.nsr_spatial_strict, "the surest box of each stands as asked"),
}
NO_COUNTERPART = {
    "clip_large": "there is one critic; measure clip",
    "t2i_3d_spatial": "pages are flat",
    "nsr1k_layout_precision": "a scene's layout is its own truth",
    "nsr1k_layout_recall": "a scene's layout is its own truth",
    "nsr1k_layout_counting": "a scene's layout is its own truth",
    "nsr1k_layout_spatial": "a scene's layout is its own truth",
    "pickscore": "nobody was asked which page is nicer",
    "pickscore_wins": "nobody was asked which page is nicer",
    "pickscore_share": "nobody was asked which page is nicer",
    "q_align_quality": "nobody was asked how good a page is",
    "q_align_aesthetic": "nobody was asked how good a page is",
}


@dataclass(frozen=True)
class Beside:
    """What some metrics need beside the pictures and their scenes."""

    against: Evidence | None = None  # other pictures of the same scenes
    prompts: Path | None = None  # the folder of the benchmarks' own files
    qualities: tuple[Path, tuple[Mapping[str, Quality], ...]] | None = None  # Q-Align's, by picture


def metrics_of(
    world: World, asked: Sequence[str] = (), beside: Beside | None = None
) -> tuple[Metric, ...]:
    """The metrics that are asked for (situ.evaluation.names), as this world measures them."""
    known = _known(world, beside or Beside())
    return tuple(known[name] for name in names_asked(asked))


def _known(world: World, beside: Beside) -> dict[str, Metric]:
    benchmarks = (
        *compbench_metrics(beside.prompts),
        *nsr1k_metrics(beside.prompts),
        *preference_metrics(beside.against, beside.qualities),
    )
    known = {**METRICS, **{metric.name: metric for metric in benchmarks}}
    if world.name == "storybook":
        return {name: _of_storybook(metric) for name, metric in known.items()}
    if world.name == "coco":
        return {name: _of_photographs(metric) for name, metric in known.items()}
    return known


def _of_storybook(metric: Metric) -> Metric:
    if metric.name in NO_COUNTERPART:
        text = f"the storybook has no counterpart: {NO_COUNTERPART[metric.name]}"
        return replace(metric, measure=_refused(text))
    if metric.name not in STORYBOOK:
        return metric
    measure, protocol = STORYBOOK[metric.name]
    return replace(metric, measure=measure, protocol=f"{protocol}; {BY_JUDGE}")


def _of_photographs(metric: Metric) -> Metric:
    if metric.name in ("colour", "look"):
        text = (
            'a detector that is asked for "red car" repeats these words whatever it sees; '
            "measure attribute"
        )
        return replace(metric, measure=_refused(text))
    if metric.name == "attribute":
        protocol = (
            f"crops of phrases with one of {len(COLOURS)} colours or {len(TEXTURES)} materials: does CLIP "
            f'find that one nearest among its kind in "{SENTENCE.format("...")}"?'
        )
        return replace(metric, measure=attribute, protocol=protocol)
    return metric


def attribute(e: Evidence, real: Evidence | None) -> Score:
    """Accuracy of CLIP's choice of an attribute on the crop of each box that asks for one."""
    above, below = np.zeros(len(e)), np.zeros(len(e))
    words = {
        kind: e.world.embed_texts([SENTENCE.format(w) for w in kind])
        for kind in (COLOURS, TEXTURES)
    }
    for row, region in enumerate(e.regions):
        phrase = e.scenes[region.picture].layout[region.item].phrase.lower().split()[:-1]
        for kind, vectors in words.items():
            asked = next((word for word in kind if word in phrase), None)
            if asked is None:
                continue
            crop = np.repeat(e.region_embeddings[row : row + 1], len(kind), 0)
            above[region.picture] += kind[int(cosines(crop, vectors).argmax())] == asked
            below[region.picture] += 1
    return mean_score(above, below)


def _refused(text: str) -> Measure:
    def measure(e: Evidence, real: Evidence | None) -> Score:
        raise SituError(text)

    return measure
