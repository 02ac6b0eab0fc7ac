"""What stands on a page, in the storybook's words: findings of the judge, and how a phrase is read.

Scores are made of both in situ.evaluation.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from situ.scene import Box, SituError
from situ.storybook.kinds import KINDS
from situ.storybook.palette import COLOURS, TEXTURES


@dataclass(frozen=True, slots=True)
class Finding:
    """A thing that a detector sees, and how sure it is, 0..1."""

    kind: str
    colour: str
    texture: str
    box: Box
    score: float


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
