"""A paper's table from nothing to the page, in small, twice, and by more than one model."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from situ.app import reproduce as reproducing
from situ.app.generate import Interrupted
from situ.app.reproduce import FLOOR, ORACLE, RUN, Size, reproduce
from situ.evaluation.tables import TABLES
from situ.evaluation.tuned import tuned
from situ.files.record import read_record
from situ.models.folder import load_backbone, save_backbone
from situ.scene import SituError


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(reproducing.SIZES, "smoke", Size(3, 1, 1, "ddim"))


@pytest.fixture(scope="module")
def models(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tuned models as situ train leaves them, whose U-Net draws other pictures than the tiny one."""
    folder = tmp_path_factory.mktemp("tuned")
    backbone = load_backbone(tiny_folder)
    for parameter in backbone.unet.conv_out.parameters():
        parameter.data.mul_(0.5)
    for place in ("storybook-goal/backbone", "storybook-goal-maa"):
        shutil.copytree(tiny_folder, folder / place)
        save_backbone(backbone, folder / place)
    return folder


def titled(result: Mapping[str, Any]) -> dict[str, Any]:
    return {row["title"]: row for row in result["rows"]}


def test_a_table_has_the_printed_rows_and_ours_and_repeats_itself(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(reproducing.SIZES, "smoke", Size(3, 2, 1, "ddim"))
    run = lambda: reproduce("hcma-1", out=tmp_path, model=str(tiny_folder), quiet=True)  # noqa: E731
    first = run()
    rows, table = titled(first), TABLES["hcma-1"]
    assert list(rows) == [ORACLE, FLOOR, *(row.title for row in table.rows)]
    for row in table.rows:
        drawn = row.method in ("gligen", "base") and row.model is None
        assert (rows[row.title]["ours"] is not None) == drawn
        assert rows[row.title]["printed"] == (list(row.printed) if any(row.printed) else None)
    assert rows[ORACLE]["ours"][0]["value"] == pytest.approx(0, abs=1e-6)  # FID with itself
    assert run() == first == json.loads((tmp_path / "table.json").read_text())
    page = (tmp_path / "table.html").read_text()
    assert "GLIGEN (SD-v1.4)" in page
    assert page.count("<img") == 9  # three scenes of true pictures, base and gligen
    text = (tmp_path / "table.md").read_text()
    assert "not made yet" in text  # boxdiff
    assert "give the file of one" in text  # the tiny model has no aligner for hcma
    assert "situ train recipes/storybook-goal.toml --out DIR/storybook-goal" in text


def test_every_number_names_its_scenes_rule_and_weights(tiny_folder: Path, tmp_path: Path) -> None:
    result = reproduce(
        "hcma-1", out=tmp_path, model=str(tiny_folder), only=["base", "SD-v1.4"], quiet=True
    )
    for column in result["columns"]:
        assert column["n"] == 3
        assert len(column["manifest"]) == 64
        assert column["protocol"]
    assert titled(result)["SD-v1.4"]["model"] == result["model"]
    assert result["lacking"]["GLIGEN (SD-v1.4)"] == "left out"
    assert result["versions"]["numpy"] == np.__version__


def test_all_rows_may_be_drawn_where_a_baseline_struggles(
    tiny_folder: Path, tmp_path: Path
) -> None:
    how: dict[str, Any] = {"model": str(tiny_folder), "only": ["gligen"], "quiet": True}
    sampling = {"steps": 2, "guidance": 1.5, "gate": (0.5, 0.0, 0.5)}
    result = reproduce("hcma-1", out=tmp_path, sampling=sampling, **how)
    (folder,) = result["folders"].values()
    record = read_record(next((tmp_path / folder).rglob("*.png")))
    for name in ("steps", "guidance"):
        assert record.sampling[name] == result["size"][name] == sampling[name]
    assert list(record.sampling["gate"]) == result["size"]["gate"] == [0.5, 0, 0.5]
    with pytest.raises(SituError, match="holds pictures of steps 2"):
        reproduce("hcma-1", out=tmp_path, **how)


def test_rows_of_other_weights_are_paired_with_the_baseline(
    tiny_folder: Path, models: Path, tmp_path: Path
) -> None:
    only = ["frozen", "all", "L_LDM + L_MAA", "L_LDM + L_DSA"]
    result = reproduce(
        "goal-5", out=tmp_path, model=str(tiny_folder), models=models, only=only, quiet=True
    )
    rows = titled(result)
    for title in ("all", "L_LDM + L_MAA"):
        row = rows[title]
        assert row["model"]["weights"] != rows["frozen"]["model"]["weights"]
        for own, base in zip(row["ours"], rows["frozen"]["ours"], strict=True):
            assert own["gain"]["value"] == pytest.approx(own["value"] - base["value"])
    assert "gain" not in rows["frozen"]["ours"][0]
    assert rows["all"]["model"]["name"] == "storybook-goal"
    assert "copied" in result["lacking"]["L_LDM + L_DSA"]
    assert "beta = 0.0" in result["lacking"]["L_LDM + L_DSA"]
    assert len(set(result["folders"].values())) == len(result["folders"])
    assert "Gain over frozen" in (tmp_path / "table.md").read_text()


def test_any_row_can_be_the_baseline(tiny_folder: Path, models: Path, tmp_path: Path) -> None:
    how = {"out": tmp_path, "model": str(tiny_folder), "models": models, "quiet": True}
    only = ["frozen", "all", "L_LDM + L_MAA"]
    first = titled(reproduce("goal-5", only=only, **how))
    rows = titled(reproduce("goal-5", only=only, against="L_LDM + L_MAA", **how))
    assert "gain" not in rows["L_LDM + L_MAA"]["ours"][0]
    for own, base in zip(rows["all"]["ours"], rows["L_LDM + L_MAA"]["ours"], strict=True):
        assert own["gain"]["value"] == pytest.approx(own["value"] - base["value"])
    assert [cell["value"] for cell in rows["all"]["ours"]] == [
        cell["value"] for cell in first["all"]["ours"]
    ]


def test_what_the_unet_cannot_give_says_so(tiny_folder: Path, models: Path, tmp_path: Path) -> None:
    only = ["decoder, 64x64", "decoder, 32x32"]
    result = reproduce(
        "goal-7", out=tmp_path, model=str(tiny_folder), models=models, only=only, quiet=True
    )
    assert all("8x8 and 4x4 only" in result["lacking"][title] for title in only)


def test_the_storybooks_unet_has_what_its_ablations_read(tmp_path: Path) -> None:
    from situ.app.load import load

    unet = load("storybook").backbone.unet
    places = {(s.place, s.height) for s in unet.sites(16, 16) if s.kind == "cross"}
    for row in TABLES["goal-7"].rows:
        assert row.model is not None
        wanted = tuned(row.model, "storybook")
        place = wanted.changes.get("attention", {"place": "up", "size": 8})
        assert ((place["place"], place["size"]) in places) == (wanted.never is None)


def test_an_interrupted_run_goes_on_to_equal_numbers(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = lambda out: reproduce(  # noqa: E731
        "hcma-2", out=out, model=str(tiny_folder), only=["gligen"], quiet=True
    )
    whole, generate = run(tmp_path / "whole"), reproducing.generate

    def stopped(pipe: Any, pictures: Sequence[Any], output: Any) -> None:
        generate(pipe, pictures[:2], output)
        raise Interrupted("interrupted")

    monkeypatch.setattr(reproducing, "generate", stopped)
    with pytest.raises(Interrupted):
        run(tmp_path / "parts")
    assert not (tmp_path / "parts/table.json").exists()
    monkeypatch.setattr(reproducing, "generate", generate)
    assert run(tmp_path / "parts") == whole


def test_pictures_of_another_kind_are_not_mixed_in(tiny_folder: Path, tmp_path: Path) -> None:
    run = lambda: reproduce(  # noqa: E731
        "hcma-2", out=tmp_path, model=str(tiny_folder), only=["O2RA"], quiet=True
    )
    run()
    path = tmp_path / RUN
    own = json.loads(path.read_text())
    for key, value in (("version", "0.0.0"), ("steps", 2), ("world", "coco"), ("device", "cuda")):
        path.write_text(json.dumps({**own, key: value}))
        with pytest.raises(SituError, match=rf"pictures of {key} .*--out"):
            run()
    path.write_text(json.dumps({**own, "suites": {"any": "0" * 64}}))
    with pytest.raises(SituError, match=r"other 'any' scenes.*--out"):
        run()


def test_other_weights_draw_into_folders_of_their_own(
    tiny_folder: Path, models: Path, tmp_path: Path
) -> None:
    run = lambda model: reproduce(  # noqa: E731
        "hcma-2", out=tmp_path, model=str(model), only=["neither"], quiet=True
    )
    one, other = run(tiny_folder), run(models / "storybook-goal-maa")
    assert one["folders"] != other["folders"]
    assert titled(one)["neither"]["ours"] != titled(other)["neither"]["ours"]
    assert run(tiny_folder) == one


def test_a_model_of_another_size_was_not_tuned_from_this_one(
    tiny_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "models").mkdir()
    folder = reproducing.load("storybook")
    folder.save_pretrained(tmp_path / "models/storybook-goal")
    result = reproduce(
        "hcma-1",
        out=tmp_path / "out",
        model=str(tiny_folder),
        models=tmp_path / "models",
        only=["GOAL"],
        quiet=True,
    )
    assert "was not tuned from it" in result["lacking"]["GOAL"]


def test_wrong_names_are_named(tmp_path: Path, tiny_folder: Path) -> None:
    with pytest.raises(SituError, match="hcma-1"):
        reproduce("hcma1", out=tmp_path)
    with pytest.raises(SituError, match="smoke"):
        reproduce("hcma-1", out=tmp_path, size="smok")
    with pytest.raises(SituError, match="GLIGEN"):
        reproduce("goal-1", out=tmp_path, only=["GLIGAN"])
    with pytest.raises(SituError, match="against: goal-1 has no row 'GLIGAN'.*GLIGEN"):
        reproduce("goal-1", out=tmp_path, against="GLIGAN")
    for key, value in (("solver", "pndm"), ("steps", 0), ("guidance", 101), ("things", 7)):
        with pytest.raises(SituError, match=key):
            reproduce("goal-1", out=tmp_path, model=str(tiny_folder), sampling={key: value})
    with pytest.raises(SituError, match="things is 3; the pictures of hcma-1"):
        reproduce("hcma-1", out=tmp_path, model=str(tiny_folder), sampling={"things": 3})
    with pytest.raises(SituError, match="models: no folder"):
        reproduce("goal-1", out=tmp_path, model=str(tiny_folder), models=tmp_path / "none")
    assert not list(tmp_path.iterdir())
