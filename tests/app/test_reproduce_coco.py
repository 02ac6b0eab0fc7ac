"""Tables in the coco world: a tiny model, plain networks, real COCO pictures and benchmark prompts."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plain_world import PlainWorld

from situ.app import reproduce as reproducing
from situ.app.materials import Sources, check_coco
from situ.app.reproduce import ORACLE, Size, reproduce
from situ.data.coco import read_coco
from situ.data.protocol import draw
from situ.evaluation.coco_world import CocoWorld
from situ.evaluation.detections import Detection
from situ.evaluation.tables import TABLES
from situ.evaluation.world import Pictures
from situ.scene import Box, SituError

DATA = Path(__file__).parents[3] / "shared/data"
COCO = DATA / "coco/val2017_ccby"
COUNT = 4
has_coco = pytest.mark.skipif(not COCO.is_dir(), reason="the COCO pictures are not at hand")
has_prompts = pytest.mark.skipif(
    not (DATA / "t2i_compbench").is_dir(), reason="the prompts are not at hand"
)


class TellingWorld(PlainWorld):
    """Finds the first thing it is asked for, left of the second; says yes to every question with 0.5."""

    def detect(self, pictures: Pictures, phrases: Sequence[Sequence[str]]) -> list[list[Detection]]:
        spots = Box(0.0, 0.3, 0.3, 0.6), Box(0.6, 0.3, 0.9, 0.6)
        return [
            [Detection(name, 0.9, box) for name, box in zip(some, spots, strict=False)]
            for some in phrases
        ]

    def answer(self, pictures: Pictures, questions: Sequence[Sequence[str]]) -> list[list[float]]:
        return [[0.5] * len(some) for some in questions]


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch) -> TellingWorld:
    telling = TellingWorld()
    telling.models |= {"answers": "half-1"}
    monkeypatch.setattr(reproducing, "world_named", lambda name: telling)
    for sizes in (reproducing.COCO_PICTURES, reproducing.COCO_PROMPTS):
        monkeypatch.setitem(sizes, "smoke", Size(COUNT, 1, 1, "ddim"))
    return telling


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """COCO's own names: val2014 beside annotations of train2014 too."""
    place = tmp_path / "coco"
    (place / "annotations").mkdir(parents=True)
    for kind in ("instances", "captions"):
        os.symlink(COCO / f"{kind}.json", place / f"annotations/{kind}_val2014.json")
        (place / f"annotations/{kind}_train2014.json").write_text("none")
    os.symlink(COCO / "images", place / "val2014")
    return place


def drawn(name: str, out: Path, model: Path, sources: Sources, **more: Any) -> dict[str, Any]:
    return reproduce(
        name, out=out, world="coco", model=str(model), sources=sources, quiet=True, **more
    )


