"""The stage that trains a placer on the boxes of a COCO-format set."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch
from tqdm import tqdm

from situ.app.recipe import Recipe
from situ.app.stage_items import items_of
from situ.app.train import Stage
from situ.data.coco import Item
from situ.files.atomic import write_bytes
from situ.models.placer import Placer, PlacerConfig, noun_of, save_placer
from situ.ops.processes import is_first
from situ.scene import Layout
from situ.training.checkpoint import trained_weights
from situ.training.loop import step_generator
from situ.training.placing import (
    Placed,
    PlacingData,
    PlacingObjective,
    PlacingSettings,
    Told,
    read_caption,
)

FORMAT = 1  # of the cache of captions as they were read
AT_ONCE = 64
HELD_OUT = 512


def placer(recipe: Recipe, device: str) -> Stage:
    """[data] folder, held_out and optionally instances, captions, held_out_instances, held_out_captions, and
    read: how many captions of each picture are read; [model] width, layers, heads, bins, buckets;
    [objective] PlacingSettings.
    """
    settings = recipe.table("objective", PlacingSettings)
    items = _with_boxes(recipe, "folder")
    nouns = Counter(noun_of(phrase) for item in items for phrase in item.layout.phrases)
    config = recipe.table("model", PlacerConfig, nouns=tuple(sorted(nouns)))
    network = Placer(config).to(device)
    objective = PlacingObjective(network, settings).to(device)
    data = PlacingData(_placed(recipe, items, "folder"), settings, config.bins, config.buckets)
    unseen = _placed(recipe, _with_boxes(recipe, "held_out")[:HELD_OUT], "held_out")
    held_out = PlacingData(unseen, settings, config.bins, config.buckets)
    batch = held_out.batch(HELD_OUT, step_generator(7, 7))
    batch = {name: rows.to(device) for name, rows in batch.items()}

    @torch.no_grad()
    def watch() -> dict[str, float]:
        return {f"held_out_{name}": float(value) for name, value in objective(batch).items()}

    def export(out: Path) -> None:
        network.load_state_dict(trained_weights(out))
        save_placer(network, out / "placer")

    return Stage(objective, data, watch, export)


def _with_boxes(recipe: Recipe, key: str) -> tuple[Item, ...]:
    return tuple(item for item in items_of(recipe, key) if len(item.layout))


def _placed(recipe: Recipe, items: Sequence[Item], key: str) -> list[Placed]:
    """Layouts with their captions as they were read; reading is slow, so that is kept beside the data."""
    count = recipe.value("data", "read", 2)
    if not count:
        return [Placed(item.layout) for item in items]
    asked = [(item.layout, item.captions[:count]) for item in items]
    content = json.dumps([[*layout.phrases, *captions] for layout, captions in asked])
    digest = hashlib.sha256(f"{FORMAT} {content}".encode()).hexdigest()[:12]
    path = Path(recipe.value("data", key)) / f"read-{digest}.jsonl"
    if not path.exists():
        lines = "".join(json.dumps(told) + "\n" for told in _read(asked))
        write_bytes(path, lines.encode())
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    told = [tuple(tuple((s, p, o) for s, p, o in caption) for caption in row) for row in rows]
    return [Placed(item.layout, some) for item, some in zip(items, told, strict=True)]


def _read(asked: Sequence[tuple[Layout, tuple[str, ...]]]) -> list[tuple[Told, ...]]:
    """In processes: a caption takes milliseconds, and a data set has half a million."""
    workers = max(
        1, min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1, 16)
    )
    with ProcessPoolExecutor(workers) as pool:
        found = pool.map(_read_one, asked, chunksize=AT_ONCE)
        hidden = None if is_first() else True  # None: unless this is a terminal
        return list(tqdm(found, total=len(asked), unit="picture", desc="reading", disable=hidden))


def _read_one(asked: tuple[Layout, tuple[str, ...]]) -> tuple[Told, ...]:
    layout, captions = asked
    return tuple(read_caption(caption, layout) for caption in captions)
