"""Objects and layouts: which thing goes where."""

from collections.abc import Iterator
from dataclasses import dataclass

from situ.scene.box import Box
from situ.scene.errors import SceneError, shown
from situ.scene.fields import text

MAX_OBJECTS = 30  # the number of grounding tokens of GLIGEN (Li et al. 2023)
MAX_PHRASE_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Object:
    """A phrase and the box it belongs in. Runs of white space in the phrase become one space."""

    phrase: str
    box: Box

    def __post_init__(self) -> None:
        phrase = " ".join(text(self.phrase, "phrase").split())
        if len(phrase) > MAX_PHRASE_CHARACTERS:
            raise SceneError(
                f"phrase {shown(phrase)} has {len(phrase)} characters; at most "
                f"{MAX_PHRASE_CHARACTERS} are allowed: name the thing in a few words"
            )
        object.__setattr__(self, "phrase", phrase)
        if not isinstance(self.box, Box):
            raise SceneError(f"box must be a Box, got {shown(self.box)}: write Box(x0, y0, x1, y1)")


@dataclass(frozen=True, slots=True)
class Layout:
    """At most MAX_OBJECTS objects in their order; an empty layout leaves all to the caption."""

    objects: tuple[Object, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "objects", tuple(self.objects))
        for index, item in enumerate(self.objects):
            if not isinstance(item, Object):
                raise SceneError(f"objects[{index}] must be an Object, got {shown(item)}")
        if len(self) > MAX_OBJECTS:
            raise SceneError(
                f"a layout holds at most {MAX_OBJECTS} objects, got {len(self)}: keep the largest"
            )

    def __iter__(self) -> Iterator[Object]:
        return iter(self.objects)

    def __len__(self) -> int:
        return len(self.objects)

    def __getitem__(self, index: int) -> Object:
        return self.objects[index]

    @property
    def phrases(self) -> tuple[str, ...]:
        return tuple(item.phrase for item in self)

    @property
    def boxes(self) -> tuple[Box, ...]:
        return tuple(item.box for item in self)