@has_coco
def test_pictures_are_the_protocols_and_fid_is_against_the_real_ones(
    folder: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    sources = Sources(coco=folder)
    only = ["GLIGEN (SD-v1.4)", "GOAL"]
    result = drawn("hcma-1", tmp_path / "out", tiny_folder, sources, only=only)
    rows = {row["title"]: row for row in result["rows"]}
    assert [c["title"] for c in result["columns"]][:4] == [
        "FID",
        "CLIP",
        "region FID",
        "region CLIP",
    ]
    assert "+ colour" not in [c["title"] for c in result["columns"]]
    assert rows[ORACLE]["ours"][0]["value"] == pytest.approx(0, abs=1e-6)
    assert rows["GLIGEN (SD-v1.4)"]["ours"][0]["value"] > 1
    assert "goal-sd14.toml --out DIR/goal-sd14" in result["lacking"]["GOAL"]
    expected = draw(read_coco(COCO, "instances.json", "captions.json"), COUNT)
    place = tmp_path / "out" / result["folders"]["GLIGEN (SD-v1.4)"] / "seed-0/any"
    entries = [json.loads(line) for line in (place / "manifest.jsonl").read_text().splitlines()]
    scenes = [entry["scene"] for entry in entries]
    assert [scene["caption"] for scene in scenes] == [item.captions[c] for item, c in expected]
    assert {(scene["width"], scene["height"]) for scene in scenes} == {
        (64, 64)
    }  # the tiny model's own size


@has_coco
def test_a_full_reference_is_all_of_the_set(
    folder: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    sources = Sources(coco=folder, reference="full")
    result = drawn("hcma-2", tmp_path / "out", tiny_folder, sources, only=["neither"])
    oracle = next(row for row in result["rows"] if row["title"] == ORACLE)
    assert oracle["ours"][0]["value"] > 1  # four pictures are not all 47
    assert "all 47 pictures" in result["columns"][0]["scenes"]


@has_prompts
def test_compbench_is_scored_by_its_own_rules(tiny_folder: Path, tmp_path: Path) -> None:
    sources = Sources(prompts=DATA)
    result = drawn("goal-1", tmp_path / "out", tiny_folder, sources, only=["GLIGEN"])
    row = next(row for row in result["rows"] if row["title"] == "GLIGEN")
    values = {
        c["title"]: own["value"] for c, own in zip(result["columns"], row["ours"], strict=True)
    }
    assert values["Color"] == pytest.approx(0.25)  # two noun phrases, 0.5 each
    prompts = (DATA / "t2i_compbench/spatial_val.txt").read_text().splitlines()[:COUNT]
    assert values["Spatial"] == pytest.approx(np.mean([_spatial(p) for p in prompts]))
    assert result["columns"][0]["n"] == COUNT
    assert ORACLE not in [r["title"] for r in result["rows"]]


def _spatial(prompt: str) -> float:
    """Two boxes in a row, 0.6 apart, both with 0.9: near in height, left of, and nothing else."""
    beside = any(word in prompt for word in ("next to", "near", "on side of", "left of"))
    return 0.5 * 0.9 + 0.5 if beside else 0.0


@has_prompts
def test_nsr_is_scored_by_its_own_rules(tiny_folder: Path, tmp_path: Path) -> None:
    records = json.loads((DATA / "nsr1k/spatial/spatial.val.json").read_text())[:COUNT]
    sources = Sources(prompts=DATA / "nsr1k")
    result = drawn("goal-2", tmp_path / "out", tiny_folder, sources, only=["GLIGEN"])
    row = next(row for row in result["rows"] if row["title"] == "GLIGEN")
    right = [record["relation"] in ("left", "next to") for record in records]
    assert row["ours"][2]["value"] == pytest.approx(np.mean(right))
    counted = json.loads((DATA / "nsr1k/counting/counting.val.json").read_text())[:COUNT]
    ones = [number == 1 for record in counted for _, number in record["num_object"]]
    assert row["ours"][0]["value"] == pytest.approx(np.mean(ones))


@has_prompts
def test_boxes_may_come_from_a_file(tiny_folder: Path, tmp_path: Path) -> None:
    prompts = (DATA / "t2i_compbench/color_val.txt").read_text().splitlines()
    box = {"phrase": "bench", "box": [0.1, 0.1, 0.6, 0.6]}
    lines = [
        {"situ": 1, "caption": p.strip(), "objects": [box], "width": 64, "height": 64}
        for p in prompts
    ]
    path = tmp_path / "layouts.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    sources = Sources(prompts=DATA, layouts=path)
    with pytest.raises(SituError, match="layouts: no scene has the caption"):
        drawn("goal-3", tmp_path / "out", tiny_folder, sources)  # shape's prompts are not there


def test_all_that_is_missing_is_said_at_once(tmp_path: Path) -> None:
    world = CocoWorld(tmp_path / "weights")
    with pytest.raises(SituError) as raised:
        check_coco(TABLES["hcma-1"], world, Sources(), None)
    for part in ("--model", "--coco", "cocodataset.org", "pt_inception", "openai/clip", "dino"):
        assert part in str(raised.value)
    assert "\n" not in str(raised.value)
    with pytest.raises(SituError) as raised:
        check_coco(TABLES["goal-1"], world, Sources(prompts=tmp_path), "m")
    for part in ("color_val.txt", "T2I-CompBench", "blip-vqa", "openai/clip", "dino"):
        assert part in str(raised.value)
    assert "pt_inception" not in str(raised.value)
    with pytest.raises(SituError, match="LayoutGPT"):
        check_coco(TABLES["goal-2"], world, Sources(), "m")


def test_a_reference_of_another_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SituError, match="paired"):
        check_coco(TABLES["hcma-1"], PlainWorld(), Sources(reference="half"), "m")
