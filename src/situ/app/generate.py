"""Pictures into a folder: planned first, drawn in batches, each written whole with its record inside.

What is to be drawn is known before the first step, so a run that was killed goes on where it stopped:
a picture that exists with exactly the record it would get is kept, and any other file in its place is
an error unless it may be overwritten.

Seeds: image j of scene k (both from 0) has seed + 1000 k + j. So more images of a scene, or more
scenes at the end of the file, leave the others as they are. With a race of N candidates, image j has the
seeds seed + 1000 k + N j and the N - 1 after it to choose from.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from situ.app import manifest
from situ.app.pipeline import Pipeline
from situ.app.preview import Preview
from situ.app.race import KEY as RACE
from situ.app.race import Race, run_race
from situ.app.settings import sampling_of, settings_of, settled
from situ.app.trace import KEY as TRACE
from situ.app.trace import Recorder
from situ.files.atomic import write_png
from situ.files.png import read_texts, text_info
from situ.files.record import Record, read_record
from situ.methods.plan import Request, Sampling
from situ.ops.seeds import SEEDS
from situ.scene import Scene, SituError
from situ.version import VERSION

if TYPE_CHECKING:
    from PIL.Image import Image

SEEDS_PER_SCENE = 1000
SCENES_PER_FOLDER = 1000
GPU_BATCH = 8


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, with what to tell the person who pressed it."""


@dataclass(frozen=True)
class Picture:
    """One picture to be: its file below the folder, its place in the input, and its record.

    With a race, the record has the first seed, and the picture in the file that of the winner.
    """

    file: str
    scene: int
    image: int
    record: Record
    race: Race | None = None

    def entry(self) -> dict[str, Any]:
        """Its line of the manifest."""
        place = {"file": self.file, "scene_index": self.scene, "image_index": self.image}
        return {**place, **self.record.to_json()}

    @property
    def steps(self) -> int:
        """How many steps it takes to draw."""
        own = int(self.record.sampling["steps"])
        return self.race.steps(own) if self.race else own

    def has(self, texts: Mapping[str, str]) -> bool:
        """Whether these are the texts of this very picture."""
        if self.race:
            return self.race.ran(self.record, texts)
        return texts.get("situ") == self.record.dumps()

    def found(self, folder: Path) -> "Picture":
        """With the record of the winner, once it has been drawn."""
        return replace(self, record=read_record(folder / self.file)) if self.race else self


@dataclass(frozen=True)
class Output:
    """Where pictures go and what is written beside them."""

    folder: Path
    batch: int | None = None  # pictures at a time; None: 8 on a GPU, 1 where batches bring nothing
    overwrite: bool = False
    draw: bool = False  # a copy with boxes
    preview: bool = False  # a picture of every step, and a film of them
    quiet: bool = False

    def __post_init__(self) -> None:
        if self.batch is not None and self.batch < 1:
            raise SituError(f"batch: {self.batch} must be at least 1")


@dataclass(frozen=True)
class Summary:
    """How many pictures were drawn, and how many were there already."""

    drawn: int
    kept: int


def plan(
    pipe: Pipeline,
    scenes: Sequence[Scene],
    *,
    method: str,
    sampling: Sampling,
    seed: int = 0,
    images: int = 1,
    many: bool = False,
    race: Race | None = None,
) -> tuple[Picture, ...]:
    """Every picture of the scenes. With `many`, files are DIR/000/000734-0.png; else DIR/0007.png."""
    each = race.candidates if race else 1
    limit = (SEEDS_PER_SCENE if many else SEEDS) // each
    if not 1 <= images <= limit:
        raise SituError(f"n: {images} must be in 1..{limit}")
    last = seed + SEEDS_PER_SCENE * (len(scenes) - 1) + images * each - 1
    if not 0 <= seed <= last < SEEDS:
        raise SituError(f"seed: {seed} gives seeds up to {last}; all must be in 0..{SEEDS - 1}")
    if race:
        race.check(sampling.steps)
    settings = settings_of(settled(sampling, method, pipe.backbone))
    source = pipe.source
    pictures = (
        _picture(k, j, seed + each * j, many, Record(scene, 0, method, settings, source, VERSION))
        for k, scene in enumerate(scenes)
        for j in range(images)
    )
    return tuple(replace(picture, race=race) for picture in pictures)


def generate(pipe: Pipeline, pictures: Sequence[Picture], output: Output) -> Summary:
    """Draw what is missing, write it, and put the manifest in order."""
    _sweep(pictures, output.folder)
    todo = [picture for picture in pictures if not _is_there(picture, output)]
    _check_canvases(pipe, todo)
    steps = sum(picture.steps for picture in todo)
    silent = True if output.quiet else None  # None: only on a terminal
    done = 0
    try:
        with tqdm(total=steps, unit="step", disable=silent, dynamic_ncols=True) as bar:
            for group in groups(todo, output.batch or (1 if pipe.exact else GPU_BATCH)):
                bar.set_description(f"{done + len(pictures) - len(todo)}/{len(pictures)} pictures")
                _draw(pipe, group, output, bar)
                done += len(group)
    except KeyboardInterrupt:
        there = len(pictures) - len(todo) + done
        raise Interrupted(
            f"interrupted; {there} of {len(pictures)} pictures are in {output.folder}, and the same "
            "command goes on from there"
        ) from None
    _draw_boxes_of_kept(pictures, output)
    manifest.rebuild(output.folder, (picture.found(output.folder).entry() for picture in pictures))
    return Summary(done, len(pictures) - done)


