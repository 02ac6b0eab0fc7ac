"""Families of detection networks of transformers: how words and pictures go in, where scores come out.

A family gives one score in 0..1 to every pair of a place and a phrase; `detectors` makes findings of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from situ.scene import SituError
from situ.scene.errors import did_you_mean

Pictures = NDArray[np.uint8]  # [N, H, W, 3]
Phrases = tuple[str, ...]

# Six of COCO's classes have another name in Pascal VOC, which some detectors of COCO kept.
COCO_NAMES = {
    "aeroplane": "airplane",
    "diningtable": "dining table",
    "motorbike": "motorcycle",
    "pottedplant": "potted plant",
    "sofa": "couch",
    "tvmonitor": "tv",
}


class Eyes(Protocol):
    """One family of networks."""

    def passes(self, phrases: Sequence[str]) -> list[Phrases]:
        """Phrases as the network takes them: in one pass or, where there are many, in several."""
        ...

    def look(self, pictures: Pictures, phrases: Sequence[Phrases]) -> tuple[Tensor, Tensor]:
        """Scores [B, places, most phrases] in 0..1, 0 where a row has fewer, and boxes as
        normalised cxcywh [B, places, 4]."""
        ...


class GroundingEyes:
    """Grounding DINO (Liu et al. 2023) and MM Grounding DINO: one text "cat. red fish." for all.

    A phrase scores as its best token does, which is the score of the published decoding as well.
    """

    def __init__(self, model: Any, images: Any, tokenizer: Any, template: str = "{}") -> None:
        self.model, self.images, self.tokenizer, self.template = model, images, tokenizer, template
        self.room = model.config.max_text_len - 2  # without the tokens around the text

    def passes(self, phrases: Sequence[str]) -> list[Phrases]:
        parts: list[list[str]] = []
        left = 0
        for phrase in dict.fromkeys(phrases):
            text = f"{self._words(phrase)}."
            needed = len(self.tokenizer(text, add_special_tokens=False)["input_ids"])
            if needed > self.room:
                raise SituError(f"{phrase!r} has {needed} tokens; at most {self.room} are read")
            if needed > left:
                parts.append([])
                left = self.room
            parts[-1].append(phrase)
            left -= needed
        return [tuple(part) for part in parts]

    def look(self, pictures: Pictures, phrases: Sequence[Phrases]) -> tuple[Tensor, Tensor]:
        texts = [" ".join(f"{self._words(phrase)}." for phrase in some) for some in phrases]
        tokens = self.tokenizer(
            texts, padding=True, return_tensors="pt", return_offsets_mapping=True
        )
        offsets = tokens.pop("offset_mapping")
        inputs = {**_pixels(self.images, pictures), **tokens}
        out = self.model(**_on(self.model, inputs))
        chances = out.logits.sigmoid()  # [B, places, tokens]; 0 where there is no token
        scores = chances.new_zeros(*chances.shape[:2], max(map(len, phrases)))
        for row, some in enumerate(phrases):
            for column, (start, end) in enumerate(self._spans(some)):
                first, last = offsets[row, :, 0], offsets[row, :, 1]
                own = ((first >= start) & (last <= end) & (last > first)).nonzero().flatten()
                scores[row, :, column] = chances[row][:, own.to(chances.device)].amax(1)
        return scores, out.pred_boxes

    def _words(self, phrase: str) -> str:
        """The phrase as it is read: a full stop or question mark would end it."""
        words = self.template.format(phrase).lower()
        return " ".join(words.replace(".", " ").replace("?", " ").split())

    def _spans(self, phrases: Phrases) -> list[tuple[int, int]]:
        """First character and one past the last of each phrase, without its full stop."""
        spans, start = [], 0
        for phrase in phrases:
            end = start + len(self._words(phrase))
            spans.append((start, end))
            start = end + 2
        return spans


class OwlEyes:
    """OWL-ViT and OWLv2 (Minderer et al. 2022, 2023): every phrase is a query of its own.

    OWLv2 pads pictures to squares on the right and below, and its boxes are fractions of those.
    """

    def __init__(self, model: Any, images: Any, tokenizer: Any, template: str = "{}") -> None:
        self.model, self.images, self.tokenizer, self.template = model, images, tokenizer, template
        self.padded = model.config.model_type == "owlv2"
        self.length = model.config.text_config.max_position_embeddings

    def passes(self, phrases: Sequence[str]) -> list[Phrases]:
        unique = tuple(dict.fromkeys(phrases))
        return [unique] if unique else []

    def look(self, pictures: Pictures, phrases: Sequence[Phrases]) -> tuple[Tensor, Tensor]:
        most = max(map(len, phrases))
        rows = [[*map(self.template.format, some), *[" "] * (most - len(some))] for some in phrases]
        tokens = self.tokenizer(
            [text for row in rows for text in row],
            padding="max_length",
            truncation=True,
            max_length=self.length,
            return_tensors="pt",
        )
        words = {name: tokens[name] for name in ("input_ids", "attention_mask")}
        out = self.model(**_on(self.model, {**_pixels(self.images, pictures), **words}))
        scores, boxes = out.logits.sigmoid(), out.pred_boxes
        if self.padded:
            height, width = pictures.shape[1:3]
            square = torch.tensor([1 / width, 1 / height] * 2, device=boxes.device)
            boxes = boxes * max(height, width) * square
        return scores, boxes


class ClosedEyes:
    """RT-DETR, D-FINE, DETR and others of fixed classes, named by the config's id2label.

    Networks with one output more than they have classes end in "nothing" and a softmax (DETR); the
    others give each class a sigmoid.
    """

    def __init__(self, model: Any, images: Any, names: Mapping[str, str] | None = None) -> None:
        self.model, self.images = model, images
        own = [str(model.config.id2label[n]) for n in range(len(model.config.id2label))]
        labels = [_renamed(name, own, {**COCO_NAMES, **(names or {})}) for name in own]
        self.columns = [n for n, name in enumerate(labels) if name not in ("N/A", "None", "")]
        self.labels: Phrases = tuple(labels[n] for n in self.columns)
        self.classes = len(own)

    def passes(self, phrases: Sequence[str]) -> list[Phrases]:
        unknown = [phrase for phrase in phrases if phrase not in self.labels]
        if unknown:
            raise SituError(
                f"{unknown[0]!r} is no class of this detector; {did_you_mean(unknown[0], self.labels)}"
            )
        return [self.labels]

    def look(self, pictures: Pictures, phrases: Sequence[Phrases]) -> tuple[Tensor, Tensor]:
        out = self.model(**_on(self.model, _pixels(self.images, pictures)))
        softmax = out.logits.shape[-1] == self.classes + 1
        scores = out.logits.softmax(-1) if softmax else out.logits.sigmoid()
        return scores[..., self.columns], out.pred_boxes


def _pixels(images: Any, pictures: Pictures) -> dict[str, Tensor]:
    return dict(images([Image.fromarray(p) for p in pictures], return_tensors="pt"))


def _on(model: Any, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Inputs where the model is, pictures in its precision."""
    moved = {name: value.to(model.device) for name, value in inputs.items()}
    return moved | {"pixel_values": moved["pixel_values"].to(model.dtype)}


def _renamed(name: str, own: Sequence[str], names: Mapping[str, str]) -> str:
    """The other name of a class, unless another of the detector's own classes has it."""
    other = names.get(name, name)
    return name if other in own else other
