"""recipes/hcma-sd14-coco.toml as it stands on real COCO pictures, from the split to a drawing: with small
networks, and (slow) with random ones of the full size, of which it tells seconds and memory."""

import json
import resource
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from tiny_backbone import random_backbone

from situ.app.pipeline import Pipeline
from situ.app.recipe import Recipe, read_recipe
from situ.app.stages_alignment import aligner
from situ.conditioning.text import TextEncoder
from situ.data.coco import read_coco, read_json
from situ.data.protocol import write_split
from situ.diffusion.schedule import Schedule
from situ.models.aligner import AlignerConfig
from situ.models.autoencoder import Autoencoder
from situ.models.clip import text_encoder, train_tokenizer
from situ.models.unet import UNet
from situ.training.checkpoint import trained_weights
from situ.training.loop import Loop, train

COCO = Path(__file__).parents[3] / "shared/data/coco/val2017_ccby"
RECIPE = Path(__file__).parents[2] / "recipes/hcma-sd14-coco.toml"
LEVELS: dict[str, Any] = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
}

pytestmark = pytest.mark.skipif(not COCO.is_dir(), reason="the COCO pictures are not at hand")


@dataclass(frozen=True)
class Size:
    """The text encoder's width, layers and heads; the autoencoder's levels; pixels of a picture's side,
    pictures at most, and what the recipe's aligner and batch become."""

    text: tuple[int, int, int]
    widths: tuple[int, int, int, int]
    layers: int
    pixels: int
    pictures: int
    batch: int
    model: dict[str, int]


SMALL = Size((32, 1, 2), (8, 8, 8, 8), 1, 128, 47, 8, {"width": 32, "blocks": 1, "heads": 2})
FULL = Size((768, 12, 12), (128, 256, 512, 512), 2, 512, 6, 32, {})


def prepared(root: Path, size: Size) -> Path:
    """root/model with random weights and root/coco, split. No U-Net is needed, so it is a small one."""
    torch.manual_seed(0)
    words = [a["caption"] for a in read_json(COCO / "captions.json")["annotations"]]
    tokenizer = train_tokenizer(words, 1000)
    text = text_encoder(tokenizer, *size.text, size.text[0]).eval()
    wide: dict[str, Any] = {"block_out_channels": size.widths, "layers_per_block": size.layers}
    coder = Autoencoder(AutoencoderKL(**LEVELS, **wide, norm_num_groups=8).eval())
    unet = UNet(replace(random_backbone().unet.config, cross_attention_dim=size.text[0])).eval()
    small = replace(random_backbone(), unet=unet, text=TextEncoder(tokenizer, text))
    schedule = Schedule.scaled_linear()
    Pipeline(replace(small, autoencoder=coder, schedule=schedule)).save_pretrained(root / "model")
    folder = root / "coco"
    folder.mkdir()
    (folder / "train2014").symlink_to(COCO / "images")
    files = COCO / "instances.json", COCO / "captions.json"
    write_split(*files, folder / "annotations", ("fit", "held_out"))
    return root


def recipe(root: Path, size: Size, **unet: Any) -> Recipe:
    """The recipe with our folders in place of its own, and networks of another size."""
    read = read_recipe(RECIPE)
    tables = {name: dict(table) for name, table in read.tables.items()}
    folder, model = str(root / "coco"), str(root / "model")
    tables["data"] |= {"backbone": model, "folder": folder, "held_out": folder}
    tables["data"] |= {"size": size.pixels}
    tables["model"] |= size.model
    tables["unet"] |= unet
    return replace(read, tables=tables)


def run(root: Path, size: Size, steps: int, out: Path, **unet: Any) -> tuple[Any, list[Any]]:
    asked = recipe(root, size, **unet)
    torch.manual_seed(0)  # as the command does
    stage = aligner(asked, "cpu")
    loop = replace(asked.table("loop", Loop, steps=steps), batch=size.batch, save_seconds=1e9)
    return stage, list(train(stage.objective, stage.data, loop, out))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("small"), SMALL)


def test_the_recipe_s_split_gives_its_two_sets(small: Path) -> None:
    data = read_recipe(RECIPE).tables["data"]
    names = ("instances", "captions", "images")
    fit, held_out = (
        read_coco(small / "coco", **{name: data[prefix + name] for name in names})
        for prefix in ("", "held_out_")
    )
    assert (len(fit), len(held_out)) == (38, 9)
    assert not {item.image_id for item in fit} & {item.image_id for item in held_out}
    assert all(item.path.exists() for item in (*fit, *held_out))


def test_it_trains_resumes_and_draws_on_real_pictures(small: Path, tmp_path: Path) -> None:
    _, whole = run(small, SMALL, 4, tmp_path / "whole")
    _, first = run(small, SMALL, 2, tmp_path / "parts")
    stage, rest = run(small, SMALL, 4, tmp_path / "parts")
    assert [r.losses for r in whole] == [r.losses for r in (*first, *rest)]
    assert all(0 < r.losses["omega_local"] < 2 for r in whole)
    ends = [trained_weights(tmp_path / name) for name in ("whole", "parts")]
    assert all(torch.equal(t, ends[1][name]) for name, t in ends[0].items())
    kinds = sorted(p.name.split("-")[0] for p in (small / "coco").glob("*-*"))
    assert kinds == ["latents", "latents", "texts", "texts"]
    stage.export(tmp_path / "parts")
    pipe = Pipeline.from_pretrained(small / "model", aligner=tmp_path / "parts/aligner.safetensors")
    call = {"num_inference_steps": 2, "width": 128, "height": 128, "seed": 0}
    frames = list(pipe.frames("a cat on a bed", method="hcma", **call))
    assert all(frame.z.isfinite().all() for frame in frames)


@pytest.mark.parametrize("trained", ["gated", "all"])
def test_the_u_net_learns_on_real_pictures(small: Path, tmp_path: Path, trained: str) -> None:
    _, records = run(small, SMALL, 2, tmp_path, train_unet=trained)
    assert all(0 < record.losses["noise"] < 5 for record in records)


@pytest.mark.slow
def test_full_size_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """SD's autoencoder at 512 pixels, CLIP-L's text encoder and the paper's aligner, random weights."""
    root = prepared(tmp_path, FULL)
    for part in ("fit", "held_out"):
        few(root / "coco/annotations", part, FULL.pictures // 2)
    assert recipe(root, FULL).table("model", AlignerConfig) == AlignerConfig()
    started = time.monotonic()
    _, records = run(root, FULL, 3, tmp_path / "out")
    total = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    shutil.rmtree(tmp_path / "out")
    with capsys.disabled():
        seconds = [round(record.seconds, 1) for record in records]
        print(f"\n{total:.0f} s in all, {seconds} s a step of {FULL.batch}, {peak:.1f} GiB at most")
    assert all(0 < record.losses["loss"] < 4 for record in records)
    assert peak < 16


def few(folder: Path, part: str, count: int) -> None:
    """Leaves the first pictures of a part, and all annotations, which no one asks for then."""
    path = folder / f"instances_{part}.json"
    content = read_json(path)
    path.write_text(json.dumps({**content, "images": content["images"][:count]}))
