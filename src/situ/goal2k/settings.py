"""What a GOAL2K is built of: one table for the set and one for each stage that has a choice of back-ends.

A file for `situ data goal2k --recipe` is written like a training recipe:

    stage = "goal2k"
    [set]
    n = 2000
    [objects]
    source = "coco/annotations/instances_train2014.json"
    [captions]
    source = "llm"
    model = "gpt-4o"
    [natural]
    source = "coco/annotations/captions_train2014.json"
    [pictures]
    source = "endpoint"
    model = "dall-e-3"
    size = 1024
    candidates = 2
    licence = "the provider's terms of use"
    [ranking]
    source = "clip"
    folder = "models/clip-vit-large-patch14"
    [boxes]
    source = "grounding-dino"
    [checks]
    source = "owlv2"

Keys of endpoints come from the environment alone: `key` names the variable.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from situ.goal2k.prompts import CATEGORIES
from situ.scene import SituError
from situ.scene.errors import did_you_mean, shown

STORYBOOK = "storybook"
STAGES = (
    "objects",
    "templates",
    "captions",
    "natural",
    "pictures",
    "ranking",
    "boxes",
    "checks",
    "verify",
    "release",
)
KEY_VARIABLE = "SITU_GOAL2K_KEY"
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


@dataclass(frozen=True)
class Set:
    """How large the set is and what it holds. `spare` more prompts are made than are asked for, since
    some are lost on the way; `natural` is their share of captions that no template made (GOAL: half)."""

    n: int = 2000
    seed: int = 0
    spare: float = 0.1
    natural: float = 0.5
    val: float = 0.05  # of the prompts, by hash
    categories: tuple[str, ...] = CATEGORIES
    held_out: tuple[str, ...] = ()  # files of prompts that must not be in the set, one to a line

    def __post_init__(self) -> None:
        _within("n", self.n, 1, 1_000_000)
        _within("seed", self.seed, 0, 2**31)
        _within("spare", self.spare, 0, 10)
        _within("natural", self.natural, 0, 1)
        _within("val", self.val, 0, 1)
        for name in self.categories:
            if name not in CATEGORIES:
                raise SituError(f"categories: {shown(name)}: {did_you_mean(name, CATEGORIES)}")
        if not self.categories:
            raise SituError(f"categories is empty: give some of {', '.join(CATEGORIES)}")


@dataclass(frozen=True)
class Objects:
    """Stage 1: the storybook's kinds, or the common objects of a COCO instances file."""

    source: str = STORYBOOK
    most: int = 80
    least_area: float = 0.02  # of the picture: smaller boxes do not count

    def __post_init__(self) -> None:
        _within("most", self.most, 2, 10_000)
        _within("least_area", self.least_area, 0, 1)


@dataclass(frozen=True)
class Server:
    """An OpenAI-compatible endpoint and how patient to be with it; no base_url is OpenAI's own."""

    model: str = ""
    base_url: str = ""
    key: str = KEY_VARIABLE  # the NAME of the environment variable
    timeout_s: float = 120.0
    attempts: int = 4
    pause_s: float = 2.0  # before the second attempt; twice as long before each further one
    workers: int = 4  # requests at a time

    def __post_init__(self) -> None:
        _within("timeout_s", self.timeout_s, 0.01, 3600)
        _within("attempts", self.attempts, 1, 20)
        _within("pause_s", self.pause_s, 0, 600)
        _within("workers", self.workers, 1, 64)
        if not _VARIABLE.fullmatch(self.key):  # never echo it: it may be the key itself
            raise SituError(
                "key: give the NAME of an environment variable, such as "
                f"{KEY_VARIABLE}; the key itself belongs into that variable only"
            )
        if self.base_url and not self.base_url.startswith(("http://", "https://")):
            raise SituError(f"base_url: {shown(self.base_url)} must begin with http:// or https://")
        if "@" in self.base_url.split("//")[-1].split("/")[0] or "?" in self.base_url:
            raise SituError(f"base_url: leave the key out of the address; set {self.key}")


@dataclass(frozen=True)
class Captions(Server):
    """Stage 3: the templates' own words (grammar), or a language model (llm)."""

    source: str = "grammar"
    temperature: float = 0.7
    max_tokens: int = 1000
    licence: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        _one_of("captions", self.source, ("grammar", "llm"))
        _needs_model(self, self.source == "llm")


@dataclass(frozen=True)
class Natural:
    """Stage 4: the storybook's paraphrases, or a COCO captions file."""

    source: str = STORYBOOK
    most_words: int = 30

    def __post_init__(self) -> None:
        _within("most_words", self.most_words, 4, 200)


@dataclass(frozen=True)
class Pictures(Server):
    """Stage 5: the storybook's renderer, an images endpoint, or a folder of a diffusers pipeline.

    quality, style and form (response_format) are sent to an endpoint where they are not empty.
    """

    source: str = STORYBOOK
    size: int = 128
    candidates: int = 2
    licence: str = ""
    quality: str = ""
    style: str = ""
    form: str = "b64_json"
    steps: int = 30
    guidance: float = 5.0
    device: str = "cpu"

    def __post_init__(self) -> None:
        super().__post_init__()
        _within("size", self.size, 16, 4096)
        _within("candidates", self.candidates, 1, 16)
        _within("steps", self.steps, 1, 1000)
        _needs_model(self, self.source == "endpoint")


