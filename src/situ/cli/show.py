"""situ show: what pictures were drawn from."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from situ.cli.options import option
from situ.cli.terminal import say
from situ.files.record import Record, read_record
from situ.scene import SituError, codec


@dataclass(frozen=True)
class Show:
    """Print what pictures were drawn from, or put them on one sheet with their boxes."""

    files: Annotated[Positional[tuple[Path, ...]], arg(metavar="FILE.png ...")]
    """Pictures that situ drew."""
    as_json: Annotated[bool, arg(name="json")] = False
    """Print each record as one line of JSON."""
    scene: bool = False
    """Print each scene as one line of JSON, ready for --scene or --scenes."""
    sheet: Annotated[Path | None, option("OUT.png")] = None
    """Write all pictures with their boxes drawn on into one picture."""
    columns: Annotated[int | None, option("INT", "square")] = None
    """Pictures in a row of the sheet."""

    def run(self) -> int:
        if not self.files:
            raise SituError("show: give at least one FILE.png")
        records = [read_record(path) for path in self.files]
        if self.sheet:
            self._write_sheet(records, self.sheet)
            return 0
        for path, record in zip(self.files, records, strict=True):
            if self.as_json:
                say(record.dumps())
            elif self.scene:
                say(codec.dumps(record.scene))
            else:
                say("\n".join(_lines(path, record)))
        return 0

    def _write_sheet(self, records: list[Record], target: Path) -> None:
        from situ.app.sheet import write_sheet

        pairs = [(p, r.scene.layout) for p, r in zip(self.files, records, strict=True)]
        write_sheet(pairs, target, self.columns)
        say(f"{len(pairs)} pictures on {target}")


def _lines(path: Path, record: Record) -> Iterator[str]:
    scene = record.scene
    yield f"{path}  {scene.width}x{scene.height}"
    yield f"  caption  {_one_line(scene.caption)}"
    for item in scene.layout:
        yield f"  object   {codec.format_object(item)}"
    yield f"  seed     {record.seed}"
    yield f"  method   {record.method}"
    for name, value in record.sampling.items():
        yield f"  {name:<8} {_value(value)}"
    model = record.model
    yield f"  model    {model['name']} (weights {model['weights']}, {model['dtype']})"
    yield f"  version  situ {record.version}"


def _value(value: object) -> str:
    return (
        " ".join(map(str, value))
        if isinstance(value, tuple)
        else json.dumps(value, ensure_ascii=False)
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
