"""Tables of evidence: computed once, kept on disk, never stale, resumed part by part."""

from pathlib import Path

import numpy as np
import pytest
from plain_world import PlainWorld, numbered, scene

from situ.evaluation.detections import Detection
from situ.evaluation.evidence import Evidence, InMemory, shuffled
from situ.evaluation.stored import UnfinishedError, stored_rows
from situ.scene import Box, SituError

FISH = ("red fish", (0.0, 0.0, 0.5, 0.5))
TINY = ("red fish", (0.0, 0.0, 0.05, 0.5))


def test_tables_are_read_back_from_disk_and_not_computed_again(tmp_path: Path) -> None:
    world, pictures = PlainWorld(), InMemory(numbered(3))
    scenes = (scene(FISH),) * 3
    first = Evidence(pictures, scenes, world, tmp_path).features
    again = Evidence(pictures, scenes, world, tmp_path).features
    assert world.looked == 3
    np.testing.assert_array_equal(first, again)


def test_other_pictures_scenes_or_networks_have_tables_of_their_own(tmp_path: Path) -> None:
    world, scenes = PlainWorld(), (scene(FISH),) * 3
    before = Evidence(InMemory(numbered(3)), scenes, world, tmp_path).features
    changed = numbered(3)
    changed[1] = 0
    after = Evidence(InMemory(changed), scenes, world, tmp_path).features
    assert not np.array_equal(before, after)
    world.models = {**world.models, "features": "means-2"}
    assert world.looked == 6
    _ = Evidence(InMemory(changed), scenes, world, tmp_path).features
    assert world.looked == 9


def test_detections_survive_the_disk_exactly(tmp_path: Path) -> None:
    found = [Detection("red fish", 0.123456789, Box(0.1, 0.2, 1 / 3, 0.9))]
    world = PlainWorld({1: found})
    make = lambda: Evidence(InMemory(numbered(2)), (scene(FISH),) * 2, world, tmp_path)  # noqa: E731
    assert make().detections == [[], found]
    world.told = {}
    assert make().detections == [[], found]


def test_regions_leave_small_boxes_out_and_know_their_picture() -> None:
    scenes = (scene(TINY), scene(FISH, TINY), scene(FISH))
    e = Evidence(InMemory(numbered(3)), scenes, PlainWorld())
    assert [(r.picture, r.item) for r in e.regions] == [(1, 0), (2, 0)]
    assert e.region_features.shape == (2, 3)
    crop = e.source.read(1, 2)[0, :8, :8].reshape(-1, 3).mean(0)
    np.testing.assert_allclose(e.region_features[0], crop, atol=0.5)


def test_a_set_without_regions_says_so() -> None:
    with pytest.raises(SituError, match="no box is large enough"):
        _ = Evidence(InMemory(numbered(1)), (scene(TINY),), PlainWorld()).region_features


def test_shuffling_moves_scenes_and_keeps_pictures() -> None:
    scenes = (scene(FISH, caption="one"), scene(FISH, caption="two"))
    moved = shuffled(Evidence(InMemory(numbered(2)), scenes, PlainWorld()))
    assert [s.caption for s in moved.scenes] == ["two", "one"]


def test_as_many_scenes_as_pictures() -> None:
    with pytest.raises(SituError, match="2 pictures for 1 scenes"):
        Evidence(InMemory(numbered(2)), (scene(FISH),), PlainWorld())


def test_an_interrupted_table_goes_on_where_it_stopped(tmp_path: Path) -> None:
    asked: list[tuple[int, int]] = []

    def compute(start: int, stop: int) -> np.ndarray:
        asked.append((start, stop))
        if start == 4 and len(asked) == 3:
            raise KeyboardInterrupt
        return np.arange(start, stop)

    with pytest.raises(KeyboardInterrupt):
        stored_rows(tmp_path, 7, compute, part=2)
    rows = stored_rows(tmp_path, 7, compute, part=2)
    assert rows.tolist() == list(range(7))
    assert asked == [(0, 2), (2, 4), (4, 6), (4, 6), (6, 7)]


def test_processes_share_the_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def compute(start: int, stop: int) -> np.ndarray:
        return np.arange(start, stop)

    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(UnfinishedError, match="lacks 2 of 4 parts"):
        stored_rows(tmp_path, 8, compute, part=2)
    monkeypatch.setenv("RANK", "1")
    assert stored_rows(tmp_path, 8, compute, part=2).tolist() == list(range(8))


def test_a_broken_part_is_named(tmp_path: Path) -> None:
    stored_rows(tmp_path, 2, lambda a, b: np.arange(a, b), part=2)
    part = next(tmp_path.glob("*.npy"))
    part.write_bytes(part.read_bytes()[:-3])
    with pytest.raises(SituError, match=f"{part.name} is not a whole"):
        stored_rows(tmp_path, 2, lambda a, b: np.arange(a, b), part=2)
