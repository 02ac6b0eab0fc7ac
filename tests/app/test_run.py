"""A picture does not depend on what is drawn beside it, bit for bit."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_backbone import SIDE

from situ.app.pipeline import Pipeline
from situ.scene import Box, Layout, Object, Scene

FEW: dict[str, Any] = {"num_inference_steps": 4}
WORDS = ("red fish", "blue house", "green tree")


def scenes(count: int) -> list[Scene]:
    """Different captions, and layouts of none to three objects."""
    made = []
    for k in range(count):
        box = Box(0.05 * k, 0.1, 0.05 * k + 0.4, 0.6 + 0.03 * k)
        layout = Layout(tuple(Object(word, box) for word in WORDS[: k % 4]))
        made.append(Scene(f"{k} dotted things at night", layout, SIDE, SIDE))
    return made


@pytest.mark.parametrize("solver", ["plms", "dpm_solver_pp_2m"])
@pytest.mark.parametrize("method", ["gligen", "base"])
def test_batch_of_8_equals_8_batches_of_1(pipe: Pipeline, method: str, solver: str) -> None:
    how: dict[str, Any] = {"method": method, "solver": solver, **FEW}
    seeds = list(range(100, 108))
    together = pipe(scenes=scenes(8), seed=seeds, output_type="pt", **how).images
    for scene, seed, picture in zip(scenes(8), seeds, together, strict=True):
        alone = pipe(scene=scene, seed=seed, output_type="pt", **how).images[0]
        assert torch.equal(alone, picture)


def test_order_does_not_matter(pipe: Pipeline) -> None:
    some = list(zip(scenes(5), range(5), strict=True))
    forth = pipe(
        scenes=[s for s, _ in some], seed=[i for _, i in some], output_type="pt", **FEW
    ).images
    some.reverse()
    back = pipe(
        scenes=[s for s, _ in some], seed=[i for _, i in some], output_type="pt", **FEW
    ).images
    assert torch.equal(forth, back.flip(0))


def test_eta_draws_from_each_pictures_own_seed(pipe: Pipeline) -> None:
    how: dict[str, Any] = {"solver": "ddim", "eta": 1.0, "output_type": "latent", **FEW}
    together = pipe(scenes=scenes(3), seed=[1, 2, 3], **how).images
    assert torch.equal(pipe(scene=scenes(3)[1], seed=2, **how).images[0], together[1])


def test_two_runs_are_equal(pipe: Pipeline) -> None:
    first, second = (pipe(scene=scenes(1)[0], seed=1, output_type="pt", **FEW) for _ in range(2))
    assert torch.equal(first.images, second.images)


def test_an_inexact_batch_is_within_one_grey_level(tiny_folder: Path, pipe: Pipeline) -> None:
    fast = Pipeline.from_pretrained(tiny_folder)
    fast.exact = False
    seeds = list(range(8))
    exact = pipe(scenes=scenes(8), seed=seeds, output_type="pt", **FEW).images
    joined = fast(scenes=scenes(8), seed=seeds, output_type="pt", **FEW).images
    assert (exact - joined).abs().max() < 1 / 255


def test_one_and_two_threads_are_within_one_grey_level(pipe: Pipeline) -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = pipe(scene=scenes(4)[3], seed=1, output_type="pt", **FEW).images
        torch.set_num_threads(2)
        two = pipe(scene=scenes(4)[3], seed=1, output_type="pt", **FEW).images
    finally:
        torch.set_num_threads(before)
    assert (one - two).abs().max() < 1 / 255
