"""Ranking, boxes, checks and verdicts, on findings that are made up."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from situ.evaluation.detections import Detection
from situ.goal2k import boxes, checks, ranking
from situ.goal2k.looking import Seen
from situ.goal2k.prompts import Asked, Prompt, Stated
from situ.goal2k.verdicts import Verdict, append, from_json, read_verdicts
from situ.scene import Box, Layout, Object, SituError

THINGS = (Asked("red bus", "bus"), Asked("dog", "dog", 2))
PROMPT = Prompt("a-0", 0, "complex", THINGS, (Stated(0, "left of", 1),), "a red bus and two dogs")
BUS = Detection("red bus", 0.9, Box(0.1, 0.1, 0.4, 0.4))
LEFT = Detection("dog", 0.5, Box(0.1, 0.6, 0.3, 0.9))
RIGHT = Detection("dog", 0.8, Box(0.6, 0.6, 0.9, 0.9))
FAINT = Detection("dog", 0.4, Box(0.6, 0.1, 0.9, 0.4))
CAT = Detection("cat", 0.7, Box(0.45, 0.45, 0.6, 0.6))


def seen(prompt: Prompt = PROMPT, name: str = "x.png") -> Seen:
    return Seen(prompt, name, np.zeros((40, 80, 3), np.uint8))


def boxed(*found: Detection, prompt: Prompt = PROMPT) -> dict[str, Any]:
    (row,) = boxes.rows([seen(prompt)], lambda some: [list(found)])
    return row


def test_boxes_are_the_surest_as_many_as_asked_for() -> None:
    row = boxed(BUS, LEFT, RIGHT, FAINT, CAT)
    assert [(o["phrase"], o["score"]) for o in row["objects"]] == [
        ("red bus", 0.9),
        ("dog", 0.5),
        ("dog", 0.8),
    ]
    assert [o["phrase"] for o in row["extra"]] == ["dog", "cat"]
    assert row["missing"] == {}
    assert (row["width"], row["height"]) == (80, 40)
    assert boxed(LEFT)["missing"] == {"red bus": 1, "dog": 1}


def test_presence_counts_what_is_there_and_what_is_too_much() -> None:
    def right(*found: Detection) -> float:
        sure = sum(d.score for d in found) / max(1, len(found))
        return ranking.presence(PROMPT, found) - ranking.SURENESS * sure

    assert right(BUS, LEFT, RIGHT) == pytest.approx(1)
    assert right(BUS, LEFT) == pytest.approx(2 / 3)
    assert right(BUS, LEFT, RIGHT, FAINT) == pytest.approx(2 / 3)
    assert right(BUS, LEFT, RIGHT, CAT) == pytest.approx(2 / 3)
    assert right() == 0


def test_the_best_candidate_is_kept_and_of_equal_ones_the_first() -> None:
    some = [seen(name=name) for name in ("a", "b", "c")]
    (row,) = ranking.rows([PROMPT], [some], lambda flat: [0.2, 0.7, 0.7])
    assert row["file"] == "b"
    assert row["scores"] == {"a": 0.2, "b": 0.7, "c": 0.7}
    (row,) = ranking.rows([PROMPT], [[]], lambda flat: [])
    assert row["lost"]["why"] == "no picture"


PAIR = Prompt(
    "b-0", 1, "spatial", (Asked("bus", "bus"), Asked("dog", "dog")), (Stated(0, "left of", 1),), "x"
)
SMALL = Box(0.1, 0.1, 0.2, 0.14)


@pytest.mark.parametrize(
    ("prompt", "found", "said"),
    [
        (PROMPT, [BUS, LEFT, RIGHT], []),
        (PROMPT, [BUS, RIGHT], ["missing: 1 x dog"]),
        (PROMPT, [BUS, LEFT, RIGHT, FAINT], ["too many: dog"]),
        (PROMPT, [BUS, LEFT, RIGHT, CAT], ["not asked for: cat"]),
        (PAIR, [Detection("bus", 1, LEFT.box), Detection("dog", 1, RIGHT.box)], []),
        (
            PAIR,
            [Detection("bus", 1, RIGHT.box), Detection("dog", 1, LEFT.box)],
            ["relation: bus is not left of dog"],
        ),
        (
            PAIR,
            [Detection("bus", 1, SMALL), Detection("dog", 1, RIGHT.box)],
            ["size: bus has 0.004 of the picture", "relation: bus is not left of dog"],
        ),
        (
            PAIR,
            [Detection("bus", 1, LEFT.box), Detection("dog", 1, LEFT.box)],
            ["relation: bus is not left of dog", "double: dog lies where another thing is"],
        ),
    ],
)
def test_checks_say_what_is_wrong(prompt: Prompt, found: list[Detection], said: list[str]) -> None:
    assert sorted(checks.failed(prompt, boxed(*found, prompt=prompt))) == sorted(said)


@pytest.mark.parametrize(
    ("found", "agreed", "verdict"),
    [
        ([BUS, LEFT, RIGHT], [True] * 3, "accept"),
        ([BUS, LEFT, RIGHT], [True, False, True], "review"),
        ([BUS, LEFT], [True] * 2, "review"),
        ([BUS], [True], "reject"),
        ([], [], "reject"),
    ],
)
def test_only_what_passes_all_is_accepted(
    found: list[Detection], agreed: list[bool], verdict: str
) -> None:
    (row,) = checks.rows([seen()], [boxed(*found)], lambda some, rows: [agreed])
    assert row["verdict"] == verdict
    assert (row["failed"] == []) == (verdict == "accept")


def test_crops_are_compared_with_the_phrases_of_their_own_prompt() -> None:
    class Colours:
        """Text "red ..." is (1, 0), all else (0, 1); pictures by their first channels."""

        def image_features(self, pictures: Any, /) -> Any:
            return np.array([p.reshape(-1, 3).mean(0)[:2] + 1e-3 for p in pictures], np.float32)

        def text_features(self, texts: Any, /) -> Any:
            return np.array(
                [[t.startswith("red"), not t.startswith("red")] for t in texts], np.float32
            )

    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[:, :40, 0] = 200  # red on the left, green on the right
    pixels[:, 40:, 1] = 200
    prompt = Prompt("c", 0, "color", (Asked("red bus", "bus"), Asked("green dog", "dog")), (), "x")
    red, green = Box(0.05, 0.1, 0.45, 0.9), Box(0.55, 0.1, 0.95, 0.9)
    agree = checks.by_crops(Colours())
    for bus, dog, said in ((red, green, [True, True]), (green, red, [False, False])):
        found = [Detection("red bus", 1, bus), Detection("green dog", 1, dog)]
        one = Seen(prompt, "x", pixels)
        row = boxed(*found, prompt=prompt)
        assert agree([one], [row]) == [said]
    assert agree([one], [boxed(prompt=prompt)]) == [[]]


def verdict(said: str = "accept", who: str = "ann", shown: str = "now") -> Verdict:
    return Verdict("a-0", who, said, Layout((Object("dog", Box(0.1, 0.1, 0.5, 0.5)),)), shown)


def test_the_last_word_of_each_reviewer_counts(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    for one in (
        verdict(),
        verdict("reject", "bob"),
        verdict("accept", "bob"),
        verdict(shown="old"),
    ):
        append(path, one)
    found = read_verdicts(path, {"a-0": "now"})
    assert [(v.reviewer, v.verdict) for v in found.of("a-0")] == [
        ("ann", "accept"),
        ("bob", "accept"),
    ]
    assert (found.stale, found.shared, found.reviewers) == (1, (1, 1), ("ann", "bob"))
    assert found.of("a-0")[0] == verdict()


def test_a_torn_verdict_is_forgotten_and_the_next_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    append(path, verdict())
    path.write_bytes(path.read_bytes() + b'{"id": "a-0", "rev')
    append(path, verdict("reject", "bob"))
    assert [v.verdict for v in read_verdicts(path, {"a-0": "now"}).of("a-0")] == [
        "accept",
        "reject",
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"verdict": "maybe"}, "verdict must be accept or reject"),
        ({"objects": []}, "can only be rejected"),
        ({"objects": [{"phrase": "dog", "box": [0.1, 0.1, 2, 0.5]}]}, "objects\\[0\\]"),
        ({"objects": [{"phrase": "", "box": [0.1, 0.1, 0.2, 0.5]}]}, "phrase is empty"),
        ({"reviewer": ""}, "reviewer is empty"),
        ({"id": 3}, "id must be text"),
    ],
)
def test_a_verdict_is_checked(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SituError, match=message):
        from_json({**verdict().to_json(), **change})
