"""Detectors behind one protocol: networks of transformers, and the judge of the storybook.

What differs between families is only how words and pictures go in and where scores come out. A
family gives one score in 0..1 to every pair of a place and a phrase; the rest is shared.

Findings of an open vocabulary are always labelled with one of the phrases that were asked for, the
one that fits the place best. Grounding DINO's own decoding glues the tokens above a second threshold
into a label instead, which may be half a phrase or parts of two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, cast, get_args

import numpy as np
import torch
from torch import Tensor

from situ.evaluation.detections import Detection, Detector, overlaps
from situ.evaluation.eyes import (
    ClosedEyes,
    Eyes,
    GroundingEyes,
    OwlEyes,
    Phrases,
    Pictures,
)
from situ.models.chatter import hushed
from situ.scene import Box, SituError
from situ.scene.errors import did_you_mean
from situ.storybook.judge import Judge, load_judge
from situ.storybook.verdict import Finding, parse

Job = tuple[int, Phrases]  # the number of a picture, and what to look for in one pass
Word = Literal["kind", "colour", "look"]
WORDS: tuple[Word, ...] = get_args(Word)

HUB = {
    "grounding-dino": "IDEA-Research/grounding-dino-tiny",
    "mm-grounding-dino": "openmmlab-community/mm_grounding_dino_tiny_o365v1_goldg_v3det",
    "owlv2": "google/owlv2-base-patch16-ensemble",
    "rt-detr": "PekingU/rtdetr_r50vd",
    "d-fine": "ustc-community/dfine-xlarge-coco",
}
STORYBOOK = "storybook"  # the judge that comes with this package
OPEN = ("grounding-dino", "mm-grounding-dino", "owlv2", "owlvit")  # model types of open vocabulary


@dataclass(frozen=True, slots=True)
class Settings:
    """What a detector reports."""

    score: float = 0.3  # the least one
    overlap: float | None = None  # IoU above which the less sure of two equal labels goes (NMS)
    most: int = 300  # findings per picture
    template: str = "{}"  # the sentence around a phrase, such as "a photo of a {}"
    at_once: int = 8  # pictures in a batch

    def __post_init__(self) -> None:
        for name in ("score", "overlap"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise SituError(f"{name} must be in 0..1, got {value}")
        if self.most < 1 or self.at_once < 1:
            raise SituError(f"most={self.most} and at_once={self.at_once} must be 1 or more")
        if self.template.count("{}") != 1:
            raise SituError(f"template {self.template!r} must hold {{}} once, for the phrase")


SETTINGS = {
    "presence": Settings(),  # what is in the picture: counts, relations, matched IoU
    "precision": Settings(score=0.001),  # whole precision-recall curves: average precision
    "instances": Settings(score=0.25, overlap=0.8),  # as COCO-MIG asks Grounding DINO (Zhou 2024)
}


class NetworkDetector:
    """A Detector made of a family's eyes."""

    def __init__(self, eyes: Eyes, settings: Settings, exclusive: bool) -> None:
        self.eyes = eyes
        self.settings = settings
        self.exclusive = exclusive  # a place is one thing; else it may be several classes

    @torch.inference_mode()
    def find(self, pictures: Pictures, phrases: Sequence[Sequence[str]]) -> list[list[Detection]]:
        """The things on each picture [N, H, W, 3] that score enough, the surest first."""
        _check(pictures, phrases)
        found: list[list[Detection]] = [[] for _ in phrases]
        jobs = [(n, some) for n, asked in enumerate(phrases) for some in self.eyes.passes(asked)]
        step = self.settings.at_once
        for start in range(0, len(jobs), step):
            batch = jobs[start : start + step]
            for (number, _), detections in zip(batch, self._look(pictures, batch), strict=True):
                found[number] += detections
        return [self._chosen(some) for some in found]

    def _look(self, pictures: Pictures, batch: Sequence[Job]) -> list[list[Detection]]:
        numbers, phrases = [number for number, _ in batch], [some for _, some in batch]
        scores, boxes = self.eyes.look(pictures[numbers], phrases)
        rows = zip(scores.float().cpu(), boxes.float().cpu(), phrases, strict=True)
        return [self._detections(*row) for row in rows]

    def _detections(self, scores: Tensor, boxes: Tensor, phrases: Phrases) -> list[Detection]:
        """scores: [places, phrases or more], boxes: [places, 4] cxcywh."""
        scores = scores[:, : len(phrases)]
        if self.exclusive:
            best = scores.argmax(1, keepdim=True)
            scores = torch.zeros_like(scores).scatter_(1, best, scores.gather(1, best))
        best, order = scores.flatten().sort(descending=True, stable=True)
        kept = []
        most = min(self.settings.most, int((best > self.settings.score).sum()))
        for score, index in zip(best[:most].tolist(), order[:most].tolist(), strict=True):
            place, phrase = divmod(index, len(phrases))
            box = _box(boxes[place].tolist())
            if box is not None:
                kept.append(Detection(phrases[phrase], score, box))
        return kept

    def _chosen(self, found: Sequence[Detection]) -> list[Detection]:
        ranked = sorted(found, key=lambda detection: -detection.score)
        limit = self.settings.overlap
        return (ranked if limit is None else distinct(ranked, limit))[: self.settings.most]


