"""T2I-CompBench and T2I-CompBench++ on photographs: prompts from the captions, networks from the world.

Only captions of a suite's own file count where that file is at hand. Without it all captions are taken as
the suite's, and the score says so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from situ.evaluation.clip_score import cosines
from situ.evaluation.evidence import Evidence
from situ.evaluation.noun_phrases import (
    MODIFIERS,
    Parser,
    load_spacy,
    noun_chunks,
    read_chunks,
    spacy_noun_chunks,
    without_adjectives,
)
from situ.evaluation.score import Metric, Score, mean_score
from situ.evaluation.t2i_compbench import (
    ALIASES,
    IMAGES_PER_PROMPT,
    SUITES,
    ComplexKind,
    Related,
    SpatialPrompts,
    blip_vqa_score,
    numeracy_score,
    parse_numeracy,
    parse_spatial,
    parse_spatial_3d,
    questions,
    read_complex_sets,
    read_nouns,
    read_suite,
    spatial_3d_score,
    spatial_score,
    three_in_one,
)
from situ.evaluation.world import MissingError
from situ.scene import SituError

FOLDERS = ("", "t2i_compbench")  # of --prompts, where the benchmark's files may lie
SOURCE = "examples/dataset of github.com/Karine-Huang/T2I-CompBench"
CHUNKS = "chunks.json"  # reviewed noun phrases, {prompt: [phrase, ...]}
BY_RULES = "noun phrases are found by word lists, since neither spaCy nor chunks.json is there"

Rows = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Asked:
    """The pictures of a suite, by number, with their prompts, and what a reader must know of them."""

    pictures: tuple[int, ...]
    prompts: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @classmethod
    def every(cls, e: Evidence) -> "Asked":
        """All pictures, each with the caption of its scene as it stands."""
        return cls(tuple(range(len(e))), tuple(scene.caption for scene in e.scenes))

    def spread(self, values: Sequence[Sequence[str]], n: int) -> list[Sequence[str]]:
        """Values of these pictures among n, nothing for the others."""
        found: list[Sequence[str]] = [()] * n
        for picture, value in zip(self.pictures, values, strict=True):
            found[picture] = value
        return found

    def score(self, values: Sequence[float], n: int, *warnings: str) -> Score:
        """The mean over these pictures as a score of n."""
        above, below = np.zeros(n), np.zeros(n)
        above[list(self.pictures)], below[list(self.pictures)] = values, 1
        return mean_score(above, below, (*self.warnings, *warnings))


def compbench_metrics(folder: Path | None) -> tuple[Metric, ...]:
    """The benchmark's metrics; `folder` holds its prompt files, if it is there."""

    def metric(name: str, title: str, protocol: str, measure: Callable[..., Score]) -> Metric:
        return Metric(name, title, "higher", protocol, lambda e, real: measure(e, folder))

    asks = "product of BLIP-VQA's P(yes) over noun phrases, official"
    rule = (
        "official 2-D rule, score times geometry, boxes of the world's detector and not of UniDet"
    )
    return (
        *(
            metric(f"t2i_{suite}", f"T2I {suite}", asks, _attributes(suite))
            for suite in ("color", "shape", "texture")
        ),
        metric("t2i_spatial", "T2I spatial", rule, _spatial(present=False)),
        metric(
            "t2i_spatial_present",
            "T2I spatial, present",
            "the same rule with each finding of 0.5 or more counted as 1",
            _spatial(present=True),
        ),
        metric(
            "t2i_3d_spatial",
            "T2I 3-D spatial",
            "official depth rule on a depth map of 128 cells a side, cut as [y, x]",
            _deep,
        ),
        metric("t2i_numeracy", "T2I numeracy", "half for presence, half for the count", _numeracy),
        metric("t2i_non_spatial", "T2I non-spatial", "raw CLIP cosine", _non_spatial),
        metric(
            "t2i_complex",
            "T2I complex",
            "3-in-1: mean of BLIP-VQA and of the 2-D rule, the CLIP cosine without adjectives, or both",
            _complex,
        ),
    )


def place_of(folder: Path | None, name: str, below: Sequence[str], source: str) -> Path:
    """A benchmark's file in the folder of prompts. Raises MissingError that says where to get it."""
    if folder is None:
        raise MissingError(f"needs {name} of {source}; give its folder with --prompts")
    places = [folder / part / name for part in below]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise MissingError(f"{places[-1]} is missing: get it from {source}")
    return found


def asked_of(e: Evidence, suite: str, folder: Path | None) -> Asked:
    """The pictures whose captions are of a suite."""
    captions = [" ".join(scene.caption.split()) for scene in e.scenes]
    try:
        path = place_of(folder, SUITES[suite], FOLDERS, SOURCE)
    except MissingError:
        known, warnings = None, [f"{SUITES[suite]} is not at hand: all captions count as its own"]
    else:
        known, warnings = set(read_suite(path.parent, suite)), []
    kept = [n for n, caption in enumerate(captions) if known is None or caption in known]
    if not kept:
        raise SituError(f"none of the {len(captions)} captions is of {SUITES[suite]}")
    if len(kept) < len(captions):
        warnings.append(f"{len(captions) - len(kept)} captions of other suites are left out")
    prompts = tuple(captions[n] for n in kept)
    lacking = len(known - set(prompts)) if known else 0
    if lacking:
        warnings.append(f"{lacking} of {len(known or ())} prompts have no picture")
    each = len(kept) / len(set(prompts))
    if each != IMAGES_PER_PROMPT:
        warnings.append(
            f"{each:g} pictures to a prompt; published numbers have {IMAGES_PER_PROMPT}"
        )
    return Asked(tuple(kept), prompts, tuple(warnings))


