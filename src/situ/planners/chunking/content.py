"""Modifiers and noun of a noun phrase: where it ends."""

from situ.planners import nouns, verb_forms, words
from situ.planners.chunking.classes import acts, is_adverb, is_function, is_nominal
from situ.planners.chunking.cursor import Cursor, ends, number_at, relation_length, times_length
from situ.planners.chunking.items import NounPhrase
from situ.planners.places import PLACES
from situ.planners.verb_forms import is_participle, word_set

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
    if last in verb_forms.VERBS and not nouns.is_known(last):
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
            if _begins_next(cursor, i, phrase):
                break
            return [*content, word], i + 1
        elif _continues(cursor, content, i, phrase):
            content.append(word)
        elif _is_particle(cursor, content, i):
            pass
        elif phrase.determiner and content_free(content) and _is_ghostly(cursor, i):
            content.append(word)  # "a ghostly ship": an adverb does not stand before a noun
        elif not (is_adverb(word) and content_free(content) and _modifies(cursor, i)):
            break
        i += 1
    while content and content[-1] == "and":
        content.pop()
        i -= 1
    return content, i


def _begins_next(cursor: Cursor, i: int, phrase: NounPhrase) -> bool:
    """ "one yellow one grey": the second one is told of next."""
    alone = phrase.count == 1 and phrase.exact and not phrase.determiner
    return alone and cursor.at(i + 1) in words.ADJECTIVES


def _is_ghostly(cursor: Cursor, i: int) -> bool:
    following = cursor.at(i + 1)
    other = following in words.ADJECTIVES or following in verb_forms.VERBS
    return cursor.words[i].endswith("ly") and nouns.is_known(following) and not other


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


def _may_describe(cursor: Cursor, content: list[str], i: int) -> bool:
    """ "a sleek, black car": an unknown word after an article, before an adjective and its noun."""
    alone = len(content) == 1 and cursor.words[i] == "," and not nouns.is_known(content[0])
    return alone and cursor.at(i - 2) in words.DETERMINERS and nouns.is_known(cursor.at(i + 2))


def _joins(cursor: Cursor, content: list[str], i: int) -> bool:
    """ "black and white cat": two adjectives of one noun."""
    following, later = cursor.at(i + 1), cursor.at(i + 2)
    if not content or (
        content[-1] not in words.ADJECTIVES and not _may_describe(cursor, content, i)
    ):
        return False
    if following not in words.ADJECTIVES and not (following.endswith("ed") and acts(following)):
        return False
    if later in ("and", ",", "&"):
        return cursor.at(i + 3) in words.ADJECTIVES and is_nominal(cursor.at(i + 4))
    return later in ("one", "ones") or (is_nominal(later) and not number_at(cursor, i + 2))


def _continues(cursor: Cursor, content: list[str], i: int, phrase: NounPhrase) -> bool:
    """Does a word belong to the noun phrase that was read so far?"""
    word = cursor.words[i]
    if _closes(cursor, content, i):
        return False
    headed = bool(content) and _may_be_head(content)
    single = phrase.determiner in words.SINGULAR and (phrase.count or 1) == 1
    one = word if single else nouns.singular(word)
    if content and f"{content[-1]} {one}" in nouns.SIZES:
        return True
    if word in words.ADJECTIVES:
        acting = word.endswith("ing") and content[-1:] and content[-1] in nouns.PEOPLE
        inside = not headed or (_adjective_inside(cursor, i) and not acting)
        return inside and not (content and _do(content[-1], word))
    if word in verb_forms.VERBS:
        return _participle_or_noun(cursor, headed, i, phrase)
    return _goes_with_head(cursor, i, phrase) if headed else _may_begin(word)


