"""Stops, negations, copulas, conjunctions and pronouns."""

from situ.planners import nouns, verb_forms, words
from situ.planners.chunking.classes import is_nominal, starts_clause
from situ.planners.chunking.cursor import STOPS, Cursor, number_at, times_length


def read_mark(cursor: Cursor, i: int) -> int:
    word = cursor.words[i]
    if word in STOPS:
        return cursor.add(i + 1, "stop", word)
    return cursor.add(i + 1, "comma") if word in ",()/" else i


def read_small(cursor: Cursor, i: int) -> int:
    """A small word or a few that belong together."""
    for read in (_denied, _made_of, _compared, _being, _each, _read_joint):
        if (after := read(cursor, i)) != i:
            return after
    return i


def _made_of(cursor: Cursor, i: int) -> int:
    """ "made of glass", "full of books", "of the five doors"."""
    word, following = cursor.words[i], cursor.at(i + 1)
    if word in ("made", "built", "carved", "fashioned") and following in ("of", "from", "out"):
        end = i + 2 + (cursor.at(i + 2) == "of")
        if cursor.last == "cop" and cursor.at(end) in nouns.MATERIALS | words.COLOURS:
            return cursor.add(end + 1, "adj", cursor.at(end))
        return _after_material(cursor, i, end)
    if word in words.LADEN and following == "with":
        return cursor.add(i + 2, "full", f"{word} with")
    if word == "missing" and cursor.last == "np" and following in words.DETERMINERS:
        return cursor.add(i + 1, "neg", "without")
    if (word, following) == ("part", "of") and cursor.last == "cop":
        return cursor.add(i + 2, "rel", "on", said="on")
    if word in ("empty", "free", "devoid") and following == "of":
        return cursor.add(i + 2, "neg", "no")
    filled = word in ("full", "filled", "covered", "topped", "piled", "brimming", "overflowing")
    filling = ("with", "in", "by") if word == "covered" else ("of", "with")
    if filled and following in filling:
        return cursor.add(i + 2, "full", f"{word} {following}")
    if word in words.NEGATIONS or (word, following) == ("instead", "of"):
        return _read_negation(cursor, i)
    if word in ("painted", "dyed", "colored", "coloured") and following in words.COLOURS:
        return cursor.add(i + 1, "that") if cursor.last == "np" else i + 1
    return i + (word == "of" and cursor.last == "stop" and following == "the")


_MADE = {"wood": "wooden", "wool": "woolen"}


def _after_material(cursor: Cursor, i: int, end: int) -> int:
    """What something is made of is left out, but for what tells two things apart."""
    if _tells_apart(cursor, end):
        cursor.add(i, "that")
        return cursor.add(end + 1, "adj", _MADE.get(cursor.at(end), cursor.at(end)))
    while cursor.at(end) in words.ADJECTIVES:
        end += 1
    end += cursor.at(end).endswith("ing") and is_nominal(cursor.at(end + 1))
    while end < i + 6 and is_nominal(cursor.at(end)) and not number_at(cursor, end):
        end += 1
    return end


def _tells_apart(cursor: Cursor, i: int) -> bool:
    """ "one made of wood, the other made of glass": what they are made of makes the difference."""
    phrase = cursor.items[-1].phrase if cursor.last == "np" else None
    return phrase is not None and phrase.subset and cursor.at(i) in nouns.MATERIALS


def _denied(cursor: Cursor, i: int) -> int:
    """ "none of them", "nothing but"."""
    word, following = cursor.words[i], cursor.at(i + 1)
    if word in ("except", "besides", "save") and cursor.last in ("adj", "np"):
        return cursor.add(i + 1 + (following == "for"), "with")
    if word == "none":
        return cursor.add(i + (3 if following == "of" else 1), "neg", "no")
    return i + 2 * (word == "nothing" and following in ("but", "except"))


def _compared(cursor: Cursor, i: int) -> int:
    """ "larger than"."""
    word = cursor.words[i]
    if length := times_length(cursor, i):
        return cursor.add(i + length, "rel", "smaller" if word == "half" else "larger")
    if cursor.at(i + 1) != "than":
        return i
    if word.endswith("er") and word not in words.LARGER:
        return cursor.add(i + 2, "rel", "near", said="than")
    if word not in words.LARGER:
        return i
    return cursor.add(i + 2, "rel", "larger" if words.LARGER[word] > 1 else "smaller")


