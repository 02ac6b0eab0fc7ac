"""Scenes as people hand them in: typed, or from files, before it is known which model draws them.

A scene file need not name its canvas; then the model's own size is taken. Everything here runs
before any network is loaded, so that a mistake in the last line of a file is found at once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from situ.scene import Layout, Scene, SituError, codec, strict_json
from situ.scene.errors import at
from situ.scene.linter import Finding, lint

SIDES = ("width", "height")
FAR = 2  # times smaller or larger than what the network was trained at

# Past this many contexts of the text encoder a caption is no caption: cutting it would drop most of it.
MAX_CONTEXTS = 4


@dataclass(frozen=True, slots=True)
class Draft:
    """A scene, where it came from, which of its sides were given, and what to tell about it."""

    scene: Scene
    place: str
    given: frozenset[str] = frozenset()
    note: str = ""

    def on(self, side: int, width: int | None = None, height: int | None = None) -> Scene:
        """The scene on a canvas: as asked for here, else as its file says, else the model's own."""
        said = {key: getattr(self.scene, key) for key in self.given}
        asked = {k: v for k, v in (("width", width), ("height", height)) if v is not None}
        return replace(self.scene, **{"width": side, "height": side, **said, **asked})


def typed(caption: str, objects: Sequence[str]) -> Draft:
    """A caption and objects from a command line, each as "red fish: 0.05 0.4 0.45 0.8"."""
    with at("scene"):
        return Draft(Scene(caption, Layout(tuple(map(codec.parse_object, objects)))), "scene")


def planned(draft: Draft, seed: int, words: frozenset[str] | None, **planner: Any) -> Draft:
    """The draft with boxes that are planned from its caption; `words` and `planner` as in plan_scenes."""
    from situ.app.plan import plan_scenes, summary, told

    (plan,) = plan_scenes([draft.scene.caption], seed=seed, words=words, **planner)
    boxes = ", ".join(map(codec.format_object, plan.layout)) or "no boxes"
    note = "; ".join([f"planned {boxes}, from {summary(plan)}", *told(plan)])
    return replace(draft, scene=replace(draft.scene, layout=plan.layout), note=note)


def read_one(path: Path) -> Draft:
    """The scene of a JSON file."""
    text = strict_json.read(path)
    with at(path):
        return _draft(text, str(path))


def read_many(path: Path) -> tuple[Draft, ...]:
    """All scenes of a JSONL file; an error names its line."""
    drafts = tuple(_each(path))
    if not drafts:
        raise SituError(f"{path}: no scene in it; give one JSON object to a line")
    return drafts


def check_lengths(drafts: Sequence[Draft], count: Callable[[str], int], length: int) -> None:
    """Refuse texts that are far longer than the text encoder reads; shorter ones are only cut."""
    limit = MAX_CONTEXTS * length
    for draft in drafts:
        texts = {"caption": draft.scene.caption}
        texts |= {f"objects[{i}].phrase": p for i, p in enumerate(draft.scene.layout.phrases)}
        for name, text in texts.items():
            if (tokens := count(text)) > limit:
                raise SituError(
                    f"{draft.place}: {name} has {tokens} tokens; the text encoder reads {length}, and "
                    f"more than {limit} are refused: shorten it"
                )


def remarks(scene: Scene, side: int, cell: float, count: Callable[[str], int]) -> Iterator[Finding]:
    """The linter's findings, and one that needs to know the model."""
    yield from lint(scene, count, cell)
    if not side / FAR <= min(scene.canvas) <= max(scene.canvas) <= side * FAR:
        yield Finding(
            "warning",
            "canvas-far-from-model",
            f"the canvas {scene.width}x{scene.height} is far from the {side} pixels of the model",
            f"use about {side}x{side}",
        )


def _each(path: Path) -> Iterator[Draft]:
    for place, line in strict_json.lines(path):
        with at(place):
            draft = _draft(line, place)
        yield draft


def _draft(text: str, place: str) -> Draft:
    record: Any = strict_json.parse(text)
    given = [key for key in SIDES if key in record] if isinstance(record, dict) else []
    return Draft(codec.from_json(record), place, frozenset(given))
