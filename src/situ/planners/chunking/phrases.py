"""Noun phrases: with a noun, without one, and joined by "of"."""

from situ.planners import nouns, places, plurals, uses, verb_forms, words
from situ.planners.chunking.classes import is_nominal, starts_clause
from situ.planners.chunking.content import read_content
from situ.planners.chunking.cursor import Cursor, number_at
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
    if word.endswith(("'s", "’s")) or (word in verb_forms.VERBS and not nouns.is_known(word)):
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
    if bare and content[0] in words.ADJECTIVES and content[-1] in verb_forms.VERBS:
        return i
    if bare and cursor.items[-1].word and not any(map(nouns.is_known, content)):
        return (
            i if not nouns.is_plural(content[-1]) else _with_noun(cursor, i, after, phrase, content)
        )
    if content[-1] in ("one", "ones") and len(content) > 1:
        phrase.modifiers, phrase.plural = content[:-1], content[-1] == "ones"
        phrase.noun = "one"
        return cursor.add_phrase(after, phrase)
    return _with_noun(cursor, i, after, phrase, content)


def _of_them(cursor: Cursor, i: int, phrase: NounPhrase) -> int:
    """ "two of them", "each of the three boxes"."""
    if cursor.at(i) == "each" and not is_nominal(cursor.at(i + 1)):
        return cursor.add(i + 1, "ofeach", str(phrase.count))
    if cursor.at(i) in ("them", "these", "those", "which", "whom"):
        return _of_those(cursor, i, phrase)
    inner = NounPhrase()
    start = read_quantifier(cursor, i, inner)
    content, after = read_content(cursor, start, inner)
    if not content:
        return i
    if not inner.determiner and not inner.count and not phrase.each and phrase.count == 1:
        phrase.subset = True  # "one of straw, one of bricks"
        return cursor.add_phrase(after, phrase)
    if phrase.each:
        phrase.count, phrase.exact = inner.count, inner.exact
    else:
        phrase.subset = bool(inner.determiner)
        phrase.total = inner.count if inner.exact else None
    phrase.determiner = inner.determiner or phrase.determiner
    phrase.plural = True
    _fill(cursor, phrase, content)
    return cursor.add_phrase(after, phrase)


def _of_those(cursor: Cursor, i: int, phrase: NounPhrase) -> int:
    """ "two of them", "one of these cups"."""
    after = i + 1
    if cursor.at(i) in ("these", "those") and is_nominal(cursor.at(i + 1)):
        after = read_content(cursor, i + 1, NounPhrase())[1]
    phrase.subset = True
    return cursor.add_phrase(after, phrase)


def _without_noun(cursor: Cursor, i: int, after: int, phrase: NounPhrase) -> int:
    """ "one is ...", "the other", "the first"."""
    word = cursor.at(i)
    if phrase.determiner in ("the", "another") or word in ("one", "others", "another", "other"):
        other = cursor.at(after)
        if other in ("other", "others", "rest"):
            phrase.rest, phrase.subset = True, True
            if number := number_at(cursor, after + 1):
                phrase.count, phrase.exact = number, True
            return cursor.add_phrase(after + 1 + bool(number), phrase)
        acts = other in verb_forms.VERBS and other != verb_forms.VERBS[other]
        if phrase.more and (acts or starts_clause(cursor, after)):
            phrase.subset, phrase.count = True, 1
            return cursor.add_phrase(after, phrase)
    told = cursor.at(after)
    acts = phrase.count == 1 and told.endswith("s") and verb_forms.VERBS.get(told, told) != told
    if phrase.count and phrase.exact and (acts or starts_clause(cursor, after) or told in ",."):
        phrase.subset = True
        phrase.added = cursor.last == "and" and not phrase.determiner
        return cursor.add_phrase(after, phrase)
    return i


def _with_noun(cursor: Cursor, i: int, after: int, phrase: NounPhrase, content: list[str]) -> int:
    if content == ["other", "half"]:
        content = ["other"]
    which = content[-1] in words.ORDINALS and phrase.determiner == "the" and len(content) == 1
    if which or content[-1] in _THE_REST:
        return _one_or_rest(cursor, after, phrase, content[-1])
    if len(content) == 1 and content[0] in words.STYLE:
        return after
    if phrase.determiner == "the" and _only_adjectives(content) and cursor.at(after) == "of":
        return _best_of(cursor, i, after, phrase, content)
    if _only_adjectives(content) and not (phrase.determiner and nouns.is_known(content[-1])):
        if phrase.determiner or phrase.count:
            phrase.modifiers = content
            return cursor.add_phrase(after, phrase)
        if not nouns.is_known(content[-1]) or cursor.last not in _BEFORE_BARE:
            return i
    if phrase.count and len(content) == 1 and _only_describes(content[0]):
        phrase.modifiers = content  # "six eggs: two speckled"
        return cursor.add_phrase(after, phrase)
    _fill(cursor, phrase, content, after)
    if cursor.at(after) == "of":
        return _noun_of(cursor, after, phrase)
    return cursor.add_phrase(after, phrase)


