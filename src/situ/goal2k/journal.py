"""The rows of a stage on disk: a log while it runs, one file in the order of the prompts when it is done.

A killed run loses what was in flight and nothing else: a torn last line of the log is forgotten, the rest
is kept, and the finished file depends on the rows alone, not on when or in which order they came.
"""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from situ.files.atomic import write_bytes
from situ.scene import SituError, strict_json
from situ.scene.errors import at

Row = dict[str, Any]  # "id"; "failures" where an attempt failed; "lost" {why, detail} where all did
Work = Callable[[Sequence[Any]], list[Row]]

TRANSIENT = ("unreachable", "busy", "timeout", "rejected")  # another day they may succeed
PATIENCE = 3  # prompts in a row that are lost to a server that does not answer
LONG_PATIENCE = 20  # prompts in a row that are lost for any reason


@dataclass(frozen=True)
class Journal:
    """The files of one stage."""

    done: Path

    @property
    def log(self) -> Path:
        return self.done.with_suffix(".part.jsonl")

    @property
    def finished(self) -> bool:
        return self.done.exists()

    @property
    def begun(self) -> bool:
        return self.finished or self.log.exists()

    def rows(self) -> list[Row]:
        """The rows of a finished stage."""
        if not self.finished:
            raise SituError(f"{self.done} is missing: run the stage that makes it first")
        return [_parsed(place, line) for place, line in strict_json.lines(self.done)]

    def so_far(self) -> list[Row]:
        """The rows of a stage, finished or not."""
        return self.rows() if self.finished else list(self.kept().values())

    def kept(self) -> dict[str, Row]:
        """The rows of the log by id, the last of each."""
        if not self.log.exists():
            return {}
        whole = self.log.read_bytes()
        lines = whole[: whole.rfind(b"\n") + 1].decode().splitlines()
        rows = [_parsed(f"{self.log}:{n}", line) for n, line in enumerate(lines, 1)]
        return {row["id"]: row for row in rows}

    def write(self, rows: Iterable[Row]) -> None:
        """All rows at once; the log is not needed any more."""
        write_bytes(self.done, "".join(map(_line, rows)).encode())
        self.log.unlink(missing_ok=True)

    def reopen(self) -> int:
        """Make what was lost be tried again; the count of it. The other rows are kept."""
        if not self.begun:
            return 0
        rows = self.so_far()
        kept = [row for row in rows if "lost" not in row]
        if len(kept) < len(rows) or not self.finished:
            write_bytes(self.log, "".join(map(_line, kept)).encode())
            self.done.unlink(missing_ok=True)
        return len(rows) - len(kept)

    def discard(self) -> None:
        self.log.unlink(missing_ok=True)
        self.done.unlink(missing_ok=True)

    def run(
        self,
        jobs: Sequence[tuple[str, Any]],
        work: Work,
        *,
        batch: int = 1,
        workers: int = 1,
        progress: Callable[[int], None] = lambda done: None,
        finish: Callable[[list[Row]], list[Row]] = lambda rows: rows,
    ) -> list[Row]:
        """Rows for (id, job) pairs, those of an earlier run kept; `finish` sees them all at the end.

        Batches are cut from all jobs, whatever is done already, so that a network sees the same batch
        after a restart. Raises SituError when the server behind `work` seems to be gone.
        """
        rows = {key: row for key, row in self.kept().items() if not _may_succeed(row)}
        chunks = [jobs[i : i + batch] for i in range(0, len(jobs), batch)]
        todo = [chunk for chunk in chunks if any(key not in rows for key, _ in chunk)]
        self.done.parent.mkdir(parents=True, exist_ok=True)
        _forget_torn_line(self.log)
        losses: list[Row] = []
        with self.log.open("ab") as log:
            for made in _worked(todo, work, workers):
                log.write("".join(map(_line, made)).encode())
                log.flush()
                rows.update((row["id"], row) for row in made)
                losses = [*losses, *made] if all("lost" in row for row in made) else []
                _check_patience(losses)
                progress(len(rows))
        ordered = finish([rows[key] for key, _ in jobs])
        self.write(ordered)
        return ordered


def lost(key: str, why: str, detail: str, failures: Sequence[Row] = ()) -> Row:
    """A row that says why there is nothing."""
    return {"id": key, **with_failures(failures), "lost": {"why": why, "detail": detail}}


def with_failures(failures: Sequence[Row]) -> Row:
    return {"failures": list(failures)} if failures else {}


def ledger(stages: Iterable[tuple[str, Journal]]) -> list[Row]:
    """Every failed attempt and every loss of all stages, in their order."""
    found: list[Row] = []
    for stage, journal in stages:
        for row in journal.so_far() if journal.begun else ():
            known = {"stage": stage, "id": row["id"]}
            found += [
                {**known, "event": "failed", **failure} for failure in row.get("failures", ())
            ]
            if "lost" in row:
                found.append({**known, "event": "lost", **row["lost"]})
    return found


def write_lines(path: Path, rows: Iterable[Row]) -> None:
    write_bytes(path, "".join(map(_line, rows)).encode())


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"


def _parsed(place: str, line: str) -> Row:
    with at(place):
        row = strict_json.parse(line)
        if not isinstance(row, dict) or not isinstance(row.get("id"), str):
            raise SituError("this is no row of a stage: run the stage again with --again")
        return row


def _forget_torn_line(log: Path) -> None:
    if not log.exists():
        return
    with log.open("r+b") as file:
        file.truncate(file.read().rfind(b"\n") + 1)


def _may_succeed(row: Row) -> bool:
    return row.get("lost", {}).get("why") in TRANSIENT


def _check_patience(losses: Sequence[Row]) -> None:
    """Stop a run that only loses: each loss may have cost minutes, and a day is better spent."""
    gone = [row for row in losses if _may_succeed(row)]
    if len(losses) >= LONG_PATIENCE or (len(gone) >= PATIENCE and losses[-1] in gone):
        why = losses[-1]["lost"]
        raise SituError(
            f"stopped: {len(losses)} prompts in a row were lost, the last because of {why['why']} "
            f"({why['detail']}); what is done is kept, and the same command goes on"
        )


def _worked(
    chunks: Sequence[Sequence[tuple[str, Any]]], work: Work, workers: int
) -> Iterator[list[Row]]:
    """What `work` makes of the jobs of each chunk, as it comes."""
    if workers == 1:
        yield from (work([job for _, job in chunk]) for chunk in chunks)
        return
    yield from _in_threads(chunks, work, workers)


def _in_threads(
    chunks: Sequence[Sequence[tuple[str, Any]]], work: Work, workers: int
) -> Iterator[list[Row]]:
    """With daemon threads: an interrupt need not wait for an answer that may never come."""
    todo, lock, made = iter(chunks), threading.Lock(), SimpleQueue()
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            with lock:
                chunk = next(todo, None)
            if chunk is None:
                return
            try:
                made.put(work([job for _, job in chunk]))
            except BaseException as error:
                made.put(error)

    for _ in range(min(workers, len(chunks))):
        threading.Thread(target=serve, daemon=True).start()
    try:
        for _ in chunks:
            found = made.get()
            if isinstance(found, BaseException):
                raise found
            yield found
    finally:
        stop.set()
