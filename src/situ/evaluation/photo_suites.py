"""How photographs of benchmark prompts are scored: the columns of GOAL's tables in the coco world.

T2I-CompBench asks BLIP-VQA about every noun phrase of a prompt and a detector about its relation; NSR-1K
asks a detector. A picture's scene has the boxes it was drawn from, the detector is asked for the names that
the prompt itself has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from situ.evaluation import nsr1k, suites, t2i_compbench, t2i_prompts
from situ.evaluation.coco_world import WEIGHTS, CocoWorld
from situ.evaluation.evidence import Evidence
from situ.evaluation.inception import FILE as INCEPTION
from situ.evaluation.inception import RELEASE
from situ.evaluation.metrics import METRICS, Score, clip, mean_score
from situ.evaluation.nsr1k import CountingPrompt, SpatialPrompt
from situ.evaluation.tables import NSR, Column, Measure

WORDLESS = (METRICS["colour"].measure, METRICS["look"].measure)  # COCO's phrases have no adjectives


@dataclass(frozen=True)
class Prompts:
    """What the benchmarks know of a prompt beside its words, by the prompt."""

    counting: Mapping[str, CountingPrompt]
    spatial: Mapping[str, SpatialPrompt]
    kinds: t2i_prompts.ComplexSets | None = None


def photo_columns(columns: Sequence[Column], prompts: Prompts) -> tuple[Column, ...]:
    """The columns as photographs are measured; those that mean nothing there are left out."""
    attributes = _attributes, "T2I-CompBench: product of BLIP-VQA's P(yes) over noun phrases"
    rules: dict[Measure, tuple[Measure, str]] = {
        suites.color: attributes,
        suites.shape: attributes,
        suites.texture: attributes,
        suites.spatial: (_spatial, "T2I-CompBench's 2-D rule on the detector's boxes"),
        suites.complex_: (
            _complex(prompts),
            "T2I-CompBench's 3-in-1; the action part is the CLIP cosine of the whole prompt",
        ),
        suites.counting: (_counting(prompts), "NSR-1K: share of names with the exact count"),
        suites.nsr_spatial: (_placed(prompts), "NSR-1K: one pair of boxes stands as asked"),
    }
    kept = [column for column in columns if column.measure not in WORDLESS]
    told = {c: rules.get(c.measure, (c.measure, c.protocol)) for c in kept}
    return tuple(replace(c, measure=m, protocol=protocol) for c, (m, protocol) in told.items())


def missing_weights(columns: Sequence[Column], world: CocoWorld) -> list[str]:
    """The networks of a table whose weights are not there, each with where to get it."""
    asked, named = {column.suite for column in columns}, world.models
    needs = ["clip"]
    if "any" in asked or columns == NSR or asked & {"spatial", "complex"}:
        needs.append("detector")
    if asked & {"color", "shape", "texture", "complex"}:
        needs.append("answers")
    absent = [WEIGHTS[what] for what in needs if named[what] == WEIGHTS[what].name]
    missing = [
        f"{some.name} (hf download {some.repository} --local-dir {world.weights / some.name})"
        for some in absent
    ]
    if "any" in asked and not (world.weights / INCEPTION).is_file():
        missing.insert(0, f"{world.weights / INCEPTION} ({RELEASE})")
    return missing


def _attributes(e: Evidence, real: Evidence | None) -> Score:
    return mean_score(_answered(e))


def _answered(e: Evidence) -> list[float]:
    """BLIP-VQA's score of every picture."""
    said = e.answers([t2i_prompts.questions(scene.caption) for scene in e.scenes])
    return [t2i_compbench.blip_vqa_score(yes) for yes in said]


def _spatial(e: Evidence, real: Evidence | None) -> Score:
    return mean_score(_relations(e, "spatial"))


def _relations(e: Evidence, prompts: t2i_prompts.SpatialPrompts) -> list[float]:
    asked = [t2i_prompts.parse_spatial(scene.caption, prompts) for scene in e.scenes]
    found = e.findings([_names(related.first, related.second) for related in asked])
    pairs = zip(asked, found, strict=True)
    return [t2i_compbench.spatial_score(related, some).score for related, some in pairs]


def _names(*names: str) -> tuple[str, ...]:
    """Each name once: a detector that is asked twice may find twice."""
    return tuple(dict.fromkeys(names))


def _complex(prompts: Prompts) -> Measure:
    def measure(e: Evidence, real: Evidence | None) -> Score:
        assert prompts.kinds is not None
        cosines = clip(e, real).above
        assert cosines is not None
        parts = zip(e.scenes, _answered(e), _relations(e, "complex"), cosines, strict=True)
        kind, three = prompts.kinds.kind, t2i_compbench.three_in_one
        return mean_score([three(kind(s.caption), a, r, float(c)) for s, a, r, c in parts])

    return measure


def _counting(prompts: Prompts) -> Measure:
    def measure(e: Evidence, real: Evidence | None) -> Score:
        asked = [prompts.counting[scene.caption] for scene in e.scenes]
        found = e.findings([_names(*(name for name, _ in a.counts)) for a in asked])
        counts = [nsr1k.picture_count(a, some) for a, some in zip(asked, found, strict=True)]
        return mean_score([c.points for c in counts], [c.of for c in counts])

    return measure


def _placed(prompts: Prompts) -> Measure:
    def measure(e: Evidence, real: Evidence | None) -> Score:
        asked = [prompts.spatial[scene.caption] for scene in e.scenes]
        found = e.findings([_names(a.first, a.second) for a in asked])
        right = [nsr1k.picture_relation(a, some) for a, some in zip(asked, found, strict=True)]
        return mean_score([float(r) for r in right])

    return measure


__all__ = ["Prompts", "missing_weights", "photo_columns"]