def _only_describes(word: str) -> bool:
    return word.endswith("ed") and len(word) > 4 and not nouns.is_known(word)


_THE_REST = ("other", "others", "rest")
_BEFORE_BARE = ("rel", "and", "comma", "stop", "with")  # "a ring of gold", "next to glass"


def _one_or_rest(cursor: Cursor, after: int, phrase: NounPhrase, word: str) -> int:
    """ "the first", "the others", "the other two"."""
    phrase.subset, phrase.rest = True, word in _THE_REST
    number = number_at(cursor, after) if phrase.rest else 0
    phrase.count = number or phrase.count or (1 if word in words.ORDINALS else None)
    return cursor.add_phrase(after + bool(number), phrase)


def _best_of(cursor: Cursor, i: int, after: int, phrase: NounPhrase, content: list[str]) -> int:
    """ "the bigger of the two bowls"."""
    numbered = number_at(cursor, after + 2) or number_at(cursor, after + 1)
    if not numbered or content[-1] in nouns.REGIONS:
        return i
    phrase.count, phrase.exact = 1, True
    end = _of_them(cursor, after + 1, phrase)
    phrase.best, phrase.subset = content, True
    return end


def _owner_of_part(content: list[str]) -> list[str]:
    """ "the pirate's left shoulder" is the pirate; other content comes back as it is."""
    name = nouns.singular(content[-1])
    owners = [i for i, word in enumerate(content) if word.endswith(("'s", "’s"))]
    if not owners or name not in nouns.BODY | nouns.REGIONS:
        return content
    between = content[owners[-1] + 1 : -1]
    if any(nouns.is_known(word) and word not in words.ADJECTIVES for word in between):
        return content
    front, owner = content[: owners[-1]], content[owners[-1]]
    return [*front, owner[:-2]]