def _closes(cursor: Cursor, content: list[str], i: int) -> bool:
    """Is the word one that no noun phrase goes on with: "than", a number, a copula, "next to"?"""
    word = cursor.words[i]
    compared = (
        cursor.at(i + 1) == "than" or times_length(cursor, i) or relation_length(cursor, i) > 1
    )
    if compared or (is_adverb(word) and word.endswith("ly")):
        return True
    laden = word in words.LADEN and cursor.at(i + 1) == "with"
    laden = laden or (word in ("empty", "free", "devoid") and cursor.at(i + 1) == "of")
    if content and (content[-1] == "others" or laden):
        return True
    counted = number_at(cursor, i) and (content or word not in ("single", "lone"))
    if counted or not word[0].isalnum():
        return True
    return word in words.DETERMINERS or word in words.HAVING or word in words.COPULAS


def _may_begin(word: str) -> bool:
    """May a word that is no adjective and no verb stand where the noun is still to come?"""
    if nouns.is_known(word) or word in words.FRAMES or word in words.GROUPS:
        return word not in words.CONJUNCTIONS
    return not is_function(word) and word not in words.NEGATIONS


def _goes_with_head(cursor: Cursor, i: int, phrase: NounPhrase) -> bool:
    """Does another word follow the noun in one name: "apple tree", but not "a cat blocks"?"""
    word = cursor.words[i]
    other = word in words.PREPOSITIONS or word in words.ADVERBS
    other = other or word in ("nothing", "everything", "something")
    if other or not _may_begin(word) or _begins_clause(cursor, i) or denominal(cursor, i):
        return False
    if _is_next_of_list(cursor, i):
        return False
    if nouns.is_known(word) or word in words.FRAMES or word in words.GROUPS:
        return True
    return not (word.endswith(("ed", "ing")) or _agrees(cursor, i, phrase))


def _is_next_of_list(cursor: Cursor, i: int) -> bool:
    """ "carrots broccoli and rice": a comma is left out between two kinds of things."""
    before, word = cursor.words[i - 1], cursor.words[i]
    listed = cursor.at(i + 1) in ("and", ",") or nouns.is_plural(word)
    kinds = nouns.singular(before), nouns.singular(word)
    other = before in words.ATTRIBUTIVE or " ".join(kinds) in nouns.SIZES
    sized = all(kind in nouns.SIZES for kind in kinds)
    return listed and sized and nouns.is_plural(before) and not other


def denominal(cursor: Cursor, i: int) -> str:
    """ "a cat blocks the door": the base of a noun that is a verb here, or nothing."""
    word = cursor.words[i]
    before, following = cursor.at(i - 1), cursor.at(i + 1)
    acts = nouns.is_known(before) and not nouns.is_plural(before) and following in words.DETERMINERS
    third = nouns.singular(word) if word not in verb_forms.VERBS and nouns.is_plural(word) else ""
    return third if acts and third in verb_forms.DENOMINAL else ""


def _begins_clause(cursor: Cursor, i: int) -> bool:
    """ "on a narrow street people are": after a place that opens the sentence, those who act."""
    fronted = [item.kind for item in cursor.items[-2:]] in (["rel"], ["stop", "rel"])
    many = nouns.is_plural(cursor.words[i]) and nouns.singular(cursor.words[i]) in nouns.ANIMATE
    acts = cursor.at(i + 1) in words.COPULAS or cursor.at(i + 1) in verb_forms.VERBS
    return fronted and many and acts and cursor.words[i - 1] in PLACES


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
    if cursor.words[i] == "light":
        return True  # "a street light"
    if relation_length(cursor, i + 1) > 1:
        return False
    if cursor.words[i] in ("full", "left", "right", "front", "back", "top", "bottom"):
        return nouns.is_known(following) and cursor.words[i] != "full"
    if nouns.is_known(cursor.words[i]) and cursor.words[i] not in words.COLOURS:
        return True
    return nouns.is_known(following) and following not in words.PREPOSITIONS


