"""The manifest of a folder of pictures."""

import json
from pathlib import Path

import pytest

from situ.app import manifest
from situ.scene import SituError


def lines(folder: Path) -> list[str]:
    return (folder / manifest.NAME).read_text().splitlines()


def test_lines_are_appended(tmp_path: Path) -> None:
    manifest.append(tmp_path, [{"file": "a.png"}])
    manifest.append(tmp_path, [{"file": "b.png", "caption": "рыба"}, {"file": "c.png"}])
    assert [entry["file"] for entry in manifest.read(tmp_path)] == ["a.png", "b.png", "c.png"]
    assert "рыба" in lines(tmp_path)[1]


def test_a_torn_last_line_is_tolerated_and_not_continued(tmp_path: Path) -> None:
    manifest.append(tmp_path, [{"file": "a.png"}])
    with (tmp_path / manifest.NAME).open("a") as file:
        file.write('{"file": "b.p')
    assert [entry["file"] for entry in manifest.read(tmp_path)] == ["a.png"]
    manifest.append(tmp_path, [{"file": "c.png"}])
    assert [entry["file"] for entry in manifest.read(tmp_path)] == ["a.png", "c.png"]


@pytest.mark.parametrize("line", [b"\xff\xfe", b"[]", b'{"file": 3}', b"null", b"\0" * 50])
def test_lines_that_are_no_entries_are_skipped(tmp_path: Path, line: bytes) -> None:
    (tmp_path / manifest.NAME).write_bytes(line + b'\n{"file": "a.png"}\n')
    assert [entry["file"] for entry in manifest.read(tmp_path)] == ["a.png"]


def test_rebuilding_orders_and_keeps_pictures_of_earlier_runs_that_exist(tmp_path: Path) -> None:
    (tmp_path / "old.png").touch()
    manifest.append(tmp_path, [{"file": n} for n in ("b.png", "old.png", "gone.png", "a.png")])
    manifest.rebuild(tmp_path, [{"file": "a.png", "seed": 1}, {"file": "b.png"}])
    assert [json.loads(line) for line in lines(tmp_path)] == [
        {"file": "old.png"},
        {"file": "a.png", "seed": 1},
        {"file": "b.png"},
    ]
    assert manifest.pictures(tmp_path) == [tmp_path / "old.png"]


def test_no_manifest_is_an_empty_one(tmp_path: Path) -> None:
    assert list(manifest.read(tmp_path)) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_full_disk_is_named(tmp_path: Path) -> None:
    (tmp_path / manifest.NAME).symlink_to("/dev/full")
    with pytest.raises(SituError, match=r"cannot write .*manifest\.jsonl: No space left on device"):
        manifest.append(tmp_path, [{"file": "a.png"}])
