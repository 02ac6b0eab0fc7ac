"""situ plan: from a sentence to boxes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, arg

from situ.cli.options import option
from situ.cli.terminal import say, warn
from situ.scene import SituError, codec, strict_json

if TYPE_CHECKING:
    from situ.app.placer import Placing
    from situ.planners import Planned
    from situ.planners.llm import Endpoint


@dataclass(frozen=True)
class Plan:
    """Plan where the things of a sentence go.

    Prints the objects with their boxes, or with --json scenes that `situ generate --scenes` draws. The
    rules need no model and no network; a sentence that they do not understand, a language model may. The
    placer reads as the rules do and places as the pictures that it was trained on have it.
    """

    caption: Annotated[Positional[str | None], option("CAPTION", "from a file")] = None
    """What to draw, in words."""
    file: Annotated[Path | None, option("FILE.txt")] = None
    """Many sentences, one to a line."""
    planner: Literal["rules", "placer", "llm"] = "rules"
    """rules; placer for a trained network; llm for a language model. Where one fails, the rules plan."""
    n: Annotated[int, arg(metavar="INT")] = 1
    """Layouts of each sentence, with successive seeds."""
    seed: Annotated[int, arg(metavar="INT")] = 0
    """The seed of the first layout."""
    width: Annotated[int, arg(metavar="PX")] = 512
    """Width of the canvas."""
    height: Annotated[int, arg(metavar="PX")] = 512
    """Height of the canvas."""
    as_json: Annotated[bool, arg(name="json")] = False
    """Print each layout as one line of JSON, a scene."""
    draw: Annotated[Path | None, option("OUT.png")] = None
    """Also draw the layouts, side by side."""
    model: Annotated[str | None, option("NAME")] = None
    """The language model to ask. A key is taken from SITU_PLANNER_KEY or OPENAI_API_KEY."""
    local: bool = False
    """The language model is a folder or hub id, to be run here by transformers; so is local:NAME."""
    base_url: Annotated[str | None, option("URL", "OpenAI's")] = None
    """Where the endpoint is, such as http://localhost:8000/v1."""
    timeout: Annotated[float, arg(metavar="SECONDS")] = 60.0
    """How long to wait for an answer of the language model."""
    cache: Annotated[Path | None, option("DIR")] = None
    """Where to keep answers of the language model, so that none is asked for twice."""
    placer: Annotated[str | None, option("NAME|FOLDER", "storybook")] = None
    """The placer: a built-in one, or a folder that training one has made."""
    temperature: Annotated[float | None, option("FLOAT", "0.8")] = None
    """How freely the placer draws; 0 gives the likeliest layout, whatever the seed."""

    def run(self) -> int:
        from situ.app.plan import plan_scenes

        plans = plan_scenes(
            self._texts(),
            self.planner,
            self.n,
            self.seed,
            width=self.width,
            height=self.height,
            endpoint=self._endpoint(),
            cache=self.cache,
            placing=self._placing(),
        )
        for planned in plans:
            say(codec.dumps(planned.scene) if self.as_json else "\n".join(_lines(planned)))
        _warn(plans)
        if self.draw:
            self._draw(plans, self.draw)
        return 0

    def _texts(self) -> list[str]:
        if (self.caption is None) == (self.file is None):
            raise SituError(
                'plan: give one of a caption or --file, as in situ plan "a cat on a mat"'
            )
        if self.file is None:
            return [self.caption or ""]
        return [line.strip() for _, line in strict_json.lines(self.file)]

    def _endpoint(self) -> "Endpoint | None":
        if self.planner != "llm":
            for name in ("model", "base_url", "cache", "local"):
                if getattr(self, name):
                    raise SituError(f"--{name.replace('_', '-')}: it goes with --planner llm")
            return None
        from situ.planners.llm import LOCAL, Endpoint

        if self.model is None:
            raise SituError("--planner llm: say which model with --model NAME")
        prefix = LOCAL if self.local and not self.model.startswith(LOCAL) else ""
        return Endpoint(prefix + self.model, self.base_url, self.timeout)

    def _placing(self) -> "Placing | None":
        given = {name: getattr(self, name) for name in ("placer", "temperature")}
        given = {name: value for name, value in given.items() if value is not None}
        if self.planner != "placer":
            for name in given:
                raise SituError(f"--{name}: it goes with --planner placer")
            return None
        from situ.app.placer import Placing

        return Placing(**given)

    def _draw(self, plans: "Sequence[Planned]", target: Path) -> None:
        from situ.app.plan_sheet import write_plans

        write_plans([planned.scene for planned in plans], target)
        say(f"{len(plans)} {'layout' if len(plans) == 1 else 'layouts'} drawn on {target}")


def _lines(planned: "Planned") -> Iterator[str]:
    from situ.app.plan import summary

    yield " ".join(planned.scene.caption.split())
    yield f"  read as  {summary(planned)}"
    for item in planned.layout:
        yield f"  object   {codec.format_object(item)}"


def _warn(plans: "Sequence[Planned]") -> None:
    from situ.app.plan import told

    seen: set[str] = set()
    for planned in plans:
        for line in told(planned):
            text = f"{planned.scene.caption[:60]!r}: {line}" if len(plans) > 1 else line
            if text not in seen:
                warn(text)
            seen.add(text)
