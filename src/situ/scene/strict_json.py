"""JSON and UTF-8 read by the strict rules, with errors that name the file and the line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from situ.scene.errors import SceneError, at, shown

MAX_BYTES = 16 * 2**20  # far above any scene, far below what would fill the memory


def parse(text: str) -> Any:
    """A JSON value without repeated keys, NaN, numbers of endless length or endless nesting."""
    try:
        return json.loads(
            text.removeprefix("\ufeff"),  # some editors begin a file with a byte order mark
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_int=_integer,
        )
    except json.JSONDecodeError as error:
        raise SceneError(_explained(error)) from None
    except RecursionError:
        raise SceneError("not valid JSON here: it is nested too deeply") from None


def read(path: str | Path, limited: bool = True) -> str:
    """The text of a whole UTF-8 file, of at most MAX_BYTES unless it may have any length."""
    with _opened(path) as file, at(path):
        return _decoded(file.read(MAX_BYTES + 1 if limited else -1), limited)


def lines(path: str | Path) -> Iterator[tuple[str, str]]:
    """("path:number", line) for each line of a UTF-8 file that is not blank, one at a time."""
    with _opened(path) as file:
        for number, line in enumerate(iter(lambda: file.readline(MAX_BYTES + 1), b""), start=1):
            place = f"{path}:{number}"
            with at(place):
                text = _decoded(line)
            if text.strip():
                yield place, text


def _opened(path: str | Path) -> BinaryIO:
    try:
        return open(path, "rb")
    except OSError as error:
        raise SceneError(f"{path}: cannot be read: {error.strerror}") from None


def _decoded(content: bytes, limited: bool = True) -> str:
    if limited and len(content) > MAX_BYTES:
        raise SceneError(f"longer than {MAX_BYTES} bytes: this is no scene")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SceneError(f"byte {error.start} is not UTF-8: save the file as UTF-8") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise SceneError(f"the key {shown(twice)} appears twice in one object: keep one")
    return record


def _no_constant(name: str) -> NoReturn:
    raise SceneError(f"{name} is not a JSON number: write a finite one")


def _integer(digits: str) -> int:
    if len(digits) > 18:
        raise SceneError(
            f"the number {digits[:12]}... has {len(digits)} digits: write a shorter one"
        )
    return int(digits)


def _explained(error: json.JSONDecodeError) -> str:
    place = f"column {error.colno}"
    if "\n" in error.doc.strip():
        place = f"line {error.lineno} {place}"
    return f"not valid JSON at {place}: {error.msg}{_cause(error)}"


def _cause(error: json.JSONDecodeError) -> str:
    if error.msg == "Extra data":
        return "; a file of many scenes has one to a line and a name that ends in .jsonl"
    if error.doc.strip() in ("{", "["):
        return "; in a .jsonl file each line is one whole scene"
    return ""
