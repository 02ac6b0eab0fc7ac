"""Parts of the picture, and wordings of relations."""

from collections.abc import Sequence

from situ.planners import nouns, verb_forms, words
from situ.planners.chunking.cursor import Cursor


def _picture_place(text: Sequence[str], i: int) -> tuple[int, str] | None:
    """ "in the top left corner of the picture", "on the left": the place after it and its name."""
    if text[i] not in ("in", "on", "at", "to", "near"):
        return None
    j = i + 1
    if j < len(text) and text[j] == "the":
        j += 1
    if j < len(text) and text[j] in ("far", "very"):
        j += 1
    names: list[str] = []
    while j < len(text) and text[j] in words.SUPERLATIVE_PLACES:
        names.append(words.SUPERLATIVE_PLACES[text[j]])
        j += 1
        if j < len(text) - 1 and text[j] in ("and",) and text[j + 1] in words.SUPERLATIVE_PLACES:
            break
    if not names or (text[i] == "near" and names == ["middle"]):
        return None
    if text[i : i + 2] == ["in", "front"]:
        return None
    while j < len(text) and text[j] in ("corner", "side", "hand", "part", "half", "edge", "area"):
        j += 1
    return _of_picture(text, i, j, names)


def _of_picture(text: Sequence[str], i: int, j: int, names: list[str]) -> tuple[int, str] | None:
    if j < len(text) and text[j] in ("of", "from"):
        k = j + 2 if j + 1 < len(text) and text[j + 1] in ("the", "this") else j + 1
        if k < len(text) and text[k] in words.OF_THE_PICTURE:
            return k + 1, " ".join(names)
        return None
    if text[i : i + 2] == ["on", "top"] or (text[i] == "to" and len(names) == 1):
        return None
    if names[0] in ("middle", "top", "bottom", "left", "right") and _goes_on(text, j):
        return None
    return j, " ".join(names)


def _goes_on(text: Sequence[str], j: int) -> bool:
    """ "in the left hand of", "on the top shelf": the word goes with a noun, so this is no place."""
    if j >= len(text) or not nouns.is_known(text[j]):
        return False
    return text[j] not in verb_forms.VERBS or list(text[j + 1 : j + 2]) == ["of"]


_ITS = ("its", "their", "his", "her", "the")


def _sides(text: Sequence[str], i: int) -> tuple[int, str, bool] | None:
    """ "to its left", "to the right", "on each side (of)", "on top", "in front", "in the air"."""
    word, rest = text[i], list(text[i + 1 : i + 5])
    if word in ("to", "on", "at") and (length := _its_side(rest)):
        return i + length, f"{rest[1]} of", True
    if word == "on" and tuple(rest[:2]) in (("opposite", "ends"), ("both", "ends")):
        return i + 3 + (rest[2:3] == ["of"]), "on", rest[2:3] != ["of"]
    both = rest[:1] and rest[0] in ("each", "either", "both", "opposite")
    if word in ("on", "at", "to") and both and rest[1:2] and rest[1].startswith(("side", "end")):
        of = len(rest) > 2 and rest[2] == "of"
        return i + (4 if of else 3), "flank", not of
    if word == "on" and rest[:1] == ["top"] and rest[1:2] != ["of"]:
        return i + 2, "on", True
    if word == "in" and rest[:1] == ["front"] and rest[1:2] != ["of"]:
        return i + 2, "in front of", rest[1:2] not in (["a"], ["an"], ["the"])
    if (word, *rest[:2]) in words.TOGETHER:
        return i + 3, "together", True
    if word == "side-by-side":
        return i + 1, "together", True
    return None


def _its_side(rest: Sequence[str]) -> int:
    """After "to": the words of "its left", "the right side", counted with "to"; or 0."""
    if len(rest) < 2 or rest[0] not in _ITS or rest[1] not in ("left", "right"):
        return 0
    length = 4 if len(rest) > 2 and rest[2] in ("side", "hand") else 3
    of = length - 1 < len(rest) and rest[length - 1] in ("of", "from")
    named = length == 3 and len(rest) > 2 and nouns.is_known(rest[2])
    return 0 if of or named else length


def _row_order(text: Sequence[str], i: int) -> tuple[int, str] | None:
    """ "from left to right", "top to bottom"."""
    start = i + (text[i] == "from")
    ends = text[start : start + 3]
    return (start + 3, _ORDERS[ends[0], ends[2]]) if _is_order(ends) else None


def _is_order(ends: Sequence[str]) -> bool:
    return len(ends) == 3 and ends[1] == "to" and (ends[0], ends[2]) in _ORDERS


_ORDERS = {
    ("left", "right"): "left of", ("right", "left"): "right of", ("top", "bottom"): "above",
    ("bottom", "top"): "below",
}  # fmt: skip


def read_where(cursor: Cursor, i: int) -> int:
    """Places in the picture, then relations; the longest wording wins."""
    if order := _row_order(cursor.words, i):
        return cursor.add(order[0], "order", order[1])
    if after := _picture_place(cursor.words, i):
        return cursor.add(after[0], "place", after[1], said=cursor.words[after[0] - 1])
    if cursor.last == "np" and cursor.words[i] in ("left", "right") and cursor.at(i + 1) != "of":
        return i
    if found := _sides(cursor.words, i):
        whose = cursor.at(i + 1) if cursor.at(i + 1) in ("his", "her") else cursor.words[i]
        return cursor.add(found[0], "rel", found[1], landmark=found[2], said=whose)
    if cursor.words[i] == "within" and cursor.at(i + 1) in ("reach", "sight", "view"):
        return i + 2
    for phrase, predicate in words.RELATION_TABLE.get(cursor.words[i], ()):
        if tuple(cursor.words[i : i + len(phrase)]) == phrase:
            return _add_relation(cursor, i, phrase, predicate)
    return i


def _is_clause(cursor: Cursor, i: int) -> bool:
    """ "as bees swarm", "as the sun sets": a verb comes soon."""
    return any(
        cursor.at(k) in verb_forms.VERBS and cursor.at(k + 1) not in words.DETERMINERS
        for k in range(i + 1, i + 4)
    )


_PASSIVE = {"flanked by": "~flank", "surrounded by": "~around"}


def _add_relation(cursor: Cursor, i: int, phrase: tuple[str, ...], predicate: str) -> int:
    after = i + len(phrase)
    following = cursor.at(after)
    if phrase == ("to",) and verb_forms.VERBS.get(following) == following:
        return cursor.add(after + 1, "verb", following, said=following)
    if phrase == ("as",) and cursor.last == "np" and _is_clause(cursor, after):
        return cursor.add(after, "stop", "as")
    if phrase == ("as",) or (phrase == ("next",) and not following):
        return after
    if phrase == ("over",) and (following in words.NUMBERS or following.isdigit()):
        return after
    if " ".join(phrase) in _PASSIVE:
        return cursor.add(after, "rel", _PASSIVE[" ".join(phrase)], said=" ".join(phrase))
    inverse = " ".join(phrase) in words.INVERSE
    name = f"~{predicate}" if inverse else predicate
    return cursor.add(after, "rel", name, said=" ".join(phrase))
