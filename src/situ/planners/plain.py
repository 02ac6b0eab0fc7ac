"""A text in plain words: contractions in full, without modal verbs, speech and similes."""

import re
from collections.abc import Sequence

from situ.planners import nouns, verb_forms, words
from situ.planners.verb_forms import word_set

_QUOTED = re.compile(r"[\"“«][^\"“”»]{1,200}[\"”»]")
_AUXILIARY = word_set("do does did can could will would shall should must may might")
_MODALS = word_set("could will would shall should must may might can ought")
_BE = word_set("be been have not stand also always never")
_CLITIC_IS = word_set("that who he she it there what here where")
_BOUNDS = frozenset(
    {
        ("at", "least"),
        ("at", "most"),
        ("up", "to"),
        ("more", "than"),
        ("fewer", "than"),
        ("less", "than"),
    }
)
_VERB_COMPOUNDS = word_set(
    "ice roller figure horseback scuba sky kite water fly bungee cross-country"
)
_COVERED = word_set(
    "covered filled lined topped shaped colored coloured capped themed powered drawn shaded "
    "flavored sized styled dipped tiled"
)
_PICTURES = word_set("picture photo photograph image drawing scene frame illustration")
_MARKS = word_set(", . ; : and but while")
_FULL = {"n't": "not", "'re": "are", "'ve": "have", "'m": "am", "'ll": "", "'d": ""}
_LIKENESS = (
    ("shaped", "like"), ("shaped", "as"), ("looking", "like"), ("looks", "like"), ("look", "like"),
    ("in", "the", "shape", "of"), ("in", "the", "form", "of"), ("dressed", "as"), ("disguised", "as"),
)  # fmt: skip


def unquoted(text: str) -> str:
    """Without what somebody says or what is written somewhere; a text that is one quotation stays."""
    bare = _QUOTED.sub(" , ", text)
    return bare if re.search(r"\w", bare) else text


def without_none(text: Sequence[str]) -> list[str]:
    """ "none of the sheep is black": the sheep is not black."""
    for i in range(len(text) - 3):
        if (
            tuple(text[i : i + 2]) in (("none", "of"), ("neither", "of"))
            and text[i + 2] in words.DETERMINERS
        ):
            end = next((k for k in range(i + 3, min(i + 9, len(text))) if _tells(text[k])), 0)
            if end and text[i + 2] not in ("these", "those"):
                return [*text[:i], *text[i + 2 : end + 1], "not", *text[end + 1 :]]
    return list(text)


def _tells(word: str) -> bool:
    return word in words.COPULAS or word in words.HAVING


def in_full(token: str) -> list[str]:
    """ "don't" is "not": the verb "do" says nothing; "they're" is "they are"."""
    word = token.replace("’", "'")
    if word in ("won't", "shan't", "cannot"):
        return ["not"]
    for ending, full in _FULL.items():
        front = word.removesuffix(ending)
        if front == word or not front:
            continue
        if ending == "n't":
            if front in ("is", "are", "was", "were"):
                return [word]
            return ["not"] if front in _AUXILIARY or front == "ca" else [front, "not"]
        return [front, full] if full else [front]
    front = word.removesuffix("'s")
    if front != word and front in _CLITIC_IS and front not in ("it", "there"):
        return [front, "is"]
    return [token]


def without_fillers(text: Sequence[str]) -> list[str]:
    """Modal verbs go, and clauses that only liken a thing to something that is not there."""
    kept: list[str] = []
    i = 0
    while i < len(text):
        if list(text[i : i + 3]) == ["as", "well", "as"]:
            kept.append("and")
            i += 3
        elif (after := _after_filler(text, i)) > i:
            i = after
        elif length := _bound_at(text, i):
            bound = _number(text[i + 2])
            change = {"more": 1, "over": 1, "fewer": -1, "less": -1}.get(text[i], 0)
            kept.append(text[i + 2] if not change else str(max(1, bound + change)))
            i += length
        elif _is_verb_compound(text, i) or _is_covered(text, i) or _is_measured(text, i):
            kept.append(f"{text[i]}-{text[i + 1]}")
            i += 2
        else:
            kept.append(_plural_of(text, i) or text[i])
            i += 1
    return kept


