"""Scene files from and to other programs' layouts."""

import json
from pathlib import Path

import pytest

from situ.app.convert import Beside, read, write
from situ.scene import Box, Layout, Object, Scene, SituError

ONE = Scene("a red fish", Layout((Object("red fish", Box(0.125, 0.25, 0.625, 0.75)),)), 512, 512)
TWO = Scene("a boat", Layout((Object("boat", Box(0.25, 0.25, 0.5, 1.0)),)), 512, 512)


@pytest.mark.parametrize("kind", ["situ", "gligen", "diffusers", "ideogram"])
@pytest.mark.parametrize("scenes", [[ONE], [ONE, TWO]])
def test_json_formats_come_back(tmp_path: Path, kind: str, scenes: list[Scene]) -> None:
    target = tmp_path / "scenes.jsonl"
    beside = Beside(canvas=(512, 512))
    assert write(scenes, target, kind, beside) == [target]
    assert list(read(target, kind, beside)) == scenes


def test_one_scene_may_be_a_json_file(tmp_path: Path) -> None:
    write([ONE], tmp_path / "a.json", "situ", Beside())
    assert list(read(tmp_path / "a.json", "situ", Beside())) == [ONE]
    with pytest.raises(SituError, match=r"a\.json: 2 scenes need a name that ends in \.jsonl"):
        write([ONE, TWO], tmp_path / "a.json", "situ", Beside())


def test_coco_comes_back(tmp_path: Path) -> None:
    instances, captions = write([ONE, TWO], tmp_path / "coco", "coco", Beside())
    assert list(read(instances, "coco", Beside(captions=captions))) == [ONE, TWO]
    with pytest.raises(SituError, match="--captions"):
        list(read(instances, "coco", Beside()))


def test_yolo_comes_back(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("boat\nred fish\n")
    beside = Beside(caption="a red fish", names=tmp_path / "names.txt")
    (path,) = write([ONE], tmp_path / "labels", "yolo", beside)
    assert list(read(path, "yolo", beside)) == [ONE]
    with pytest.raises(SituError, match="--caption"):
        list(read(path, "yolo", Beside(names=beside.names)))
    with pytest.raises(SituError, match="--names"):
        list(read(path, "yolo", Beside(caption="a")))


def test_the_place_of_a_mistake_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    good = {"prompt": "a", "phrases": ["b"], "locations": [[0, 0, 1, 1]]}
    bad = {**good, "locations": [[10, 10, 50, 50]]}
    path.write_text(f"{json.dumps(good)}\n{json.dumps(bad)}\n")
    with pytest.raises(SituError, match=r"a\.jsonl:2: locations\[0\].*these look like pixels"):
        list(read(path, "gligen", Beside()))
