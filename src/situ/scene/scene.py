"""Scenes: a caption, a layout and the size of the canvas."""

import re
from dataclasses import dataclass, field, replace

from situ.scene.box import Canvas
from situ.scene.errors import SceneError, shown
from situ.scene.fields import text, whole
from situ.scene.layout import Layout, Object

Span = tuple[int, int]  # first character and one past the last

MAX_SIDE_PX = 16384
PLURALS = (("", "s"), ("", "es"), ("y", "ies"))  # house, houses; bus, buses; butterfly, butterflies


@dataclass(frozen=True, slots=True)
class Scene:
    """What to draw. The caption is kept exactly as written, so that spans index into it."""

    caption: str
    layout: Layout = field(default_factory=Layout)
    width: int = 512
    height: int = 512

    def __post_init__(self) -> None:
        text(self.caption, "caption")
        if not isinstance(self.layout, Layout):
            raise SceneError(f"layout must be a Layout, got {shown(self.layout)}")
        whole(self.width, "width", 1, MAX_SIDE_PX)
        whole(self.height, "height", 1, MAX_SIDE_PX)

    @property
    def canvas(self) -> Canvas:
        return self.width, self.height

    def span(self, phrase: str, occurrence: int = 0) -> Span | None:
        """Where the caption says the phrase, counting from 0; None where it does not."""
        found = _occurrences(phrase, self.caption)
        return found[occurrence] if 0 <= occurrence < len(found) else None

    def spans(self) -> tuple[Span | None, ...]:
        """The span of each object, one occurrence each as long as the caption has enough of them.

        Longer phrases choose first, so that "fish" does not take the fish out of "red fish".
        """
        chosen: dict[int, Span | None] = {}
        by_length = sorted(enumerate(self.layout.phrases), key=lambda pair: -len(pair[1]))
        for index, phrase in by_length:
            found = _occurrences(phrase, self.caption)
            taken = [span for span in chosen.values() if span]
            free = [span for span in found if not any(_overlap(span, other) for other in taken)]
            chosen[index] = next(iter(free or found), None)
        return tuple(chosen[index] for index in range(len(self.layout)))


def as_told(scene: Scene) -> Scene:
    """The scene with every phrase as its caption has it: in the plural where only that is there."""
    objects = tuple(Object(_told(scene, thing.phrase), thing.box) for thing in scene.layout)
    return replace(scene, layout=Layout(objects))


def _told(scene: Scene, phrase: str) -> str:
    if scene.span(phrase) is not None:
        return phrase
    forms = (phrase.removesuffix(old) + new for old, new in PLURALS if phrase.endswith(old))
    return next((form for form in forms if scene.span(form) is not None), phrase)


def _occurrences(phrase: str, caption: str) -> list[Span]:
    """Whole words, in any case and with any white space between them."""
    words = r"\s+".join(map(re.escape, phrase.split()))
    if not words:
        return []
    return [m.span() for m in re.finditer(rf"(?<!\w){words}(?!\w)", caption, re.IGNORECASE)]


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]
