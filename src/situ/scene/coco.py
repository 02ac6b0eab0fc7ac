"""Scenes to and from COCO annotations: boxes [x, y, width, height] in pixels (Lin et al. 2014).

COCO keeps boxes and captions in two files that share image ids: an "instances" file and a
"captions" file. Both are taken as parsed JSON here; read_coco opens them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from situ.scene import strict_json
from situ.scene.box import Box, Canvas, Four
from situ.scene.errors import SceneError, at, shown
from situ.scene.fields import entry, mapping, number, sequence, whole
from situ.scene.layout import MAX_OBJECTS, Layout, Object
from situ.scene.scene import MAX_SIDE_PX, Scene

EDGE_PX = 1.0  # COCO's own boxes reach this far over the edge of their pictures


@dataclass(frozen=True, slots=True)
class CocoImage:
    """One annotated picture: every caption it has, and the layout they share."""

    image_id: int
    file_name: str
    captions: tuple[str, ...]
    layout: Layout
    width: int
    height: int

    def scene(self, caption: int = 0) -> Scene:
        """The scene of one caption; numbers beyond the last begin again at the first."""
        if not self.captions:
            raise SceneError(f"image {self.image_id} has no caption")
        text = self.captions[caption % len(self.captions)]
        return Scene(text, self.layout, self.width, self.height)


def to_coco(scenes: Iterable[Scene]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The instances and the captions of scenes, with image ids and categories counted from 1."""
    images, boxes, captions = [], [], []
    categories: dict[str, int] = {}
    for image_id, scene in enumerate(scenes, start=1):
        size = {"width": scene.width, "height": scene.height}
        images.append({"id": image_id, "file_name": f"{image_id:012d}.png", **size})
        captions.append({"id": image_id, "image_id": image_id, "caption": scene.caption})
        for item in scene.layout:
            category_id = categories.setdefault(item.phrase, len(categories) + 1)
            ids = {"id": len(boxes) + 1, "image_id": image_id, "category_id": category_id}
            boxes.append(ids | _measures(item.box.to_xywh(scene.canvas)))
    names = [{"id": category_id, "name": name} for name, category_id in categories.items()]
    instances = {"images": images, "annotations": boxes, "categories": names}
    return instances, {"images": images, "annotations": captions}


def from_coco(
    instances: Mapping[str, Any],
    captions: Mapping[str, Any],
    names: Mapping[int, str] | None = None,
    min_area: float = 0.0,
) -> Iterator[CocoImage]:
    """Every picture of the instances, pictures and objects in the order of the file.

    names gives the phrase of a category id; without it the file's own categories do. Left out are
    crowds, boxes of no area or less than min_area of the picture, all but the MAX_OBJECTS largest,
    and blank captions. Boxes are cut at the edge of the picture, which COCO's cross by a hair.
    """
    phrases = names or category_names(instances)
    boxes, texts = by_image(instances), by_image(captions)
    _check_unit(instances)
    for image in _items(instances, "images"):
        image_id, canvas = _id(image, "id"), _canvas(image)
        found = [_object(annotation, phrases, canvas) for annotation in boxes[image_id]]
        large = [item for item in found if item and item.box.area >= min_area]
        spoken = tuple(filter(None, map(_caption, texts[image_id])))
        yield CocoImage(image_id, entry(image, "file_name"), spoken, _largest(large), *canvas)


def read_coco(
    instances: str | Path,
    captions: str | Path,
    names: Mapping[int, str] | None = None,
    min_area: float = 0.0,
) -> Iterator[CocoImage]:
    """from_coco on two files, which are read whole."""
    pictures = from_coco(_read(instances), _read(captions), names, min_area)
    with at(f"{instances} with {captions}"):
        yield from pictures


def _measures(xywh: Four) -> dict[str, Any]:
    return {"bbox": list(xywh), "area": xywh[2] * xywh[3], "iscrowd": 0}


def _object(
    annotation: Mapping[str, Any], phrases: Mapping[int, str], canvas: Canvas
) -> Object | None:
    if annotation.get("iscrowd"):
        return None
    with at(f"annotation {annotation.get('id')}"):
        category_id = _id(annotation, "category_id")
        if category_id not in phrases:
            raise SceneError(f"category_id {category_id} has no name")
        x, y, width, height = _bbox(annotation)
        _check_inside((x, y, width, height), canvas)
        box = Box.clamped(
            x / canvas[0], y / canvas[1], (x + width) / canvas[0], (y + height) / canvas[1]
        )
        return Object(phrases[category_id], box) if box else None


def _canvas(image: Mapping[str, Any]) -> Canvas:
    with at(f"image {image.get('id')}"):
        width, height = (whole(entry(image, k), k, 1, MAX_SIDE_PX) for k in ("width", "height"))
        return width, height


def _id(record: Mapping[str, Any], key: str) -> int:
    return whole(entry(record, key), key, 0, 2**63)


def _bbox(annotation: Mapping[str, Any]) -> list[float]:
    values = [number(v, "bbox") for v in sequence(entry(annotation, "bbox"), "bbox")]
    if len(values) != 4 or min(values[2:]) < 0:
        raise SceneError(f"bbox {values} is not [x, y, width, height]")
    return values


def _check_inside(xywh: Four, canvas: Canvas) -> None:
    x, y, width, height = xywh
    over = max(-x, -y, x + width - canvas[0], y + height - canvas[1])
    if over > EDGE_PX:
        corners = width > x and height > y
        hint = "; if this is [x0, y0, x1, y1], write x1 - x0 and y1 - y0" if corners else ""
        raise SceneError(
            f"bbox {list(xywh)} leaves the {canvas[0]}x{canvas[1]} picture by {over:g} pixels; "
            f"COCO boxes are [x, y, width, height]{hint}"
        )


def _check_unit(instances: Mapping[str, Any]) -> None:
    """Fractions would pass for boxes of less than a pixel."""
    boxes = [entry(annotation, "bbox") for annotation in _items(instances, "annotations")]
    if boxes and all(max(_bbox({"bbox": box})) <= 1 for box in boxes):
        raise SceneError("no bbox is larger than 1: these are fractions, COCO boxes are in pixels")


def _largest(objects: list[Object]) -> Layout:
    ranked = sorted(range(len(objects)), key=lambda index: -objects[index].box.area)
    return Layout(tuple(objects[index] for index in sorted(ranked[:MAX_OBJECTS])))


def _caption(annotation: Mapping[str, Any]) -> str:
    with at(f"caption {annotation.get('id')}"):
        caption = entry(annotation, "caption")
        if not isinstance(caption, str):
            raise SceneError(f"caption must be text, got {shown(caption)}")
        return caption.strip()


def category_names(instances: Mapping[str, Any]) -> dict[int, str]:
    """The names of categories by their ids. Raises SceneError where a record has none."""
    return {_id(c, "id"): entry(c, "name") for c in _items(instances, "categories")}


def by_image(data: Mapping[str, Any]) -> dict[int, list[Mapping[str, Any]]]:
    """The annotations of a file by the picture they are of, none for other ids. Raises SceneError."""
    groups: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for annotation in _items(data, "annotations"):
        groups[_id(annotation, "image_id")].append(annotation)
    return groups


def _items(data: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    return [mapping(item, f"{key}[...]") for item in sequence(entry(data, key), key)]


def _read(path: str | Path) -> Mapping[str, Any]:
    with at(path):
        return mapping(strict_json.parse(strict_json.read(path, limited=False)), "COCO data")
