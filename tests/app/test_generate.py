"""Pictures into folders: names, seeds, resuming, and what is never left behind."""

import errno
import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny_backbone import SIDE

from situ.app import manifest
from situ.app import repeat as repeating
from situ.app.generate import Interrupted, Output, Picture, generate, groups, plan
from situ.app.pipeline import Pipeline
from situ.app.repeat import again, compared
from situ.app.settings import sampling_of, settings_of
from situ.files import atomic
from situ.files.record import read_record
from situ.files.writable import check_writable
from situ.methods.plan import Sampling
from situ.scene import Box, Layout, Object, Scene, SituError

SAMPLING = Sampling(steps=3, guidance=3.0)


def scenes(count: int) -> list[Scene]:
    layout = Layout((Object("red fish", Box(0.1, 0.2, 0.6, 0.9)),))
    wide = [SIDE, 2 * SIDE]
    return [Scene(f"{k} red fish", layout, wide[k % 2], SIDE) for k in range(count)]


def planned(pipe: Pipeline, count: int = 3, **more: Any) -> tuple[Picture, ...]:
    how = {"method": "gligen", "sampling": SAMPLING, "many": True, **more}
    return plan(pipe, scenes(count), **how)


def contents(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_names_and_seeds_of_one_scene(pipe: Pipeline) -> None:
    pictures = planned(pipe, 1, seed=7, images=3, many=False)
    assert [picture.file for picture in pictures] == ["0007.png", "0008.png", "0009.png"]
    assert [picture.record.seed for picture in pictures] == [7, 8, 9]


def test_names_and_seeds_of_many_scenes(pipe: Pipeline) -> None:
    pictures = plan(
        pipe,
        scenes(1) * 2001,
        method="gligen",
        sampling=SAMPLING,
        seed=5,
        images=2,
        many=True,
    )
    assert pictures[0].file == "000/000000-0.png"
    assert pictures[2 * 734 + 1].file == "000/000734-1.png"
    assert pictures[2 * 734 + 1].record.seed == 5 + 734_000 + 1
    assert pictures[-1].file == "002/002000-1.png"
    assert len({picture.record.seed for picture in pictures}) == len(pictures)


def test_more_images_and_more_scenes_leave_the_others_as_they_are(pipe: Pipeline) -> None:
    many = planned(pipe, 3, images=4)
    assert all(picture in many for picture in planned(pipe, 2, images=2))


@pytest.mark.parametrize("change", [{"images": 0}, {"images": 1001}, {"seed": -1}, {"seed": 2**32}])
def test_seeds_out_of_range_are_refused(pipe: Pipeline, change: dict[str, int]) -> None:
    with pytest.raises(SituError, match=r"must be in"):
        planned(pipe, **change)


def test_groups_have_one_canvas_and_hold_every_picture_once(pipe: Pipeline) -> None:
    pictures = planned(pipe, 7)
    made = list(groups(pictures, 3))
    assert [len(group) for group in made] == [3, 1, 3]
    assert all(len({p.record.scene.canvas for p in group}) == 1 for group in made)
    assert sorted(p.file for group in made for p in group) == [p.file for p in pictures]


def test_a_picture_carries_its_record_and_the_manifest_lists_it(
    pipe: Pipeline, tmp_path: Path
) -> None:
    pictures = planned(pipe, 2)
    summary = generate(pipe, pictures, Output(tmp_path))
    assert (summary.drawn, summary.kept) == (2, 0)
    for picture in pictures:
        assert read_record(tmp_path / picture.file) == picture.record
        with Image.open(tmp_path / picture.file) as image:
            assert image.size == picture.record.scene.canvas
            assert image.info["parameters"].startswith(picture.record.scene.caption)
    entries = list(manifest.read(tmp_path))
    assert [entry["file"] for entry in entries] == ["000/000000-0.png", "000/000001-0.png"]
    assert entries[1]["scene_index"] == 1
    assert entries[1]["scene"]["caption"] == "1 red fish"


def test_files_do_not_depend_on_the_batch(pipe: Pipeline, tmp_path: Path) -> None:
    for batch in (1, 8):
        generate(pipe, planned(pipe, 5, images=2), Output(tmp_path / str(batch), batch))
    assert contents(tmp_path / "1") == contents(tmp_path / "8")


def test_files_do_not_depend_on_the_order(pipe: Pipeline, tmp_path: Path) -> None:
    pictures = planned(pipe, 4)
    generate(pipe, pictures, Output(tmp_path / "forth"))
    generate(pipe, pictures[::-1], Output(tmp_path / "back"))
    forth, back = contents(tmp_path / "forth"), contents(tmp_path / "back")
    assert sorted(forth.pop(manifest.NAME).splitlines()) == sorted(
        back.pop(manifest.NAME).splitlines()
    )
    assert forth == back


def test_a_second_run_draws_nothing_and_changes_nothing(
    pipe: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate(pipe, planned(pipe), Output(tmp_path))
    before = contents(tmp_path)
    monkeypatch.setattr(Pipeline, "run", None)
    summary = generate(pipe, planned(pipe), Output(tmp_path))
    assert (summary.drawn, summary.kept) == (0, 3)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("how", ["settings", "weights", "junk", "torn", "symlink"])
def test_another_picture_in_the_way_is_an_error_that_says_what_to_do(
    pipe: Pipeline, tmp_path: Path, how: str
) -> None:
    first, second = planned(pipe, 2)
    generate(pipe, [second], Output(tmp_path))
    path = tmp_path / second.file
    if how == "settings":
        second = replace(second, record=replace(second.record, seed=99))
    elif how == "weights":
        second = replace(
            second, record=replace(second.record, model={**pipe.source, "weights": "x"})
        )
    elif how == "junk":
        path.write_bytes(b"something else")
    elif how == "torn":
        path.write_bytes(path.read_bytes()[:-20])
    else:
        path.unlink()
        path.symlink_to("nowhere")
    before = contents(tmp_path)
    with pytest.raises(SituError, match=rf"000001-0\.png exists.*{tmp_path}.*--overwrite"):
        generate(pipe, [first, second], Output(tmp_path))
    assert contents(tmp_path) == before  # the first one was not drawn either
    generate(pipe, [first, second], Output(tmp_path, overwrite=True))
    assert read_record(path) == second.record


def test_an_interrupted_run_says_how_to_go_on_and_ends_equal(
    pipe: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate(pipe, planned(pipe, 4), Output(tmp_path / "whole"))
    count = iter(range(100))
    original = atomic.write_bytes

    def pressed(path: Path, content: bytes) -> None:
        if next(count) == 2:
            raise KeyboardInterrupt
        original(path, content)

    monkeypatch.setattr(atomic, "write_bytes", pressed)
    with pytest.raises(Interrupted, match=r"2 of 4 pictures are in .*same command goes on"):
        generate(pipe, planned(pipe, 4), Output(tmp_path / "parts"))
    assert len(list(manifest.read(tmp_path / "parts"))) == 2
    (tmp_path / "parts/000/.000003-0.png.abcdefgh.tmp").write_bytes(b"half")
    (tmp_path / "parts/000/.other.png.abcdefgh.tmp").write_bytes(b"of someone else")
    summary = generate(pipe, planned(pipe, 4), Output(tmp_path / "parts"))
    assert (summary.drawn, summary.kept) == (2, 2)
    (tmp_path / "parts/000/.other.png.abcdefgh.tmp").unlink()
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def test_a_full_disk_leaves_nothing_half_written(
    pipe: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        path.write_bytes(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(atomic, "_write_and_sync", full)
    with pytest.raises(SituError, match=r"cannot write .*000000-0\.png: No space left on device"):
        generate(pipe, planned(pipe), Output(tmp_path))
    assert contents(tmp_path) == {}


def test_a_folder_that_may_not_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o500)
    if os.access(tmp_path, os.W_OK):  # root may write everywhere
        denied = PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: _raise(denied))
    with pytest.raises(SituError, match="cannot write into .*Permission denied.*--out"):
        check_writable(tmp_path / "a" / "b")


def _raise(error: Exception) -> None:
    raise error


def test_a_folder_below_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SituError, match=r"out: cannot write into .*file/a: Not a directory"):
        check_writable(tmp_path / "file" / "a")


def test_checking_makes_no_folder(tmp_path: Path) -> None:
    check_writable(tmp_path / "a" / "b")
    assert contents(tmp_path) == {}
    assert list(tmp_path.iterdir()) == []


def test_a_canvas_the_model_cannot_draw_is_refused_before_anything_is_drawn(
    pipe: Pipeline, tmp_path: Path
) -> None:
    good, bad = planned(pipe, 2)
    odd = replace(bad.record.scene, width=100)
    bad = replace(bad, record=replace(bad.record, scene=odd))
    with pytest.raises(SituError, match="width: 100 px"):
        generate(pipe, [good, bad], Output(tmp_path))
    assert contents(tmp_path) == {}


def test_boxes_and_previews_are_written_beside(pipe: Pipeline, tmp_path: Path) -> None:
    (picture,) = planned(pipe, 1, many=False)
    generate(pipe, [picture], Output(tmp_path, draw=True, preview=True))
    assert sorted(contents(tmp_path)) == [
        "0000.boxes.png",
        "0000.png",
        "0000.steps.webp",
        "0000.steps/0.png",
        "0000.steps/1.png",
        "0000.steps/2.png",
        "manifest.jsonl",
    ]
    with Image.open(tmp_path / "0000.steps.webp") as film:
        assert film.n_frames == 4  # pyright: ignore[reportAttributeAccessIssue]
    with Image.open(tmp_path / "0000.boxes.png") as drawn:
        assert drawn.size == (6 * SIDE, 6 * SIDE)


def test_boxes_can_be_asked_for_later(pipe: Pipeline, tmp_path: Path) -> None:
    pictures = planned(pipe, 1, many=False)
    generate(pipe, pictures, Output(tmp_path / "a", draw=True))
    generate(pipe, pictures, Output(tmp_path / "b"))
    summary = generate(pipe, pictures, Output(tmp_path / "b", draw=True))
    assert summary.drawn == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_batch_of_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SituError, match="batch: 0"):
        Output(tmp_path, batch=0)


@pytest.fixture
def drawn(pipe: Pipeline, tmp_path: Path) -> Path:
    (picture,) = plan(pipe, scenes(1), method="gligen", sampling=SAMPLING, seed=7)
    generate(pipe, [picture], Output(tmp_path / "first"))
    return tmp_path / "first" / "0007.png"


def test_a_picture_is_repeated_bit_for_bit(pipe: Pipeline, drawn: Path, tmp_path: Path) -> None:
    picture = again(pipe, drawn, read_record(drawn), {})
    generate(pipe, [picture], Output(tmp_path / "again"))
    assert (tmp_path / "again/0007.png").read_bytes() == drawn.read_bytes()
    assert compared(drawn, tmp_path / "again/0007.png") == f"equal to {drawn} bit for bit"


def test_a_repeat_may_change_settings(pipe: Pipeline, drawn: Path, tmp_path: Path) -> None:
    picture = again(pipe, drawn, read_record(drawn), {"steps": 4}, seed=8)
    assert picture.record.sampling == {**read_record(drawn).sampling, "steps": 4}
    generate(pipe, [picture], Output(tmp_path / "again"))
    assert "not equal" in compared(drawn, tmp_path / "again/0008.png")


def test_other_weights_are_refused(pipe: Pipeline, drawn: Path) -> None:
    record = replace(read_record(drawn), model={**pipe.source, "weights": "f" * 16})
    with pytest.raises(
        SituError, match=f"weights {'f' * 16}; tiny here has {pipe.source['weights']}"
    ):
        again(pipe, drawn, record, {})


def test_pictures_of_other_sizes_are_told_apart(tmp_path: Path) -> None:
    for name, side in (("a", 8), ("b", 9)):
        Image.fromarray(np.zeros((side, side, 3), np.uint8)).save(tmp_path / f"{name}.png")
    assert "size" in compared(tmp_path / "a.png", tmp_path / "b.png")
    assert repeating.read_png(tmp_path / "a.png").size == (8, 8)


def test_settings_come_back_and_numbers_have_one_form() -> None:
    sampling = Sampling(steps=7, solver="ddim", guidance=3, gate=(1, 0, 0), eta=1, negative="dull")
    settings: dict[str, Any] = json.loads(json.dumps(settings_of(sampling)))
    assert sampling_of(settings) == sampling
    assert settings["guidance"] == 3.0
    assert isinstance(settings["guidance"], float)
    assert sampling_of({}) == Sampling()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"stepz": 3}, "unknown setting 'stepz': did you mean 'steps'"),
        ({"steps": 2.5}, "steps must be a whole number"),
        ({"steps": 10**9}, "steps must be in"),
        ({"solver": 3}, "solver must be text"),
        ({"gate": [1.0]}, "gate must be 3 numbers"),
        ({"gate": "abc"}, "gate must be a list"),
        ({"guidance": "7"}, "guidance must be a number"),
    ],
)
def test_settings_of_a_strangers_picture_are_checked(settings: Any, message: str) -> None:
    with pytest.raises(SituError, match=message):
        sampling_of(settings)
