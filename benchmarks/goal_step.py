"""Time and memory of GOAL's training step with DSAlign in its exact, tiny and latent form, in one run.

    python benchmarks/goal_step.py                         # SD-1.4 + GLIGEN, 512 px, CLIP ViT-L/14; 14 GB
    python benchmarks/goal_step.py --side 256              # the same networks, a quarter of the picture
    python benchmarks/goal_step.py --count                 # count operations instead; needs no memory
    python benchmarks/goal_step.py --tiny                  # everything small: does the benchmark run?
    python benchmarks/goal_step.py --inference A B         # drawing with two models by one code path

Weights are random: they change neither time nor memory. A step is forward, backward and AdamW of what the
recipe goal-sd14 trains, batch 1, with checkpointing, in autocast to bf16. `latent` reads the latent with
HCMA's aligner of the paper's size, so that nothing is decoded. `parts` are forward and backward of one part
by itself: the U-Net with its diffusion and attention loss, each decoder, CLIP for all boxes and the whole.
Memory is the largest use while it ran: on a GPU what PyTorch allocated, else the process' resident pages,
weights and moments included. The forms take turns, `--rounds` times; seconds are the fastest. On a CPU the
contract is checked by the time that all threads worked, which other processes change less.
"""

import argparse
import ctypes
import gc
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode
from transformers import CLIPTextConfig, CLIPTextModel

from situ.conditioning.grounding import Grounding
from situ.diffusion.schedule import Schedule
from situ.models.aligner import Aligner, AlignerConfig
from situ.models.autoencoder import Autoencoder
from situ.models.clip import image_encoder
from situ.models.critics import ClipPair
from situ.models.unet import UNet
from situ.models.unet_config import UNetConfig
from situ.scene import Box, Layout, Object
from situ.training.loop import Batch
from situ.training.masked_attention import AttentionSettings, MAAlign
from situ.training.semantic import DSAlign, LatentCritic, PixelCritic, SemanticSettings
from situ.training.tuning import TuningObjective, TuningSettings

# least memory first: what a process returns late counts for the next
FORMS = ("latent", "tiny", "exact")
CONTRACT = 1.6  # times the throughput of the exact form
LEVELS: dict[str, Any] = {  # of an autoencoder
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "latent_channels": 4,
}
SCHEDULE = Schedule.scaled_linear()
PHRASES = ("red bus", "man in a blue coat", "traffic light", "striped umbrella")
BOXES = ((0.1, 0.3, 0.6, 0.8), (0.6, 0.4, 0.75, 0.95), (0.8, 0.05, 0.9, 0.3), (0.3, 0.1, 0.5, 0.3))


