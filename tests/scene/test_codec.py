"""Scenes as JSON and JSONL, and what a broken file is told."""

import json
import re
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given

from situ.scene import Box, Layout, Object, Scene, SceneError
from situ.scene.codec import (
    dumps,
    format_object,
    from_json,
    loads,
    parse_object,
    read_scene,
    read_scenes,
    to_json,
)

POND = Scene(
    "a red fish in a pond", Layout((Object("red fish", Box(0.05, 0.4, 0.45, 0.8)),)), 640, 480
)
LINE = (
    '{"situ": 1, "caption": "a red fish in a pond", "width": 640, "height": 480, '
    '"objects": [{"phrase": "red fish", "box": [0.05, 0.4, 0.45, 0.8]}]}'
)


def edited(old: str, new: str) -> str:
    assert old in LINE
    return LINE.replace(old, new)


def told(text: str) -> str:
    with pytest.raises(SceneError) as caught:
        loads(text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@given(scene=...)
def test_every_scene_comes_back(scene: Scene) -> None:
    assert loads(dumps(scene)) == scene
    assert from_json(to_json(scene)) == scene
    assert "\n" not in dumps(scene)


def test_the_written_form_is_stable() -> None:
    assert dumps(POND) == LINE
    assert loads(LINE) == POND


def test_letters_of_any_language_are_written_as_they_are() -> None:
    assert "красная рыба" in dumps(Scene("красная рыба"))


def test_only_the_caption_is_needed() -> None:
    assert loads('{"situ": 1, "caption": "a pond"}') == Scene("a pond")


BROKEN = [
    (edited('"caption"', '"captoin"'), ["unknown key 'captoin'", "did you mean 'caption'?"]),
    (edited('"box"', '"bbox"'), ["objects[0]: unknown key 'bbox': did you mean 'box'?"]),
    (edited(', "width": 640', ', "seed": 640'), ["unknown key 'seed'", "allowed: situ, caption"]),
    (edited('"situ": 1, ', ""), ["a scene needs the key 'situ'; add \"situ\": 1"]),
    ('{"situ": 1}', ["a scene needs the key 'caption'"]),
    (edited('"phrase": "red fish", ', ""), ["objects[0]: an object needs the key 'phrase'"]),
    (edited('"situ": 1', '"situ": 2'), ["situ must be 1", "got 2; a newer situ wrote this"]),
    (edited('"situ": 1', '"situ": true'), ["situ must be 1", "got True"]),
    (edited('"situ": 1', '"situ": "1"'), ["situ must be 1", "got '1'"]),
    (edited("0.05", "true"), ["objects[0]: box [True, ", "x0 must be a number, got True (bool)"]),
    (edited("0.05", '"0.05"'), ["x0 must be a number, got '0.05' (str)"]),
    (edited("0.05", "null"), ["x0 must be a number, got None"]),
    (edited("0.05", "NaN"), ["NaN is not a JSON number"]),
    (edited("0.05", "-Infinity"), ["-Infinity is not a JSON number"]),
    (edited("0.05", "1e999"), ["x0 must be a finite number, got inf"]),
    (edited("0.05", "9" * 5000), ["the number 999999999999... has 5000 digits"]),
    (edited("0.05, 0.4, 0.45", "32, 192, 288"), ["objects[0]: box [32.0", "look like pixels"]),
    (edited("0.45, 0.8", "0.4"), ["objects[0]: a box is four numbers"]),
    (edited("[0.05, 0.4, 0.45, 0.8]", '"0 0 1 1"'), ["a box is four numbers", "got '0 0 1 1'"]),
    (edited('"red fish"', '" "'), ["objects[0]: phrase is empty"]),
    (edited('"red fish"', "3"), ["objects[0]: phrase must be text, got 3 (int)"]),
    (edited('"width": 640', '"width": 640.5'), ["width must be a whole number, got 640.5 (float)"]),
    (edited('"width": 640', '"width": "640"'), ["width must be a whole number, got '640' (str)"]),
    (edited('"a red fish in a pond"', '" "'), ["caption is empty"]),
    (edited('"a red fish in a pond"', '["a"]'), ["caption must be text, got ['a'] (list)"]),
    (edited('"width"', '"caption": "x", "width"'), ["the key 'caption' appears twice"]),
    ('{"situ": 1, "caption": "a", "objects": {}}', ["objects must be a list, got {}"]),
    ('{"situ": 1, "caption": "a", "objects": [1]}', ["objects[0]: an object must be a JSON obj"]),
    ("[1]", ["a scene must be a JSON object {...}, got [1]"]),
    ("null", ["a scene must be a JSON object"]),
    (LINE[:-1], ["not valid JSON at column", "Expecting ',' delimiter"]),
    ("{\n  'situ': 1\n}", ["not valid JSON at line 2 column 3", "double quotes"]),
    (LINE + "\n" + LINE, ["Extra data; a file of many scenes has one to a line", ".jsonl"]),
    ("{", ["in a .jsonl file each line is one whole scene"]),
    ("", ["not valid JSON at column 1"]),
    ("[" * 100_000, ["nested too deeply"]),
    ('{"situ": 1, "caption": "\\ud800"}', ["caption holds half a surrogate pair at 0"]),
]


@pytest.mark.parametrize(("text", "parts"), BROKEN)
def test_a_broken_scene_is_told_in_one_line(text: str, parts: list[str]) -> None:
    line = told(text)
    assert all(part in line for part in parts), line


def test_thirty_one_objects() -> None:
    record = to_json(POND)
    record["objects"] *= 31
    assert "at most 30 objects, got 31" in told(json.dumps(record))


def test_a_scene_file(tmp_path: Path) -> None:
    path = tmp_path / "pond.json"
    path.write_text(json.dumps(to_json(POND), indent=2), encoding="utf-8")
    assert read_scene(path) == POND
    path.write_bytes(b"\xef\xbb\xbf" + LINE.encode())
    assert read_scene(str(path)) == POND


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (LINE.encode("utf-16"), "byte 0 is not UTF-8: save the file as UTF-8"),
        (b'{"situ": 2, "caption": "a"}', "situ must be 1"),
        (b"{}\n\x00", "not valid JSON at line 2 column 1"),
        (b" " * (16 * 2**20 + 1), "longer than 16777216 bytes"),
    ],
)
def test_a_wrong_scene_file_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "pond.json"
    path.write_bytes(content)
    with pytest.raises(SceneError, match=re.escape(f"{path}: {says}")):
        read_scene(path)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    missing = tmp_path / "none.json"
    with pytest.raises(SceneError, match=re.escape(f"{missing}: cannot be read: No such file")):
        read_scene(missing)
    with pytest.raises(SceneError, match="cannot be read"):
        next(read_scenes(tmp_path))


