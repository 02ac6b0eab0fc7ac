"""Attention that can be read, edited and stopped at named sites."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from torch.utils.checkpoint import checkpoint

from situ.scene.errors import SituError

if TYPE_CHECKING:
    from situ.diffusion.schedule import Step

Kind = Literal["self", "cross", "gated"]
Place = Literal["down", "mid", "up"]
Size = tuple[int, int]  # height, width
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Site:
    """One attention layer at one resolution; `name` is its module path in the U-Net."""

    name: str
    kind: Kind
    place: Place
    height: int
    width: int
    heads: int


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """What cross-attention reads: keys and values may come from different token sequences."""

    key: Tensor  # [B, L, D]
    value: Tensor  # [B, L, D]


# (site, q [B, heads, n, d], k [B, heads, m, d], step) -> probabilities [B, heads, n, m], or None to
# leave the site to fused attention. Under activation checkpointing it is called again on the way
# back, so it must give the same answer twice. At gated sites m = cells + grounding tokens.
Attend = Callable[[Site, Tensor, Tensor, "Step | None"], Tensor | None]


class Stop(Exception):  # noqa: N818 (a signal, not an error)
    """The layer just run was the last one needed."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What one forward pass hands to every layer besides the feature map."""

    context: Context
    grounding: Tensor | None = None  # [B, N, D]; None skips the gated layers
    gate: float | Tensor = 1.0  # [B, 1, 1] if a tensor
    attend: Attend | None = None
    step: "Step | None" = None
    stop_after: str | None = None  # name of a site
    plain: bool = False
    checkpointing: bool = False

    def call(self, function: Callable[..., R], *args: object) -> R:
        """Call it; with checkpointing, keep no activations and compute them again going back."""
        if self.checkpointing and torch.is_grad_enabled():
            return cast(R, checkpoint(function, *args, use_reentrant=False))
        return function(*args)


def logits(q: Tensor, k: Tensor) -> Tensor:
    """q k^T / sqrt(d).  q [B, H, n, d], k [B, H, m, d] -> [B, H, n, m]"""
    if q.dtype == torch.float16:  # the logits of SD-2.1 overflow fp16
        q, k = q.float(), k.float()
    return q * q.shape[-1] ** -0.5 @ k.transpose(-1, -2)


def probabilities(q: Tensor, k: Tensor) -> Tensor:
    """softmax of the logits in fp32.  q [B, H, n, d], k [B, H, m, d] -> [B, H, n, m]"""
    return logits(q, k).softmax(dim=-1, dtype=torch.float32)


class Attention(nn.Module):
    """Multi-head attention, without biases on q, k and v."""

    def __init__(self, kind: Kind, dim: int, heads: int, source_dim: int | None = None) -> None:
        super().__init__()
        self.kind: Kind = kind
        self.heads = heads
        self.name = ""  # this and the place are set by the U-Net once it is built
        self.place: Place = "mid"
        self.to_q = nn.Linear(dim, dim, bias=False)
        self.to_k = nn.Linear(source_dim or dim, dim, bias=False)
        self.to_v = nn.Linear(source_dim or dim, dim, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(dim, dim)])

    def site(self, size: Size) -> Site:
        return Site(self.name, self.kind, self.place, *size, self.heads)

    def forward(self, x: Tensor, key: Tensor, value: Tensor, run: Run, size: Size) -> Tensor:
        """x [B, n, C], key and value [B, m, source_dim] -> [B, n, C]"""
        q, k = self._split(self.to_q(x)), self._split(self.to_k(key))
        probs = run.attend(self.site(size), q, k, run.step) if run.attend else None
        if run.stop_after == self.name:
            raise Stop
        v = self._split(self.to_v(value))
        if probs is None and run.plain:
            probs = logits(q, k).softmax(dim=-1)  # sums in fp32 inside, whatever the dtype
        y = scaled_dot_product_attention(q, k, v) if probs is None else probs.to(v.dtype) @ v
        return self.to_out[0](y.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # [B, heads, n, d]


def where(
    kind: Kind | None = None, place: Place | None = None, size: Size | None = None
) -> Callable[[Site], bool]:
    """A test for sites; what is left out matches everything."""

    def matches(site: Site) -> bool:
        return (
            kind in (None, site.kind)
            and place in (None, site.place)
            and size in (None, (site.height, site.width))
        )

    return matches


class Maps(Mapping[Site, Tensor]):
    """The attention probabilities [B, heads, n, m] of one forward pass, by site."""

    def __init__(self) -> None:
        self._at: dict[Site, Tensor] = {}

    def __getitem__(self, site: Site) -> Tensor:
        return self._at[site]

    def __iter__(self) -> Iterator[Site]:
        return iter(self._at)

    def __len__(self) -> int:
        return len(self._at)

    def keep(self, site: Site, probs: Tensor) -> None:
        """The first wins: a second comes from activation checkpointing, on the way back."""
        self._at.setdefault(site, probs)

    def each(
        self, kind: Kind | None = None, place: Place | None = None, size: Size | None = None
    ) -> list[Tensor]:
        """Matching maps, averaged over heads, in the order of execution: [B, h, w, m] each."""
        return [
            probs.mean(1).unflatten(1, (site.height, site.width))
            for site, probs in self._at.items()
            if where(kind, place, size)(site)
        ]

    def mean(
        self, kind: Kind | None = None, place: Place | None = None, size: Size | None = None
    ) -> Tensor:
        """Mean over heads and matching sites, which must be of one size: [B, h, w, m]."""
        found = self.each(kind, place, size)
        shapes = {tuple(m.shape) for m in found}
        if len(shapes) != 1:
            raise SituError(
                f"maps: a mean needs sites of one size, {(kind, place, size)} finds {shapes or 0}; "
                "name the kind and the size of recorded sites, as in mean('cross', size=(16, 16))"
            )
        return torch.stack(found).mean(0)


@dataclass(eq=False)
class Recorder:
    """An Attend that keeps the maps of the wanted sites of ONE forward pass.

    `edit` is another Attend; where it gives probabilities, those are the ones kept and used.
    """

    wanted: Callable[[Site], bool]
    edit: Attend | None = None
    maps: Maps = field(default_factory=Maps)

    def __call__(self, site: Site, q: Tensor, k: Tensor, step: "Step | None") -> Tensor | None:
        probs = self.edit(site, q, k, step) if self.edit else None
        if self.wanted(site):
            probs = probabilities(q, k) if probs is None else probs
            self.maps.keep(site, probs)
        return probs

    def last(self, sites: Sequence[Site]) -> Site | None:
        """The last wanted site, where a pass made only for its maps can stop (`stop_after`)."""
        return next(filter(self.wanted, reversed(sites)), None)
