"""Any text-to-image pipeline of diffusers as a function from a prompt and a seed to a picture.

Situ's own pipelines read Stable Diffusion 1 and 2; data sets are drawn by whatever draws best.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from situ.models.chatter import hushed
from situ.scene import SituError

if TYPE_CHECKING:
    from PIL.Image import Image

Paint = Callable[[str, int], "Image"]  # prompt, seed


def load_painter(
    folder: Path, side: int, steps: int, guidance: float, device: str = "cpu"
) -> Paint:
    """A painter of side x side pictures from a local folder. safetensors only, no code of the folder's.

    Raises SituError that says what the folder lacks.
    """
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

    if not (folder / "model_index.json").is_file():
        raise SituError(f"{folder / 'model_index.json'} is missing; give a diffusers folder")
    with hushed():
        try:
            pipe: Any = DiffusionPipeline.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, trust_remote_code=False
            )
        except (OSError, ValueError, ImportError, AttributeError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            raise SituError(f"{folder} cannot be loaded by diffusers: {reason}") from None
    pipe.set_progress_bar_config(disable=True)
    pipe.to(device)

    def paint(prompt: str, seed: int) -> "Image":
        noise = torch.Generator("cpu").manual_seed(seed)  # the same on every device
        with torch.inference_mode(), hushed():
            made = pipe(
                prompt=prompt,
                height=side,
                width=side,
                num_inference_steps=steps,
                guidance_scale=guidance,
                generator=noise,
            )
        return made.images[0]

    return paint
