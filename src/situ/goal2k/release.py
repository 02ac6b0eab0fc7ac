"""Stage 10: the data set itself: JSONL, scenes, COCO annotations and pictures, with a card.

goal2k.jsonl    a record for each picture: prompt, objects, relations, provenance, verification
scenes.jsonl    the same pictures as scenes for `situ generate --scenes`
images/         PNG
annotations/    instances.json and captions.json in COCO's format, and both again for each split
README.md       the card
"""

import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from situ.files.atomic import replace, write_bytes
from situ.goal2k.annotations import annotations
from situ.goal2k.journal import Row, write_lines
from situ.goal2k.prompts import Prompt, same_words, share_of
from situ.goal2k.settings import Settings
from situ.goal2k.templates import wanted
from situ.goal2k.verdicts import Verdicts
from situ.scene import Box, Layout, Object, Scene, codec

RELEASED, SPARE = "released", "spare"


@dataclass(frozen=True)
class Made:
    """All that the stages made, by prompt; what a stage lost has no entry."""

    settings: Settings
    prompts: Sequence[Prompt]  # with captions
    captions: Mapping[str, Row]
    pictures: Mapping[str, Row]  # by file
    boxes: Mapping[str, Row]
    checks: Mapping[str, Row]
    verdicts: Verdicts
    losses: Sequence[Row]  # of the ledger


@dataclass(frozen=True)
class Fate:
    """What became of a prompt, and the boxes it goes with."""

    prompt: Prompt
    state: str
    layout: Layout | None = None
    by: str = ""  # person or checks


def fates(made: Made) -> list[Fate]:
    """Of every prompt with a caption: released, spare, or why it is not in the set.

    Of each category as many as are wanted, those that a person has accepted first.
    """
    found = [_fate(prompt, made) for prompt in made.prompts]
    room = Counter(wanted(made.settings.set))
    chosen: set[str] = set()
    for fate in sorted(found, key=lambda f: (f.by != "person", f.prompt.number)):
        if fate.state == RELEASED and room[fate.prompt.category] > 0:
            room[fate.prompt.category] -= 1
            chosen.add(fate.prompt.id)
    return [
        Fate(f.prompt, SPARE) if f.state == RELEASED and f.prompt.id not in chosen else f
        for f in found
    ]


def write_release(made: Made, work: Path, out: Path, card: str) -> list[Row]:
    """Write the folder anew; files of an earlier release that are not in this one go."""
    kept = [fate for fate in fates(made) if fate.state == RELEASED]
    records = [record(fate, made) for fate in kept]
    images = out / "images"
    images.mkdir(parents=True, exist_ok=True)
    names = {row["image"].removeprefix("images/") for row in records}
    for path in images.iterdir():
        if path.name not in names:
            path.unlink()
    for fate, row in zip(kept, records, strict=True):
        source, target = work / made.boxes[fate.prompt.id]["file"], out / row["image"]
        replace(target, lambda temporary, source=source: shutil.copyfile(source, temporary))
    write_lines(out / "goal2k.jsonl", records)
    scenes = "".join(codec.dumps(_scene(row)) + "\n" for row in records)
    write_bytes(out / "scenes.jsonl", scenes.encode())
    by_id = {fate.prompt.id: fate.prompt for fate in kept}
    for suffix, split in (("", None), ("_train", "train"), ("_val", "val")):
        some = [row for row in records if split in (None, row["split"])]
        for name, content in annotations(some, by_id).items():
            text = json.dumps(content, ensure_ascii=False)
            write_bytes(out / "annotations" / f"{name}{suffix}.json", text.encode())
    write_bytes(out / "README.md", card.encode())
    return records


def record(fate: Fate, made: Made) -> Row:
    """The line of goal2k.jsonl."""
    prompt, settings = fate.prompt, made.settings
    found = made.boxes[prompt.id]
    picture = made.pictures[found["file"]]
    names = prompt.phrases
    assert fate.layout is not None
    return {
        "id": prompt.id,
        "number": prompt.number,
        "image": f"images/{prompt.id}.png",
        "width": found["width"],
        "height": found["height"],
        "prompt": prompt.caption,
        "category": prompt.category,
        "split": split_of(prompt.caption, settings.set.val),
        "objects": [{"phrase": o.phrase, "box": list(o.box.xyxy)} for o in fate.layout],
        "relations": [[names[r.subject], r.predicate, names[r.object]] for r in prompt.relations],
        "provenance": {
            "scene": dict(prompt.source),
            "caption": made.captions.get(prompt.id, {}).get("by", "as found"),
            "picture": settings.pictures.model or settings.pictures.source,
            "seed": picture["seed"],
            **{key: picture[key] for key in ("revised_prompt",) if key in picture},
            "boxes": settings.boxes.source,
        },
        "verification": {
            "by": fate.by,
            "checks": made.checks[prompt.id]["verdict"],
            "failed": made.checks[prompt.id]["failed"],
            "people": [
                {"reviewer": v.reviewer, "verdict": v.verdict} for v in made.verdicts.of(prompt.id)
            ],
        },
    }


def split_of(caption: str, val: float) -> str:
    """By the hash of the prompt, so that no prompt is in both parts of any two releases."""
    return "val" if share_of("split", same_words(caption)) < val else "train"


def _fate(prompt: Prompt, made: Made) -> Fate:
    checked = made.checks.get(prompt.id)
    if checked is None:
        return Fate(prompt, "lost")
    people = made.verdicts.of(prompt.id)
    if people:
        if not all(verdict.accepted for verdict in people):
            return Fate(prompt, "rejected by a person")
        return Fate(prompt, RELEASED, people[-1].layout, "person")
    if checked["verdict"] == "reject":
        return Fate(prompt, "rejected by the checks")
    if checked["verdict"] == "review":
        return Fate(prompt, "waits for a person")
    objects = made.boxes[prompt.id]["objects"]
    layout = Layout(tuple(Object(o["phrase"], Box.of(o["box"])) for o in objects))
    return Fate(prompt, RELEASED, layout, "checks")


def _scene(row: Row) -> Scene:
    objects = tuple(Object(o["phrase"], Box.of(o["box"])) for o in row["objects"])
    return Scene(row["prompt"], Layout(objects), row["width"], row["height"])
