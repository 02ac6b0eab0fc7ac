"""How photographs of benchmark prompts are scored: the columns of GOAL's tables in the coco world.

T2I-CompBench asks BLIP-VQA about every noun phrase of a prompt and a detector about its relation; NSR-1K
asks a detector. A picture's scene has the boxes it was drawn from, the detector is asked for the names that
the prompt itself has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from situ.evaluation import nsr1k_scores, suites
from situ.evaluation.coco_world import WEIGHTS, CocoWorld
from situ.evaluation.compbench import Asked, answered, relations
from situ.evaluation.evidence import Evidence
from situ.evaluation.inception import FILE as INCEPTION
from situ.evaluation.inception import RELEASE
from situ.evaluation.metrics import METRICS, Score, clip, mean_score
from situ.evaluation.nsr1k import CountingPrompt, SpatialPrompt
from situ.evaluation.t2i_compbench import three_in_one
from situ.evaluation.t2i_prompts import ComplexSets, questions
from situ.evaluation.tables import NSR, Column, Measure

WORDLESS = (METRICS["colour"].measure, METRICS["look"].measure)  # COCO's phrases have no adjectives


@dataclass(frozen=True)
class Prompts:
    """What the benchmarks know of a prompt beside its words, by the prompt."""

    counting: Mapping[str, CountingPrompt]
    spatial: Mapping[str, SpatialPrompt]
    kinds: ComplexSets | None = None


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
    """BLIP-VQA's score of every picture, the noun phrases found by rules."""
    asked = Asked.every(e)
    return answered(e, asked, [questions(prompt) for prompt in asked.prompts])


def _spatial(e: Evidence, real: Evidence | None) -> Score:
    return mean_score(relations(e, Asked.every(e), "spatial"))


def _complex(prompts: Prompts) -> Measure:
    def measure(e: Evidence, real: Evidence | None) -> Score:
        assert prompts.kinds is not None
        cosines = clip(e, real).above
        assert cosines is not None
        asked, kind = Asked.every(e), prompts.kinds.kind
        placed = relations(e, asked, "complex")
        parts = zip(asked.prompts, _answered(e), placed, cosines, strict=True)
        return mean_score([three_in_one(kind(p), a, r, float(c)) for p, a, r, c in parts])

    return measure


def _counting(prompts: Prompts) -> Measure:
    def measure(e: Evidence, real: Evidence | None) -> Score:
        asked = {n: prompts.counting[scene.caption] for n, scene in enumerate(e.scenes)}
        found = nsr1k_scores.counts(e, asked).values()
        return mean_score([c.points for c in found], [c.of for c in found])

    return measure


def _placed(prompts: Prompts) -> Measure:
    def measure(e: Evidence, real: Evidence | None) -> Score:
        asked = {n: prompts.spatial[scene.caption] for n, scene in enumerate(e.scenes)}
        return mean_score([float(r) for r in nsr1k_scores.relations(e, asked).values()])

    return measure


__all__ = ["Prompts", "missing_weights", "photo_columns"]
