"""Names that a text writes with a capital: "Christmas tree", "German shepherd"."""

import re
from collections.abc import Sequence
from dataclasses import replace

from situ.planners import nouns, verb_forms, words
from situ.planners.symbols import Thing
from situ.planners.verb_forms import word_set

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|[.!?:;\n]")
_PROPER = word_set(
    "american arabian australian belgian brazilian british chinese christmas cuban danish dutch easter "
    "egyptian english french german greek halloween hawaiian indian irish italian japanese korean mexican "
    "moroccan norwegian persian polish roman russian scottish siamese siberian spanish swedish swiss thai "
    "tibetan turkish victorian viking"
)
_MOST = 0.4  # of the words inside sentences: with more capitals the text is a headline


def names_in(text: str) -> dict[str, str]:
    """Words with a capital inside sentences, by their small letters; none in a headline."""
    inside: list[str] = []
    first: list[str] = []
    begins = True
    for match in _WORD.finditer(text):
        word = match.group()
        if begins and word.lower() in _PROPER:
            first.append(word)
        if word[0].isalnum() and not begins:
            inside.append(word)
        begins = not word[0].isalnum()
    named = [w for w in inside if w[0].isupper() and len(w) > 3 and w[1:].islower()]
    if len(named) > _MOST * len(inside):
        return {}
    unlisted = [w for w in [*named, *first] if w.lower() in _PROPER or not _is_common(w.lower())]
    return {w.lower(): w for w in unlisted if w[0].isupper()}


def _is_common(word: str) -> bool:
    return nouns.is_known(word) or word in words.ADJECTIVES or word in verb_forms.VERBS


def with_capitals(things: Sequence[Thing], names: dict[str, str]) -> tuple[Thing, ...]:
    """The things with the names in their phrases as the text writes them."""
    return tuple(
        replace(t, phrase=" ".join(names.get(w, w) for w in t.phrase.split(" "))) for t in things
    )
