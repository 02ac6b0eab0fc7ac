"""Sentences about numbers of things: "more cats than dogs", "twice as many apples as oranges"."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from situ.planners import words
from situ.planners.verb_forms import word_set

Order = Literal["more", "fewer", "same"]

_NAME = r"((?:[a-z'’-]+ ){0,3}?[a-z'’-]+)"
_END = (
    r"(?= [.,;:!?)]| (?:in|inside|on|at|and|but|with|under|near|around|beside|behind|above|below|next|"
    r"between|by|is|are|there|while|which|that)\b|$)"
)
_THAN = (
    r"(?:(?P<{0}more>more|greater|larger|bigger|higher) than|(?P<{0}fewer>fewer|less|smaller|lower) than|"
    r"(?P<{0}same>the same as|same as|same with|the same with|equal to|equivalent to|identical to|as many as))"  # noqa: E501
)
_OTHER = r"(?: (?:that|those) of| the (?:number|amount|quantity) of)?(?: the)? "
_COUNT = rf"{'|'.join(words.NUMBERS)}|\d+"
_PATTERNS = (
    re.compile(
        rf"(?:(?:with|and|where) )*(?:the )?(?:number|amount|quantity) of (?:the )?(?P<a>{_NAME}) "
        rf"(?:(?:is|are|was|were|being) )?"
        rf"(?:(?P<times>twice|half|\w+ times)(?: as (?:many|much|large|big) as)?|{_THAN.format('')})"
        rf"{_OTHER}(?P<b>{_NAME}){_END}"
    ),
    re.compile(
        rf"(?:there (?:are|is) )?(?:(?P<times>twice|half|\w+ times) )?as many (?P<a>{_NAME}) as "
        rf"(?:there are )?(?P<b>{_NAME}){_END}"
    ),
    re.compile(
        rf"(?:there (?:are|is) )?(?:(?P<plus>{_COUNT}) )?(?:(?P<more>more)|(?P<fewer>fewer|less)) (?P<a>{_NAME}) than "  # noqa: E501
        rf"(?:there are )?(?P<b>{_NAME}){_END}"
    ),
    re.compile(
        rf"(?P<same>(?:the same|an equal|equal)) (?:number|amount)s? of (?P<a>{_NAME}) (?:and|as) "
        rf"(?P<b>{_NAME}){_END}"
    ),
)
# What is compared with something that was counted before.
_ALONE = (
    re.compile(
        rf"(?:(?:with|and|where) )*(?:the )?(?:number|amount|quantity) of (?:the )?(?P<a>{_NAME}) (?:is|are) "
        rf"(?:(?P<more>more|greater|larger|bigger|higher)|(?P<fewer>fewer|less|smaller|lower)|"
        rf"(?P<same>the same|equal)){_END}"
    ),
    re.compile(
        rf"(?:and |with )?(?P<same>(?:the same|an equal|equal) (?:number|amount) of|as many) (?P<a>{_NAME}){_END}"  # noqa: E501
    ),
    re.compile(rf"(?:and|with|,) (?:(?P<more>more)|(?P<fewer>fewer|less)) (?P<a>{_NAME}){_END}"),
)
_COUNTED = re.compile(
    rf"(?:the )?(?:number|amount) of (?:the )?(?P<a>{_NAME}) (?:is|are) "
    rf"(?P<n>{'|'.join(words.NUMBERS)}|\d+)\b"
)
_TOLD = (
    re.compile(
        rf"(?:the )?(?P<a>{_NAME}) (?:is|are) (?:(?P<more>more)|(?P<fewer>fewer|less)) than (?:the )?(?P<b>{_NAME}){_END}"  # noqa: E501
    ),
    re.compile(
        rf"(?:the )?(?P<a>{_NAME}) (?P<more>outnumber|exceed)s? (?:the )?(?P<b>{_NAME}){_END}"
    ),
)
_HINTS = word_set(
    "than as number amount equal quantity more fewer less outnumber outnumbers exceed exceeds"
)
_FACTORS = {"twice": 2.0, "half": 0.5}


@dataclass(frozen=True, slots=True)
class Comparison:
    """first has `order` of second: by `plus` where that is said, or `factor` times as many."""

    first: tuple[str, ...]
    order: Order
    second: tuple[str, ...]
    plus: int = 0
    factor: float = 0.0

    def first_from(self, count: int) -> int:
        """How many of the first there are for a number of the second."""
        if self.factor:
            return max(1, round(count * self.factor))
        step = self.plus or max(1, round(count / 3))
        return {"same": count, "more": count + step, "fewer": max(1, count - step)}[self.order]

    def second_from(self, count: int) -> int:
        """How many of the second there are for a number of the first."""
        if self.factor:
            return max(1, round(count / self.factor))
        turned: dict[Order, Order] = {"same": "same", "more": "fewer", "fewer": "more"}
        return Comparison(self.second, turned[self.order], self.first, self.plus).first_from(count)


def take(text: Sequence[str]) -> tuple[list[str], list[Comparison]]:
    """Comparisons of a text, and the words that are left."""
    if _HINTS.isdisjoint(text):
        return list(text), []
    text = _multiplied(text)
    joined, found = _COUNTED.sub(r"there are \g<n> \g<a>", " ".join(text)), []
    for pattern in (*_PATTERNS, *_TOLD, *_ALONE):
        while match := pattern.search(joined):
            found.append(_comparison(match))
            before, after = joined[: match.start()], joined[match.end() :]
            joined = f"{before} {_kept(found[-1], before, after)} {after}"
    return joined.split(), found


def _multiplied(text: Sequence[str]) -> list[str]:
    """ "three lemons and twice as many limes": six limes."""
    kept = list(text)
    for i in range(len(kept) - 2):
        factor = _factor(kept, i)
        if not factor or kept[i : i + 2] != ["as", "many"] or "as" in kept[i + 2 : i + 7]:
            continue
        if counted := [n for word in kept[:i] if (n := _number(word)) > 1]:
            start = i - (2 if kept[i - 1] == "times" else 1)
            return [*kept[:start], str(max(1, round(counted[-1] * factor))), *kept[i + 2 :]]
    return kept


def _factor(text: Sequence[str], i: int) -> float:
    """What stands before "as many": "twice", "half", "three times"."""
    if i > 1 and text[i - 1] == "times":
        return float(_number(text[i - 2]))
    return _FACTORS.get(text[i - 1], 0.0) if i else 0.0


def _number(word: str) -> int:
    return int(word) if word.isdecimal() and len(word) < 3 else words.NUMBERS.get(word, 0)


def _kept(told: Comparison, before: str, after: str) -> str:
    """What is left of a comparison: both sides, where they stand somewhere and are named nowhere else."""
    elsewhere = f"{before} {after}".split()
    sides = told.first, told.second
    stands = after.split()[:1] and after.split()[0] in words.PREPOSITIONS
    known = [bool(side) and side[-1] in elsewhere for side in sides]
    if stands and told.first and known == [False, True] and before.endswith(" and "):
        return " ".join(told.first)  # "three lemons and one more lime than lemons in a bowl"
    if not all(sides) or any(known):
        return "."
    return f"{' '.join(told.first)} and {' '.join(told.second)}" if stands else "."


def _comparison(match: re.Match[str]) -> Comparison:
    said = match.groupdict()
    times, plus = said.get("times") or "", said.get("plus") or ""
    factor = (
        _FACTORS.get(times) or float(words.NUMBERS.get(times.split(" ")[0], 0)) if times else 0.0
    )
    order: Order = "more" if said.get("more") else "fewer" if said.get("fewer") else "same"
    number = _number(plus)
    first, second = (_bare(said.get(name) or "") for name in ("a", "b"))
    return Comparison(first, order, second, number, factor)


def _bare(name: str) -> tuple[str, ...]:
    return tuple(word for word in name.split() if word not in words.DETERMINERS)
