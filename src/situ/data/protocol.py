"""HCMA's data protocol on COCO 2014 as manifests: who is trained on, who is validated on, what is drawn.

The paper splits train2014 80/20 and draws 30,000 triples of val2014 (section 4.1); it says neither seed nor
which caption. Here both come from a seed, and every choice is written into the manifest, so that a number can
name exactly the pictures it was measured on.
"""

import json
import random
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from situ.data.coco import MIN_AREA, Item, read_json
from situ.files.atomic import write_bytes
from situ.scene import Scene, SituError, codec
from situ.scene.layout import MAX_OBJECTS

DRAWN = 30_000
TRAIN_SHARE = 0.8
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Triple:
    """A picture of the set, one of its captions, and how many of its boxes are drawn."""

    image_id: int
    caption: int
    objects: int


def split(items: Sequence[Item], seed: int = 0) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """The items in two parts, 80 % to train on and 20 % to validate on, each in the order given."""
    kept = _kept(len(items), seed)
    first = tuple(item for i, item in enumerate(items) if i in kept)
    return first, tuple(item for i, item in enumerate(items) if i not in kept)


def write_split(
    instances: Path, captions: Path, out: Path, names: tuple[str, str], seed: int = 0
) -> tuple[int, int]:
    """The pictures of `split` as annotation files: out/instances_NAME.json and out/captions_NAME.json.

    Boxes and captions go with their picture, all else is kept as it is. Returns how many pictures each part
    has. Raises SituError where a name is no file name, or a file would be written over its source.
    """
    _check_names(names, out, (instances, captions))
    boxes, sentences = read_json(instances), read_json(captions)
    kept = _kept(len(boxes["images"]), seed)
    first = {image["id"] for i, image in enumerate(boxes["images"]) if i in kept}
    every = {image["id"] for image in boxes["images"]}
    for name, ids in zip(names, (first, every - first), strict=True):
        for stem, content in (("instances", boxes), ("captions", sentences)):
            text = json.dumps(_only(content, ids), ensure_ascii=False)
            write_bytes(out / f"{stem}_{name}.json", text.encode())
    return len(first), len(every - first)


def _kept(count: int, seed: int) -> set[int]:
    """Which of `count` rows belong to the first part."""
    numbers = list(range(count))
    random.Random(f"split/{seed}").shuffle(numbers)
    return set(numbers[: round(TRAIN_SHARE * count)])


def _only(content: dict[str, Any], ids: set[int]) -> dict[str, Any]:
    """An annotation file of these pictures alone."""
    images = [image for image in content.get("images", []) if image["id"] in ids]
    annotations = [one for one in content["annotations"] if one["image_id"] in ids]
    return {**content, "images": images, "annotations": annotations}


def _check_names(names: tuple[str, str], out: Path, sources: Sequence[Path]) -> None:
    if names[0] == names[1]:
        raise SituError(f"split: both parts are called {names[0]!r}; give two names")
    for name in names:
        if not re.fullmatch(r"[\w.-]+", name):
            raise SituError(f"split: {name!r} is no part of a file name; use letters, digits and _")
        for source in sources:
            for stem in ("instances", "captions"):
                if (out / f"{stem}_{name}.json").resolve() == source.resolve():
                    raise SituError(f"split: {name!r} would write over {source}; give another name")


def draw(items: Sequence[Item], count: int = DRAWN, seed: int = 0) -> tuple[tuple[Item, int], ...]:
    """`count` different pictures that have a box, each with the number of one of its captions.

    Raises SituError where there are too few; a smaller draw of the same seed is the beginning of a
    larger one.
    """
    usable = [item for item in items if len(item.layout)]
    if not 1 <= count <= len(usable):
        raise SituError(
            f"count: {count} pictures were asked for; {len(usable)} of {len(items)} have a box that "
            "survives the centre crop"
        )
    rng = random.Random(f"draw/{seed}")
    rng.shuffle(usable)
    return tuple(
        (item, random.Random(f"caption/{seed}/{item.image_id}").randrange(len(item.captions)))
        for item in usable[:count]
    )


def scenes(drawn: Sequence[tuple[Item, int]], size: int = 512) -> tuple[Scene, ...]:
    """The drawn triples as scenes for `situ generate --scenes`."""
    return tuple(item.scene(caption, size) for item, caption in drawn)


def write_protocol(
    drawn: Sequence[tuple[Item, int]], out: Path, seed: int, size: int = 512
) -> None:
    """OUT/scenes.jsonl to generate from, and OUT/protocol.json, which says how they were drawn."""
    lines = "".join(codec.dumps(scene) + "\n" for scene in scenes(drawn, size))
    write_bytes(out / "scenes.jsonl", lines.encode())
    triples = [asdict(Triple(item.image_id, caption, len(item.layout))) for item, caption in drawn]
    content: dict[str, Any] = {
        "situ": FORMAT,
        "seed": seed,
        "size": size,
        "crop": "largest centred square, then bicubic",
        "min_area": MIN_AREA,
        "max_objects": MAX_OBJECTS,
        "order": "largest box first",
        "triples": triples,
    }
    write_bytes(out / "protocol.json", (json.dumps(content) + "\n").encode())
