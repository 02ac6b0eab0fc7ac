"""Stage 5: candidates for each prompt, by the storybook's renderer, an endpoint or a diffusers pipeline.

A job is one candidate, so that an interrupted run has to pay for at most the pictures in flight.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from situ.files.atomic import write_png
from situ.goal2k import pages
from situ.goal2k.endpoint import Client, FailedError, Outcome, persist
from situ.goal2k.journal import Row, lost, with_failures
from situ.goal2k.prompts import Prompt, digest
from situ.goal2k.settings import STORYBOOK, Pictures
from situ.scene.errors import at

FOLDER = "pictures"


@dataclass(frozen=True, slots=True)
class Order:
    """One candidate of one prompt."""

    prompt: Prompt
    candidate: int

    @property
    def id(self) -> str:
        return f"{self.prompt.id}-{self.candidate}"

    @property
    def seed(self) -> int:
        return digest(self.prompt.id, self.prompt.caption, str(self.candidate)) % 2**31


@dataclass(frozen=True, slots=True)
class Painted:
    """A picture, and the prompt as whoever drew it changed it, or nothing."""

    image: Image.Image
    revised: str = ""


Painter = Callable[[Order], Outcome[Painted]]


def painter(settings: Pictures) -> Painter:
    """The painter of the settings. Raises SituError where it cannot be had."""
    if settings.source == STORYBOOK:
        return _storybook(settings.size)
    if settings.source == "endpoint":
        return _endpoint(settings)
    return _pipeline(settings)


def row(order: Order, paint: Painter, folder: Path) -> Row:
    """Paint a candidate and write it; what came of it."""
    outcome = paint(order)
    if outcome.value is None:
        return {**lost(order.id, *outcome.last, outcome.failures), "prompt": order.prompt.id}
    name = f"{FOLDER}/{order.id}.png"
    image = outcome.value.image.convert("RGB")
    write_png(folder / name, image)
    made: Row = {"id": order.id, "prompt": order.prompt.id, "candidate": order.candidate}
    made |= {"file": name, "width": image.width, "height": image.height, "seed": order.seed}
    if outcome.value.revised:
        made["revised_prompt"] = outcome.value.revised
    return made | with_failures(outcome.failures)


def _storybook(side: int) -> Painter:
    from situ.storybook.render import render

    def paint(order: Order) -> Outcome[Painted]:
        asked = order.prompt
        page = pages.candidate(
            pages.page_of(asked), order.candidate, asked.relations, asked.phrases
        )
        return Outcome(Painted(Image.fromarray(render(page, side))), ())

    return paint


def _endpoint(settings: Pictures) -> Painter:
    client = Client(settings)

    def paint(order: Order) -> Outcome[Painted]:
        def attempt(number: int, before: FailedError | None) -> Painted:
            return Painted(*client.picture(order.prompt.caption, settings))

        return persist(attempt, settings)

    return paint


def _pipeline(settings: Pictures) -> Painter:
    from situ.models.painter import load_painter

    folder = Path(settings.source).expanduser()
    with at("pictures"):
        draw = load_painter(
            folder, settings.size, settings.steps, settings.guidance, settings.device
        )
    return lambda order: Outcome(Painted(draw(order.prompt.caption, order.seed)), ())
