"""The training loop, once, for every stage: AMP, clipping, EMA, logs, exact resume, torchrun.

What is trained is an Objective; the loop asks its data for the global batch of a step, gives each process
its rows, and steps. All randomness of step s comes from (seed, s), so a run that is stopped and resumed,
or split over two processes, sees the same numbers as one that is not.
"""

import gc
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from situ.ops.processes import process_place
from situ.scene import SituError
from situ.training.checkpoint import load_checkpoint, save_checkpoint
from situ.training.ema import Average

Batch = dict[str, Tensor]

# From the share of the run after warm-up, and the cooldown, to the share of lr above its floor.
DECAYS: dict[str, Callable[[float, float], float]] = {
    "cosine": lambda share, cooldown: 0.5 * (1 + math.cos(math.pi * share)),
    "constant": lambda share, cooldown: 1.0,
    "trapezoid": lambda share, cooldown: min(1.0, (1 - share) / cooldown),
}


class Objective(Protocol):
    """What a stage lowers. `trained` holds the parameters; calling it gives named losses, `loss` the total,
    each a mean over the batch. Where it has `rates`, parameters whose names begin so learn at that
    multiple of the loop's learning rate."""

    trained: nn.Module

    def __call__(self, batch: Batch) -> dict[str, Tensor]: ...


class Data(Protocol):
    """Gives the whole batch of a step from the step's own generator; row i goes to process i % world."""

    def batch(self, size: int, rng: torch.Generator) -> Batch: ...


@dataclass(frozen=True)
class Loop:
    """How to train. Times are in seconds; `batch` is over all processes."""

    steps: int
    batch: int
    lr: float
    warmup: int = 100
    decay: str = "cosine"  # "constant", or "trapezoid": constant, then straight down at the end
    cooldown: float = 0.3  # share of the steps in which the trapezoid goes down
    final_lr: float = 0.02  # of lr, where cosine and trapezoid end
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float = 1.0
    ema: float = 0.0  # decay of the average; 0 keeps none
    amp: str = "fp32"  # or "bf16", "fp16" (CUDA only)
    seed: int = 0
    log_every: int = 20
    save_seconds: float = 180.0

    def __post_init__(self) -> None:
        if self.decay not in DECAYS:
            raise SituError(f"loop.decay is {self.decay!r}; allowed: {', '.join(DECAYS)}")
        if self.amp not in ("fp32", "bf16", "fp16"):
            raise SituError(f"loop.amp is {self.amp!r}; allowed are 'fp32', 'bf16' and 'fp16'")
        for name in ("steps", "batch", "log_every"):
            if getattr(self, name) < 1:
                raise SituError(f"loop.{name} is {getattr(self, name)}; it must be at least 1")

    def rate(self, step: int) -> float:
        """Learning rate of a step: linear warm-up, then as `decay` says."""
        if step < self.warmup:
            return self.lr * (step + 1) / self.warmup
        share = min(1.0, (step - self.warmup) / max(1, self.steps - self.warmup))
        height = DECAYS[self.decay](share, self.cooldown)
        return self.lr * (self.final_lr + (1 - self.final_lr) * height)


@dataclass(frozen=True)
class Record:
    """What one step did. Losses are means over all processes."""

    step: int
    losses: Mapping[str, float]
    grad_norm: float
    lr: float
    seconds: float


def train(objective: Any, data: Data, loop: Loop, folder: Path) -> Iterator[Record]:
    """Train until loop.steps, resuming from `folder` if it holds a checkpoint; yields a record a step.

    The trained parameters are in `objective.trained`, their average (if any) in the checkpoint.
    Stop by leaving the generator: it then writes a checkpoint, as it does every `save_seconds`.
    """
    with _processes():
        yield from _steps(_Run(objective, loop, folder), data)


def _steps(run: "_Run", data: Data) -> Iterator[Record]:
    saved = time.monotonic()
    try:
        while run.step < run.loop.steps:
            record = run.advance(data)
            if time.monotonic() - saved > run.loop.save_seconds:
                run.save()
                saved = time.monotonic()
            yield record
    finally:
        run.save()