def _cannot_act(cursor: Cursor, headed: bool, i: int, phrase: NounPhrase) -> bool:
    """A base form is a noun after a determiner, and after a singular: "a flip phone", "orange peel"."""
    word, before = cursor.words[i], cursor.at(i - 1)
    if word != verb_forms.VERBS[word] or word in verb_forms.LIKE_PAST:
        return False
    if not headed and not (before in nouns.MATERIALS and _is_of_several(cursor, word, i)):
        opened = phrase.determiner or phrase.count or before in words.ADJECTIVES
        return bool(opened) and before not in words.PRONOUNS - words.DETERMINERS
    if word in verb_forms.NEVER_NOUNS and nouns.is_known(before):
        return False  # "watching the sun go down"
    collective = nouns.is_plural(before) or before in nouns.SAME or before in _COLLECTIVES
    several = (phrase.count or 1) > 1 or cursor.last == "and" or phrase.determiner in _OF_MANY
    object_follows = cursor.at(i + 1) in words.DETERMINERS or number_at(cursor, i + 1)
    other = collective or several or object_follows or _has_plural_subject(cursor)
    other = other or _is_of_several(cursor, word, i)
    return not other and nouns.is_known(before)


def _of_a_singular(cursor: Cursor, i: int) -> bool:
    """ "a bottle of ketchup stands on"."""
    follows = cursor.at(i + 1) in words.PREPOSITIONS or ends(cursor, i + 1)
    single = not nouns.is_plural(cursor.at(i - 3)) and cursor.at(i - 3) not in words.GROUPS
    return cursor.at(i - 2) == "of" and single and follows


def _is_of_several(cursor: Cursor, word: str, i: int) -> bool:
    """Does a base form tell of two that "and" joined, and not name a compound such as "bus stop"?"""
    if (
        word not in verb_forms.COMMON
        or cursor.at(i + 1) not in words.PREPOSITIONS | words.DETERMINERS
    ):
        return False
    if f"{cursor.at(i - 1)} {word}" in nouns.SIZES or cursor.at(i - 1) in _STANDS:
        return False
    kinds = [item.kind for item in cursor.items]
    last = max((k for k, kind in enumerate(kinds) if kind == "stop"), default=-1)
    clause = kinds[last + 1 :]
    return "and" in clause and not {"verb", "cop", "have"} & set(clause)


_STANDS = word_set(
    "bike cake coat flower food fruit hat lemonade music night plant ring taxi umbrella"
)


def _has_plural_subject(cursor: Cursor) -> bool:
    """ "Carrots from a garden lie": an earlier plural still waits for its verb."""
    for item in reversed(cursor.items):
        if item.kind in ("stop", "verb", "cop", "have", "comma", "and", "with"):
            return False
        if item.phrase and (item.phrase.plural or (item.phrase.count or 1) > 1):
            return True
    return False


_COLLECTIVES = ("couple", "family", "team", "crowd", "police", "staff", "cattle")
_OF_MANY = ("some", "these", "those", "all", "both")


def _do(before: str, word: str) -> bool:
    """ "children building", "boys flying": a plural of those who act stands before no other noun."""
    acting = word.endswith("ing") and word in verb_forms.VERBS and nouns.is_plural(before)
    return acting and nouns.singular(before) in nouns.ANIMATE


def _participle_or_noun(cursor: Cursor, headed: bool, i: int, phrase: NounPhrase) -> bool:
    """Does a form of a verb go on with the noun phrase?"""
    word, following = cursor.words[i], cursor.at(i + 1)
    noun = nouns.is_known(word) or word in verb_forms.ALSO_NOUNS
    if _cannot_act(cursor, headed, i, phrase):
        return True
    alone = _is_singular(cursor, i, phrase) and cursor.words[i - 1] in _ALONE
    if not headed and alone and nouns.is_plural(word):
        return False  # "another plays the violin"
    if not headed and (phrase.count or 1) > 1 and nouns.singular(word) == verb_forms.VERBS[word]:
        return word.endswith("s")  # "two chisels"
    if not headed:
        particle = following in ("up", "down", "out") and is_nominal(cursor.at(i + 2))
        return noun or (is_participle(word) and (is_nominal(following) or particle))
    if not noun or _is_finite(cursor, i, phrase):
        return False
    if word in verb_forms.LIKE_PAST and following in words.PREPOSITIONS:
        return False  # "a pear cut in half"
    if _is_singular(cursor, i, phrase):
        if nouns.is_plural(word):
            return False  # "an umbrella stands": a noun would be "stand"
        if word == verb_forms.VERBS[word] and cursor.last not in ("and", "comma"):
            return word not in verb_forms.LIKE_PAST  # "a bus stop": a verb would be "stops"
    return not _tells_of_two(cursor, i) and _is_noun_before(cursor, i, phrase)


