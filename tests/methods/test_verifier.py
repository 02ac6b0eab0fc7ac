"""The aligner that only looks: it changes nothing, and says what HCMA's own report says."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_backbone import random_backbone

from situ.diffusion.energy import Watch
from situ.diffusion.guide import chain
from situ.diffusion.schedule import Step
from situ.methods.gligen import gligen
from situ.methods.hcma import hcma
from situ.methods.plan import Request, Sampling
from situ.methods.verifier import finished, scores, watching
from situ.models.aligner import Aligner, AlignerConfig, Spaces, save_aligner
from situ.models.backbone import Backbone
from situ.scene import Box, Layout, Object, Scene, SituError

TWO = Layout(
    (
        Object("red fish", Box(0.05, 0.4, 0.45, 0.8)),
        Object("blue house", Box(0.5, 0.3, 0.95, 0.9)),
    )
)
SCENE = Scene("a red fish to the left of a blue house", TWO, 64, 64)
BARE = Scene("a red fish", Layout(), 64, 64)


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    made = random_backbone()
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("aligner") / "aligner.safetensors"
    network = Aligner(AlignerConfig(4, 2, 32, 1, 2, 32))
    save_aligner(path, network, Spaces.of(made), torch.float32)
    return replace(made, aligner=path)


def request(*scenes: Scene) -> Request:
    return Request(scenes, tuple(range(len(scenes))), Sampling(steps=3, guidance=3.0))


def a_step(backbone: Backbone) -> Step:
    return backbone.schedule.steps(3)[1]


def test_watching_moves_nothing_and_sees_what_hcma_reports(backbone: Backbone) -> None:
    asked = request(SCENE)
    asked = replace(
        asked,
        sampling=replace(
            asked.sampling, options={"align_stride": 1, "align_between": (-20.0, 20.0)}
        ),
    )
    plan = hcma(backbone, asked)
    watched = replace(plan, guide=chain(watching(backbone, [SCENE]), plan.guide))
    for plain, seen in zip(hcma(backbone, asked).run(), watched.run(), strict=True):
        assert torch.equal(plain.z, seen.z)
        for name in ("global", "local", "boxes"):
            own, looked = plain.report[f"align/{name}"], seen.report[f"watch/{name}"]
            torch.testing.assert_close(looked, own, rtol=1e-5, atol=1e-6, equal_nan=True)


def test_it_watches_any_method(backbone: Backbone) -> None:
    plan = gligen(backbone, request(SCENE))
    watched = replace(plan, guide=chain(watching(backbone, [SCENE]), plan.guide))
    for plain, seen in zip(gligen(backbone, request(SCENE)).run(), watched.run(), strict=True):
        assert torch.equal(plain.z, seen.z)
        assert plain.report == {}
        assert seen.report["watch/boxes"][0, :2].isfinite().all()


def test_a_score_is_minus_the_mean_of_the_boxes(backbone: Backbone) -> None:
    """And of the caption's where there are none; in a batch as alone."""
    z = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    step = a_step(backbone)
    watch = watching(backbone, [SCENE, BARE])
    found = scores(watch, z, step)
    expected = watch.report["watch/boxes"][0, :2].mean(), watch.report["watch/global"][1]
    torch.testing.assert_close(found, -torch.stack(expected))
    alone = scores(watching(backbone, [SCENE]), z[:1], step)
    torch.testing.assert_close(alone, found[:1])


def test_the_end_of_a_run_is_a_level_of_noise_too(backbone: Backbone) -> None:
    last = backbone.schedule.steps(3)[-1]
    assert finished(last).abar == last.abar_next == float(backbone.schedule.abar[0])


def test_an_energy_that_reads_more_than_z_cannot_be_watched(backbone: Backbone) -> None:
    energy = watching(backbone, [SCENE]).energy
    needy = replace(energy, full=True)  # pyright: ignore[reportArgumentType]
    with pytest.raises(SituError, match="its energy reads more than z"):
        Watch(needy)


def test_without_an_aligner_the_error_says_so(backbone: Backbone, tmp_path: Path) -> None:
    with pytest.raises(SituError, match="tiny has none"):
        watching(replace(backbone, aligner=None), [SCENE])
    with pytest.raises(SituError, match="is asked for"):
        watching(backbone, [SCENE], aligner="0123")
