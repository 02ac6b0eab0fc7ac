"""Several seeds for one picture: the aligner scores them while they are noise; only the best are finished.

Every candidate is a run of its own, so the winner is bit for bit the picture that its seed gives without a
race: its record is a plain record, and draws it again at the price of one picture. Which seed wins depends on
scene, settings and first seed alone.

What it brings was measured on 18 to 21 pages of the storybook: with gligen the score of a seed tells
better than chance whether it will succeed; with hcma, which raises that very score, it does not.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace

import torch

from situ.app.pipeline import Pipeline
from situ.app.settings import sampling_of
from situ.app.trace import Recorder
from situ.diffusion.energy import Watch
from situ.diffusion.sampler import Frame
from situ.diffusion.schedule import Step
from situ.files.record import Record
from situ.methods.plan import Request
from situ.methods.verifier import finished, scores, watching
from situ.scene import SituError, strict_json

KEY = "situ_race"  # of the text that a picture carries beside its record
KEEP = 2
DIGITS = 4

Tick = Callable[[], object]


@dataclass(frozen=True)
class Race:
    """`candidates` successive seeds start; after `at` steps the best `keep` of them go on to the end."""

    candidates: int
    keep: int
    at: int

    def __post_init__(self) -> None:
        if self.candidates < 2:
            raise SituError(f"candidates: {self.candidates} is too few; a race needs at least 2")
        if not 1 <= self.keep <= self.candidates:
            raise SituError(f"keep: {self.keep} must be in 1..{self.candidates}, the candidates")
        if self.at < 1:
            raise SituError(f"at: {self.at} must be at least 1, a step of the run")

    def check(self, steps: int) -> None:
        if self.at > steps:
            raise SituError(f"at: {self.at} must be in 1..{steps}, the steps of the run")

    def steps(self, steps: int) -> int:
        """How many steps a race takes, where one picture takes `steps`."""
        return self.candidates * self.at + self.keep * (steps - self.at)

    def seeds(self, first: int) -> range:
        return range(first, first + self.candidates)

    def ran(self, record: Record, texts: Mapping[str, str]) -> bool:
        """Whether the texts of a picture tell that it won this race, whose record has the first seed."""
        try:
            told = strict_json.parse(texts.get(KEY, "null"))
        except SituError:
            return False
        asked = {**asdict(self), "seed": record.seed}
        if not isinstance(told, dict) or {name: told.get(name) for name in asked} != asked:
            return False
        own = texts.get("situ")
        return any(own == replace(record, seed=seed).dumps() for seed in self.seeds(record.seed))


def race_of(steps: int, candidates: int, keep: int | None = None, at: int | None = None) -> Race:
    """A race over a run of so many steps; 2 are kept after a third of it, unless told otherwise."""
    kept = min(KEEP, candidates) if keep is None else keep
    race = Race(candidates, kept, -(-steps // 3) if at is None else at)
    race.check(steps)
    return race


@dataclass(frozen=True, eq=False)
class Won:
    """The record, the latents [1, C, h, w] and the reports of the best candidate, and how it was found."""

    record: Record
    z: torch.Tensor
    seen: Recorder
    told: str


class Runner:
    """One candidate on its way; `frame` is how far it has come."""

    frame: Frame

    def __init__(self, pipe: Pipeline, record: Record, watch: Watch) -> None:
        request = Request((record.scene,), (record.seed,), sampling_of(record.sampling))
        self.record, self.seen = record, Recorder("align")
        self.score = 0.0
        self._watch = watch
        self._frames: Iterator[Frame] = iter(pipe.run(request, record.method))

    def run(self, steps: int, tick: Tick) -> None:
        """Go on for so many steps, and score what they led to."""
        for _ in range(steps):
            self.frame = next(self._frames)
            self.seen.add(self.frame.report)
            tick()
        self.score = float(scores(self._watch, self.frame.z, _reached(self.frame.step)))


def run_race(pipe: Pipeline, record: Record, race: Race, tick: Tick) -> Won:
    """The best picture of a race whose first seed is the record's. `tick` is called after every step."""
    steps = int(record.sampling["steps"])
    race.check(steps)
    watch = watching(pipe.backbone, [record.scene])
    runners = [Runner(pipe, replace(record, seed=seed), watch) for seed in race.seeds(record.seed)]
    for runner in runners:
        runner.run(race.at, tick)
    early = [round(runner.score, DIGITS) for runner in runners]
    kept = sorted(runners, key=lambda runner: -runner.score)[
        : race.keep
    ]  # stable: ties to the lower seed
    for runner in kept:
        runner.run(steps - race.at, tick)
    best = max(kept, key=lambda runner: runner.score)
    late = {str(runner.record.seed): round(runner.score, DIGITS) for runner in kept}
    told = {"seed": record.seed, **asdict(race), "early": early, "late": late}
    return Won(best.record, best.frame.z, best.seen, json.dumps(told))


def _reached(step: Step) -> Step:
    """The level of noise after a step."""
    return finished(step) if step.last else step.ahead
