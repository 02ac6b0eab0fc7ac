"""recipes/goal-sd14.toml as it stands on real COCO pictures: with small networks, and (slow) with random ones
of the full size, of which it tells seconds and memory."""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny

from situ.app.pipeline import Pipeline
from situ.app.recipe import Recipe, read_recipe
from situ.app.stages_goal import goal
from situ.conditioning.text import TextEncoder
from situ.data.coco import read_json
from situ.diffusion.schedule import Schedule
from situ.models.autoencoder import Autoencoder
from situ.models.backbone import Backbone
from situ.models.clip import image_encoder, text_encoder, train_tokenizer
from situ.models.unet import UNet
from situ.models.unet_config import UNetConfig
from situ.training.loop import Loop, train

COCO = Path(__file__).parents[3] / "shared/data/coco/val2017_ccby"
RECIPE = Path(__file__).parents[2] / "recipes/goal-sd14.toml"
LEVELS: dict[str, Any] = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
}
SMALL = UNetConfig(
    sample_size=16,
    block_out_channels=(32, 64),
    down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
    up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    layers_per_block=1,
    cross_attention_dim=32,
    attention_head_dim=4,
    norm_num_groups=8,
    attention_type="gated",
)

pytestmark = pytest.mark.skipif(not COCO.is_dir(), reason="the COCO pictures are not at hand")


@dataclass(frozen=True)
class Size:
    """Widths and depths of all networks: text (width, layers, heads), CLIP's image encoder in the order of
    `image_encoder`, the autoencoder's levels; pictures and steps."""

    unet: UNetConfig
    text: tuple[int, int, int]
    image: tuple[int, int, int, int, int, int]
    widths: tuple[int, int, int, int]
    layers: int
    pixels: int
    pictures: int
    attention: int


TINY = Size(SMALL, (32, 1, 2), (16, 1, 2, 32, 16, 8), (8, 8, 8, 8), 1, 128, 6, 8)
FULL = Size(
    UNetConfig(attention_type="gated"),
    (768, 12, 12),
    (1024, 24, 16, 768, 224, 14),
    (128, 256, 512, 512),
    2,
    512,
    3,
    16,
)


def model(size: Size, root: Path) -> None:
    """root/model, root/clip and root/taesd: random weights, gates half open."""
    torch.manual_seed(0)
    words = [a["caption"] for a in read_json(COCO / "captions.json")["annotations"]]
    tokenizer = train_tokenizer(words, 1000)
    width, layers, heads = size.text
    text = text_encoder(tokenizer, width, layers, heads, size.image[3]).eval()
    unet = UNet(size.unet).eval()
    for name, parameter in unet.named_parameters():
        if name.endswith(("alpha_attn", "alpha_dense")):
            torch.nn.init.constant_(parameter, 0.5)
    groups = min(32, size.widths[0])
    wide: dict[str, Any] = {"block_out_channels": size.widths, "layers_per_block": size.layers}
    coder = Autoencoder(AutoencoderKL(**LEVELS, **wide, norm_num_groups=groups).eval())
    schedule = Schedule.scaled_linear()
    backbone = Backbone("random", TextEncoder(tokenizer, text), unet, coder, schedule, "")
    Pipeline(backbone).save_pretrained(root / "model")
    text.save_pretrained(root / "clip/text_encoder")
    image_encoder(*size.image).save_pretrained(root / "clip/image_encoder")
    tokenizer.save_pretrained(root / "clip/tokenizer")
    narrow = {} if size is FULL else dict.fromkeys(TAESD, (8,) * 4)
    AutoencoderTiny(**narrow).save_pretrained(root / "taesd")


TAESD = ("encoder_block_out_channels", "decoder_block_out_channels")


def pictures(root: Path, count: int) -> None:
    """root/coco: the first pictures, with their annotations."""
    (root / "coco").mkdir()
    (root / "coco/images").symlink_to(COCO / "images")
    found = {name: read_json(COCO / f"{name}.json") for name in ("instances", "captions")}
    ids = {image["id"] for image in found["instances"]["images"][:count]}
    for name, content in found.items():
        kept = {
            **content,
            "images": [image for image in content["images"] if image["id"] in ids],
            "annotations": [a for a in content["annotations"] if a["image_id"] in ids],
        }
        (root / f"coco/{name}.json").write_text(json.dumps(kept))


def recipe(root: Path, size: Size, critic: str) -> Recipe:
    """The recipe with our files in place of its own, and nothing else but the critic changed."""
    read = read_recipe(RECIPE)
    files = {"instances": "instances.json", "captions": "captions.json"}
    data = {
        "backbone": str(root / "model"),
        "clip": str(root / "clip"),
        "tiny_decoder": str(root / "taesd"),
        "folder": str(root / "coco"),
        "held_out": str(root / "coco"),
        **files,
        **{f"held_out_{name}": file for name, file in files.items()},
        "size": size.pixels,
        "watched": 1,
    }
    tables = {name: dict(table) for name, table in read.tables.items()}
    tables["semantic"]["critic"] = critic
    tables["attention"]["size"] = size.attention
    return replace(read, tables={**tables, "data": data})


def run(root: Path, size: Size, critic: str, steps: int, out: Path) -> list[Any]:
    """The records of a few steps of the recipe's own loop."""
    made = recipe(root, size, critic)
    stage = goal(made, "cpu")
    loop = made.table("loop", Loop, steps=steps)
    return list(train(stage.objective, stage.data, replace(loop, save_seconds=1e9), out))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("small"), TINY)


def prepared(root: Path, size: Size) -> Path:
    model(size, root)
    pictures(root, size.pictures)
    return root


@pytest.mark.parametrize("critic", ["exact", "tiny"])
def test_the_recipe_tunes_small_networks_on_real_pictures(
    small: Path, critic: str, tmp_path: Path
) -> None:
    records = run(small, TINY, critic, 4, tmp_path)
    assert len(records) == 4
    for record in records:
        assert record.lr == 5e-5
        assert all(value == value and value < 10 for value in record.losses.values())
        assert {"diffusion", "semantic", "local", "global", "attention"} <= record.losses.keys()
        total = record.losses["diffusion"] + 1e-2 * record.losses["semantic"]
        total += 1e-3 * record.losses["attention"]
        assert record.losses["loss"] == pytest.approx(total, rel=1e-4)
    # some phrase of these captions is a category's name, word for word
    assert any(record.losses["attention"] > 0 for record in records)


@pytest.mark.slow
def test_a_full_size_step_fits_into_16_gb(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = prepared(tmp_path, FULL)
    for critic in ("tiny", "exact"):
        seconds, memory = measured(
            lambda critic=critic: run(root, FULL, critic, 2, tmp_path / critic)
        )
        shutil.rmtree(tmp_path / critic)
        with capsys.disabled():
            print(f"\n{critic}: {seconds} s a step, {memory:.1f} GiB at most so far")
        assert memory < 16


def measured(call: Callable[[], list[Any]]) -> tuple[list[float], float]:
    import resource

    started = time.monotonic()
    records = call()
    assert time.monotonic() - started < 3600
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return [round(record.seconds, 1) for record in records], peak
