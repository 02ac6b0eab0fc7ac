"""The schedule against CompVis' and diffusers' numbers, and its conversions against each other."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from diffusers.schedulers.scheduling_pndm import PNDMScheduler
from hypothesis import given
from hypothesis import strategies as st

from situ.diffusion import Schedule, Step, timesteps
from situ.diffusion.schedule import eps_from_v, eps_from_z0, mix, v_from_eps, z0_from_eps
from situ.scene.errors import SituError

SD = Schedule.scaled_linear()
PEER: dict[str, Any] = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def rows(seed: int, batch: int = 3, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    noise = torch.Generator().manual_seed(seed)
    return torch.randn(batch, 4, 8, 8, generator=noise, dtype=torch.float64).to(dtype)


def test_abar_is_that_of_stable_diffusion():
    betas = np.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=np.float64) ** 2
    np.testing.assert_allclose(SD.abar.numpy(), np.cumprod(1 - betas), rtol=1e-13)
    assert SD.abar[0].item() == pytest.approx(0.99915, abs=1e-12)
    assert SD.abar[-1].item() == pytest.approx(0.0046601, abs=1e-7)
    torch.testing.assert_close(
        SD.abar.float(), DDPMScheduler(**PEER).alphas_cumprod, atol=1e-6, rtol=1e-5
    )


def test_fifty_steps_are_those_of_compvis():
    assert timesteps(SD, 50) == list(range(981, 0, -20))


def test_timesteps_equal_diffusers_for_every_count():
    spacing: dict[str, Any] = {"steps_offset": 1, "timestep_spacing": "leading"}
    ddim = DDIMScheduler(**PEER, **spacing)
    pndm: Any = PNDMScheduler(**PEER, **spacing, skip_prk_steps=True)
    for n in range(1, 1000):
        ddim.set_timesteps(n)
        pndm.set_timesteps(n)
        theirs = pndm.timesteps.tolist()
        assert timesteps(SD, n) == ddim.timesteps.tolist()
        assert timesteps(SD, n) == (theirs if n == 1 else theirs[:1] + theirs[2:])


def test_as_many_steps_as_timesteps_stay_in_the_table():
    assert timesteps(SD, 1000) == list(range(999, -1, -1))


def test_steps_join_end_to_end_and_finish_at_the_first_abar():
    for n in (1, 2, 30, 49, 50, 500, 1000):
        steps = SD.steps(n)
        assert [s.i for s in steps] == list(range(n))
        for step, after in pairwise(steps):
            assert (step.t_next, step.abar_next) == (after.t, after.abar)
        assert (steps[-1].t_next, steps[-1].abar_next) == (-1, SD.abar[0].item())
        assert [s.last for s in steps] == [False] * (n - 1) + [True]


def test_a_step_knows_its_noise_and_its_place():
    step = Step(i=10, n=40, t=700, t_next=675, abar=0.36, abar_next=0.4)
    assert (step.sigma, step.progress) == (pytest.approx(0.8), 0.25)
    assert step.ahead == Step(10, 40, 675, 675, 0.4, 0.4)


@given(seed=st.integers(0, 99), abar=st.floats(1e-4, 1 - 1e-4))
def test_conversions_undo_each_other(seed: int, abar: float):
    z0, eps = rows(seed), rows(seed + 1)
    z, v = mix(z0, eps, abar), v_from_eps(z0, eps, abar)
    close: dict[str, Any] = {"atol": 1e-10, "rtol": 1e-10}
    torch.testing.assert_close(z0_from_eps(z, eps, abar), z0, **close)
    torch.testing.assert_close(eps_from_z0(z, z0, abar), eps, **close)
    torch.testing.assert_close(eps_from_v(v, z, abar), eps, **close)
    # (z, v) is (z0, eps) turned: lengths are kept
    torch.testing.assert_close(z**2 + v**2, z0**2 + eps**2, **close)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_what_is_learned_is_read_back(prediction):
    schedule = Schedule.scaled_linear(prediction=prediction)
    z0, eps, t = rows(0), rows(1), torch.tensor([0, 400, 999])
    z = schedule.add_noise(z0, eps, t)
    read = schedule.eps(schedule.target(z0, eps, t), z, t)
    torch.testing.assert_close(read, eps, atol=1e-12, rtol=0)


def test_noising_and_targets_equal_diffusers():
    peer: Any = DDPMScheduler(**PEER)
    peer.alphas_cumprod = SD.abar
    z0, eps, t = rows(0), rows(1), torch.tensor([0, 400, 999])
    schedule = Schedule.scaled_linear(prediction="v_prediction")
    assert torch.equal(schedule.add_noise(z0, eps, t), peer.add_noise(z0, eps, t))
    assert torch.equal(schedule.target(z0, eps, t), peer.get_velocity(z0, eps, t))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_latents_keep_their_dtype(dtype: torch.dtype):
    z0, t = rows(0, dtype=dtype), torch.tensor([1, 2, 3])
    assert SD.add_noise(z0, z0, t).dtype == dtype
    assert z0_from_eps(z0, z0, 0.5).dtype == dtype


def test_one_timestep_serves_a_whole_batch():
    z0, eps = rows(0), rows(1)
    each = SD.add_noise(z0, eps, torch.tensor([321] * 3))
    assert torch.equal(SD.add_noise(z0, eps, 321), each)


def test_snr_is_signal_over_noise():
    t = torch.tensor([0, 500, 999])
    assert torch.equal(SD.snr(t), (SD.abar[t] / (1 - SD.abar[t])).float())
    assert SD.snr(500).shape == ()


@pytest.mark.parametrize("n", [0, -3, 1001])
def test_a_wrong_count_is_explained(n: int):
    with pytest.raises(SituError, match=rf"steps: {n} must be in 1\.\.1000"):
        SD.steps(n)


@pytest.mark.parametrize(
    ("abar", "message"),
    [
        (torch.tensor([0.9, 0.5]), "one row of float64"),
        (torch.tensor([[0.9, 0.5]]).double(), "one row of float64"),
        (torch.tensor([0.5, 0.9]).double(), "must fall with t"),
        (torch.tensor([1.0, 0.9]).double(), "between 0 and 1"),
        (torch.tensor([0.9, float("nan")]).double(), "between 0 and 1"),
    ],
)
def test_a_wrong_schedule_is_refused(abar: torch.Tensor, message: str):
    with pytest.raises(SituError, match=message):
        Schedule(abar)


def test_an_unknown_prediction_is_refused():
    with pytest.raises(SituError, match="'sample' is unknown; allowed: 'epsilon', 'v_prediction'"):
        Schedule(SD.abar, "sample")  # pyright: ignore[reportArgumentType]


def test_an_impossible_step_is_refused():
    with pytest.raises(SituError, match=r"i = 5 must be in 0\.\.4"):
        Step(5, 5, 1, -1, 0.9, 0.99)
    with pytest.raises(SituError, match=r"abar 0\.9 and 1\.0 must be between 0 and 1"):
        Step(0, 5, 1, -1, 0.9, 1.0)
