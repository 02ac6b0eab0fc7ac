"""Classes of words, told by their lists and endings."""

from situ.planners import nouns, verb_forms, words
from situ.planners.chunking.cursor import STOPS, Cursor

_FUNCTION = frozenset().union(
    words.DETERMINERS, words.PRONOUNS, words.ADVERBS, words.COPULAS, words.HAVING,
    words.CONJUNCTIONS, words.PREPOSITIONS, words.REQUESTS, verb_forms.VERBS, words.STYLE, words.HEDGES,
    words.word_set("how what why if whether of with than there to do does did will can who's"),
)  # fmt: skip


def is_function(word: str) -> bool:
    """Is it no noun by its list: a function word, a verb, an adverb or a single letter?"""
    return word in _FUNCTION or is_adverb(word) or len(word) == 1


def is_nominal(word: str) -> bool:
    """May the word stand in a noun phrase, before or as its noun?"""
    if not word or not word[0].isalnum():
        return False
    if word in words.ADJECTIVES or word in words.NUMBERS or nouns.is_known(word):
        return True
    return not is_function(word) and word not in words.NEGATIONS


def is_adverb(word: str) -> bool:
    other = nouns.is_known(word) or word in words.ADJECTIVES
    return word in words.ADVERBS or (word.endswith(("ly", "wards")) and not other)


def acts(word: str) -> bool:
    """Does an unknown word look like a verb?"""
    return (
        word.endswith(("ed", "ing"))
        and len(word) > 4
        and not nouns.is_known(word)
        and (word not in words.ADJECTIVES)
    )


def starts_clause(cursor: Cursor, i: int) -> bool:
    word = cursor.at(i)
    return (
        not word
        or word in words.COPULAS
        or word in words.HAVING
        or word in words.PREPOSITIONS
        or word in ("with", "of", "has", "without")
        or word in STOPS
        or (word in verb_forms.VERBS and not nouns.is_known(word))
        or (word in verb_forms.VERBS and cursor.at(i + 1) in words.DETERMINERS)
        or word in words.ADVERBS
    )
