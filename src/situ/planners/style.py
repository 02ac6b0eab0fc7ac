"""What is said about the picture as a whole: style, quality and frame; kept away from the boxes."""

from collections.abc import Sequence

from situ.planners import words
from situ.planners.words import word_set

_BY_FIRST: dict[str, list[tuple[str, ...]]] = {}
for _phrase in sorted(words.STYLE_PHRASES, key=lambda p: -len(p.split())):
    _BY_FIRST.setdefault(_phrase.split()[0], []).append(tuple(_phrase.split()))
_BEFORE_FRAME = words.DETERMINERS | words.ADJECTIVES | words.REQUESTS | words.STYLE | word_set(
    "child's to see this is there book storybook children's kid's of crayon pencil"
)  # fmt: skip
_CUT_OFF = ("in the style of", "by artist", "art by")


def take(text: Sequence[str]) -> tuple[list[str], list[str]]:
    """Words without style, and the style."""
    kept, style = _without_phrases(list(text))
    start, frame = _frame(kept)
    return kept[start:], [*frame, *style]


def _without_phrases(text: list[str]) -> tuple[list[str], list[str]]:
    kept: list[str] = []
    style: list[str] = []
    i = 0
    while i < len(text):
        length = _style_at(text, i)
        if length:
            style.append(" ".join(text[i : i + length]))
            i += length
            continue
        kept.append(text[i])
        i += 1
    return kept, style


def _style_at(text: list[str], i: int) -> int:
    for phrase in _BY_FIRST.get(text[i], ()):
        if tuple(text[i : i + len(phrase)]) == phrase:
            after = text[i + len(phrase)] if i + len(phrase) < len(text) else ""
            if " ".join(phrase) in _CUT_OFF:
                return _until_mark(text, i)
            return len(phrase) + (after in ("style", "of"))
    if text[i] in words.STYLE and text[i] not in ("style", "lighting", "render", "rendered"):
        return 1 + (i + 1 < len(text) and text[i + 1] in ("style", "lighting"))
    return 0


def _until_mark(text: list[str], i: int) -> int:
    end = i
    while end < len(text) and text[end] not in (",", ".", ";"):
        end += 1
    return end - i


def _frame(text: list[str]) -> tuple[int, list[str]]:
    """ "I would like a photo of": where the picture itself begins."""
    i = 0
    while i < min(len(text), 12):
        word = text[i]
        if (
            word in words.FRAMES
            and i + 1 < len(text)
            and text[i + 1] in ("of", "with", "showing", "where", ":", "showing")
        ):
            frame = " ".join(
                w for w in text[:i] if w not in words.REQUESTS and w not in words.ARTICLES
            )
            return i + 2, [f"{frame} {word}".strip()]
        if (
            word in words.FRAMES
            and i + 1 < len(text)
            and text[i + 1] == "that"
            and "shows" in text[i : i + 3]
        ):
            return i + 3, [word]
        if word not in _BEFORE_FRAME and word not in words.FRAMES and word != ",":
            break
        i += 1
    start = 0
    while start < len(text) and text[start] in words.REQUESTS and text[start] not in ("paint",):
        start += 1
    return (start, []) if start else (0, [])
