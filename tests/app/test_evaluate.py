"""A folder of pictures, measured: what is written, what is missing, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from plain_world import PlainWorld

from situ.app import evaluate as evaluating
from situ.app.evaluate import evaluate, lines
from situ.app.generate import Output, generate, plan
from situ.app.pipeline import Pipeline
from situ.data.coco import read_coco
from situ.evaluation.world import MissingError
from situ.methods.plan import Sampling
from situ.scene import SituError
from situ.storybook.book import write_book

COUNT = 3


@pytest.fixture
def book(tmp_path: Path) -> Path:
    write_book(tmp_path / "book", COUNT, "val", size=64, workers=1)
    return tmp_path / "book"


@pytest.fixture
def drawn(pipe: Pipeline, book: Path, tmp_path: Path) -> Path:
    scenes = [item.scene(0, 64) for item in read_coco(book)]
    pictures = plan(pipe, scenes, method="gligen", sampling=Sampling(steps=1), many=True)
    generate(pipe, pictures, Output(tmp_path / "drawn", quiet=True))
    return tmp_path / "drawn"


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch) -> PlainWorld:
    plain = PlainWorld()
    monkeypatch.setattr(evaluating, "world_named", lambda name: plain)
    return plain


def test_a_result_says_what_was_measured_how_and_by_what(drawn: Path, book: Path) -> None:
    result = evaluate(drawn, metrics=["fid", "clip"], reference=book)
    assert result == json.loads((drawn / "evaluation.json").read_text())
    assert result["pictures"] == COUNT
    assert set(result["scores"]) == {"fid", "clip"}
    assert result["scores"]["clip"]["n"] == COUNT
    assert result["models"]["features"] == "means-1"
    assert result["versions"]["numpy"] == np.__version__
    assert len(result["manifest"]) == 64
    assert "CLIP" in lines(result)


def test_the_same_folder_gives_the_same_scores_and_looks_only_once(
    drawn: Path, book: Path, world: PlainWorld
) -> None:
    first = evaluate(drawn, metrics=["fid"], reference=book)
    looked = world.looked
    assert evaluate(drawn, metrics=["fid"], reference=book) == first
    assert world.looked == looked


def test_without_real_pictures_the_rest_is_measured(drawn: Path) -> None:
    result = evaluate(drawn)
    assert "fid" in result["missing"]
    assert "--reference" in result["missing"]["fid"]
    assert {"clip", "kind", "miou"} <= set(result["scores"])


def test_missing_weights_are_named_and_the_rest_is_measured(
    drawn: Path, world: PlainWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def embed(pictures: object) -> None:
        raise MissingError("clip-x is missing: put it there")

    monkeypatch.setattr(world, "embed_pictures", embed)
    result = evaluate(drawn, metrics=["clip", "kind"])
    assert result["missing"] == {"clip": "clip-x is missing: put it there"}
    assert set(result["scores"]) == {"kind"}


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SituError, match=r"has no manifest\.jsonl"):
        evaluate(tmp_path)


def test_a_picture_that_is_gone_is_named(drawn: Path) -> None:
    (drawn / "000/000001-0.png").unlink()
    with pytest.raises(SituError, match=r"000001-0\.png is listed"):
        evaluate(drawn)


def test_a_picture_that_is_none_is_named(drawn: Path) -> None:
    (drawn / "000/000001-0.png").write_bytes(b"no picture")
    result = evaluate(drawn, metrics=["clip"])
    assert "000001-0.png is not a picture" in result["missing"]["clip"]


def test_a_picture_of_another_size_is_named(drawn: Path) -> None:
    path = drawn / "000/000001-0.png"
    Image.open(path).resize((32, 32)).save(path)
    result = evaluate(drawn, metrics=["clip"])
    assert "000001-0.png is not of the size" in result["missing"]["clip"]


def test_real_pictures_of_other_scenes_are_refused(drawn: Path, tmp_path: Path) -> None:
    write_book(tmp_path / "other", COUNT, "novel", size=64, workers=1)
    with pytest.raises(SituError, match="no picture of scene 0"):
        evaluate(drawn, metrics=["fid"], reference=tmp_path / "other")
