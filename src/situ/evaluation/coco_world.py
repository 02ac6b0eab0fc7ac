"""Photographs as a world: FID's Inception, CLIPs, Grounding DINO, BLIP-VQA, PickScore and a depth network.

The folder of weights is $SITU_WEIGHTS, by default ~/.cache/situ. It holds Inception's file and a copy of
each repository of WEIGHTS that a metric needs, in a folder of the repository's own name; copies in the
Hugging Face cache are found, too. Nothing is downloaded here: what is missing is named with a command.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from situ.evaluation.clip_score import ClipScorer
from situ.evaluation.detections import Detection, Detector
from situ.evaluation.detectors import load_detector
from situ.evaluation.inception import FILE, SIDE, InceptionFeatures, Preset, load_inception
from situ.evaluation.world import MissingError, Pictures, Rows
from situ.models.chatter import hushed
from situ.scene import SituError

CLIP = "clip-vit-base-patch32"
DETECTOR = "grounding-dino-tiny"
DEPTH_SIDE = 128  # cells of a side that a depth map is averaged to


@dataclass(frozen=True, slots=True)
class Weights:
    """A repository of the hub and the files of it that are needed."""

    repository: str
    files: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.repository.partition("/")[2]

    def __str__(self) -> str:
        return f"{self.repository} ({', '.join(self.files)})"


_NETWORK = ("config.json", "model.safetensors")
_BERT = ("tokenizer_config.json", "vocab.txt")
_CLIP = (*_NETWORK, "tokenizer_config.json", "vocab.json", "merges.txt")
_SEEING = (*_NETWORK, "preprocessor_config.json")
WEIGHTS: Mapping[str, Weights] = {
    "clip": Weights(f"openai/{CLIP}", _CLIP),
    "clip_large": Weights("openai/clip-vit-large-patch14", _CLIP),
    "cmmd": Weights("openai/clip-vit-large-patch14-336", _CLIP),
    "detector": Weights(f"IDEA-Research/{DETECTOR}", (*_SEEING, *_BERT)),
    "answers": Weights("Salesforce/blip-vqa-capfilt-large", (*_NETWORK, *_BERT)),
    "preference": Weights("yuvalkirstain/PickScore_v1", _NETWORK),
    "preference_words": Weights(
        "laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
        ("tokenizer_config.json", "vocab.json", "merges.txt"),
    ),
    "depth": Weights("Intel/dpt-hybrid-midas", _SEEING),
}


class CocoWorld:
    """`preset` is FID's resize (situ.evaluation.inception); all networks run on `device`."""

    name = "coco"
    crop_side = SIDE

    def __init__(
        self, weights: Path | None = None, preset: Preset = "clean", device: str | None = None
    ) -> None:
        own = os.environ.get("SITU_WEIGHTS") or "~/.cache/situ"
        self.weights = weights or Path(own).expanduser()
        self.preset: Preset = preset
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")

    @property
    def models(self) -> dict[str, str]:
        """Names with a digest of the weights; without one where they are missing."""
        inception = self.weights / FILE
        digest = f"-{_file_hash(inception)}" if inception.is_file() else ""
        named = {what: self._identity(what) for what in WEIGHTS if what != "preference_words"}
        return {"features": f"inception-{self.preset}{digest}", **named}

    def features(self, pictures: Pictures) -> Rows:
        return self._inception(pictures)

    def embed_pictures(self, pictures: Pictures) -> Rows:
        return self._clip.image_features(pictures)

    def embed_texts(self, texts: Sequence[str]) -> Rows:
        return self._clip.text_features(texts)

    def embed_pictures_large(self, pictures: Pictures) -> Rows:
        return self._clip_large.image_features(pictures)

    def embed_texts_large(self, texts: Sequence[str]) -> Rows:
        return self._clip_large.text_features(texts)

    def embed_for_cmmd(self, pictures: Pictures) -> Rows:
        return self._cmmd.image_features(pictures)

    def detect(self, pictures: Pictures, phrases: Sequence[Sequence[str]]) -> list[list[Detection]]:
        return self._detector.find(pictures, phrases)

    def answer(self, pictures: Pictures, questions: Sequence[Sequence[str]]) -> list[list[float]]:
        """BLIP-VQA's P(yes) / (P(yes) + P(no)) of each question about each picture."""
        pairs = [(p, q) for p, some in zip(pictures, questions, strict=True) for q in some]
        said = iter(self._blip.yes([p for p, _ in pairs], [q for _, q in pairs]))
        return [[next(said) for _ in some] for some in questions]

    def prefer(self, pictures: Pictures, texts: Sequence[str]) -> Rows:
        """PickScore: cosine and logit of each picture with its own text, [N, 2]."""
        rows = [self._pick.score(t, [p]) for p, t in zip(pictures, texts, strict=True)]
        return np.array([(row.cosines[0], row.logits[0]) for row in rows], np.float32)

    @torch.inference_mode()
    def nearness(self, pictures: Pictures) -> Rows:
        """MiDaS' inverse depth, averaged to [N, DEPTH_SIDE, DEPTH_SIDE]."""
        images, model = self._depth
        maps = []
        for picture in pictures:
            inputs = images(picture, return_tensors="pt").to(model.device)
            seen = model(**inputs).predicted_depth[:, None].float()
            cells = functional.interpolate(seen, (DEPTH_SIDE, DEPTH_SIDE), mode="area")
            maps.append(cells[0, 0].cpu().numpy())
        return np.stack(maps).astype(np.float32)

    @cached_property
    def _inception(self) -> InceptionFeatures:
        try:
            network = load_inception(self.weights, self.device)
        except SituError as error:
            raise MissingError(str(error)) from None
        return InceptionFeatures(network, self.preset)

    @cached_property
    def _clip(self) -> ClipScorer:
        return ClipScorer.from_folder(self._needed("clip"), self.device)

    @cached_property
    def _clip_large(self) -> ClipScorer:
        return ClipScorer.from_folder(self._needed("clip_large"), self.device)

    @cached_property
    def _cmmd(self) -> ClipScorer:
        return ClipScorer.from_folder(self._needed("cmmd"), self.device, squash=True)

    @cached_property
    def _detector(self) -> Detector:
        return load_detector(self._needed("detector"), "precision", self.device, local_only=True)

    @cached_property
    def _blip(self) -> Any:
        from situ.evaluation.blip_vqa import load_blip_vqa

        with hushed():
            return load_blip_vqa(self._needed("answers"), self.device)

    @cached_property
    def _pick(self) -> Any:
        from situ.evaluation.preference import load_pick_scorer

        folder = self._needed("preference")
        own = (folder / "tokenizer.json").is_file() or (folder / "vocab.json").is_file()
        words = folder if own else self._needed("preference_words")
        with hushed():
            return load_pick_scorer(folder, words, self.device)

    @cached_property
    def _depth(self) -> tuple[Any, Any]:
        from transformers import AutoImageProcessor, AutoModelForDepthEstimation

        folder = self._needed("depth")
        try:
            with hushed():
                images = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
                model: Any = AutoModelForDepthEstimation.from_pretrained(
                    folder, local_files_only=True
                )
        except (OSError, ValueError, ImportError) as error:
            reason = str(error).strip().splitlines()[0]
            raise SituError(f"{folder} is not a whole depth network: {reason}") from None
        return images, model.to(self.device).eval()

    def _found(self, what: str) -> Path | None:
        """The folder of weights, or the copy that the hub's own cache has."""
        wanted = WEIGHTS[what]
        own = self.weights / wanted.name
        return own if own.is_dir() else _cached(wanted.repository)

    def _needed(self, what: str) -> Path:
        folder, wanted = self._found(what), WEIGHTS[what]
        if folder is None:
            place = self.weights / wanted.name
            raise MissingError(
                f"{place} is missing: it needs {', '.join(wanted.files)} of {wanted.repository} on "
                f"huggingface.co; fetch them with `hf download {wanted.repository} --local-dir {place}`"
            )
        return folder

    def _identity(self, what: str) -> str:
        folder, name = self._found(what), WEIGHTS[what].name
        if folder is None:
            return name
        files = sorted([*folder.glob("*.safetensors"), *folder.glob("*.bin")])
        digest = hashlib.sha256("".join(map(_file_hash, files)).encode()).hexdigest()[:12]
        return f"{name}-{digest}"


def _cached(repository: str) -> Path | None:
    """What the Hugging Face cache has of a repository; the network is not asked."""
    try:
        from huggingface_hub import snapshot_download

        return Path(snapshot_download(repository, local_files_only=True))
    except (ImportError, OSError, ValueError):
        return None


def _file_hash(path: Path) -> str:
    """The first 12 hex digits of a file's SHA-256, computed once while the file stays as it is."""
    state = path.stat()
    return _hashed(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _hashed(path: Path, size: int, changed_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]
