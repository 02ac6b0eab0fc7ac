"""Scenes as handed in, before a model is known."""

import json
from pathlib import Path

import pytest

from situ.app.drafts import Draft, check_lengths, read_many, read_one, remarks, typed
from situ.scene import Box, Layout, Object, Scene, SituError

LINE = {
    "situ": 1,
    "caption": "a fish",
    "objects": [{"phrase": "fish", "box": [0.1, 0.1, 0.9, 0.9]}],
}


def words(text: str) -> int:
    return len(text.split())


def test_the_canvas_is_what_the_call_says_else_the_file_else_the_model(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({**LINE, "width": 256}))
    draft = read_one(path)
    assert draft.on(128).canvas == (256, 128)
    assert draft.on(128, height=64).canvas == (256, 64)
    assert draft.on(128, width=32, height=64).canvas == (32, 64)
    assert typed("a fish", []).on(128).canvas == (128, 128)


def test_typed_objects_are_read() -> None:
    draft = typed("a red fish", ["red fish: 0.05 0.4 0.45 0.8", "pond: 0, 0.5, 1, 1"])
    assert draft.scene.layout == Layout(
        (Object("red fish", Box(0.05, 0.4, 0.45, 0.8)), Object("pond", Box(0, 0.5, 1, 1)))
    )


def test_an_error_names_the_line_of_734(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    path.write_text(
        "\n".join([json.dumps(LINE)] * 733 + [json.dumps(LINE)[:-3]] + [json.dumps(LINE)] * 9)
    )
    with pytest.raises(SituError, match=r"many\.jsonl:734: not valid JSON"):
        read_many(path)


def test_many_scenes_keep_their_places(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    path.write_text(json.dumps(LINE) + "\n\n" + json.dumps(LINE) + "\n")
    assert [draft.place for draft in read_many(path)] == [f"{path}:1", f"{path}:3"]


def test_a_file_without_scenes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    path.write_text("\n")
    with pytest.raises(SituError, match="no scene in it"):
        read_many(path)


def test_a_list_in_a_scene_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("[]")
    with pytest.raises(SituError, match=r"a\.json: a scene must be a JSON object"):
        read_one(path)


def test_texts_far_beyond_the_encoder_are_refused_and_others_pass() -> None:
    def draft(caption: str, phrase: str = "fish") -> Draft:
        return Draft(Scene(caption, Layout((Object(phrase, Box(0, 0, 1, 1)),))), "a.jsonl:3")

    check_lengths([draft("word " * 40)], words, 10)
    with pytest.raises(
        SituError, match=r"a\.jsonl:3: caption has 500 tokens.*reads 10.*shorten it"
    ):
        check_lengths([draft("a fish"), draft("word " * 500)], words, 10)
    with pytest.raises(SituError, match=r"objects\[0\]\.phrase has 50 tokens"):
        check_lengths([draft("a fish", "w " * 50)], words, 10)


def test_a_canvas_far_from_the_models_is_remarked() -> None:
    scene = Scene("a fish", Layout(), 512, 512)
    assert [found.code for found in remarks(scene, 128, 8, words)] == ["canvas-far-from-model"]
    assert not list(remarks(scene, 512, 8, words))
    assert [found.code for found in remarks(scene, 2048, 8, words)] == ["canvas-far-from-model"]