def groups(pictures: Sequence[Picture], size: int) -> Iterator[tuple[Picture, ...]]:
    """Pictures that can be drawn together: at most `size`, of one canvas and one set of settings."""
    alike: dict[Any, list[Picture]] = {}
    for picture in pictures:
        record = picture.record
        key = (record.scene.canvas, record.method, repr(record.sampling), picture.race)
        alike.setdefault(key, []).append(picture)
    for group in alike.values():
        for start in range(0, len(group), size):
            yield tuple(group[start : start + size])


def _picture(k: int, j: int, seed: int, many: bool, record: Record) -> Picture:
    own = seed + SEEDS_PER_SCENE * k
    file = f"{k // SCENES_PER_FOLDER:03d}/{k:06d}-{j}.png" if many else f"{own:04d}.png"
    return Picture(file, k, j, replace(record, seed=own))


def _is_there(picture: Picture, output: Output) -> bool:
    path = output.folder / picture.file
    if not path.exists() and not path.is_symlink():
        return False
    try:
        same = picture.has(read_texts(path))
    except SituError:
        same = False
    if not same and not output.overwrite:
        raise SituError(
            f"{path} exists and is not the picture that would be drawn there; give another folder "
            f"than {output.folder} with --out, or --overwrite"
        )
    return same


def _sweep(pictures: Sequence[Picture], folder: Path) -> None:
    """Remove the unfinished files of a run that was killed while it wrote."""
    paths = [folder / picture.file for picture in pictures] + [folder / manifest.NAME]
    own = {(path.parent, path.stem) for path in paths}
    for place in {path.parent for path in paths if path.parent.is_dir()}:
        for file in place.glob(".*.tmp"):
            if (place, file.name.split(".")[1]) in own:
                file.unlink(missing_ok=True)


def _check_canvases(pipe: Pipeline, pictures: Sequence[Picture]) -> None:
    for canvas in {picture.record.scene.canvas for picture in pictures}:
        pipe.backbone.latent_shape(*canvas)


def _draw(pipe: Pipeline, group: Sequence[Picture], output: Output, bar: Any) -> None:
    if group[0].race:
        for picture in group:
            _draw_winner(pipe, picture, output, bar)
        return
    records = [picture.record for picture in group]
    sampling = sampling_of(records[0].sampling)
    request = Request(tuple(r.scene for r in records), tuple(r.seed for r in records), sampling)
    run = pipe.run(request, records[0].method)
    preview = Preview([output.folder / p.file for p in group]) if output.preview else None
    seen = Recorder("align")
    for frame in run:
        seen.add(frame.report)
        if preview:
            preview.add(frame.step, pipe.pictures(frame.z0))
        bar.update(len(group))
    images = pipe.pictures(run.z)
    if preview:
        preview.finish(images)
    for k, (picture, image) in enumerate(zip(group, images, strict=True)):
        _write(picture, image, output, _told(seen, k, picture))


def _draw_winner(pipe: Pipeline, picture: Picture, output: Output, bar: Any) -> None:
    assert picture.race is not None
    won = run_race(pipe, picture.record, picture.race, bar.update)
    best = replace(picture, record=won.record)
    texts = {**_told(won.seen, 0, best), RACE: won.told}
    _write(best, pipe.pictures(won.z)[0], output, texts)


def _told(seen: Recorder, sample: int, picture: Picture) -> dict[str, str]:
    """What was seen on the way, for pictures of methods that look."""
    trace = seen.trace(sample, len(picture.record.scene.layout))
    return {TRACE: trace.dumps()} if trace else {}


def _write(picture: Picture, image: "Image", output: Output, more: Mapping[str, str]) -> None:
    """The picture itself last: where it is, all that belongs to it is."""
    path = output.folder / picture.file
    if output.draw:
        _write_boxes(path, image, picture.record.scene)
    write_png(path, image, text_info({**picture.record.texts(), **more}))
    manifest.append(output.folder, [picture.entry()])


def _write_boxes(path: Path, image: "Image", scene: Scene) -> None:
    from situ.files.draw import with_boxes

    write_png(path.with_suffix(".boxes.png"), with_boxes(image, scene.layout))


def _draw_boxes_of_kept(pictures: Sequence[Picture], output: Output) -> None:
    from PIL import Image

    for picture in pictures:
        path = output.folder / picture.file
        if output.draw and not path.with_suffix(".boxes.png").exists():
            with Image.open(path) as image:
                _write_boxes(path, image, picture.record.scene)
