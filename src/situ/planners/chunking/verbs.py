"""Is a word a verb here?"""

from situ.planners import nouns, verb_forms, words
from situ.planners.chunking.classes import acts, is_function, is_nominal
from situ.planners.chunking.content import denominal
from situ.planners.chunking.cursor import Cursor, ends, number_at, relation_length


def read_verb(cursor: Cursor, i: int) -> int:
    """A verb at the place, if the word there is one."""
    word = cursor.words[i]
    base = verb_forms.VERBS.get(word)
    if base is None and cursor.last == "np" and (noun := denominal(cursor, i)):
        return cursor.add(i + 1, "verb", noun, said=word)
    if base is None:
        unknown = _is_unknown_verb(cursor, i)
        return cursor.add(i + 1, "verb", word, said=word) if unknown else i
    if word in words.DETERMINERS or _is_no_verb(cursor, i, base):
        return i
    if _follows_subject(cursor, i) or _goes_on(cursor, i, base) or _begins(cursor, i):
        return cursor.add(i + 1, "verb", base, said=word)
    return i


def _is_unknown_verb(cursor: Cursor, i: int) -> bool:
    if cursor.last in ("np", "that", "cop", "pron"):
        return _may_act(cursor, i)
    after = i + 1 + (cursor.at(i + 1) in words.ADVERBS)
    led = relation_length(cursor, after) > 0 or (ends(cursor, i + 1) and len(cursor.items) > 1)
    return cursor.last == "comma" and acts(cursor.words[i]) and led


def _is_no_verb(cursor: Cursor, i: int, base: str) -> bool:
    """Is a form of a verb an adjective or a noun, by what stands before it?"""
    word, last = cursor.words[i], cursor.last
    phrase = cursor.items[-1].phrase if cursor.items else None
    part = phrase is not None and (phrase.subset or phrase.noun == "one")
    if (part or last == "cop") and word in words.STATES and ends(cursor, i + 1):
        return True  # "one is open", "the last one broken"
    if last == "cop" and word == base and word in words.ADJECTIVES:
        return True  # "is empty": after a copula a base form is no verb
    if last == "neg" and cursor.items[-1].word in ("without", "no", "neither", "nor"):
        return True
    return last in ("verb", "have") and _is_object(cursor, i)


def _follows_subject(cursor: Cursor, i: int) -> bool:
    if cursor.last in ("np", "that", "pron"):
        return True
    if cursor.last == "place" and len(cursor.items) > 1 and cursor.items[-2].kind == "np":
        return not nouns.is_known(cursor.words[i])  # "the girl in the middle holds"
    goes_on = ends(cursor, i + 1) or relation_length(cursor, i + 1) > 0
    goes_on = goes_on or not is_nominal(cursor.at(i + 1)) or cursor.words[i].endswith("ing")
    goes_on = goes_on or number_at(cursor, i + 1) > 0
    return cursor.last in ("cop", "neg", "have", "adj", "verb") and goes_on


def _goes_on(cursor: Cursor, i: int, base: str) -> bool:
    """ "a man sits and waves to", "the painter, who wears a hat, stands in"."""
    word, following = cursor.words[i], cursor.at(i + 1)
    third = word != base and word.endswith("s")
    joined = cursor.last == "comma" and (_in_relative(cursor) or _awaits_finite(cursor))
    joined = joined or cursor.last == "and"
    leads = following in words.PREPOSITIONS or following in words.DETERMINERS
    if cursor.last == "comma" and word == base in verb_forms.COMMON:
        return leads and _has_plural_subject(cursor) and not _has_told(cursor, finite=True)
    return joined and third and leads and (_has_told(cursor) or _awaits_finite(cursor))


def _awaits_finite(cursor: Cursor) -> bool:
    """ "a girl with braids, hugging a doll, stands in": one subject, and nothing told but participles."""
    start = max((k for k, item in enumerate(cursor.items) if item.kind == "stop"), default=-1) + 1
    clause = cursor.items[start:]
    phrase = clause[0].phrase if clause else None
    if phrase is None or phrase.plural or phrase.determiner not in words.SINGULAR | {"the"}:
        return False
    told = [item for item in clause if item.kind in ("verb", "cop", "have")]
    commas = [item.kind for item in clause].count("comma")
    return commas == 2 and all(item.said.endswith(("ing", "ed")) for item in told)


