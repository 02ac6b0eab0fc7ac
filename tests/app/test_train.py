"""Every shipped recipe runs: in small, from pages of the world to a backbone that draws."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from situ.app.recipe import read_recipe
from situ.app.stages import STAGES
from situ.app.train import Stage, run_recipe
from situ.diffusion.sampler import sample
from situ.methods import METHODS
from situ.methods.plan import Request, Sampling
from situ.models.folder import load_backbone
from situ.scene import SituError
from situ.storybook import grammar
from situ.storybook.book import write_book
from situ.storybook.world import sample_page
from situ.training.checkpoint import trained_weights
from situ.training.loop import Loop, Record

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
    "storybook-image-encoder",
    "storybook-image-encoder-2",
    "storybook-goal",
    "storybook-placer",
)
TINY = """
stage = "autoencoder"
[data]
folder = "{pages}"
held_out = "{pages}"
size = 32
[model]
latent_channels = 4
widths = [8, 8]
layers = [0, 1]
[objective]
crop = 16
noise = 0.1
kl = 1e-3
[loop]
steps = 4
batch = 4
lr = 1e-3
warmup = 1
log_every = 2
"""
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
        (
            'stage = "image_encoder"\n[data]\nbackbone = "storybook"\nestimates = -1\n'
            "[loop]\nsteps = 1\nbatch = 1\nlr = 1.0",
            "estimates is -1; 0 or more",
        ),
    ],
)
def test_bad_recipes_say_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(SituError, match=re.escape(said)):
        run_recipe(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def tiny(root: Path) -> Path:
    """A recipe of a second, and its pages."""
    write_book(root / "pages", 2, "train", workers=1)
    path = root / "tiny.toml"
    path.write_text(TINY.format(pages=root / "pages"))
    return path


def started(rank: int, world: int, port: int, *words: str | Path) -> subprocess.Popen[str]:
    """One process of `situ train`, as torchrun starts it."""
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    for name, value in (("RANK", rank), ("WORLD_SIZE", world)):
        place |= {name: str(value), f"LOCAL_{name}": str(value)}
    command = [sys.executable, "-m", "situ", "train", *words]
    pipe, environment = subprocess.PIPE, {**os.environ, **place}
    return subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def exported(out: Path) -> dict[str, Tensor]:
    return load_file(out / "vae/diffusion_pytorch_model.safetensors")


def test_two_processes_train_as_one_and_the_first_alone_writes(tmp_path: Path) -> None:
    path, port, one, two = tiny(tmp_path), free_port(), tmp_path / "one", tmp_path / "two"
    runs = [started(rank, 2, port, path, "--out", two) for rank in range(2)]
    try:
        run_recipe(path, one)
        said = [run.communicate(timeout=120) for run in runs]
    finally:
        for run in runs:
            run.kill()
    assert [run.returncode for run in runs] == [0, 0], said
    assert [out for out, _ in said] == [f"trained {path} into {two}\n", ""]
    lines = [json.loads(line) for line in (two / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4]
    assert {path.name for path in one.iterdir()} == {path.name for path in two.iterdir()}
    assert len(list(two.glob("tensorboard/*"))) == len(list(one.glob("tensorboard/*")))
    torch.testing.assert_close(trained_weights(two), trained_weights(one), atol=1e-6, rtol=0)
    fp16 = 2**-10  # the rounding of weights as they are exported
    torch.testing.assert_close(exported(two), exported(one), atol=1e-6, rtol=fp16)


def test_another_process_than_the_first_trains_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def stepping(*given: object) -> Iterator[Record]:
        for step in (1, 2):
            said.append(f"step {step}")
            yield Record(step, {"loss": 1.0}, 1.0, 1.0, 1.0)

    def stage(*given: object) -> Stage:
        probe = lambda: said.append("probe") or {}  # noqa: E731
        return Stage(None, None, probe, lambda out: said.append("export"))  # type: ignore[arg-type]

    path = tmp_path / "none.toml"
    path.write_text('stage = "none"\n[loop]\nsteps = 2\nbatch = 2\nlr = 1.0\nlog_every = 1\n')
    monkeypatch.setitem(STAGES, "none", stage)
    monkeypatch.setattr("situ.app.train.train", stepping)
    for rank, more in ((1, []), (0, ["export"])):
        said.clear()
        monkeypatch.setenv("WORLD_SIZE", "2")
        monkeypatch.setenv("RANK", str(rank))
        run_recipe(path, tmp_path / str(rank))
        assert said == ["step 1", "step 2", *more]
        assert (tmp_path / str(rank)).exists() == (rank == 0)
