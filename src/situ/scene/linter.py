"""What is allowed in a scene but seldom meant: findings, each with a suggestion."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from situ.scene.scene import Scene, as_told

MAX_TOKENS = 77  # the context of CLIP's text encoder (Radford et al. 2021), ends included
TWIN_IOU = 0.95
HEAVY_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark: "warning" changes the picture for the worse, "note" may be intended."""

    severity: Literal["warning", "note"]
    code: str
    message: str
    suggestion: str


def lint(
    scene: Scene,
    token_count: Callable[[str], int] | None = None,
    latent_cell: float = 8.0,
) -> tuple[Finding, ...]:
    """Everything worth a second look, in the order of the objects.

    token_count gives the tokens of a text, start and end tokens included; without it lengths are
    not checked. latent_cell is the side in pixels of the area one latent cell stands for.
    """
    return (
        *_canvas(scene, latent_cell),
        *_lengths(scene, token_count or (lambda _: 0)),
        *_unnamed(scene),
        *_small(scene, latent_cell),
        *_overlaps(scene),
    )


def _canvas(scene: Scene, cell: float) -> Iterator[Finding]:
    if scene.width % cell or scene.height % cell:
        width, height = (max(1, round(side / cell)) * cell for side in scene.canvas)
        yield Finding(
            "warning",
            "canvas-off-grid",
            f"the canvas {scene.width}x{scene.height} is no multiple of {cell:g} pixels",
            f"use {width:g}x{height:g}",
        )


def _lengths(scene: Scene, token_count: Callable[[str], int]) -> Iterator[Finding]:
    texts = [("caption", scene.caption)]
    texts += [(f"phrase of {_name(scene, i)}", text) for i, text in enumerate(scene.layout.phrases)]
    for name, text in texts:
        tokens = token_count(text)
        if tokens > MAX_TOKENS:
            yield Finding(
                "warning",
                "text-too-long",
                f"the {name} has {tokens} tokens; the text encoder reads the first {MAX_TOKENS}",
                "shorten it, or put what matters first",
            )


def _unnamed(scene: Scene) -> Iterator[Finding]:
    for index, span in enumerate(as_told(scene).spans()):
        if span is None:
            yield Finding(
                "warning",
                "phrase-not-in-caption",
                f"the caption does not contain the phrase of {_name(scene, index)}",
                "use the caption's own words, or add the phrase to the caption",
            )


def _small(scene: Scene, cell: float) -> Iterator[Finding]:
    for index, box in enumerate(scene.layout.boxes):
        width, height = box.width * scene.width, box.height * scene.height
        if width < cell or height < cell:
            yield Finding(
                "warning",
                "box-below-cell",
                f"{_name(scene, index)} is {width:.1f}x{height:.1f} pixels, less than the "
                f"{cell:g} pixels of one latent cell",
                "make the box larger, or the canvas",
            )


def _overlaps(scene: Scene) -> Iterator[Finding]:
    for (i, one), (j, other) in combinations(enumerate(scene.layout.boxes), 2):
        iou = one.iou(other)
        if iou < HEAVY_IOU:
            continue
        pair = f"{_name(scene, i)} and {_name(scene, j)}"
        if iou >= TWIN_IOU:
            yield Finding("warning", "twin-boxes", f"{pair} have the same box", "remove one")
        else:
            message = f"{pair} overlap heavily (IoU {iou:.2f})"
            yield Finding("note", "heavy-overlap", message, "move them apart")


def _name(scene: Scene, index: int) -> str:
    return f'objects[{index}] "{scene.layout[index].phrase}"'
