"""Sentences that ask for layouts, and how the layouts are scored: NSR-1K, T2I-CompBench and the storybook.

A benchmark is its sentences and a function from their layouts to numbers, so that any planner can be
measured. Layouts are measured as they were planned; no picture is drawn.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from situ.evaluation import nsr1k, t2i_compbench
from situ.planners import named
from situ.planners.nouns import head, singular
from situ.scene import Layout, SituError
from situ.scene.errors import did_you_mean

Scores = Mapping[str, float | int]
SPLITS = ("train", "val")
STORYBOOK_PAGES = 256
_SIDES = {"left": "left", "right": "right", "above": "top", "below": "bottom", "next": "next to"}
NSR_PROTOCOL = (
    "NSR-1K's official layout metrics (LayoutGPT): counting on the phrases as planned, spatial with each "
    "phrase as the name of the split's vocabulary that it ends with"
)
T2I_PROTOCOL = (
    "T2I-CompBench at the level of layouts: the first boxes of both things have the relation by the "
    "official geometry; every thing has its number of boxes"
)
STORYBOOK_PROTOCOL = "NSR-1K's official layout metrics on held-out pages of the storybook"


@dataclass(frozen=True)
class Benchmark:
    """Sentences, the score of one layout of each, and what the numbers are made of."""

    name: str
    split: str
    protocol: str
    prompts: tuple[str, ...]
    score: Callable[[Sequence[Layout]], Scores]
    data: Mapping[str, str]  # files and their SHA-256


def nsr1k_benchmark(folder: Path, split: str = "val") -> Benchmark:
    """NSR-1K's counting and spatial prompts; of a split the files that are there.

    Raises SituError for an unknown split, or a folder that has neither file.
    """
    if split not in SPLITS:
        raise SituError(f"split {split!r}: {did_you_mean(split, SPLITS)}")
    paths = [folder / f"{kind}/{kind}.{split}.json" for kind in ("counting", "spatial")]
    if not any(path.is_file() for path in paths):
        raise SituError(f"data: {folder} has neither {paths[0].name} nor {paths[1].name} of NSR-1K")
    counting = nsr1k.read_counting(paths[0]) if paths[0].is_file() else ()
    spatial = nsr1k.read_spatial(paths[1]) if paths[1].is_file() else ()
    prompts = tuple(asked.prompt for asked in (*counting, *spatial))
    score = _nsr_score(counting, spatial)
    return Benchmark("nsr1k", split, NSR_PROTOCOL, prompts, score, file_hashes(folder, paths))


def t2i_benchmark(folder: Path, split: str = "val") -> Benchmark:
    """T2I-CompBench's spatial and numeracy prompts; only validation prompts have layout rules here.

    Raises SituError for another split or a file that is not there.
    """
    if split != "val":
        raise SituError(f"split {split!r}: t2i_compbench has only val")
    files = [folder / name for name in ("spatial_val.txt", "numeracy_val.txt", "new_objects.txt")]
    for path in files:
        if not path.is_file():
            raise SituError(f"data: {folder} has no {path.name} of T2I-CompBench")
    spatial, numeracy = (t2i_compbench.read_prompts(path) for path in files[:2])
    words = t2i_compbench.read_nouns(files[2])

    def score(layouts: Sequence[Layout]) -> Scores:
        placed, counted = layouts[: len(spatial)], layouts[len(spatial) :]
        related = [_related(p, layout) for p, layout in zip(spatial, placed, strict=True)]
        numbers = [_numbered(p, words, lay) for p, lay in zip(numeracy, counted, strict=True)]
        return {
            "spatial accuracy": sum(related) / len(related),
            "numeracy accuracy": sum(numbers) / len(numbers),
            "spatial N": len(related),
            "numeracy N": len(numbers),
        }

    prompts = (*spatial, *numeracy)
    return Benchmark(
        "t2i_compbench", split, T2I_PROTOCOL, prompts, score, file_hashes(folder, files)
    )


def storybook_benchmark(pages: int = STORYBOOK_PAGES) -> Benchmark:
    """The captions of the storybook's counting and spatial suites; needs no data."""
    from situ.storybook import grammar, suites

    counting, spatial = (suites.pages(suite, pages) for suite in ("counting", "spatial"))
    told = [suites.scene(page, "counting").caption for page in counting]
    told += [suites.scene(page, "spatial").caption for page in spatial]
    asked = []
    for number, page in enumerate(counting):
        counts = Counter(grammar.phrase(thing) for thing in page.things)
        prompt = nsr1k.CountingPrompt(number, "", "single-category", tuple(counts.items()), ())
        asked.append(prompt)
    related = []
    for number, page in enumerate(spatial):
        first, second = page.things
        side = _SIDES[str(grammar.relation(first.box, second.box))]
        ends = grammar.phrase(first), grammar.phrase(second)
        related.append(nsr1k.SpatialPrompt(number, "", "template", ends[0], side, ends[1], ()))
    score = _nsr_score(asked, related)
    return Benchmark("storybook", "val", STORYBOOK_PROTOCOL, tuple(told), score, {})


