"""What HCMA adds to GLIGEN: the same pictures with and without guidance, in alternating runs.

    python benchmarks/hcma_cost.py                                    # the storybook, as it is shipped
    python benchmarks/hcma_cost.py --steps 50 --batch 8 --set align_stride=2
    python benchmarks/hcma_cost.py --size sd --steps 2 --solver ddim --rounds 1   # random weights
    python benchmarks/hcma_cost.py --size sd --steps 50 --half --device cuda

Seconds are of the processor, of all threads together, so that a busy machine adds little; --wall, and a GPU,
take those of the clock. Each is the fastest of `--rounds`, after one that is not counted. `flops` counts the
products of matrices in one guided step: the guide's forward pass twice (forth, and back to the latent) beside
both branches of the U-Net. Peak memory is on a GPU what PyTorch allocated in each method's runs; on a CPU the
process's after GLIGEN's and after HCMA's, which come second.

`--size sd` needs 10 GB: 1.07 B parameters, latents of 4 x 64 x 64, and an aligner of the paper's size.
"""

import argparse
import json
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from against_diffusers import CAPTION, LAYOUT, random_backbone
from torch.utils.flop_counter import FlopCounterMode

import situ
from situ.cli.generate import _setting
from situ.diffusion.energy import Descent, through
from situ.methods import METHODS
from situ.methods.gligen import gligen
from situ.methods.hcma import hcma
from situ.methods.plan import Request, Sampling
from situ.models.aligner import Aligner, AlignerConfig, Spaces, save_aligner
from situ.models.backbone import Backbone
from situ.models.unet_config import UNetConfig
from situ.scene import Scene


class Coder:
    """Stands for the autoencoder, which no latent of this benchmark meets."""

    factor, channels, network = 8, 4, None

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.avg_pool2d(pixels, 8).repeat(1, 2, 1, 1)[:, :4]

    def to(self, device: torch.device) -> None: ...


def storybook(folder: Path, half: bool) -> tuple[Backbone, float]:
    pipe = situ.load("storybook", "bfloat16" if half else "float32")
    return pipe.backbone, pipe.guidance


def sd(folder: Path, half: bool) -> tuple[Backbone, float]:
    torch.set_default_dtype(torch.bfloat16 if half else torch.float32)
    made = random_backbone(UNetConfig(attention_type="gated"), 12)
    torch.set_default_dtype(torch.float32)
    backbone = replace(made, autoencoder=Coder())  # type: ignore[arg-type]
    path = folder / "aligner.safetensors"
    save_aligner(path, Aligner(AlignerConfig()), Spaces.of(backbone))
    return replace(backbone, aligner=path), 7.5


SIZES = {"storybook": storybook, "sd": sd}


def request(backbone: Backbone, batch: int, sampling: Sampling) -> Request:
    scene = Scene(CAPTION, LAYOUT, backbone.size, backbone.size)
    return Request((scene,) * batch, tuple(range(batch)), sampling)


def unet_flops(backbone: Backbone, asked: Request) -> int:
    """Of one guided step without the guide."""
    plan = gligen(backbone, asked)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        plan.denoise(plan.z, plan.steps[0])
    return counter.get_total_flops()


def guide_flops(backbone: Backbone, asked: Request) -> int:
    """Forth, and as much back to the latent."""
    guide, z = hcma(backbone, asked).guide, backbone.noise(asked.seeds, *asked.canvas)
    assert isinstance(guide, Descent)
    step = backbone.schedule.steps(1)[0]
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        guide.energy(through(None, guide.energy, z, step), step)
    return 2 * counter.get_total_flops()


def draw(backbone: Backbone, method: str, asked: Request) -> None:
    """As `situ generate` draws: text encoder, plan and steps."""
    plain = replace(asked, sampling=replace(asked.sampling, options={}))
    for _ in METHODS[method](backbone, asked if method == "hcma" else plain).run():
        pass


@dataclass
class Measured:
    """Of a method: seconds of each run, and the most memory."""

    seconds: list[float]
    peak_mb: float = 0.0


def measure(
    runs: dict[str, Callable[[], None]], rounds: int, clock: Callable[[], float], cuda: bool
) -> dict[str, Measured]:
    """Runs in turns; the first turn warms up."""
    found = {name: Measured([]) for name in runs}
    for turn in range(rounds + 1):
        for name, run in runs.items():
            if cuda:
                torch.cuda.reset_peak_memory_stats()
            started = clock()
            run()
            if turn:
                found[name].seconds.append(clock() - started)
            if not turn:  # GLIGEN's, before anything of HCMA was loaded; a process never gives back
                found[name].peak_mb = peak_mb(cuda)
    return found


def peak_mb(cuda: bool) -> float:
    if cuda:
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def on_gpu() -> float:
    torch.cuda.synchronize()
    return time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--size", choices=list(SIZES), default="storybook")
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--solver", default="plms")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--half", action="store_true", help="U-Net and text encoder in bfloat16")
    parser.add_argument("--wall", action="store_true")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    asked = parser.parse_args()
    if asked.threads:
        torch.set_num_threads(asked.threads)
    with TemporaryDirectory() as folder:
        backbone, guidance = SIZES[asked.size](Path(folder), asked.half)
        report(asked, backbone.to(asked.device), guidance)


def report(asked: argparse.Namespace, backbone: Backbone, guidance: float) -> None:
    options = dict(_setting(text) for text in asked.set)
    sampling = Sampling(asked.steps, asked.solver, guidance, options=options)
    whole = request(backbone, asked.batch, sampling)
    told: dict[str, Any] = {"size": asked.size, "steps": asked.steps, "batch": asked.batch}
    told |= {
        "half": asked.half,
        "device": asked.device,
        "solver": asked.solver,
        "threads": torch.get_num_threads(),
        "options": options,
    }
    runs = {method: partial(draw, backbone, method, whole) for method in ("gligen", "hcma")}
    cuda = asked.device != "cpu"
    clock = on_gpu if cuda else time.perf_counter if asked.wall else time.process_time
    found = measure(runs, asked.rounds, clock, cuda)
    told |= {"flops": round(1 + guide_flops(backbone, whole) / unet_flops(backbone, whole), 4)}
    seconds = {name: round(min(one.seconds), 4) for name, one in found.items()}
    peaks = {name: round(one.peak_mb) for name, one in found.items()}
    told |= {"seconds": seconds, "hcma / gligen": round(seconds["hcma"] / seconds["gligen"], 4)}
    told |= {"peak MB": peaks, "memory": round(peaks["hcma"] / peaks["gligen"], 4)}
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
