"""Estimates through noise: one that knows all gives back the pictures, and boxes are never told."""

import torch
from tiny_backbone import random_backbone
from torch import Tensor

from situ.diffusion.schedule import Step, eps_from_z0
from situ.models.backbone import Backbone
from situ.training.estimates import estimates


def latents() -> Tensor:
    return torch.randn(3, 4, 8, 8, generator=torch.Generator().manual_seed(0))


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Knowing(Backbone):
    """Sees through any noise."""

    def branch(self, *_: object) -> object:  # type: ignore[override]
        def denoise(z: Tensor, step: Step) -> Tensor:
            return eps_from_z0(z, latents(), step.abar)

        return denoise


def test_a_network_that_sees_through_all_noise_gives_the_pictures_themselves() -> None:
    made = random_backbone()
    knowing = Knowing(**{name: getattr(made, name) for name in made.__dataclass_fields__})
    wanted = made.decode(latents())
    for seed in range(6):
        assert (estimates(knowing, latents(), rng(seed)) - wanted).abs().max() < 1e-3


def test_estimates_are_pictures_that_depend_on_the_noise_alone() -> None:
    made = random_backbone()
    first, again, other = (estimates(made, latents(), rng(seed)) for seed in (0, 0, 1))
    assert first.shape == (3, 3, 64, 64)
    assert 0 <= float(first.min()) < float(first.max()) <= 1
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_no_gated_layer_runs() -> None:
    made = random_backbone()
    before = estimates(made, latents(), rng())
    for name, parameter in made.unet.named_parameters():
        if ".fuser." in name:
            parameter.data.zero_()
    assert torch.equal(before, estimates(made, latents(), rng()))
