"""The protocol of a measurement on COCO: seeded, nested, and written down whole."""

import json
from pathlib import Path

import pytest

from situ.data.coco import Crop, Item, read_coco
from situ.data.protocol import draw, scenes, split, write_protocol, write_split
from situ.scene import Box, Layout, Object, SituError, codec

CAPTIONS = ("one", "two", "three", "four", "five")


def items(count: int) -> tuple[Item, ...]:
    layout = Layout((Object("cat", Box(0.1, 0.1, 0.6, 0.7)),))
    empty = Layout()
    return tuple(
        Item(i, Path(f"{i}.png"), Crop(64, 64), CAPTIONS, empty if i % 5 == 0 else layout, ())
        for i in range(count)
    )


def test_a_split_is_four_fifths_without_overlap() -> None:
    train, val = split(items(100))
    assert (len(train), len(val)) == (80, 20)
    assert {i.image_id for i in train} | {i.image_id for i in val} == set(range(100))
    assert split(items(100)) == (train, val)
    assert split(items(100), seed=1) != (train, val)


def test_a_small_draw_is_the_beginning_of_a_large_one() -> None:
    small, large = draw(items(100), 10), draw(items(100), 60)
    assert large[:10] == small
    assert len({item.image_id for item, _ in large}) == 60
    assert {caption for _, caption in large} == set(range(5))
    assert all(len(item.layout) for item, _ in large)


def test_more_than_there_is_cannot_be_drawn() -> None:
    with pytest.raises(SituError, match="81 pictures were asked for; 80 of 100"):
        draw(items(100), 81)


def test_a_protocol_names_every_picture_and_caption(tmp_path: Path) -> None:
    drawn = draw(items(20), 5, seed=3)
    write_protocol(drawn, tmp_path, 3, size=64)
    told = json.loads((tmp_path / "protocol.json").read_text())
    assert [t["image_id"] for t in told["triples"]] == [item.image_id for item, _ in drawn]
    assert tuple(codec.read_scenes(tmp_path / "scenes.jsonl")) == scenes(drawn, 64)


def annotations(folder: Path, count: int) -> tuple[Path, Path]:
    images = [{"id": i, "width": 8, "height": 8, "file_name": f"{i}.png"} for i in range(count)]
    box = {"category_id": 1, "bbox": [0, 0, 8, 8]}
    boxes = [{"image_id": i % count, **box} for i in range(2 * count)]
    sentences = [{"image_id": i, "caption": f"caf\u00e9 {i}"} for i in range(count)]
    whole = {"images": images, "info": {"year": 2014}}
    (folder / "annotations").mkdir()
    files = folder / "annotations/instances.json", folder / "annotations/captions.json"
    categories = [{"id": 1, "name": "cat"}]
    told = {**whole, "annotations": boxes, "categories": categories}
    files[0].write_text(json.dumps(told), encoding="utf-8")
    files[1].write_text(json.dumps({**whole, "annotations": sentences}), encoding="utf-8")
    return files


def test_a_written_split_is_that_of_the_items_and_keeps_what_belongs_together(
    tmp_path: Path,
) -> None:
    files = annotations(tmp_path, 20)
    out = tmp_path / "annotations"
    assert write_split(*files, out, ("fit", "held_out"), seed=3) == (16, 4)
    expected = split(read_coco(tmp_path), seed=3)
    for name, part in zip(("fit", "held_out"), expected, strict=True):
        names = f"annotations/instances_{name}.json", f"annotations/captions_{name}.json"
        found = read_coco(tmp_path, *names)
        assert found == part
        assert all(len(item.layout) == 2 for item in found)
        assert json.loads((tmp_path / names[0]).read_text("utf-8"))["info"] == {"year": 2014}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("a", "a"), "both parts are called 'a'"),
        (("../a", "b"), "'../a' is no part of a file name"),
        (("b", "train"), "'train' would write over .*instances_train.json"),
    ],
)
def test_a_split_that_cannot_be_written(
    tmp_path: Path, names: tuple[str, str], message: str
) -> None:
    boxes, sentences = annotations(tmp_path, 5)
    boxes = boxes.rename(boxes.with_name("instances_train.json"))
    with pytest.raises(SituError, match=message):
        write_split(boxes, sentences, tmp_path / "annotations", names)
