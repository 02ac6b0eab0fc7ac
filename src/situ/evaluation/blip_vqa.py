"""Does BLIP-VQA answer yes? The attribute scorer of T2I-CompBench (Li et al. 2022; Huang et al. 2023).

The benchmark runs the original BLIP code at 480 pixels and opens every question with [ENC]. The
transformers conversion `Salesforce/blip-vqa-capfilt-large` was made at 384 pixels and opens with
[CLS]. The original is approached by putting [ENC] back and feeding 480 pixels with interpolated
position embeddings; these were already resampled once, so small differences remain.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from situ.evaluation.clip_score import MEAN, STD
from situ.scene import SituError

SIZE = 480  # pixels of the side that the network sees
MAX_TOKENS = 35
ENCODE, DECODE = 30523, 30522  # [ENC] opens a question, [DEC] an answer
YES, NO = 2748, 2053  # the words in BERT's uncased vocabulary
REMOVED = '.!"()*#:;~'


class Tokenize(Protocol):
    """A BERT tokenizer as transformers calls it; without padding its "input_ids" are lists."""

    def __call__(self, text: list[str], **settings: Any) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class BlipVqa:
    """A `BlipForQuestionAnswering` with its tokenizer."""

    model: Any
    tokenize: Tokenize
    size: int = SIZE
    at_once: int = 16  # questions in a batch

    def __post_init__(self) -> None:
        words = self.model.config.text_config.vocab_size
        if words <= ENCODE:
            raise SituError(
                f"the model has {words} words; BLIP's [ENC] needs at least {ENCODE + 1}"
            )

    def yes(self, pictures: Sequence[NDArray[Any]], questions: Sequence[str]) -> list[float]:
        """P(yes) / (P(yes) + P(no)) at the first word of the answer, one for each pair.

        pictures: [H, W, 3] in uint8, of any size. Renormalising over the two words is what the
        benchmark's script does; its paper reads as if it were the plain probability of yes.

        Only questions of one length share a batch, so that there is no padding: transformers 5 drops
        the mask of the answer's cross-attention, and padding would change the answer.
        """
        if len(pictures) != len(questions):
            raise SituError(
                f"{len(pictures)} pictures and {len(questions)} questions must be pairs"
            )
        tokens = [self._tokens(question) for question in questions]
        found = [0.0] * len(questions)
        for some in _batches([len(ids) for ids in tokens], self.at_once):
            values = self._batch(
                [pictures[i] for i in some], torch.tensor([tokens[i] for i in some])
            )
            for place, value in zip(some, values.tolist(), strict=True):
                found[place] = value
        return found

    @torch.inference_mode()
    def _batch(self, pictures: Sequence[NDArray[Any]], ids: Tensor) -> Tensor:
        """pictures and questions ids [B, T] -> P(yes) [B]."""
        where = self.model.device
        pixels = torch.stack([prepare(picture, self.size) for picture in pictures])
        seen = self.model.vision_model(
            pixel_values=pixels.to(where, self.model.dtype), interpolate_pos_encoding=True
        )[0]
        read = self.model.text_encoder(
            input_ids=ids.to(where),
            attention_mask=torch.ones_like(ids, device=where),
            encoder_hidden_states=seen,
            encoder_attention_mask=torch.ones(seen.shape[:2], dtype=torch.long, device=where),
        )[0]
        answer = self.model.text_decoder(
            input_ids=torch.full((len(ids), 1), DECODE, device=where), encoder_hidden_states=read
        )
        return share_of_yes(answer.logits[:, 0])

    def _tokens(self, question: str) -> list[int]:
        """At most MAX_TOKENS, the first replaced by [ENC]."""
        settings = {"truncation": True, "max_length": MAX_TOKENS}
        return [ENCODE, *self.tokenize([clean(question)], **settings)["input_ids"][0][1:]]


def _batches(lengths: Sequence[int], at_once: int) -> Iterator[list[int]]:
    """Places of equal length, at most `at_once` together."""
    for length in sorted(set(lengths)):
        places = [place for place, other in enumerate(lengths) if other == length]
        for start in range(0, len(places), at_once):
            yield places[start : start + at_once]


def share_of_yes(logits: Tensor) -> Tensor:
    """The softmax over YES and NO alone: logits [..., V] -> [...] in fp32."""
    return torch.softmax(logits[..., [YES, NO]].float(), dim=-1)[..., 0]


def clean(question: str) -> str:
    """A question as BLIP was trained on: lower case, without the REMOVED signs; "?" stays."""
    return question.lower().translate(str.maketrans("", "", REMOVED)).strip()


def prepare(picture: NDArray[Any], size: int = SIZE) -> Tensor:
    """A picture [H, W, 3] in uint8 squeezed to a square and normalised: [3, size, size] in fp32."""
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise SituError(
            f"a picture must be uint8 [H, W, 3], got {picture.dtype} {list(picture.shape)}"
        )
    square = Image.fromarray(picture).resize((size, size), Image.Resampling.BICUBIC)
    values = torch.from_numpy(np.array(square)).float() / 255
    return ((values - torch.tensor(MEAN)) / torch.tensor(STD)).permute(2, 0, 1)


def load_blip_vqa(folder: str | Path, device: str = "cpu") -> BlipVqa:
    """From a folder in the format of transformers, such as a copy of blip-vqa-capfilt-large."""
    from transformers import BertTokenizer, BlipForQuestionAnswering

    try:
        model: Any = BlipForQuestionAnswering.from_pretrained(folder, local_files_only=True)
        tokenizer: Any = BertTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise SituError(f"{folder}: not a folder of a BLIP-VQA model: {reason}") from None
    return BlipVqa(model.eval().to(device), tokenizer)
