"""Write pages as a COCO data set: pictures, instances with attributes, and five captions each."""

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from PIL import Image

from situ.files.atomic import write_bytes, write_png
from situ.scene import codec
from situ.storybook import grammar
from situ.storybook.kinds import KINDS
from situ.storybook.render import render
from situ.storybook.world import Page, Split, sample_page

CHUNK = 64  # pages a worker paints at a time


def write_book(
    folder: Path,
    count: int,
    split: Split = "train",
    *,
    size: int = 128,
    first_seed: int = 0,
    workers: int | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> None:
    """Write pages first_seed ... first_seed + count - 1 to `folder`, as COCO keeps its sets:

        images/000000.png   annotations/instances.json   annotations/captions.json   scenes.jsonl

    scenes.jsonl holds the same pages as scenes for `situ generate --scenes`, with their first captions.
    Pictures that are already there are kept, so an interrupted run goes on; the annotations come last.
    """
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "annotations").mkdir(exist_ok=True)
    seeds = range(first_seed, first_seed + count)
    jobs = [(folder, tuple(seeds[i : i + CHUNK]), split, size) for i in range(0, count, CHUNK)]
    for done, _ in enumerate(_in_processes(_paint, jobs, workers), 1):
        progress(min(done * CHUNK, count))
    pages = [sample_page(seed, split) for seed in seeds]
    scenes = "".join(codec.dumps(grammar.scene(page, size=size)) + "\n" for page in pages)
    write_bytes(folder / "scenes.jsonl", scenes.encode())
    _write_json(folder / "annotations/captions.json", _captions(pages, size))
    _write_json(folder / "annotations/instances.json", _instances(pages, size))


def file_name(seed: int) -> str:
    return f"{seed:06d}.png"


def _in_processes(
    job: Callable[[Any], None], jobs: list[Any], workers: int | None
) -> Iterator[None]:
    if workers == 1 or len(jobs) == 1:
        yield from map(job, jobs)
        return
    with ProcessPoolExecutor(workers or os.cpu_count()) as pool:
        yield from pool.map(job, jobs)


def _paint(job: tuple[Path, tuple[int, ...], Split, int]) -> None:
    folder, seeds, split, size = job
    for seed in seeds:
        path = folder / "images" / file_name(seed)
        if not path.exists():
            write_png(path, Image.fromarray(render(sample_page(seed, split), size)))


def _images(pages: list[Page], size: int) -> list[dict[str, Any]]:
    return [
        {"id": p.seed, "file_name": file_name(p.seed), "width": size, "height": size} for p in pages
    ]


def _captions(pages: list[Page], size: int) -> dict[str, Any]:
    sentences = [(page.seed, text) for page in pages for text in grammar.captions(page)]
    annotations = [
        {"id": i, "image_id": seed, "caption": text} for i, (seed, text) in enumerate(sentences)
    ]
    return {"images": _images(pages, size), "annotations": annotations}


def _instances(pages: list[Page], size: int) -> dict[str, Any]:
    categories = [{"id": i, "name": kind} for i, kind in enumerate(KINDS, 1)]
    number = {category["name"]: category["id"] for category in categories}
    annotations = []
    for page in pages:
        for depth, thing in enumerate(page.things):
            box = thing.box
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": page.seed,
                    "category_id": number[thing.kind],
                    "bbox": [box.x0 * size, box.y0 * size, box.width * size, box.height * size],
                    "area": box.area * size * size,
                    "iscrowd": 0,
                    "phrase": grammar.phrase(thing),
                    "attributes": {
                        "colour": thing.colour,
                        "texture": thing.texture,
                        "depth": depth,
                    },
                }
            )
    info = [{"id": p.seed, "background": p.background, "split": p.split} for p in pages]
    return {
        "images": _images(pages, size),
        "annotations": annotations,
        "categories": categories,
        "pages": info,
    }


def _write_json(path: Path, content: dict[str, Any]) -> None:
    write_bytes(path, json.dumps(content).encode())
