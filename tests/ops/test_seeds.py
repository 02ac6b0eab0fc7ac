"""Seeds: an image's noise is its own."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from situ.ops.seeds import SEEDS, draw, generator, latent_noise
from situ.scene.errors import SituError

seeds = st.integers(0, SEEDS - 1)


@given(batch=st.lists(seeds, min_size=1, max_size=5))
def test_a_row_depends_on_its_seed_alone(batch: list[int]):
    noise = latent_noise(batch, (4, 3, 5))
    assert (noise.shape, noise.dtype) == ((len(batch), 4, 3, 5), torch.float32)
    for row, seed in zip(noise, batch, strict=True):
        assert torch.equal(row, latent_noise([seed], (4, 3, 5))[0])


def test_the_global_generator_is_neither_read_nor_moved():
    before = torch.get_rng_state()
    first = latent_noise([1], (8,))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(99)
    assert torch.equal(latent_noise([1], (8,)), first)


def test_streams_differ():
    assert not torch.equal(latent_noise([1], (8,)), latent_noise([1], (8,), stream="ddim"))


def test_thirty_thousand_seeds_never_collide():
    """Among 30,000 hashes of 32 bits there would be a twin in one of ten runs."""
    states = {generator(seed, "latent").initial_seed() % SEEDS for seed in range(30_000)}
    assert len(states) == 30_000


@given(seed=seeds)
def test_no_bit_of_a_seed_is_dropped(seed: int):
    assert generator(seed, "a").initial_seed() < SEEDS  # torch reads 32 bits and no more
    assert generator(seed, "a").initial_seed() != generator(seed ^ 1 << 31, "a").initial_seed()


def test_a_generator_goes_on():
    g = generator(3, "ddim")
    first, second = draw([g], (6,)), draw([g], (6,))
    assert not torch.equal(first, second)


def test_noise_is_standard_normal():
    noise = latent_noise(range(64), (4, 32, 32))
    assert noise.mean().abs() < 0.01
    assert noise.std().item() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_torch_would_cut_is_refused(seed: int):
    with pytest.raises(SituError, match=rf"seed: {seed} must be in 0\.\.4294967295"):
        generator(seed, "latent")
