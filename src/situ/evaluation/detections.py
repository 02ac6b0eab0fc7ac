"""What a detector saw in pictures, and COCO's file format for it.

A result file is a list of {"image_id", "category_id", "bbox": [x, y, width, height] in pixels,
"score"} (Lin et al. 2014). It names neither the pictures nor the classes it speaks of, so a file of
another set, in another unit or with other category numbers is read without a complaint by most
tools and scores next to nothing. Here each of these is an error that names the row.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from situ.files.atomic import write_bytes
from situ.scene import Box, SituError, strict_json
from situ.scene.box import Canvas
from situ.scene.errors import at, shown
from situ.scene.fields import entry, mapping, number, sequence, text, whole

EDGE_PX = 1.0  # how far a box of a file may reach over the edge of its picture; it is cut there
LARGEST_ID = 2**63
DECIMALS = 6  # of a written pixel: what a file says in fewer digits is written as it was read


@dataclass(frozen=True, slots=True)
class Detection:
    """A thing that a detector sees: what it is, how sure the detector is (0..1), and where."""

    label: str
    score: float
    box: Box  # situ.scene.Box, normalised xyxy

    def __post_init__(self) -> None:
        text(self.label, "label")
        if not 0 <= number(self.score, "score") <= 1:
            raise SituError(f"score must be in 0..1, got {shown(self.score)}")


Found = Mapping[int, Sequence[Detection]]  # image id -> what stands on that picture


class Detector(Protocol):
    """Anything that looks at pictures."""

    def find(
        self, pictures: NDArray[np.uint8], phrases: Sequence[Sequence[str]]
    ) -> list[list[Detection]]:
        """The things on each picture [N, H, W, 3], the surest first.

        phrases says what to look for, picture by picture. A detector of an open vocabulary labels
        its findings with these phrases; one of fixed classes reports every class it knows.
        """
        ...


@dataclass(frozen=True, slots=True)
class PictureSet:
    """The pictures and classes that a result file speaks of."""

    sizes: Mapping[int, Canvas]  # image id -> (width, height) in pixels
    names: Mapping[int, str]  # category id -> label; COCO's 80 classes are numbered 1..90

    def __post_init__(self) -> None:
        labels = list(self.names.values())
        twice = next((label for label in labels if labels.count(label) > 1), None)
        if twice is not None:
            raise SituError(f"two categories are named {twice!r}; a label must mean one of them")

    @classmethod
    def of(cls, instances: Mapping[str, Any]) -> "PictureSet":
        """From the `images` and `categories` of an instances file."""
        sizes = {i["id"]: (i["width"], i["height"]) for i in entry(instances, "images")}
        names = {c["id"]: c["name"] for c in entry(instances, "categories")}
        return cls(sizes, names)


def overlaps(one: Sequence[Box], other: Sequence[Box]) -> NDArray[np.float64]:
    """Intersection over union of every box of one with every box of the other: [one, other]."""
    a = np.array([box.xyxy for box in one]).reshape(-1, 1, 4)
    b = np.array([box.xyxy for box in other]).reshape(1, -1, 4)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    common = sides.clip(0).prod(-1)
    areas = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1)
    return common / (areas - common)


def read_detections(path: Path, pictures: PictureSet) -> dict[int, list[Detection]]:
    """The detections of a COCO result file; a picture without any has an empty list.

    Raises SituError that names file, row (counted from 0) and value: image and category ids that the
    set does not have, boxes in fractions, boxes that leave their picture by more than EDGE_PX, boxes
    of no area, numbers that are missing, not finite or, for scores, outside of 0..1.
    """
    with at(path):
        return from_results(_rows(path), pictures)


def read_labelled(path: Path, files: Sequence[str]) -> list[list[Detection]]:
    """Detections of pictures by their file names, in the order of `files`.

    The file is a COCO instances file whose annotations have a "score": {"images": [{"id", "file_name",
    "width", "height"}], "categories": [{"id", "name"}], "annotations": [{"image_id", "category_id", "bbox",
    "score"}]}. Raises SituError as read_detections does, and where the file speaks of other pictures.
    """
    with at(path):
        content = mapping(strict_json.parse(strict_json.read(path, limited=False)), "the file")
        rows = sequence(entry(content, "annotations"), "annotations")
        _check_unit(rows)
        ids = {str(entry(i, "file_name")): i["id"] for i in entry(content, "images")}
        lacking = [name for name in files if name not in ids]
        if lacking:
            raise SituError(
                f"has no picture {lacking[0]} and {len(lacking)} of {len(files)} in all; it is of another "
                f"set: {_some(ids)}"
            )
        found = from_results(rows, PictureSet.of(content))
    return [found[ids[name]] for name in files]


def write_detections(path: Path, found: Found, pictures: PictureSet) -> None:
    """Write detections as a COCO result file, whole or not at all."""
    with at(path):
        content = json.dumps(to_results(found, pictures), allow_nan=False)
    write_bytes(path, (content + "\n").encode())


def from_results(rows: Sequence[Any], pictures: PictureSet) -> dict[int, list[Detection]]:
    """Rows of COCO's result format as detections, the order of the rows kept."""
    found: dict[int, list[Detection]] = {image_id: [] for image_id in pictures.sizes}
    for index, row in enumerate(rows):
        with at(f"row {index}"):
            image_id, detection = _detection(mapping(row, "a detection"), pictures)
        found[image_id].append(detection)
    return found


