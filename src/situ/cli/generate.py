"""situ generate: from a typed scene, a scene file, thousands of scenes, or a picture drawn before."""

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, UseAppendAction, arg

from situ.app.drafts import (
    Draft,
    check_lengths,
    planned,
    read_many,
    read_one,
    remarks,
    typed,
)
from situ.app.find import BUILT_IN, find
from situ.cli.options import option
from situ.cli.terminal import say, warn
from situ.files.record import Record, read_record
from situ.files.writable import check_writable
from situ.scene import SituError
from situ.scene.errors import at
from situ.scene.linter import Finding
from situ.version import VERSION

if TYPE_CHECKING:
    from situ.app.generate import Output, Picture
    from situ.app.pipeline import Pipeline
    from situ.app.race import Race
    from situ.planners.llm import Endpoint

OBJECT = '"PHRASE: X0 Y0 X1 Y1"'
MAX_REMARKS = 20
FAST_BATCH = 8
METHODS_OWN = arg(help_behavior_hint="(default: the method's)")
SAMPLING = ("steps", "solver", "guidance", "interval", "negative", "gate", "eta")


@dataclass(frozen=True)
class Generate:
    """Draw pictures.

    Give a caption with objects, or --scene, --scenes or --from. Every picture carries its scene, seed and
    settings; `situ show` prints them. The same command goes on where it was interrupted.
    """

    caption: Annotated[Positional[str | None], option("CAPTION", "from a file")] = None
    """What to draw, in words."""
    objects: Annotated[UseAppendAction[tuple[str, ...]], arg(name="object", metavar=OBJECT)] = ()
    """A thing and its box, in fractions of the picture from the upper left corner. Repeatable. Without
    any, the boxes are planned from the caption, as `situ plan` shows."""
    planner: Annotated[str | None, option("rules|placer|llm", "rules")] = None
    """What plans the boxes of a caption that has none; see `situ plan`."""
    llm: Annotated[str | None, option("NAME|local:PATH")] = None
    """The language model of --planner llm: a name that the endpoint knows, or local: and a folder."""
    llm_url: Annotated[str | None, option("URL", "OpenAI's")] = None
    """Where the endpoint of --planner llm is."""
    scene: Annotated[Path | None, option("FILE.json")] = None
    """A scene file."""
    scenes: Annotated[Path | None, option("FILE.jsonl")] = None
    """Many scenes, one to a line. Image j of scene k (from 0) has the seed SEED + 1000 k + j."""
    source: Annotated[Path | None, option("FILE.png", name="from")] = None
    """Repeat a picture that situ drew, with the same weights, bit for bit."""
    out: Annotated[Path | None, option("DIR", "out")] = None
    """The folder for pictures and manifest.jsonl; pictures of many scenes go to folders of 1000 scenes."""
    n: Annotated[int | None, option("INT", "1")] = None
    """Images of each scene, with successive seeds."""
    seed: Annotated[int | None, option("INT", "0")] = None
    """The seed of the first image, 0 to 4294967295."""
    model: Annotated[str | None, option("NAME|FOLDER|HUB_ID", "storybook")] = None
    """A built-in model, a diffusers folder (SD 1.x, 2.x, GLIGEN) or owner/name on the Hugging Face hub."""
    method: Annotated[str | None, option("NAME", "gligen")] = None
    """gligen, hcma, or base for the caption alone."""
    settings: Annotated[
        UseAppendAction[tuple[str, ...]], arg(name="set", metavar="NAME=VALUE")
    ] = ()
    """An option of the method, such as align_size=12 or grounding=false for hcma. Repeatable."""
    aligner: Annotated[Path | None, option("FILE", "the model's")] = None
    """HCMA's network for the model's latents and texts."""
    align_global: Annotated[bool, METHODS_OWN] = False
    """For hcma: align with the caption, as it does unless told not to."""
    no_align_global: Annotated[bool, METHODS_OWN] = False
    """For hcma: leave the caption to the U-Net."""
    align_local: Annotated[bool, METHODS_OWN] = False
    """For hcma: align every box with its phrase, as it does unless told not to."""
    no_align_local: Annotated[bool, METHODS_OWN] = False
    """For hcma: leave the boxes to the U-Net; with --no-align-global, it is gligen."""
    avoid: Annotated[UseAppendAction[tuple[str, ...]], arg(metavar=OBJECT)] = ()
    """What a box must not show, for hcma: "striped red fish: 0.1 0.2 0.5 0.6", or "anything: ..." for
    nothing that the scene names. Repeatable."""
    candidates: Annotated[int | None, option("INT", "1")] = None
    """Start so many seeds for each image; HCMA's aligner chooses among them. Made for gligen: hcma raises
    the scores of all its pictures, right or wrong."""
    keep: Annotated[int | None, option("INT", "2")] = None
    """How many of the candidates are finished; the best of them is the image."""
    at: Annotated[int | None, option("INT", "a third of the steps")] = None
    """After how many steps the others are given up."""
    steps: Annotated[int | None, option("INT", "50")] = None
    """Sampling steps."""
    solver: Annotated[str | None, option("plms|ddim|dpm_solver_pp_2m", "plms")] = None
    """How to step."""
    guidance: Annotated[float | None, option("FLOAT", "the model's own")] = None
    """Scale of classifier-free guidance; 1 is none, and twice as fast."""
    interval: Annotated[tuple[float, float] | None, option("FROM TO", "0 1")] = None
    """The part of the run that is guided."""
    gate: Annotated[tuple[float, float, float] | None, option("OPEN CLOSING SHUT", "1 0 0")] = None
    """Parts of the run in which GLIGEN's layers are open, closing and shut; they add to 1."""
    negative: Annotated[str | None, option("TEXT")] = None
    """What guidance leads away from."""
    eta: Annotated[float | None, option("FLOAT", "0")] = None
    """Fresh noise of the solver ddim, 0 to 1."""
    width: Annotated[int | None, option("PX", "the scene's, else the model's")] = None
    """Width of the canvas."""
    height: Annotated[int | None, option("PX", "the scene's, else the model's")] = None
    """Height of the canvas."""
    dtype: Annotated[str | None, option("float32|bfloat16|float16", "float32")] = None
    """Number type of the networks."""
    device: Annotated[str, arg(metavar="cpu|cuda|cuda:1|mps|auto")] = "cpu"
    """Where to compute."""
    batch: Annotated[int | None, option("INT", "8 on a GPU, else 1")] = None
    """Pictures drawn at a time."""
    fast: bool = False
    """On a CPU, compute a batch at once: sooner done, but a picture then depends on its batch in the last
    bit, so that values of it may differ by one of 255 or a few."""
    draw: bool = False
    """Also write a copy with the boxes drawn on it."""
    preview: bool = False
    """Also write what could be seen at every step, as pictures and as a film."""
    overwrite: bool = False
    """Replace other pictures that are in the way."""
    quiet: bool = False
    """No warnings and no progress bar."""

    def run(self) -> int:
        drafts, record = self._input()
        model = self._model(record)
        check_writable(self._folder())
        find(model)
        from situ.app.generate import generate

        output = self._output()
        pipe = self._pipeline(model, record)
        pictures = [self._again(pipe, record)] if record else self._plan(pipe, drafts)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".* are read")  # said before, with its place
            summary = generate(pipe, pictures, output)
        kept = f"; {summary.kept} were there already" if summary.kept else ""
        say(f"{summary.drawn} of {len(pictures)} pictures drawn into {output.folder}{kept}")
        notes = [draft.note for draft in drafts if draft.note and not self.quiet]
        if notes:
            say(notes[0])
        if record and self.source:
            _compare(self.source, output.folder / pictures[0].file, record, pictures[0].record)
        return 0

    def _input(self) -> tuple[Sequence[Draft], Record | None]:
        """The scenes or the record, read and checked before anything slow is imported."""
        if self.batch is not None and self.batch < 1:
            raise SituError(f"--batch: {self.batch} must be at least 1")
        self._check_race()
        ways = {
            "a caption": self.caption,
            "--scene": self.scene,
            "--scenes": self.scenes,
            "--from": self.source,
        }
        given = [name for name, value in ways.items() if value is not None]
        if len(given) != 1:
            found = f"got {' and '.join(given)}" if given else "got none"
            raise SituError(f"generate: give one of {', '.join(ways)}; {found}")
        for name in ("planner", "llm", "llm_url"):
            if getattr(self, name) is not None and (self.caption is None or self.objects):
                raise SituError(
                    f"--{name.replace('_', '-')}: it plans boxes from a caption; there are some already"
                )
        if self.objects and self.caption is None:
            raise SituError(f"--object: it goes with a caption; {given[0]} has its own objects")
        if self.caption is not None:
            return [self._typed(self.caption)], None
        if self.scenes:
            return read_many(self.scenes), None
        return ([read_one(self.scene)], None) if self.scene else ([], self._record())

    def _check_race(self) -> None:
        if self.candidates is None:
            for name in ("keep", "at"):
                if getattr(self, name) is not None:
                    raise SituError(f"--{name}: it goes with --candidates, which is not given")
        elif self.source or self.preview:
            other = "--from" if self.source else "--preview"
            raise SituError(
                f"--candidates: it does not go with {other}; repeat the winner, a picture of one seed"
            )

    def _typed(self, caption: str) -> Draft:
        draft = typed(caption, self.objects)
        if self.objects or self.method == "base":
            return draft
        from situ.app.plan import storybook_words

        words = storybook_words() if self.model in (None, "storybook") else None
        name = self.planner or "rules"
        return planned(draft, self.seed or 0, words, planner=name, endpoint=self._llm(name))

    def _llm(self, planner: str) -> "Endpoint | None":
        if planner != "llm":
            if self.llm or self.llm_url:
                raise SituError("--llm: it goes with --planner llm")
            return None
        from situ.planners.llm import Endpoint

        if self.llm is None:
            raise SituError("--planner llm: say which model with --llm NAME, or --llm local:FOLDER")
        return Endpoint(self.llm, self.llm_url)

    def _record(self) -> Record:
        for name in ("n", "width", "height"):
            if getattr(self, name) is not None:
                raise SituError(f"--{name}: --from repeats one picture as it is; leave it out")
        assert self.source is not None
        record = read_record(self.source)
        if record.version != VERSION and not self.quiet:
            warn(
                f"{self.source} was drawn by situ {record.version}, this is {VERSION}: "
                "the picture may come out differently"
            )
        return record

    def _folder(self) -> Path:
        beside = self.source.parent / "again" if self.source else Path("out")
        return self.out or beside

    def _output(self) -> "Output":
        from situ.app.generate import Output

        batch = self.batch if self.batch is not None else FAST_BATCH if self.fast else None
        folder = self._folder()
        return Output(folder, batch, self.overwrite, self.draw, self.preview, self.quiet)

    def _model(self, record: Record | None) -> str:
        """The model to load. A picture may come from anywhere, so it never names a folder or a download."""
        name = self.model or (record.model["name"] if record else "storybook")
        if self.model is None and name not in BUILT_IN:
            raise SituError(
                f"{self.source} was drawn by {name!r}; say where that model is with --model"
            )
        return name

    def _pipeline(self, model: str, record: Record | None) -> "Pipeline":
        from situ.app.load import load

        dtype = self.dtype or (record.model["dtype"] if record else "float32")
        pipe = load(model, dtype, self.device, self.aligner)
        pipe.exact = pipe.exact and not self.fast
        return pipe

    def _plan(self, pipe: "Pipeline", drafts: Sequence[Draft]) -> "Sequence[Picture]":
        from situ.app.generate import plan

        text, side = pipe.backbone.text, pipe.backbone.size
        check_lengths(drafts, text.count, text.length)
        scenes = [draft.on(side, self.width, self.height) for draft in drafts]
        for draft, scene in zip(drafts, scenes, strict=True):
            with at(draft.place):
                pipe.backbone.latent_shape(*scene.canvas)
        if not self.quiet:
            cell = pipe.backbone.autoencoder.factor
            found = [
                (draft.place, finding)
                for draft, scene in zip(drafts, scenes, strict=True)
                for finding in remarks(scene, side, cell, text.count)
            ]
            _warn_about(found)
        return plan(
            pipe,
            scenes,
            method=self.method or "gligen",
            sampling=pipe.default_sampling(**self._changes()),
            seed=self.seed or 0,
            images=1 if self.n is None else self.n,
            many=self.scenes is not None,
            race=self._race(),
        )

    def _race(self) -> "Race | None":
        if self.candidates is None:
            return None
        from situ.app.race import race_of
        from situ.methods.plan import Sampling

        steps = Sampling.steps if self.steps is None else self.steps
        return race_of(steps, self.candidates, self.keep, self.at)

    def _again(self, pipe: "Pipeline", record: Record) -> "Picture":
        from situ.app.repeat import again

        assert self.source is not None
        other = {"method": self.method, "seed": self.seed}
        changed = {name: value for name, value in other.items() if value is not None}
        picture = again(pipe, self.source, record, self._changes(), **changed)
        if (self._folder() / picture.file).resolve() == self.source.resolve():
            raise SituError(f"out: {self.source} would be drawn over itself; give another --out")
        return picture

    def _changes(self) -> dict[str, Any]:
        given = {name: getattr(self, name) for name in SAMPLING}
        changes = {name: value for name, value in given.items() if value is not None}
        options = dict(_setting(text) for text in self.settings) | self._modules()
        if self.avoid:
            options["avoid"] = "; ".join(self.avoid)
        return {**changes, "options": options} if options else changes

    def _modules(self) -> dict[str, bool]:
        """HCMA's modules that were switched on or off by a flag."""
        chosen = {}
        for name in ("align_global", "align_local"):
            on, off = getattr(self, name), getattr(self, f"no_{name}")
            flag = name.replace("_", "-")
            if on and off:
                raise SituError(f"--{flag}: --no-{flag} is given, too; give one of them")
            if on or off:
                chosen[name] = on
        return chosen


def _setting(text: str) -> tuple[str, Any]:
    """NAME=VALUE, the value as JSON has it; what is not JSON is a word."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise SituError(f"--set: {text!r} must be NAME=VALUE, such as align_size=12")
    try:
        parsed = json.loads(value)
    except ValueError:
        parsed = value
    return name.strip(), tuple(parsed) if isinstance(parsed, list) else parsed


def _warn_about(found: Sequence[tuple[str, Finding]]) -> None:
    for place, finding in found[:MAX_REMARKS]:
        warn(f"{place}: {finding.message}; {finding.suggestion}")
    if len(found) > MAX_REMARKS:
        warn(f"{len(found) - MAX_REMARKS} more remarks; `situ lint FILE` prints them all")


def _compare(source: Path, drawn: Path, before: Record, now: Record) -> None:
    """Only where nothing that makes the picture was changed."""
    if replace(now, version=before.version).dumps() == before.dumps():
        from situ.app.repeat import compared

        say(f"{drawn} is {compared(source, drawn)}")
