"""Noun phrases: with a noun, without one, and joined by "of"."""

from situ.planners import nouns, words
from situ.planners.chunking.classes import is_nominal, starts_clause
from situ.planners.chunking.content import read_content
from situ.planners.chunking.cursor import Cursor
from situ.planners.chunking.items import NounPhrase
from situ.planners.chunking.quantifiers import read_quantifier


def _only_adjectives(content: list[str]) -> bool:
    return all(word in words.ADJECTIVES or word == "and" for word in content)


def _noun_start(content: list[str]) -> int:
    """Where the noun begins: after the last word that can only describe."""
    start = len(content) - 1
    while start > 0 and (_is_noun_word(content[start - 1]) or _is_compound(content[start - 1 :])):
        start -= 1
    return start


def _is_compound(content: list[str]) -> bool:
    """ "stop sign": a name of two words, whatever the first is elsewhere."""
    return f"{content[0]} {nouns.singular(content[1])}" in nouns.SIZES and len(content) == 2


def _is_noun_word(word: str) -> bool:
    if word in words.ADJECTIVES or word in words.LARGER or word == "and":
        return False
    if word.endswith(("'s", "’s")) or (word in words.VERBS and not nouns.is_known(word)):
        return False
    return nouns.is_known(word)


def read_noun_phrase(cursor: Cursor, i: int) -> int:
    phrase = NounPhrase()
    after = read_quantifier(cursor, i, phrase)
    if cursor.at(after) == "of" and (phrase.count or phrase.each):
        return _of_them(cursor, after + 1, phrase)
    content, after = read_content(cursor, after, phrase)
    if not content:
        return _without_noun(cursor, i, after, phrase)
    bare = not phrase.determiner and not phrase.count and cursor.last == "cop"
    if bare and content[0] in words.ADJECTIVES and content[-1] in words.VERBS:
        return i
    if content[-1] in ("one", "ones") and len(content) > 1:
        phrase.modifiers, phrase.plural = content[:-1], content[-1] == "ones"
        phrase.noun = "one"
        return cursor.add_phrase(after, phrase)
    return _with_noun(cursor, i, after, phrase, content)


def _of_them(cursor: Cursor, i: int, phrase: NounPhrase) -> int:
    """ "two of them", "each of the three boxes"."""
    if cursor.at(i) in ("them", "these", "those", "which", "whom"):
        after = i + 1
        if cursor.at(i) in ("these", "those") and is_nominal(cursor.at(i + 1)):
            after = read_content(cursor, i + 1, NounPhrase())[1]
        phrase.subset = True
        return cursor.add_phrase(after, phrase)
    inner = NounPhrase()
    start = read_quantifier(cursor, i, inner)
    content, after = read_content(cursor, start, inner)
    if not content:
        return i
    if phrase.each:
        phrase.count, phrase.exact = inner.count, inner.exact
    else:
        phrase.subset = bool(inner.determiner)
        phrase.total = inner.count if inner.exact else None
    phrase.determiner = inner.determiner or phrase.determiner
    phrase.plural = True
    _fill(cursor, phrase, content)
    return cursor.add_phrase(after, phrase)


def _without_noun(cursor: Cursor, i: int, after: int, phrase: NounPhrase) -> int:
    """ "one is ...", "the other", "the first"."""
    word = cursor.at(i)
    if phrase.determiner in ("the", "another") or word in ("one", "others", "another", "other"):
        other = cursor.at(after)
        if other in ("other", "others", "rest"):
            phrase.rest, phrase.subset = True, True
            return cursor.add_phrase(after + 1, phrase)
        if phrase.more and starts_clause(cursor, after):
            phrase.subset, phrase.count = True, 1
            return cursor.add_phrase(after, phrase)
    if phrase.count and phrase.exact and (starts_clause(cursor, after) or cursor.at(after) in ",."):
        phrase.subset = True
        return cursor.add_phrase(after, phrase)
    return i


def _with_noun(cursor: Cursor, i: int, after: int, phrase: NounPhrase, content: list[str]) -> int:
    if content[-1] in ("other", "others", "rest") or (
        content[-1] in words.ORDINALS and phrase.determiner == "the" and len(content) == 1
    ):
        phrase.subset, phrase.rest = True, content[-1] in ("other", "others", "rest")
        phrase.count = phrase.count or (1 if content[-1] in words.ORDINALS else None)
        return cursor.add_phrase(after, phrase)
    if len(content) == 1 and content[0] in words.STYLE:
        return after
    if _only_adjectives(content) and not (phrase.determiner and nouns.is_known(content[-1])):
        if not phrase.determiner and not phrase.count:
            if nouns.is_known(content[-1]) and cursor.last in (
                "rel",
                "and",
                "comma",
                "stop",
                "with",
            ):
                pass
            else:
                return i
        else:
            phrase.modifiers = content
            return cursor.add_phrase(after, phrase)
    _fill(cursor, phrase, content, after)
    if cursor.at(after) == "of":
        return _noun_of(cursor, after, phrase)
    return cursor.add_phrase(after, phrase)


def _fill(cursor: Cursor, phrase: NounPhrase, content: list[str], i: int = -1) -> None:
    last = content[-1]
    phrase.plural = phrase.plural or nouns.is_plural(last)
    glassware = phrase.count or len(content) > 1 or cursor.at(i) == "of"
    if last == "glasses" and glassware and not phrase.paired:
        last, phrase.plural = "glass", True
    if last in nouns.ALWAYS_PLURAL and phrase.paired:
        phrase.count = max(1, (phrase.count or 1) // 2)
    start = _noun_start(content)
    phrase.modifiers = content[:start]
    phrase.noun = " ".join([*content[start:-1], nouns.singular(last)])
    if not nouns.is_known(last):
        cursor.unknown.append(last)


def _noun_of(cursor: Cursor, after: int, phrase: NounPhrase) -> int:
    """ "the roof of a house" is the house; "a slice of cake" is one thing."""
    name = phrase.noun.split()[-1]
    if name in nouns.REGIONS or name in ("kind", "type", "sort"):
        end = read_noun_phrase(cursor, after + 1)
        if end == after + 1:
            return cursor.add_phrase(end, phrase)
        named = cursor.items[-1].phrase
        if named:
            named.spread = named.spread or phrase.each
        return end
    if name in words.FRAMES and cursor.last in ("stop", "comma") and name not in ("view",):
        return after + 1
    inner = NounPhrase()
    content, end = read_content(cursor, read_quantifier(cursor, after + 1, inner), inner)
    if not content or (inner.exact and (inner.count or 0) > 1):
        cursor.add_phrase(after, phrase)
        return cursor.add(after + 1, "holds")
    last = content[-1]
    kept = last if inner.plural or inner.count is None else nouns.singular(last)
    if inner.determiner in words.DETERMINERS:
        kept = nouns.singular(last) if inner.determiner in words.ARTICLES else last
    phrase.noun = f"{phrase.noun} of {' '.join([*content[:-1], kept])}"
    return cursor.add_phrase(end, phrase)
