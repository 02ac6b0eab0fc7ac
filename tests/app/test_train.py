"""Every shipped recipe runs: in small, from pages of the world to a backbone that draws."""

import json
import re
import shutil
from pathlib import Path

import pytest

from situ.app.recipe import read_recipe
from situ.app.stages import STAGES
from situ.app.train import run_recipe
from situ.diffusion.sampler import sample
from situ.methods import METHODS
from situ.methods.plan import Request, Sampling
from situ.models.folder import load_backbone
from situ.scene import SituError
from situ.storybook import grammar
from situ.storybook.book import write_book
from situ.storybook.world import sample_page
from situ.training.loop import Loop

RECIPES = Path(__file__).parents[2] / "recipes"
ORDER = (
    "storybook-autoencoder",
    "storybook-autoencoder-2",
    "storybook-decoder",
    "storybook-clip",
    "storybook-grounded",
    "storybook-judge",
    "storybook-recogniser",
    "storybook-critic",
    "storybook-aligner",
    "storybook-goal",
    "storybook-placer",
)
FULL_SIZE = ("hcma-sd14-coco", "goal-sd14", "placer-coco")  # run by tests of their own


def in_small(name: str, root: Path) -> Path:
    """The recipe with its folders under `root`, two steps of four samples, and no half precision."""
    text = (RECIPES / f"{name}.toml").read_text(encoding="utf-8")
    text = text.replace('"data/', f'"{root}/data/').replace('"runs/', f'"{root}/runs/')
    for key, value in {"steps": "2", "batch": "4", "warmup": "1", "log_every": "1"}.items():
        text = re.sub(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.M)
    text = text.replace('amp = "bf16"', 'amp = "fp32"\nlog_every = 1')
    path = root / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def out_of(name: str) -> str:
    """Where the header of a recipe says that its run goes."""
    text = (RECIPES / f"{name}.toml").read_text(encoding="utf-8")
    command = next(line for line in text.splitlines() if line.startswith("# Command:"))
    return command.rsplit(" ", 1)[1]


def write_release(folder: Path) -> None:
    """Pages where a GOAL2K has its pictures, and its annotations by the names of a release."""
    write_book(folder, 6, "train", workers=1)
    for path in list((folder / "annotations").glob("*.json")):
        for split in ("train", "val"):
            shutil.copy(path, path.with_stem(f"{path.stem}_{split}"))


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_recipe_is_read_and_says_how_to_run_it(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.stage in STAGES
    assert recipe.table("loop", Loop).steps > 0
    assert f"situ train recipes/{path.name} --out " in path.read_text()
    assert path.stem in (*ORDER, *FULL_SIZE)


def test_all_recipes_in_small_make_a_backbone_that_draws(tmp_path: Path) -> None:
    for split, folder in (("train", "storybook-train"), ("val", "storybook-val")):
        write_book(tmp_path / "data" / folder, 6, split, workers=1)  # type: ignore[arg-type]
    write_book(tmp_path / "data/storybook-novel", 6, "novel", workers=1)
    write_release(tmp_path / "data/goal2k-storybook/release")
    for name in ORDER:
        out = tmp_path / out_of(name)
        run_recipe(in_small(name, tmp_path), out)
        lines = (out / "log.jsonl").read_text().splitlines()
        assert [json.loads(line)["step"] for line in lines] == [1, 2]
        assert json.loads((out / "recipe.json").read_text())["loop"]["steps"] == 2
    backbone = load_backbone(tmp_path / "runs/storybook-grounded/backbone")
    scene = grammar.scene(sample_page(0, "val"))
    plan = METHODS["gligen"](backbone, Request((scene,), (1,), Sampling(steps=2)))
    *_, last = sample(plan.steps, plan.z, plan.denoise, plan.guide, plan.solver)
    assert backbone.decode(last.z).shape == (1, 3, 128, 128)
    assert (tmp_path / "runs/storybook-judge/judge.safetensors").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[loop]\nsteps = 1", "name the stage"),
        ('stage = "autoencoder"\n[loop]\nstepz = 1', "did you mean 'steps'"),
        ('stage = "autoencoder"\n[loop]\nsteps = "many"', "must be int"),
        ('stage = "autoencoder"\nsteps = 1', "outside of a"),
        ("stage = ", "not valid TOML"),
        ('stage = "sculpture"\n[loop]\nsteps = 1\nbatch = 1\nlr = 1.0', "allowed: autoencoder"),
    ],
)
def test_bad_recipes_say_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(SituError, match=re.escape(said)):
        run_recipe(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
