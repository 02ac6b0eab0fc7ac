"""Stage 1: the things that prompts are about, with how large they are and what they stand beside.

COCO's own annotations say which things are common (Lin et al. 2014; CC BY 4.0). Crowds and things that are
tiny in their picture do not count: a caption that names them could not be boxed.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from situ.data.coco import read_json
from situ.goal2k.journal import Row
from situ.goal2k.settings import STORYBOOK, Objects
from situ.planners.nouns import singular
from situ.scene import SituError
from situ.scene.errors import at
from situ.storybook.kinds import KINDS

PARTNERS = 5  # of each thing, the kinds that share most pictures with it
# What a sentence calls some of COCO's classes.
SYNONYMS = {
    "cell phone": "phone",
    "dining table": "table",
    "hair drier": "hair dryer",
    "potted plant": "plant",
    "sports ball": "ball",
    "tv": "television",
}


def objects(settings: Objects) -> list[Row]:
    """A row for each thing: id (its name), count, area (median share of the picture), partners."""
    if settings.source == STORYBOOK:
        return [
            {"id": name, "plural": kind.plural, "aspect": kind.aspect}
            for name, kind in KINDS.items()
        ]
    path = Path(settings.source).expanduser()
    with at(f"objects: {path}"):
        rows = common(read_json(path), settings.least_area)[: settings.most]
        if len(rows) < 2:
            raise SituError(f"{len(rows)} things are common in it; templates need two or more")
    return rows


def common(instances: Mapping[str, Any], least_area: float) -> list[Row]:
    """The things of an instances file, the one on most pictures first."""
    try:
        names = {c["id"]: c["name"] for c in instances["categories"]}
        sides = {i["id"]: i["width"] * i["height"] for i in instances["images"]}
        areas: dict[str, list[float]] = defaultdict(list)
        pictures: dict[int, set[str]] = defaultdict(set)
        for annotation in instances["annotations"]:
            share = annotation["bbox"][2] * annotation["bbox"][3] / sides[annotation["image_id"]]
            if annotation.get("iscrowd") or share < least_area:
                continue
            name = _spoken(names[annotation["category_id"]])
            areas[name].append(share)
            pictures[annotation["image_id"]].add(name)
    except (KeyError, TypeError, IndexError, ZeroDivisionError) as error:
        raise SituError(f"this is no COCO instances file: {type(error).__name__} {error}") from None
    beside = _beside(pictures)
    rows = [
        {
            "id": name,
            "count": len(found),
            "area": round(median(found), 4),
            "partners": [other for other, _ in _ranked(beside[name])[:PARTNERS]],
        }
        for name, found in areas.items()
    ]
    return sorted(rows, key=lambda row: (-row["count"], row["id"]))


def _beside(pictures: Mapping[int, set[str]]) -> dict[str, Counter[str]]:
    beside: dict[str, Counter[str]] = defaultdict(Counter)
    for names in pictures.values():
        for name in names:
            beside[name].update(names - {name})
    return beside


def _ranked(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _spoken(name: str) -> str:
    """As a sentence says it, in the singular: "scissors" stay."""
    name = SYNONYMS.get(name, name)
    *rest, last = name.split()
    return " ".join([*rest, singular(last)])
