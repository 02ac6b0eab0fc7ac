"""Directions to whole-number places: who is left of and above whom.

Every block gets a column and a row. "left of" asks for an earlier column and, where nothing speaks
against it, the same row; so for the other directions. Wishes that cannot hold together are returned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Cell = tuple[int, int]
STEPS: Mapping[str, Cell] = {
    "left of": (-1, 0),
    "right of": (1, 0),
    "above": (0, -1),
    "below": (0, 1),
}
_SIDES: tuple[Cell, ...] = ((1, 0), (-1, 0))


@dataclass(frozen=True, slots=True)
class Wish:
    """One block's direction from another; any side will do for (0, 0)."""

    subject: int
    object: int
    step: Cell
    sure: bool = True
    told: int = -1  # the relation it came from


def place(
    blocks: Sequence[int], wishes: Sequence[Wish], first_side: int = 0
) -> tuple[dict[int, Cell], list[Wish]]:
    """Cells of connected blocks, the first at the origin; and the wishes that were given up."""
    cells: dict[int, Cell] = {}
    lost: list[Wish] = []
    waiting = list(wishes)
    while len(cells) < len(blocks):
        wish = next((w for w in waiting if (w.subject in cells) != (w.object in cells)), None)
        if wish is None:
            free = [b for b in blocks if b not in cells]
            start = next((w.object for w in waiting if w.object in free), free[0])
            cells[start] = _free(cells, (0, 0), (0, 1))
            continue
        _put(wish, waiting, cells, first_side)
    for _ in range(3):
        if not _mend(wishes, cells):
            break
    lost = [w for w in wishes if not holds(w, cells)]
    return cells, lost


def holds(wish: Wish, cells: Mapping[int, Cell]) -> bool:
    (ax, ay), (bx, by) = cells[wish.subject], cells[wish.object]
    dx, dy = wish.step
    if (dx, dy) == (0, 0):
        return True
    return (not dx or (ax - bx) * dx > 0) and (not dy or (ay - by) * dy > 0)


def _put(wish: Wish, waiting: Sequence[Wish], cells: dict[int, Cell], first_side: int) -> None:
    """Place the one that has no cell yet, by all that is wished of it and the placed ones."""
    forward = wish.subject not in cells
    new, old = (wish.subject, wish.object) if forward else (wish.object, wish.subject)
    dx, dy = wish.step if forward else (-wish.step[0], -wish.step[1])
    if wish.step == (0, 0):
        cells[new] = _beside(new, old, waiting, cells, first_side)
        return
    for other in waiting:  # "left of and above": both at once
        if {other.subject, other.object} == {new, old} and other is not wish and other.sure:
            sign = 1 if other.subject == new else -1
            dx = dx or sign * other.step[0]
            dy = dy or sign * other.step[1]
    x, y = cells[old]
    cells[new] = _free(cells, (x + dx, y + dy), (dx, dy))


def _beside(
    new: int, old: int, waiting: Sequence[Wish], cells: dict[int, Cell], first_side: int
) -> Cell:
    """Left or right of the old one, wherever it is free and other wishes lead."""
    x, y = cells[old]
    sides = _SIDES if first_side == 0 else _SIDES[::-1]
    for reach in (1, 2, 3):
        for dx, dy in sides:
            cell = (x + reach * dx, y + dy)
            if cell not in cells.values() and _agrees(new, cell, waiting, cells):
                return cell
    return _free(cells, (x + 1, y), (1, 0))


def _agrees(new: int, cell: Cell, waiting: Sequence[Wish], cells: dict[int, Cell]) -> bool:
    trial = {**cells, new: cell}
    related = [w for w in waiting if new in (w.subject, w.object) and w.sure]
    return all(holds(w, trial) for w in related if w.subject in trial and w.object in trial)


def _free(cells: dict[int, Cell], cell: Cell, step: Cell) -> Cell:
    taken = set(cells.values())
    while cell in taken:
        cell = cell[0] + step[0], cell[1] + step[1]
    return cell


def _mend(wishes: Sequence[Wish], cells: dict[int, Cell]) -> bool:
    """Move subjects (else objects) of wishes that do not hold, where that breaks no sure one."""
    moved = False
    for wish in wishes:
        if holds(wish, cells):
            continue
        dx, dy = wish.step
        for one, other, sign in ((wish.subject, wish.object, 1), (wish.object, wish.subject, -1)):
            x, y = cells[other]
            old = cells.pop(one)
            aims = [
                (x + sign * dx, old[1]) if dx else (old[0], y + sign * dy),
                (x + sign * dx, y + sign * dy),
            ]
            trials = [_free(cells, aim, (sign * dx, sign * dy)) for aim in aims]
            cells[one] = old
            good = [t for t in trials if _kept(one, t, wishes, cells)]
            if good:
                cells[one] = good[0]
                moved = True
                break
    return moved


def _kept(one: int, cell: Cell, wishes: Sequence[Wish], cells: dict[int, Cell]) -> bool:
    trial = {**cells, one: cell}
    return all(holds(w, trial) or not holds(w, cells) for w in wishes if w.sure)
