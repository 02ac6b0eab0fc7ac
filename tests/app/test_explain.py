"""Pictures explained: fits by step, from a new run or from the picture's own trace, in words and drawn."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from aligned import SCENE, aligned, save_random_aligner
from PIL import Image
from tiny_backbone import SIDE

from situ.app.explain import (
    Story,
    formed,
    read_story,
    strip,
    watch_again,
    words,
    write_strip,
)
from situ.app.generate import Output, generate, plan
from situ.app.pipeline import Pipeline
from situ.app.trace import KEY, Trace, read_trace
from situ.cli.main import main
from situ.files.png import read_texts, text_info
from situ.files.record import Record, read_record
from situ.methods.plan import Sampling
from situ.scene import Layout, SituError

__all__ = ["aligned"]


def drawn(pipe: Pipeline, folder: Path, method: str, **options: float | str) -> tuple[Path, Record]:
    sampling = Sampling(
        steps=4,
        guidance=3.0,
        options={"align_stride": 1, "align_between": (-20.0, 20.0), **options}
        if method == "hcma"
        else options,
    )
    generate(
        pipe, plan(pipe, [SCENE], method=method, sampling=sampling), Output(folder, quiet=True)
    )
    path = folder / "0000.png"
    return path, read_record(path)


@pytest.mark.parametrize(
    ("fits", "since"),
    [
        ((0.1, 0.6, 0.7), 1),
        ((0.6, 0.4, 0.7), 2),
        ((0.6, 0.7, 0.4), None),
        ((0.1, None, 0.6, None), 2),
        ((0.6, None, 0.6), 0),
        ((None, None), None),
        ((), None),
    ],
)
def test_formed_is_where_the_fit_stays_above(fits: tuple[float | None, ...], since: int) -> None:
    assert formed(fits, 0.5) == since


def story(boxes: tuple[tuple[float | None, ...], ...], record: Record) -> Story:
    return Story(Path("x.png"), record, boxes, (0.1, 0.62), 0.5)


def test_it_is_said_in_words(aligned: Pipeline) -> None:
    sampling = Sampling(steps=50)
    record = plan(aligned, [SCENE], method="gligen", sampling=sampling)[0].record
    rising, flat = (0.0,) * 9 + (0.8,) * 42, (0.1,) * 50 + (0.414,)
    assert words(story((rising, flat), record)) == [
        "the red fish formed by step 9 of 50: its fit ended at 0.80",
        "the blue house never formed: its fit ended at 0.41",
        "the caption's fit ended at 0.62",
    ]
    twins = replace(SCENE, layout=Layout((SCENE.layout[0], SCENE.layout[0])))
    said = words(story(((None,), rising), replace(record, scene=twins)))
    assert said[0] == "the red fish (box 1) was not looked at"
    assert said[1].startswith("the red fish (box 2) formed by step 9")


@pytest.mark.parametrize("method", ["gligen", "hcma", "base"])
def test_a_picture_of_any_method_is_drawn_again_while_the_aligner_watches(
    aligned: Pipeline, tmp_path: Path, method: str
) -> None:
    path, record = drawn(aligned, tmp_path / "out", method)
    found = watch_again(aligned, path, record)
    assert found.same
    assert [len(row) for row in found.boxes] == [5, 5]
    assert len(found.caption) == 5
    assert all(value is not None and -1 <= value <= 1 for row in found.boxes for value in row)
    assert found.previews
    assert set(found.previews) <= set(range(4))
    assert max(found.previews) == 3
    write_strip(found, tmp_path / "strip.png")
    with Image.open(tmp_path / "strip.png") as image:
        assert image.width > 900
        assert image.height > 500


def test_hcma_leaves_its_trace_in_the_picture_and_it_says_the_same(
    aligned: Pipeline, tmp_path: Path
) -> None:
    share = {"align_form": "share", "align_size": 0.02 * 4 / 50}
    path, record = drawn(aligned, tmp_path / "out", "hcma", **share)
    trace = read_trace(path, 2)
    assert trace is not None
    assert set(trace.rows) == {"global", "slope", "share"}
    assert trace.rows["share"] == pytest.approx((0.02,) * 4, abs=1e-4)
    told, again = read_story(path, record), watch_again(aligned, path, record)
    for one, other in zip(told.boxes, again.boxes, strict=True):
        assert one == pytest.approx(other[:-1], abs=2e-4)
    assert strip(told).height < strip(again).height  # no previews
    assert len(read_texts(path)[KEY]) < 400


def test_skipped_steps_are_gaps(aligned: Pipeline, tmp_path: Path) -> None:
    path, record = drawn(
        aligned, tmp_path / "out", "hcma", align_stride=2, align_between=(-20.0, 20.0)
    )
    told = read_story(path, record)
    assert [value is None for value in told.boxes[0]] == [False, True, False, True]
    strip(told)


def test_other_methods_leave_none(aligned: Pipeline, tmp_path: Path) -> None:
    path, record = drawn(aligned, tmp_path / "out", "gligen")
    assert KEY not in read_texts(path)
    with pytest.raises(SituError, match="'gligen' left no trace in it; leave out --recorded"):
        read_story(path, record)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"boxes": [[0.1], [0.2, 0.3]]}',
        '{"boxes": [[0.1]]}',
        '{"global": [0.1, 0.2], "boxes": [[0.1], [0.2]]}',
        '{"boxes": [["x"], [0.2]]}',
        '{"boxes": [[1e999], [0.2]]}',
    ],
)
def test_a_trace_of_a_stranger_is_checked(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.png"
    Image.new("RGB", (8, 8)).save(path, pnginfo=text_info({KEY: text}))
    with pytest.raises(SituError, match=f"x.png: {KEY}: "):
        read_trace(path, 2)


def test_a_trace_reads_back_as_it_was_written(tmp_path: Path) -> None:
    trace = Trace({"global": (0.5, None)}, ((0.25, None), (1.5, 0.125)))
    path = tmp_path / "x.png"
    Image.new("RGB", (8, 8)).save(path, pnginfo=text_info({KEY: trace.dumps()}))
    assert read_trace(path, 2) == trace


def test_a_picture_that_comes_out_differently_is_told(aligned: Pipeline, tmp_path: Path) -> None:
    path, record = drawn(aligned, tmp_path / "out", "gligen")
    texts = read_texts(path)
    Image.new("RGB", (SIDE, SIDE)).save(path, pnginfo=text_info(texts))
    assert watch_again(aligned, path, record).same is False


def test_the_command(
    tiny_folder: Path, aligned: Pipeline, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, _ = drawn(aligned, tmp_path / "out", "hcma")
    file = save_random_aligner(aligned, tmp_path / "same.safetensors")
    model = ["--model", str(tiny_folder), "--aligner", str(file)]
    assert main(["explain", str(path), *model]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("the red fish ")
    assert said[-1] == f"drawn as {path.with_suffix('.explained.png')}"
    assert path.with_suffix(".explained.png").is_file()
    target = tmp_path / "deep/strip.png"
    assert main(["explain", str(path), "--recorded", "--json", "--out", str(target)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [item["phrase"] for item in told["objects"]] == list(SCENE.layout.phrases)
    assert len(told["objects"][0]["fit"]) == told["steps"] == 4
    assert target.is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["explain", "{path}"], "was drawn by 'tiny'; say where that model is with --model"),
        (["explain", "{path}", "--out", "{path}"], "is the picture itself; give another file"),
        (["explain", "{path}", "--recorded", "--least", "2"], "--least: 2.0 must be in -1..1"),
        (["explain", "none.png"], "none.png"),
        (["generate", "a fish", "--keep", "2"], "--keep: it goes with --candidates"),
        (["generate", "a fish", "--at", "2"], "--at: it goes with --candidates"),
        (
            ["generate", "--from", "{path}", "--candidates", "4"],
            "--candidates: it does not go with",
        ),
        (["generate", "a fish", "--preview", "--candidates", "4"], "does not go with --preview"),
    ],
)
def test_mistakes_are_one_line(
    aligned: Pipeline,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    path, _ = drawn(aligned, tmp_path / "out", "hcma")
    assert main([word.format(path=path) for word in words]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
