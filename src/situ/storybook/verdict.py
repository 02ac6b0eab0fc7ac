"""What a page got right: findings of a detector held against the objects that were asked for.

Everything here is a pure function of boxes and words; no pictures, no networks.
"""

import difflib
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from situ.scene import Box, Layout, SituError
from situ.storybook.kinds import KINDS
from situ.storybook.palette import COLOURS, TEXTURES

IOU = 0.5  # the least overlap at which a finding answers a wish
CONFIDENCE = 0.3  # the least score at which a finding counts as a thing on the page


@dataclass(frozen=True, slots=True)
class Finding:
    """A thing that a detector sees, and how sure it is, 0..1."""

    kind: str
    colour: str
    texture: str
    box: Box
    score: float


@dataclass(frozen=True, slots=True)
class Wish:
    """A thing that was asked for; any colour will do where `colour` is None."""

    kind: str
    colour: str | None
    texture: str
    box: Box


@dataclass(frozen=True, slots=True)
class Mark:
    """A finding as average precision sees it: does it hit a wish of its kind?"""

    kind: str
    score: float
    hit: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """Counts of one scene. `right_look` asks for kind, colour and texture; `extra` counts the sure
    findings that stand where nothing was asked for, or where something else already answers."""

    kinds: tuple[str, ...]  # of the wishes
    right_kind: int
    right_colour: int
    right_look: int
    extra: int
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and its bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Score:
    """Shares of the asked objects that were answered, extra things per asked object, and AP50."""

    kind: Estimate
    colour: Estimate
    look: Estimate
    extra: Estimate
    ap50: Estimate
    scenes: int
    objects: int


def wishes(layout: Layout) -> tuple[Wish, ...]:
    """The objects of a layout, their phrases read by `parse`."""
    return tuple(Wish(*parse(item.phrase), item.box) for item in layout)


def parse(phrase: str) -> tuple[str, str | None, str]:
    """Kind, colour and texture of "striped blue house"; a texture that is not named is plain."""
    words = phrase.lower().split()
    if words and words[0] in ("a", "an", "the"):
        words = words[1:]
    texture = words.pop(0) if words and words[0] in TEXTURES else "plain"
    colour = words.pop(0) if words and words[0] in COLOURS else None
    if len(words) == 1 and words[0] in KINDS:
        return words[0], colour, texture
    raise SituError(
        f"phrase {phrase!r} is not of the storybook{_hint(words)}; write [texture] [colour] kind, "
        'such as "striped blue house"'
    )


def _hint(words: Sequence[str]) -> str:
    known = (*KINDS, *COLOURS, *TEXTURES)
    unknown = next((word for word in words if word not in known), None)
    close = difflib.get_close_matches(unknown or "", known, 1)
    return f": {unknown!r} may mean {close[0]!r}" if close else ""


def give_verdict(
    asked: Sequence[Wish], findings: Sequence[Finding], confidence: float = CONFIDENCE
) -> Verdict:
    """Match the findings of one picture to what was asked for, one to one.

    A finding of the right kind answers first; one of another kind in a place left over is a wrong
    thing, not an extra one.
    """
    sure = [finding for finding in findings if finding.score >= confidence]
    pairs = match(asked, sure, lambda wish, finding: wish.kind == finding.kind)
    coloured = [(w, f) for w, f in pairs if asked[w].colour in (None, sure[f].colour)]
    alike = [(w, f) for w, f in coloured if asked[w].texture == sure[f].texture]
    rest = [sure[i] for i in _left(sure, (f for _, f in pairs))]
    places = [asked[i] for i in _left(asked, (w for w, _ in pairs))]
    extra = len(rest) - len(match(places, rest, lambda wish, finding: True))
    kinds = tuple(wish.kind for wish in asked)
    marks = _marks(asked, findings)
    return Verdict(kinds, len(pairs), len(coloured), len(alike), extra, marks)


