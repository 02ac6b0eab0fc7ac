"""situ train."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from situ.cli.options import option
from situ.cli.terminal import say


@dataclass(frozen=True)
class Train:
    """Run a training recipe. The same command goes on from the last checkpoint."""

    recipe: Annotated[Positional[Path], arg(metavar="RECIPE.toml")]
    """The recipe, whose header tells its cost and expected result."""
    out: Annotated[Path | None, option("DIR", "runs/RECIPE")] = None
    """The folder for checkpoints, logs and what is exported."""
    device: Annotated[str, arg(metavar="cpu|cuda|mps")] = "cpu"
    """Where to compute; of torchrun's processes each takes its own GPU for cuda."""
    steps: Annotated[int | None, option("INT", "the recipe's")] = None
    """Stop after so many steps, in place of the recipe's."""

    def run(self) -> int:
        from situ.app.train import run_recipe
        from situ.ops.processes import is_first

        out = self.out or Path("runs") / self.recipe.stem
        run_recipe(self.recipe, out, device=self.device, steps=self.steps)
        if is_first():
            say(f"trained {self.recipe} into {out}")
        return 0
