"""The model that draws a row of a table: the table's own, or one that was tuned for the row."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from situ.app.find import BUILT_IN
from situ.app.load import load
from situ.app.pipeline import Pipeline
from situ.evaluation.tables import Row
from situ.evaluation.tuned import Tuned, tuned
from situ.models.difference import FILE as DIFFERENCE
from situ.scene import SituError

INSIDE = ("", "backbone", "difference")  # where a folder that `situ train` wrote has its model


@dataclass
class Models:
    """`own` draws rows that name no model. Others lie below `folder` or are built in; one is held."""

    own: Pipeline
    own_name: str
    world: str = "storybook"
    folder: Path | None = None
    aligner: Path | None = None
    device: str = "cpu"
    _held: dict[str, Pipeline] = field(default_factory=dict[str, Pipeline])

    def of(self, row: Row) -> Pipeline:
        """Raises SituError that says how to make a model that is not there."""
        if row.model is None:
            return self.own
        wanted = tuned(row.model, self.world)
        if wanted.name not in self._held:
            self._held = {wanted.name: self._loaded(wanted)}
        return self._held[wanted.name]

    def _loaded(self, wanted: Tuned) -> Pipeline:
        pipe = load(self._place(wanted), device=self.device, aligner=self.aligner)
        pipe.backbone = replace(pipe.backbone, name=wanted.name)
        if pipe.backbone.size != self.own.backbone.size:
            raise SituError(
                f"{wanted.name} draws pictures of {pipe.backbone.size} px, {self.own_name} of "
                f"{self.own.backbone.size}: it was not tuned from it"
            )
        return pipe

    def _place(self, wanted: Tuned) -> str:
        if wanted.never:
            raise SituError(f"cannot be made: {wanted.never}")
        for place in _places(self.folder, wanted.name):
            if (place / "model_index.json").is_file() or (place / DIFFERENCE).is_file():
                return str(place)
        if wanted.name in BUILT_IN and self.own_name in BUILT_IN:
            return wanted.name
        raise SituError(f"not made yet: {wanted.told(str(self.folder or 'DIR'))}" + self._hint())

    def _hint(self) -> str:
        return "" if self.folder else ", then add --models DIR"


def _places(folder: Path | None, name: str) -> Iterator[Path]:
    return (folder / name / inside for inside in INSIDE) if folder else iter(())
