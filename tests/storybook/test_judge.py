"""The shipped judge on fresh renders, and how it reads a picture."""

from itertools import chain

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from situ.evaluation.evidence import Evidence, InMemory
from situ.evaluation.metrics import METRICS
from situ.evaluation.storybook_world import StorybookWorld
from situ.scene import Box, SituError
from situ.storybook.grammar import scene
from situ.storybook.judge import Judge, as_pixels, load_judge
from situ.storybook.render import render
from situ.storybook.verdict import Finding
from situ.storybook.world import Page, sample_page

FRESH = range(700_000, 700_128)  # seeds that no training or validation set uses


@pytest.fixture(scope="module")
def judge() -> Judge:
    torch.manual_seed(0)
    return load_judge()


@pytest.fixture(scope="module", params=["val", "novel"])
def pages(request: pytest.FixtureRequest) -> list[Page]:
    return [sample_page(seed, request.param) for seed in FRESH]


@pytest.fixture(scope="module")
def pictures(pages: list[Page]) -> NDArray[np.uint8]:
    return np.stack([render(page) for page in pages])


def test_it_names_what_stands_in_given_boxes(
    judge: Judge, pages: list[Page], pictures: NDArray[np.uint8]
) -> None:
    named = judge.name(pictures, [[thing.box for thing in page.things] for page in pages])
    things = chain.from_iterable(page.things for page in pages)
    pairs = list(zip(things, chain.from_iterable(named), strict=True))
    for part in ("kind", "colour", "texture"):
        right = sum(getattr(thing, part) == getattr(found, part) for thing, found in pairs)
        assert right / len(pairs) >= 0.97, part


def test_it_finds_what_is_on_a_page(pages: list[Page], pictures: NDArray[np.uint8]) -> None:
    e = Evidence(InMemory(pictures), tuple(map(scene, pages)), StorybookWorld())
    values = {
        name: METRICS[name].measure(e, None).statistic(np.arange(len(e)))
        for name in ("ap50", "look", "extra")
    }
    assert values["ap50"] >= 0.95
    assert values["look"] >= 0.93
    assert values["extra"] <= 0.02


def test_bytes_fractions_and_larger_pictures_read_alike(judge: Judge) -> None:
    page = sample_page(FRESH[0], "val")
    small = render(page)[None]
    as_bytes, fractions, large = (
        judge.find(pictures, 0.3)[0]
        for pictures in (small, torch.from_numpy(small) / 255, render(page, 256)[None])
    )
    assert _names(as_bytes) == _names(fractions) == _names(large)
    for first, second in zip(as_bytes, fractions, strict=True):
        assert first.score == pytest.approx(second.score, abs=1e-4)


def _names(found: list[Finding]) -> list[tuple[str, str, str]]:
    return sorted((f.kind, f.colour, f.texture) for f in found)


def test_a_picture_is_judged_alike_alone_and_among_others(judge: Judge) -> None:
    pictures = np.stack([render(sample_page(seed, "val")) for seed in FRESH[:3]])
    together, alone = judge.find(pictures)[1], judge.find(pictures[1:2])[0]
    assert _names(together) == _names(alone)


def test_findings_carry_no_gradient(judge: Judge) -> None:
    pictures = torch.rand(1, 128, 128, 3, requires_grad=True)
    judge.find(pictures)
    judge.name(pictures, [[Box(0, 0, 1, 1)]])
    assert pictures.grad is None
    assert not any(parameter.requires_grad for parameter in judge.parameters())


def test_findings_are_sorted_and_never_on_top_of_each_other() -> None:
    torch.manual_seed(0)
    found = Judge().find(torch.rand(2, 128, 128, 3), least=0.0)
    for some in found:
        assert [f.score for f in some] == sorted((f.score for f in some), reverse=True)
        assert all(a.box.iou(b.box) < 0.5 for i, a in enumerate(some) for b in some[:i])


@pytest.mark.parametrize("shape", [(128, 128, 3), (1, 3, 128, 128), (1, 128, 64, 3)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(SituError, match=r"the judge reads \[B, side, side, 3\]"):
        as_pixels(torch.zeros(shape))
