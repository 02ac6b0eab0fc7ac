"""Descent on toy energies and a toy branch whose gradients are known."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from situ.diffusion import Descent, Record, Schedule, Step, View, rms_of_z, sample
from situ.diffusion.energy import rms, through
from situ.diffusion.schedule import z0_from_eps
from situ.scene.errors import SituError

STEPS = Schedule.scaled_linear().steps(10)


def latents(batch: int = 4, dtype: torch.dtype = torch.float64) -> Tensor:
    noise = torch.Generator().manual_seed(3)
    return torch.randn(batch, 4, 8, 8, generator=noise, dtype=torch.float64).to(dtype)


@dataclass
class Toy:
    """A network of two sites and an end; it counts passes and remembers how deep each one went."""

    weight: Tensor = field(default_factory=lambda: torch.tensor(0.7, requires_grad=True))
    depths: list[str] = field(default_factory=list)

    def __call__(self, z: Tensor, step: Step, record: Record | None = None) -> Tensor:
        weight = self.weight.to(z.dtype)
        maps = {"early": torch.sigmoid(weight * z[:, 0]), "late": torch.sigmoid(z[:, 1] * z[:, 2])}
        if record is not None:
            record.maps = {site: m for site, m in maps.items() if record.wanted(site)}
            if not record.full:
                self.depths.append(list(record.maps)[-1])
                return z.new_empty(0)
        self.depths.append("end")
        return torch.tanh(weight * z) * step.sigma


@dataclass
class Bowl:
    """Squared distance to a target, per sample; met within a distance of 1."""

    target: float = 0.5
    sites: Callable[[str], bool] | None = None
    full: bool = False

    def __call__(self, view: View, step: Step) -> tuple[Tensor, Tensor]:
        loss = (view.z - self.target).square().flatten(1).sum(1)
        return loss, 1 / (1 + loss)


@dataclass
class Seen:
    """An energy on whatever `read` takes from the view, read twice."""

    read: Callable[[View], Tensor]
    sites: Callable[[str], bool] | None = None
    full: bool = False

    def __call__(self, view: View, step: Step) -> tuple[Tensor, Tensor]:
        loss = (self.read(view) * self.read(view)).flatten(1).sum(1)
        return loss, 1 - loss


def late(site: str) -> bool:
    return site == "late"


def slope_of(energy, z: Tensor, step: Step, branch=None) -> Tensor:
    return z - Descent(energy, branch)(z, step)


def test_walks_down_a_bowl_as_computed_by_hand():
    z = latents()
    moved = Descent(Bowl(), size=0.1, iters=5)(z, STEPS[0])
    torch.testing.assert_close(moved, 0.5 + (z - 0.5) * (1 - 2 * 0.1) ** 5)


def test_gradients_through_a_branch_equal_finite_differences():
    energy, step, z = Seen(lambda v: v.z0, full=True), STEPS[4], latents(1)[..., :2, :2]

    def value(z: Tensor) -> float:
        return energy(through(Toy(), energy, z, step), step)[0].sum().item()

    found = slope_of(energy, z, step, Toy())
    for k in range(z.numel()):
        nudge = torch.zeros_like(z)
        nudge.view(-1)[k] = 1e-5
        numeric = (value(z + nudge) - value(z - nudge)) / 2e-5
        assert found.flatten()[k].item() == pytest.approx(numeric, rel=1e-5, abs=1e-6)


@given(size=st.floats(1e-6, 1e-3), seed=st.integers(0, 99))
def test_a_small_step_lowers_the_energy(size: float, seed: int):
    energy = Seen(lambda v: v.maps["late"], sites=late)
    z = torch.randn(2, 4, 4, 4, generator=torch.Generator().manual_seed(seed)).double()
    before = energy(through(Toy(), energy, z, STEPS[0]), STEPS[0])[0]
    moved = Descent(energy, Toy(), size=size)(z, STEPS[0])
    after = energy(through(Toy(), energy, moved, STEPS[0]), STEPS[0])[0]
    assert (after < before).all()


@pytest.mark.parametrize(
    ("energy", "depth"),
    [
        (Bowl(), []),
        (Seen(lambda v: v.maps["late"], sites=late), ["late"]),
        (Seen(lambda v: v.maps["early"], sites=lambda site: site == "early"), ["early"]),
        (Seen(lambda v: v.eps, full=True), ["end"]),
        (Seen(lambda v: v.maps["late"] * v.z0[:, 0], sites=late, full=True), ["end"]),
    ],
)
def test_one_pass_no_deeper_than_needed(energy, depth: list[str]):
    toy = Toy()
    Descent(energy, toy, size=0.01)(latents(), STEPS[0])
    assert toy.depths == depth


def test_a_pass_that_stops_early_gives_the_same_gradient():
    short, deep = (Seen(lambda v: v.maps["late"], sites=late, full=full) for full in (False, True))
    z = latents()
    assert torch.equal(slope_of(short, z, STEPS[0], Toy()), slope_of(deep, z, STEPS[0], Toy()))


def test_z0_is_the_one_step_estimate():
    energy, z = Seen(lambda v: v.z0, full=True), latents()
    view = through(Toy(), energy, z, STEPS[3])
    assert torch.equal(view.z0, z0_from_eps(z, Toy()(z, STEPS[3]), STEPS[3].abar))


def test_samples_that_have_met_it_are_left_alone_bit_for_bit():
    z = latents()
    z[1] = 0.5 + 1e-3 * z[1]
    guide = Descent(Bowl(), size=0.1, iters=50, until=0.5)
    moved = guide(z, STEPS[0])
    assert torch.equal(moved[1], z[1])
    assert (guide.report["descent/fit"] >= 0.5).all()
    assert guide.report["descent/moves"][1] == 0
    assert (guide.report["descent/moves"][[0, 2, 3]] > 5).all()


def test_the_test_is_on_the_fresh_evaluation():
    """Moves exactly until the first latent that passes, and not once more."""
    z = latents(1)
    wanted, moves = z, 0
    while 1 / (1 + (wanted - 0.5).square().sum()) < 0.5:
        wanted, moves = wanted - 0.1 * 2 * (wanted - 0.5), moves + 1
    guide = Descent(Bowl(), size=0.1, iters=50, until=0.5)
    torch.testing.assert_close(guide(z, STEPS[0]), wanted)
    assert guide.report["descent/moves"].tolist() == [moves]


def test_nothing_is_evaluated_once_all_have_met_it():
    toy = Toy()
    energy = Seen(lambda v: v.maps["late"], sites=late)
    Descent(energy, toy, iters=9, until=-1e9)(latents(), STEPS[0])
    assert toy.depths == ["late"]


@pytest.mark.parametrize(("sticky", "passes"), [(True, 1), (False, 5)])
def test_sticky_remembers_for_the_rest_of_the_run(sticky: bool, passes: int):
    toy = Toy()
    energy = Seen(lambda v: v.maps["late"], sites=late)
    guide = Descent(energy, toy, iters=3, until=-1e9, sticky=sticky)
    for run in (1, 2):  # and forgets when the next run begins
        for step in STEPS[:5]:
            guide(latents(), step)
        assert len(toy.depths) == run * passes


def test_sticky_samples_stay_put_while_others_move():
    z = latents()
    z[2] = 0.5
    guide = Descent(Bowl(), size=1e-3, until=0.9, sticky=True)
    guide(z, STEPS[0])
    later = guide(z + 5, STEPS[1])
    assert torch.equal(later[2], z[2] + 5)
    assert not torch.equal(later[0], z[0] + 5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("sticky", [False, True])
def test_a_batch_of_four_is_four_of_one(dtype: torch.dtype, sticky: bool):
    """Also when samples need different numbers of moves."""
    z = latents(dtype=dtype) * torch.tensor([0.1, 1.0, 3.0, 9.0], dtype=dtype).reshape(4, 1, 1, 1)

    def run(z: Tensor) -> Tensor:
        guide = Descent(Bowl(), size=0.05, iters=4, until=0.2, sticky=sticky)
        *_, frame = sample(STEPS, z, lambda z, s: torch.tanh(z), guide)
        return frame.z

    assert torch.equal(run(z), torch.cat([run(row) for row in z.split(1)]))


def test_samples_do_not_see_each_other():
    energy = Seen(lambda v: v.maps["late"] * v.z0[:, 0], sites=late, full=True)
    z, other = latents(), latents()
    other[0] += 1
    first, second = (slope_of(energy, x, STEPS[2], Toy()) for x in (z, other))
    assert torch.equal(first[1:], second[1:])
    assert not torch.equal(first[0], second[0])


@dataclass
class Cliff(Bowl):
    """Not a number where the latent is: the gradient of sqrt at 0."""

    def __call__(self, view: View, step: Step) -> tuple[Tensor, Tensor]:
        loss = (view.z - view.z.detach()[:1]).flatten(1).sum(1).abs().sqrt()
        return loss, 1 - loss


def test_a_gradient_that_is_not_finite_stops_that_sample_only():
    z = latents()
    guide = Descent(Cliff(), size=0.1, iters=3)
    moved = guide(z, STEPS[0])
    assert torch.equal(moved[0], z[0])
    assert moved.isfinite().all()
    assert guide.report["descent/moves"].tolist() == [0, 3, 3, 3]


class Indifferent(Bowl):
    def __call__(self, view: View, step: Step) -> tuple[Tensor, Tensor]:
        return torch.zeros(len(view.z)), torch.ones(len(view.z))


@pytest.mark.parametrize("scale", [rms_of_z, lambda slope, z: slope])
def test_an_energy_without_objects_moves_nothing(scale):
    z = latents() * 10
    assert torch.equal(Descent(Indifferent(), scale=scale)(z, STEPS[0]), z)


def test_a_share_of_the_latent_is_moved():
    guide = Descent(Bowl(), size=0.02, scale=rms_of_z)
    z = latents()
    moved = guide(z, STEPS[0])
    torch.testing.assert_close(rms(moved - z) / rms(z), torch.full((4,), 0.02).double())
    torch.testing.assert_close(guide.report["descent/share"], torch.full((4,), 0.02).double())


def test_settings_may_follow_the_step():
    seen: list[int] = []

    def size(step: Step) -> float:
        seen.append(step.i)
        return 0.1 * (step.i + 1)

    guide = Descent(Bowl(), when=lambda s: s.i < 3, size=size, iters=lambda s: s.i, until=None)
    z = latents()
    assert torch.equal(guide(z, STEPS[0]), z)  # no iterations
    torch.testing.assert_close(guide(z, STEPS[2]), 0.5 + (z - 0.5) * (1 - 0.6) ** 2)
    assert torch.equal(guide(z, STEPS[3]), z)
    assert seen == [0, 2]
    assert guide.report == {}


def test_the_step_of_layout_guidance_in_our_space():
    """Its x = z √(1 + s²) moves by s² dE/dx, s² = (1 - abar)/abar; ours by (1 - abar) dE/dz."""
    z, step = latents(), STEPS[2]
    s2 = (1 - step.abar) / step.abar
    x = (z * (1 + s2) ** 0.5).requires_grad_()
    energy = 30 * (x / (1 + s2) ** 0.5 - 0.5).square().sum()
    theirs = (x - s2 * torch.autograd.grad(energy, x)[0]).detach() / (1 + s2) ** 0.5
    moved = Descent(Bowl(), size=lambda s: 30 * s.sigma**2)(z, step)
    torch.testing.assert_close(moved, theirs, rtol=1e-12, atol=0)


def test_works_without_gradients_outside_and_leaves_none_behind():
    toy = Toy()
    z = latents()
    with torch.no_grad():
        moved = Descent(Seen(lambda v: v.eps, full=True), toy)(z, STEPS[0])
    assert not torch.equal(moved, z)
    assert not moved.requires_grad
    assert toy.weight.grad is None
    assert not z.requires_grad


def test_a_view_of_what_a_training_loop_has():
    """abar per sample, and maps that are already there."""
    z, eps = latents(2), latents(2) + 1
    abar = torch.tensor([0.2, 0.9]).double().reshape(-1, 1, 1, 1)
    view = View(z, abar, lambda: ("maps", eps))
    assert view.maps == "maps"
    torch.testing.assert_close(view.z0[1], z0_from_eps(z[1], eps[1], 0.9), rtol=1e-6, atol=1e-6)


def test_an_energy_that_reads_more_than_it_said_is_told_so():
    reads_maps = Seen(lambda v: v.maps["late"], full=True)
    reads_eps = Seen(lambda v: v.eps, sites=late)
    with pytest.raises(SituError, match="it reads maps, so its `sites` must say which"):
        Descent(reads_maps, Toy())(latents(), STEPS[0])
    with pytest.raises(SituError, match="it reads eps or z0, so its `full` must be True"):
        Descent(reads_eps, Toy())(latents(), STEPS[0])
    with pytest.raises(SituError, match="it reads eps or z0, so its `full` must be True"):
        Descent(Seen(lambda v: v.z0))(latents(), STEPS[0])


def test_an_energy_that_needs_a_branch_gets_one():
    with pytest.raises(SituError, match="align: its energy reads more than z, so it needs a br"):
        Descent(Seen(lambda v: v.eps, full=True), name="align")