def _plural_of(text: Sequence[str], i: int) -> str:
    """ "two giraffe's in a zoo": a plural, which many write so; empty where the word owns what follows."""
    one = text[i].replace("’", "'").removesuffix("'s")
    if one == text[i] or not any(_number(word) > 1 for word in text[max(0, i - 2) : i]):
        return ""
    after = text[i + 1] if i + 1 < len(text) else "."
    if not (after in _MARKS | words.PREPOSITIONS | words.COPULAS or after.endswith("ing")):
        return ""
    return one + ("es" if one.endswith(("s", "x", "ch", "sh")) else "s")


def _after_filler(text: Sequence[str], i: int) -> int:
    """Where the text goes on after words that say nothing of what is there; i where there are none."""
    if _is_modal(text, i):
        return i + 1
    if length := _own_size_at(text, i) or _at_once(text, i):
        return i + length
    if _bound_at(text, i):
        return i
    return max(_after_likeness(text, i), _after_picture(text, i), _after_nobody(text, i))


def _is_modal(text: Sequence[str], i: int) -> bool:
    """ "The lamp should be", but not "the can": a base form follows a modal verb."""
    if text[i] not in _MODALS or i + 1 >= len(text):
        return False
    before, following = text[i - 1] if i else "", text[i + 1]
    base = verb_forms.VERBS.get(following) == following
    if text[i] == "can" and (before in words.DETERMINERS or before in words.NUMBERS):
        return False
    return base or following in _BE or following in words.ADVERBS


_AT_ONCE = (("all", "at", "once"), ("at", "once"), ("at", "the", "same", "time"), ("of", "course"))


def _at_once(text: Sequence[str], i: int) -> int:
    """How many words here say nothing about where: "at once"."""
    return next((len(said) for said in _AT_ONCE if tuple(text[i : i + len(said)]) == said), 0)


def _bound_at(text: Sequence[str], i: int) -> int:
    """ "at least three", "more than five", "up to four": words to take, or 0."""
    known = tuple(text[i : i + 2]) in _BOUNDS and (i == 0 or text[i - 1] != "no")
    return 3 if known and i + 2 < len(text) and _number(text[i + 2]) else 0


def _own_size_at(text: Sequence[str], i: int) -> int:
    """ "twice its size": words to drop, or 0."""
    start = 2 if text[i + 1 : i + 2] == ["times"] else 1
    told = text[i] in ("twice", "half") or (start == 2 and _number(text[i]))
    own = text[i + start : i + start + 1] and text[i + start] in words.POSSESSIVES
    sized = text[i + start + 1 : i + start + 2] in (["size"], ["height"], ["length"], ["width"])
    return start + 2 if told and own and sized else 0


def _number(word: str) -> int:
    return int(word) if word.isdecimal() and len(word) < 4 else words.NUMBERS.get(word, 0)


def _after_likeness(text: Sequence[str], i: int) -> int:
    """ "shaped like a train", "as small as a mouse": no train and no mouse."""
    for wording in _LIKENESS:
        if tuple(text[i : i + len(wording)]) == wording:
            return _after_noun(text, i + len(wording))
    if text[i] == "as" and i and nouns.singular(" ".join(text[i + 1 : i + 2])) in nouns.PEOPLE:
        return i + 2 if list(text[i + 2 : i + 3]) in ([], ["."], [","]) else i
    if text[i] == "as" and i and _is_indefinite(text, i + 1):
        after = _after_noun(text, i + 1)
        told = text[max(after - 1, i + 3) : after + 1]
        acts = any(word in verb_forms.VERBS or word in words.COPULAS for word in told)
        return i if acts or text[i - 1] in words.ADJECTIVES else after  # "wears a pot as a hat"
    wished = i and text[i - 1] in ("i", "we", "would")
    if text[i] == "like" and not wished and _is_indefinite(text, i + 1):
        return _after_noun(text, i + 1)
    if text[i] == "as" and text[i + 2 : i + 3] == ["as"] and text[i + 1] not in ("many", "much"):
        if text[i + 3 : i + 4] and text[i + 3] in words.REFERRING:
            return i + 4 + (text[i + 4 : i + 5] in (["is"], ["are"], ["was"]))
        return _after_noun(text, i + 3) if _is_indefinite(text, i + 3) else i
    return i


