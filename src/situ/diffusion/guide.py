"""What moves the latent before the network looks at it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor

from situ.diffusion.schedule import Step


class Guide(Protocol):
    """(z, step) -> z [B, C, h, w], called once per step."""

    def __call__(self, z: Tensor, step: Step, /) -> Tensor: ...


Report = Mapping[str, Tensor]


@runtime_checkable
class Reporting(Protocol):
    """What tells about its latest call: by name, one value or row of values per sample [B, ...]."""

    @property
    def report(self) -> Report: ...


def keep(z: Tensor, step: Step) -> Tensor:
    """No guide: the latent as it is, bit for bit."""
    return z


def report_of(teller: object) -> Report:
    """What a guide, or an energy inside one, has to tell; most have nothing."""
    return teller.report if isinstance(teller, Reporting) else {}


@dataclass(frozen=True)
class Chain:
    guides: tuple[Guide, ...]

    def __call__(self, z: Tensor, step: Step) -> Tensor:
        for guide in self.guides:
            z = guide(z, step)
        return z

    @property
    def report(self) -> Report:
        return {name: row for guide in self.guides for name, row in report_of(guide).items()}


def chain(*guides: Guide) -> Chain:
    """Several guides as one, applied in the order given."""
    return Chain(guides)
