"""The loop: where a guide acts, what a frame holds, and that nothing leaks."""

import math

import pytest
import torch
from torch import Tensor

from situ.diffusion import SOLVERS, Descent, Schedule, Step, chain, keep, sample
from situ.diffusion.guide import report_of

SD = Schedule.scaled_linear()
Z = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def denoise(z: Tensor, step: Step) -> Tensor:
    return torch.tanh(z + step.t / 1000)


def silent(z: Tensor, step: Step) -> Tensor:
    return torch.zeros_like(z)


class Nudge:
    """A guide that adds `by` at one step, and remembers where it was called."""

    def __init__(self, at: int, by: float) -> None:
        self.at, self.by = at, by
        self.seen: list[int] = []

    def __call__(self, z: Tensor, step: Step) -> Tensor:
        self.seen.append(step.i)
        self.report = {"nudge": torch.full((len(z),), self.by * (step.i == self.at))}
        return z + self.by if step.i == self.at else z


@pytest.mark.parametrize("name", SOLVERS)
def test_is_the_loop_written_out(name: str):
    steps, advance, z = SD.steps(12), SOLVERS[name](), Z
    for step, frame in zip(steps, sample(steps, Z, denoise, solver=SOLVERS[name]), strict=True):
        z, _ = advance(denoise, z, step)
        assert frame.step == step
        assert torch.equal(frame.z, z)


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("at", range(5))
def test_what_a_guide_moves_at_any_step_stays_moved(name: str, at: int):
    """diffusers' PNDM loses what is moved before its second call; no step of ours may."""
    steps, solver = SD.steps(5), SOLVERS[name]
    *_, plain = sample(steps, Z, silent, solver=solver)
    *_, moved = sample(steps, Z, silent, Nudge(at, by=1.0), solver)
    growth = math.sqrt(steps[-1].abar_next / steps[at].abar)
    torch.testing.assert_close(moved.z - plain.z, torch.full_like(Z, growth))


@pytest.mark.parametrize("name", SOLVERS)
def test_a_guide_is_called_once_per_step(name: str):
    nudge = Nudge(at=-1, by=0)
    list(sample(SD.steps(7), Z, denoise, nudge, SOLVERS[name]))
    assert nudge.seen == list(range(7))


@pytest.mark.parametrize("name", SOLVERS)
def test_one_known_picture_is_seen_at_once_and_reached(name: str):
    picture = torch.linspace(-1, 1, Z.numel(), dtype=Z.dtype).reshape(Z.shape)

    def towards(z: Tensor, step: Step) -> Tensor:
        return (z - step.abar**0.5 * picture) / step.sigma

    frames = list(sample(SD.steps(9), Z, towards, solver=SOLVERS[name]))
    for frame in frames:
        torch.testing.assert_close(frame.z0, picture)
    noise = (Z - SD.steps(9)[0].abar ** 0.5 * picture) / SD.steps(9)[0].sigma
    torch.testing.assert_close(frames[-1].z, SD.add_noise(picture, noise, 0))


def test_nothing_runs_before_it_is_asked_for():
    nudge = Nudge(at=0, by=0)
    frames = sample(SD.steps(50), Z, denoise, nudge)
    assert nudge.seen == []
    next(frames)
    next(frames)
    assert nudge.seen == [0, 1]


def test_gradients_are_off_inside_and_untouched_outside():
    inside: list[bool] = []
    weight = torch.ones(1, dtype=Z.dtype, requires_grad=True)

    def watched(z: Tensor, step: Step) -> Tensor:
        inside.append(torch.is_grad_enabled())
        return weight * z

    for frame in sample(SD.steps(3), Z, watched):
        assert torch.is_grad_enabled()
        assert not frame.z.requires_grad
        assert not frame.z0.requires_grad
    assert not any(inside)


def test_frames_carry_what_the_guides_report():
    guide = chain(keep, Nudge(at=1, by=0.5))
    told = [frame.report["nudge"].tolist() for frame in sample(SD.steps(3), Z, denoise, guide)]
    assert told == [[0, 0], [0.5, 0.5], [0, 0]]
    assert report_of(keep) == {}


def test_a_chain_acts_in_order():
    double = chain(lambda z, step: z + 1, lambda z, step: z * 2)
    assert torch.equal(double(Z, SD.steps(1)[0]), (Z + 1) * 2)
    assert torch.equal(chain()(Z, SD.steps(1)[0]), Z)


class Length:
    sites = None
    full = False

    def __call__(self, view, step: Step) -> tuple[Tensor, Tensor]:
        loss = view.z.square().flatten(1).sum(1)
        return loss, 1 - loss


@pytest.mark.parametrize("name", SOLVERS)
def test_a_module_switched_off_changes_no_bit(name: str):
    steps, solver = SD.steps(8), SOLVERS[name]
    off = [Descent(Length(), size=0.0), Descent(Length(), when=lambda s: False), keep, chain()]
    plain = [frame.z for frame in sample(steps, Z, denoise, solver=solver)]
    for guide in off:
        found = [frame.z for frame in sample(steps, Z, denoise, guide, solver)]
        assert all(map(torch.equal, found, plain))
