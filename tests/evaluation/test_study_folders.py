"""Result folders made into a study, and its answers analysed: files in, files out."""

import base64
import io
import json
import re
from pathlib import Path

import pytest
from PIL import Image

from situ.app import manifest
from situ.app.study import Options, build_study, read_study
from situ.cli.study import StudyAnalyse, StudyBuild
from situ.files.atomic import write_png
from situ.files.png import text_info
from situ.files.record import Record
from situ.scene import Box, Layout, Object, Scene, SituError

MODEL = {"name": "SECRET-MODEL", "weights": "none", "dtype": "float32"}
CAPTIONS = ("a red car", "two dogs", "a cup on a table")
GREY = {"ours": 40, "theirs": 160}


def draw(
    folder: Path,
    system: str,
    boxes: float = 0.5,
    captions: tuple[str, ...] = CAPTIONS,
    images: int = 2,
) -> Path:
    """The pictures of a system; its grey says the system, and the place of a seed in order the rest."""
    entries = []
    for k, caption in enumerate(captions):
        for j in reversed(range(images)):
            layout = Layout((Object("thing", Box(0, 0, boxes, boxes)),))
            seed = 1000 * k + j + GREY[system]
            record = Record(Scene(caption, layout, 24, 24), seed, system, {}, MODEL, "0")
            name = f"{seed:05d}.png"
            grey = GREY[system] + 20 * k + 8 * j
            write_png(
                folder / name, Image.new("RGB", (24, 24), (grey,) * 3), text_info(record.texts())
            )
            entries.append({"file": name, **record.to_json()})
    manifest.rebuild(folder, entries)
    return folder


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    return {system: draw(tmp_path / system, system) for system in GREY}


def contents(page: Path) -> dict:
    found = re.search(
        r'<script type="application/json" id="study">(.*?)</script>', page.read_text()
    )
    assert found
    return json.loads(found[1])