@dataclass(frozen=True)
class Networks:
    """All networks of a size, on one device, and the width of CLIP's space."""

    unet: UNet
    text: Any
    clip: ClipPair
    decoders: dict[str, Autoencoder]
    aligner: Aligner
    shared: int

    @classmethod
    def full(cls) -> "Networks":
        config = UNetConfig(attention_type="gated")
        text = CLIPTextModel(_text_config(49408, 768, 12, 12))
        image = image_encoder(1024, 24, 16, 768, 224, 14)
        wide: Any = (128, 256, 512, 512)
        coder = AutoencoderKL(**LEVELS, block_out_channels=wide, layers_per_block=2)
        return cls._of(config, text, image, coder, AutoencoderTiny(), AlignerConfig(), 768)

    @classmethod
    def small(cls) -> "Networks":
        config = UNetConfig(
            sample_size=16,
            block_out_channels=(32, 64),
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
            layers_per_block=1,
            cross_attention_dim=32,
            attention_head_dim=4,
            norm_num_groups=8,
            attention_type="gated",
        )
        text = CLIPTextModel(_text_config(99, 32, 1, 2))
        image = image_encoder(32, 1, 2, 32, 32, 8)
        narrow: Any = (8, 8, 8, 8)
        coder = AutoencoderKL(**LEVELS, block_out_channels=narrow, norm_num_groups=4)
        tiny = AutoencoderTiny(encoder_block_out_channels=narrow, decoder_block_out_channels=narrow)
        shape = AlignerConfig(width=16, blocks=1, heads=2, text_width=32)
        return cls._of(config, text, image, coder, tiny, shape, 32)

    @classmethod
    def _of(
        cls, config: UNetConfig, text: Any, image: Any, exact: Any, tiny: Any, shape: Any, dim: int
    ) -> "Networks":
        unet = UNet(config)
        unet.checkpointing = True
        for name, parameter in unet.named_parameters():
            if name.endswith(("alpha_attn", "alpha_dense")):
                torch.nn.init.constant_(parameter, 0.5)
        aligner = Aligner(shape)
        for network in (text, image, exact, tiny, aligner):
            network.eval().requires_grad_(False)
        for coder in (exact, tiny):
            coder.enable_gradient_checkpointing()
        decoders = {"exact": Autoencoder(exact), "tiny": Autoencoder(tiny)}
        return cls(unet, text, ClipPair(text, image), decoders, aligner, dim)

    def to(self, device: str) -> "Networks":
        others = self.text, self.clip.image, self.aligner, *self.decoders.values()
        for network in (self.unet, *others):
            network.to(device)
        return self

    def objective(self, form: str | None, side: int) -> TuningObjective:
        """GOAL's objective with a form of DSAlign, or None for MAAlign alone."""
        settings = TuningSettings(alpha=1e-2 if form else 0.0)
        cells = side // 8
        attention = MAAlign(self.unet, AttentionSettings(size=_size(self.unet, cells)), cells)
        semantic = DSAlign(self.critic(form), SCHEDULE, SemanticSettings(slice=1)) if form else None
        return TuningObjective(self.unet, self.text, SCHEDULE, settings, semantic, attention)

    def critic(self, form: str) -> Any:
        if form == "latent":
            return LatentCritic(self.aligner, self.text, SCHEDULE)
        return PixelCritic(self.clip, self.decoders[form].decode)

    def batch(self, side: int, boxes: int, device: str) -> Batch:
        things = [Object(p, Box(*b)) for p, b in zip(PHRASES[:boxes], BOXES[:boxes], strict=True)]
        dim = self.unet.config.cross_attention_dim
        vectors = {phrase: torch.randn(dim) for phrase in PHRASES}
        slots = Grounding.of([Layout(tuple(things))], vectors, dim)
        words = torch.zeros(1, slots.masks.shape[1], 77)
        words[0, range(boxes), range(1, boxes + 1)] = 1
        latents = torch.randn(1, 4, side // 8, side // 8)
        found = {
            "latents": latents,
            "noise": torch.randn(latents.shape),
            "t": torch.tensor([500]),
            "tokens": torch.randint(1, 90, (1, 77)),
            "boxes_xyxy": slots.boxes_xyxy,
            "masks": slots.masks,
            "phrases": slots.phrases,
            "gate": torch.ones(1),
            "told": torch.ones(1),
            "words": words,
            "caption_vectors": torch.randn(1, self.shared),
            "phrase_vectors": torch.randn(1, slots.masks.shape[1], self.shared),
            "chosen": slots.masks.clone(),
        }
        return {name: value.to(device) for name, value in found.items()}


def _text_config(words: int, width: int, layers: int, heads: int) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=words,
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        projection_dim=width,
    )


def _size(unet: UNet, cells: int) -> int:
    """16 of 64 as in the paper; a network without such maps offers its largest."""
    sizes = {s.height for s in unet.sites(cells, cells) if (s.kind, s.place) == ("cross", "up")}
    return cells // 4 if cells // 4 in sizes else max(sizes)


@dataclass(frozen=True)
class Measured:
    """cpu_seconds: of all threads, which a busy machine changes less than seconds."""

    seconds: float
    cpu_seconds: float
    peak_gib: float


