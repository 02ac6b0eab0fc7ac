"""The stage that tunes as GOAL does: each critic in small, from a recipe to a model and its difference."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderTiny

import situ
from situ.app.recipe import Recipe, read_recipe
from situ.app.stages_goal import goal
from situ.models.aligner import Aligner, AlignerConfig, Spaces, save_aligner
from situ.models.clip import image_encoder
from situ.models.difference import FILE as DIFFERENCE
from situ.models.difference import base_of, load_difference, read_difference, save_difference
from situ.models.folder import load_backbone
from situ.models.low_rank import relative_error
from situ.scene import SituError
from situ.storybook.book import write_book
from situ.training.loop import Loop, train

RECIPES = Path(__file__).parents[2] / "recipes"
ATTENTION = {"size": 4, "union": True}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> Path:
    """A model with CLIP's image encoder and an aligner, a tiny decoder, and two small books."""
    root = tmp_path_factory.mktemp("goal")
    shutil.copytree(tiny_folder, root / "model")
    torch.manual_seed(1)
    image_encoder(16, 1, 2, 16, 16, 8).save_pretrained(root / "model/image_encoder")
    shape = AlignerConfig(channels=4, patch=2, width=8, blocks=1, heads=2, text_width=32)
    save_aligner(
        root / "model/aligner.safetensors", Aligner(shape), Spaces.of(load_backbone(root / "model"))
    )
    AutoencoderTiny(
        encoder_block_out_channels=(8, 8, 8, 8), decoder_block_out_channels=(8, 8, 8, 8)
    ).save_pretrained(root / "taesd")
    for split in ("train", "val"):
        write_book(root / split, 6, split, workers=1)  # type: ignore[arg-type]
    return root


def recipe(root: Path, semantic: dict[str, Any], **data: Any) -> Recipe:
    folders = {"folder": str(root / "train"), "held_out": str(root / "val"), "size": 64}
    tables = {
        "data": {"backbone": str(root / "model"), **folders, "watched": 4, **data},
        "objective": {"alpha": 0.1, "beta": 0.1},
        "semantic": semantic,
        "attention": ATTENTION,
    }
    return Recipe(Path("goal.toml"), "goal", tables)


@pytest.mark.parametrize(
    "semantic",
    [
        {},
        {"region": "crop", "weight": "abar", "boxes": 1, "slice": 1},
        {"critic": "tiny", "checkpointing": True},
        {"critic": "latent", "latent_t": 50},
    ],
    ids=["mask", "crop", "tiny", "latent"],
)
def test_each_critic_tunes_a_model(root: Path, semantic: dict[str, Any], tmp_path: Path) -> None:
    extra = {"tiny_decoder": str(root / "taesd")} if semantic.get("critic") == "tiny" else {}
    stage = goal(recipe(root, semantic, **extra), "cpu")
    loop = Loop(steps=2, batch=2, lr=1e-2, warmup=0)
    records = list(train(stage.objective, stage.data, loop, tmp_path))
    assert all(record.losses["semantic"] > 0 for record in records)
    assert {"held_out_semantic", "probe_700_gap", "gate_mean"} <= stage.probe().keys()
    stage.export(tmp_path)
    whole = load_backbone(tmp_path / "backbone")
    path = tmp_path / "difference/difference.safetensors"
    summed = load_difference(path, root / "model")
    before = load_backbone(root / "model").unet.state_dict()
    for name, tensor in whole.unet.state_dict().items():
        assert torch.allclose(tensor, summed.unet.state_dict()[name], atol=2e-3), name
        assert torch.equal(summed.unet.state_dict()[name], before[name]) != (
            any(part in name for part in (".fuser.", ".attn1.", ".attn2."))
        )
    assert base_of(path).name == "model"
    assert whole.aligner is not None


def test_a_difference_loads_as_a_model_beside_its_base(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "model", tmp_path / "model")
    base = situ.load(tmp_path / "model")
    own = base.backbone.unet.state_dict()
    moved = {n: t + 0.01 if ".fuser." in n else t for n, t in own.items()}
    save_difference(tmp_path / "tuned" / DIFFERENCE, base.backbone, moved, "model")
    pipe = situ.load(tmp_path / "tuned")
    assert pipe.source["name"] == "tuned"
    assert pipe.source["weights"] != base.source["weights"]
    assert pipe.guidance == base.guidance
    assert pipe.backbone.aligner == tmp_path / "model/aligner.safetensors"
    for name, tensor in pipe.backbone.unet.state_dict().items():
        torch.testing.assert_close(tensor, moved[name], atol=1e-4, rtol=0)
    shutil.rmtree(tmp_path / "model")
    with pytest.raises(SituError, match="no folder 'model'"):
        situ.load(tmp_path / "tuned")