class _Run:
    def __init__(self, objective: Any, loop: Loop, folder: Path) -> None:
        self.loop, self.folder, self.objective = loop, folder, objective
        self.parameters = {n: p for n, p in objective.trained.named_parameters() if p.requires_grad}
        self.device = next(iter(self.parameters.values())).device
        groups = _groups(self.parameters, loop, getattr(objective, "rates", {}))
        self.optimizer = torch.optim.AdamW(groups, betas=loop.betas)
        self.average = Average(self.parameters, loop.ema) if loop.ema else None
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=loop.amp == "fp16")
        self.step = load_checkpoint(folder, self.parameters, self.optimizer, self.average)
        self.rank, self.world = _place()
        self.call = DistributedDataParallel(objective) if self.world > 1 else objective
        if loop.batch % self.world:
            raise SituError(
                f"loop.batch is {loop.batch}; it must divide by the {self.world} processes"
            )

    def advance(self, data: Data) -> Record:
        started = time.monotonic()
        for group in self.optimizer.param_groups:
            group["lr"] = self.loop.rate(self.step) * group["rate"]
        losses = self._losses(data)
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(losses["loss"]).backward()
        self.scaler.unscale_(self.optimizer)
        norm = nn.utils.clip_grad_norm_(self.parameters.values(), self.loop.clip or math.inf)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        if self.average:
            self.average.update(self.parameters, self.step)
        self.step += 1
        values = _shared({name: loss.detach() for name, loss in losses.items()}, self.world)
        seconds = time.monotonic() - started
        return Record(self.step, values, float(norm), self.loop.rate(self.step - 1), seconds)

    def _losses(self, data: Data) -> dict[str, Tensor]:
        batch = data.batch(self.loop.batch, step_generator(self.loop.seed, self.step))
        mine = {name: rows[self.rank :: self.world].to(self.device) for name, rows in batch.items()}
        half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(self.loop.amp)
        with torch.autocast(self.device.type, half, enabled=half is not None):
            return self.call(mine)

    def save(self) -> None:
        if self.rank == 0:
            save_checkpoint(self.folder, self.step, self.parameters, self.optimizer, self.average)


def step_generator(seed: int, step: int) -> torch.Generator:
    """The generator of one step: the same for every process and after every restart."""
    return torch.Generator().manual_seed(seed * 1_000_003 + step)


def _groups(
    parameters: Mapping[str, nn.Parameter], loop: Loop, rates: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Matrices and kernels decay; biases, norms, gates and embeddings of one dimension do not.

    rates: multiples of the loop's learning rate, by the beginning of a parameter's name.
    """
    found: dict[tuple[float, bool], list[nn.Parameter]] = {(1.0, True): [], (1.0, False): []}
    for name, p in parameters.items():
        rate = next((rates[start] for start in rates if name.startswith(start)), 1.0)
        found.setdefault((rate, p.ndim > 1), []).append(p)
    return [
        {"params": some, "weight_decay": loop.weight_decay if decays else 0.0, "rate": rate}
        for (rate, decays), some in found.items()
    ]


@contextmanager
def _processes() -> Iterator[None]:
    """The group of processes that torchrun started, unless the caller made one; left in good order, as its
    threads would otherwise abort a process at its very end."""
    own = not dist.is_initialized() and process_place()[1] > 1
    if own:
        dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield
    finally:
        if own:
            gc.collect()  # DistributedDataParallel holds the group, and itself in a circle
            dist.destroy_process_group()


def _place() -> tuple[int, int]:
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def _shared(losses: dict[str, Tensor], world: int) -> dict[str, float]:
    if world == 1:
        return {name: float(loss) for name, loss in losses.items()}
    stacked = torch.stack([loss.float() for loss in losses.values()])
    dist.all_reduce(stacked)
    return dict(zip(losses, (stacked / world).tolist(), strict=True))


def settings(loop: Loop) -> dict[str, Any]:
    """The loop as a plain dictionary, for logs and run folders."""
    return {field.name: getattr(loop, field.name) for field in fields(loop)}
