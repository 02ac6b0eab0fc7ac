"""An exponential moving average of parameters."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class Average:
    """Keeps `decay` of itself each step, less at first: (1 + step) / (10 + step)."""

    def __init__(self, parameters: Mapping[str, nn.Parameter], decay: float) -> None:
        self.decay = decay
        self.values: dict[str, Tensor] = {
            n: p.detach().clone().float() for n, p in parameters.items()
        }

    @torch.no_grad()
    def update(self, parameters: Mapping[str, nn.Parameter], step: int) -> None:
        keep = min(self.decay, (1 + step) / (10 + step))
        for name, value in self.values.items():
            value.lerp_(parameters[name].detach().float(), 1 - keep)
