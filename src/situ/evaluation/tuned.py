"""Weights that a table's rows ask for beside the model's own: GOAL's and those of its ablations.

A row names them as in the storybook. Elsewhere the recipe is another one, and so is the name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

GOAL = "storybook-goal"

Changes = Mapping[str, Mapping[str, Any]]  # [table] of the recipe: key = value


@dataclass(frozen=True)
class Tuned:
    """A model that `situ train` makes from recipes/RECIPE.toml with `changes`; `never` says why it cannot."""

    name: str
    recipe: str
    changes: Changes = field(default_factory=dict)
    never: str | None = None

    def told(self, out: str) -> str:
        """How to make it, in one line. `out`: the folder of models."""
        lines = "; ".join(
            f"in [{table}] "
            + ", ".join(f"{key} = {value!r}".replace("'", '"') for key, value in some.items())
            for table, some in self.changes.items()
        )
        train = f"situ train recipes/{self.recipe}.toml --out {out}/{self.name}"
        if not lines:
            return train
        return f"{train}, the recipe copied and changed {lines}"


# What an ablation changes of the recipe (Tables 5 to 7 of GOAL).
VARIANTS: dict[str, Changes] = {
    "": {},
    "tuned": {"objective": {"alpha": 0.0, "beta": 0.0}},
    "maa": {"objective": {"alpha": 0.0}},
    "dsa": {"objective": {"beta": 0.0}},
    "local": {"semantic": {"global_weight": 0.0}},
    "global": {"semantic": {"local_weight": 0.0}},
    "mid4": {"attention": {"place": "mid", "size": 4}},
    "mid8": {"attention": {"place": "mid", "size": 8}},
    "up64": {"attention": {"place": "up", "size": 64}},
    "up32": {"attention": {"place": "up", "size": 32}},
}
RECIPES = {"storybook": GOAL, "coco": "goal-sd14"}
ELSEWHERE = {"coco": {"mid4": "mid8"}}  # the middle block of Stable Diffusion is larger
NEVER = {
    ("storybook", variant): "the storybook's U-Net has cross-attention at 8x8 and 4x4 only"
    for variant in ("up64", "up32")
}


def tuned(model: str, world: str) -> Tuned:
    """The weights that a row calls `model`, in a world: "storybook-goal-maa" is goal-sd14-maa for COCO."""
    variant = model.removeprefix(GOAL).removeprefix("-")
    variant = ELSEWHERE.get(world, {}).get(variant, variant)
    recipe = RECIPES[world]
    name = f"{recipe}-{variant}" if variant else recipe
    return Tuned(name, recipe, VARIANTS[variant], NEVER.get((world, variant)))
