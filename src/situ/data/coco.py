"""COCO-format data sets (COCO itself, the storybook, GOAL2K) as scenes with pictures."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from situ.scene import Box, Layout, Object, Scene, SituError
from situ.scene.coco import by_image, category_names
from situ.scene.errors import at
from situ.scene.layout import MAX_OBJECTS

MIN_AREA = 0.01  # of the canvas: smaller boxes are left out, as in GLIGEN's loaders


@dataclass(frozen=True, slots=True)
class Crop:
    """The largest centred square of a picture: (width, height) in, normalised boxes out."""

    width: int
    height: int

    @property
    def side(self) -> int:
        return min(self.width, self.height)

    @property
    def left_top(self) -> tuple[int, int]:
        return (self.width - self.side) // 2, (self.height - self.side) // 2

    def picture(self, image: Image.Image, size: int) -> Image.Image:
        left, top = self.left_top
        square = image.crop((left, top, left + self.side, top + self.side))
        return (
            square if self.side == size else square.resize((size, size), Image.Resampling.BICUBIC)
        )

    def box(self, bbox_xywh_px: Sequence[float]) -> Box | None:
        """The box after the crop, or None where less than MIN_AREA of the canvas is left of it."""
        left, top = self.left_top
        x, y, width, height = bbox_xywh_px
        x0, x1 = (min(max((v - left) / self.side, 0.0), 1.0) for v in (x, x + width))
        y0, y1 = (min(max((v - top) / self.side, 0.0), 1.0) for v in (y, y + height))
        return Box(x0, y0, x1, y1) if (x1 - x0) * (y1 - y0) >= MIN_AREA else None


@dataclass(frozen=True, slots=True)
class Item:
    """One picture of the set: where it lies, its captions and its layout after the crop."""

    image_id: int
    path: Path
    crop: Crop
    captions: tuple[str, ...]
    layout: Layout
    attributes: tuple[dict[str, Any], ...]

    def scene(self, caption: int = 0, size: int = 512) -> Scene:
        return Scene(self.captions[caption], self.layout, size, size)

    def pixels(self, size: int) -> NDArray[np.uint8]:
        """The centre-cropped picture, (size, size, 3)."""
        with Image.open(self.path) as image:
            return np.asarray(self.crop.picture(image.convert("RGB"), size))


def read_coco(
    folder: Path,
    instances: str = "annotations/instances.json",
    captions: str = "annotations/captions.json",
    images: str = "images",
) -> tuple[Item, ...]:
    """All pictures of a COCO-format folder that have a caption, in the order of the annotation file.

    An object's phrase is its annotation's `phrase` where there is one, else its category's name; objects
    are the largest MAX_OBJECTS that keep MIN_AREA of the centre crop, largest first (GLIGEN's loader).
    Unlike situ.scene.coco it takes crowds, too, and captions as they stand.
    """
    boxes, sentences = read_json(folder / instances), read_json(folder / captions)
    with at(folder / instances):
        names, objects = category_names(boxes), by_image(boxes)
    with at(folder / captions):
        texts = by_image(sentences)
    return tuple(
        _item(folder / images, image, texts[image["id"]], objects[image["id"]], names)
        for image in boxes["images"]
        if texts[image["id"]]
    )


def _item(
    images: Path,
    image: dict[str, Any],
    captions: Sequence[Mapping[str, Any]],
    annotations: Sequence[Mapping[str, Any]],
    names: Mapping[int, str],
) -> Item:
    crop = Crop(image["width"], image["height"])
    placed = [(crop.box(annotation["bbox"]), annotation) for annotation in annotations]
    kept = [(box, annotation) for box, annotation in placed if box is not None]
    kept = sorted(kept, key=lambda pair: -pair[0].area)[:MAX_OBJECTS]
    objects = tuple(Object(a.get("phrase", names[a["category_id"]]), box) for box, a in kept)
    attributes = tuple(
        {"kind": names[a["category_id"]], **a.get("attributes", {})} for _, a in kept
    )
    path = images / image["file_name"]
    said = tuple(caption["caption"] for caption in captions)
    return Item(image["id"], path, crop, said, Layout(objects), attributes)


def read_json(path: Path) -> dict[str, Any]:
    """An annotation file; a missing or broken one is an error that names it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SituError(f"{path} is missing: a COCO folder holds annotations and images") from None
    except json.JSONDecodeError as error:
        raise SituError(f"{path}:{error.lineno}: not valid JSON: {error.msg}") from None
