"""Time our GLIGEN sampling against diffusers' pipeline with the same weights, and our gate schedule.

    python benchmarks/against_diffusers.py                # storybook size, random weights
    python benchmarks/against_diffusers.py --size sd      # SD-1.4 + GLIGEN size, random weights, 10 GB

diffusers' pipeline draws 4 latent channels whatever the network has, and has no position features: at
storybook size the U-Net is the shipped one but for these two.

Both sides draw the same noise with the same steps, guidance and boxes, latents only, in alternating runs
after one step of each to warm up; the numbers are the fastest of `--rounds`. The last line compares our gate
open for 0.3 of the steps with our gate always open: a gate of zero must skip the work.
"""

import argparse
import json
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import Tensor

from situ.conditioning.text import TextEncoder
from situ.diffusion.schedule import Schedule
from situ.methods.gligen import gligen
from situ.methods.plan import Request, Sampling
from situ.models.backbone import Backbone
from situ.models.clip import text_encoder, train_tokenizer
from situ.models.folder import schedule_config
from situ.models.unet import UNet
from situ.models.unet_config import UNetConfig
from situ.scene import Box, Layout, Object, Scene

STORYBOOK = Path(__file__).parents[1] / "src/situ/storybook/weights/backbone/unet/config.json"
CAPTION = "a red fish to the left of a blue house in a meadow"
LAYOUT = Layout(
    (
        Object("red fish", Box(0.05, 0.4, 0.45, 0.8)),
        Object("blue house", Box(0.5, 0.3, 0.95, 0.9)),
    )
)


def sd_sized() -> Backbone:
    """SD-1.4 + GLIGEN: 1.07 B parameters; its text encoder has CLIP-L's width."""
    return random_backbone(UNetConfig(attention_type="gated"), 12)


def storybook_sized() -> Backbone:
    """The storybook's U-Net as far as diffusers can follow, and its text encoder."""
    config = UNetConfig.from_diffusers(json.loads(STORYBOOK.read_text(encoding="utf-8")))
    return random_backbone(replace(config, in_channels=4, out_channels=4, position_channels=0), 4)


def random_backbone(config: UNetConfig, text_layers: int) -> Backbone:
    torch.manual_seed(0)
    tokenizer = train_tokenizer([CAPTION], 600)
    width = config.cross_attention_dim
    heads = width // 64 if width % 64 == 0 else 6
    text = TextEncoder(tokenizer, text_encoder(tokenizer, width, text_layers, heads, width).eval())
    unet = UNet(config).eval().requires_grad_(False)
    for name, parameter in unet.named_parameters():
        if name.endswith(("alpha_attn", "alpha_dense")):
            parameter.fill_(0.5)
    coder = SimpleNamespace(factor=8, channels=4, network=None, to=lambda device: None)
    return Backbone("random", text, unet, coder, Schedule.scaled_linear(), "")  # type: ignore[arg-type]


def peer_unet(backbone: Backbone):
    """diffusers' U-Net sharing our tensors, so that both fit in memory."""
    from diffusers import UNet2DConditionModel

    config = {
        k: v for k, v in backbone.unet.config.to_diffusers().items() if k != "position_channels"
    }
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(config)
    tensors = {
        n: t for n, t in backbone.unet.state_dict().items() if not n.startswith("position_in")
    }
    unet.load_state_dict(tensors, assign=True)
    return unet.eval().requires_grad_(False)


def peer_text(backbone: Backbone):
    """transformers' text model without our projection, whose first output is what diffusers takes."""
    from transformers import CLIPTextModel

    model = CLIPTextModel(backbone.text.model.config)
    tensors = backbone.text.model.state_dict()
    names = {name: name if name in tensors else f"text_model.{name}" for name in model.state_dict()}
    model.load_state_dict({name: tensors[own] for name, own in names.items()})
    return model.eval()


def peer(backbone: Backbone):
    from diffusers import PNDMScheduler, StableDiffusionGLIGENPipeline

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipe = StableDiffusionGLIGENPipeline(
            vae=None,  # type: ignore[arg-type]
            text_encoder=peer_text(backbone),
            tokenizer=backbone.text.tokenizer,
            unet=peer_unet(backbone),
            scheduler=PNDMScheduler.from_config(schedule_config(backbone.schedule)),
            safety_checker=None,  # type: ignore[arg-type]
            feature_extractor=None,  # type: ignore[arg-type]
            requires_safety_checker=False,
        )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def ours(backbone: Backbone, scene: Scene, steps: int, gate: float) -> Callable[[], Tensor]:
    sampling = Sampling(steps, "plms", 5.0, gate=(gate, 0.0, 1 - gate))

    def run() -> Tensor:
        *_, last = gligen(backbone, Request((scene,), (7,), sampling)).run()
        return last.z

    return run


def theirs(backbone: Backbone, scene: Scene, steps: int) -> Callable[[], Tensor]:
    pipe, noise = peer(backbone), backbone.noise([7], scene.width, scene.height)

    @torch.no_grad()
    def run() -> Tensor:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return pipe(
                scene.caption,
                gligen_phrases=list(scene.layout.phrases),
                gligen_boxes=[list(box.xyxy) for box in scene.layout.boxes],
                gligen_scheduled_sampling_beta=1.0,
                num_inference_steps=steps,
                guidance_scale=5.0,
                negative_prompt="",
                latents=noise.clone(),
                height=noise.shape[2] * 8,
                width=noise.shape[3] * 8,
                output_type="latent",
            ).images

    return run


def fastest(runs: dict[str, Callable[[], Tensor]], rounds: int) -> dict[str, float]:
    """Seconds of each, in alternation so that a busy machine slows all of them."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - started)
    return {name: min(found) for name, found in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--size", choices=["storybook", "sd"], default="storybook")
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--rounds", type=int, default=None)
    options = parser.parse_args()
    small = options.size == "storybook"
    steps, rounds = options.steps or (50 if small else 4), options.rounds or (5 if small else 2)
    backbone = storybook_sized() if small else sd_sized()
    side = backbone.size
    scene = Scene(CAPTION, LAYOUT, side, side)
    runs = {
        "situ": ours(backbone, scene, steps, 1.0),
        "situ, gate 0.3": ours(backbone, scene, steps, 0.3),
        "diffusers": theirs(backbone, scene, steps),
    }
    fastest({"situ": ours(backbone, scene, 1, 1.0), "diffusers": theirs(backbone, scene, 1)}, 1)
    times = fastest(runs, rounds)
    result = {
        "size": options.size,
        "steps": steps,
        "rounds": rounds,
        "threads": torch.get_num_threads(),
        "seconds": {name: round(seconds, 3) for name, seconds in times.items()},
        "situ / diffusers": round(times["situ"] / times["diffusers"], 3),
        "gate 0.3 / always": round(times["situ, gate 0.3"] / times["situ"], 3),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
