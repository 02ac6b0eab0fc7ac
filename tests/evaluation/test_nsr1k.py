"""NSR-1K: the ceilings of the gold layouts, each rule by hand, and the quirks of the scripts."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from situ.evaluation.detections import Detection
from situ.evaluation.nsr1k import (
    CountingPrompt,
    SpatialPrompt,
    counting_accuracy,
    direction,
    file_name,
    layout_count,
    layout_relation,
    layout_score,
    picture_count,
    picture_relation,
    read_counting,
    read_spatial,
    spatial_accuracy,
)
from situ.scene import Box, Object, SituError

DATA = Path(__file__).parents[3] / "shared/data/nsr1k"
at_hand = pytest.mark.skipif(not DATA.is_dir(), reason="NSR-1K is not at hand")

HERE = Box(0.1, 0.1, 0.2, 0.2)
RIGHT = Box(0.6, 0.1, 0.7, 0.2)
LOW = Box(0.1, 0.7, 0.2, 0.8)


def counting(*counts: tuple[str, int], kind: str = "real") -> CountingPrompt:
    return CountingPrompt(1, "", kind, counts, ())


def spatial(relation: str) -> SpatialPrompt:
    return SpatialPrompt(1, "", "template", "cat", relation, "dog", ())


def seen(*counts: tuple[str, int], score: float = 0.9) -> list[Detection]:
    return [Detection(name, score, HERE) for name, count in counts for _ in range(count)]


@at_hand
def test_perfect_pictures_reach_the_ceiling_of_counting() -> None:
    prompts = read_counting(DATA / "counting/counting.val.json")
    counts = [picture_count(prompt, seen(*prompt.counts)) for prompt in prompts]
    assert (sum(c.points for c in counts), sum(c.of for c in counts)) == (1096, 1196)
    assert round(100 * counting_accuracy(counts), 2) == 91.64
    assert counting_accuracy(counts, "per_prompt") == 1


@at_hand
def test_gold_layouts_reach_the_ceiling_of_counting() -> None:
    prompts = read_counting(DATA / "counting/counting.val.json")
    counts = [layout_count(prompt, prompt.gold) for prompt in prompts]
    score = layout_score(counts)
    assert score.layouts == 762
    assert round(100 * score.accuracy, 2) == 99.08
    assert (round(100 * score.precision, 2), round(100 * score.recall, 2)) == (99.82, 99.82)
    by_kind = {
        kind: layout_score([c for c, p in zip(counts, prompts, strict=True) if p.kind == kind])
        for kind in ("single-category", "two-categories", "comparison", "real")
    }
    assert [round(100 * s.accuracy) for s in by_kind.values()] == [100, 98, 97, 100]
    assert [s.layouts for s in by_kind.values()] == [114, 197, 100, 351]


@at_hand
def test_gold_layouts_reach_the_ceiling_of_relations() -> None:
    prompts = read_spatial(DATA / "spatial/spatial.val.json")
    right = [layout_relation(prompt, prompt.gold) for prompt in prompts]
    assert len(right) == 283
    assert round(100 * spatial_accuracy(right), 2) == 93.29
    empty = [prompt.number for prompt in prompts if not prompt.gold]
    assert empty == list(range(919, 938))
    assert [p.number for p, r in zip(prompts, right, strict=True) if not r] == empty


def test_quirk_a_comparison_earns_one_point_of_two() -> None:
    asked = counting(("cat", 2), ("dog", 4), kind="comparison")
    count = picture_count(asked, seen(("cat", 2), ("dog", 3)))
    assert (count.points, count.of, count.right) == (1, 2, True)
    assert counting_accuracy([count]) == 0.5
    assert counting_accuracy([count], "per_prompt") == 1


@pytest.mark.parametrize(
    ("second", "cats", "dogs", "right"),
    [
        (4, 2, 3, True),  # more dogs, as asked
        (4, 2, 2, False),
        (4, 3, 4, False),  # the anchor must be exact
        (1, 2, 0, True),  # fewer dogs
        (1, 2, 5, False),
        (2, 2, 2, True),  # equal numbers must be equal
        (2, 2, 3, False),
    ],
)
def test_comparisons(second: int, cats: int, dogs: int, right: bool) -> None:
    asked = counting(("cat", 2), ("dog", second), kind="comparison")
    assert picture_count(asked, seen(("cat", cats), ("dog", dogs))).right is right
    layout = layout_count(asked, ["cat"] * cats + ["dog"] * dogs)
    assert (layout.right, layout.precision, layout.error) == (right, None, None)


def test_prompts_with_more_names_weigh_more_officially() -> None:
    two = picture_count(counting(("cat", 1), ("dog", 1)), seen(("cat", 1), ("dog", 1)))
    one = picture_count(counting(("cow", 2)), seen(("cow", 1)))
    assert counting_accuracy([two, one]) == pytest.approx(2 / 3)
    assert counting_accuracy([two, one], "per_prompt") == 0.5


def test_labels_of_pictures_are_exact_and_sure() -> None:
    asked = counting(("cat", 1))
    assert picture_count(asked, seen((" cat ", 1))).right
    assert not picture_count(asked, seen(("wild cat", 1))).right
    assert not picture_count(asked, seen(("cat", 1), score=0.69)).right
    assert picture_count(asked, seen(("cat", 1), score=0.69), confidence=0.5).right


def test_layout_counts_by_hand() -> None:
    asked = counting(("cat", 2), ("dog", 3))
    count = layout_count(asked, ["cat", "cat", "cat", "dog", "desk"])
    assert count.precision == pytest.approx(3 / 5)
    assert count.recall == pytest.approx(3 / 5)
    assert count.iou == pytest.approx(3 / 6)
    assert count.error == pytest.approx(1.5)
    assert not count.right
    empty = layout_count(asked, [])
    assert (empty.precision, empty.recall, empty.iou) == (0, 0, 0)


def test_quirk_extra_things_cost_precision_and_no_accuracy() -> None:
    count = layout_count(counting(("keyboard", 1)), ["keyboard", "desk"])
    assert (count.precision, count.recall, count.right) == (0.5, 1.0, True)


@pytest.mark.parametrize(
    ("phrase", "name", "official", "strict"),
    [
        ("a cat", "cat", True, True),
        ("the small cat", "cat", True, True),
        ("cats", "cat", True, True),
        ("hat", "cat", True, False),  # loses its h, and "at" is in "cat"
        ("tea", "banana", True, False),  # only "a" is left of it
        ("teddy bear", "bear", True, False),
        ("teddy-bear", "teddy bear", False, True),
        ("benches", "bench", True, True),
        ("car window", "car", True, False),
        ("dog", "cat", False, False),
    ],
)
def test_quirk_names_match_by_letters(phrase: str, name: str, official: bool, strict: bool) -> None:
    asked = counting((name, 1))
    assert layout_count(asked, [phrase]).right is official
    assert layout_count(asked, [phrase], "strict").right is strict


def test_quirk_the_last_name_that_matches_wins() -> None:
    asked = counting(("bear", 1), ("teddy bear", 1))
    found = ["bear", "teddy bear"]
    assert not layout_count(asked, found).right
    assert layout_count(asked, found, "strict").right


def test_means_leave_comparisons_out() -> None:
    plain = layout_count(counting(("cat", 1)), ["cat"])
    compared = layout_count(counting(("cat", 1), ("dog", 2), kind="comparison"), ["cat"])
    score = layout_score([plain, compared])
    assert (score.precision, score.recall, score.accuracy, score.error) == (1, 1, 0.5, 0)
    assert math.isnan(layout_score([compared]).precision)
    with pytest.raises(SituError, match="nothing to score"):
        layout_score([])


@pytest.mark.parametrize(
    ("one", "other", "name"),
    [
        (RIGHT, HERE, "right"),
        (HERE, RIGHT, "left"),
        (HERE, LOW, "top"),
        (LOW, HERE, "bottom"),
        (HERE, HERE, "diagonal"),
        (HERE, Box(0.05, 0.05, 0.25, 0.25), "diagonal"),  # one centre
        (Box(0.5, 0.5, 0.75, 0.75), Box(0.25, 0.25, 0.5, 0.5), "diagonal"),  # exactly 45 degrees
    ],
)
def test_directions(one: Box, other: Box, name: str) -> None:
    assert direction(one, other) == name


boxes = st.tuples(*[st.integers(0, 100)] * 2).map(
    lambda v: Box(v[0] / 200, v[1] / 200, v[0] / 200 + 0.1, v[1] / 200 + 0.1)
)
OPPOSITE = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}


@given(boxes, boxes)
def test_directions_are_mirrored(one: Box, other: Box) -> None:
    name = direction(one, other)
    assert direction(other, one) == OPPOSITE.get(name, name)


def test_directions_are_those_of_the_picture_not_of_the_unit_square() -> None:
    one, other = Box(0.3, 0.0, 0.4, 0.1), Box(0.0, 0.4, 0.1, 0.5)
    assert direction(one, other) == "top"
    assert direction(one, other, (200, 100)) == "right"


def placed(*objects: tuple[str, Box]) -> list[Detection]:
    return [Detection(name, 0.9, box) for name, box in objects]


def test_relations_of_pictures() -> None:
    cat_left = placed(("cat", HERE), ("dog", RIGHT))
    assert picture_relation(spatial("left"), cat_left)
    assert picture_relation(spatial("next to"), cat_left)
    assert not picture_relation(spatial("right"), cat_left)
    assert not picture_relation(spatial("next to"), placed(("cat", HERE), ("dog", LOW)))
    assert not picture_relation(spatial("left"), placed(("cat", HERE)))


def test_quirk_one_pair_of_many_is_enough() -> None:
    found = [Detection("cat", 0.8, HERE), Detection("cat", 0.9, LOW), Detection("dog", 0.9, RIGHT)]
    assert picture_relation(spatial("left"), found)
    far = Box(0.9, 0.1, 1.0, 0.2)
    first = [Detection("cat", 0.9, far), Detection("cat", 0.8, HERE), Detection("dog", 0.8, LOW)]
    assert picture_relation(spatial("top"), first)
    assert not picture_relation(spatial("top"), first, "strict")
    objects = [Object("cat", far), Object("cat", HERE), Object("dog", LOW)]
    assert layout_relation(spatial("top"), objects)
    assert not layout_relation(spatial("top"), objects, "strict")


def test_quirk_names_of_layouts_are_fuzzy() -> None:
    asked = SpatialPrompt(1, "", "natural", "cup", "left", "teddy bear", ())
    objects = [Object("cap", HERE), Object("teddy-bear", RIGHT)]
    assert layout_relation(asked, objects)
    assert not layout_relation(asked, objects, "strict")
    assert layout_relation(asked, [Object("a red cup", HERE), objects[1]], "strict")


def test_reports_need_something_to_report() -> None:
    assert file_name(38699, 3) == "38699_3.png"
    assert spatial_accuracy([True, False, False, True]) == 0.5
    with pytest.raises(SituError, match="nothing to score"):
        spatial_accuracy([])
    with pytest.raises(SituError, match="nothing to score"):
        counting_accuracy([])


def test_broken_records_are_named(tmp_path: Path) -> None:
    path = tmp_path / "spatial.val.json"
    record = {"id": 1, "prompt": "", "type": "natural", "relation": "under"}
    path.write_text(json.dumps([record]))
    with pytest.raises(SituError, match=r"spatial\.val\.json: record 0: relation 'under' must be"):
        read_spatial(path)
    path.write_text(json.dumps([{"sub-type": "comparison", "num_object": [["cat", 1]]}]))
    with pytest.raises(SituError, match="2 entries in a comparison"):
        read_counting(path)
    path.write_text("{}")
    with pytest.raises(SituError, match="must be a list of records"):
        read_counting(path)
