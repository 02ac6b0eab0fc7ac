"""Stage 7: boxes for the things of a prompt, out of what a detector finds on its picture."""

from collections.abc import Sequence

from situ.evaluation.detections import Detection
from situ.goal2k.journal import Row
from situ.goal2k.looking import DECIMALS, Look, Seen, found_of, rounded


def rows(seen: Sequence[Seen], look: Look) -> list[Row]:
    """For each phrase as many of its surest findings as were asked for; the others are extra."""
    return [_row(one, found) for one, found in zip(seen, look(seen), strict=True)]


def _row(seen: Seen, found: Sequence[Detection]) -> Row:
    groups = dict(found_of(found))
    objects, missing = [], {}
    extra: list[Detection] = []
    for thing in seen.prompt.things:
        some = groups.pop(thing.phrase, [])
        chosen = sorted(some[: thing.count], key=lambda d: d.box.xyxy)  # from left to right
        objects += [_found(detection) for detection in chosen]
        extra += some[thing.count :]
        if len(chosen) < thing.count:
            missing[thing.phrase] = thing.count - len(chosen)
    extra += [detection for some in groups.values() for detection in some]
    height, width = seen.pixels.shape[:2]
    return {
        "id": seen.prompt.id,
        "file": seen.file,
        "width": width,
        "height": height,
        "objects": objects,
        "missing": missing,
        "extra": [_found(detection) for detection in extra],
    }


def _found(detection: Detection) -> Row:
    return {
        "phrase": detection.label,
        "box": rounded(detection.box.xyxy),
        "score": round(detection.score, DECIMALS),
    }
