"""The words of a text, the items made of them so far, and what stands at a place."""

from collections.abc import Sequence

from situ.planners import nouns, verb_forms, words
from situ.planners.chunking.items import Item, NounPhrase

STOPS = frozenset(".;:!?")


class Cursor:
    """Words and the items before them."""

    def __init__(self, text_words: Sequence[str]) -> None:
        self.words = list(text_words)
        self.items: list[Item] = []
        self.unknown: list[str] = []

    def add(
        self, after: int, kind: str, word: str = "", *, landmark: bool = False, said: str = ""
    ) -> int:
        """Append an item and go on at `after`."""
        self.items.append(Item(kind, word, landmark=landmark, said=said))
        return after

    def add_phrase(self, after: int, phrase: NounPhrase) -> int:
        self.items.append(Item("np", phrase=phrase))
        return after

    def at(self, i: int) -> str:
        return self.words[i] if 0 <= i < len(self.words) else ""

    @property
    def last(self) -> str:
        """The kind of the latest item; a text begins as after a stop."""
        return self.items[-1].kind if self.items else "stop"


def number_at(cursor: Cursor, i: int) -> int:
    word = cursor.at(i)
    if word.isdecimal() and len(word) < 4:
        return int(word)
    if word in words.NUMBERS:
        return words.NUMBERS[word]
    if word in words.VAGUE and (word not in ("pair", "couple", "trio") or _counts(cursor, i)):
        return words.VAGUE[word]
    tens, dash, ones = word.partition("-")
    if dash and tens in ("twenty", "thirty", "forty", "fifty") and ones in words.NUMBERS:
        return words.NUMBERS[tens] + words.NUMBERS[ones]
    return 0


def _counts(cursor: Cursor, i: int) -> bool:
    """ "a couple of dogs" are two, but "a couple dances"."""
    following = cursor.at(i + 1)
    plural = nouns.is_plural(following) and following not in verb_forms.VERBS
    return following in ("of", "more") or plural


def ends(cursor: Cursor, i: int) -> bool:
    word = cursor.at(i)
    return not word or word in STOPS or word == "," or word in words.CONJUNCTIONS


def relation_length(cursor: Cursor, i: int) -> int:
    if i >= len(cursor.words):
        return 0
    if tuple(cursor.words[i : i + 3]) in words.TOGETHER:
        return 3
    for phrase, _ in words.RELATION_TABLE.get(cursor.words[i], ()):
        if tuple(cursor.words[i : i + len(phrase)]) == phrase:
            return len(phrase)
    return 0


def times_length(cursor: Cursor, i: int) -> int:
    """ "twice the size of", "three times as tall as", "half as big as": words to take, or 0."""
    start = i + 1 if cursor.at(i) in ("twice", "half") else 0
    start = i + 2 if cursor.at(i + 1) == "times" else start
    first, second, third = (cursor.at(start + k) for k in range(3))
    if not start:
        return 0
    if (first, third) == ("the", "of") and second in ("size", "height", "length", "width"):
        return start + 3 - i
    if (first, third) == ("as", "as") and second in words.LARGER:
        return start + 3 - i
    return start + 2 - i if first in words.LARGER and second == "than" else 0
