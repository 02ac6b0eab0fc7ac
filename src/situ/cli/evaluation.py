"""situ evaluate and situ reproduce."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, UseAppendAction, arg

from situ.cli.options import option
from situ.cli.terminal import say


@dataclass(frozen=True)
class Evaluate:
    """Measure a folder of pictures; writes DIR/evaluation.json. Metrics that cannot run say why."""

    folder: Annotated[Positional[Path], arg(metavar="DIR")]
    """A folder that situ generate wrote."""
    world: Literal["storybook", "coco"] = "storybook"
    """Whose networks look at the pictures."""
    reference: Annotated[Path | None, option("DIR", "none")] = None
    """A COCO-format folder with the real pictures of the same scenes, for FID and KID."""
    metric: Annotated[UseAppendAction[tuple[str, ...]], arg(metavar="NAME")] = ()
    """A metric to compute; may be repeated. All of them by default."""
    as_json: Annotated[bool, arg(name="json")] = False
    """Print the result as JSON."""

    def run(self) -> int:
        from situ.app.evaluate import evaluate, lines

        result = evaluate(
            self.folder, world=self.world, metrics=self.metric, reference=self.reference
        )
        say(json.dumps(result) if self.as_json else lines(result))
        return 0


@dataclass(frozen=True)
class Reproduce:
    """Draw and measure a table of the papers, with the printed rows beside ours."""

    table: Annotated[Positional[str], arg(metavar="TABLE")]
    """hcma-1, hcma-2, goal-1, goal-2, goal-3, goal-5, goal-6 or goal-7."""
    world: Literal["storybook", "coco"] = "storybook"
    """Where the pictures are of."""
    size: Literal["smoke", "standard", "full"] = "smoke"
    """How much is drawn: minutes, hours or a day of two CPU cores."""
    model: Annotated[str, arg(metavar="NAME|FOLDER")] = "storybook"
    """The model that draws."""
    only: Annotated[UseAppendAction[tuple[str, ...]], arg(metavar="METHOD")] = ()
    """A method whose rows to fill; may be repeated. All that exist by default."""
    out: Annotated[Path | None, option("DIR", "runs/TABLE-SIZE")] = None
    """Where pictures and tables go; the same folder goes on where it stopped."""

    def run(self) -> int:
        from situ.app.report import markdown
        from situ.app.reproduce import reproduce

        out = self.out or Path("runs") / f"{self.table}-{self.size}"
        result = reproduce(
            self.table, world=self.world, size=self.size, out=out, model=self.model, only=self.only
        )
        say(markdown(result))
        say(f"with pictures: {out / 'table.html'}")
        return 0
