"""Fourier features: order, values, precision."""

import math

import pytest
import torch
from diffusers.models.embeddings import get_fourier_embeds_from_boundingbox

from situ.ops.fourier import fourier_features


def test_equals_the_formula_in_gligen_order():
    x = torch.tensor([0.1, 0.25, 0.5, 0.9])
    wanted = [
        wave(100 ** (k / 8) * value)
        for k in range(8)
        for wave in (math.sin, math.cos)
        for value in x.tolist()
    ]
    torch.testing.assert_close(fourier_features(x), torch.tensor(wanted), atol=2e-5, rtol=0)


def test_equals_diffusers_exactly():
    boxes = torch.rand(3, 30, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(fourier_features(boxes), get_fourier_embeds_from_boundingbox(8, boxes))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_is_always_fp32(dtype: torch.dtype):
    x = torch.tensor([[0.25, 0.75]], dtype=dtype)
    assert fourier_features(x).dtype == torch.float32
    torch.testing.assert_close(fourier_features(x), fourier_features(x.float()))


@pytest.mark.parametrize("n", [1, 2, 4])
@pytest.mark.parametrize("frequencies", [1, 8])
def test_shape(n: int, frequencies: int):
    assert fourier_features(torch.zeros(5, 7, n), frequencies).shape == (5, 7, 2 * frequencies * n)


def test_gradient_reaches_the_coordinates():
    x = torch.rand(2, 4, requires_grad=True)
    fourier_features(x).sum().backward()
    assert x.grad is not None
    assert x.grad.abs().min() > 0
