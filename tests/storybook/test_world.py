"""The world: reproducible pages, tight boxes, true sentences, and held-out combinations."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from situ.data.coco import read_coco
from situ.storybook import grammar
from situ.storybook.book import write_book
from situ.storybook.kinds import KINDS
from situ.storybook.palette import BACKGROUNDS, COLOURS, TEXTURES, background
from situ.storybook.render import render, visible
from situ.storybook.world import (
    OVERLAP,
    SIDES,
    Page,
    Thing,
    held_out,
    held_out_relation,
    sample_page,
)

seeds = st.integers(0, 10_000)


def test_the_world_is_as_large_as_promised() -> None:
    assert len(KINDS) >= 20
    assert (len(COLOURS), len(TEXTURES)) == (10, 4)
    assert len(BACKGROUNDS) >= 5
    assert len(SIDES) == 6


def test_pages_never_change() -> None:
    """Golden: the first training pages and their sentences, as the shipped model was trained on them."""
    pages = [sample_page(seed) for seed in range(20)]
    text = repr([(page, grammar.captions(page)) for page in pages])
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "d6ad6fde7c5ee0c9"


@given(seeds, st.sampled_from(["train", "val", "novel"]))
def test_things_stay_on_the_page_and_hide_little_of_each_other(seed: int, split: str) -> None:
    page = sample_page(seed, split)  # type: ignore[arg-type]
    boxes = [thing.box for thing in page.things]
    assert 1 <= len(boxes) <= 6
    assert [box.y1 for box in boxes] == sorted(box.y1 for box in boxes)
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :]:
            wide = max(0.0, min(a.x1, b.x1) - max(a.x0, b.x0))
            high = max(0.0, min(a.y1, b.y1) - max(a.y0, b.y0))
            assert wide * high <= OVERLAP * min(a.area, b.area) + 1e-9


@given(seeds)
def test_training_never_shows_a_held_out_pair_and_novel_pages_always_do(seed: int) -> None:
    assert not any(held_out(t.kind, t.colour) for t in sample_page(seed, "train").things)
    assert any(held_out(t.kind, t.colour) for t in sample_page(seed, "novel").things)


def test_every_kind_and_colour_is_still_seen_and_some_relations_are_held_out() -> None:
    for kind in KINDS:
        assert 1 <= sum(held_out(kind, colour) for colour in COLOURS) <= 2
    for colour in COLOURS:
        assert sum(held_out(kind, colour) for kind in KINDS) < len(KINDS) / 2
    pairs = [(a, b) for a in KINDS for b in KINDS]
    assert 0.05 < sum(held_out_relation(a, b) for a, b in pairs) / len(pairs) < 0.2


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_thing_fills_its_box_and_no_pixel_outside(kind: str) -> None:
    box = sample_page(0).things[0].box
    empty = Page((), "snow", (0.5, 0.5, 0.5), 0, "val")
    page = Page((Thing(kind, "red", "plain", box),), "snow", (0.5, 0.5, 0.5), 0, "val")
    changed = (render(page) != render(empty)).any(-1)
    x0, y0, x1, y1 = (round(v * 128) for v in box.xyxy)
    outside = changed.copy()
    outside[y0:y1, x0:x1] = False
    assert not outside.any()
    rows, columns = np.where(changed.any(1))[0], np.where(changed.any(0))[0]
    assert abs(rows[0] - y0) <= 1
    assert abs(rows[-1] - (y1 - 1)) <= 1
    assert abs(columns[0] - x0) <= 1
    assert abs(columns[-1] - (x1 - 1)) <= 1


def test_the_nearest_thing_is_the_visible_one() -> None:
    page = next(p for p in map(sample_page, range(100)) if len(p.things) == 5)
    owner = visible(page)
    assert set(np.unique(owner)) == {-1, 0, 1, 2, 3, 4}
    front = page.things[-1].box
    x, y = (int(v * 128) for v in front.center)
    assert owner[y, x] == 4


def test_larger_pages_are_the_same_drawing() -> None:
    page = sample_page(3)
    small = render(page, 128).astype(float)
    large = render(page, 256).astype(float).reshape(128, 2, 128, 2, 3).mean((1, 3))
    assert np.abs(small - large).mean() < 6


@given(st.sampled_from(list(BACKGROUNDS)), st.tuples(*[st.floats(0, 1)] * 3))
def test_backgrounds_take_any_wobble(name: str, wobble: tuple[float, float, float]) -> None:
    assert background(name, wobble, 32).shape == (32, 32, 3)


@given(seeds)
def test_every_sentence_names_every_thing_and_the_place(seed: int) -> None:
    page = sample_page(seed)
    sentences = grammar.captions(page)
    assert len(sentences) == grammar.PARAPHRASES
    for sentence in sentences:
        assert BACKGROUNDS[page.background] in sentence
        for thing in page.things:
            plural = KINDS[thing.kind].plural
            assert thing.kind in sentence or plural in sentence
            assert thing.colour in sentence


@given(seeds)
def test_related_things_stand_as_the_sentence_says(seed: int) -> None:
    page = sample_page(seed)
    for a in page.things:
        for b in page.things:
            word = grammar.relation(a.box, b.box)
            if word == "left":
                assert a.box.center[0] < b.box.center[0]
                assert grammar.relation(b.box, a.box) == "right"
            if word in ("above", "on"):
                assert a.box.center[1] < b.box.center[1]


def test_a_book_reads_back_as_the_scenes_it_was_made_of(tmp_path: Path) -> None:
    write_book(tmp_path, 6, "val", workers=1)
    items = read_coco(tmp_path)
    assert len(items) == 6
    for seed, item in enumerate(items):
        page = sample_page(seed, "val")
        assert item.captions == grammar.captions(page)
        asked = {(grammar.phrase(t), *(round(v, 6) for v in t.box.xyxy)) for t in page.things}
        read = {(o.phrase, *(round(v, 6) for v in o.box.xyxy)) for o in item.layout}
        assert read == asked
        assert (item.pixels(128) == render(page)).all()


def test_a_book_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    write_book(tmp_path, 4, workers=1)
    kept = (tmp_path / "images/000001.png").stat().st_mtime_ns
    (tmp_path / "images/000002.png").unlink()
    write_book(tmp_path, 4, workers=1)
    assert (tmp_path / "images/000001.png").stat().st_mtime_ns == kept
    assert (tmp_path / "images/000002.png").exists()
    instances = json.loads((tmp_path / "annotations/instances.json").read_text())
    assert instances["annotations"][0].keys() >= {"bbox", "category_id", "phrase", "attributes"}
