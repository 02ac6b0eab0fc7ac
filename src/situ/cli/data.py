"""situ data: sets of pictures with annotations."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg

from situ.cli.options import option
from situ.cli.terminal import say
from situ.scene import SituError


@dataclass(frozen=True)
class Storybook:
    """Write pages of the storybook world: pictures, COCO annotations, captions and scenes.

    A page depends on its seed and split alone, and an interrupted run goes on where it stopped.
    """

    out: Annotated[Path, arg(metavar="DIR")]
    """The folder to write."""
    n: Annotated[int, arg(metavar="INT")] = 1000
    """Pages."""
    split: Literal["train", "val", "novel"] = "train"
    """val: pages like those of train; novel: with colours and kinds never together in train."""
    size: Annotated[int, arg(metavar="PX")] = 128
    """Side of the pictures."""
    seed: Annotated[int, arg(metavar="INT")] = 0
    """The seed of the first page."""
    workers: Annotated[int | None, option("INT", "one for each core")] = None
    """Processes that paint."""

    def run(self) -> int:
        for name, lowest in (("n", 1), ("size", 16), ("seed", 0), ("workers", 1)):
            value = getattr(self, name)
            if value is not None and value < lowest:
                raise SituError(f"{name}: {value} must be at least {lowest}")
        self._write()
        say(f"{self.n} pages of {self.split} in {self.out}")
        return 0

    def _write(self) -> None:
        from tqdm import tqdm

        from situ.storybook.book import write_book

        with tqdm(total=self.n, unit="page", disable=None) as bar:
            write_book(
                self.out,
                self.n,
                self.split,
                size=self.size,
                first_seed=self.seed,
                workers=self.workers,
                progress=lambda done: _advance(bar, done),
            )


@dataclass(frozen=True)
class Coco:
    """Draw scenes from a COCO-format set for a measurement, by HCMA's protocol; writes DIR/scenes.jsonl and
    DIR/protocol.json, which names every picture and caption."""

    folder: Annotated[Positional[Path], arg(metavar="FOLDER")]
    """The COCO-format folder."""
    out: Annotated[Path, arg(metavar="DIR")]
    """The folder to write."""
    n: Annotated[int, arg(metavar="INT")] = 30_000
    """Pictures to draw, one caption each."""
    seed: Annotated[int, arg(metavar="INT")] = 0
    """The seed of the draw."""
    size: Annotated[int, arg(metavar="PX")] = 512
    """Side of the pictures to generate."""
    instances: Annotated[str, arg(metavar="FILE")] = "annotations/instances_val2014.json"
    """The boxes, below FOLDER."""
    captions: Annotated[str, arg(metavar="FILE")] = "annotations/captions_val2014.json"
    """The captions, below FOLDER."""
    images: Annotated[str, arg(metavar="NAME")] = "val2014"
    """The folder of pictures, below FOLDER."""

    def run(self) -> int:
        from situ.data.coco import read_coco
        from situ.data.protocol import draw, write_protocol

        items = read_coco(self.folder, self.instances, self.captions, self.images)
        drawn = draw(items, self.n, self.seed)
        write_protocol(drawn, self.out, self.seed, self.size)
        say(f"{len(drawn)} of {len(items)} pictures drawn into {self.out}")
        return 0


def _advance(bar: Any, done: int) -> None:
    bar.update(done - bar.n)