def test_the_line_of_a_broken_scene_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ponds.jsonl"
    path.write_text("\n".join([LINE] * 733 + [LINE[:-9]] + [LINE]), encoding="utf-8")
    scenes = read_scenes(path)
    assert [next(scenes) for _ in range(733)] == [POND] * 733
    with pytest.raises(SceneError, match=re.escape(f"{path}:734: not valid JSON at column")):
        next(scenes)


def test_empty_lines_count_but_hold_no_scene(tmp_path: Path) -> None:
    path = tmp_path / "ponds.jsonl"
    path.write_bytes(f"\ufeff{LINE}\r\n\r\n   \n{LINE}\n\ufeff{LINE}\n{{}}".encode())
    scenes = read_scenes(path)
    assert [next(scenes) for _ in range(3)] == [POND] * 3
    with pytest.raises(SceneError, match=re.escape(f"{path}:6: a scene needs the key 'situ'")):
        next(scenes)


def test_a_byte_order_mark_carries_no_meaning(tmp_path: Path) -> None:
    path = tmp_path / "none.jsonl"
    path.write_bytes(b"\xef\xbb\xbf")
    assert list(read_scenes(path)) == []
    assert loads("\ufeff" + LINE) == POND


def test_bytes_that_are_no_text_name_their_line(tmp_path: Path) -> None:
    path = tmp_path / "ponds.jsonl"
    path.write_bytes(LINE.encode() + b"\n\xff\xfe\n")
    with pytest.raises(SceneError, match=r"ponds\.jsonl:2: byte 0 is not UTF-8"):
        list(read_scenes(path))


def test_a_long_file_is_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "ponds.jsonl"
    path.write_text(f"{LINE}\n" * 20_000, encoding="utf-8")
    tracemalloc.start()
    assert next(read_scenes(path)) == POND
    assert sum(1 for _ in zip(range(500), read_scenes(path), strict=False)) == 500
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < path.stat().st_size / 4


@given(item=...)
def test_every_object_comes_back_from_its_text(item: Object) -> None:
    assert parse_object(format_object(item)) == item


@pytest.mark.parametrize(
    "text",
    [
        "red fish: 0.05 0.4 0.45 0.8",
        "red fish:0.05,0.4,0.45,0.8",
        "  red  fish :  .05, .4 ,.45 , 8e-1 ",
    ],
)
def test_an_object_as_typed(text: str) -> None:
    assert parse_object(text) == POND.layout[0]


def test_a_phrase_may_hold_colons() -> None:
    assert parse_object("sign: open: 0 0 1 1").phrase == "sign: open"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("red fish 0 0 1 1", 'write "phrase: x0 y0 x1 y1", as in "red fish: 0.05 0.4 0.45 0.8"'),
        ("red fish: 0 0 1", "a box is four numbers"),
        ("red fish: 0,5 0,5 1 1", "a box is four numbers"),
        ("red fish: 0 0 1 one", "'one' is not a number"),
        ("red fish: 0 0 1 nan", "y1 must be a finite number, got nan"),
        ("red fish: 10 20 110 220", "these look like pixels"),
        (": 0 0 1 1", "phrase is empty"),
        ("", "write"),
    ],
)
def test_a_wrongly_typed_object(text: str, says: str) -> None:
    with pytest.raises(SceneError, match=re.escape(says)) as caught:
        parse_object(text)
    assert str(caught.value).startswith(f"object {text!r}: ")
