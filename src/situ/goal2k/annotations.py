"""Instances and captions of released records in COCO's format, as situ.data.coco reads them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from situ.goal2k import pages
from situ.goal2k.journal import Row
from situ.goal2k.prompts import Prompt
from situ.goal2k.settings import STORYBOOK
from situ.scene import Box


def annotations(records: Sequence[Row], prompts: Mapping[str, Prompt]) -> dict[str, Any]:
    """The two files by name. Categories are the nouns of ALL prompts, so that splits share numbers."""
    nouns = sorted({noun for prompt in prompts.values() for noun in _nouns(prompt).values()})
    numbers = {noun: i for i, noun in enumerate(nouns, 1)}
    images = [_image(row) for row in records]
    found = [
        instance for row in records for instance in _instances(row, prompts[row["id"]], numbers)
    ]
    captions = [
        {"id": row["number"] + 1, "image_id": row["number"] + 1, "caption": row["prompt"]}
        for row in records
    ]
    return {
        "instances": {
            "images": images,
            "annotations": [{"id": i, **instance} for i, instance in enumerate(found, 1)],
            "categories": [{"id": number, "name": noun} for noun, number in numbers.items()],
        },
        "captions": {"images": images, "annotations": captions},
    }


def _image(row: Row) -> Row:
    name = row["image"].removeprefix("images/")
    size = {"width": row["width"], "height": row["height"]}
    return {"id": row["number"] + 1, "file_name": name, **size}


def _instances(row: Row, prompt: Prompt, numbers: Mapping[str, int]) -> Iterator[Row]:
    nouns = _nouns(prompt)
    storybook = prompt.source.get("world") == STORYBOOK
    looks = pages.looks(pages.page_of(prompt)) if storybook else {}
    for item in row["objects"]:
        x, y, width, height = Box.of(item["box"]).to_xywh((row["width"], row["height"]))
        instance = {
            "image_id": row["number"] + 1,
            "category_id": numbers[nouns[item["phrase"]]],
            "bbox": [x, y, width, height],
            "area": width * height,
            "iscrowd": 0,
            "phrase": item["phrase"],
        }
        look = looks.get(item["phrase"])
        yield {**instance, "attributes": look} if look else instance


def _nouns(prompt: Prompt) -> dict[str, str]:
    """The noun of each phrase."""
    return {thing.phrase: thing.noun for thing in prompt.things}
