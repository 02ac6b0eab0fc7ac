"""Scores of preference and quality: PickScore (Kirstain et al. 2023) and Q-Align (Wu et al. 2024).

PickScore here is computed from a CLIP folder in the format of transformers. Q-Align's network needs
its own code and a GPU, so its scores are read from a JSON file; the arithmetic on its logits is here.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from situ.evaluation import clip_score
from situ.scene import SituError
from situ.scene.errors import at
from situ.scene.fields import entry, mapping, number
from situ.scene.strict_json import parse, read

Scale = Literal["1-5", "0-1"]

MAX_TOKENS = 77
LEVELS = ("excellent", "good", "fair", "poor", "bad")  # the words whose logits Q-Align reads
LEVEL_SCORES = (5.0, 4.0, 3.0, 2.0, 1.0)
LOGITS_PER_COSINE = 100.0  # the most that CLIP's scale may be, and what tables divide by
QUALITIES = ("quality", "aesthetic")


@dataclass(frozen=True, slots=True)
class PickScores:
    """Pictures of ONE prompt by several systems: logits = exp(logit_scale) * cosine, and cosines."""

    logits: tuple[float, ...]
    cosines: tuple[float, ...]

    @property
    def shares(self) -> tuple[float, ...]:
        """How likely each picture is to be the preferred one: the softmax of the logits.

        Shares depend on who else takes part, and their mean over n systems is 1/n by construction. A
        table of them cannot be compared with one of raw scores, though both are called PickScore.
        """
        return softmax_shares(self.logits)


@dataclass(frozen=True, slots=True)
class Quality:
    """Q-Align's mean opinion: `of_five` in 1..5 as its model returns it, `of_one` in 0..1 as the
    scorer class of its repository does."""

    of_five: float

    @property
    def of_one(self) -> float:
        return (self.of_five - 1) / 4


@dataclass(frozen=True, slots=True)
class PickScorer:
    """A transformers `CLIPModel` with its tokenizer; PickScore_v1 is a CLIP ViT-H/14."""

    model: Any
    tokenize: Any

    @torch.inference_mode()
    def score(self, prompt: str, pictures: Sequence[NDArray[Any]]) -> PickScores:
        """PickScore of each picture ([H, W, 3] in uint8) for the prompt, cut at MAX_TOKENS."""
        if not pictures:
            raise SituError("there is nothing to score: give at least one picture")
        size = self.model.config.vision_config.image_size
        pixels = torch.stack([clip_pixels(picture, size) for picture in pictures])
        tokens = self.tokenize(
            [prompt], truncation=True, max_length=MAX_TOKENS, padding=True, return_tensors="pt"
        ).to(self.model.device)
        pixels = pixels.to(self.model.device, self.model.dtype)
        image = _unit(self.model.get_image_features(pixel_values=pixels))
        text = _unit(self.model.get_text_features(**tokens))
        cosines = (image @ text[0]).double().cpu()
        return pick_scores(cosines.tolist(), float(self.model.logit_scale.exp()))


def pick_scores(cosines: Sequence[float], scale: float = LOGITS_PER_COSINE) -> PickScores:
    """Scores from cosines of text and picture."""
    if not cosines:
        raise SituError("there is nothing to score: give at least one picture")
    return PickScores(tuple(scale * cosine for cosine in cosines), tuple(cosines))


def softmax_shares(logits: Sequence[float]) -> tuple[float, ...]:
    """exp(logit) of each over the sum of all."""
    largest = max(logits)
    weights = [math.exp(logit - largest) for logit in logits]
    return tuple(weight / math.fsum(weights) for weight in weights)


def wins(scores: Sequence[float], baseline: Sequence[float]) -> tuple[float, ...]:
    """Prompt by prompt, 1 where the system scores above the baseline, 0.5 on a tie, 0 below."""
    if len(scores) != len(baseline) or not scores:
        raise SituError(f"{len(scores)} scores and {len(baseline)} of the baseline must be pairs")
    pairs = zip(scores, baseline, strict=True)
    return tuple(0.5 * ((mine > other) + (mine >= other)) for mine, other in pairs)


def win_rate(scores: Sequence[float], baseline: Sequence[float]) -> float:
    """The mean of `wins`."""
    return math.fsum(wins(scores, baseline)) / len(scores)


def clip_pixels(picture: NDArray[Any], size: int) -> Tensor:
    """A picture as CLIP sees it: shorter side to `size` (bicubic), centre crop, [3, size, size] in fp32."""
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise SituError(
            f"a picture must be uint8 [H, W, 3], got {picture.dtype} {list(picture.shape)}"
        )
    return clip_score.clip_pixels(picture[None], size)[0]


def load_pick_scorer(
    folder: str | Path, tokenizer: str | Path | None = None, device: str = "cpu"
) -> PickScorer:
    """From a folder with PickScore_v1; its tokenizer may lie in another, that of CLIP-ViT-H-14."""
    from transformers import AutoTokenizer, CLIPModel

    try:
        model: Any = CLIPModel.from_pretrained(folder, local_files_only=True)
        words: Any = AutoTokenizer.from_pretrained(tokenizer or folder, local_files_only=True)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise SituError(f"{folder}: not a folder of a CLIP model: {reason}") from None
    return PickScorer(model.eval().to(device), words)


def q_align(logits: Sequence[float]) -> Quality:
    """The mean of LEVEL_SCORES under the softmax of the next-token logits of LEVELS, in their order."""
    if len(logits) != len(LEVELS):
        raise SituError(f"Q-Align has {len(LEVELS)} logits, {', '.join(LEVELS)}; got {len(logits)}")
    shares = softmax_shares(logits)
    return Quality(math.fsum(s * v for s, v in zip(shares, LEVEL_SCORES, strict=True)))


def read_q_align(path: str | Path) -> dict[str, dict[str, Quality]]:
    """Scores that Q-Align gave elsewhere: {picture: {"quality": ..., "aesthetic": ...}}.

    The file says its scale, because both are in use: {"scale": "1-5" or "0-1", "scores": {picture:
    {"quality": 4.2, "aesthetic": 3.9}}}; a picture may have one of the two.
    """
    with at(path):
        content = mapping(parse(read(path)), "the file")
        scale = entry(content, "scale")
        if scale not in ("1-5", "0-1"):
            raise SituError(f'scale must be "1-5" or "0-1", got {scale!r}')
        scores = mapping(entry(content, "scores"), "scores")
        return {name: _qualities(name, values, scale) for name, values in scores.items()}


def _qualities(name: str, values: object, scale: Scale) -> dict[str, Quality]:
    with at(f"scores[{name!r}]"):
        given = mapping(values, "a picture's scores")
        unknown = next((key for key in given if key not in QUALITIES), None)
        if unknown is not None or not given:
            raise SituError(f"must have {' or '.join(QUALITIES)}, got {unknown!r}")
        return {key: _quality(number(value, key), key, scale) for key, value in given.items()}


def _quality(value: float, key: str, scale: Scale) -> Quality:
    low, high = (1.0, 5.0) if scale == "1-5" else (0.0, 1.0)
    if not low <= value <= high:
        raise SituError(f"{key} must be in {scale}, got {value}")
    return Quality(value if scale == "1-5" else 1 + 4 * value)


def _unit(features: Any) -> Tensor:
    """Unit length, [N, D]; transformers 5 wraps what transformers 4 returns bare."""
    vectors = features if isinstance(features, Tensor) else features.pooler_output
    return functional.normalize(vectors.float(), dim=-1)
