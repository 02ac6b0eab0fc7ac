"""situ data: sets of pictures with annotations."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg

from situ.cli.options import option
from situ.cli.terminal import say, warn
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
    DIR/protocol.json, which names every picture and caption. Or split a set, to train on, with --split."""

    folder: Annotated[Positional[Path], arg(metavar="FOLDER")]
    """The COCO-format folder."""
    out: Annotated[Path, arg(metavar="DIR")]
    """The folder to write."""
    n: Annotated[int, arg(metavar="INT")] = 30_000
    """Pictures to draw, one caption each."""
    seed: Annotated[int, arg(metavar="INT")] = 0
    """The seed of the draw, or of the split."""
    split: Annotated[tuple[str, str] | None, option("FIT HELD_OUT")] = None
    """Draw nothing: split the annotations 80 to 20 by picture into DIR/annotations/instances_FIT.json,
    captions_FIT.json, and the same of HELD_OUT."""
    size: Annotated[int, arg(metavar="PX")] = 512
    """Side of the pictures to generate."""
    instances: Annotated[str | None, option("FILE", "annotations/instances_val2014.json")] = None
    """The boxes, below FOLDER; with --split those of train2014, unless given."""
    captions: Annotated[str | None, option("FILE", "annotations/captions_val2014.json")] = None
    """The captions, below FOLDER; with --split those of train2014, unless given."""
    images: Annotated[str, arg(metavar="NAME")] = "val2014"
    """The folder of pictures, below FOLDER."""

    def run(self) -> int:
        from situ.data.coco import read_coco
        from situ.data.protocol import draw, write_protocol, write_split

        part = "train2014" if self.split else "val2014"
        instances = self.instances or f"annotations/instances_{part}.json"
        captions = self.captions or f"annotations/captions_{part}.json"
        if self.split:
            place = self.out / "annotations"
            files = self.folder / instances, self.folder / captions
            first, second = write_split(*files, place, self.split, self.seed)
            say(f"{first} and {second} pictures: instances and captions of both in {place}")
            return 0
        items = read_coco(self.folder, instances, captions, self.images)
        drawn = draw(items, self.n, self.seed)
        write_protocol(drawn, self.out, self.seed, self.size)
        say(f"{len(drawn)} of {len(items)} pictures drawn into {self.out}")
        return 0


@dataclass(frozen=True)
class Goal2k:
    """Build a data set as GOAL's GOAL2K: prompts, candidates, boxes, checks, people, release.

    Without a recipe everything comes from the storybook, offline. An interrupted run goes on where it
    stopped; DIR/release is a COCO-format folder to train on, with a card.
    """

    out: Annotated[Path, arg(metavar="DIR")]
    """The folder to build in."""
    n: Annotated[int | None, option("INT", "2000, or as DIR was begun")] = None
    """Pictures in the set."""
    seed: Annotated[int | None, option("INT", "0, or as DIR was begun")] = None
    """Another seed makes another set."""
    recipe: Annotated[Path | None, option("FILE.toml", "the storybook, or as DIR was begun")] = None
    """Which back-ends draw, write, box and check; the module situ.goal2k.settings shows one. Keys of
    endpoints come from environment variables only."""
    stage: Annotated[str | None, option("NAME", "all that are not done")] = None
    """Run one stage: objects, templates, captions, natural, pictures, ranking, boxes, checks, release."""
    again: bool = False
    """With --stage: throw away what the stage and all after it made, and make the stage anew."""
    retry: bool = False
    """With --stage: try again what the stage lost, and keep the rest."""
    verify: bool = False
    """Open the page on which people accept, correct and reject; Ctrl-C ends it and writes the release."""
    port: Annotated[int, arg(metavar="INT")] = 0
    """With --verify: the port on 127.0.0.1; 0 takes a free one."""
    reviewer: Annotated[str, arg(metavar="NAME")] = "reviewer"
    """With --verify: who looks. Two people on the same pictures show how far they agree."""
    audit: Annotated[float, arg(metavar="0..1")] = 0.1
    """With --verify: the share of pictures to show of those that passed the checks."""

    def run(self) -> int:
        self._check()
        from situ.app.goal2k import build_all, check_stage, open_build, run_stage

        if self.stage:
            check_stage(self.stage)
        again = self.stage if self.again else None
        try:
            with _Bars() as bars:
                build = open_build(self.out, self.recipe, self.n, self.seed, again, bars.progress)
                if self.retry and not build.retry(self.stage or ""):
                    warn(f"{self.stage} has lost nothing")
                if self.verify:
                    return self._verify(build)
                done = run_stage(build, self.stage) if self.stage else build_all(build)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("stopped; the same command goes on from here") from None
        say(done)
        if self.stage in (None, "release"):
            say(f"{self.out / 'release'}: README.md tells what is in it")
        return 0

    def _check(self) -> None:
        for name in ("again", "retry"):
            if getattr(self, name) and not self.stage:
                raise SituError(f"--{name}: name the stage, as in --stage pictures --{name}")
        if self.again and self.retry:
            raise SituError("--again, --retry: give one of them")
        if self.verify and self.stage:
            raise SituError("--verify, --stage: give one of them")
        if not 0 <= self.port <= 65535:
            raise SituError(f"port: {self.port} must be in 0..65535")
        if not 0 <= self.audit <= 1:
            raise SituError(f"audit: {self.audit} must be in 0..1")
        if not self.reviewer.strip():
            raise SituError("reviewer is empty: say who looks")

    def _verify(self, build: Any) -> int:
        from situ.app.goal2k_verify import verify

        verify(build, self.reviewer.strip(), self.port, self.audit, say)
        say(build.release())
        return 0


class _Bars:
    """A progress bar for each stage that tells how far it is."""

    def __enter__(self) -> "_Bars":
        self.bar: Any = None
        self.stage = ""
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def progress(self, stage: str, done: int, total: int) -> None:
        from tqdm import tqdm

        if stage != self.stage:
            self.__exit__()
            self.bar, self.stage = tqdm(total=total, desc=stage, disable=None), stage
        _advance(self.bar, done)


def _advance(bar: Any, done: int) -> None:
    bar.update(done - bar.n)