class StorybookDetector:
    """The judge of the storybook as a Detector. It reports all that it sees, asked for or not.

    word says what a label tells: the kind ("fish"), the colour with it ("red fish") or the whole look
    ("striped red fish"). Unlike a network that was asked for "red fish", it reads colours itself.
    """

    def __init__(
        self,
        word: Word = "kind",
        score: float = SETTINGS["presence"].score,
        judge: Judge | None = None,
    ) -> None:
        if word not in WORDS:
            raise SituError(f"word {word!r} is unknown; {did_you_mean(word, WORDS)}")
        self.word: Word = word
        self.score = score
        self.judge = load_judge() if judge is None else judge

    def find(self, pictures: Pictures, phrases: Sequence[Sequence[str]]) -> list[list[Detection]]:
        """The things on each page [N, side, side, 3]. Phrases must be of the storybook's words."""
        _check(pictures, phrases)
        for asked in phrases:
            for phrase in asked:
                parse(phrase)
        if not len(pictures):
            return []
        seen = self.judge.find(pictures, self.score)
        return [[Detection(label(f, self.word), f.score, f.box) for f in page] for page in seen]


def label(finding: Finding, word: Word) -> str:
    """A finding of the judge in words, as the storybook's captions name it; plain goes unsaid."""
    words = [finding.kind]
    if word != "kind":
        words.insert(0, finding.colour)
    if word == "look" and finding.texture != "plain":
        words.insert(0, finding.texture)
    return " ".join(words)


def load_detector(
    source: str | Path,
    settings: str | Settings = "presence",
    device: str = "cpu",
    local_only: bool = False,
) -> Detector:
    """A detector by its short name in HUB, by a repository's id, or from a folder of transformers.

    "storybook" is the judge of this package, whose labels are kinds; "storybook:colour" and
    "storybook:look" say more. settings are named in SETTINGS: "precision" is needed
    for average precision. local_only never asks the network. Raises SituError that says what is
    missing and where to put it.
    """
    chosen = _settings(settings)
    judge, _, word = str(source).partition(":")
    if judge == STORYBOOK:
        return StorybookDetector(cast(Word, word or "kind"), chosen.score)
    place = HUB.get(str(source), str(source))
    with hushed():
        try:
            return _load(place, chosen, device, local_only)
        except (OSError, ValueError, ImportError) as error:
            if isinstance(error, SituError):
                raise
            raise _cannot_load(place, error) from error


def distinct(found: Sequence[Detection], limit: float) -> list[Detection]:
    """Non-maximum suppression: of equal labels that overlap by more than limit, the surest stays."""
    boxes = [detection.box for detection in found]
    shared = overlaps(boxes, boxes)
    kept: list[int] = []
    for i in sorted(range(len(found)), key=lambda i: -found[i].score):
        if all(shared[i, j] <= limit or found[i].label != found[j].label for j in kept):
            kept.append(i)
    return [found[i] for i in kept]


def _load(place: str, settings: Settings, device: str, local_only: bool) -> NetworkDetector:
    from transformers import AutoConfig, AutoImageProcessor, AutoTokenizer
    from transformers import AutoModelForObjectDetection as Closed
    from transformers import AutoModelForZeroShotObjectDetection as Open

    options = {"local_files_only": local_only}
    config = AutoConfig.from_pretrained(place, **options)
    words = config.model_type in OPEN
    model, report = (Open if words else Closed).from_pretrained(
        place, output_loading_info=True, **options
    )
    if report["missing_keys"]:
        name = min(report["missing_keys"])
        raise SituError(f"{place}: the weights lack {name}; they would be random")
    model = model.eval().requires_grad_(False).to(device)
    images = AutoImageProcessor.from_pretrained(place, **options)
    if not words:
        return NetworkDetector(ClosedEyes(model, images), settings, exclusive=False)
    if config.model_type == "owlv2" and find_spec("scipy") is None:
        raise SituError('OWLv2 scales pictures with scipy; install it: pip install "situ[eval]"')
    tokenizer = AutoTokenizer.from_pretrained(place, **options)
    family = OwlEyes if config.model_type.startswith("owl") else GroundingEyes
    return NetworkDetector(family(model, images, tokenizer, settings.template), settings, True)


def _cannot_load(place: str, error: Exception) -> SituError:
    reason = str(error).strip().split("\n")[0][:200]
    if Path(place).is_dir():
        fix = "the folder needs"
    else:
        fix = f"download the repository {place} from huggingface.co and give its folder, with"
    return SituError(
        f"detector {place} cannot be loaded: {fix} config.json, model.safetensors, "
        "preprocessor_config.json and, for detectors that read phrases, tokenizer.json with "
        f"tokenizer_config.json; short names: {', '.join([*HUB, STORYBOOK])} ({reason})"
    )


def _settings(settings: str | Settings) -> Settings:
    if isinstance(settings, Settings):
        return settings
    if settings not in SETTINGS:
        raise SituError(f"settings {settings!r} are unknown; {did_you_mean(settings, SETTINGS)}")
    return SETTINGS[settings]


def _check(pictures: Pictures, phrases: Sequence[Sequence[str]]) -> None:
    if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[-1] != 3:
        raise SituError(
            f"pictures are {pictures.dtype} {list(pictures.shape)}; a detector reads uint8 [N, H, W, 3]"
        )
    if len(pictures) != len(phrases):
        raise SituError(f"{len(pictures)} pictures came with phrases for {len(phrases)}")
    for number, asked in enumerate(phrases):
        if isinstance(asked, str):
            raise SituError(f"phrases[{number}] is {asked!r}; give a list of phrases to a picture")


def _box(cxcywh: Sequence[float]) -> Box | None:
    cx, cy, width, height = cxcywh
    return Box.clamped(cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2)


__all__ = [
    "HUB",
    "SETTINGS",
    "ClosedEyes",
    "Eyes",
    "GroundingEyes",
    "NetworkDetector",
    "OwlEyes",
    "Settings",
    "StorybookDetector",
    "distinct",
    "label",
    "load_detector",
]