def test_a_difference_may_be_given_a_number_of_bytes(root: Path, tmp_path: Path) -> None:
    plain = recipe(root, {})
    tables = {**plain.tables, "objective": {"alpha": 0, "beta": 0}}
    for name, export in (("half", {}), ("coarse", {"difference_bytes": 60_000})):
        stage = goal(Recipe(plain.path, "goal", {**tables, "export": export}), "cpu")
        list(train(stage.objective, stage.data, Loop(steps=2, batch=2, lr=1e-2), tmp_path / name))
        stage.export(tmp_path / name)
    half, coarse = (tmp_path / n / "difference/difference.safetensors" for n in ("half", "coarse"))
    assert coarse.stat().st_size <= 60_000 < half.stat().st_size
    assert relative_error(read_difference(half), read_difference(coarse)) < 0.5
    with pytest.raises(SituError, match="difference_bytes is -1"):
        goal(Recipe(plain.path, "goal", {**tables, "export": {"difference_bytes": -1}}), "cpu")


def test_a_base_that_was_replaced_meanwhile_gives_no_difference(root: Path, tmp_path: Path) -> None:
    base = tmp_path / "base"
    shutil.copytree(root / "model", base)
    plain = recipe(root, {}, backbone=str(base))
    settings = {**plain.tables, "objective": {"alpha": 0, "beta": 0}}
    stage = goal(Recipe(plain.path, "goal", settings), "cpu")
    list(train(stage.objective, stage.data, Loop(steps=1, batch=1, lr=1e-2), tmp_path / "out"))
    shutil.copytree(tmp_path / "out", tmp_path / "other")
    stage.export(tmp_path / "out")
    base.rename(tmp_path / "before")  # its files may still be mapped into memory
    shutil.copytree(tmp_path / "out/backbone", base)
    with pytest.raises(SituError, match="not the model any more"):
        stage.export(tmp_path / "other")
    assert load_backbone(tmp_path / "other/backbone")
    assert not (tmp_path / "other/difference").exists()


def test_what_a_critic_lacks_is_named(root: Path) -> None:
    with pytest.raises(SituError, match="tiny_decoder"):
        goal(recipe(root, {"critic": "tiny"}), "cpu")
    with pytest.raises(SituError, match="is no CLIP; missing: config.json"):
        goal(recipe(root, {}, clip=str(root / "train")), "cpu")
    with pytest.raises(SituError, match="AutoencoderDC cannot"):
        goal(recipe(root, {"checkpointing": True}), "cpu")
    with pytest.raises(SituError, match="held is missing"):
        goal(recipe(root, {}, held_out=str(root / "held")), "cpu")
    shutil.copytree(root / "model", root / "blind")
    shutil.rmtree(root / "blind/image_encoder")
    with pytest.raises(SituError, match="no image_encoder"):
        goal(recipe(root, {}, backbone=str(root / "blind")), "cpu")


@pytest.mark.parametrize("name", ["storybook-goal", "goal-sd14"])
def test_recipes_have_known_keys_only(name: str) -> None:
    from situ.app.stages_goal import Settings

    read = read_recipe(RECIPES / f"{name}.toml")
    settings = Settings.of(read)
    assert read.stage == "goal"
    assert read.table("loop", Loop).steps > 0
    if name == "goal-sd14":  # the paper's numbers, section 4.3
        loop = read.table("loop", Loop)
        assert (settings.objective.alpha, settings.objective.beta) == (1e-2, 1e-3)
        assert (loop.steps * loop.batch, loop.lr, loop.decay) == (14000, 5e-5, "constant")
        assert (settings.attention.place, settings.attention.size) == ("up", 16)


def test_the_storybook_recipe_fits_the_storybook() -> None:
    from situ.app.find import BUILT_IN
    from situ.app.stages_goal import Settings, build

    if not BUILT_IN["storybook"].is_dir():
        pytest.skip("without the shipped weights")
    settings = replace(Settings.of(read_recipe(RECIPES / "storybook-goal.toml")), clip=None)
    parts = build(load_backbone(BUILT_IN["storybook"]), BUILT_IN["storybook"], settings)
    learning = [n for n, p in parts.objective.named_parameters() if p.requires_grad]
    assert learning
    assert parts.critic is not None
