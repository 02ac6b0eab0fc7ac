"""Sentences told in another order than usual, put into the usual one before they are read."""

from collections.abc import Sequence

from situ.planners.chunking.items import Item
from situ.planners.verb_forms import is_participle

_PREDICATES = ("cop", "verb", "have")


def in_order(items: Sequence[Item]) -> list[Item]:
    """The items, with what was told backwards or denied of two subjects in plain order."""
    found: list[Item] = []
    rest = list(items)
    while rest:
        for turn in (_neither, _nothing_but, _participle_first):
            if len(found) == 0 or found[-1].kind in ("stop", "with", "have", "there"):
                rest = turn(rest)
        found.append(rest.pop(0))
    return found


def _kinds(items: Sequence[Item], number: int) -> list[str]:
    return [item.kind for item in items[:number]] + ["stop"] * (number - len(items))


def _neither(items: list[Item]) -> list[Item]:
    """ "Neither the boy nor the girl wears a hat": the boy and the girl wear none."""
    kinds = _kinds(items, 5)
    if kinds[:4] != ["neg", "np", "neg", "np"] or kinds[4] not in _PREDICATES:
        return items
    if (items[0].word, items[2].word) != ("neither", "nor"):
        return items
    end = 5 + (len(items) > 5 and kinds[4] == "cop" and items[5].kind == "verb")
    denied = [*items[4:end], Item("neg", "not")]
    return [items[1], Item("and", "and"), items[3], *denied, *items[end:]]


def _nothing_but(items: list[Item]) -> list[Item]:
    """ "nothing on it except a lamp": a lamp on it."""
    phrase = items[0].phrase
    if phrase is None or phrase.noun != "nothing":
        return items
    kinds = _kinds(items, 6)
    for place in (1, 2, 3, 4):
        but = (items[place : place + 1] or [Item("stop")])[0].word in ("except", "but")
        if but and kinds[place] in ("neg", "but") and kinds[place + 1] == "np":
            return [items[place + 1], *items[1:place], *items[place + 2 :]]
    return items


def _participle_first(items: list[Item]) -> list[Item]:
    """ "Perched on a chimney, a stork ...", "Above it hangs ...", "Hanging above the sofa is a mirror"."""
    if items[0].kind != "verb" or not is_participle(items[0].said):
        return items
    end = next((i for i, item in enumerate(items) if item.kind in ("comma", "cop", "stop")), 0)
    if end < 2 or _kinds(items[end:], 2) not in (["comma", "np"], ["cop", "np"]):
        return items
    if any(item.kind in ("verb", "have", "with", "neg") for item in items[1:end]):
        return items
    subject, told = items[end + 1], items[:end]
    if items[end].kind == "comma":
        return [subject, *told, Item("comma"), *items[end + 2 :]]
    return [subject, *told, *items[end + 2 :]]
