"""Is a word a verb here?"""

from situ.planners import nouns, verb_forms, words
from situ.planners.chunking.classes import acts, is_function, is_nominal
from situ.planners.chunking.cursor import Cursor, ends, number_at, relation_length


def read_verb(cursor: Cursor, i: int) -> int:
    word = cursor.words[i]
    base = verb_forms.VERBS.get(word)
    if base is None and cursor.last in ("np", "that", "cop", "pron") and _may_act(cursor, i):
        return cursor.add(i + 1, "verb", word, said=word)
    if base is None and cursor.last == "comma" and acts(word) and relation_length(cursor, i + 1):
        return cursor.add(i + 1, "verb", word, said=word)
    if base is None or word in words.DETERMINERS:
        return i
    following = cursor.at(i + 1)
    if cursor.last == "cop" and word in words.STATES and ends(cursor, i + 1):
        return i  # "one is open"
    if cursor.last == "cop" and word == base and word in words.ADJECTIVES:
        return i  # "is empty": after a copula a base form is no verb
    if cursor.last == "neg" and cursor.items[-1].word in ("without", "no", "neither", "nor"):
        return i
    if (
        cursor.last in ("verb", "have")
        and nouns.is_known(word)
        and not word.endswith(("ing", "ed"))
    ):
        return i  # "riding skis", "holds watch"
    free = cursor.last in ("np", "that", "cop", "pron", "neg", "have", "adj", "verb")
    if free and (
        ends(cursor, i + 1)
        or relation_length(cursor, i + 1) > 0
        or not is_nominal(following)
        or word.endswith("ing")
    ):
        return cursor.add(i + 1, "verb", base, said=word)
    if cursor.last in ("np", "that", "pron"):
        return cursor.add(i + 1, "verb", base, said=word)
    goes_on = following in words.PREPOSITIONS or following in words.DETERMINERS
    third = word != base and word.endswith("s")
    if cursor.last == "and" and third and goes_on and _has_told(cursor):
        return cursor.add(i + 1, "verb", base, said=word)
    bare = cursor.last in ("and", "comma", "but", "stop", "rel", "there", "with")
    object_follows = following in words.DETERMINERS or number_at(cursor, i + 1) > 0
    closed = object_follows or following in words.PREPOSITIONS
    if bare and closed and not (nouns.is_known(word) and not object_follows):
        return cursor.add(i + 1, "verb", base, said=word)
    return i


def _has_told(cursor: Cursor) -> bool:
    """Has the clause a predicate already, so that "and stands" goes on with it?"""
    for item in reversed(cursor.items):
        if item.kind == "stop":
            return False
        if item.kind in ("verb", "cop", "have"):
            return True
    return False


def _may_act(cursor: Cursor, i: int) -> bool:
    """Is a word in no list a verb? One right after a noun phrase is: a noun would belong to the phrase."""
    word = cursor.words[i]
    if acts(word):
        return True
    listed = is_function(word) or nouns.is_known(word) or word in words.ADJECTIVES
    other = listed or word in words.FRAMES or word in words.NEGATIONS or cursor.at(i + 1) == "than"
    return cursor.last == "np" and word.isalpha() and not number_at(cursor, i) and not other
