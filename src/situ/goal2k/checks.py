"""Stage 8: what can be checked without a person: counts, relations, sizes, and a second opinion.

A picture that passes all is accepted. One where less than half of its things are found is rejected. What
lies between goes to a person, and is not released without one.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from situ.data.coco import MIN_AREA
from situ.evaluation.clip_score import Encoder
from situ.evaluation.crops import crop_px
from situ.goal2k.journal import Row
from situ.goal2k.looking import Seen, found_of, looker
from situ.goal2k.prompts import Prompt
from situ.goal2k.settings import STORYBOOK, Boxes, Checks
from situ.scene import Box
from situ.scene.relations import RELATIONS

MOST_AREA = 0.95  # of the picture: a box of all of it says nothing
SAME = 0.8  # IoU at which two boxes are one
FEWEST = 0.5  # of the things: with fewer a picture is not of its caption
CROP_PX = 128

Opinion = Callable[[Sequence[Seen], Sequence[Row]], list[list[bool]]]  # for each box, agreed?


def opinion(settings: Checks) -> Opinion:
    """The second opinion of the settings."""
    if settings.source == "none":
        return lambda seen, found: [[True for _ in row["objects"]] for row in found]
    kind, _, folder = settings.source.partition(":")
    if kind == "clip":
        from situ.evaluation.clip_score import ClipScorer

        return by_crops(ClipScorer.from_folder(Path(folder).expanduser(), settings.device))
    if settings.source == STORYBOOK:
        return by_crops(_StorybookCritic())
    return by_detector(settings)


def rows(seen: Sequence[Seen], found: Sequence[Row], second: Opinion) -> list[Row]:
    """A verdict on each picture with its boxes, and the checks that failed."""
    agreed = second(seen, found)
    return [_row(one.prompt, row, yes) for one, row, yes in zip(seen, found, agreed, strict=True)]


def failed(prompt: Prompt, row: Row) -> list[str]:
    """What is wrong with boxes, in words; nothing when every check passes."""
    boxes = [Box.of(item["box"]) for item in row["objects"]]
    said = [f"missing: {count} x {phrase}" for phrase, count in row["missing"].items()]
    for item in row["extra"]:
        asked = item["phrase"] in prompt.phrases
        said.append(f"{'too many' if asked else 'not asked for'}: {item['phrase']}")
    said += _untrue(prompt, row)
    for item, box in zip(row["objects"], boxes, strict=True):
        if not MIN_AREA <= box.area <= MOST_AREA:
            said.append(f"size: {item['phrase']} has {box.area:.3f} of the picture")
    for i, one in enumerate(boxes):
        if any(one.iou(other) > SAME for other in boxes[:i]):
            said.append(f"double: {row['objects'][i]['phrase']} lies where another thing is")
    return said


def by_detector(settings: Checks) -> Opinion:
    """Another detector has a box of the same phrase there."""
    look = looker(Boxes(settings.source, device=settings.device))

    def agree(seen: Sequence[Seen], found: Sequence[Row]) -> list[list[bool]]:
        others = [found_of(some) for some in look(seen)]
        return [
            [
                any(
                    Box.of(item["box"]).iou(other.box) >= settings.iou
                    for other in groups.get(item["phrase"], ())
                )
                for item in row["objects"]
            ]
            for groups, row in zip(others, found, strict=True)
        ]

    return agree


def by_crops(encoder: Encoder) -> Opinion:
    """The crop of each box is nearer to its own phrase than to any other phrase of the prompt."""

    def agree(seen: Sequence[Seen], found: Sequence[Row]) -> list[list[bool]]:
        crops = [
            _crop(one, item["box"])
            for one, row in zip(seen, found, strict=True)
            for item in row["objects"]
        ]
        phrases = sorted({phrase for one in seen for phrase in one.prompt.phrases})
        column = {phrase: i for i, phrase in enumerate(phrases)}
        near = _cosines(encoder, crops, phrases) if crops else np.empty((0, len(phrases)))
        made, start = [], 0
        for one, row in zip(seen, found, strict=True):
            own = [column[phrase] for phrase in one.prompt.phrases]
            some = near[start : start + len(row["objects"])]
            start += len(row["objects"])
            made.append(
                [
                    bool(line[column[item["phrase"]]] >= line[own].max())
                    for item, line in zip(row["objects"], some, strict=True)
                ]
            )
        return made

    return agree


class _StorybookCritic:
    """The storybook's second CLIP, by which nothing is trained, as an Encoder."""

    def __init__(self) -> None:
        from situ.evaluation.storybook_world import CRITIC, Critic
        from situ.models.chatter import hushed

        with hushed():
            self.critic = Critic(CRITIC)

    def image_features(self, pictures, /):
        return self.critic.pictures(np.stack(list(pictures)))

    def text_features(self, texts: Sequence[str], /):
        return self.critic.texts(texts)


def _row(prompt: Prompt, row: Row, agreed: Sequence[bool]) -> Row:
    said = failed(prompt, row)
    for item, yes in zip(row["objects"], agreed, strict=True):
        if not yes:
            said.append(f"second opinion: {item['phrase']} is not there")
    few = len(row["objects"]) < FEWEST * prompt.total
    verdict = "reject" if few else "review" if said else "accept"
    return {"id": prompt.id, "verdict": verdict, "failed": said}


def _untrue(prompt: Prompt, row: Row) -> list[str]:
    """Relations of the caption that the boxes do not show, between things that are there once."""
    boxes: dict[str, list[Box]] = {}
    for item in row["objects"]:
        boxes.setdefault(item["phrase"], []).append(Box.of(item["box"]))
    said = []
    for relation in prompt.relations:
        one, other = prompt.things[relation.subject], prompt.things[relation.object]
        holds = RELATIONS.get(relation.predicate)
        pair = [*boxes.get(one.phrase, ()), *boxes.get(other.phrase, ())]
        if holds is None or one.count != 1 or other.count != 1 or len(pair) != 2:
            continue
        if not holds(*pair):
            said.append(f"relation: {one.phrase} is not {relation.predicate} {other.phrase}")
    return said


def _crop(seen: Seen, box: Sequence[float]) -> np.ndarray:
    image = Image.fromarray(crop_px(seen.pixels, Box.of(box)))
    return np.asarray(image.resize((CROP_PX, CROP_PX), Image.Resampling.BICUBIC))


def _cosines(encoder: Encoder, crops: Sequence[np.ndarray], phrases: Sequence[str]) -> np.ndarray:
    """[crops, phrases]."""
    images = np.asarray(encoder.image_features(list(crops)), np.float64)
    texts = np.asarray(encoder.text_features(list(phrases)), np.float64)
    images /= np.linalg.norm(images, axis=1, keepdims=True)
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    return images @ texts.T
