"""Run a recipe: train one stage, log it, and export what it made. Resuming is the same command."""

import json
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from situ.app.placing import process_device
from situ.app.recipe import Recipe, read_recipe
from situ.files.atomic import write_bytes
from situ.ops.processes import is_first
from situ.scene import SituError
from situ.training.loop import Data, Loop, Record, settings, train


@dataclass(frozen=True)
class Stage:
    """What a recipe's stage amounts to: an objective, its data, a probe and what to write at the end."""

    objective: Any
    data: Data
    probe: Callable[[], Mapping[str, float]] = dict
    export: Callable[[Path], None] = lambda folder: None


def run_recipe(path: Path, out: Path, *, device: str = "cpu", steps: int | None = None) -> None:
    """Train the stage of recipe `path` in folder `out`; continues if `out` holds a checkpoint.

    Writes out/log.jsonl (one record per log_every steps), out/tensorboard where TensorBoard is installed,
    out/checkpoint.safetensors, and at the end the stage's export. Under torchrun all processes train, each
    on its own GPU if `device` is cuda, and the first alone writes and shows progress.
    """
    from situ.app.stages import STAGES

    recipe = read_recipe(path)
    if recipe.stage not in STAGES:
        raise SituError(
            f"{path.name}: stage {recipe.stage!r} is unknown; allowed: {', '.join(STAGES)}"
        )
    loop = recipe.table("loop", Loop, steps=steps)
    place = process_device(device)
    if place.type == "cuda" and place.index is not None:
        torch.cuda.set_device(place)
    torch.manual_seed(loop.seed)
    stage = STAGES[recipe.stage](recipe, str(place))
    if is_first():
        _write_resolved(recipe, loop, out)
    with _terminated_as_interrupt():
        _run(stage, loop, out)
    if is_first():
        stage.export(out)


def _run(stage: Stage, loop: Loop, out: Path) -> None:
    records = train(stage.objective, stage.data, loop, out)
    if not is_first():
        for _ in records:
            pass
        return
    log = _Log(out, loop)
    bar = tqdm(total=loop.steps, disable=None, unit="step", file=sys.stderr)
    probe_every = 10 * loop.log_every
    for record in records:
        bar.update(record.step - bar.n)
        probed = stage.probe() if record.step % probe_every == 0 else {}
        log.add(record, probed)
    bar.close()


class _Log:
    """JSON lines always, TensorBoard where it is installed; losses are means since the last line."""

    def __init__(self, out: Path, loop: Loop) -> None:
        self.every, self.path, self.sums, self.count = loop.log_every, out / "log.jsonl", {}, 0
        self.board = _tensorboard(out)

    def add(self, record: Record, probed: Mapping[str, float]) -> None:
        self.count += 1
        for name, value in record.losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        if record.step % self.every and not probed:
            return
        means = {name: value / self.count for name, value in self.sums.items()}
        line = {**means, "grad_norm": record.grad_norm, "lr": record.lr, **probed}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": record.step, **_rounded(line)}) + "\n")
        if self.board:
            for name, value in line.items():
                self.board.add_scalar(name, value, record.step)
        self.sums, self.count = {}, 0


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: float(f"{value:.5g}") for name, value in values.items()}


def _tensorboard(out: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(out / "tensorboard"))


def _write_resolved(recipe: Recipe, loop: Loop, out: Path) -> None:
    resolved = {"stage": recipe.stage, **recipe.tables, "loop": settings(loop)}
    write_bytes(out / "recipe.json", (json.dumps(resolved, indent=2) + "\n").encode())


@contextmanager
def _terminated_as_interrupt() -> Iterator[None]:
    """A scheduler's SIGTERM ends the run as Ctrl-C does: with a checkpoint."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
