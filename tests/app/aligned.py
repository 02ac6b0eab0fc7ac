"""A tiny pipeline with an aligner of its own, for tests of what looks through one."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from situ.app.pipeline import Pipeline
from situ.models.aligner import Aligner, AlignerConfig, Spaces, save_aligner
from situ.scene import Box, Layout, Object, Scene

SCENE = Scene(
    "a red fish to the left of a blue house",
    Layout(
        (
            Object("red fish", Box(0.05, 0.4, 0.45, 0.8)),
            Object("blue house", Box(0.5, 0.3, 0.95, 0.9)),
        )
    ),
    64,
    64,
)


def save_random_aligner(pipe: Pipeline, path: Path) -> Path:
    torch.manual_seed(0)
    network = Aligner(AlignerConfig(4, 2, 32, 1, 2, 32))
    save_aligner(path, network, Spaces.of(pipe.backbone), torch.float32)
    return path


@pytest.fixture
def aligned(pipe: Pipeline, tmp_path: Path) -> Pipeline:
    path = save_random_aligner(pipe, tmp_path / "aligner.safetensors")
    return Pipeline(replace(pipe.backbone, aligner=path), pipe.guidance)
