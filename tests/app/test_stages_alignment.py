"""The aligner's stage from its recipe to the file that a method draws with; run twice, encoded once."""

from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from situ.app import stages_alignment
from situ.app.pipeline import Pipeline
from situ.app.recipe import Recipe, read_recipe
from situ.app.stages_alignment import aligner
from situ.data.coco import read_coco
from situ.models.aligner import AlignerConfig
from situ.storybook.book import write_book
from situ.training.alignment import AlignmentSettings
from situ.training.alignment_joint import UNetSettings
from situ.training.checkpoint import trained_weights
from situ.training.loop import Loop, train

RECIPES = Path(__file__).parent.parent.parent / "recipes"


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("books")
    write_book(folder / "train", 6, size=64, workers=1)
    write_book(folder / "val", 3, "val", size=64, workers=1)
    return folder


def recipe(books: Path, model: Path, contrast: float) -> Recipe:
    data = {"backbone": str(model), "folder": str(books / "train"), "held_out": str(books / "val")}
    network = {"patch": 2, "width": 32, "blocks": 1, "heads": 2}
    objective = {"contrast": contrast}
    tables = {"data": {**data, "size": 64}, "model": network, "objective": objective}
    return Recipe(Path("test.toml"), "aligner", tables)


@pytest.mark.parametrize("contrast", [0.0, 1.0])
def test_trained_exported_and_drawn_with(
    books: Path, tiny_folder: Path, tmp_path: Path, contrast: float
) -> None:
    stage = aligner(recipe(books, tiny_folder, contrast), "cpu")
    loop = Loop(steps=2, batch=4, lr=1e-3)
    losses = [r.losses for r in train(stage.objective, stage.data, loop, tmp_path)]
    assert all(torch.tensor(list(said.values())).isfinite().all() for said in losses)
    assert {"omega_global_700", "margin_local_700"} <= stage.probe().keys()
    stage.export(tmp_path)
    pipe = Pipeline.from_pretrained(tiny_folder, aligner=tmp_path / "aligner.safetensors")
    assert aligned_in_every_step(pipe)


def aligned_in_every_step(pipe: Pipeline) -> bool:
    every = {"align_stride": 1, "align_between": (-20.0, 20.0)}
    size = {"num_inference_steps": 2, "width": 64, "height": 64, "seed": 0}
    frames = pipe.frames("a cat", method="hcma", **size, **every)
    return all("align/global" in frame.report for frame in frames)


@pytest.mark.parametrize("trained", ["none", "gated"])
def test_the_u_net_learns_beside_it_and_leaves_as_a_backbone(
    books: Path, tiny_folder: Path, tmp_path: Path, trained: str
) -> None:
    """Algorithm 1: with "none" the weights stay as they were bit for bit and no backbone is written."""
    asked = recipe(books, tiny_folder, 0.0)
    loop = Loop(steps=2, batch=4, lr=1e-3, warmup=1)
    tables = {**asked.tables, "unet": {"train_unet": trained, "lr": 1e-2}, "loop": {"lr": loop.lr}}
    asked = replace(asked, tables=tables)
    stage = aligner(asked, "cpu")
    said = [r.losses for r in train(stage.objective, stage.data, loop, tmp_path)]
    assert ("noise" in said[0]) == (trained == "gated") == ("noise_held_out" in stage.probe())
    stage.export(tmp_path)
    before = Pipeline.from_pretrained(tiny_folder).backbone.unet.state_dict()
    if trained == "none":
        assert not (tmp_path / "backbone").exists()
        assert not any(name.startswith("unet.") for name in trained_weights(tmp_path))
        return
    pipe = Pipeline.from_pretrained(tmp_path / "backbone")
    after = pipe.backbone.unet.state_dict()
    changed = {n for n, t in after.items() if (t - before[n]).abs().max() > 1e-3}
    assert changed
    assert all(".fuser." in name for name in changed)
    assert aligned_in_every_step(pipe)


def test_latents_and_texts_are_encoded_once(
    books: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aligner(recipe(books, tiny_folder, 1.0), "cpu")
    monkeypatch.setattr("situ.app.stages_alignment._encoded", None)
    monkeypatch.setattr("situ.data.coco.Item.pixels", None)
    aligner(recipe(books, tiny_folder, 1.0), "cpu")
    found = [p.relative_to(books).parts[1].split("-")[0] for p in books.glob("*/*-*")]
    assert sorted(found) == ["latents", "latents", "texts", "texts"]


@pytest.mark.parametrize(("size", "batches"), [(64, [4, 2]), (128, [1] * 6)])
def test_fewer_pictures_are_encoded_at_once_the_larger_they_are(
    books: Path,
    tiny_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: int,
    batches: list[int],
) -> None:
    monkeypatch.setattr(stages_alignment, "PIXELS_AT_ONCE", 4 * 64**2)
    backbone, items = Pipeline.from_pretrained(tiny_folder).backbone, read_coco(books / "train")
    coder, seen = backbone.autoencoder, []
    watched = Mock(wraps=coder, encode=lambda x: seen.append(len(x)) or coder.encode(x))
    watched.parameters = coder.parameters
    replaced = replace(backbone, autoencoder=watched)
    rows = stages_alignment.cached_latents(tmp_path, replaced, items, size)
    assert seen == batches
    with torch.no_grad():
        last = torch.from_numpy(items[-1].pixels(size).copy()).permute(2, 0, 1)[None] / 127.5 - 1
        assert np.allclose(rows[5], coder.encode(last)[0], atol=1e-2)


@pytest.mark.parametrize("name", ["storybook-aligner", "hcma-sd14-coco"])
def test_the_recipes_can_be_read(name: str) -> None:
    found = read_recipe(RECIPES / f"{name}.toml")
    assert found.stage == "aligner"
    found.table("loop", Loop)
    found.table("objective", AlignmentSettings)
    found.table("model", AlignerConfig)
    found.table("unet", UNetSettings)
