"""The protocol of a measurement on COCO: seeded, nested, and written down whole."""

import json
from pathlib import Path

import pytest

from situ.data.coco import Crop, Item
from situ.data.protocol import draw, scenes, split, write_protocol
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
