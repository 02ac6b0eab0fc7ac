"""The recogniser of the storybook: what Inception is to photographs, a network whose features FID and KID
compare. It was trained apart from everything that draws, and from the judge.

It learned to say what is on a page or in a box cut from one: kinds, colours, textures, the background and
how many things. What it says is thrown away; its 64 features before the last layer are what is used.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from situ.files.weights import read_weights
from situ.storybook.judge import AT_ONCE, STRIDE, Pictures, Residual, as_pixels
from situ.storybook.kinds import KINDS
from situ.storybook.palette import BACKGROUNDS, COLOURS, TEXTURES
from situ.storybook.world import MOST_THINGS

WIDTHS = (64, 96, 128)  # channels at 32, 16 and 8 cells
FEATURES = 64
ANSWERS = {
    "kinds": len(KINDS),
    "colours": len(COLOURS),
    "textures": len(TEXTURES),
    "background": len(BACKGROUNDS),
    "count": MOST_THINGS,
}
SPREAD = (
    3.3  # of a feature over true pages, which is divided out: FID and KID then have handy sizes
)
WEIGHTS = Path(__file__).parent / "weights" / "recogniser.safetensors"


class Recogniser(nn.Module):
    """Three levels of norm-free residual blocks, a mean over the page, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        near, middle, far = WIDTHS
        self.trunk = nn.Sequential(
            nn.PixelUnshuffle(STRIDE),
            nn.Conv2d(3 * STRIDE**2, near, 3, padding=1),
            Residual(near),
            nn.Conv2d(near, middle, 2, 2),
            Residual(middle),
            Residual(middle),
            nn.Conv2d(middle, far, 2, 2),
            Residual(far),
            nn.SiLU(),
        )
        self.features = nn.Linear(far, FEATURES)
        self.answers = nn.Linear(FEATURES, sum(ANSWERS.values()))

    def forward(self, pixels: Tensor) -> Tensor:
        """Pixels [B, 3, 128, 128] in [-1, 1] to features [B, 64]."""
        cells = self.trunk(pixels.contiguous(memory_format=torch.channels_last))  # [B, far, 8, 8]
        return self.features(cells.float().mean((2, 3)))

    def answer(self, features: Tensor) -> dict[str, Tensor]:
        """Features [B, 64] to the logits of every question of ANSWERS."""
        logits = self.answers(functional.silu(features)).split(list(ANSWERS.values()), 1)
        return dict(zip(ANSWERS, logits, strict=True))

    @torch.no_grad()
    def look(self, pictures: Pictures) -> NDArray[np.float32]:
        """Features [N, 64] of pictures [N, H, W, 3]."""
        batches = as_pixels(pictures).split(AT_ONCE)
        return (torch.cat([self(pixels) for pixels in batches]) / SPREAD).numpy()


def load_recogniser() -> Recogniser:
    """The recogniser with the weights of this package."""
    network = Recogniser()
    network.load_state_dict({name: value.float() for name, value in read_weights(WEIGHTS).items()})
    return network.eval().requires_grad_(False)