@dataclass(frozen=True)
class Ranking:
    """Stage 6: by what the detector of the boxes finds (presence), a CLIP, PickScore, or not at all."""

    source: str = "presence"
    folder: str = ""
    device: str = "cpu"

    def __post_init__(self) -> None:
        _one_of("ranking", self.source, ("presence", "clip", "pickscore", "first"))
        if self.source in ("clip", "pickscore") and not self.folder:
            raise SituError(f"folder: {self.source} needs the folder of its model")


@dataclass(frozen=True)
class Boxes:
    """Stage 7: a detector of situ.evaluation.detectors, by name or folder."""

    source: str = STORYBOOK
    score: float = 0.3
    overlap: float = 0.8  # IoU above which two findings of a phrase are one
    device: str = "cpu"

    def __post_init__(self) -> None:
        _within("score", self.score, 0, 1)
        _within("overlap", self.overlap, 0, 1)


@dataclass(frozen=True)
class Checks:
    """Stage 8: a second opinion on the boxes: the storybook's critic, another detector, a folder of a
    CLIP after "clip:", or none."""

    source: str = STORYBOOK
    iou: float = 0.5  # at which two detectors agree
    device: str = "cpu"

    def __post_init__(self) -> None:
        _within("iou", self.iou, 0, 1)


TABLES: dict[str, type] = {
    "set": Set,
    "objects": Objects,
    "captions": Captions,
    "natural": Natural,
    "pictures": Pictures,
    "ranking": Ranking,
    "boxes": Boxes,
    "checks": Checks,
}
FIRST_READ = {"set": "templates"}  # the stage that a table matters to first, where not its own


@dataclass(frozen=True)
class Settings:
    """All tables. Raises SituError where they do not fit together."""

    set: Set = field(default_factory=Set)
    objects: Objects = field(default_factory=Objects)
    captions: Captions = field(default_factory=Captions)
    natural: Natural = field(default_factory=Natural)
    pictures: Pictures = field(default_factory=Pictures)
    ranking: Ranking = field(default_factory=Ranking)
    boxes: Boxes = field(default_factory=Boxes)
    checks: Checks = field(default_factory=Checks)

    def __post_init__(self) -> None:
        drawn = (
            self.objects.source == STORYBOOK
            and self.captions.source == "grammar"
            and (self.natural.source == STORYBOOK or not self.set.natural)
        )
        if self.pictures.source == STORYBOOK and not drawn:
            raise SituError(
                "pictures: the storybook draws its own pages only; with objects or captions from "
                'elsewhere give another source, "endpoint" or the folder of a diffusers pipeline'
            )
        if self.objects.source == STORYBOOK:
            return
        if self.natural.source == STORYBOOK and self.set.natural:
            raise SituError(
                "natural: the storybook's captions are of its own things; give a COCO captions file, "
                "or natural = 0 in [set]"
            )
        for name in ("boxes", "checks"):
            if getattr(self, name).source == STORYBOOK:
                raise SituError(
                    f"{name}: the storybook's networks know its own things only; name another, such "
                    f"as {'grounding-dino' if name == 'boxes' else 'owlv2 or none'}"
                )

    def to_json(self) -> dict[str, Any]:
        return {name: asdict(getattr(self, name)) for name in TABLES}


def from_json(data: Mapping[str, Any]) -> Settings:
    """Read what `to_json` wrote; a key of another version of situ is an error that names it."""
    made: dict[str, Any] = {}
    for name, kind in TABLES.items():
        known = {f.name for f in fields(kind)}
        given = dict(data.get(name, {}))
        for key in given:
            if key not in known:
                raise SituError(f"[{name}] has no key {shown(key)}: {did_you_mean(key, known)}")
        lists = {key: tuple(value) for key, value in given.items() if isinstance(value, list)}
        made[name] = kind(**{**given, **lists})
    return Settings(**made)


def first_changed(old: Settings, new: Settings) -> tuple[str, str] | None:
    """The earliest stage whose settings differ, and what changed there, in words."""
    found: list[tuple[int, str, str]] = []
    before, after = old.to_json(), new.to_json()
    for table in TABLES:
        for key, value in after[table].items():
            if before[table][key] != value:
                stage = "release" if key == "val" else FIRST_READ.get(table, table)
                said = f"{table}.{key} was {shown(before[table][key])} and is {shown(value)}"
                found.append((STAGES.index(stage), stage, said))
    return min(found)[1:] if found else None


def _within(name: str, value: float, lowest: float, highest: float) -> None:
    if not lowest <= value <= highest:
        raise SituError(f"{name}: {value} must be in {lowest}..{highest}")


def _one_of(table: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SituError(f"{table}: source {shown(value)}: {did_you_mean(value, allowed)}")


def _needs_model(server: Server, needed: bool) -> None:
    if needed and not server.model.strip():
        raise SituError("model: name the model that the endpoint shall use")
