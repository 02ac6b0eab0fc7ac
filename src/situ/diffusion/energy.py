"""Guides that walk down the gradient of an energy, each sample on its own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeVar, cast

import torch
from torch import Tensor

from situ.diffusion.guidance import Branch, Record
from situ.diffusion.guide import Report, report_of
from situ.diffusion.schedule import Level, Step, z0_from_eps
from situ.scene.errors import SituError

T = TypeVar("T")
PerStep = T | Callable[[Step], T]  # the same at every step, or a function of the step
Seen = tuple[Any, Tensor | None]  # maps and eps, None where not recorded
Look = Callable[[], Seen]


class View:
    """What an energy may look at: z [B, C, h, w], the attention maps, the noise and z0.

    Only z is at hand; the first of the others asks `look` for (maps, eps), once. A guide looks
    through a branch; a training loop that has already run the network hands over what it has.
    """

    def __init__(self, z: Tensor, abar: Level, look: Look) -> None:
        self.z = z
        self._abar = abar
        self._look = look

    @cached_property
    def _seen(self) -> Seen:
        return self._look()

    @property
    def maps(self) -> Any:
        if self._seen[0] is None:
            raise SituError("energy: it reads maps, so its `sites` must say which; they are None")
        return self._seen[0]

    @property
    def eps(self) -> Tensor:
        if self._seen[1] is None:
            raise SituError("energy: it reads eps or z0, so its `full` must be True")
        return self._seen[1]

    @cached_property
    def z0(self) -> Tensor:
        return z0_from_eps(self.z, self.eps, self._abar)


class Energy(Protocol):
    """How far a latent is from what is asked: low is good. It says beforehand what it reads."""

    @property
    def sites(self) -> Callable[[Any], bool] | None:
        """Which attention maps; None for none."""
        ...

    @property
    def full(self) -> bool:
        """Whether it reads eps or z0, so that the pass must run to its end."""
        ...

    def __call__(self, view: View, step: Step, /) -> tuple[Tensor, Tensor]:
        """loss [B], and fit [B] in 0..1: how well the layout is met; 1 - loss if unsure."""
        ...


def through(branch: Branch | None, energy: Energy, z: Tensor, step: Step) -> View:
    """The view of z through a branch: at most one pass, and only as deep as the energy needs."""

    def look() -> Seen:
        if branch is None or not _needs_pass(energy):
            return None, None
        record = Record(energy.sites, energy.full) if energy.sites else None
        eps = branch(z, step, record)
        return record.maps if record else None, eps if energy.full else None

    return View(z, step.abar, look)


def _needs_pass(energy: Energy) -> bool:
    return energy.full or energy.sites is not None


def always(step: Step) -> bool:
    return True


def raw(slope: Tensor, z: Tensor) -> Tensor:
    """The gradient itself."""
    return slope


def rms_of_z(slope: Tensor, z: Tensor) -> Tensor:
    """The gradient brought to the size of the latent, so that a step size is a share of it."""
    smallest = torch.finfo(slope.dtype).tiny
    return slope / _rows(rms(slope).clamp_min(smallest)) * _rows(rms(z))


def rms(x: Tensor) -> Tensor:
    """Root mean square of each sample: [B, C, h, w] -> [B]."""
    return x.square().flatten(1).mean(1).sqrt()


@dataclass(frozen=True)
class Guard:
    """When to give a sample up for the rest of its run, before its latent is one that no network knows.

    A gradient that is not finite; moves of one step that together exceed `move` of the latent; or a
    latent that would reach the root mean square `size` (variance preserving latents stay near 1).
    """

    move: float = 0.5
    size: float = 3.0

    def fears(self, start: Tensor, moved: Tensor) -> Tensor:
        """Latents before and after, [B, C, h, w] -> [B] of bool."""
        near = rms(moved - start) <= self.move * rms(start)
        return ~(near & (rms(moved) <= self.size))


@dataclass(eq=False)
class Watch:
    """A guide that moves nothing and tells, at every step, what an energy that reads z alone says of it."""

    energy: Energy
    name: str = "watch"
    report: Report = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        if _needs_pass(self.energy):
            raise SituError(
                f"{self.name}: its energy reads more than z; only a descent may ask for it"
            )

    def __call__(self, z: Tensor, step: Step) -> Tensor:
        with torch.no_grad():
            self.energy(through(None, self.energy, z, step), step)
        said = report_of(self.energy)
        self.report = {f"{self.name}/{key}": row for key, row in said.items()}
        return z


@dataclass(eq=False)
class Descent:
    """The guide z <- z - size * gradient, until the layout is met; samples never touch each other.

    At steps where `when` holds, up to `iters` times: evaluate the energy, leave alone the samples
    whose fit has reached `until`, move the others. The test is on the fresh evaluation (some
    official codes test the one before, and so move once more). With `sticky`, a sample that has met
    it once is left alone for the rest of the run. A sample whose gradient is not finite stays.
    `cap` bounds each move to a share of the latent (a trust region). With a `guard`, a sample that
    strays is stopped: from then on it is only looked at.
    """

    energy: Energy
    branch: Branch | None = None  # needed only by energies that read maps, eps or z0
    when: Callable[[Step], bool] = always
    size: PerStep[float] = 1.0
    iters: PerStep[int] = 1
    until: PerStep[float | None] = None
    sticky: bool = False
    scale: Callable[[Tensor, Tensor], Tensor] = raw
    cap: PerStep[float | None] = None
    guard: Guard | None = None
    name: str = "descent"
    report: Report = field(init=False, default_factory=dict)
    _met: Tensor = field(init=False, default_factory=lambda: torch.zeros(0), repr=False)  # [B]
    _stopped: Tensor = field(init=False, default_factory=lambda: torch.zeros(0), repr=False)  # [B]
    _i: int = field(init=False, default=-1, repr=False)

    def __post_init__(self) -> None:
        if self.branch is None and _needs_pass(self.energy):
            raise SituError(f"{self.name}: its energy reads more than z, so it needs a branch")

    def __call__(self, z: Tensor, step: Step) -> Tensor:
        self._remember(z, step)
        if not self.when(step) or bool(self._met.all()):
            return z
        start, moves = z, torch.zeros_like(self._met, dtype=torch.long)
        size, required = _at(self.size, step), _at(self.until, step)
        for _ in range(_at(self.iters, step)):
            loss, fit, slope = self._evaluate(z, step)
            if required is not None:
                self._met = self._met | (fit >= required)
            moved = z - self._move(slope, z, size, step)
            if self.guard:
                self._stopped = self._stopped | (~self._met & self.guard.fears(start, moved))
            active = ~self._met & ~self._stopped & slope.isfinite().flatten(1).all(1)
            z = torch.where(_rows(active), moved, z)
            moves += active
            self._tell(loss=loss, fit=fit, moves=moves, share=rms(z - start) / rms(start))
            self._tell(slope=rms(slope), stopped=self._stopped, **report_of(self.energy))
            if not active.any():
                break
        return z

    def _move(self, slope: Tensor, z: Tensor, size: float, step: Step) -> Tensor:
        move, cap = size * self.scale(slope, z), _at(self.cap, step)
        if cap is None:
            return move
        smallest = torch.finfo(move.dtype).tiny
        return move * _rows((cap * rms(z) / rms(move).clamp_min(smallest)).clamp_max(1))

    def _remember(self, z: Tensor, step: Step) -> None:
        new_run = step.i <= self._i or len(self._met) != len(z)
        if new_run or not self.sticky:
            self._met = torch.zeros(len(z), dtype=torch.bool, device=z.device)
        if new_run or len(self._stopped) != len(z):
            self._stopped = torch.zeros_like(self._met)
        self._i = step.i
        self.report = {}

    def _evaluate(self, z: Tensor, step: Step) -> tuple[Tensor, Tensor, Tensor]:
        """loss [B], fit [B], and the gradient of loss at z."""
        with torch.enable_grad():
            z = z.detach().requires_grad_()
            loss, fit = self.energy(through(self.branch, self.energy, z, step), step)
            slope = _gradient(loss, z)
        return loss.detach(), fit.detach(), slope

    def _tell(self, **rows: Tensor) -> None:
        self.report = {**self.report, **{f"{self.name}/{key}": row for key, row in rows.items()}}


def _gradient(loss: Tensor, z: Tensor) -> Tensor:
    """d loss / d z: the sum over the batch gives every sample its own gradient, unscaled."""
    if not loss.requires_grad:  # without objects, say, an energy is constant
        return torch.zeros_like(z)
    return torch.autograd.grad(loss.sum(), z, materialize_grads=True)[0]


def _at(setting: PerStep[T], step: Step) -> T:
    return cast(T, setting(step) if callable(setting) else setting)


def _rows(x: Tensor) -> Tensor:
    """[B] -> [B, 1, 1, 1]"""
    return x.reshape(-1, 1, 1, 1)