def _after_picture(text: Sequence[str], i: int) -> int:
    """ "In my daughter's picture a unicorn": all of it is in the picture."""
    if text[i] not in ("in", "on") or text[i + 1 : i + 2] == ["a"]:
        return i
    end = i + 1
    while end < len(text) and end < i + 4 and _is_before_picture(text[end]):
        end += 1
    shown = end > i + 1 and end < len(text) and text[end] in _PICTURES and text[end] not in text[:i]
    return end + 1 if shown and text[end + 1 : end + 2] not in (["of"], ["frame"]) else i


def _is_before_picture(word: str) -> bool:
    return word in words.DETERMINERS or word.endswith(("'s", "’s"))


def _after_nobody(text: Sequence[str], i: int) -> int:
    """ "with no one sitting on it": it says of nothing where it is."""
    start = i + (text[i] in ("with", "and"))
    length = 2 if list(text[start : start + 2]) in (["no", "one"], ["no", "body"]) else 0
    length = length or (text[start : start + 1] in (["nobody"], ["no-one"]))
    if not length or {"but", "except"} & set(text[start : start + 5]):
        return i
    end = start + length
    while end < len(text) and text[end] not in _MARKS:
        before = text[end - 1]
        told = before in words.PREPOSITIONS or (
            before.endswith("ing") and before in verb_forms.VERBS
        )
        if end > start + length and told and text[end] == "the":
            return end if start == i else i  # "nobody at the table": there is a table
        end += 1
    return end


def _is_indefinite(text: Sequence[str], i: int) -> bool:
    return text[i : i + 1] in (["a"], ["an"])


def _after_noun(text: Sequence[str], i: int) -> int:
    """Where a noun phrase with its article ends."""
    i += i < len(text) and text[i] in words.DETERMINERS
    while i < len(text) and text[i] in words.ADJECTIVES:
        i += 1
    i += i < len(text)
    return i + (i < len(text) and nouns.is_known(text[i]) and text[i] not in words.PREPOSITIONS)


def _is_covered(text: Sequence[str], i: int) -> bool:
    """ "snow covered cars", "a heart shaped box"."""
    joined = i + 2 < len(text) and text[i + 1] in _COVERED and nouns.is_known(text[i + 2])
    alone = nouns.is_known(text[i]) and not nouns.is_plural(text[i])
    return joined and alone and text[i + 2] not in words.PREPOSITIONS | words.DETERMINERS


_MEASURES = word_set(
    "door foot inch lane layer layered legged level piece seat seater speed storey story tier tiered "
    "way wheel wheeled"
)


def _is_measured(text: Sequence[str], i: int) -> bool:
    """ "a ten speed bicycle", "a two story house"."""
    return (
        _number(text[i]) > 1
        and i + 2 < len(text)
        and text[i + 1] in _MEASURES
        and nouns.is_known(text[i + 2])
        and text[i + 2] not in words.PREPOSITIONS
    )


def _is_verb_compound(text: Sequence[str], i: int) -> bool:
    """ "ice skating", "horseback riding": one verb."""
    goes = i > 0 and (text[i - 1] in words.COPULAS or text[i - 1] in ("go", "goes", "enjoy", "to"))
    goes = goes or (i > 0 and nouns.is_plural(text[i - 1]))
    if list(text[i : i + 2]) == ["kite", "flying"] and not goes:
        return False  # "a patriotic kite flying"
    return (
        text[i] in _VERB_COMPOUNDS
        and i + 1 < len(text)
        and text[i + 1].endswith("ing")
        and text[i + 1] in verb_forms.VERBS
    )
