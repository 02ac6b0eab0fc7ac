"""One call from a name to a pipeline."""

from pathlib import Path
from typing import TYPE_CHECKING

from situ.app.pipeline import Pipeline

if TYPE_CHECKING:
    import torch


def load(
    name_or_path: str | Path,
    dtype: "str | torch.dtype" = "float32",
    device: str = "cpu",
    aligner: str | Path | None = None,
) -> Pipeline:
    """The pipeline of a built-in model ("storybook"), a diffusers folder, or a hub id owner/name.

    dtype: float32, bfloat16 or float16. device: cpu, cuda, cuda:1, mps, or auto for the fastest here.
    aligner: the file of HCMA's network, where it is not the one in the model's folder.
    """
    return Pipeline.from_pretrained(name_or_path, dtype, device, aligner)
