"""How near a detector comes to boxes that are known: those that the storybook drew."""

from collections.abc import Iterator, Mapping, Sequence

from situ.goal2k import pages
from situ.goal2k.prompts import Prompt
from situ.goal2k.release import Made
from situ.goal2k.settings import STORYBOOK
from situ.scene import Box, Object
from situ.storybook.grammar import phrase

FOUND_IOU = 0.5


def truth(made: Made) -> Mapping[str, float]:
    """The detector's boxes against those that the storybook drew; nothing for other pictures.

    found: share of the drawn things with a box of their phrase at FOUND_IOU; iou: the mean of those;
    false: boxes that answer no drawn thing, for each drawn one. Over all pictures that were boxed.
    """
    if made.settings.pictures.source != STORYBOOK:
        return {}
    drawn = boxed = 0
    ious: list[float] = []
    for prompt in made.prompts:
        found = made.boxes.get(prompt.id)
        if found is None:
            continue
        things = _drawn(prompt, made.pictures[found["file"]]["candidate"])
        boxes = [Object(o["phrase"], Box.of(o["box"])) for o in found["objects"]]
        drawn, boxed = drawn + len(things), boxed + len(boxes)
        ious += matches(things, boxes)
    return {
        "things": drawn,
        "found": len(ious) / max(1, drawn),
        "iou": sum(ious) / max(1, len(ious)),
        "false": (boxed - len(ious)) / max(1, drawn),
    }


def matches(things: Sequence[Object], boxes: Sequence[Object]) -> Iterator[float]:
    """IoU of pairs of the same phrase that overlap by FOUND_IOU, the best first, each used once."""
    pairs = sorted(
        (
            (-thing.box.iou(box.box), t, b)
            for t, thing in enumerate(things)
            for b, box in enumerate(boxes)
            if thing.phrase == box.phrase
        )
    )
    used_things, used_boxes = set(), set()
    for minus, t, b in pairs:
        if -minus >= FOUND_IOU and t not in used_things and b not in used_boxes:
            used_things.add(t)
            used_boxes.add(b)
            yield -minus


def _drawn(prompt: Prompt, candidate: int) -> list[Object]:
    page = pages.page_of(prompt)
    shown = pages.candidate(page, candidate, prompt.relations, prompt.phrases)
    return [Object(phrase(thing), thing.box) for thing in shown.things]
