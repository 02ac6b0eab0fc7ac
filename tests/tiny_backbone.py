"""A random backbone that draws 64-pixel pictures in milliseconds, saved as a folder for the tests."""

from pathlib import Path

import pytest
import torch

from situ.app.pipeline import Pipeline
from situ.conditioning.text import TextEncoder
from situ.diffusion.schedule import Schedule
from situ.models.autoencoder import Autoencoder, deep_compression
from situ.models.backbone import Backbone
from situ.models.clip import text_encoder, train_tokenizer
from situ.models.unet import UNet
from situ.models.unet_config import UNetConfig

WORDS = ["a red fish to the left of a striped blue house", "two dotted green trees at night"]
SIDE = 64
GUIDANCE = 3.0


def random_backbone(gated: bool = True) -> Backbone:
    """Every layer is random, GLIGEN's gates included, so that all inputs change the picture."""
    torch.manual_seed(0)
    tokenizer = train_tokenizer(WORDS, 600)
    text = TextEncoder(tokenizer, text_encoder(tokenizer, 32, 1, 2, 16).eval())
    config = UNetConfig(
        sample_size=SIDE // 8,
        block_out_channels=(32, 64),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=32,
        attention_head_dim=4,
        norm_num_groups=8,
        attention_type="gated" if gated else "default",
        position_channels=32,
    )
    unet = UNet(config)
    for name, parameter in unet.named_parameters():
        if name.endswith(("alpha_attn", "alpha_dense")) or "null_" in name:
            torch.nn.init.normal_(parameter, std=0.7)
    coder = Autoencoder(deep_compression(4, (8, 16, 16, 32), (0, 1, 1, 1)).eval())
    schedule = Schedule.scaled_linear(prediction="v_prediction")
    return Backbone("tiny", text, unet.eval(), coder, schedule, "", null_base=gated)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    Pipeline(random_backbone(), GUIDANCE).save_pretrained(folder, "float32")
    return folder


@pytest.fixture(scope="session")
def ungated_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "ungated"
    Pipeline(random_backbone(gated=False), GUIDANCE).save_pretrained(folder, "float32")
    return folder


@pytest.fixture(scope="session")
def pipe(tiny_folder: Path) -> Pipeline:
    return Pipeline.from_pretrained(tiny_folder)
