"""Stage 9: what people said of pictures and boxes, one line of a file each, never rewritten.

A verdict names what its reviewer was shown. Where boxes were made again since, it does not count any more.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from situ.goal2k.journal import Row
from situ.scene import Box, Layout, Object, SituError, strict_json
from situ.scene.errors import at, shown
from situ.scene.fields import entry, mapping, sequence, text

FILE = "verdicts.jsonl"
ACCEPT, REJECT = "accept", "reject"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A reviewer's last word on a prompt; the layout is what is drawn, corrected or as it was."""

    id: str
    reviewer: str
    verdict: str
    layout: Layout
    shown: str

    @property
    def accepted(self) -> bool:
        return self.verdict == ACCEPT

    def to_json(self) -> Row:
        objects = [{"phrase": item.phrase, "box": list(item.box.xyxy)} for item in self.layout]
        return {
            "id": self.id,
            "reviewer": self.reviewer,
            "verdict": self.verdict,
            "objects": objects,
            "shown": self.shown,
        }


@dataclass(frozen=True)
class Verdicts:
    """All that count, by prompt and in the order of the file; `stale` is how many do not any more."""

    by_prompt: Mapping[str, Sequence[Verdict]]
    stale: int = 0

    def of(self, key: str) -> Sequence[Verdict]:
        return self.by_prompt.get(key, ())

    @property
    def reviewers(self) -> tuple[str, ...]:
        return tuple(sorted({v.reviewer for some in self.by_prompt.values() for v in some}))

    @property
    def shared(self) -> tuple[int, int]:
        """Of the prompts that several people saw: on how many they agree, and how many there are."""
        several = [some for some in self.by_prompt.values() if len(some) > 1]
        return sum(len({v.verdict for v in some}) == 1 for some in several), len(several)


def fingerprint(caption: str, found: Row) -> str:
    """Of what a reviewer is shown: the caption, the picture's name and the boxes."""
    content = json.dumps([caption, found["file"], found["objects"]], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def from_json(data: object) -> Verdict:
    """A verdict as a page sends it or a file holds it; untrusted."""
    record = mapping(data, "a verdict")
    said = entry(record, "verdict")
    if said not in (ACCEPT, REJECT):
        raise SituError(f"verdict must be {ACCEPT} or {REJECT}, got {shown(said)}")
    objects = []
    for index, row in enumerate(sequence(entry(record, "objects"), "objects")):
        with at(f"objects[{index}]"):
            item = mapping(row, "an object")
            objects.append(Object(entry(item, "phrase"), Box.of(entry(item, "box"))))
    if said == ACCEPT and not objects:
        raise SituError("objects is empty: a picture without boxes can only be rejected")
    names = [text(entry(record, name), name) for name in ("id", "reviewer", "shown")]
    return Verdict(names[0], names[1][:80], said, Layout(tuple(objects)), names[2])


def append(path: Path, verdict: Verdict) -> None:
    """Add a verdict; it is on the disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(verdict.to_json(), ensure_ascii=False) + "\n"
    torn = path.exists() and path.stat().st_size and path.read_bytes()[-1:] != b"\n"
    with path.open("ab") as file:
        file.write((("\n" if torn else "") + line).encode())
        file.flush()
        os.fsync(file.fileno())


def read_verdicts(path: Path, shown_now: Mapping[str, str]) -> Verdicts:
    """The last verdict of each reviewer on each prompt that is still shown as it was."""
    found: dict[str, dict[str, Verdict]] = {}
    stale = 0
    for place, line in strict_json.lines(path) if path.exists() else ():
        try:
            with at(place):
                verdict = from_json(strict_json.parse(line))
        except SituError:
            if line.endswith("\n") and not _torn(line):
                raise
            continue
        if shown_now.get(verdict.id) != verdict.shown:
            stale += 1
            continue
        some = found.setdefault(verdict.id, {})
        some.pop(verdict.reviewer, None)  # so that the order is that of the last words
        some[verdict.reviewer] = verdict
    return Verdicts({key: tuple(some.values()) for key, some in found.items()}, stale)


def _torn(line: str) -> bool:
    """A line that a killed process left unfinished."""
    return not line.rstrip().endswith("}")
