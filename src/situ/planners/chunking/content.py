"""Modifiers and noun of a noun phrase: where it ends."""

from situ.planners import nouns, words
from situ.planners.chunking.classes import acts, is_adverb, is_function, is_nominal
from situ.planners.chunking.cursor import Cursor, ends, number_at, relation_length
from situ.planners.chunking.items import NounPhrase

_AFTER_VERBS = words.DETERMINERS | words.PREPOSITIONS | words.REFERRING | {"left", "right"}
MAX_CONTENT = 16  # words before and in one noun; more are read as the next phrase


def content_free(content: list[str]) -> bool:
    return not content or content[-1] in words.ADJECTIVES


def _may_be_head(content: list[str]) -> bool:
    last = content[-1]
    if last == "and":
        return False
    if last in ("light", "dark", "pale", "bright", "deep"):
        return len(content) > 1
    if last in words.ADJECTIVES:
        return last in nouns.NAMED and last not in words.COLOURS and last not in nouns.MATERIALS
    if last in words.VERBS and not nouns.is_known(last):
        return False
    return not (
        last.endswith(("'s", "’s")) or (last.endswith(("ed", "ing")) and not nouns.is_known(last))
    )


def read_content(cursor: Cursor, i: int, phrase: NounPhrase) -> tuple[list[str], int]:
    """Modifiers and noun: until a word that cannot belong to them."""
    content: list[str] = []
    while (word := cursor.at(i)) and len(content) < MAX_CONTENT:
        if word in ("and", ",", "&") and _joins(cursor, content, i):
            if word != ",":
                content.append("and")
        elif word in ("one", "ones") and content and content[-1] in words.ADJECTIVES:
            return [*content, word], i + 1
        elif _continues(cursor, content, i, phrase):
            content.append(word)
        elif _is_particle(cursor, content, i):
            pass
        elif not (is_adverb(word) and content_free(content) and _modifies(cursor, i)):
            break
        i += 1
    while content and content[-1] == "and":
        content.pop()
        i -= 1
    return content, i


def _is_particle(cursor: Cursor, content: list[str], i: int) -> bool:
    """ "a broken down car"."""
    joined = bool(content) and content[-1].endswith(("ed", "en")) and content[-1] not in nouns.KNOWN
    return (
        joined
        and cursor.words[i] in ("down", "up", "out", "over")
        and nouns.is_known(cursor.at(i + 1))
    )


def _modifies(cursor: Cursor, i: int) -> bool:
    following = cursor.at(i + 1)
    return following in words.ADJECTIVES or following.endswith(("ed", "ing"))


def _joins(cursor: Cursor, content: list[str], i: int) -> bool:
    """ "black and white cat": two adjectives of one noun."""
    following, later = cursor.at(i + 1), cursor.at(i + 2)
    if not content or content[-1] not in words.ADJECTIVES:
        return False
    if following not in words.ADJECTIVES and not (following.endswith("ed") and acts(following)):
        return False
    if later in ("and", ",", "&"):
        return cursor.at(i + 3) in words.ADJECTIVES and is_nominal(cursor.at(i + 4))
    return is_nominal(later) and not number_at(cursor, i + 2)


def _continues(cursor: Cursor, content: list[str], i: int, phrase: NounPhrase) -> bool:
    word = cursor.words[i]
    if (
        cursor.at(i + 1) == "than"
        or relation_length(cursor, i) > 1
        or (word.endswith("ly") and not nouns.is_known(word))
    ):
        return False
    if not word[0].isalnum() or (
        number_at(cursor, i) and not (word in ("single", "lone") and not content)
    ):
        return False
    if word in words.DETERMINERS or word in words.HAVING or word in words.COPULAS:
        return False
    headed = bool(content) and _may_be_head(content)
    one = word if phrase.determiner in words.SINGULAR else nouns.singular(word)
    if content and f"{content[-1]} {one}" in nouns.SIZES:
        return True
    if word in words.ADJECTIVES:
        return not headed or _adjective_inside(cursor, i)
    if word in words.VERBS:
        return _participle_or_noun(cursor, headed, i, phrase)
    if nouns.is_known(word) or word in words.FRAMES or word in words.GROUPS:
        return word not in words.CONJUNCTIONS and not (
            headed and (word in words.PREPOSITIONS or word in words.ADVERBS)
        )
    if is_function(word) or word in words.NEGATIONS:
        return False
    return not (headed and (word.endswith(("ed", "ing")) or _agrees(cursor, i, phrase)))


def _agrees(cursor: Cursor, i: int, phrase: NounPhrase) -> bool:
    """Is a word in no list the verb of the noun before it: "a penguin waddles past", "twins bicker"?"""
    word, before, following = cursor.words[i], cursor.words[i - 1], cursor.at(i + 1)
    third = nouns.is_plural(word)
    if following in words.DETERMINERS | words.PRONOUNS or number_at(cursor, i + 1):
        return third != nouns.is_plural(before)
    single = phrase.determiner in words.SINGULAR and phrase.count in (None, 1)
    if third and (single or phrase.count == 1):
        return True
    if not (following in words.PREPOSITIONS or following in words.ADVERBS or ends(cursor, i + 1)):
        return False
    if third:
        return False
    joined = words.SINGULAR | words.ATTRIBUTIVE
    return nouns.is_plural(before) and phrase.determiner not in joined and before not in joined


def _adjective_inside(cursor: Cursor, i: int) -> bool:
    following = cursor.at(i + 1)
    if relation_length(cursor, i + 1) > 1:
        return False
    if cursor.words[i] in ("full", "left", "right", "front", "back", "top", "bottom"):
        return nouns.is_known(following) and cursor.words[i] != "full"
    if nouns.is_known(cursor.words[i]) and cursor.words[i] not in words.COLOURS:
        return True
    return nouns.is_known(following) and following not in words.PREPOSITIONS


def _participle_or_noun(cursor: Cursor, headed: bool, i: int, phrase: NounPhrase) -> bool:
    word, following = cursor.words[i], cursor.at(i + 1)
    noun = nouns.is_known(word) or word in words.ALSO_NOUNS
    if not headed:
        return noun or (word.endswith(("ing", "ed", "en", "ung", "own")) and is_nominal(following))
    if not noun or (cursor.words[i - 1] in nouns.PEOPLE and word.endswith("ing")):
        return False
    acts = following in _AFTER_VERBS or bool(number_at(cursor, i + 1))
    if nouns.is_plural(cursor.words[i - 1]) and nouns.is_plural(word):
        return False
    third = word.endswith("s") and not nouns.is_plural(cursor.words[i - 1])
    before = cursor.words[i - 1]
    several = nouns.is_plural(before) or (phrase.count or 1) > 1
    if phrase.determiner in words.SINGULAR and phrase.count is None and not several:
        if nouns.is_plural(word):
            return False  # "an umbrella stands": a noun would be "stand"
        if word == words.VERBS[word] and cursor.last not in ("and", "comma"):
            return word not in words.LIKE_PAST  # "a bus stop": a verb would be "stops"
    acts = acts or following in words.ADVERBS
    joined = before in nouns.ANIMATE and cursor.last == "and" and word == words.VERBS[word]
    if acts and joined:
        return False  # "a cat and a dog rest together"
    if acts or (ends(cursor, i + 1) and third):
        alone = phrase.determiner in words.ARTICLES or phrase.determiner == "the"
        return not (
            (third and alone and nouns.is_plural(word)) or (several and word == words.VERBS[word])
        )
    return nouns.is_known(word)
