"""Layouts of other programs: every round trip, and units that do not belong."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from situ.scene import Box, Layout, Object, Scene, SceneError
from situ.scene.coco import CocoImage, from_coco, read_coco, to_coco
from situ.scene.formats import (
    from_diffusers,
    from_gligen,
    from_ideogram,
    from_yolo,
    to_diffusers,
    to_gligen,
    to_ideogram,
    to_yolo,
)

POND = Scene(
    "a red fish by a reed",
    Layout((Object("red fish", Box(0.05, 0.4, 0.45, 0.8)), Object("reed", Box(0.5, 0, 0.75, 1)))),
    640,
    480,
)


def assert_same(read: Scene, written: Scene, within: float = 1e-9) -> None:
    assert read.layout.phrases == written.layout.phrases
    for one, other in zip(read.layout.boxes, written.layout.boxes, strict=True):
        assert one.xyxy == pytest.approx(other.xyxy, abs=within)
    assert (read.caption, read.canvas) == (written.caption, written.canvas)


@given(scene=...)
def test_gligen_and_diffusers_come_back_exactly(scene: Scene) -> None:
    assert from_gligen(to_gligen(scene), scene.canvas) == scene
    assert from_diffusers(to_diffusers(scene)) == scene


@given(scene=...)
def test_yolo_comes_back(scene: Scene) -> None:
    names = sorted(set(scene.layout.phrases))
    assert_same(from_yolo(to_yolo(scene, names), names, scene.caption, scene.canvas), scene)


@given(scene=...)
def test_ideogram_comes_back_to_a_thousandth(scene: Scene) -> None:
    prompt = to_ideogram(scene)
    read = from_ideogram(json.loads(json.dumps(prompt)), scene.canvas)
    assert_same(read, scene, within=0.00101)
    assert to_ideogram(read) == prompt


@given(scenes=st.lists(st.from_type(Scene), max_size=4))
def test_coco_comes_back(scenes: list[Scene]) -> None:
    instances, captions = json.loads(json.dumps(to_coco(scenes)))
    boxes = [annotation["bbox"] for annotation in instances["annotations"]]
    assume(not boxes or max(map(max, boxes)) > 1)  # else a reader must take them for fractions
    pictures = list(from_coco(instances, captions))
    for picture, scene in zip(pictures, scenes, strict=True):
        assert picture.captions == (scene.caption.strip(),)
        stripped = Scene(scene.caption.strip(), scene.layout, *scene.canvas)
        assert_same(picture.scene(), stripped)


def test_the_written_forms() -> None:
    assert to_gligen(POND) == {
        "prompt": "a red fish by a reed",
        "phrases": ["red fish", "reed"],
        "locations": [[0.05, 0.4, 0.45, 0.8], [0.5, 0, 0.75, 1]],
    }
    assert to_diffusers(POND)["gligen_boxes"] == to_gligen(POND)["locations"]
    assert to_yolo(POND, ["reed", "red fish"]).splitlines()[1] == "0 0.625 0.5 0.25 1.0"
    ideogram = to_ideogram(POND, background="a pond")["compositional_deconstruction"]
    assert ideogram["background"] == "a pond"
    assert ideogram["elements"][0] == {
        "type": "obj",
        "bbox": [400, 50, 800, 450],
        "desc": "red fish",
    }
    instances, captions = to_coco([POND])
    assert instances["annotations"][1]["bbox"] == [320, 0, 160, 480]
    assert instances["categories"] == [{"id": 1, "name": "red fish"}, {"id": 2, "name": "reed"}]
    assert captions["annotations"][0]["caption"] == POND.caption


def test_settings_a_scene_has_no_place_for_are_left_unread() -> None:
    assert from_diffusers(to_diffusers(POND) | {"num_inference_steps": 50}) == POND
    assert from_diffusers({"prompt": "a", "gligen_phrases": [], "gligen_boxes": []}) == Scene("a")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"locations": [[0, 0, 1, 1]]}, "2 phrases but 1 locations: give one box each"),
        ({"locations": [[32, 192, 288, 384], [0, 0, 1, 1]]}, "locations[0]: box [32.0, 192.0"),
        ({"locations": [[0.5, 0.5, 0.2, 0.2]] * 2}, "if this is [x, y, width, height]"),
        ({"locations": [[0, 0, 1, 1], [0, 0, 1]]}, "locations[1]: a box is four numbers"),
        ({"phrases": "fish"}, "phrases must be a list, got 'fish'"),
        ({"prompt": None}, "caption must be text, got None"),
    ],
)
def test_wrong_gligen(change: dict[str, Any], says: str) -> None:
    with pytest.raises(SceneError, match=re.escape(says)):
        from_gligen(to_gligen(POND) | change)


def test_keys_of_the_other_dialect() -> None:
    with pytest.raises(SceneError, match=r"the key 'phrases' is missing.*gligen_phrases"):
        from_gligen(to_diffusers(POND))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0 .5 .5 1 1\n\n1 320 240 100 50", "line 3: [320.0, 240.0, 100.0, 50.0] are not frac"),
        ("0 .5 .5 1 1 0.93", "line 1: 6 columns, not the 5 of `class cx cy width height`; drop"),
        ("0 0 0 1 0 1 1 0 1", "9 columns, not the 5 of `class cx cy width height`; a polygon"),
        ("0 .5 .5 1", "4 columns"),
        ("2 .5 .5 1 1", "class 2 has no name: there are 2, counted from 0"),
        ("-1 .5 .5 1 1", "class -1 has no name"),
        ("fish .5 .5 1 1", "is not a class and four numbers"),
        ("0 .9 .5 .5 .5", "x1=1.15 is outside 0..1"),
        ("0 .5 .5 nan .5", "width must be a finite number, got nan"),
    ],
)
def test_wrong_yolo(text: str, says: str) -> None:
    with pytest.raises(SceneError, match=re.escape(says)):
        from_yolo(text, ["fish", "reed"], "a pond")


def test_a_phrase_that_is_no_yolo_class() -> None:
    with pytest.raises(SceneError, match=r"objects\[1\]: 'reed' is no class: did you mean 'reeds'"):
        to_yolo(POND, ["red fish", "reeds"])


def test_six_decimals_of_a_yolo_box_at_the_edge() -> None:
    scene = from_yolo("0 0.166667 0.500000 0.333334 1.000000", ["fish"], "a pond")
    assert scene.layout[0].box.x0 == 0


@pytest.mark.parametrize(
    ("element", "says"),
    [
        ({"bbox": [0.4, 0.05, 0.8, 0.45]}, "every value must be a whole number, got 0.4 (float)"),
        ({"bbox": [0, 0, 1080, 500]}, "every value must be in 0..1000, got 1080"),
        ({"bbox": [0, 0, 500]}, "bbox is [y0, x0, y1, x1], got [0, 0, 500]"),
        ({"bbox": [800, 50, 400, 450]}, "y0=0.8 must be less than y1=0.4"),
        ({"bbox": "0 0 1 1"}, "bbox must be a list"),
        ({"type": "text", "text": "OPEN"}, "type 'text' has no place in a scene"),
        ({"desc": " "}, "phrase is empty"),
    ],
)
def test_wrong_ideogram(element: dict[str, Any], says: str) -> None:
    prompt = to_ideogram(POND)
    prompt["compositional_deconstruction"]["elements"][1].update(element)
    with pytest.raises(SceneError, match=re.escape("elements[1]: ") + ".*" + re.escape(says)):
        from_ideogram(prompt)


def test_an_ideogram_element_without_a_box() -> None:
    prompt = to_ideogram(POND)
    del prompt["compositional_deconstruction"]["elements"][0]["bbox"]
    with pytest.raises(SceneError, match=r"elements\[0\]: no bbox: give it one, or remove"):
        from_ideogram(prompt)
    with pytest.raises(SceneError, match="compositional_deconstruction must be a JSON object"):
        from_ideogram({"compositional_deconstruction": []})


def test_ideogram_boxes_thinner_than_a_thousandth_stay() -> None:
    thin = Scene("a reed", Layout((Object("reed", Box(0.9999, 0, 1, 1)),)))
    elements = to_ideogram(thin)["compositional_deconstruction"]["elements"]
    assert elements[0]["bbox"] == [0, 999, 1000, 1000]


def coco(*boxes: list[Any], **fields: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """One picture of 640x480 with these boxes of category 7, "fish", and two captions."""
    annotations = [
        {"id": 40 + i, "image_id": 9, "category_id": 7, "bbox": box} | fields
        for i, box in enumerate(boxes)
    ]
    image = {"id": 9, "file_name": "pond.jpg", "width": 640, "height": 480}
    names = [{"id": 7, "name": "fish", "supercategory": "animal"}]
    texts = [{"id": i, "image_id": 9, "caption": c} for i, c in enumerate((" a fish\n", "", "two"))]
    instances = {"images": [image], "annotations": annotations, "categories": names}
    return instances, {"annotations": texts}


def only(*data: Any, **settings: Any) -> CocoImage:
    (picture,) = from_coco(*data, **settings)
    return picture


def test_a_coco_picture() -> None:
    picture = only(*coco([320, 0, 160, 480]))
    assert (picture.image_id, picture.file_name) == (9, "pond.jpg")
    assert picture.captions == ("a fish", "two")
    assert picture.layout[0] == Object("fish", Box(0.5, 0, 0.75, 1))
    assert picture.scene(1).caption == "two"
    assert picture.scene(2) == picture.scene(0)
    assert picture.scene().canvas == (640, 480)


def test_coco_names_may_be_given() -> None:
    assert only(*coco([0, 0, 9, 9]), names={7: "a carp"}).layout.phrases == ("a carp",)


def test_what_coco_leaves_out() -> None:
    assert len(only(*coco([0, 0, 9, 9], [5, 5, 0, 9])).layout) == 1
    assert len(only(*coco([0, 0, 9, 9], iscrowd=1)).layout) == 0
    assert len(only(*coco([0, 0, 9, 9], [0, 0, 64, 48]), min_area=0.01).layout) == 1
    many = only(*coco(*[[i, 0, 1 + i, 9] for i in range(40)])).layout
    assert len(many) == 30
    assert many[0].box.width == pytest.approx(11 / 640)
    assert many[29].box.width == pytest.approx(40 / 640)


def test_coco_boxes_are_cut_at_the_edge() -> None:
    assert only(*coco([-0.4, 0, 640.9, 480])).layout[0].box == Box(0, 0, 1, 1)


@pytest.mark.parametrize(
    ("box", "says"),
    [
        ([300, 200, 600, 400], "bbox [300.0, 200.0, 600.0, 400.0] leaves the 640x480 picture by"),
        ([300, 200, 600, 400], "if this is [x0, y0, x1, y1], write x1 - x0 and y1 - y0"),
        ([1, 2, -3, 4], "bbox [1.0, 2.0, -3.0, 4.0] is not [x, y, width, height]"),
        ([1, 2, 3], "is not [x, y, width, height]"),
        ([1, 2, "3", 4], "bbox must be a number, got '3' (str)"),
    ],
)
def test_wrong_coco_boxes_name_their_annotation(box: list[Any], says: str) -> None:
    with pytest.raises(SceneError, match=re.escape("annotation 41: ") + ".*" + re.escape(says)):
        only(*coco([0, 0, 9, 9], box))


def test_coco_boxes_in_fractions() -> None:
    with pytest.raises(SceneError, match="these are fractions, COCO boxes are in pixels"):
        only(*coco([0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1]))


def test_coco_without_a_name_a_key_or_a_caption() -> None:
    with pytest.raises(SceneError, match="annotation 40: category_id 7 has no name"):
        only(*coco([0, 0, 9, 9]), names={1: "fish"})
    with pytest.raises(SceneError, match="the key 'images' is missing"):
        only({"annotations": [], "categories": []}, {"annotations": []})
    with pytest.raises(SceneError, match="image 9 has no caption"):
        only(coco([0, 0, 9, 9])[0], {"annotations": []}).scene()
    with pytest.raises(SceneError, match="category_id must be a whole number, got '7'"):
        only(*coco([0, 0, 9, 9], category_id="7"))


def test_a_coco_picture_without_a_size() -> None:
    instances, captions = coco([0, 0, 9, 9])
    instances["images"][0]["height"] = 0
    with pytest.raises(SceneError, match=r"image 9: height must be in 1\.\.16384, got 0"):
        only(instances, captions)


def test_coco_files(tmp_path: Path) -> None:
    paths = tmp_path / "instances.json", tmp_path / "captions.json"
    for path, data in zip(paths, to_coco([POND]), strict=True):
        path.write_text(json.dumps(data), encoding="utf-8")
    (picture,) = read_coco(*paths)
    assert_same(picture.scene(), POND)
    paths[1].write_text("[]", encoding="utf-8")
    with pytest.raises(SceneError, match=re.escape(f"{paths[1]}: COCO data must be a JSON object")):
        list(read_coco(*paths))
    paths[0].write_text(json.dumps(coco([0.1, 0.2, 0.3, 0.4])[0]), encoding="utf-8")
    paths[1].write_text('{"annotations": []}', encoding="utf-8")
    with pytest.raises(SceneError, match=r"instances\.json with .*captions\.json: no bbox is"):
        list(read_coco(*paths))
