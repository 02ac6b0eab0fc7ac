"""situ evaluate-plans."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import arg

from situ.cli.options import option
from situ.cli.terminal import say
from situ.scene import SituError

if TYPE_CHECKING:
    from situ.app.evaluate_plans import By


@dataclass(frozen=True)
class EvaluatePlans:
    """Measure the layouts that a planner gives for the sentences of a benchmark; no picture is drawn.

    Layouts are kept in OUT/plans.jsonl as they are made: the same command goes on where it stopped.
    """

    benchmark: Literal["nsr1k", "t2i_compbench", "storybook"] = "nsr1k"
    """Whose sentences and metrics."""
    data: Annotated[Path | None, option("DIR")] = None
    """The benchmark's folder, as published; the storybook needs none."""
    split: Literal["train", "val"] = "val"
    """Which sentences; T2I-CompBench and the storybook have val only."""
    planner: Literal["rules", "placer", "llm"] = "rules"
    """Who plans, as for situ plan."""
    seed: Annotated[int, arg(metavar="INT")] = 0
    """The seed of every layout."""
    model: Annotated[str | None, option("NAME")] = None
    """The language model to ask, with --planner llm; local:FOLDER runs it here."""
    base_url: Annotated[str | None, option("URL", "OpenAI's")] = None
    """Where its endpoint is."""
    timeout: Annotated[float, arg(metavar="SECONDS")] = 60.0
    """How long to wait for an answer of the language model."""
    placer: Annotated[str | None, option("NAME|FOLDER", "storybook")] = None
    """The placer, with --planner placer."""
    out: Annotated[Path | None, option("DIR", "runs/plans-BENCHMARK-SPLIT-PLANNER")] = None
    """Where layouts and the result go."""
    as_json: Annotated[bool, arg(name="json")] = False
    """Print the result as JSON."""

    def run(self) -> int:
        from situ.app.evaluate_plans import evaluate_plans, lines
        from situ.app.plan_benchmarks import benchmark_named

        name = f"plans-{self.benchmark}-{self.split}-{self.planner}"
        benchmark = benchmark_named(self.benchmark, self.data, self.split)
        result = evaluate_plans(benchmark, self._by(), self.out or Path("runs") / name)
        say(json.dumps(result) if self.as_json else lines(result))
        return 0

    def _by(self) -> "By":
        from situ.app.evaluate_plans import By
        from situ.app.placer import Placing
        from situ.planners.llm import Endpoint

        for option_name, planner in (("model", "llm"), ("base_url", "llm"), ("placer", "placer")):
            if getattr(self, option_name) and self.planner != planner:
                raise SituError(
                    f"--{option_name.replace('_', '-')}: it goes with --planner {planner}"
                )
        if self.planner == "llm" and self.model is None:
            raise SituError("--planner llm: say which model with --model NAME")
        asked = Endpoint(self.model, self.base_url, self.timeout) if self.model else None
        placing = Placing(self.placer) if self.placer else None
        return By(self.planner, self.seed, asked, placing)