def _being(cursor: Cursor, i: int) -> int:
    """Copulas and what belongs to somebody."""
    word, following = cursor.words[i], cursor.at(i + 1)
    if word == "there" and following in words.COPULAS:
        cursor.add(i + 2, "there")
        return cursor.add(i + 2, "neg", "no") if following.endswith("n't") else i + 2
    if word == "it's" and is_nominal(following) and following not in words.ADJECTIVES:
        cursor.words[i] = "its"
        return i
    if word == "there's":
        return cursor.add(i + 1, "there")
    if word in words.COPULAS and word != "has":
        return cursor.add(i + 1, "cop", word)
    if word in words.HAVING:
        return cursor.add(i + 1, "have", word)
    return cursor.add(i + 1, "with", word) if word in ("with", "whose") else i


_OF_THEM = frozenset({("all", "of", "them"), ("both", "of", "them"), ("all", "of", "which")})


def _each(cursor: Cursor, i: int) -> int:
    """ "each other", and "each" or "both" of what was named."""
    word, following = cursor.words[i], cursor.at(i + 1)
    laden = following in ("covered", "filled", "full")
    listed = cursor.last == "comma" and (laden or starts_clause(cursor, i + 1))
    acting = cursor.last == "np" and following in verb_forms.WEARING | verb_forms.HOLDING
    if word == "all" and (listed or acting):
        return cursor.add(i + 1, "pron", "all")
    if (word, following, cursor.at(i + 2)) in _OF_THEM:
        return cursor.add(i + 3, "pron", "all of them")
    if word not in ("each", "both"):
        return i
    if following in ("other", "another"):
        return cursor.add(i + 2, "pron", "each other")
    if word == "each" and following == "one" and cursor.at(i + 2) != "of":
        return cursor.add(i + 2, "pron", "each")
    named = cursor.at(i + 2) in ("them", "these", "those", "which")
    if word == "each" and following == "of" and named and not is_nominal(cursor.at(i + 3)):
        return cursor.add(i + 3, "pron", "each")
    if following != "of" and starts_clause(cursor, i + 1):
        return cursor.add(i + 1, "pron", word)
    return i


def _read_joint(cursor: Cursor, i: int) -> int:
    word, following = cursor.words[i], cursor.at(i + 1)
    if word in ("but", "yet") or (word in ("only", "just") and cursor.last == "comma"):
        return cursor.add(i + 1, "but", word)
    if word in ("while", "whereas", "when", "because", "although", "though", "so"):
        return cursor.add(i + 1, "stop", word)
    if word in words.CONJUNCTIONS and word not in ("where", "as"):
        return cursor.add(i + 1, "and", word)
    acting = following in verb_forms.VERBS or not nouns.is_known(following)
    acting = acting and nouns.is_plural(following)  # "that stands": a noun would be "stand"
    if word in words.RELATIVES and (word != "that" or acting or starts_clause(cursor, i + 1)):
        return cursor.add(i + 1, "that", word)
    if word in words.REFERRING and (word not in ("her",) or not is_nominal(following)):
        return cursor.add(i + 1, "pron", word)
    if word in ("those", "these", "this", "which", "whom") and not is_nominal(following):
        return cursor.add(i + 1, "pron", "them")
    return i


def _read_negation(cursor: Cursor, i: int) -> int:
    word, following = cursor.words[i], cursor.at(i + 1)
    if word == "no" and following in ("more", "less", "fewer"):
        return i + 3 if cursor.at(i + 2) == "than" else i + 2
    if word == "no" and following == "longer":
        return cursor.add(i + 2, "neg", "not")
    if word in ("no", "not") and following in ("one", "body"):
        return i + 2
    if (word, following) == ("instead", "of"):
        return cursor.add(i + 2, "neg", "no")
    if word.endswith(("n't",)):
        cursor.add(i, "cop", word)
    return cursor.add(i + 1, "neg", word)