def _has_plural_subject(cursor: Cursor) -> bool:
    """ "two men, one with a hat, stand": does the clause begin with several?"""
    kinds = [item.kind for item in cursor.items]
    last = max((i for i, kind in enumerate(kinds) if kind == "stop"), default=-1)
    phrase = cursor.items[last + 1].phrase if last + 1 < len(kinds) else None
    joined = kinds[last + 2 : last + 4] == ["and", "np"]
    return phrase is not None and (joined or phrase.plural or (phrase.count or 1) > 1)


def _begins(cursor: Cursor, i: int) -> bool:
    following = cursor.at(i + 1)
    if _goes_on_acting(cursor, i):
        return True
    object_follows = following in words.DETERMINERS or number_at(cursor, i + 1) > 0
    if following == "that" and cursor.at(i + 2) in words.COPULAS | words.HAVING:
        object_follows = False  # "a toilet and sink that are"
    bare = cursor.last in ("and", "comma", "but", "stop", "rel", "there", "with")
    word = cursor.words[i]
    noun = (nouns.is_known(word) or word in verb_forms.ALSO_NOUNS) and not object_follows
    return bare and (object_follows or following in words.PREPOSITIONS) and not noun


def _goes_on_acting(cursor: Cursor, i: int) -> bool:
    """ "sits on a bench and eating ice cream", "while playing baseball"."""
    word, base = cursor.words[i], verb_forms.VERBS[cursor.words[i]]
    if not word.endswith("ing") or nouns.is_known(word) or not is_nominal(cursor.at(i + 1)):
        return False
    if cursor.last == "stop":
        return cursor.items != [] and cursor.items[-1].word in ("while", "when")
    joined = cursor.last in ("and", "comma", "but") and word not in words.ADJECTIVES
    takes = verb_forms.TAKING | verb_forms.HOLDING | verb_forms.WEARING | verb_forms.RIDING
    return joined and base in takes | verb_forms.DRIVING and "np" in {i.kind for i in cursor.items}


def _is_object(cursor: Cursor, i: int) -> bool:
    """ "riding skis", "holds watch", "holding trekking poles"."""
    word = cursor.words[i]
    if word.endswith(("ing", "ed")):
        before = cursor.items[-1].word
        takes = before in verb_forms.HOLDING | verb_forms.WEARING | verb_forms.RIDING
        return takes and nouns.is_plural(cursor.at(i + 1))
    return nouns.is_known(word)


def _has_told(cursor: Cursor, finite: bool = False) -> bool:
    """Has the clause a predicate already, a finite one, so that "and stands" goes on with it?"""
    for item in reversed(cursor.items):
        if item.kind == "stop":
            return False
        if finite and item.said.endswith("ing"):
            continue
        if item.kind in ("verb", "cop", "have"):
            return True
    return False


def _in_relative(cursor: Cursor) -> bool:
    """ "the painter, who wears a hat, stands": after the second comma the clause goes on."""
    kinds = [item.kind for item in cursor.items]
    last = max((i for i, kind in enumerate(kinds) if kind == "stop"), default=-1)
    return "that" in kinds[last + 1 :] and kinds[last + 1 :].count("comma") == 2


def _may_act(cursor: Cursor, i: int) -> bool:
    """Is a word in no list a verb? One right after a noun phrase is: a noun would belong to the phrase."""
    word = cursor.words[i]
    if acts(word):
        return True
    listed = is_function(word) or nouns.is_known(word) or word in words.ADJECTIVES
    other = listed or word in words.FRAMES or word in words.NEGATIONS or cursor.at(i + 1) == "than"
    told = cursor.last == "that" and cursor.items[-1].word in ("that", "who", "which")
    after = cursor.last == "np" or (told and nouns.is_plural(word))
    return after and word.isalpha() and not number_at(cursor, i) and not other