def test_the_page_holds_the_right_pictures_without_their_records(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    study = build_study(folders, tmp_path / "s", Options(raters=2, images=2, quality=100))
    assert read_study(tmp_path / "s" / "study.json") == study
    page = contents(tmp_path / "s" / "study.html")
    assert page["prompts"] == list(CAPTIONS)
    for picture, token in study.tokens.items():
        content = base64.b64decode(page["pictures"][token].partition("base64,")[2])
        with Image.open(io.BytesIO(content)) as image:
            assert not {"exif", "xmp", "parameters", "situ"} & image.info.keys()
            corners = {image.convert("RGB").getpixel(at) for at in ((0, 0), (23, 23))}
        if picture.system is not None:
            grey = GREY[picture.system] + 20 * picture.prompt + 8 * picture.image
            assert corners == {(grey,) * 3}
    text = (tmp_path / "s" / "study.html").read_text()
    assert not any(name in text for name in ("SECRET-MODEL", '"ours"', "theirs"))


def test_pictures_beside_the_page(folders: dict[str, Path], tmp_path: Path) -> None:
    study = build_study(folders, tmp_path / "s", Options(raters=2, beside=True))
    page = contents(tmp_path / "s" / "study.html")
    files = {path.name for path in (tmp_path / "s" / "pictures").iterdir()}
    assert files == {f"{token}.webp" for token in study.tokens.values()}
    assert set(page["pictures"].values()) == {f"pictures/{name}" for name in files}


def test_a_key_is_not_replaced_by_another_but_by_itself(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    first = build_study(folders, tmp_path / "s", Options(raters=2))
    assert build_study(folders, tmp_path / "s", Options(raters=2)) == first
    with pytest.raises(SituError, match=r"study\.json is the key of another study"):
        build_study(folders, tmp_path / "s", Options(raters=3))
    other = build_study(folders, tmp_path / "s", Options(raters=3, overwrite=True))
    assert read_study(tmp_path / "s" / "study.json") == other


def test_other_pictures_are_another_study(folders: dict[str, Path], tmp_path: Path) -> None:
    first = build_study(folders, tmp_path / "a", Options(raters=2))
    path = manifest.pictures(folders["ours"])[-1]  # the first of its scene by seed
    path.write_bytes(path.read_bytes() + b"another end")
    assert build_study(folders, tmp_path / "b", Options(raters=2)).id != first.id


def test_layouts_that_differ_are_paired_by_caption_only(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    folders["theirs"] = draw(tmp_path / "other", "theirs", boxes=0.7)
    with pytest.raises(SituError, match=r"ours: 0 of 1 pictures of 'a red car'; .*pair by caption"):
        build_study(folders, tmp_path / "s", Options(raters=2))
    study = build_study(folders, tmp_path / "s", Options(raters=2, pairing="caption"))
    assert study.prompts == CAPTIONS


def test_missing_pictures_are_named(folders: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(SituError, match=r"ours: 2 of 3 pictures of 'a red car'"):
        build_study(folders, tmp_path / "s", Options(images=3))
    folders["theirs"] = draw(tmp_path / "fewer", "theirs", captions=CAPTIONS[:2])
    with pytest.raises(SituError, match=r"theirs: 0 of 1 pictures of 'a cup on a table'"):
        build_study(folders, tmp_path / "s")
    with pytest.raises(SituError, match="lists no pictures"):
        build_study({"ours": folders["ours"], "none": tmp_path}, tmp_path / "s")


def test_the_commands_from_folders_to_numbers(
    folders: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = tuple(f"{name}={folder}" for name, folder in folders.items())
    out = tmp_path / "s"
    assert StudyBuild(named, out=out, raters=2, checks=2).run() == 0
    assert "2 raters, 5 pairs each" in capsys.readouterr().out
    study = read_study(out / "study.json")
    for number, session in enumerate(study.sessions, 1):
        answers = [
            {
                "trial": t.id,
                "question": q.name,
                "choice": t.check.answer
                if t.check
                else "left"
                if t.left.system == "ours"
                else "right",
                "seconds": 1.5,
                "time": "2030-01-01T00:00:00Z",
            }
            for t in session.trials
            for q in session.questions
        ]
        shared = {"situ_answers": 1, "study": study.id, "session": number, "answers": answers}
        file = {**shared, "rater": f"r-{number}", "saved": "2030-01-01T00:00:00Z"}
        (out / f"answers-{number}.json").write_text(json.dumps(file))
    assert StudyAnalyse(out / "study.json", (out,), out=tmp_path / "r").run() == 0
    printed = capsys.readouterr().out
    assert "2 of 2 raters count" in printed
    assert "ours against theirs: 100.0 % [100.0, 100.0]" in printed
    assert "sign test 3:0 p = 0.25" in printed
    result = json.loads((tmp_path / "r" / "result.json").read_text())
    assert [r["question"] for r in result["results"]] == ["aesthetics", "alignment"]
    assert result["results"][0]["duels"][0]["wins"] == 6
    assert (tmp_path / "r" / "result.svg").read_text().startswith("<svg")
    assert len((tmp_path / "r" / "judgements.csv").read_text().splitlines()) == 13


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("a=x",), "1 given; a study compares two or more"),
        (("a", "b=x"), "folder 'a' must be NAME=DIR"),
        (("a=x", "a=y"), "the name 'a' is given twice"),
    ],
)
def test_folders_are_given_with_names(given: tuple[str, ...], message: str) -> None:
    with pytest.raises(SituError, match=message):
        StudyBuild(given).run()


def test_no_answers_are_an_error(folders: dict[str, Path], tmp_path: Path) -> None:
    build_study(folders, tmp_path / "s", Options(raters=2))
    with pytest.raises(SituError, match=r"no answers-\*\.json in"):
        StudyAnalyse(tmp_path / "s" / "study.json", (tmp_path / "s",)).run()
    with pytest.raises(SituError, match="quality: 0 must be in"):
        Options(quality=0)
