"""Counting tokens without loading a network."""

from collections.abc import Callable
from pathlib import Path

from situ.scene import SituError


def counter(folder: Path) -> Callable[[str], int]:
    """Tokens of a text with its start and end, by the tokenizer of a model's folder."""
    from transformers import CLIPTokenizer

    try:
        tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
    except Exception as error:  # tokenizers raises bare exceptions for a broken file
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise SituError(f"{folder / 'tokenizer'} cannot be loaded: {reason}") from error
    return lambda text: len(tokenizer(text, truncation=False, verbose=False).input_ids)
