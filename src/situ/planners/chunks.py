"""Words to items: noun phrases, relations, verbs and the small words between them."""

import re
from collections.abc import Sequence

from situ.planners import nouns, plain, verb_forms, words
from situ.planners.chunking.classes import is_function, is_nominal
from situ.planners.chunking.cursor import Cursor
from situ.planners.chunking.items import Item
from situ.planners.chunking.phrases import read_noun_phrase
from situ.planners.chunking.sides import read_where
from situ.planners.chunking.small import read_mark, read_small
from situ.planners.chunking.verbs import read_verb
from situ.planners.verb_forms import is_participle

MAX_CHARACTERS = 20_000
MAX_WORDS = 300
LONG_WORD = 40  # characters; what is longer is no word

_TOKEN = re.compile(r"[^\W_]+(?:['’-]{1,2}[^\W_]+)*|[.,;:!?()&/]")
_READERS = (read_mark, read_where, read_small, read_verb, read_noun_phrase)


def split(text: str) -> tuple[list[str], bool]:
    """The words of a text in small letters, with marks of their own; and whether all were taken."""
    found: list[str] = []
    for match in _TOKEN.finditer(
        plain.unquoted(text[:MAX_CHARACTERS]).replace("n’t", "n't").lower()
    ):
        if len(found) >= MAX_WORDS:
            return found, False
        word = match.group()
        if len(word) <= LONG_WORD:
            found += plain.in_full(word)
    return found, len(text) <= MAX_CHARACTERS


def chunk(text_words: Sequence[str]) -> tuple[list[Item], list[str]]:
    """One pass from left to right over the words of a text: its items, and the unknown words."""
    cursor = Cursor(text_words)
    place = 0
    while place < len(cursor.words):
        place = _step(cursor, place)
    return cursor.items, cursor.unknown


def _joins_adjective(cursor: Cursor, i: int) -> bool:
    """ "a boat, old and battered", "a fence (rusted)": a participle that only describes."""
    word, kinds = cursor.words[i], [item.kind for item in cursor.items[-2:]]
    after = kinds in (["adj", "and"], ["np", "comma"], ["adj", "comma"])
    acting = word.endswith("ing") and kinds != ["adj", "and"]
    told = is_participle(word) and verb_forms.VERBS.get(word) != word and not acting
    return after and told and _ends_words(cursor, i + 1)


def _ends_words(cursor: Cursor, i: int) -> bool:
    """ "... and": does another adjective, or the end of what was told so, come next?"""
    if cursor.at(i) in ("and", "but"):
        return cursor.at(i + 1) in words.ADJECTIVES and not is_nominal(cursor.at(i + 2))
    return not cursor.at(i) or not cursor.at(i)[0].isalnum()


def _step(cursor: Cursor, i: int) -> int:
    if _joins_adjective(cursor, i):
        return cursor.add(i + 1, "adj", cursor.words[i])
    for read in _READERS:
        if (after := read(cursor, i)) > i:
            return after
    word = cursor.words[i]
    if word in words.ADJECTIVES or word in words.COLOURS:
        return cursor.add(i + 1, "adj", word)
    if cursor.last == "cop" and is_nominal(word) and not nouns.is_known(word):
        return cursor.add(i + 1, "adj", word)  # "is burnt": a noun would have an article
    if not is_function(word) and not nouns.is_known(word) and word not in words.FRAMES:
        cursor.unknown.append(word)
    return i + 1
