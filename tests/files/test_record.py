"""The record inside a picture."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from situ.files.png import text_info
from situ.files.record import Record, from_json, infotext, read_record
from situ.scene import Box, Layout, Object, Scene, SituError

SAMPLING = {"steps": 50, "solver": "plms", "guidance": 7.5, "negative": "", "gate": (1.0, 0.0, 0.0)}
MODEL = {"name": "storybook", "weights": "0123456789abcdef", "dtype": "float32"}
SCENE = Scene(
    "a red fish, in a pond", Layout((Object("red fish", Box(0.1, 0.2, 0.6, 0.9)),)), 128, 96
)
RECORD = Record(SCENE, 7, "gligen", SAMPLING, MODEL, "0.1.0")


def changed(**values: Any) -> dict[str, Any]:
    return {**RECORD.to_json(), **values}


def test_a_record_comes_back_from_its_json() -> None:
    again = from_json(json.loads(RECORD.dumps()))
    assert again == RECORD
    assert again.dumps() == RECORD.dumps()


def test_a_record_comes_back_from_a_picture(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png", pnginfo=text_info(RECORD.texts()))
    assert read_record(tmp_path / "a.png") == RECORD


def test_infotext_is_the_web_uis_form() -> None:
    assert infotext(RECORD) == (
        "a red fish, in a pond\n"
        "Steps: 50, Sampler: PLMS, CFG scale: 7.5, Seed: 7, Size: 128x96, "
        "Model hash: 0123456789abcdef, Model: storybook, Method: gligen, "
        'Objects: "red fish: 0.1 0.2 0.6 0.9", Version: situ 0.1.0'
    )


def test_infotext_tells_the_negative_prompt_and_quotes_what_could_be_misread() -> None:
    tricky = 'a "b", c: d\ne'
    record = Record(
        SCENE, 7, "gligen", {**SAMPLING, "negative": "dull"}, {**MODEL, "name": tricky}, "1"
    )
    lines = infotext(record).splitlines()
    assert lines[1] == "Negative prompt: dull"
    assert len(lines) == 3
    assert f"Model: {json.dumps(tricky)}" in lines[2]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "a record must be a JSON object"),
        ({}, "'situ' is missing"),
        (changed(situ=2), "situ must be 1, got 2"),
        (changed(seed=-1), "seed must be in 0..4294967295"),
        (changed(seed=True), "seed must be a whole number"),
        (changed(seed=2**32), "seed must be in"),
        (changed(method=""), "method is empty"),
        (changed(scene={"situ": 1}), "scene: a scene needs the key 'caption'"),
        (changed(sampling=[1]), "must be a JSON object"),
        (changed(sampling={"steps": {}}), "steps must be a number"),
        (changed(sampling={"gate": ["a"]}), "gate must be a number"),
        (changed(model={"name": "a"}), "'weights' is missing"),
        (changed(model={**MODEL, "name": 3}), "model.name must be text"),
    ],
)
def test_what_is_wrong_in_a_record_is_named(data: object, message: str) -> None:
    with pytest.raises(SituError, match=message):
        from_json(data)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({}, "was not drawn by situ.*no text at all"),
        ({"parameters": "a fish"}, "was not drawn by situ.*parameters"),
        ({"situ": "{"}, "a.png: situ: not valid JSON"),
        ({"situ": "[" * 100_000}, "nested too deeply"),
        ({"situ": '{"situ": NaN}'}, "NaN is not a JSON number"),
    ],
)
def test_a_picture_without_a_good_record_is_named(tmp_path: Path, texts: Any, message: str) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png", pnginfo=text_info(texts))
    with pytest.raises(SituError, match=message):
        read_record(tmp_path / "a.png")
