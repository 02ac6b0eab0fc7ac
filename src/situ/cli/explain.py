"""situ explain: how a picture came about."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

from situ.app.find import BUILT_IN, find
from situ.cli.options import option
from situ.cli.terminal import say, warn
from situ.files.record import Record, read_record
from situ.files.writable import check_writable
from situ.scene import SituError

if TYPE_CHECKING:
    from situ.app.explain import Story


@dataclass(frozen=True)
class Explain:
    """Tell which object of a picture formed when, and which never did; draw it as a strip.

    The picture is drawn again from its record while HCMA's aligner watches, whatever method drew it.
    """

    file: Annotated[Positional[Path], arg(metavar="FILE.png")]
    """A picture that situ drew."""
    out: Annotated[Path | None, option("OUT.png", "FILE.explained.png")] = None
    """Where the strip goes: the picture on its way, its boxes, and their fits by step."""
    recorded: bool = False
    """Read the trace that HCMA left in the picture: no network is needed, and there are no previews."""
    least: Annotated[float | None, option("FLOAT", "0.7")] = None
    """The fit, -1 to 1, from which an object counts as formed."""
    as_json: Annotated[bool, arg(name="json")] = False
    """Print all fits as one line of JSON instead of sentences."""
    model: Annotated[str | None, option("NAME|FOLDER|HUB_ID", "the picture's, if built in")] = None
    """The model that drew the picture."""
    aligner: Annotated[Path | None, option("FILE", "the model's")] = None
    """HCMA's network for the model's latents and texts."""
    device: Annotated[str, arg(metavar="cpu|cuda|cuda:1|mps|auto")] = "cpu"
    """Where to compute."""

    def run(self) -> int:
        record = read_record(self.file)
        target = self.out or self.file.with_suffix(".explained.png")
        if self.least is not None and not -1 <= self.least <= 1:
            raise SituError(f"--least: {self.least} must be in -1..1, a cosine")
        if target.resolve() == self.file.resolve():
            raise SituError(f"--out: {target} is the picture itself; give another file")
        check_writable(target.parent)
        story = self._story(record)
        from situ.app.explain import words, write_strip

        write_strip(story, target)
        if story.same is False:
            warn(f"{self.file} came out differently when it was drawn again; this is the new run")
        say(_json(story) if self.as_json else "\n".join([*words(story), f"drawn as {target}"]))
        return 0

    def _story(self, record: Record) -> "Story":
        model = self._model(record)
        from situ.app.explain import FORMED, read_story, watch_again

        least = FORMED if self.least is None else self.least
        if self.recorded:
            return read_story(self.file, record, least)
        from situ.app.load import load

        pipe = load(model, record.model["dtype"], self.device, self.aligner)
        return watch_again(pipe, self.file, record, least)

    def _model(self, record: Record) -> str:
        """The model to load. A picture may come from anywhere, so it never names a folder or a download."""
        name = self.model or record.model["name"]
        if self.recorded:
            return name
        if self.model is None and name not in BUILT_IN:
            raise SituError(
                f"{self.file} was drawn by {name!r}; say where that model is with --model"
            )
        find(name)
        return name


def _json(story: "Story") -> str:
    phrases = story.record.scene.layout.phrases
    rows = zip(phrases, story.formed, story.boxes, strict=True)
    objects = [{"phrase": p, "formed": since, "fit": _short(fits)} for p, since, fits in rows]
    return json.dumps(
        {"steps": story.steps, "caption_fit": _short(story.caption), "objects": objects}
    )


def _short(values: tuple[float | None, ...]) -> list[float | None]:
    return [None if value is None else round(value, 4) for value in values]