def benchmark_named(name: str, data: Path | None, split: str = "val") -> Benchmark:
    """A benchmark by its name. Raises SituError for an unknown one, or one whose data is not given."""
    if name == "storybook":
        return storybook_benchmark()
    makers = {"nsr1k": nsr1k_benchmark, "t2i_compbench": t2i_benchmark}
    if name not in makers:
        raise SituError(f"benchmark {name!r}: {did_you_mean(name, ['storybook', *makers])}")
    if data is None:
        raise SituError(f"data: {name} needs the folder of its prompts; give --data DIR")
    return makers[name](data, split)


def _nsr_score(
    counting: Sequence[nsr1k.CountingPrompt], spatial: Sequence[nsr1k.SpatialPrompt]
) -> Callable[[Sequence[Layout]], Scores]:
    names = sorted({asked.first for asked in spatial} | {asked.second for asked in spatial})

    def score(layouts: Sequence[Layout]) -> Scores:
        counted, placed = layouts[: len(counting)], layouts[len(counting) :]
        found: dict[str, float | int] = {}
        if counting:
            found |= _counting_scores(counting, counted)
        if spatial:
            found |= _spatial_scores(spatial, [named(layout, names) for layout in placed])
        return found

    return score


def _counting_scores(
    counting: Sequence[nsr1k.CountingPrompt], layouts: Sequence[Layout]
) -> dict[str, float | int]:
    pairs = list(zip(counting, layouts, strict=True))
    whole = nsr1k.layout_score([nsr1k.layout_count(a, lay.phrases) for a, lay in pairs])
    strict = nsr1k.layout_score([nsr1k.layout_count(a, lay.phrases, "strict") for a, lay in pairs])
    return {
        "counting precision": whole.precision,
        "counting recall": whole.recall,
        "counting accuracy": whole.accuracy,
        "counting accuracy, strict": strict.accuracy,
        "counting N": whole.layouts,
    }


def _spatial_scores(
    spatial: Sequence[nsr1k.SpatialPrompt], layouts: Sequence[Layout]
) -> dict[str, float | int]:
    pairs = list(zip(spatial, layouts, strict=True))
    official = [nsr1k.layout_relation(asked, tuple(layout)) for asked, layout in pairs]
    strict = [nsr1k.layout_relation(asked, tuple(layout), "strict") for asked, layout in pairs]
    return {
        "spatial accuracy": nsr1k.spatial_accuracy(official),
        "spatial accuracy, strict": nsr1k.spatial_accuracy(strict),
        "spatial N": len(pairs),
    }


def _related(prompt: str, layout: Layout) -> bool:
    """Whether the first boxes of the things of a prompt have its relation."""
    asked = t2i_compbench.parse_spatial(prompt)
    boxes = [
        [item.box for item in layout if _kind(head(item.phrase)) == _kind(name)]
        for name in (asked.first, asked.second)
    ]
    first, second = boxes[0][:1], boxes[1]
    if asked.first == asked.second:
        second = second[1:]
    if not first or not second:
        return False
    return t2i_compbench.geometry(asked.relation, first[0], second[0]) == 1


def _numbered(prompt: str, words: Mapping[str, str], layout: Layout) -> bool:
    """Whether every thing of a prompt has as many boxes as were asked for."""
    found = Counter(item.phrase.split()[-1] for item in layout)
    asked: Counter[str] = Counter()
    for name, number in t2i_compbench.parse_numeracy(prompt, words):
        asked[singular(name)] += number
    return all(found[name] == number for name, number in asked.items())


def _kind(noun: str) -> str:
    return t2i_compbench.detector_name(singular(noun))


def file_hashes(folder: Path, paths: Sequence[Path]) -> dict[str, str]:
    """The SHA-256 of each file that is there, by its path below the folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
        if path.is_file()
    }
