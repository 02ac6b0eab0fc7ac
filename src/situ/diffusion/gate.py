"""GLIGEN's scheduled sampling: how far its gated layers are open at each step."""

import math
from collections.abc import Sequence

from situ.scene.errors import SituError

# Parts are decimal fractions, whose sums and products miss integers by rounding only.
ROUNDING = 1e-6


def gate_schedule(n_steps: int, parts: Sequence[float] = (1.0, 0.0, 0.0)) -> list[float]:
    """The gate at each step: open (1) for the first part of the run, closing, then shut (0).

    Scheduled sampling (Li et al. 2023, GLIGEN) with the linear decay of its code's `alpha_type`:
    over m steps (m - 1)/m, ..., 1/m, 0. The first two parts are rounded down to whole steps.
    """
    if len(parts) != 3 or min(parts) < 0 or not abs(sum(parts) - 1) < ROUNDING:
        given = tuple(parts)
        raise SituError(f"gate: {given} must be three parts (open, closing, shut) that add to 1")
    opened, closing = (math.floor(part * n_steps + ROUNDING) for part in parts[:2])
    decay = [1 - k / closing for k in range(1, closing + 1)]
    return [1.0] * opened + decay + [0.0] * (n_steps - opened - closing)
