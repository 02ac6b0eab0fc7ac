"""The command `situ`. Parsing loads no network library: each command imports what it needs when run."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple

from situ.cli.terminal import fail, printable
from situ.scene.errors import SituError, did_you_mean, shown
from situ.version import VERSION

INTERRUPTED = 130  # what shells expect after Ctrl-C: 128 + SIGINT


class Command(NamedTuple):
    """A dataclass of options with a `run() -> exit status`, by the place of its import."""

    module: str
    options: str
    summary: str


COMMANDS = {
    "generate": Command("situ.cli.generate", "Generate", "draw pictures from captions and boxes"),
    "plan": Command("situ.cli.planning", "Plan", "plan where the things of a sentence go"),
    "evaluate-plans": Command(
        "situ.cli.evaluate_plans", "EvaluatePlans", "measure a planner's layouts on a benchmark"
    ),
    "show": Command("situ.cli.show", "Show", "print what a picture was drawn from"),
    "explain": Command("situ.cli.explain", "Explain", "tell which object of a picture formed when"),
    "lint": Command(
        "situ.cli.scenes", "Lint", "check scene files, with a suggestion for each finding"
    ),
    "convert": Command(
        "situ.cli.scenes", "Convert", "scenes from and to the layouts of other programs"
    ),
    "data storybook": Command("situ.cli.data", "Storybook", "write pages of the storybook world"),
    "data coco": Command("situ.cli.data", "Coco", "draw scenes from a COCO-format set"),
    "data goal2k": Command("situ.cli.data", "Goal2k", "build a set of prompts, pictures and boxes"),
    "train": Command("situ.cli.training", "Train", "run a training recipe"),
    "evaluate": Command("situ.cli.evaluation", "Evaluate", "measure a folder of pictures"),
    "reproduce": Command("situ.cli.evaluation", "Reproduce", "draw and measure a paper's table"),
    "study build": Command(
        "situ.cli.study", "StudyBuild", "make a blind side-by-side study of result folders"
    ),
    "study analyse": Command("situ.cli.study", "StudyAnalyse", "analyse the answers to a study"),
    "export": Command("situ.cli.models", "Export", "write a model for diffusers or ComfyUI"),
    "compact": Command(
        "situ.cli.models", "Compact", "write a tuned model's difference in few bytes"
    ),
    "convert-gligen": Command(
        "situ.cli.models", "ConvertGligen", "make a folder of an original GLIGEN checkpoint"
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status: 0 done, 1 findings, 2 mistake, 130 interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(words)
    except SituError as error:
        return fail(str(error))
    except BrokenPipeError:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return fail(f"{place}{error.strerror or error}")
    except KeyboardInterrupt as interrupt:
        print(f"situ: {printable(str(interrupt) or 'interrupted')}", file=sys.stderr)
        return INTERRUPTED


def usage() -> str:
    """The text of `situ --help`, from the same table that commands are found in."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "usage: situ COMMAND [options]",
            "",
            "A caption and boxes in, a picture out with every object in its place.",
            "",
            *lines,
            "",
            "situ COMMAND --help tells the options of a command; situ --version the version.",
            'Try: situ generate "a red fish under a boat" --object "red fish: 0.1 0.5 0.6 0.9"',
        ]
    )


def _run(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(usage())
        return 0
    if words[0] in ("-V", "--version"):
        print(f"situ {VERSION}")
        return 0
    name = _name(words)
    return _options(name, words[len(name.split()) :]).run()


def _name(words: list[str]) -> str:
    for name in COMMANDS:
        if words[: len(name.split())] == name.split():
            return name
    raise SituError(f"unknown command {shown(words[0])}: {did_you_mean(words[0], COMMANDS)}")


def _options(name: str, words: list[str]) -> Any:
    import tyro

    command = COMMANDS[name]
    kind = getattr(import_module(command.module), command.options)
    only_positive = (tyro.conf.FlagCreatePairsOff,)  # --draw, and no --no-draw
    return tyro.cli(kind, prog=f"situ {name}", args=words, config=only_positive)


if __name__ == "__main__":
    sys.exit(main())
