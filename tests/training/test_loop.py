"""The loop: resume is exact, two processes equal one, the learning rate and average follow closed forms."""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from situ.scene import SituError
from situ.training.checkpoint import read_checkpoint, trained_weights
from situ.training.ema import Average
from situ.training.loop import Loop, train


class Line(nn.Module):
    """A linear map to be found from noisy pairs."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.trained = nn.Linear(4, 3)

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        loss = (self.trained(batch["x"]) - batch["y"]).square().mean()
        return {"loss": loss}


class Pairs:
    def batch(self, size: int, rng: torch.Generator) -> dict[str, Tensor]:
        x = torch.randn(size, 4, generator=rng)
        return {"x": x, "y": x[:, :3] * 2 - 1}


LOOP = Loop(steps=12, batch=8, lr=0.05, warmup=3, ema=0.9)


def final(folder: Path) -> dict[str, Tensor]:
    return read_checkpoint(folder / "checkpoint.safetensors")[0]


def test_stopped_and_resumed_equals_one_run_bit_for_bit(tmp_path: Path) -> None:
    whole = [r.losses["loss"] for r in train(Line(), Pairs(), LOOP, tmp_path / "whole")]
    parts = []
    for stop in (5, 12):
        run = train(Line(), Pairs(), LOOP, tmp_path / "parts")
        for record in run:
            parts.append(record.losses["loss"])
            if record.step == stop:
                run.close()
                break
    assert parts == whole
    one, two = final(tmp_path / "whole"), final(tmp_path / "parts")
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_training_finds_the_line(tmp_path: Path) -> None:
    line = Line()
    losses = [
        r.losses["loss"] for r in train(line, Pairs(), Loop(300, 32, 0.05, ema=0.9), tmp_path)
    ]
    assert losses[-1] < 1e-3 < losses[0]
    assert torch.allclose(trained_weights(tmp_path)["bias"], torch.full((3,), -1.0), atol=0.05)


def test_two_processes_equal_one(tmp_path: Path) -> None:
    script = Path(__file__).with_name("two_processes.py")
    results = []
    for world in (1, 2):
        out = tmp_path / str(world)
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MASTER_ADDR": "127.0.0.1"}
        environment |= {"MASTER_PORT": str(29500 + os.getpid() % 1000), "WORLD_SIZE": str(world)}
        runs = [
            subprocess.Popen([sys.executable, script, out], env={**environment, "RANK": str(rank)})
            for rank in range(world)
        ]
        assert [run.wait(120) for run in runs] == [0] * world
        results.append(trained_weights(out))
    for name in results[0]:
        assert torch.allclose(results[0][name], results[1][name], atol=1e-6)


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    list(train(Line(), Pairs(), LOOP, tmp_path))
    other = Line()
    other.trained = nn.Sequential(nn.Linear(4, 3))  # type: ignore[assignment]
    with pytest.raises(SituError, match="belongs to another model"):
        next(train(other, Pairs(), LOOP, tmp_path))


def test_rate_warms_up_and_ends_low() -> None:
    loop = Loop(steps=100, batch=1, lr=1.0, warmup=10, final_lr=0.1)
    assert [loop.rate(s) for s in (0, 9, 10)] == pytest.approx([0.1, 1.0, 1.0])
    assert loop.rate(55) == pytest.approx(0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi / 2)))
    assert loop.rate(100) == pytest.approx(0.1)


def test_average_of_a_constant_is_the_constant_and_it_lags_a_change() -> None:
    p = nn.Parameter(torch.zeros(2))
    average = Average({"p": p}, 0.9)
    with torch.no_grad():
        p.fill_(1.0)
    expected = 0.0
    for step in range(200, 203):
        average.update({"p": p}, step)
        expected += (1 - expected) * 0.1
    assert average.values["p"].tolist() == pytest.approx([expected] * 2)


@pytest.mark.parametrize("field", ["decay", "amp", "steps"])
def test_bad_settings_name_the_field(field: str) -> None:
    bad = {"decay": "linear", "amp": "int8", "steps": 0}[field]
    with pytest.raises(SituError, match=field):
        Loop(**{"steps": 1, "batch": 1, "lr": 1.0, field: bad})  # type: ignore[arg-type]