_ALONE = ("another", "one", "each")


def _is_finite(cursor: Cursor, i: int, phrase: NounPhrase) -> bool:
    """Does a verb agree with the noun before it as no second noun would?"""
    word, before, following = cursor.words[i], cursor.words[i - 1], cursor.at(i + 1)
    base = verb_forms.VERBS[word]
    if (before in nouns.PEOPLE and word.endswith("ing")) or _do(before, word):
        return True
    if _is_inverted(cursor, i):
        return True
    many = nouns.is_plural(before) or (before in nouns.SAME and (phrase.count or 1) > 1)
    past = not is_participle(word) and word != base
    if many and (word == base or nouns.is_plural(word) or past):
        return before not in words.ATTRIBUTIVE  # "three people stand", "blue roofs stand"
    third = word.endswith("s") and not nouns.is_plural(before)
    if third and before in nouns.NON_THINGS and not phrase.determiner:
        return True  # "snow falls"
    ordered = following in words.DETERMINERS and (third or word.endswith("ing"))
    if ordered or (third and (before in nouns.ALWAYS_PLURAL or _of_a_singular(cursor, i))):
        return True
    return third and before in nouns.ANIMATE and word != base  # "a duck swims"


def _is_inverted(cursor: Cursor, i: int) -> bool:
    """ "On the shelf stand three jars": after a place that opens the clause, before who is there."""
    kinds = [item.kind for item in cursor.items[-2:]]
    fronted = kinds[-1:] == ["rel"] and (kinds[:-1] or ["stop"])[0] in ("stop", "comma", "and")
    word, following = cursor.words[i], cursor.at(i + 1)
    several = following in words.DETERMINERS or number_at(cursor, i + 1) > 0
    return fronted and several and verb_forms.VERBS[word] in verb_forms.RESTING


def _is_singular(cursor: Cursor, i: int, phrase: NounPhrase) -> bool:
    """ "a river", "one lily": of one, so that a noun with "s" would not follow."""
    several = nouns.is_plural(cursor.words[i - 1]) or (phrase.count or 1) > 1
    said = phrase.determiner in words.SINGULAR if phrase.count is None else phrase.count == 1
    return said and not several


def _tells_of_two(cursor: Cursor, i: int) -> bool:
    """ "a glass and a jug stand on", "a cat and a dog rest together"."""
    word, before, following = cursor.words[i], cursor.words[i - 1], cursor.at(i + 1)
    if _is_of_several(cursor, word, i):
        return True
    acts = following in _AFTER_VERBS | words.ADVERBS or bool(number_at(cursor, i + 1))
    base = word == verb_forms.VERBS[word]
    return acts and base and before in nouns.ANIMATE and cursor.last == "and"


def _is_noun_before(cursor: Cursor, i: int, phrase: NounPhrase) -> bool:
    """Is a word that may be both a noun, by what follows it?"""
    word, before, following = cursor.words[i], cursor.words[i - 1], cursor.at(i + 1)
    third = word.endswith("s") and not nouns.is_plural(before)
    several = nouns.is_plural(before) or (phrase.count or 1) > 1
    acts = following in _AFTER_VERBS | words.ADVERBS or bool(number_at(cursor, i + 1))
    if not (acts or (ends(cursor, i + 1) and third)):
        return nouns.is_known(word)
    alone = phrase.determiner in words.ARTICLES | words.POSSESSIVES | {"the"}
    finite = (third and alone and nouns.is_plural(word)) or (
        several and word == verb_forms.VERBS[word]
    )
    return not finite
