"""The planner that needs no model and no network: grammar, then geometry."""

from dataclasses import dataclass, field

from situ.planners.reader import read
from situ.planners.solve import solve
from situ.planners.symbols import Symbols
from situ.scene import Layout, Scene, SituError


@dataclass(frozen=True, slots=True)
class Planned:
    """A planned scene; what it was read as, and what was not understood or could not hold."""

    scene: Scene
    symbols: Symbols
    unknown: tuple[str, ...] = ()
    warnings: tuple[str, ...] = field(default=())
    planner: str = "rules"

    @property
    def layout(self) -> Layout:
        return self.scene.layout


def plan_by_rules(caption: str, seed: int = 0, width: int = 512, height: int = 512) -> Planned:
    """Plan a caption. Every seed gives a layout of its own, the same on every machine.

    Raises SituError for a caption without a character that is no space.
    """
    if not isinstance(caption, str) or not caption.strip():
        raise SituError("caption: there is nothing to plan; write at least one word")
    symbols = read(caption)
    layout, warnings = solve(symbols, seed)
    scene = Scene(caption, layout, width, height)
    return Planned(scene, symbols, symbols.unknown, (*symbols.warnings, *warnings))
