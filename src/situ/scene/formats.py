"""Scenes to and from the layouts of other programs, as plain dictionaries, lists and text.

    GLIGEN, diffusers   [x0, y0, x1, y1]            fractions of the picture
    YOLO                class cx cy width height    fractions of the picture
    Ideogram 4          [y0, x0, y1, x1]            whole numbers 0..1000, y first

COCO is in situ.scene.coco. A reader takes the unit its format declares and nothing else: pixels
where fractions belong are an error, not a guess. What a scene has no place for (styles, colours,
sampler settings) is left unread.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from situ.scene.box import Box, Canvas
from situ.scene.errors import SceneError, at, did_you_mean, shown
from situ.scene.fields import entry, mapping, sequence, whole
from situ.scene.layout import Layout, Object
from situ.scene.scene import Scene

SQUARE: Canvas = (512, 512)
IDEOGRAM_UNITS = 1000


def to_gligen(scene: Scene) -> dict[str, Any]:
    """The `prompt`, `phrases` and `locations` of GLIGEN's inference script."""
    return {
        "prompt": scene.caption,
        "phrases": list(scene.layout.phrases),
        "locations": [list(box.xyxy) for box in scene.layout.boxes],
    }


def from_gligen(data: Mapping[str, Any], canvas: Canvas = SQUARE) -> Scene:
    """Reads what to_gligen writes; the format does not tell the canvas."""
    return _from_lists(data, "phrases", "locations", canvas)


def to_diffusers(scene: Scene) -> dict[str, Any]:
    """Keyword arguments of diffusers' StableDiffusionGLIGENPipeline."""
    return {
        "prompt": scene.caption,
        "gligen_phrases": list(scene.layout.phrases),
        "gligen_boxes": [list(box.xyxy) for box in scene.layout.boxes],
        "width": scene.width,
        "height": scene.height,
    }


def from_diffusers(data: Mapping[str, Any]) -> Scene:
    """Reads what to_diffusers writes; without width and height the canvas is 512x512."""
    canvas = data.get("width", SQUARE[0]), data.get("height", SQUARE[1])
    return _from_lists(data, "gligen_phrases", "gligen_boxes", canvas)


def to_yolo(scene: Scene, names: Sequence[str]) -> str:
    """A YOLO label file: one line `class cx cy width height` per object.

    A class is the position of the phrase in names. The caption and the canvas are not kept.
    """
    lines = []
    for index, item in enumerate(scene.layout):
        if item.phrase not in names:
            allowed = did_you_mean(item.phrase, names)
            raise SceneError(f"objects[{index}]: {shown(item.phrase)} is no class: {allowed}")
        values = " ".join(map(repr, item.box.to_cxcywh()))
        lines.append(f"{list(names).index(item.phrase)} {values}\n")
    return "".join(lines)


def from_yolo(text: str, names: Sequence[str], caption: str, canvas: Canvas = SQUARE) -> Scene:
    """Reads a YOLO label file; the format tells neither the names, the caption nor the canvas."""
    objects = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            with at(f"line {number}"):
                objects.append(_yolo_object(line.split(), names))
    return Scene(caption, Layout(tuple(objects)), *canvas)


def to_ideogram(scene: Scene, background: str = "") -> dict[str, Any]:
    """The JSON prompt of Ideogram 4; boxes are rounded to thousandths and kept from vanishing."""
    units = (IDEOGRAM_UNITS, IDEOGRAM_UNITS)
    elements = []
    for item in scene.layout:
        x0, y0, x1, y1 = item.box.to_px(units)
        elements.append({"type": "obj", "bbox": [y0, x0, y1, x1], "desc": item.phrase})
    return {
        "high_level_description": scene.caption,
        "compositional_deconstruction": {"background": background, "elements": elements},
    }


def from_ideogram(data: Mapping[str, Any], canvas: Canvas = (1024, 1024)) -> Scene:
    """Reads an Ideogram 4 prompt whose elements are all objects with a box.

    The caption is the high-level description; style and background have no place in a scene.
    """
    name = "compositional_deconstruction"
    elements = sequence(entry(mapping(entry(data, name), name), "elements"), "elements")
    objects = []
    for index, element in enumerate(elements):
        with at(f"elements[{index}]"):
            objects.append(_ideogram_object(mapping(element, "an element")))
    return Scene(entry(data, "high_level_description"), Layout(tuple(objects)), *canvas)


def _from_lists(data: Mapping[str, Any], phrases: str, boxes: str, canvas: Canvas) -> Scene:
    names, corners = sequence(entry(data, phrases), phrases), sequence(entry(data, boxes), boxes)
    if len(names) != len(corners):
        raise SceneError(f"{len(names)} {phrases} but {len(corners)} {boxes}: give one box each")
    objects = []
    for index, (phrase, box) in enumerate(zip(names, corners, strict=True)):
        with at(f"{boxes}[{index}]"):
            objects.append(Object(phrase, Box.of(box)))
    return Scene(entry(data, "prompt"), Layout(tuple(objects)), *canvas)


def _yolo_object(words: list[str], names: Sequence[str]) -> Object:
    if len(words) != 5:
        raise SceneError(
            f"{len(words)} columns, not the 5 of `class cx cy width height`{_columns_hint(words)}"
        )
    try:
        index, values = int(words[0]), [float(word) for word in words[1:]]
    except ValueError:
        raise SceneError(f"{shown(' '.join(words))} is not a class and four numbers") from None
    if not 0 <= index < len(names):
        raise SceneError(f"class {index} has no name: there are {len(names)}, counted from 0")
    if max(values) > 1:
        raise SceneError(f"{values} are not fractions of the picture: divide pixels by its size")
    cx, cy, width, height = values
    return Object(names[index], Box.from_cxcywh(cx, cy, width, height))


def _columns_hint(words: list[str]) -> str:
    if len(words) == 6:
        return "; drop the sixth, a detector's confidence"
    return "; a polygon has more" if len(words) > 6 else ""


def _ideogram_object(element: Mapping[str, Any]) -> Object:
    kind = entry(element, "type")
    if kind != "obj":
        raise SceneError(f'type {shown(kind)} has no place in a scene: only "obj" has')
    if "bbox" not in element:
        raise SceneError("no bbox: give it one, or remove the element")
    values = sequence(element["bbox"], "bbox")
    if len(values) != 4:
        raise SceneError(f"bbox is [y0, x0, y1, x1], got {shown(values)}")
    hint = f"bbox {shown(values)}: every value"
    y0, x0, y1, x1 = (whole(value, hint, 0, IDEOGRAM_UNITS) for value in values)
    box = Box.from_px(x0, y0, x1, y1, (IDEOGRAM_UNITS, IDEOGRAM_UNITS))
    return Object(entry(element, "desc"), box)