class Clock:
    """Seconds and peak memory of a call, told at once."""

    def __init__(self, device: str) -> None:
        self.cuda = device.startswith("cuda")

    def __call__(self, what: str, call: Callable[[], object]) -> Measured:
        gc.collect()
        with _allocated() if self.cuda else _resident() as peak:
            started, worked = time.perf_counter(), time.process_time()
            call()
            if self.cuda:
                torch.cuda.synchronize()
            seconds, work = time.perf_counter() - started, time.process_time() - worked
        gib = peak.bytes / 2**30
        told = f"{what:<24}{seconds:9.2f} s {work:9.2f} s of CPU {gib:7.2f} GiB"
        print(told, file=sys.stderr, flush=True)
        return Measured(round(seconds, 3), round(work, 3), round(gib, 3))


@contextmanager
def _allocated() -> Iterator[SimpleNamespace]:
    peak = SimpleNamespace(bytes=0)
    torch.cuda.reset_peak_memory_stats()
    yield peak
    peak.bytes = torch.cuda.max_memory_allocated()


@contextmanager
def _resident() -> Iterator[SimpleNamespace]:
    peak, done = SimpleNamespace(bytes=0), threading.Event()
    with suppress(OSError, AttributeError):  # one part's peak is not to be the next one's floor
        ctypes.CDLL("libc.so.6").malloc_trim(0)

    def look() -> None:
        while not done.wait(0.02):
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            peak.bytes = max(peak.bytes, pages * 4096)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


def parts(networks: Networks, side: int, boxes: int, device: str, clock: Any) -> dict[str, Any]:
    """Each part forward and backward by itself. clock: a Clock or a Counter."""
    batch, bare = networks.batch(side, boxes, device), networks.objective(None, side)
    clip, aligner, t = networks.clip, networks.aligner, torch.zeros_like(batch["t"])
    pictures = torch.rand(1 + boxes, 3, side, side, device=device, requires_grad=True)
    z = batch["latents"].clone().requires_grad_()

    def read() -> Tensor:
        features = aligner(z, torch.ones_like(t).float(), t)
        phrases = aligner.phrases(features, batch["boxes_xyxy"])
        return aligner.captions(features).sum() + phrases.sum()

    calls: dict[str, Callable[[], Tensor]] = {
        "unet": lambda: bare(batch)["loss"],
        f"clip, {1 + boxes} pictures": lambda: clip.see(clip.fit(pictures)).sum(),
        "decode exact": lambda: networks.decoders["exact"].decode(z).sum(),
        "decode tiny": lambda: networks.decoders["tiny"].decode(z).sum(),
        "aligner": read,
    }
    return {
        name: clock(f"part {name}", partial(_forward_backward, call, device))
        for name, call in calls.items()
    }


class Counter:
    """Operations of a call in TFLOP (a multiplication and an addition are two), what checkpointing computes
    again included; in the place of a Clock."""

    def __call__(self, what: str, call: Callable[[], object]) -> float:
        with FlopCounterMode(display=False) as counter:
            call()
        return float(f"{counter.get_total_flops() / 1e12:.4g}")


def count(options: argparse.Namespace) -> dict[str, Any]:
    """The parts of a step, and their sums for each form, on tensors without contents."""
    with FakeTensorMode(allow_non_fake_inputs=True):
        networks = Networks.small() if options.tiny else Networks.full()
        networks.unet.plain_attention = True  # PyTorch counts nothing in its fused one on a CPU
        found = parts(networks, options.side, options.boxes, "cpu", Counter())
    unet, clip = found["unet"], next(v for name, v in found.items() if name.startswith("clip"))
    steps = {"latent": unet + found["aligner"]}
    steps |= {form: unet + clip + found[f"decode {form}"] for form in ("exact", "tiny")}
    gain = steps["exact"] / steps["latent"]
    return {
        "side": options.side,
        "boxes": options.boxes,
        "TFLOP of parts": found,
        "TFLOP of steps": {form: float(f"{value:.4g}") for form, value in steps.items()},
        "exact / latent": round(gain, 2),
        "exact / tiny": round(steps["exact"] / steps["tiny"], 2),
        "contract": {"at least": CONTRACT, "kept": gain >= CONTRACT},
    }


