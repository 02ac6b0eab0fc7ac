"""The prompts of DrawBench (Saharia et al. 2022) from its public CSV file."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from situ.scene import SituError
from situ.scene.strict_json import read

COLUMNS = ("Prompts", "Category")
CATEGORIES = (
    "Colors",
    "Conflicting",
    "Counting",
    "DALL-E",
    "Descriptions",
    "Gary Marcus et al.",
    "Misspellings",
    "Positional",
    "Rare Words",
    "Reddit",
    "Text",
)
# The categories of GOAL's user study; they hold exactly the 94 prompts that it reports.
STUDY = ("Colors", "Descriptions", "Counting", "Positional", "Conflicting")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt, its category and its row in the file, counted from 0 below the heading."""

    index: int
    text: str
    category: str


def read_drawbench(path: str | Path) -> tuple[Prompt, ...]:
    """All rows of the file. Spaces at the end of a category ("Gary Marcus et al. ") are cut off; line
    breaks inside of a quoted prompt stay."""
    rows = csv.DictReader(io.StringIO(read(path), newline=""))
    missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise SituError(f"{path}: lacks the column {missing[0]}; it must have {', '.join(COLUMNS)}")
    return tuple(_prompt(path, index, row) for index, row in enumerate(rows))


def of_categories(
    prompts: Sequence[Prompt], categories: Sequence[str] = STUDY
) -> tuple[Prompt, ...]:
    """The prompts of some categories in the order of the file; by default the 94 of GOAL's study."""
    unknown = next((name for name in categories if name not in CATEGORIES), None)
    if unknown is not None:
        raise SituError(f"category {unknown!r} is unknown; allowed: {', '.join(CATEGORIES)}")
    return tuple(prompt for prompt in prompts if prompt.category in categories)


def _prompt(path: str | Path, index: int, row: dict[str, str | None]) -> Prompt:
    text, category = ((row[name] or "").strip() for name in COLUMNS)
    if not text or category not in CATEGORIES:
        raise SituError(
            f"{path}: row {index}: must have a prompt and one of {', '.join(CATEGORIES)}; "
            f"got {text!r}, {category!r}"
        )
    return Prompt(index, text, category)