def _fill(cursor: Cursor, phrase: NounPhrase, content: list[str], i: int = -1) -> None:
    content = _owner_of_part(content)
    last = content[-1]
    several = last in nouns.SAME and _is_many(cursor, i, phrase, last)
    phrase.plural = phrase.plural or nouns.is_plural(last) or several
    glassware = phrase.count or len(content) > 1 or cursor.at(i) == "of"
    worn = not phrase.count and cursor.at(i) != "of" and _is_worn(cursor, content)
    if last == "glasses" and glassware and not phrase.paired and not worn:
        last, phrase.plural = "glass", True
    if last in _ALSO_SINGLE and (phrase.count or 1) > 1 and not phrase.paired:
        last, phrase.plural = last[:-1], True
    if last in nouns.ALWAYS_PLURAL and phrase.paired:
        phrase.count = max(1, (phrase.count or 1) // 2)
    start = _noun_start(content)
    phrase.modifiers = content[:start]
    phrase.noun = " ".join([*content[start:-1], nouns.singular(last)])
    if not nouns.is_known(last):
        cursor.unknown.append(last)


def _is_worn(cursor: Cursor, content: list[str]) -> bool:
    """ "an owl wearing tiny glasses", "a boy with a cap and round glasses": no "wine glasses"."""
    named = [w for w in content[:-1] if nouns.is_known(w) and w not in words.ADJECTIVES]
    if named or not _OF_DRINKS.isdisjoint(content):
        return False
    for place in range(len(cursor.items) - 1, -1, -1):
        item = cursor.items[place]
        if item.kind == "verb":
            return item.word in verb_forms.WEARING
        if item.kind in ("with", "have") or item.said == "in":
            owner = cursor.items[place - 1].phrase if place else None
            return owner is not None and nouns.head(owner.noun) in nouns.ANIMATE
        if item.kind not in ("np", "comma", "and"):
            return False
    return False


_ALSO_SINGLE = ("trunks", "drawers", "steps", "overalls")
_OF_DRINKS = frozenset({"empty", "full", "half", "tall", "filled", "frosted", "clean", "broken"})


def _is_many(cursor: Cursor, i: int, phrase: NounPhrase, last: str) -> bool:
    """Are there several sheep? "some sheep", "the sheep are", "sheep graze", but "fish on a plate"."""
    if phrase.determiner in ("some", "these", "those", "all", "both"):
        return True
    if phrase.determiner in words.ARTICLES or phrase.count is not None:
        return False
    following = cursor.at(i)
    acting = following.endswith("ing") or verb_forms.VERBS.get(following) == following
    bare = not phrase.determiner and (last in plurals.HERDS or (acting and bool(following)))
    return bare or following in ("are", "were")


def _is_part_of(cursor: Cursor, after: int, phrase: NounPhrase) -> bool:
    """ "the handlebars of a bicycle", "the nose of the dog": where the whole is, the part is."""
    name = phrase.noun.split()[-1]
    if verb_forms.VERBS.get(name) == name and not nouns.is_known(name):
        return True  # "a bite of pizza", "a display of fruit"
    if name in nouns.WORD_PARTS:
        return cursor.at(after + 1) in words.DETERMINERS
    whole = name in nouns.PORTIONS | nouns.DEPICTIONS | nouns.ANIMATE | words.FRAMES
    whole = whole or name == "keyboard"
    definite = phrase.determiner == "the" and not phrase.count
    return definite and not whole and cursor.at(after + 1) in words.DETERMINERS


_GROUNDS = ("floor", "ground", "ceiling")  # "on the floor of a nursery"


def _noun_of(cursor: Cursor, after: int, phrase: NounPhrase) -> int:
    """ "the roof of a house" is the house; "a slice of cake" is one thing."""
    name = phrase.noun.split()[-1]
    inner = NounPhrase()
    if name in _GROUNDS:
        start = read_quantifier(cursor, after + 1, inner)
        return cursor.add_phrase(max(read_content(cursor, start, inner)[1], after + 1), phrase)
    if name in uses.WEARABLE - nouns.REGIONS and _is_of_somebody(cursor, after + 1):
        cursor.add_phrase(after, phrase)
        return cursor.add(after + 1, "rel", "~wearing", said="of")  # "the tie of a man"
    if name in nouns.REGIONS or name in _KINDS or _is_part_of(cursor, after, phrase):
        return _whole_of(cursor, after + 1, phrase, name in _KINDS)
    hung = words.HANGS & set(cursor.words[after + 1 : after + 7])
    if name in words.FRAMES - {"view"} and cursor.last in ("stop", "comma") and not hung:
        return after + 1
    content, end = read_content(cursor, read_quantifier(cursor, after + 1, inner), inner)
    if not content or (inner.exact and (inner.count or 0) > 1):
        cursor.add_phrase(after, phrase)
        return cursor.add(after + 1, "holds")
    if name in places.PLACES and _are_animate(content[-1]):
        cursor.add_phrase(after, phrase)
        return cursor.add(after + 1, "with", "of")  # "a pasture of cows"
    if nouns.singular(content[-1]) not in nouns.DIMENSIONS or inner.determiner not in ("", "all"):
        phrase.noun = " ".join([phrase.noun, "of", *content[:-1], _last_said(content, inner)])
    return cursor.add_phrase(end, phrase)


def _are_animate(word: str) -> bool:
    return nouns.is_plural(word) and nouns.singular(word) in nouns.ANIMATE


def _is_of_somebody(cursor: Cursor, i: int) -> bool:
    return any(cursor.at(i + k) in nouns.ANIMATE for k in range(1, 4))


_KINDS = ("kind", "type", "sort")


def _whole_of(cursor: Cursor, i: int, phrase: NounPhrase, is_kind: bool) -> int:
    """ "the roof of a house" is the house; "four kinds of birds" are four birds."""
    if cursor.at(i) in words.REFERRING:
        return i  # "the end of it"
    end = read_noun_phrase(cursor, i)
    if end == i:
        return cursor.add_phrase(end, phrase)
    named = cursor.items[-1].phrase
    if named and is_kind and named.count is None:
        named.count, named.exact = phrase.count, phrase.exact
    if named:
        named.spread = named.spread or phrase.each
    return end


def _last_said(content: list[str], inner: NounPhrase) -> str:
    """The noun after "of" as it is said: "books", but "a lion" is "lion"."""
    last = content[-1]
    if inner.determiner:
        return nouns.singular(last) if inner.determiner in words.ARTICLES else last
    return last if inner.plural or inner.count is None else nouns.singular(last)