def _attributes(suite: str) -> Callable[[Evidence, Path | None], Score]:
    def measure(e: Evidence, folder: Path | None) -> Score:
        asked = asked_of(e, suite, folder)
        values, warnings = _answered(e, asked, folder)
        return asked.score(values, len(e), *warnings)

    return measure


def _answered(e: Evidence, asked: Asked, folder: Path | None) -> tuple[list[float], list[str]]:
    """BLIP-VQA's score of each asked picture."""
    chunks, warnings = _chunker(folder)
    put = [questions(prompt, chunks(prompt)) for prompt in asked.prompts]
    silent = sum(not some for some in put)
    if silent:
        warnings = [*warnings, f"{silent} prompts have no noun phrase and score 1"]
    return answered(e, asked, put), warnings


def answered(e: Evidence, asked: Asked, put: Sequence[Sequence[str]]) -> list[float]:
    """BLIP-VQA's score of each asked picture, for the questions put to it."""
    said = e.answers(asked.spread(put, len(e)))
    return [blip_vqa_score(said[n]) for n in asked.pictures]


def _chunker(folder: Path | None) -> tuple[Callable[[str], tuple[str, ...]], list[str]]:
    """Noun phrases of a prompt from the reviewed file, from spaCy, or else by rules."""
    try:
        reviewed = read_chunks(place_of(folder, CHUNKS, FOLDERS, "your own review"))
    except MissingError:
        reviewed = {}
    parser = _spacy()
    if parser is not None:
        return lambda prompt: reviewed.get(prompt) or spacy_noun_chunks(prompt, parser), []
    warnings = [] if reviewed else [BY_RULES]
    return lambda prompt: reviewed.get(prompt) or noun_chunks(prompt), warnings


@lru_cache(maxsize=1)
def _spacy() -> Parser | None:
    try:
        return load_spacy()
    except SituError:
        return None


def _spatial(present: bool) -> Callable[[Evidence, Path | None], Score]:
    def measure(e: Evidence, folder: Path | None) -> Score:
        asked = asked_of(e, "spatial", folder)
        return asked.score(relations(e, asked, "spatial", present), len(e))

    return measure


def relations(
    e: Evidence, asked: Asked, prompts: SpatialPrompts, present: bool = False
) -> list[float]:
    """The 2-D rule's score of each asked picture. present: each finding counts as 1."""
    pairs = [parse_spatial(prompt, prompts) for prompt in asked.prompts]
    found = e.findings(asked.spread(_names(pairs), len(e)))
    scores = [spatial_score(p, found[n]) for p, n in zip(pairs, asked.pictures, strict=True)]
    if not present:
        return [score.score for score in scores]
    both = [score.first is not None and score.second is not None for score in scores]
    return [b * (0.5 + 0.5 * score.geometry) for b, score in zip(both, scores, strict=True)]


def _names(pairs: Sequence[Related]) -> list[tuple[str, ...]]:
    return [tuple(dict.fromkeys((pair.first, pair.second))) for pair in pairs]


def _deep(e: Evidence, folder: Path | None) -> Score:
    asked = asked_of(e, "3d_spatial", folder)
    pairs = [parse_spatial_3d(prompt) for prompt in asked.prompts]
    found, depth = e.findings(asked.spread(_names(pairs), len(e))), e.nearness
    rows = zip(pairs, asked.pictures, strict=True)
    return asked.score([spatial_3d_score(p, found[n], depth[n]).score for p, n in rows], len(e))


def _numeracy(e: Evidence, folder: Path | None) -> Score:
    nouns = read_nouns(place_of(folder, "new_objects.txt", FOLDERS, SOURCE))
    asked = asked_of(e, "numeracy", folder)
    wanted = [parse_numeracy(prompt, nouns) for prompt in asked.prompts]
    names = [tuple(dict.fromkeys(ALIASES.get(n, n) for n, _ in some)) for some in wanted]
    found = e.findings(asked.spread(names, len(e)))
    rows = zip(wanted, asked.pictures, strict=True)
    return asked.score([numeracy_score(some, found[n])[0] for some, n in rows], len(e))


def _non_spatial(e: Evidence, folder: Path | None) -> Score:
    asked = asked_of(e, "non_spatial", folder)
    return asked.score(list(cosines(e.embeddings, e.captions)[list(asked.pictures)]), len(e))


def _complex(e: Evidence, folder: Path | None) -> Score:
    lists = place_of(folder, "complex_val_spatial.txt", FOLDERS, SOURCE).parent
    sets, asked = read_complex_sets(lists), asked_of(e, "complex", folder)
    attributes, warnings = _answered(e, asked, folder)
    spatial, action = relations(e, asked, "complex"), _actions(e, asked)
    kinds: list[ComplexKind] = [sets.kind(prompt) for prompt in asked.prompts]
    parts = zip(kinds, attributes, spatial, action, strict=True)
    if _spacy() is None:
        warnings = [*warnings, "adjectives are taken out by word lists, since spaCy is not there"]
    return asked.score([three_in_one(*part) for part in parts], len(e), *warnings)


def _actions(e: Evidence, asked: Asked) -> list[float]:
    """The cosine of each asked picture with its prompt without adjectives."""
    texts = [_bare(prompt) for prompt in asked.prompts]
    return cosines(e.embeddings[list(asked.pictures)], e.world.embed_texts(texts)).tolist()


def _bare(prompt: str) -> str:
    parser = _spacy()
    if parser is not None:
        return without_adjectives(prompt, parser)
    return " ".join(word for word in prompt.split() if word.lower().strip(".,") not in MODIFIERS)