def match(
    asked: Sequence[Wish], findings: Sequence[Finding], fits: Callable[[Wish, Finding], bool]
) -> list[tuple[int, int]]:
    """Pairs (wish, finding) that fit and overlap by IOU, the best overlap first, each used once."""
    overlaps = [
        (wish.box.iou(finding.box), finding.score, w, f)
        for w, wish in enumerate(asked)
        for f, finding in enumerate(findings)
        if fits(wish, finding)
    ]
    pairs: dict[int, int] = {}
    for overlap, _, w, f in sorted(overlaps, key=lambda o: (-o[0], -o[1])):
        if overlap >= IOU and w not in pairs and f not in pairs.values():
            pairs[w] = f
    return sorted(pairs.items())


def _left(things: Sequence[object], used: Iterable[int]) -> list[int]:
    taken = set(used)
    return [i for i in range(len(things)) if i not in taken]


def _marks(asked: Sequence[Wish], findings: Sequence[Finding]) -> tuple[Mark, ...]:
    """COCO's matching: the surest finding first, each takes the best free wish of its kind."""
    free, marks = list(asked), []
    for finding in sorted(findings, key=lambda f: -f.score):
        places = [wish for wish in free if wish.kind == finding.kind]
        best = max(places, key=lambda wish: wish.box.iou(finding.box), default=None)
        hit = best is not None and best.box.iou(finding.box) >= IOU
        if best is not None and hit:
            free.remove(best)
        marks.append(Mark(finding.kind, finding.score, hit))
    return tuple(marks)


def ap50(verdicts: Sequence[Verdict]) -> float:
    """Mean over the asked kinds of the area under precision over recall, 101 points as in COCO."""
    wanted: dict[str, int] = {}
    marks: dict[str, list[Mark]] = {}
    for verdict in verdicts:
        for kind in verdict.kinds:
            wanted[kind] = wanted.get(kind, 0) + 1
        for mark in verdict.marks:
            marks.setdefault(mark.kind, []).append(mark)
    areas = [average_precision(marks.get(kind, []), count) for kind, count in wanted.items()]
    return sum(areas) / max(1, len(areas))


def average_precision(marks: Sequence[Mark], wanted: int) -> float:
    """Mean over recall 0, 0.01 ... 1 of the best precision at that recall or more; one kind."""
    hits, steps = 0, []
    for rank, mark in enumerate(sorted(marks, key=lambda m: -m.score), 1):
        hits += mark.hit
        if mark.hit:
            steps.append((hits, hits / rank))
    best, total = 0.0, 0.0
    for point in range(100, -1, -1):
        while steps and steps[-1][0] * 100 >= point * wanted:
            best = max(best, steps.pop()[1])
        total += best
    return total / 101


def score(verdicts: Sequence[Verdict], draws: int = 1000, level: float = 0.95) -> Score:
    """The verdicts of a set together, with bootstrap intervals over its scenes."""

    def estimate(statistic: Callable[[Sequence[Verdict]], float]) -> Estimate:
        return bootstrap(verdicts, statistic, draws, level)

    return Score(
        estimate(lambda some: _share(some, [v.right_kind for v in some])),
        estimate(lambda some: _share(some, [v.right_colour for v in some])),
        estimate(lambda some: _share(some, [v.right_look for v in some])),
        estimate(lambda some: _share(some, [v.extra for v in some])),
        estimate(ap50),
        len(verdicts),
        sum(len(v.kinds) for v in verdicts),
    )


def _share(verdicts: Sequence[Verdict], counts: Sequence[int]) -> float:
    return sum(counts) / max(1, sum(len(v.kinds) for v in verdicts))


def bootstrap(
    verdicts: Sequence[Verdict],
    statistic: Callable[[Sequence[Verdict]], float],
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """A statistic with its percentile interval over scenes drawn with replacement (Efron 1979)."""
    if not verdicts:
        raise SituError("there are no verdicts to score: judge at least one scene")
    values = sorted(statistic(some) for some in _resamples(verdicts, draws, seed))
    tail = round((1 - level) / 2 * (len(values) - 1))
    return Estimate(statistic(verdicts), values[tail], values[len(values) - 1 - tail])


def _resamples(verdicts: Sequence[Verdict], draws: int, seed: int) -> Iterator[Sequence[Verdict]]:
    rng = random.Random(seed)
    for _ in range(draws):
        yield rng.choices(verdicts, k=len(verdicts))
