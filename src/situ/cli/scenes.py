"""situ lint and situ convert: scene files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg

from situ.app.drafts import Draft, read_many, read_one
from situ.cli.options import option
from situ.cli.terminal import say
from situ.scene import SituError
from situ.scene.linter import lint

Format = Literal["situ", "gligen", "diffusers", "ideogram", "coco", "yolo"]


@dataclass(frozen=True)
class Lint:
    """Check scene files. The exit status is 1 if there is a warning, 2 if a file cannot be read."""

    files: Annotated[Positional[tuple[Path, ...]], arg(metavar="FILE.json|FILE.jsonl ...")]
    """Scene files; a .jsonl file has one scene to a line."""
    model: Annotated[str | None, option("NAME|FOLDER|HUB_ID")] = None
    """Also count tokens, as the text encoder of this model does."""
    side: Annotated[int, arg(metavar="PX")] = 512
    """Side of the canvas of scenes that do not name theirs."""
    cell: Annotated[int, arg(metavar="PX")] = 8
    """Side of the area that one latent cell stands for."""

    def run(self) -> int:
        drafts = [draft for path in self.files for draft in _drafts(path)]
        count = _counter(self.model) if self.model else None
        warned = 0
        for draft in drafts:
            for found in lint(draft.on(self.side), count, self.cell):
                say(
                    f"{draft.place}: {found.severity}: {found.message}; {found.suggestion} [{found.code}]"
                )
                warned += found.severity == "warning"
        say(f"{len(drafts)} scenes, {warned} warnings")
        return 1 if warned else 0


@dataclass(frozen=True)
class Convert:
    """Convert scenes from and to the layouts of other programs, with strict checks of units and order."""

    source: Annotated[Positional[Path], arg(metavar="FILE")]
    """What to read: JSON, .jsonl with one scene to a line, COCO's instances, or a YOLO label file."""
    target: Annotated[Positional[Path], arg(metavar="FILE|DIR")]
    """What to write; a folder for coco and yolo."""
    source_format: Annotated[Format, arg(name="from")] = "situ"
    """The format of FILE."""
    target_format: Annotated[Format, arg(name="to")] = "situ"
    """The format to write."""
    width: Annotated[int | None, option("PX")] = None
    """The canvas, where gligen, ideogram and yolo do not tell it."""
    height: Annotated[int | None, option("PX")] = None
    """The canvas, where gligen, ideogram and yolo do not tell it."""
    captions: Annotated[Path | None, option("FILE.json")] = None
    """COCO's captions."""
    caption: Annotated[str | None, option("TEXT")] = None
    """The caption of a YOLO label file."""
    names: Annotated[Path | None, option("FILE.txt")] = None
    """The phrase of each YOLO class, one to a line."""

    def run(self) -> int:
        from situ.app.convert import Beside, read, write

        if (self.width is None) != (self.height is None):
            raise SituError("--width: give --width and --height, or neither")
        canvas = (self.width, self.height) if self.width and self.height else None
        beside = Beside(canvas, self.captions, self.caption, self.names)
        scenes = list(read(self.source, self.source_format, beside))
        files = write(scenes, self.target, self.target_format, beside)
        say(
            f"{len(scenes)} scenes written to {', '.join(map(str, files[:3]))}{', ...' * (len(files) > 3)}"
        )
        return 0


def _drafts(path: Path) -> tuple[Draft, ...]:
    return read_many(path) if path.suffix == ".jsonl" else (read_one(path),)


def _counter(model: str) -> Any:
    from situ.app.find import find, networks
    from situ.models.tokens import counter

    return counter(networks(find(model)))
