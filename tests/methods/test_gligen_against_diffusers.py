"""Whole pictures against diffusers' (deprecated) StableDiffusionGLIGENPipeline with the same weights."""

import warnings
from pathlib import Path

import pytest
import torch

from situ.conditioning.text import TextEncoder
from situ.diffusion.schedule import Prediction, Schedule
from situ.methods.gligen import gligen
from situ.methods.plan import Request, Sampling
from situ.models.autoencoder import Autoencoder, deep_compression
from situ.models.backbone import Backbone
from situ.models.clip import text_encoder, train_tokenizer
from situ.models.folder import load_backbone, save_backbone
from situ.models.unet import UNet
from situ.models.unet_config import UNetConfig
from situ.ops.fourier import fourier_features
from situ.ops.masks import cell_centres
from situ.scene import Box, Layout, Object, Scene

SCENE = Scene(
    "a red fish to the left of a blue house",
    Layout(
        (
            Object("red fish", Box(0.05, 0.4, 0.45, 0.8)),
            Object("blue house", Box(0.5, 0.3, 0.95, 0.9)),
        )
    ),
    64,
    64,
)
WORDS = ["a red fish to the left of a striped blue house", "two dotted green trees at night"]


def random_backbone(prediction: Prediction, positions: int = 0) -> Backbone:
    torch.manual_seed(0)
    tokenizer = train_tokenizer(WORDS, 600)
    text = TextEncoder(tokenizer, text_encoder(tokenizer, 32, 2, 2, 16).eval())
    config = UNetConfig(
        sample_size=8,
        block_out_channels=(32, 64),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=32,
        attention_head_dim=4,
        norm_num_groups=8,
        attention_type="gated",
        position_channels=positions,
    )
    unet = UNet(config)
    for name, parameter in unet.named_parameters():
        if name.endswith(
            ("alpha_attn", "alpha_dense", "null_positive_feature", "null_position_feature")
        ):
            torch.nn.init.normal_(parameter, std=0.7)
    coder = Autoencoder(deep_compression(4, (16, 16, 32, 32), (0, 1, 1, 1)).eval())
    schedule = Schedule.scaled_linear(prediction=prediction)
    return Backbone("tiny", text, unet.eval(), coder, schedule, "", null_base=True)


def peer(folder: Path, backbone: Backbone):
    """diffusers' pipeline on the exported folder; our position features are added by a hook."""
    from diffusers import StableDiffusionGLIGENPipeline

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipe = StableDiffusionGLIGENPipeline.from_pretrained(folder, local_files_only=True)
    positions = backbone.unet.config.position_channels
    if positions:
        cells = cell_centres(
            backbone.unet.config.sample_size or 8, backbone.unet.config.sample_size or 8
        )
        extra = backbone.unet.position_in(fourier_features(cells, positions // 4)).permute(2, 0, 1)
        pipe.unet.conv_in.register_forward_hook(lambda module, args, out: out + extra.detach())
    pipe.set_progress_bar_config(disable=True)
    return pipe


def theirs(pipe, scene: Scene, noise: torch.Tensor, steps: int, beta: float = 1.0) -> torch.Tensor:
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        return pipe(
            scene.caption,
            gligen_phrases=list(scene.layout.phrases),
            gligen_boxes=[list(box.xyxy) for box in scene.layout.boxes],
            gligen_scheduled_sampling_beta=beta,
            num_inference_steps=steps,
            guidance_scale=5.0,
            negative_prompt="",
            latents=noise.clone(),
            height=scene.height,
            width=scene.width,
            output_type="latent",
        ).images


def ours(backbone: Backbone, scene: Scene, steps: int, solver: str) -> torch.Tensor:
    sampling = Sampling(steps=steps, solver=solver, guidance=5.0)
    *_, last = gligen(backbone, Request((scene,), (7,), sampling)).run()
    return last.z


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backbone"


def test_plms_equals_diffusers_whole_run(folder: Path) -> None:
    backbone = random_backbone("epsilon")
    save_backbone(backbone, folder, torch.float32)
    backbone = load_backbone(folder)
    noise = backbone.noise([7], 64, 64)
    their = theirs(peer(folder, backbone), SCENE, noise, 20)
    assert (ours(backbone, SCENE, 20, "plms") - their).abs().max() <= 1e-3


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_ddim_equals_diffusers_whole_run_with_positions(
    folder: Path, prediction: Prediction
) -> None:
    from diffusers import DDIMScheduler

    backbone = random_backbone(prediction, positions=32)
    save_backbone(backbone, folder, torch.float32)
    backbone = load_backbone(folder)
    pipe = peer(folder, backbone)
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config, clip_sample=False)
    their = theirs(pipe, SCENE, backbone.noise([7], 64, 64), 20)
    assert (ours(backbone, SCENE, 20, "ddim") - their).abs().max() <= 1e-3


def test_gate_off_by_one_of_diffusers(folder: Path) -> None:
    """diffusers counts grounded calls in the 51 entries of its PNDM timesteps, so
    that half of 20 steps are int(0.5 * 21) = 10 calls, two of which belong to the first step: 9 steps."""
    backbone = random_backbone("epsilon")
    save_backbone(backbone, folder, torch.float32)
    backbone = load_backbone(folder)
    noise = backbone.noise([7], 64, 64)
    their = theirs(peer(folder, backbone), SCENE, noise, 20, beta=0.5)

    def with_gate(share: float) -> torch.Tensor:
        sampling = Sampling(20, "plms", 5.0, gate=(share, 0.0, 1 - share))
        *_, last = gligen(backbone, Request((SCENE,), (7,), sampling)).run()
        return last.z

    assert (with_gate(0.45) - their).abs().max() <= 1e-3
    assert (with_gate(0.5) - their).abs().max() > 1e-3