def _forward_backward(call: Callable[[], Tensor], device: str) -> None:
    with torch.autocast(torch.device(device).type, torch.bfloat16):
        loss = call()
    loss.backward()


def steps(networks: Networks, options: argparse.Namespace) -> dict[str, Measured]:
    """A whole training step of each form, in turns; the fastest and the largest."""
    clock, found = Clock(options.device), {}
    objectives = {form: networks.objective(form, options.side) for form in FORMS}
    learning = [p for p in networks.unet.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=5e-5, weight_decay=0.0)
    batch = networks.batch(options.side, options.boxes, options.device)
    for turn in range(options.rounds + options.warm):
        for form, objective in objectives.items():

            def step(objective: TuningObjective = objective) -> None:
                _forward_backward(lambda: objective(batch)["loss"], options.device)
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)

            measured = clock(f"{'step' if turn >= options.warm else 'warm-up'} {form}", step)
            if turn >= options.warm:
                found.setdefault(form, []).append(measured)
    columns = {form: zip(*map(astuple, every), strict=True) for form, every in found.items()}
    return {form: Measured(min(s), min(c), max(p)) for form, (s, c, p) in columns.items()}


def inference(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds of drawing one scene with two models, in turns."""
    from situ.app.load import load

    times: dict[str, list[float]] = {}
    named = {f"{i}: {name}": name for i, name in enumerate(options.inference, 1)}
    pipes = {title: load(name, device=options.device) for title, name in named.items()}
    caption, phrases = "a red fish to the left of a blue house", ["red fish", "blue house"]
    boxes = [[0.05, 0.4, 0.45, 0.8], [0.5, 0.3, 0.95, 0.9]]
    drawn: dict[str, Any] = {"prompt": caption, "phrases": phrases, "boxes": boxes, "seed": 7}
    for turn in range(options.rounds + 1):
        for name, pipe in pipes.items():
            started = time.perf_counter()
            pipe(**drawn, num_inference_steps=options.steps)
            if turn:
                times.setdefault(name, []).append(time.perf_counter() - started)
    best = {name: min(found) for name, found in times.items()}
    a, b = best.values()
    rounded = {name: round(seconds, 4) for name, seconds in best.items()}
    return {"seconds": rounded, "second / first": round(b / a, 4)}


def _options() -> argparse.Namespace:
    plain = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--side", type=int, default=512, help="pixels; a multiple of 64")
    parser.add_argument("--boxes", type=int, default=4, choices=range(1, 5))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--warm", type=int, default=1, help="rounds that are not counted")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--tiny", action="store_true", help="networks of a few thousand numbers")
    parser.add_argument("--count", action="store_true", help="operations instead of time")
    parser.add_argument("--inference", nargs=2, metavar="MODEL")
    parser.add_argument("--steps", type=int, default=50, help="of sampling, for --inference")
    return parser.parse_args()


def main() -> None:
    options = _options()
    if options.inference:
        result = inference(options)
    else:
        result = count(options) if options.count else measure(options)
    print(json.dumps(result, indent=2))


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Time and memory of the parts and of whole steps."""
    torch.manual_seed(0)
    networks = (Networks.small() if options.tiny else Networks.full()).to(options.device)
    found = parts(networks, options.side, options.boxes, options.device, Clock(options.device))
    whole = steps(networks, options)
    unit = "seconds" if options.device != "cpu" else "cpu_seconds"
    cost = {form: getattr(m, unit) for form, m in whole.items()}
    gain = cost["exact"] / cost["latent"]
    return {
        "side": options.side,
        "boxes": options.boxes,
        "threads": torch.get_num_threads(),
        "device": options.device,
        "parts": {name: vars(m) for name, m in found.items()},
        "steps": {form: vars(m) for form, m in whole.items()},
        "throughput by": unit,
        "throughput latent / exact": round(gain, 2),
        "throughput tiny / exact": round(cost["exact"] / cost["tiny"], 2),
        "contract": {"at least": CONTRACT, "kept": gain >= CONTRACT},
    }


if __name__ == "__main__":
    main()
