"""How a picture came about: which object formed when, as the aligner saw it, in words and as a strip.

The fit of a box is 1 - Omega (HCMA, eq. 7): the cosine of what the aligner sees in it and its phrase. A
picture is drawn again from its record while the aligner watches, so those of every method can be explained;
or the trace is read that HCMA left in it, which needs no network and shows no previews.

An object has formed when its fit stays at FORMED or above: what the aligner sees, not the truth. By the
storybook's judge (kind, colour and texture right; 400 boxes each, DPM-Solver++, 15 steps):
of GLIGEN's boxes that formed 0.67 were right, of the others 0.36 (balanced accuracy 0.65, the best threshold
0.66). Of HCMA's 0.62 and 0.55, which is chance (0.51): it raises these very fits, whatever is drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from situ.app.pipeline import Pipeline
from situ.app.repeat import again
from situ.app.settings import sampling_of
from situ.app.sheet import read_png
from situ.app.trace import Recorder, Trace, Value, read_trace
from situ.diffusion.guide import chain
from situ.files.atomic import write_png
from situ.files.curves import INK, Curve, box_colour, curves
from situ.files.draw import PAPER, with_boxes
from situ.files.record import Record
from situ.methods.plan import Request
from situ.methods.verifier import finished, watching
from situ.scene import SituError

FORMED = 0.7
RAISED = "hcma raised these fits itself, so they say little of what is right: look at the picture"
PREVIEWS = 5
WIDE, HIGH, GAP, LINE = (
    192,
    384,
    8,
    20,
)  # pixels: a preview, the picture, between them, a line of text


@dataclass(frozen=True)
class Story:
    """The run of one picture. Fits are by step, from the first noise to the finished picture, where seen."""

    path: Path
    record: Record
    boxes: tuple[tuple[Value, ...], ...]
    caption: tuple[Value, ...]
    least: float
    same: bool | None = None  # whether drawing again gave the same pixels
    previews: dict[int, Image.Image] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        return int(self.record.sampling["steps"])

    @property
    def formed(self) -> tuple[int | None, ...]:
        """For every box the number of steps after which its fit stays at `least` or above."""
        return tuple(formed(row, self.least) for row in self.boxes)


def formed(fits: Sequence[Value], least: float) -> int | None:
    """The first place from which all values are `least` or more, or None. Gaps say nothing."""
    since = None
    for k, value in enumerate(fits):
        if value is not None and value < least:
            since = None
        elif value is not None and since is None:
            since = k
    return since


def watch_again(pipe: Pipeline, path: Path, record: Record, least: float = FORMED) -> Story:
    """Draw the picture again while the aligner looks at every step. Raises SituError if it cannot be."""
    renewed = again(pipe, path, record, {}).record
    request = Request((record.scene,), (record.seed,), sampling_of(renewed.sampling))
    watch = watching(pipe.backbone, request.scenes)
    run = pipe.run(request, record.method)
    run.plans = [replace(plan, guide=chain(watch, plan.guide)) for plan in run.plans]
    seen, wanted, previews = Recorder(watch.name), _spread(len(run.plans[0].steps)), {}
    for frame in run:
        seen.add(frame.report)
        if frame.step.i in wanted:
            previews[frame.step.i] = pipe.pictures(frame.z0)[0]
    watch(run.z, finished(run.plans[0].steps[-1]))
    seen.add(watch.report)
    trace = seen.trace(0, len(record.scene.layout))
    assert trace is not None
    same = bool(np.array_equal(np.asarray(pipe.pictures(run.z)[0]), np.asarray(read_png(path))))
    return replace(_story(path, record, trace, least), same=same, previews=previews)


def read_story(path: Path, record: Record, least: float = FORMED) -> Story:
    """What the picture itself tells. Raises SituError if it tells nothing."""
    trace = read_trace(path, len(record.scene.layout))
    if trace is None:
        raise SituError(
            f"{path}: the method {record.method!r} left no trace in it; leave out --recorded to draw it again"
        )
    return _story(path, record, trace, least)


def _story(path: Path, record: Record, trace: Trace, least: float) -> Story:
    boxes = tuple(_fits(row) for row in trace.boxes)
    return Story(path, record, boxes, _fits(trace.rows.get("global", ())), least)


def words(story: Story) -> list[str]:
    """One sentence for every object, and one for the caption."""
    phrases = story.record.scene.layout.phrases
    rows = zip(phrases, story.boxes, story.formed, strict=True)
    lines = [
        f"{_named(phrases, k)} {_fate(fits, since, story.steps)}"
        for k, (_, fits, since) in enumerate(rows)
    ]
    last = _last(story.caption)
    lines += [f"the caption's fit ended at {last:.2f}"] if last is not None else []
    return [*lines, RAISED] if story.record.method == "hcma" else lines


def strip(story: Story) -> Image.Image:
    """The picture with its boxes and a chart of their fits, under previews if there are any."""
    layout = story.record.scene.layout
    picture = with_boxes(read_png(story.path), layout)
    picture.thumbnail((2 * HIGH, HIGH))
    width = PREVIEWS * (WIDE + GAP) - GAP
    chart = _chart(story, (max(HIGH, width - picture.width - GAP), picture.height))
    rows = [_row([picture, chart])]
    if story.previews:
        shown = [_preview(image, story, k) for k, image in story.previews.items()]
        rows.insert(0, _row(shown))
    return _column(rows)


def write_strip(story: Story, target: Path) -> None:
    write_png(target, strip(story))


def _spread(steps: int) -> set[int]:
    """Steps to show: early ones are closer together, since that is where things form."""
    shares = ((k + 1) / PREVIEWS for k in range(PREVIEWS))
    return {max(0, round(share**1.5 * steps) - 1) for share in shares}


def _fits(omegas: Sequence[Value]) -> tuple[Value, ...]:
    return tuple(None if value is None else 1 - value for value in omegas)


def _last(values: Sequence[Value]) -> Value:
    return next((value for value in reversed(values) if value is not None), None)


def _named(phrases: Sequence[str], index: int) -> str:
    twins = [k for k, phrase in enumerate(phrases) if phrase == phrases[index]]
    which = f" (box {index + 1})" if len(twins) > 1 else ""
    return f"the {phrases[index]}{which}"


def _fate(fits: Sequence[Value], since: int | None, steps: int) -> str:
    last = _last(fits)
    if last is None:
        return "was not looked at"
    if since is None:
        return f"never formed: its fit ended at {last:.2f}"
    return f"formed by step {since} of {steps}: its fit ended at {last:.2f}"


def _chart(story: Story, size: tuple[int, int]) -> Image.Image:
    lines = [
        Curve(fits, box_colour(k), since)
        for k, (fits, since) in enumerate(zip(story.boxes, story.formed, strict=True))
    ]
    return curves(lines, story.least, "fit of each box (1 - Omega) by step", size)


def _preview(image: Image.Image, story: Story, step: int) -> Image.Image:
    """The clean picture as seen at a step, and which step that is."""
    factor = min(WIDE / image.width, WIDE / image.height)
    small = image.resize((round(image.width * factor), round(image.height * factor)))
    paper = Image.new("RGB", (WIDE, small.height + LINE), PAPER)
    paper.paste(small, (0, 0))
    text = f"step {step + 1} of {story.steps}"
    ImageDraw.Draw(paper).text(
        (2, small.height + 3), text, fill=INK, font=ImageFont.load_default(12)
    )
    return paper


def _row(pictures: Sequence[Image.Image]) -> Image.Image:
    width = sum(picture.width for picture in pictures) + GAP * (len(pictures) - 1)
    paper = Image.new("RGB", (width, max(picture.height for picture in pictures)), PAPER)
    left = 0
    for picture in pictures:
        paper.paste(picture, (left, 0))
        left += picture.width + GAP
    return paper


def _column(rows: Sequence[Image.Image]) -> Image.Image:
    height = sum(row.height for row in rows) + GAP * (len(rows) - 1)
    paper = Image.new("RGB", (max(row.width for row in rows), height), PAPER)
    top = 0
    for row in rows:
        paper.paste(row, (0, top))
        top += row.height + GAP
    return paper
