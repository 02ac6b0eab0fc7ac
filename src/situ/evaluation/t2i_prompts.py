"""Prompts of T2I-CompBench and T2I-CompBench++ (Huang et al. 2023, 2025): their files, and what they ask for.

Counts, names and relations are read by rules; `t2i_compbench` scores pictures against them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from situ.evaluation.noun_phrases import head, noun_chunks, questioned
from situ.scene import SituError
from situ.scene.strict_json import read

SpatialPrompts = Literal["spatial", "complex"]
ComplexKind = Literal["spatial", "action", "both"]

IMAGES_PER_PROMPT = 10
RELATIONS = (
    "on side of",
    "next to",
    "near",
    "on the left of",
    "on the right of",
    "on the bottom of",
    "on the top of",
)
ON_TOP = "on top of"  # of complex prompts only
DEEP_RELATIONS = ("in front of", "behind", "hidden by")
NEXT_TO = ("on side of", "next to", "near")
PERSONS = frozenset({"girl", "boy", "man", "woman"})
NUMBERS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
}
SUITES = {
    "color": "color_val.txt",
    "shape": "shape_val.txt",
    "texture": "texture_val.txt",
    "spatial": "spatial_val.txt",
    "non_spatial": "non_spatial_val.txt",
    "complex": "complex_val.txt",
    "3d_spatial": "3d_spatial_val.txt",
    "numeracy": "numeracy_val.txt",
}


@dataclass(frozen=True, slots=True)
class Related:
    """Two things of a prompt by their detector names; no relation where the prompt has none."""

    first: str
    relation: str | None
    second: str

    def __post_init__(self) -> None:
        known = (*RELATIONS, ON_TOP, *DEEP_RELATIONS)
        if self.relation is not None and self.relation not in known:
            raise SituError(f"relation {self.relation!r} is unknown; allowed: {', '.join(known)}")


@dataclass(frozen=True, slots=True)
class ComplexSets:
    """Prompts of the complex suite that name only a relation, or only an action; the rest has both."""

    spatial: frozenset[str]
    action: frozenset[str]

    def kind(self, prompt: str) -> ComplexKind:
        """Membership of the lower-cased text before the first full stop, as the official script."""
        key = _key(prompt)
        return "spatial" if key in self.spatial else "action" if key in self.action else "both"


def read_prompts(path: str | Path) -> tuple[str, ...]:
    """The prompts of one of the benchmark's .txt files, one to a line.

    Several files end their lines with CRLF and some lines end with spaces; neither is of the prompt.
    """
    prompts = tuple(line.strip() for line in read(path).splitlines() if line.strip())
    if not prompts:
        raise SituError(f"{path}: has no prompts; it must have one to a line")
    for number, prompt in enumerate(prompts, 1):
        if "_" in prompt or "/" in prompt:
            raise SituError(
                f"{path}: prompt {number} {prompt!r} has _ or /: no file name can hold it"
            )
    return prompts


def read_suite(folder: str | Path, suite: str) -> tuple[str, ...]:
    """The prompts of a suite from the benchmark's folder examples/dataset."""
    if suite not in SUITES:
        raise SituError(f"suite {suite!r} is unknown; allowed: {', '.join(SUITES)}")
    return read_prompts(Path(folder) / SUITES[suite])


def read_complex_sets(folder: str | Path) -> ComplexSets:
    """The two lists that give a complex prompt its weights."""
    names = ("complex_val_spatial.txt", "complex_val_action.txt")
    spatial, action = (frozenset(map(_key, read_prompts(Path(folder) / n))) for n in names)
    return ComplexSets(spatial, action)


def read_nouns(path: str | Path) -> dict[str, str]:
    """Plural and singular to singular from "singular - plural" lines (the file new_objects.txt)."""
    nouns: dict[str, str] = {}
    for number, line in enumerate(read(path).splitlines(), 1):
        pair = [part.strip().lower() for part in line.split(" - ")]
        if len(pair) == 2 and all(pair):
            nouns |= {pair[1]: pair[0], pair[0]: pair[0]}
        elif line.strip():
            raise SituError(f'{path}:{number}: must be "singular - plural", got {line!r}')
    return nouns


