"""Rows on disk: what a stop at any moment leaves behind, and when a stage gives up."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from situ.goal2k.journal import LONG_PATIENCE, PATIENCE, Journal, Row, ledger, lost
from situ.scene import SituError

JOBS = [(f"p-{i}", i) for i in range(23)]


class StoppedError(Exception):
    """A kill, as far as one process can play it."""


def square(some: Sequence[int]) -> list[Row]:
    return [{"id": f"p-{i}", "square": i * i, "batch": len(some)} for i in some]


def finished(folder: Path, **options: Any) -> bytes:
    journal = Journal(folder / "1-a.jsonl")
    journal.run(JOBS, square, **options)
    return journal.done.read_bytes()


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("stop", [0, 1, 7, 20, 22])
def test_a_stop_after_any_row_changes_nothing(tmp_path: Path, stop: int, batch: int) -> None:
    straight = finished(tmp_path / "straight", batch=batch)
    journal = Journal(tmp_path / "1-a.jsonl")
    done = 0

    def dying(some: Sequence[int]) -> list[Row]:
        nonlocal done
        done += len(some)
        if done > stop:
            raise StoppedError
        return square(some)

    with pytest.raises(StoppedError):
        journal.run(JOBS, dying, batch=batch)
    assert not journal.finished
    with journal.log.open("ab") as file:  # what a kill in the middle of a write leaves
        file.write(b'{"id": "p-9", "squ')
    again = 0

    def counting(some: Sequence[int]) -> list[Row]:
        nonlocal again
        again += len(some)
        return square(some)

    journal.run(JOBS, counting, batch=batch)
    assert journal.done.read_bytes() == straight
    assert not journal.log.exists()
    assert again == len(JOBS) - stop // batch * batch  # and nothing was done twice


def test_threads_give_the_same_file(tmp_path: Path) -> None:
    assert finished(tmp_path / "a", workers=5) == finished(tmp_path / "b")


def test_an_error_in_a_thread_is_raised(tmp_path: Path) -> None:
    def dying(some: Sequence[int]) -> list[Row]:
        raise StoppedError

    with pytest.raises(StoppedError):
        Journal(tmp_path / "1-a.jsonl").run(JOBS, dying, workers=3)


def losing(why: str, but: Sequence[int] = ()) -> Any:
    def work(some: Sequence[int]) -> list[Row]:
        return [
            {"id": f"p-{i}", "ok": True} if i in but else lost(f"p-{i}", why, "x") for i in some
        ]

    return work


def test_a_server_that_is_gone_stops_the_run_and_is_tried_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "1-a.jsonl")
    with pytest.raises(SituError, match=rf"{PATIENCE} prompts in a row were lost.*unreachable"):
        journal.run(JOBS, losing("unreachable", but=range(5)))
    assert len(journal.so_far()) == 5 + PATIENCE
    rows = journal.run(JOBS, square)
    assert not any("lost" in row for row in rows)


def test_single_losses_are_kept_and_not_tried_again_until_asked(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "1-a.jsonl")
    rows = journal.run(JOBS, losing("refused", but=[i for i in range(23) if i % 4]))
    assert sum("lost" in row for row in rows) == 6
    assert [row["id"] for row in rows] == [key for key, _ in JOBS]
    told = ledger([("a", journal)])
    assert [row["id"] for row in told] == [f"p-{i}" for i in range(0, 23, 4)]
    assert {(row["stage"], row["event"], row["why"]) for row in told} == {("a", "lost", "refused")}
    assert journal.reopen() == 6
    asked: list[int] = []

    def work(some: Sequence[int]) -> list[Row]:
        asked.extend(some)
        return square(some)

    journal.run(JOBS, work)
    assert asked == list(range(0, 23, 4))


def test_a_server_that_refuses_everything_is_left_in_the_end(tmp_path: Path) -> None:
    with pytest.raises(SituError, match=f"{LONG_PATIENCE} prompts in a row"):
        Journal(tmp_path / "1-a.jsonl").run(JOBS, losing("refused"))


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "1-a.jsonl").write_text('{"id": "a"}\n{"no": 1}\n')
    with pytest.raises(SituError, match=r"1-a\.jsonl:2"):
        Journal(tmp_path / "1-a.jsonl").rows()
