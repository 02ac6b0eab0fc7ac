"""manifest.jsonl: one line for each picture of a folder, with its file and all it was drawn from.

While pictures are drawn, lines are appended, each in one write after its picture is in place. A line
torn by a crash is skipped when reading, and the whole file is put in order when the run ends. The
pictures carry the same records and are what counts; the manifest saves opening them.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from situ.files.atomic import write_bytes
from situ.scene import SituError

NAME = "manifest.jsonl"

Entry = dict[str, Any]


def append(folder: Path, entries: Iterable[Entry]) -> None:
    """Add lines at the end, on a line of their own even if the last one is torn."""
    path = folder / NAME
    content = "".join(map(_line, entries)).encode()
    try:
        with path.open("ab+") as file:
            if file.tell() and not _ends_line(file):
                content = b"\n" + content
            file.write(content)
    except OSError as error:
        raise SituError(f"cannot write {path}: {error.strerror}") from error


def read(folder: Path) -> Iterator[Entry]:
    """Every whole line; none where there is no manifest."""
    path = folder / NAME
    if not path.exists():
        return
    for line in path.read_bytes().splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get("file"), str):
            yield entry


def pictures(folder: Path) -> list[Path]:
    """The pictures that are listed and there: neither the copies with boxes nor the previews."""
    return [path for entry in read(folder) if (path := folder / entry["file"]).is_file()]


def rebuild(folder: Path, entries: Iterable[Entry]) -> None:
    """Write the manifest anew: pictures of earlier runs that are still there, then these, in order."""
    new = {entry["file"]: entry for entry in entries}
    kept = {entry["file"]: entry for entry in read(folder) if entry["file"] not in new}
    there = [entry for name, entry in kept.items() if (folder / name).is_file()]
    write_bytes(folder / NAME, "".join(map(_line, [*there, *new.values()])).encode())


def _line(entry: Entry) -> str:
    return json.dumps(entry, ensure_ascii=False) + "\n"


def _ends_line(file: Any) -> bool:
    file.seek(-1, 2)
    return file.read(1) == b"\n"
