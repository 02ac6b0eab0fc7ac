"""Classifier-free guidance, and branches that share a call."""

from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

from situ.diffusion import Record, Schedule, Step, cfg, together
from situ.scene.errors import SituError

STEPS = Schedule.scaled_linear().steps(10)
Z = torch.randn(3, 4, 8, 8, generator=torch.Generator().manual_seed(0))


@dataclass
class Alone:
    """A branch conditioned on one number per sample, which counts the rows it is asked for."""

    condition: Tensor  # [B]
    calls: list[int] = field(default_factory=list)

    def __call__(self, z: Tensor, step: Step, record: Record | None = None) -> Tensor:
        self.calls.append(len(z))
        return z * z * self.condition.reshape(-1, 1, 1, 1) + step.sigma * z


@dataclass
class Sociable(Alone):
    room: int = 100

    def joined(self, other: Alone) -> "Sociable | None":
        both = torch.cat([self.condition, other.condition])
        return Sociable(both, self.calls, self.room) if len(both) <= self.room else None


def pair(kind: type[Alone] = Sociable, **settings) -> tuple[Alone, Alone]:
    return (
        kind(torch.tensor([1.0, 2.0, 3.0]), **settings),
        kind(torch.tensor([0.5, 0.0, -0.5]), **settings),
    )


@pytest.mark.parametrize("kind", [Alone, Sociable])
def test_is_the_formula(kind: type[Alone]):
    cond, uncond = pair(kind)
    c, u = cond(Z, STEPS[0]), uncond(Z, STEPS[0])
    assert torch.equal(cfg(cond, uncond, 7.5)(Z, STEPS[0]), u + 7.5 * (c - u))


def test_joined_branches_are_called_once_and_give_the_same():
    first, second = pair()
    separate = first(Z, STEPS[0]), second(Z, STEPS[0])
    first.calls.clear()
    both = together([first, second])(Z, STEPS[0])
    assert first.calls == [6]
    assert all(map(torch.equal, both, separate))


def test_three_branches_fit_in_one_call_in_their_order():
    branches = [Sociable(torch.full((3,), value)) for value in (1.0, 2.0, 3.0)]
    found = together(branches)(Z, STEPS[0])
    assert branches[0].calls == [9]
    assert all(map(torch.equal, found, [b(Z, STEPS[0]) for b in branches]))


@pytest.mark.parametrize(("kind", "room"), [(Alone, {}), (Sociable, {"room": 4})])
def test_branches_that_do_not_fit_are_called_in_turn(kind: type[Alone], room: dict[str, int]):
    first, second = pair(kind, **room)
    together([first, second])(Z, STEPS[0])
    assert (first.calls, second.calls) == ([3], [3])


def test_one_branch_is_just_called():
    first, _ = pair()
    assert torch.equal(together([first])(Z, STEPS[0])[0], first(Z, STEPS[0]))


def test_scale_one_is_the_conditional_branch_alone():
    cond, uncond = pair()
    assert torch.equal(cfg(cond, uncond, 1.0)(Z, STEPS[0]), cond(Z, STEPS[0]))
    assert (cond.calls, uncond.calls) == ([3, 3], [])


def test_scale_zero_is_the_unconditional_branch():
    cond, uncond = pair()
    assert torch.equal(cfg(cond, uncond, 0.0)(Z, STEPS[0]), uncond(Z, STEPS[0]))


def test_only_the_interval_is_guided():
    cond, uncond = pair()
    denoise = cfg(cond, uncond, 7.5, interval=(0.2, 0.7))
    for step in STEPS:
        denoise(Z, step)
    assert cond.calls == [3] * 5  # alone
    assert uncond.calls == [6] * 5  # both, at progress 0.2 to 0.6


def test_the_default_interval_is_the_whole_run():
    cond, uncond = pair()
    denoise = cfg(cond, uncond, 7.5)
    for step in STEPS:
        denoise(Z, step)
    assert (cond.calls, uncond.calls) == ([], [6] * 10)


@pytest.mark.parametrize("interval", [(0.5, 0.2), (-0.1, 1.0), (0.0, 1.1), (float("nan"), 1.0)])
def test_a_wrong_interval_is_explained(interval: tuple[float, float]):
    with pytest.raises(SituError, match=r"interval: .* must rise within 0\.\.1"):
        cfg(*pair(), scale=7.5, interval=interval)
