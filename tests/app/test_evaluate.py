"""A folder of pictures, measured: what is written, what is missing, and what is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from plain_world import PlainWorld

from situ.app import evaluate as evaluating
from situ.app.evaluate import Extra, evaluate, lines
from situ.app.evaluate import world_named as evaluating_world
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
    with pytest.raises(SituError, match=r"000001-0\.png is not a picture"):
        evaluate(drawn, metrics=["clip"])


def test_a_picture_that_breaks_off_is_named(drawn: Path) -> None:
    path = drawn / "000/000001-0.png"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(SituError, match=r"000001-0\.png is not a picture"):
        evaluate(drawn, metrics=["clip"])


def test_a_picture_of_another_size_is_named(drawn: Path) -> None:
    path = drawn / "000/000001-0.png"
    Image.open(path).resize((32, 32)).save(path)
    with pytest.raises(SituError, match=r"000001-0\.png is not of the size"):
        evaluate(drawn, metrics=["clip"])


def rewritten(folder: Path, change: Callable[[list[Any]], list[Any]]) -> None:
    path = folder / "manifest.jsonl"
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(entry) + "\n" for entry in change(entries)))


def test_scenes_without_pictures_are_warned_of_in_the_result(drawn: Path) -> None:
    rewritten(drawn, lambda entries: [e for e in entries if e["scene_index"] != 1])
    result = evaluate(drawn, metrics=["clip"])
    assert result["pictures"] == COUNT - 1
    assert result["warnings"] == ["1 scenes have no picture (1); they are not measured"]
    assert "warning: 1 scenes have no picture" in lines(result)


def test_scenes_with_fewer_pictures_than_others_are_warned_of(drawn: Path) -> None:
    rewritten(drawn, lambda entries: [*entries, {**entries[0], "image_index": 1}])
    (warning,) = evaluate(drawn, metrics=["clip"])["warnings"]
    assert "2 scenes have fewer pictures than the 2 of others (1, 2)" in warning


def test_boxes_in_pixels_are_refused(drawn: Path) -> None:
    def in_pixels(entries: list[Any]) -> list[Any]:
        entries[1]["scene"]["objects"][0]["box"] = [3, 4, 40, 50]
        return entries

    rewritten(drawn, in_pixels)
    with pytest.raises(SituError, match=r"manifest\.jsonl: .*000001-0\.png.*40"):
        evaluate(drawn, metrics=["clip"])


def test_a_picture_with_a_broken_chunk_is_named(drawn: Path) -> None:
    path = drawn / evaluating.files_of(drawn)[1]
    whole = path.read_bytes()
    data = whole.index(b"IDAT")
    path.write_bytes(whole[: data - 4] + bytes([0, 0, 0, 16]) + whole[data:])  # its length is wrong
    with pytest.raises(SituError, match=f"{path.name} is not a picture that can be read"):
        evaluate(drawn, metrics=["clip"], keep=False)


def instances(drawn: Path, names: list[str], bbox: list[float]) -> Path:
    """Findings of a house on every picture, as another detector would write them."""
    path = drawn / "found.json"
    content = {
        "images": [
            {"id": n, "file_name": f, "width": 64, "height": 64} for n, f in enumerate(names)
        ],
        "categories": [{"id": 7, "name": "house"}],
        "annotations": [
            {"image_id": n, "category_id": 7, "bbox": bbox, "score": 0.9} for n in range(len(names))
        ],
    }
    path.write_text(json.dumps(content))
    return path


def test_findings_of_another_detector_stand_for_the_worlds(drawn: Path) -> None:
    def one_house(entries: list[Any]) -> list[Any]:
        for entry in entries:
            entry["scene"]["objects"] = [{"phrase": "red house", "box": [0, 0, 0.5, 0.5]}]
        return entries

    rewritten(drawn, one_house)
    path = instances(drawn, list(evaluating.files_of(drawn)), [0, 0, 32, 16])
    result = evaluate(drawn, metrics=["miou", "count"], extra=Extra(detections=path))
    assert result["scores"]["miou"]["value"] == pytest.approx(0.5)
    assert result["scores"]["count"]["value"] == 1
    assert result["models"]["detector"].startswith("found.json-")
    assert result["given"] == {"detections": str(path)}


def test_findings_of_another_set_are_refused(drawn: Path) -> None:
    path = instances(drawn, ["a.png", "b.png", "c.png"], [0, 0, 32, 16])
    with pytest.raises(
        SituError, match=r"found\.json: has no picture 000/000000-0\.png and 3 of 3"
    ):
        evaluate(drawn, extra=Extra(detections=path))


def test_findings_in_fractions_are_refused(drawn: Path) -> None:
    path = instances(drawn, list(evaluating.files_of(drawn)), [0, 0, 0.5, 0.25])
    with pytest.raises(SituError, match="fractions of the picture"):
        evaluate(drawn, extra=Extra(detections=path))


def test_few_pictures_are_warned_of_beside_the_distance(drawn: Path, book: Path) -> None:
    result = evaluate(drawn, metrics=["fid"], reference=book)
    assert any("below 2048" in text for text in result["scores"]["fid"]["warnings"])
    assert "warning: only 3 pictures" in lines(result)


def test_two_folders_are_compared_scene_by_scene(
    drawn: Path, tmp_path: Path, world: PlainWorld
) -> None:
    """The brighter picture is preferred: darkening one of three leaves 1 and two ties."""
    other = tmp_path / "other"
    shutil.copytree(drawn, other)
    path = other / "000/000001-0.png"
    Image.new("RGB", Image.open(path).size).save(path)

    def prefer(pictures: np.ndarray, texts: object) -> np.ndarray:
        light = pictures.reshape(len(pictures), -1).mean(1) / 255
        return np.stack([light, 100 * light], 1).astype(np.float32)

    world.models["preference"] = "light-1"
    monkey: Any = world
    monkey.prefer = prefer
    extra = Extra(against=other)
    result = evaluate(drawn, metrics=["pickscore", "pickscore_wins"], extra=extra)
    assert result["scores"]["pickscore_wins"]["value"] == pytest.approx((1 + 0.5 + 0.5) / 3)
    rewritten(other, lambda entries: entries[:2])
    with_two = evaluate(drawn, metrics=["pickscore_wins"], extra=extra)
    assert "3 pictures are compared with 2" in with_two["missing"]["pickscore_wins"]


def test_scores_of_q_align_are_read_by_file_name(drawn: Path) -> None:
    path, names = drawn / "q.json", evaluating.files_of(drawn)
    scores = {name: {"quality": 2.0 + n} for n, name in enumerate(names)}
    path.write_text(json.dumps({"scale": "1-5", "scores": scores}))
    result = evaluate(
        drawn, metrics=["q_align_quality,q_align_aesthetic"], extra=Extra(q_align=path)
    )
    assert result["scores"]["q_align_quality"]["value"] == pytest.approx(3)
    assert "3 of 3 pictures have no aesthetic" in result["missing"]["q_align_aesthetic"]
    path.write_text(json.dumps({"scale": "1-5", "scores": {}}))
    with pytest.raises(SituError, match="has no scores of 000/000000-0"):
        evaluate(drawn, extra=Extra(q_align=path))


def test_unknown_metrics_and_presets_are_refused_at_once(drawn: Path) -> None:
    with pytest.raises(SituError, match="'pickscor'.*pickscore"):
        evaluate(drawn, metrics=["clip,pickscor"])
    with pytest.raises(SituError, match=r"preset 'clean' is of FID's Inception"):
        evaluating_world("storybook", "clean")


def test_real_pictures_of_other_scenes_are_refused(drawn: Path, tmp_path: Path) -> None:
    write_book(tmp_path / "other", COUNT, "novel", size=64, workers=1)
    with pytest.raises(SituError, match="no picture of scene 0"):
        evaluate(drawn, metrics=["fid"], reference=tmp_path / "other")
