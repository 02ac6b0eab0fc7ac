"""Options of a method: through a pipeline's call, into a picture's record, and back out of it."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from situ.app.generate import Output, generate, plan
from situ.app.pipeline import Pipeline
from situ.app.repeat import again, compared
from situ.app.settings import sampling_of, settings_of, settled
from situ.files.record import read_record
from situ.methods.plan import Sampling
from situ.models.aligner import Aligner, AlignerConfig, Spaces, save_aligner
from situ.scene import Box, Layout, Object, Scene, SituError

SCENE = Scene("a red fish", Layout((Object("red fish", Box(0.1, 0.2, 0.7, 0.8)),)), 64, 64)


@pytest.fixture
def aligned(pipe: Pipeline, tmp_path: Path) -> Pipeline:
    torch.manual_seed(0)
    path = tmp_path / "aligner.safetensors"
    network = Aligner(AlignerConfig(4, 2, 32, 1, 2, 32))
    save_aligner(path, network, Spaces.of(pipe.backbone), torch.float32)
    return Pipeline(replace(pipe.backbone, aligner=path), pipe.guidance)


def test_a_call_takes_them_by_name(aligned: Pipeline) -> None:
    call = {"prompt": "a red fish", "phrases": ["red fish"], "boxes": [[0.1, 0.2, 0.7, 0.8]]}
    call |= {"num_inference_steps": 3, "seed": 1, "output_type": "latent"}
    plain, off, on = (
        aligned(**call, **more).images
        for more in (
            {},
            {"method": "hcma", "align_global": False, "align_local": False},
            {"method": "hcma", "align_size": 0.1},
        )
    )
    assert torch.equal(plain, off)
    assert not torch.equal(plain, on)
    with pytest.raises(SituError, match="align_size: the method 'gligen' has no such option"):
        aligned(**call, align_size=0.1)
    with pytest.raises(TypeError, match="unknown argument 'align_sise': did you mean 'align_size'"):
        aligned(**call, align_sise=0.1)


def test_a_record_holds_all_of_them_and_draws_the_picture_again(
    aligned: Pipeline, tmp_path: Path
) -> None:
    sampling = Sampling(
        steps=3,
        guidance=3.0,
        options={
            "align_size": 0.1,
            "align_local": False,
            "align_stride": 1,
            "align_between": (-20.0, 20.0),
        },
    )
    pictures = plan(aligned, [SCENE], method="hcma", sampling=sampling)
    generate(aligned, pictures, Output(tmp_path / "out", quiet=True))
    record = read_record(tmp_path / "out/0000.png")
    assert record.sampling["align_size"] == 0.1
    assert record.sampling["align_local"] == 0
    assert record.sampling["align_stride"] == 1
    assert len(record.sampling["aligner"]) == 16
    picture = again(aligned, tmp_path / "out/0000.png", record, {})
    assert picture.record.dumps() == record.dumps()
    generate(aligned, [picture], Output(tmp_path / "again", quiet=True))
    said = compared(tmp_path / "out/0000.png", tmp_path / "again" / picture.file)
    assert said.endswith("bit for bit")
    other = again(aligned, tmp_path / "out/0000.png", record, {}, method="gligen")
    assert "align_size" not in other.record.sampling
    changed = again(aligned, tmp_path / "out/0000.png", record, {"align_size": 0.2})
    assert changed.record.sampling["align_size"] == 0.2


def test_a_picture_of_another_aligner_is_not_drawn_with_this_one(aligned: Pipeline) -> None:
    sampling = Sampling(steps=3, options={"aligner": "0123456789abcdef"})
    with pytest.raises(SituError, match="0123456789abcdef is asked for, but that of tiny is"):
        plan(aligned, [SCENE], method="hcma", sampling=sampling)


def test_settings_of_other_methods_are_as_they_were(aligned: Pipeline) -> None:
    sampling = Sampling(steps=3)
    assert settled(sampling, "gligen", aligned.backbone) == sampling
    names = {"steps", "solver", "guidance", "interval", "negative", "gate", "eta"}
    assert set(settings_of(sampling)) == names
    with pytest.raises(SituError, match="unknown setting 'align_sise': did you mean 'align_size'"):
        sampling_of({"align_sise": 1})


def test_a_folder_carries_its_aligner(tiny_folder: Path, aligned: Pipeline, tmp_path: Path) -> None:
    file = aligned.backbone.aligner
    assert Pipeline.from_pretrained(tiny_folder).backbone.aligner is None
    assert Pipeline.from_pretrained(tiny_folder, aligner=file).backbone.aligner == file
    aligned.save_pretrained(tmp_path / "saved")
    kept = tmp_path / "saved/aligner.safetensors"
    assert Pipeline.from_pretrained(tmp_path / "saved").backbone.aligner == kept
    assert file
    assert kept.read_bytes() == file.read_bytes()
