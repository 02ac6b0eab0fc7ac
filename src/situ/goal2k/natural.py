"""Stage 4: captions that people wrote (GOAL: 1,000 of COCO), kept where they tell of more than one thing.

The rules that plan layouts read each caption; the things and relations that they find are its symbolic
scene. In the storybook a natural caption is one of the five ways in which a page is told.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from situ.data.coco import read_json
from situ.goal2k import pages
from situ.goal2k.prompts import CATEGORIES, NATURAL, Asked, Prompt, Stated, same_words
from situ.goal2k.settings import STORYBOOK, Natural
from situ.planners.reader import read
from situ.scene import SituError
from situ.scene.errors import at

LEAST_WORDS = 4
MOST_THINGS = 8
MOST_OF_A_KIND = 5


def natural(settings: Natural, count: int, seed: int, first: int, taken: set[str]) -> list[Prompt]:
    """`count` prompts numbered from `first`, none of which says what is `taken`."""
    if settings.source == STORYBOOK:
        rank = len(CATEGORIES)
        found = pages.prompts(NATURAL, count, seed, rank, taken)
        return [
            pages.prompt(_key(i), first + i, NATURAL, page, told).told(caption)
            for i, (page, told, caption) in enumerate(found)
        ]
    path = Path(settings.source).expanduser()
    with at(f"natural: {path}"):
        rows = _shuffled(read_json(path), seed)
        found = list(_chosen(rows, settings, count, taken))
        if len(found) < count:
            raise SituError(
                f"{len(found)} of {len(rows)} captions tell of two things or a relation, and "
                f"{count} are wanted; lower n or natural"
            )
    return [
        Prompt(_key(i), first + i, NATURAL, p.things, p.relations, p.caption, p.source)
        for i, p in enumerate(found)
    ]


def reading(caption: str, most_words: int) -> tuple[tuple[Asked, ...], tuple[Stated, ...]] | None:
    """Things and relations of a caption, or None where it is not of use: too long, not understood,
    of one thing only, of crowds, or of what is absent."""
    if not LEAST_WORDS <= len(caption.split()) <= most_words:
        return None
    symbols = read(caption)
    if symbols.unknown or symbols.absent or not 1 <= len(symbols.things) <= MOST_THINGS:
        return None
    phrases = [thing.phrase for thing in symbols.things]
    if len(set(phrases)) < len(phrases) or max(t.count for t in symbols.things) > MOST_OF_A_KIND:
        return None
    if sum(thing.count for thing in symbols.things) < 2:
        return None
    things = tuple(Asked(t.phrase, t.noun, t.count) for t in symbols.things)
    relations = tuple(
        Stated(r.subject, r.predicate, r.object)
        for r in symbols.relations
        if r.sure and r.other is None and r.subject != r.object
    )
    return things, relations


def _chosen(
    rows: Sequence[Mapping[str, Any]], settings: Natural, count: int, taken: set[str]
) -> Iterator[Prompt]:
    """At most one caption of a picture."""
    used, pictures, number = set(taken), set(), 0
    for row in rows:
        if number == count:
            return
        caption = " ".join(str(row["caption"]).split())
        if row["image_id"] in pictures or same_words(caption) in used:
            continue
        read_as = reading(caption, settings.most_words)
        if read_as is None:
            continue
        used.add(same_words(caption))
        pictures.add(row["image_id"])
        number += 1
        source = {"world": "open", "image_id": row["image_id"], "caption_id": row.get("id")}
        yield Prompt("new", 0, NATURAL, *read_as, caption, source)


def _shuffled(captions: Mapping[str, Any], seed: int) -> list[Mapping[str, Any]]:
    try:
        rows = sorted(captions["annotations"], key=lambda row: (row["image_id"], row["caption"]))
    except (KeyError, TypeError) as error:
        raise SituError(f"this is no COCO captions file: {type(error).__name__} {error}") from None
    random.Random(f"goal2k/natural/{seed}").shuffle(rows)
    return rows


def _key(index: int) -> str:
    return f"{NATURAL}-{index:05d}"
