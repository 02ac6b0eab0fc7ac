"""Determiners and numbers in front of a noun."""

from situ.planners import nouns, words
from situ.planners.chunking.cursor import Cursor, number_at, times_length
from situ.planners.chunking.items import NounPhrase

_MULTIPLIED = ("dozen", "pair", "pairs", "hundred")


def read_quantifier(cursor: Cursor, i: int, phrase: NounPhrase) -> int:
    """Determiners and numbers in front of a noun."""
    while (word := cursor.at(i)) and not times_length(cursor, i):
        if word in words.DETERMINERS and phrase.count is None:
            _determine(word, phrase, cursor.at(i + 1))
        elif length := _vague_length(cursor, i, phrase):
            i += length - 1
        elif word == "half" and (length := _half(cursor, i, phrase)):
            i += length
            if phrase.half:
                return i
        elif number := number_at(cursor, i):
            if phrase.count and phrase.exact and word not in _MULTIPLIED and not phrase.groups:
                break
            _take_count(word, number, phrase)
            of = cursor.at(i + 1) == "of" and word in (*words.VAGUE, "dozen", "dozens")
            if of and _referring_of(cursor, i + 2):
                return i + 1
            i += of
        elif after := _group_at(cursor, i, phrase):
            i = after - 1
        else:
            break
        i += 1
    return i


def _vague_length(cursor: Cursor, i: int, phrase: NounPhrase) -> int:
    """How many words say nothing here: "exactly", "at least", "more" after a number, "half a"."""
    word, following = cursor.at(i), cursor.at(i + 1)
    if word == "at" and following in ("least", "most"):
        return 2
    hedged = word in words.HEDGES and (number_at(cursor, i + 1) or following in words.ARTICLES)
    halved = word == "half" and following in words.ARTICLES and cursor.at(i + 2) != "dozen"
    return int(bool(hedged) or halved or (word == "more" and bool(phrase.count)))


def _determine(word: str, phrase: NounPhrase, following: str) -> None:
    if word == "both" and following in words.DETERMINERS:
        phrase.both = True  # "both the cat and the dog"
        return
    phrase.determiner = phrase.determiner or word
    phrase.each = phrase.each or word in ("each", "every")
    phrase.more = phrase.more or word == "another"
    if word == "both":
        phrase.count, phrase.exact = 2, True


def _half(cursor: Cursor, i: int, phrase: NounPhrase) -> int:
    """ "half a dozen", "half of them": how many words on to go."""
    if cursor.at(i + 1) == "a" and cursor.at(i + 2) == "dozen":
        phrase.count, phrase.exact = 6, True
        return 2
    if cursor.at(i + 1) == "of" and _referring_of(cursor, i + 2):
        phrase.count, phrase.exact, phrase.half = 1, True, True
        return 1
    return 0


def _take_count(word: str, number: int, phrase: NounPhrase) -> None:
    if word in ("pair", "pairs") and phrase.count and phrase.count > 1:
        phrase.count *= 2
    elif word in ("dozen", "hundred") and phrase.count:
        phrase.count *= number
    elif not (word in words.VAGUE and phrase.exact):
        phrase.count = number * (phrase.groups or 1)
    phrase.paired = phrase.paired or word in ("pair", "pairs")
    phrase.exact = (
        phrase.exact or word not in words.VAGUE or word in ("pair", "couple", "trio", "both")
    )


def _referring_of(cursor: Cursor, i: int) -> bool:
    """Does "of" lead back to things named before: "of them", "of the cats"?"""
    word = cursor.at(i)
    return word in ("them", "these", "those", "which", "whom", "the", "his", "her", "its")


def _is_heap(cursor: Cursor, i: int) -> bool:
    """ "two rows of three chairs", "a stack of four towels": what counts is what they are made of."""
    name = nouns.singular(cursor.at(i))
    return cursor.at(i + 1) == "of" and (name in words.GROUPS or name in words.HEAPS)


def _assorts(cursor: Cursor, i: int) -> bool:
    """ "an assorted collection of", "a vast array of"."""
    grouped = cursor.at(i + 1) in words.GROUPS | words.MANY_OF and cursor.at(i + 2) == "of"
    word = cursor.at(i)
    return (
        grouped and word.isalpha() and not nouns.is_known(word) and word not in words.PREPOSITIONS
    )


def _group_at(cursor: Cursor, i: int, phrase: NounPhrase) -> int:
    """ "a large herd of" is a vague number; the place after it, or 0."""
    start = i
    while i < start + 2 and (cursor.at(i) in words.ADJECTIVES or _assorts(cursor, i)):
        i += 1
    if number_at(cursor, i + 2) and _is_heap(cursor, i):
        phrase.groups = phrase.count or 1
        return i + 2
    many = cursor.at(i) in words.MANY_OF and any(
        nouns.is_plural(cursor.at(k)) and nouns.is_known(cursor.at(k)) for k in (i + 2, i + 3)
    )
    if not (many or cursor.at(i) in words.GROUPS) or cursor.at(i + 1) != "of":
        return 0
    kind = nouns.singular(cursor.at(i + 2))
    if cursor.at(i) == "bunch" and kind in words.SINGLE_BUNCHES:
        phrase.count = 1
        return 0
    if not phrase.exact or phrase.count == 1:
        phrase.count, phrase.exact = words.GROUP, False
    return i + 2
