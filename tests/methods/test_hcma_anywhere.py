"""One aligner for every denoiser of the same latents: the shipped one, untouched, and what it refuses."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_backbone import random_backbone

import situ
from situ.app.pipeline import Pipeline
from situ.conditioning.text import TextEncoder, Texts
from situ.diffusion.energy import Descent, through
from situ.diffusion.sampler import Frame
from situ.methods import METHODS
from situ.methods.gligen import gligen
from situ.methods.hcma import Hcma, alignment, hcma
from situ.methods.options import Value
from situ.methods.plan import Request, Sampling
from situ.models.aligner import Aligner, AlignerConfig, Spaces, load_aligner, save_aligner
from situ.models.backbone import Backbone
from situ.scene import Box, Layout, Object, Scene, SituError

OFF = {"align_global": False, "align_local": False}
LAYOUT = Layout((Object("red fish", Box(0.1, 0.2, 0.7, 0.8)),))


@pytest.fixture(scope="module")
def shipped() -> Pipeline:
    return situ.load("storybook")


def last(backbone: Backbone, method: str, side: int, **options: Value) -> Frame:
    scene = Scene("a red fish in a meadow", LAYOUT, side, side)
    sampling = Sampling(
        steps=3,
        guidance=3.0,
        options={"align_stride": 1, "align_between": (-20.0, 20.0), **options},
    )
    *_, frame = METHODS[method](backbone, Request((scene,), (4,), sampling)).run()
    return frame


def test_the_shipped_aligner_guides_the_grounded_network_and_the_base(shipped: Pipeline) -> None:
    """Both come to fit better, each from what it draws without."""
    backbone = shipped.backbone
    scene = Scene("a red fish in a meadow", LAYOUT, 128, 128)
    guide = alignment(backbone, [scene], Hcma(align_stride=1, align_between=(-20.0, 20.0)))
    assert isinstance(guide, Descent)
    step = backbone.schedule.steps(50)[-1]
    for method, grounding in (("gligen", True), ("base", False)):
        off, on = (
            last(backbone, "hcma", 128, grounding=grounding, **options) for options in (OFF, {})
        )
        assert torch.equal(off.z, last(backbone, method, 128).z)
        before, after = (
            guide.energy(through(None, guide.energy, frame.z0, step), step)[0]
            for frame in (off, on)
        )
        assert after < before
        assert not on.report["align/stopped"].any()


def test_a_network_without_gated_layers_takes_boxes_through_the_aligner_alone(
    tmp_path: Path,
) -> None:
    backbone = random_backbone(gated=False)
    path = tmp_path / "aligner.safetensors"
    torch.manual_seed(0)
    save_aligner(path, Aligner(AlignerConfig(4, 2, 32, 1, 2, 32)), Spaces.of(backbone))
    backbone = replace(backbone, aligner=path)
    with pytest.raises(SituError, match="tiny has no gated layers.*--set grounding=false"):
        last(backbone, "hcma", 64)
    off = last(backbone, "hcma", 64, grounding=False, **OFF)
    assert torch.equal(off.z, last(backbone, "base", 64).z)
    assert not torch.equal(last(backbone, "hcma", 64, grounding=False).z, off.z)


def test_other_latents_and_other_texts_are_refused(shipped: Pipeline, tmp_path: Path) -> None:
    with pytest.raises(SituError, match="belongs to another autoencoder than that of tiny"):
        last(replace(random_backbone(), aligner=shipped.backbone.aligner), "hcma", 64)
    assert shipped.backbone.aligner
    aligner, spaces = load_aligner(shipped.backbone.aligner)
    save_aligner(tmp_path / "a.safetensors", aligner, replace(spaces, text=-spaces.text))
    with pytest.raises(SituError, match="another text encoder than that of storybook"):
        last(replace(shipped.backbone, aligner=tmp_path / "a.safetensors"), "hcma", 128)


def test_what_no_step_changes_is_computed_once(
    shipped: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = []
    original = Aligner.shares

    def shares(*given: object) -> torch.Tensor:
        counted.append(given)
        return original(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(Aligner, "shares", shares)
    last(shipped.backbone, "hcma", 128)
    assert len(counted) == 1


def test_the_aligner_reads_no_text_that_the_u_net_has_read(
    shipped: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    original = TextEncoder.encode

    def encode(self: TextEncoder, texts: Sequence[str]) -> Texts:
        read.append(tuple(texts))
        return original(self, texts)

    monkeypatch.setattr(TextEncoder, "encode", encode)
    last(shipped.backbone, "gligen", 128)
    alone = [texts for texts in read if texts]
    read.clear()
    aligned = last(shipped.backbone, "hcma", 128)
    assert [texts for texts in read if texts] == alone
    monkeypatch.setattr(Backbone, "remembering", lambda self: self)
    again = last(shipped.backbone, "hcma", 128)
    assert torch.equal(aligned.z, again.z)
    assert len(read) > 2 * len(alone)


@pytest.mark.parametrize("form", ["raw", "trust", "share"])
def test_a_gradient_that_vanishes_moves_nothing(tmp_path: Path, form: str) -> None:
    """Heads that say the same whatever they see: GLIGEN's picture, and nothing that is not a number."""
    backbone = random_backbone()
    torch.manual_seed(0)
    aligner = Aligner(AlignerConfig(4, 2, 32, 1, 2, 32))
    for head in (aligner.to_caption, aligner.to_phrase):
        torch.nn.init.zeros_(head[-1].weight)  # type: ignore[arg-type]
    save_aligner(tmp_path / "a.safetensors", aligner, Spaces.of(backbone), torch.float32)
    drawn = last(replace(backbone, aligner=tmp_path / "a.safetensors"), "hcma", 64, align_form=form)
    assert torch.equal(drawn.z, last(backbone, "gligen", 64).z)
    assert drawn.report["align/slope"].tolist() == [0]
    assert not drawn.report["align/stopped"].any()


@pytest.mark.parametrize("broken", [torch.nan, torch.inf, 1e30])
def test_a_gradient_that_breaks_half_way_stops_there_and_says_so(
    tmp_path: Path, broken: float
) -> None:
    backbone = random_backbone()
    torch.manual_seed(0)
    path = tmp_path / "a.safetensors"
    save_aligner(path, Aligner(AlignerConfig(4, 2, 32, 1, 2, 32)), Spaces.of(backbone))
    backbone = replace(backbone, aligner=path)
    scene = Scene("a red fish", LAYOUT, 64, 64)
    sampling = Sampling(
        steps=4, guidance=3.0, options={"align_stride": 1, "align_between": (-20.0, 20.0)}
    )
    plan = hcma(backbone, Request((scene,), (4,), sampling))
    guide = plan.guide
    assert isinstance(guide, Descent)
    whole = guide.energy

    class Breaking:
        sites, full = None, False

        def __call__(self, view, step):
            loss, fit = whole(view, step)
            return loss * (broken if step.i >= 2 else 1), fit

    guide.energy = Breaking()
    frames = list(plan.run())
    assert [bool(frame.report["align/stopped"]) for frame in frames] == [False, False, True, True]
    assert [int(frame.report["align/moves"]) for frame in frames] == [1, 1, 0, 0]
    assert all(frame.z.isfinite().all() for frame in frames)
    *_, plain = gligen(backbone, Request((scene,), (4,), Sampling(steps=4, guidance=3.0))).run()
    assert not torch.equal(frames[-1].z, plain.z)