def to_results(found: Found, pictures: PictureSet) -> list[dict[str, Any]]:
    """Detections as rows of COCO's result format, boxes in pixels of their picture."""
    ids = {name: category_id for category_id, name in pictures.names.items()}
    rows = []
    for image_id, detections in found.items():
        canvas = _canvas(image_id, pictures)
        for detection in detections:
            if detection.label not in ids:
                raise SituError(f"label {detection.label!r} is no category; {_some(ids)}")
            row = {"image_id": image_id, "category_id": ids[detection.label]}
            bbox = xywh_px(detection.box, canvas)
            rows.append(row | {"bbox": bbox, "score": float(detection.score)})
    return rows


def xywh_px(box: Box, canvas: Canvas) -> list[float]:
    """A box as COCO writes it. The rounding matters: boxes in whole pixels meet IoU 0.5 exactly."""
    return [round(value, DECIMALS) for value in box.to_xywh(canvas)]


def _rows(path: Path) -> Sequence[Any]:
    content = strict_json.read(path, limited=False)
    try:
        rows = json.loads(content)  # NaN passes here and is refused where its row is known
    except json.JSONDecodeError as error:
        raise SituError(f"line {error.lineno}: not valid JSON: {error.msg}") from None
    sequence(rows, "COCO results")
    _check_unit(rows)
    return rows


def _check_unit(rows: Sequence[Any]) -> None:
    """One box of less than a pixel may be meant; a whole file of them is in fractions."""
    boxes = [row.get("bbox") for row in rows if isinstance(row, Mapping)]
    fractions = [isinstance(b, list) and all(_is_fraction(v) for v in b) for b in boxes]
    if boxes and all(fractions):
        raise SituError(
            f"row 0: bbox {shown(boxes[0])}, like all others, has no number above 1: these are "
            "fractions of the picture; COCO boxes are [x, y, width, height] in pixels"
        )


def _is_fraction(value: object) -> bool:
    return isinstance(value, int | float) and value <= 1


def _detection(row: Mapping[str, Any], pictures: PictureSet) -> tuple[int, Detection]:
    image_id = whole(entry(row, "image_id"), "image_id", 0, LARGEST_ID)
    canvas = _canvas(image_id, pictures)
    category_id = whole(entry(row, "category_id"), "category_id", 0, LARGEST_ID)
    if category_id not in pictures.names:
        raise SituError(f"category_id {category_id} is not of this set; {_some(pictures.names)}")
    box = _box(entry(row, "bbox"), canvas)
    return image_id, Detection(pictures.names[category_id], entry(row, "score"), box)


def _canvas(image_id: int, pictures: PictureSet) -> Canvas:
    if image_id not in pictures.sizes:
        raise SituError(f"image_id {image_id} is not of this set; {_some(pictures.sizes)}")
    return pictures.sizes[image_id]


def _box(bbox: object, canvas: Canvas) -> Box:
    values = [number(value, "bbox") for value in sequence(bbox, "bbox")]
    if len(values) != 4 or min(values[2:]) <= 0:
        raise SituError(f"bbox {shown(values)} is not [x, y, width, height] with some area")
    x, y, width, height = values
    over = max(-x, -y, x + width - canvas[0], y + height - canvas[1])
    if over > EDGE_PX:
        raise SituError(
            f"bbox {shown(values)} leaves the {canvas[0]}x{canvas[1]} picture by {over:g} pixels; "
            f"{_hint(values)}"
        )
    x0, x1 = x / canvas[0], (x + width) / canvas[0]
    y0, y1 = y / canvas[1], (y + height) / canvas[1]
    box = Box.clamped(x0, y0, x1, y1)
    if box is None:
        raise SituError(f"bbox {shown(values)} has no area on the {canvas[0]}x{canvas[1]} picture")
    return box


def _hint(values: Sequence[float]) -> str:
    x, y, third, fourth = values
    if third > x >= 0 and fourth > y >= 0:
        corners = shown([x, y, third - x, fourth - y])
        return f"if these are corners, write {corners}; else the boxes belong to a larger picture"
    return "COCO boxes are [x, y, width, height] in pixels of the picture, cut at its edge"


def _some(known: Mapping[Any, Any]) -> str:
    names = list(known)
    return f"it has {len(names)}: {', '.join(map(str, names[:5]))}{', ...' * (len(names) > 5)}"