def file_name(prompt: str, number: int) -> str:
    """The name under which the official scripts look for picture `number` of a prompt."""
    return f"{prompt}_{number:06d}.png"


def parse_file_name(name: str) -> tuple[str, int]:
    """Prompt and number of a picture's file name.

    The official scripts take the prompt up to the FIRST underscore and the number after it, so a
    prompt must have none; the ending .png is optional here.
    """
    found = re.fullmatch(r"([^_]+)_(\d+)(?:\.\w+)?", name)
    if not found:
        raise SituError(f'file name {name!r} must be "<prompt>_<number>.png", without other "_"')
    return found[1], int(found[2])


def parse_spatial(prompt: str, prompts: SpatialPrompts = "spatial") -> Related:
    """Things and relation of "a cat on the left of a dog", or of a sentence of the complex suite.

    The relation is the first of RELATIONS that the prompt contains, in that order, not the first in
    the text. In complex prompts, too, the first and the last thing are taken: "the apple sat next to
    the peach and the pear" relates apple and pear. Where the official tagger takes the first NOUN
    ("water" of "the water bottle"), this takes the last word of the phrase.

    The official switch `--complex False` counts as True, because any non-empty text does; here the
    kind of prompts is a name and anything else is refused.
    """
    if prompts not in ("spatial", "complex"):
        raise SituError(f'prompts must be "spatial" or "complex", got {prompts!r}')
    text = prompt.lower().strip().rstrip(".")
    known = (*RELATIONS, ON_TOP) if prompts == "complex" else RELATIONS
    return _related(prompt, text, known, may_lack=prompts == "complex")


def parse_spatial_3d(prompt: str) -> Related:
    """Things and relation of "a cat behind a dog" (T2I-CompBench++)."""
    return _related(prompt, prompt.lower().strip().rstrip("."), DEEP_RELATIONS, may_lack=False)


def _related(prompt: str, text: str, known: Sequence[str], may_lack: bool) -> Related:
    relation = next((r for r in known if re.search(rf"\b{r}\b", text)), None)
    if relation is None and not may_lack:
        raise SituError(f"prompt {prompt!r} has none of the relations {', '.join(known)}")
    sides = re.split(rf"\b{relation}\b", text, maxsplit=1) if relation else [text, text]
    left, right = map(noun_chunks, sides)
    if not left or not right:
        raise SituError(f"prompt {prompt!r} must name a thing before and after its relation")
    return Related(detector_name(head(left[0])), relation, detector_name(head(right[-1])))


def detector_name(noun: str) -> str:
    """What the detector calls a thing: girls, boys, men and women are persons to it."""
    return "person" if noun in PERSONS else noun


def parse_numeracy(prompt: str, nouns: Mapping[str, str]) -> tuple[tuple[str, int], ...]:
    """Singular names and numbers of "two cups, a pen and five mice"; `nouns` is of read_nouns."""
    words = "|".join(sorted(map(re.escape, nouns), key=len, reverse=True))
    pattern = rf"\b({'|'.join(NUMBERS)})\s+({words})\b"
    found = re.findall(pattern, prompt.lower())
    if not found:
        raise SituError(f"prompt {prompt!r} has no number word before a known thing")
    return tuple((nouns[noun], NUMBERS[number]) for number, noun in found)


def questions(prompt: str, chunks: Sequence[str] | None = None) -> tuple[str, ...]:
    """What BLIP-VQA is asked about a picture: each noun chunk with a question mark, at most 8."""
    found = noun_chunks(prompt) if chunks is None else tuple(chunks)
    return tuple(f"{chunk}?" for chunk in questioned(found))


def _key(prompt: str) -> str:
    return prompt.lower().split(".")[0].strip()
