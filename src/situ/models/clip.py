"""Small CLIP models with the classes of the big ones: byte-pair tokenizer, text and image transformers."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, models, trainers
from torch import nn
from transformers import (
    CLIPTextConfig,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

START, END = "<|startoftext|>", "<|endoftext|>"
TEXT_LENGTH = 77


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> Any:
    """A byte-pair tokenizer like CLIP's, learned from `texts`; any other text still has tokens (bytes)."""
    plain = CLIPTokenizer(vocab={START: 0, END: 1}, merges=[])
    learner = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    learner.normalizer = plain.backend_tokenizer.normalizer
    learner.pre_tokenizer = plain.backend_tokenizer.pre_tokenizer
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, end_of_word_suffix="</w>", show_progress=False
    )
    learner.train_from_iterator(texts, trainer)
    words = _byte_vocabulary(learner.pre_tokenizer)
    merges: Any = _merges(learner)
    for left, right in merges:
        words.setdefault(left + right, len(words))
    for token in (START, END):
        words[token] = len(words)
    return CLIPTokenizer(vocab=words, merges=merges, model_max_length=TEXT_LENGTH)


def _byte_vocabulary(pre_tokenizer: object) -> dict[str, int]:
    """One token for every byte, inside and at the end of a word, as CLIP's vocabulary begins."""
    from tokenizers.pre_tokenizers import ByteLevel

    alphabet = sorted(ByteLevel.alphabet())
    return {token: i for i, token in enumerate(alphabet + [c + "</w>" for c in alphabet])}


def _merges(learner: Tokenizer) -> list[tuple[str, str]]:
    import json

    merges = json.loads(learner.to_str())["model"]["merges"]
    pairs = [m.split(" ") if isinstance(m, str) else m for m in merges]
    return [(left, right) for left, right in pairs]


def text_encoder(
    tokenizer: Any, width: int, layers: int, heads: int, shared: int
) -> CLIPTextModelWithProjection:
    """A CLIP text transformer for `tokenizer`; `shared` is the width of the space shared with pictures."""
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        projection_dim=shared,
        max_position_embeddings=TEXT_LENGTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPTextModelWithProjection(config)


def image_encoder(
    width: int, layers: int, heads: int, shared: int, size: int, patch: int
) -> CLIPVisionModelWithProjection:
    """A CLIP vision transformer for (size, size) pictures."""
    config = CLIPVisionConfig(
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        projection_dim=shared,
        image_size=size,
        patch_size=patch,
    )
    return CLIPVisionModelWithProjection(config)


class Clip(nn.Module):
    """A text and an image encoder with one temperature, to be trained together."""

    def __init__(
        self, text: CLIPTextModelWithProjection, image: CLIPVisionModelWithProjection
    ) -> None:
        super().__init__()
        import torch

        self.text, self.image = text, image
        self.log_scale = nn.Parameter(torch.tensor(2.66))  # 1/0.07, as in CLIP

    def save(self, folder: Path, tokenizer: Any) -> None:
        """Both encoders in fp16 and their tokenizer, as `read_clip` takes them. They stay in fp16."""
        tokenizer.save_pretrained(folder / "tokenizer")
        self.text.half().save_pretrained(folder / "text_encoder")
        self.image.half().save_pretrained(folder / "image_encoder")
