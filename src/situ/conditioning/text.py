"""Captions and phrases as a text encoder sees them: token states, pooled vectors, token spans."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from situ.scene import Scene, SituError


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Encoded texts: the states of all tokens and the state at the end token, before any projection."""

    states: Tensor  # [B, L, D]
    pooled: Tensor  # [B, D]


@dataclass(frozen=True, slots=True, eq=False)
class TextEncoder:
    """A CLIP tokenizer and text model. Both pad to the model's length, as SD was trained."""

    tokenizer: Any
    model: Any

    @property
    def length(self) -> int:
        return int(self.model.config.max_position_embeddings)

    @property
    def width(self) -> int:
        return int(self.model.config.hidden_size)

    def count(self, text: str) -> int:
        """Tokens of a text with its start and end, before any cut."""
        return len(self.tokenizer(text, truncation=False, verbose=False).input_ids)

    def tokens(self, texts: Sequence[str]) -> Tensor:
        """Token ids [B, L]; what does not fit is cut, with a warning that says where."""
        for text in texts:
            if (count := self.count(text)) > self.length:
                warnings.warn(
                    f"{_shown(text)} has {count} tokens; only {self.length} are read", stacklevel=2
                )
        options = {"padding": "max_length", "max_length": self.length, "truncation": True}
        return self.tokenizer(list(texts), **options, return_tensors="pt").input_ids

    @torch.no_grad()
    def encode(self, texts: Sequence[str]) -> Texts:
        """Encode texts, each on its own terms: duplicates are computed once."""
        unique = list(dict.fromkeys(texts))
        if not unique:
            return Texts(torch.empty(0, self.length, self.width), torch.empty(0, self.width))
        output = self.model(input_ids=self.tokens(unique).to(self.model.device))
        states = output.last_hidden_state
        rows = [unique.index(text) for text in texts]
        return Texts(states[rows], _at_end(states, self.tokens(unique), self.tokenizer)[rows])

    def span(self, scene: Scene, index: int) -> tuple[int, ...]:
        """Token positions of object `index`'s phrase in the caption; empty if it is not there or cut off."""
        found = scene.spans()[index]
        if found is None:
            return ()
        coded = self.tokenizer(scene.caption, return_offsets_mapping=True, truncation=True)
        start, end = found
        return tuple(
            i for i, (a, b) in enumerate(coded["offset_mapping"]) if a < end and b > start and a < b
        )


@dataclass(frozen=True, slots=True, eq=False)
class Remembering(TextEncoder):
    """A text encoder that reads the same texts once. For as long as a plan is made, not longer: it would
    not see its weights change, and it forgets nothing."""

    _known: dict[tuple[str, ...], Texts] = field(init=False, default_factory=dict, repr=False)

    def encode(self, texts: Sequence[str]) -> Texts:
        key = tuple(texts)
        if key not in self._known:
            self._known[key] = TextEncoder.encode(self, texts)
        return self._known[key]


def _at_end(states: Tensor, tokens: Tensor, tokenizer: Any) -> Tensor:
    """The state at each row's first end token: GLIGEN's phrase vector and CLIP's pooled output."""
    end = (tokens == tokenizer.eos_token_id).int().argmax(1).to(states.device)
    return states[torch.arange(len(states), device=states.device), end]


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def check_width(encoder: TextEncoder, cross_attention_dim: int) -> None:
    """The text encoder must speak the U-Net's width."""
    if encoder.width != cross_attention_dim:
        raise SituError(
            f"text_encoder: its states have {encoder.width} channels but the U-Net's "
            f"cross_attention_dim is {cross_attention_dim}; load both from one folder"
        )
