"""Objects, layouts, scenes, and where a caption says a phrase."""

import re
import subprocess
import sys

import pytest
from hypothesis import given

from situ.scene import Box, Layout, Object, Scene, SceneError, SituError
from situ.scene.errors import at, did_you_mean, shown
from situ.scene.layout import MAX_OBJECTS

HALF = Box(0, 0, 0.5, 1)


def scene(caption: str, *phrases: str) -> Scene:
    return Scene(caption, Layout(tuple(Object(phrase, HALF) for phrase in phrases)))


def test_white_space_in_a_phrase_is_one_space() -> None:
    assert Object("  red \n fish ", HALF).phrase == "red fish"


@pytest.mark.parametrize(
    ("phrase", "told"),
    [
        ("", "phrase is empty: write at least one word"),
        (" \t\n", "phrase is empty"),
        (7, r"phrase must be text, got 7 \(int\)"),
        ("a" * 301, "has 301 characters; at most 300 are allowed"),
        ("\ud800", "half a surrogate pair"),
    ],
)
def test_a_wrong_phrase(phrase: str, told: str) -> None:
    with pytest.raises(SceneError, match=told):
        Object(phrase, HALF)


def test_a_box_must_be_a_box() -> None:
    with pytest.raises(SceneError, match=r"box must be a Box, got \(0, 0, 1, 1\): write Box"):
        Object("fish", (0, 0, 1, 1))  # type: ignore[arg-type]


def test_a_layout_is_a_sequence_of_its_objects() -> None:
    fish, reed = Object("fish", HALF), Object("reed", Box(0.5, 0, 1, 1))
    layout = Layout([fish, reed])  # type: ignore[arg-type]
    assert list(layout) == [fish, reed]
    assert layout[1] is reed
    assert len(layout) == 2
    assert layout.phrases == ("fish", "reed")
    assert layout.boxes == (HALF, reed.box)
    assert layout == Layout((fish, reed))
    assert hash(layout) == hash(Layout((fish, reed)))
    assert len(Layout()) == 0


def test_the_thirty_first_object() -> None:
    fish = Object("fish", HALF)
    assert len(Layout((fish,) * MAX_OBJECTS)) == 30
    with pytest.raises(SceneError, match="at most 30 objects, got 31: keep the largest"):
        Layout((fish,) * 31)
    with pytest.raises(SceneError, match=r"objects\[1\] must be an Object, got 'reed'"):
        Layout((fish, "reed"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"caption": ""}, "caption is empty"),
        ({"caption": None}, "caption must be text, got None"),
        ({"layout": []}, r"layout must be a Layout, got \[\]"),
        ({"width": 0}, r"width must be in 1\.\.16384, got 0"),
        ({"width": 10**9}, r"width must be in 1\.\.16384"),
        ({"height": 512.0}, r"height must be a whole number, got 512.0 \(float\)"),
        ({"height": True}, r"height must be a whole number, got True \(bool\)"),
    ],
)
def test_a_wrong_scene(fields: dict[str, object], told: str) -> None:
    with pytest.raises(SceneError, match=told):
        Scene(**({"caption": "a pond"} | fields))  # type: ignore[arg-type]


def test_a_caption_is_kept_as_written_and_may_be_long() -> None:
    text = "  a pond,\n at dusk " * 5000
    assert Scene(text).caption == text
    assert Scene("a pond", width=640, height=480).canvas == (640, 480)


def test_a_span_is_whole_words_in_any_case() -> None:
    pond = scene("Catfish, a CAT and\n a  red\tfish (cat)")
    assert pond.span("cat") == (11, 14)
    assert pond.span("cat", 1) == (33, 36)
    assert pond.span("cat", 2) is None
    assert pond.span("cat", -1) is None
    assert pond.span("red fish") == (23, 31)
    assert pond.span("dog") is None
    assert pond.span(" ") is None
    assert scene("a (very) odd c++ sign").span("c++") == (13, 16)
    assert scene("ein GRÜNER Baum").span("grüner baum") == (4, 15)


def test_each_object_has_a_span_of_its_own() -> None:
    caption = "a fish, a red fish and a fish"
    spans = scene(caption, "fish", "red fish", "fish", "dog").spans()
    assert spans == ((2, 6), (10, 18), (25, 29), None)


def test_objects_share_a_span_where_the_caption_has_too_few() -> None:
    assert scene("two dogs", "dogs", "dogs").spans() == ((4, 8), (4, 8))
    assert scene("a red fish", "fish", "red fish").spans() == ((6, 10), (2, 10))


@given(item=...)
def test_a_phrase_is_found_where_it_was_put(item: Object) -> None:
    caption = f"so, {item.phrase} ."
    found = Scene(caption).span(item.phrase)
    assert found is not None
    assert caption[slice(*found)].lower() == item.phrase.lower()


def test_errors_are_values_errors_of_one_line() -> None:
    assert issubclass(SceneError, SituError)
    assert issubclass(SituError, ValueError)
    assert shown("a\nb") == r"'a\nb'"
    assert len(shown("x" * 1000)) == 80
    assert shown(10**5000) == "<int too long to print>"


def test_places_nest() -> None:
    told = pytest.raises(SceneError, match=re.escape("a.jsonl:7: objects[2]: wrong"))
    with told, at("a.jsonl:7"), at("objects[2]"):
        raise SceneError("wrong")


def test_the_nearest_name_is_proposed() -> None:
    assert did_you_mean("bbox", ["phrase", "box"]) == "did you mean 'box'? allowed: phrase, box"
    assert did_you_mean("zzz", ["phrase", "box"]) == "allowed: phrase, box"


def test_the_package_loads_no_heavy_library() -> None:
    modules = "box codec coco errors fields formats layout linter relations scene strict_json"
    imports = "; ".join(f"import situ.scene.{name}" for name in modules.split())
    check = f"{imports}; import sys; print({{'torch', 'numpy', 'PIL'}} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert result.stdout.strip() == "set()", result.stderr
