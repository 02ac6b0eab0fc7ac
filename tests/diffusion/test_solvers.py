"""Solvers against diffusers in double precision, and against an exactly known solution."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from diffusers.schedulers import scheduling_ddim, scheduling_dpmsolver_multistep, scheduling_pndm
from torch import Tensor

from situ.diffusion import SOLVERS, Schedule, Step, ddim, dpm_solver_pp_2m, plms, sample
from situ.diffusion.schedule import Prediction
from situ.scene.errors import SituError

# diffusers hands a tensor to numpy in a way that numpy 2 will drop
pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")

Network = Callable[[Tensor, int], Tensor]
COUNTS = [1, 2, 3, 4, 7, 14, 15, 30, 49, 50, 333, 999]  # most do not divide 1000
SD: dict[str, Any] = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
SPACING: dict[str, Any] = {"steps_offset": 1, "timestep_spacing": "leading"}


def network(z: Tensor, t: int) -> Tensor:
    """A smooth nonlinear function of z and t, the same in all precisions."""
    return torch.tanh(1.3 * z + t / 1000) + 0.2 * torch.cos(3 * z - t / 300)


def start(batch: int = 2) -> Tensor:
    noise = torch.Generator().manual_seed(1)
    return torch.randn(batch, 4, 8, 8, generator=noise, dtype=torch.float64)


def ours(solver, n: int, prediction: Prediction = "epsilon", z: Tensor | None = None) -> Tensor:
    schedule = Schedule.scaled_linear(prediction=prediction)

    def denoise(z: Tensor, step: Step) -> Tensor:
        return schedule.eps(network(z, step.t), z, step.t)

    frames = sample(schedule.steps(n), start() if z is None else z, denoise, solver=solver)
    return torch.stack([frame.z for frame in frames])


class Double:
    """torch, except that what a scheduler asks for in float32 it gets in float64."""

    float32 = torch.float64

    def __getattr__(self, name: str):
        return getattr(torch, name)


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch):
    for module in (scheduling_ddim, scheduling_dpmsolver_multistep, scheduling_pndm):
        monkeypatch.setattr(module, "torch", Double())


def run_peer(peer, net: Network = network, **settings) -> Tensor:
    z, states = start(), []
    for t in peer.timesteps:
        z = peer.step(net(z, int(t)), t, z, **settings).prev_sample
        states.append(z)
    return torch.stack(states)


def pndm(n: int, prediction: Prediction = "epsilon"):
    peer = scheduling_pndm.PNDMScheduler(
        **SD, **SPACING, skip_prk_steps=True, set_alpha_to_one=False, prediction_type=prediction
    )
    peer.set_timesteps(n)
    return peer


def dpm(n: int, prediction: Prediction, schedule: Schedule):
    peer = scheduling_dpmsolver_multistep.DPMSolverMultistepScheduler(
        **SD, prediction_type=prediction, final_sigmas_type="sigma_min"
    )
    steps = schedule.steps(n)
    peer.set_timesteps(timesteps=[step.t for step in steps])  # its own spacing is another
    abar = torch.tensor([*(s.abar for s in steps), steps[-1].abar_next], dtype=torch.float64)
    peer.sigmas = ((1 - abar) / abar) ** 0.5
    return peer


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("n", COUNTS)
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_plms_equals_diffusers(n: int, prediction: Prediction):
    schedule = Schedule.scaled_linear(prediction=prediction)
    theirs = run_peer(pndm(n), lambda z, t: schedule.eps(network(z, t), z, t))
    if n > 1:  # its first state is the look-ahead, which for us lies inside the first step
        theirs = theirs[1:]
    torch.testing.assert_close(ours(plms, n, prediction), theirs, atol=1e-11, rtol=0)


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("n", COUNTS)
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_ddim_equals_diffusers(n: int, prediction: Prediction):
    peer = scheduling_ddim.DDIMScheduler(
        **SD, **SPACING, set_alpha_to_one=False, clip_sample=False, prediction_type=prediction
    )
    peer.set_timesteps(n)
    torch.testing.assert_close(ours(ddim, n, prediction), run_peer(peer), atol=1e-11, rtol=0)


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("n", COUNTS)
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_dpm_solver_equals_diffusers(n: int, prediction: Prediction):
    theirs = run_peer(dpm(n, prediction, Schedule.scaled_linear()))
    mine = ours(dpm_solver_pp_2m, n, prediction)
    torch.testing.assert_close(mine, theirs, atol=1e-11, rtol=0)


@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
@pytest.mark.usefixtures("double")
def test_ancestral_ddim_equals_diffusers_given_the_same_noise(eta: float, monkeypatch):
    noise = iter(torch.randn(30, 2, 4, 8, 8, dtype=torch.float64))
    used: list[Tensor] = []

    def draw(generators, shape):
        used.append(next(noise))
        return used[-1]

    monkeypatch.setattr("situ.diffusion.solvers.draw", draw)
    mine = ours(partial(ddim, eta, seeds=(1, 2)), 30)
    peer: Any = scheduling_ddim.DDIMScheduler(
        **SD, **SPACING, set_alpha_to_one=False, clip_sample=False
    )
    peer.set_timesteps(30)
    z = start()
    for k, t in enumerate(peer.timesteps):
        fresh = used[k] if eta else None
        z = peer.step(network(z, int(t)), t, z, eta=eta, variance_noise=fresh).prev_sample
        torch.testing.assert_close(mine[k], z, atol=1e-11, rtol=0)


# --- data drawn from N(mean, variance): the noise and the flow are known in closed form ---------

MEAN, VARIANCE = 0.7, 0.25


def gaussian_eps(z: Tensor, abar: float) -> Tensor:
    signal, noise = math.sqrt(abar), math.sqrt(1 - abar)
    return noise * (z - signal * MEAN) / (abar * VARIANCE + 1 - abar)


def exact(z: Tensor, abar: float, abar_next: float) -> Tensor:
    """The flow keeps the number of standard deviations from the mean."""
    spread, spread_next = (math.sqrt(a * VARIANCE + 1 - a) for a in (abar, abar_next))
    return math.sqrt(abar_next) * MEAN + (z - math.sqrt(abar) * MEAN) * spread_next / spread


def error(solver, steps: tuple[Step, ...]) -> float:
    frames = list(sample(steps, start(1), lambda z, s: gaussian_eps(z, s.abar), solver=solver))
    return (frames[-1].z - exact(start(1), steps[0].abar, steps[-1].abar_next)).abs().max().item()


@pytest.mark.parametrize(("name", "order"), [("plms", 2), ("ddim", 1), ("dpm_solver_pp_2m", 2)])
def test_order_of_convergence(name: str, order: int):
    """SD's schedule cut 50 times finer, less the end, where the root of 1 - abar has no slope."""
    total = 51_200
    fine = Schedule.scaled_linear(0.00085 * 1000 / total, 0.012 * 1000 / total, total + 1)
    fine = Schedule(fine.abar[1024 - 64 :])
    top = (fine.total - 1) // 640 * 640
    coarse, half = (error(SOLVERS[name], fine.path(range(top, 0, -top // n))) for n in (320, 640))
    assert math.log2(coarse / half) == pytest.approx(order, abs=0.2)


def test_order_at_the_usual_50_steps():
    steps = Schedule.scaled_linear().steps(50)
    found = {name: error(solver, steps) for name, solver in SOLVERS.items()}
    assert found["plms"] < 0.01 < found["dpm_solver_pp_2m"] < found["ddim"] < 0.1


@pytest.mark.usefixtures("double")
def test_mixing_noise_is_ten_times_as_exact_as_mixing_velocity():
    """Why our PLMS converts v first, and so differs from diffusers' PNDM on SD 2.1."""
    schedule = Schedule.scaled_linear()
    steps = schedule.steps(50)

    def velocity(z: Tensor, t: int) -> Tensor:
        abar = schedule.abar[t].item()
        eps = gaussian_eps(z, abar)
        return (eps - math.sqrt(1 - abar) * z) / math.sqrt(abar)

    theirs = run_peer(pndm(50, "v_prediction"), velocity)[-1]
    truth = exact(start(), steps[0].abar, steps[-1].abar_next)
    assert (theirs - truth).abs().max() > 9 * error(plms, steps)


def test_plms_evaluates_once_more_than_it_steps():
    seen: list[Step] = []

    def denoise(z: Tensor, step: Step) -> Tensor:
        seen.append(step)
        return network(z, step.t)

    list(sample(Schedule.scaled_linear().steps(50), start(), denoise, solver=plms))
    assert [step.t for step in seen] == [981, 961, *range(961, 0, -20)]
    assert [step.i for step in seen] == [0, 0, *range(1, 50)]  # the gate of step 0, twice


@pytest.mark.parametrize("name", SOLVERS)
def test_a_run_starts_without_memory(name: str):
    first, second = (ours(SOLVERS[name], 7) for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_batch_of_four_is_four_of_one(name: str, dtype: torch.dtype):
    z = start(4).to(dtype)
    alone = [ours(SOLVERS[name], 15, z=row) for row in z.split(1)]
    assert torch.equal(ours(SOLVERS[name], 15, z=z), torch.cat(alone, dim=1))


def test_ancestral_noise_belongs_to_the_seed():
    z = start(3)
    together = ours(partial(ddim, 1.0, seeds=(5, 6, 7)), 5, z=z)
    alone = ours(partial(ddim, 1.0, seeds=(6,)), 5, z=z[1:2])
    assert torch.equal(together[:, 1:2], alone)
    assert not torch.equal(together, ours(partial(ddim, 1.0, seeds=(8, 9, 10)), 5, z=z))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("name", SOLVERS)
def test_keeps_the_dtype(name: str, dtype: torch.dtype):
    assert ours(SOLVERS[name], 4, z=start().to(dtype)).dtype == dtype


@pytest.mark.parametrize("name", SOLVERS)
def test_every_count_of_steps_is_finite(name: str):
    for n in (*range(1, 60), 500, 501, 1000):
        assert ours(SOLVERS[name], n, z=start(1)[..., :2, :2]).isfinite().all()


def test_ancestral_mistakes_are_explained():
    with pytest.raises(SituError, match=r"eta: 2 must be in 0\.\.1"):
        ddim(2)
    with pytest.raises(SituError, match="seeds: 1 for 2 images; eta > 0 needs one per image"):
        ours(partial(ddim, 1.0, seeds=(1,)), 3)
