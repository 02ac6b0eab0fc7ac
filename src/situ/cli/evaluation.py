"""situ evaluate and situ reproduce."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, UseAppendAction, arg

from situ.cli.options import option
from situ.cli.terminal import say
from situ.evaluation.names import USUAL, listed

METRIC_HELP = (
    f"Metrics or groups of them, with commas or repeated; {', '.join(USUAL)} by default, all for every "
    f"one. {listed()}."
)


@dataclass(frozen=True)
class Evaluate:
    """Measure a folder of pictures; writes DIR/evaluation.json. Metrics that cannot run say why, and what
    to fetch: nothing is downloaded."""

    folder: Annotated[Positional[Path], arg(metavar="DIR")]
    """A folder that situ generate wrote."""
    world: Literal["storybook", "coco"] = "storybook"
    """Whose networks look at the pictures."""
    reference: Annotated[Path | None, option("DIR", "none")] = None
    """A COCO-format folder with the real pictures of the same scenes, for FID, KID, CMMD and ap_ratio."""
    metric: Annotated[
        UseAppendAction[tuple[str, ...]],
        arg(metavar="NAME", aliases=("--metrics",), help=METRIC_HELP),
    ] = ()
    against: Annotated[Path | None, option("DIR", "none")] = None
    """Another folder of pictures of the same scenes, for pickscore_wins and pickscore_share."""
    prompts: Annotated[Path | None, option("DIR", "none")] = None
    """The benchmarks' own files, in t2i_compbench and nsr1k: what is of a suite, and what is true."""
    detections: Annotated[Path | None, option("FILE", "none")] = None
    """What another detector found: a COCO instances file of these pictures whose annotations have a score."""
    q_align: Annotated[Path | None, option("FILE", "none")] = None
    """Q-Align's scores of these pictures, as JSON."""
    preset: Annotated[
        Literal["clean", "pytorch_fid", "tf_compat"] | None, option("NAME", "clean")
    ] = None
    """How FID's Inception is fed in the coco world."""
    as_json: Annotated[bool, arg(name="json")] = False
    """Print the result as JSON."""

    def run(self) -> int:
        from situ.app.evaluate import Extra, evaluate, lines

        extra = Extra(self.against, self.prompts, self.q_align, self.detections, self.preset)
        result = evaluate(
            self.folder,
            world=self.world,
            metrics=self.metric,
            reference=self.reference,
            extra=extra,
        )
        say(json.dumps(result) if self.as_json else lines(result))
        return 0 if result["scores"] else 1


@dataclass(frozen=True)
class Reproduce:
    """Draw and measure a table of the papers, with the printed rows beside ours."""

    table: Annotated[Positional[str], arg(metavar="TABLE")]
    """hcma-1, hcma-2, goal-1, goal-2, goal-3, goal-5, goal-6, goal-7, or goal-8 for planners."""
    world: Literal["storybook", "coco"] = "storybook"
    """Where the pictures are of."""
    size: Literal["smoke", "standard", "full"] = "smoke"
    """How much is drawn: minutes, hours or a day of two CPU cores."""
    model: Annotated[str | None, option("NAME|FOLDER|HUB_ID", "storybook, in its world")] = None
    """The model that draws."""
    models: Annotated[Path | None, option("DIR")] = None
    """A folder of tuned models, each by the name that its row asks for, such as storybook-goal-maa."""
    aligner: Annotated[Path | None, option("FILE", "the model's")] = None
    """HCMA's network for the model's latents and texts."""
    only: Annotated[UseAppendAction[tuple[str, ...]], arg(metavar="ROW|METHOD")] = ()
    """A row to fill by its title, or all of a method; may be repeated. All that can be by default."""
    against: Annotated[str | None, option("ROW", "the table's")] = None
    """The row that others are compared with on the same scenes, by its title."""
    steps: Annotated[int | None, option("N", "that of the size")] = None
    """Steps of every row."""
    solver: Annotated[str | None, option("NAME", "that of the size")] = None
    """Solver of every row."""
    guidance: Annotated[float | None, option("FLOAT", "the model's own")] = None
    """Strength of the captions in every row."""
    gate: Annotated[tuple[float, float, float] | None, option("OPEN CLOSING SHUT", "1 0 0")] = None
    """Parts of every run in which GLIGEN's layers are open, closing and shut; GLIGEN's own are 0.3 0 0.7."""
    things: Annotated[int | None, option("N", "2, or 3 of complex")] = None
    """Things of every storybook scene of GOAL's tables, at least: the more, the harder; at most 6."""
    coco: Annotated[Path | None, option("DIR")] = None
    """COCO 2014's pictures and annotations, for HCMA's tables with --world coco."""
    reference: Literal["paired", "full"] = "paired"
    """What FID compares with: the real pictures of the same scenes, or all of COCO's set."""
    prompts: Annotated[Path | None, option("DIR")] = None
    """The prompts of T2I-CompBench or NSR-1K, for GOAL's tables with --world coco."""
    layouts: Annotated[Path | None, option("FILE.jsonl", "by situ plan")] = None
    """Scenes with the prompts as captions, whose boxes to take."""
    device: Annotated[str, arg(metavar="cpu|cuda|cuda:1|mps|auto")] = "cpu"
    """Where to compute."""
    out: Annotated[Path | None, option("DIR", "runs/TABLE-WORLD-SIZE")] = None
    """Where pictures and tables go; the same folder goes on where it stopped."""

    def run(self) -> int:
        from situ.app.materials import Sources
        from situ.app.report import markdown
        from situ.app.reproduce import reproduce
        from situ.app.reproduce_plans import NAME, plans_markdown, reproduce_plans

        if self.table == NAME:
            say(plans_markdown(reproduce_plans(self.out or Path("runs") / NAME, self.prompts)))
            return 0
        out = self.out or Path("runs") / f"{self.table}-{self.world}-{self.size}"
        result = reproduce(
            self.table,
            out=out,
            size=self.size,
            world=self.world,
            model=self.model,
            models=self.models,
            aligner=self.aligner,
            sources=Sources(self.coco, self.reference, self.prompts, self.layouts),
            only=self.only,
            against=self.against,
            sampling=self._sampling(),
            device=self.device,
        )
        say(markdown(result))
        say(f"with pictures: {out / 'table.html'}")
        return 0

    def _sampling(self) -> dict[str, Any]:
        names = ("steps", "solver", "guidance", "gate", "things")
        given = {name: getattr(self, name) for name in names}
        return {name: value for name, value in given.items() if value is not None}
