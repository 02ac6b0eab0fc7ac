"""Sentences with the scene they describe, and whether a layout is that scene."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from situ.scene import Box, Layout
from situ.scene.relations import RELATIONS

SENTENCES = Path(__file__).parent / "sentences.jsonl"
MANY = 10  # boxes on both sides: beyond that the middles of the groups decide


def sentences(path: Path = SENTENCES) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def faults(gold: dict[str, Any], layout: Layout) -> list[str]:
    """What is wrong with a layout: wrong numbers, wrong things, relations that do not hold."""
    found = Counter(layout.phrases)
    asked = dict(gold["objects"])
    wrong = [f"{found[p]} {p} for {c}" for p, c in asked.items() if not _enough(found[p], c)]
    wrong += [f"nobody asked for {phrase}" for phrase in found if phrase not in asked]
    boxes = {p: [o.box for o in layout if o.phrase == p] for p in asked}
    for subject, predicate, landmark in gold["relations"]:
        if not wrong and not stands(predicate, boxes[subject], boxes[landmark]):
            wrong.append(f"not {subject} {predicate} {landmark}")
    return wrong


def _enough(found: int, asked: int | str) -> bool:
    return found >= int(asked[:-1]) if isinstance(asked, str) else found == asked


def stands(predicate: str, ones: Sequence[Box], others: Sequence[Box]) -> bool:
    """Every box of the first has the relation to some box of the second."""
    if predicate.startswith("some "):
        return any(RELATIONS[predicate[5:]](a, b) for a in ones for b in others)
    if predicate == "left/above":
        return all(
            a.center[0] < b.center[0] and a.center[1] < b.center[1] for a in ones for b in others
        )
    if predicate == "larger":
        return min(a.area for a in ones) > max(b.area for b in others)
    if predicate in RELATIONS:
        return all(any(RELATIONS[predicate](a, b) for b in others) for a in ones)
    if predicate == "wearing" or predicate == "holding" or predicate == "riding":
        return all(any(a.intersection(b) for b in others) for a in ones)
    if predicate == "in front of":
        return all(any(a.intersection(b) and a.y1 > b.y1 for b in others) for a in ones)
    if predicate == "behind":
        return all(any(a.intersection(b) and a.y1 < b.y1 for b in others) for a in ones)
    raise ValueError(predicate)
