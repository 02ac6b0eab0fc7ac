"""T2I-CompBench: golden scores of the released rules, each quirk, and the benchmark's own prompts."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from situ.evaluation.detections import Detection
from situ.evaluation.t2i_compbench import (
    CANVAS,
    SUITES,
    ComplexSets,
    Related,
    blip_vqa_score,
    file_name,
    geometry,
    mean,
    numeracy_score,
    parse_file_name,
    parse_numeracy,
    parse_spatial,
    parse_spatial_3d,
    questions,
    read_complex_sets,
    read_nouns,
    read_prompts,
    read_suite,
    spatial_3d_score,
    spatial_score,
    three_in_one,
)
from situ.scene import Box, SituError

DATA = Path(__file__).parents[3] / "shared/data/t2i_compbench"
at_hand = pytest.mark.skipif(not DATA.is_dir(), reason="the benchmark's prompts are not at hand")

LEFT = Related("cat", "on the left of", "dog")


def seen(label: str, score: float, *px: float) -> Detection:
    x0, y0, x1, y1 = px
    return Detection(label, score, Box.from_px(x0, y0, x1, y1, CANVAS))


@pytest.mark.parametrize(
    ("relation", "one", "other", "score"),
    [
        ("on the left of", (0.9, 10, 100, 110, 200), (0.8, 250, 110, 350, 210), 0.925),
        ("on the right of", (0.9, 10, 100, 110, 200), (0.8, 250, 110, 350, 210), 0.0),
        ("on the left of", (0.9, 0, 0, 200, 200), (0.8, 50, 0, 250, 200), 0.508333),
        ("near", (0.9, 0, 0, 50, 50), (0.7, 400, 400, 450, 450), 0.5875),
    ],
)
def test_golden_scores(
    relation: str, one: tuple[float, ...], other: tuple[float, ...], score: float
) -> None:
    found = [seen("cat", *one), seen("dog", *other)]
    assert round(spatial_score(Related("cat", relation, "dog"), found).score, 6) == score


def test_overlap_and_distance_shrink_the_relation() -> None:
    overlapping = Box.from_px(0, 0, 200, 200, CANVAS)
    shifted = Box.from_px(50, 0, 250, 200, CANVAS)
    assert overlapping.iou(shifted) == pytest.approx(0.6)
    assert geometry("on the left of", overlapping, shifted) == pytest.approx(1 / 6)
    far = Box.from_px(0, 0, 50, 50, CANVAS), Box.from_px(400, 400, 450, 450, CANVAS)
    assert geometry("next to", *far) == pytest.approx(0.375)


boxes = st.tuples(*[st.integers(0, 100)] * 2, *[st.integers(10, 100)] * 2).map(
    lambda v: Box(v[0] / 200, v[1] / 200, (v[0] + v[2]) / 200, (v[1] + v[3]) / 200)
)
OPPOSITES = (("on the left of", "on the right of"), ("on the top of", "on the bottom of"))


@given(boxes, boxes, st.sampled_from(OPPOSITES))
def test_a_relation_is_its_opposite_the_other_way_round(
    one: Box, other: Box, names: tuple[str, str]
) -> None:
    assert geometry(names[0], one, other) == geometry(names[1], other, one)
    assert min(geometry(names[0], one, other), geometry(names[1], one, other)) == 0


@given(boxes, boxes)
def test_sane_nearness_never_exceeds_the_official_one(one: Box, other: Box) -> None:
    sane, official = (geometry("near", one, other, v) for v in ("sane", "official"))
    assert 0 < sane <= official <= 1


def test_one_thing_alone_scores_nothing_under_the_floor() -> None:
    alone = spatial_score(LEFT, [seen("cat", 1.0, 10, 10, 100, 100)])
    assert (alone.raw, alone.score) == (0.25, 0.0)
    assert alone.second is None
    assert spatial_score(LEFT, []).raw == 0


def test_unsure_things_and_other_names_are_not_seen() -> None:
    dog = seen("dog", 0.8, 250, 110, 350, 210)
    assert spatial_score(LEFT, [seen("cat", 0.49, 10, 100, 110, 200), dog]).first is None
    assert spatial_score(LEFT, [seen("wild cat", 0.9, 10, 100, 110, 200), dog]).first is None


def test_the_surest_box_of_a_name_is_judged() -> None:
    wrong, right = seen("cat", 0.6, 400, 100, 470, 200), seen("cat", 0.9, 10, 100, 110, 200)
    dog = seen("dog", 0.8, 250, 110, 350, 210)
    assert spatial_score(LEFT, [wrong, right, dog]).first == right


def test_quirk_near_is_satisfied_by_one_close_axis() -> None:
    ends = Box.from_px(0, 0, 40, 40, CANVAS), Box.from_px(440, 0, 480, 40, CANVAS)
    assert geometry("near", *ends) == 1.0
    assert geometry("near", *ends, "sane") == pytest.approx(150 / 440)


def test_quirk_nearness_is_in_pixels_of_the_canvas() -> None:
    pair = Box.from_px(0, 0, 40, 40, CANVAS), Box.from_px(140, 140, 180, 180, CANVAS)
    assert geometry("near", *pair) == 1.0
    assert geometry("near", *pair, canvas=(960, 960)) == pytest.approx(150 / 280)


def test_quirk_on_top_of_has_no_geometry() -> None:
    asked = parse_spatial("The red book was on top of the yellow shelf.", "complex")
    assert asked == Related("book", "on top of", "shelf")
    found = [seen("book", 0.9, 200, 10, 280, 60), seen("shelf", 0.8, 180, 200, 300, 300)]
    assert spatial_score(asked, found).raw == pytest.approx(0.425)
    assert spatial_score(asked, found, "sane").score == pytest.approx(0.925)


def test_quirk_two_things_of_one_name_are_the_same_box() -> None:
    asked = parse_spatial("a boy near a girl")
    assert asked == Related("person", "near", "person")
    alone = [seen("person", 0.8, 10, 10, 60, 60)]
    assert spatial_score(asked, alone).score == pytest.approx(0.9)
    assert spatial_score(asked, alone, "sane").score == 0
    both = [*alone, seen("person", 0.6, 100, 10, 160, 60)]
    assert spatial_score(asked, both, "sane").score == pytest.approx(0.85)


def test_quirk_the_relation_is_the_first_of_the_list_not_of_the_text() -> None:
    sentence = "a cat on the left of a dog next to a cow"
    assert parse_spatial(sentence).relation == "next to"


def test_quirk_the_complex_switch_is_a_name_and_no_truth_value() -> None:
    with pytest.raises(SituError, match="'False'"):
        parse_spatial("a cat near a dog", "False")  # type: ignore[arg-type]


def test_a_relation_is_a_word_not_letters() -> None:
    with pytest.raises(SituError, match="none of the relations"):
        parse_spatial("a cat nearby")
    with pytest.raises(SituError, match="before and after"):
        parse_spatial("near a dog")


def test_quirk_first_and_last_thing_of_a_complex_sentence() -> None:
    sentence = "The glossy apple sat next to the fuzzy peach and the prickly pear."
    assert parse_spatial(sentence, "complex") == Related("apple", "next to", "pear")
    painting = parse_spatial("The blazing sun sank below the horizon.", "complex")
    assert painting == Related("sun", None, "horizon")
    assert geometry(None, Box(0, 0, 0.1, 0.1), Box(0, 0.5, 0.1, 0.6)) == 0


@at_hand
def test_the_spatial_prompts_are_parsed_as_an_independent_split_parses_them() -> None:
    asked = [(prompt, parse_spatial(prompt)) for prompt in read_suite(DATA, "spatial")]
    persons = {"girl", "boy", "man", "woman"}
    for prompt, related in asked:
        words = prompt.split()
        ends = ["person" if word in persons else word for word in (words[1], words[-1])]
        assert [related.first, related.second] == ends
        assert related.relation == " ".join(words[2:-2])
    counts = Counter(related.relation for _, related in asked)
    assert counts == {
        "on the top of": 56,
        "on the right of": 56,
        "on the bottom of": 52,
        "on the left of": 51,
        "on side of": 37,
        "next to": 24,
        "near": 24,
    }


@at_hand
def test_membership_of_the_complex_prompts() -> None:
    sets = read_complex_sets(DATA)
    kinds = Counter(sets.kind(prompt) for prompt in read_suite(DATA, "complex"))
    assert kinds == {"spatial": 58, "action": 212, "both": 30}
    related = [
        parse_spatial(prompt, "complex").relation
        for prompt in read_suite(DATA, "complex")
        if sets.kind(prompt) != "action"
    ]
    assert related.count(None) == 1  # a sunset that speaks of no relation


@at_hand
def test_every_suite_has_300_prompts_without_line_ends() -> None:
    for suite in SUITES:
        prompts = read_suite(DATA, suite)
        assert len(prompts) == len(set(prompts)) == 300
        assert all(p == p.strip() and parse_file_name(file_name(p, 7)) == (p, 7) for p in prompts)


def test_prompt_files(tmp_path: Path) -> None:
    path = tmp_path / "color_val.txt"
    path.write_bytes(b"a red cup\r\n\r\na blue cat  \r\n")
    assert read_prompts(path) == read_suite(tmp_path, "color") == ("a red cup", "a blue cat")
    path.write_text("a red_cup\n")
    with pytest.raises(SituError, match="'a red_cup' has _ or /"):
        read_prompts(path)
    path.write_text("\n")
    with pytest.raises(SituError, match="has no prompts"):
        read_prompts(path)
    with pytest.raises(SituError, match="suite 'colour' is unknown"):
        read_suite(tmp_path, "colour")


def test_quirk_a_prompt_ends_at_the_first_underscore() -> None:
    assert file_name("a red cup", 12) == "a red cup_000012.png"
    assert parse_file_name("a red cup_000012.png") == ("a red cup", 12)
    with pytest.raises(SituError, match=r"a_cup_000012\.png"):
        parse_file_name("a_cup_000012.png")


def test_quirk_membership_is_of_the_text_before_the_first_full_stop() -> None:
    sets = ComplexSets(frozenset({"the cat is on the mat"}), frozenset())
    assert sets.kind("The cat is on the mat. It sleeps.") == "spatial"
    assert sets.kind("The cat sleeps.") == "both"


def test_three_in_one_takes_what_the_prompt_speaks_of() -> None:
    assert three_in_one("spatial", 0.4, 0.8, None) == pytest.approx(0.6)
    assert three_in_one("action", 0.4, None, 0.3) == pytest.approx(0.35)
    assert three_in_one("both", 0.4, 0.8, 0.3) == pytest.approx(0.5)
    with pytest.raises(SituError, match='"both" needs'):
        three_in_one("both", 0.4, 0.8, None)
    with pytest.raises(SituError, match="got 'none'"):
        three_in_one("none", 0.4, 0.8, 0.1)  # type: ignore[arg-type]


def test_questions_are_at_most_eight_and_name_no_places() -> None:
    assert questions("a green bench and a blue bowl") == ("a green bench?", "a blue bowl?")
    assert questions("", ["a cat", "The left", "top", "a dog"]) == ("a cat?", "a dog?")
    assert len(questions("", [f"a thing {i}" for i in range(12)])) == 8


def test_quirk_the_product_rounds_each_answer_to_four_decimals() -> None:
    answers = [0.12344, 0.98766]
    assert blip_vqa_score(answers) == pytest.approx(0.1234 * 0.9877, abs=1e-12)
    assert blip_vqa_score(answers, "sane") == pytest.approx(0.12344 * 0.98766, abs=1e-12)
    assert blip_vqa_score([0.00004, 1.0]) == 0
    assert blip_vqa_score([0.00004, 1.0], "sane") > 0


def test_quirk_a_prompt_without_questions_scores_one() -> None:
    assert blip_vqa_score([]) == 1
    with pytest.raises(SituError, match=r"0\.\.1, got nan"):
        blip_vqa_score([math.nan])


NOUNS = {"cups": "cup", "cup": "cup", "mice": "mouse", "mouse": "mouse", "ship": "ship"}


def test_numbers_and_names_of_a_numeracy_prompt() -> None:
    assert parse_numeracy("Two cups, a ship and five mice", NOUNS) == (
        ("cup", 2),
        ("ship", 1),
        ("mouse", 5),
    )
    with pytest.raises(SituError, match="no number word"):
        parse_numeracy("cups", NOUNS)


@at_hand
def test_the_numeracy_prompts_lose_no_number() -> None:
    nouns = read_nouns(DATA / "new_objects.txt")
    assert len(set(nouns.values())) == 88
    numbers = {"one", "two", "three", "four", "five", "six", "seven", "eight"}
    for prompt in read_suite(DATA, "numeracy"):
        asked = parse_numeracy(prompt, nouns)
        assert len(asked) >= sum(word in numbers for word in prompt.split())


def test_noun_files_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "new_objects.txt"
    path.write_text("man - men\n\nfish - fish\n")
    assert read_nouns(path) == {"men": "man", "man": "man", "fish": "fish"}
    path.write_text("man - men\nfish\n")
    with pytest.raises(SituError, match=r"new_objects\.txt:2: must be"):
        read_nouns(path)


def grid(label: str, count: int) -> list[Detection]:
    return [seen(label, 0.9, 50 * i, 0, 50 * i + 40, 40) for i in range(count)]


@pytest.mark.parametrize(
    ("cups", "mice", "score"), [(2, 3, 1.0), (1, 3, 0.75), (0, 3, 0.5), (5, 0, 0.25), (0, 0, 0.0)]
)
def test_presence_and_number_are_half_a_point_each(cups: int, mice: int, score: float) -> None:
    found = grid("cup", cups) + grid("mouse", mice)
    value, counts = numeracy_score([("cup", 2), ("mouse", 3)], found)
    assert value == pytest.approx(score)
    assert [c.found for c in counts] == [cups, mice]


def test_boxes_of_one_thing_count_once() -> None:
    big, inner = seen("cup", 0.9, 0, 0, 200, 200), seen("cup", 0.8, 10, 10, 60, 60)
    again, half = seen("cup", 0.7, 1, 1, 200, 200), seen("cup", 0.6, 170, 0, 230, 100)
    other = seen("mouse", 0.9, 10, 10, 60, 60)
    assert numeracy_score([("cup", 2)], [inner, again, big, half, other])[0] == 1
    assert numeracy_score([("cup", 1)], [inner, again, big])[0] == 1


def test_quirk_letters_of_a_label_count_where_no_label_is_equal() -> None:
    cupboard = grid("cupboard", 1)
    assert numeracy_score([("cup", 1)], cupboard)[0] == 1
    assert numeracy_score([("cup", 1)], cupboard, "sane")[0] == 0
    assert numeracy_score([("cup", 1)], grid("coffee cup", 1), "sane")[0] == 1
    exact = [*cupboard, seen("cup", 0.9, 300, 300, 340, 340)]
    assert numeracy_score([("cup", 1)], exact)[1][0].found == 1


@pytest.mark.parametrize(
    ("asked", "label"), [("ship", "boat"), ("goldfish", "fish"), ("painting", "picture")]
)
def test_quirk_aliases_of_the_detector(asked: str, label: str) -> None:
    assert numeracy_score([(asked, 2)], grid(label, 2))[0] == 1


def test_a_nearer_overlapping_thing_is_in_front() -> None:
    cat, dog = seen("cat", 0.8, 0, 0, 120, 480), seen("dog", 0.6, 60, 0, 180, 480)
    depth = np.tile(np.linspace(1, 0, 480), (480, 1))  # the left is near
    share = (60 / 180) / 0.5
    for relation, expected in (("in front of", share), ("behind", 0), ("hidden by", 0)):
        scored = spatial_3d_score(Related("cat", relation, "dog"), [cat, dog], depth)
        assert scored.geometry == pytest.approx(expected)
        assert scored.score == pytest.approx(0.35 + 0.5 * expected)
    same = spatial_3d_score(Related("dog", "behind", "cat"), [cat, dog], depth)
    assert same.geometry == pytest.approx(share)


def test_half_an_overlap_is_enough_and_none_is_nothing() -> None:
    depth = np.tile(np.linspace(1, 0, 480), (480, 1))
    cat, dog, far = (seen(n, 1.0, x, 0, x + 120, 100) for n, x in (("a", 0), ("b", 20), ("c", 200)))
    front = Related("a", "in front of", "b")
    assert spatial_3d_score(front, [cat, dog], depth).geometry == 1
    front = Related("a", "in front of", "c")
    assert spatial_3d_score(front, [cat, far], depth).geometry == 0


def test_quirk_3d_has_no_floor() -> None:
    alone = [seen("cat", 0.8, 0, 0, 120, 480)]
    assert spatial_3d_score(Related("cat", "behind", "dog"), alone, np.ones((8, 8))).score == 0.2


def test_quirk_the_depth_map_is_transposed_only_on_request() -> None:
    cat, dog = seen("cat", 0.8, 0, 240, 240, 470), seen("dog", 0.8, 100, 150, 340, 380)
    asked = Related("cat", "in front of", "dog")
    depth = np.tile(np.linspace(1, 0, 480), (480, 1))
    assert spatial_3d_score(asked, [cat, dog], depth).geometry > 0
    assert spatial_3d_score(asked, [cat, dog], depth, transposed=True).geometry == 0
    swapped = spatial_3d_score(asked, [cat, dog], depth.T, transposed=True)
    assert swapped == spatial_3d_score(asked, [cat, dog], depth)
    with pytest.raises(SituError, match=r"square \[S, S\], got the shape \[4, 8\]"):
        spatial_3d_score(asked, [cat, dog], np.ones((4, 8)), transposed=True)


def test_prompts_of_depth() -> None:
    assert parse_spatial_3d("a cat hidden by a woman") == Related("cat", "hidden by", "person")
    with pytest.raises(SituError, match="in front of, behind, hidden by"):
        parse_spatial_3d("a cat near a dog")


@at_hand
def test_the_depth_prompts_are_all_parsed() -> None:
    relations = Counter(parse_spatial_3d(p).relation for p in read_suite(DATA, "3d_spatial"))
    assert relations == {"hidden by": 115, "in front of": 102, "behind": 83}


def test_the_number_is_the_mean_over_pictures() -> None:
    assert mean([0.5, 0.5, 0.2]) == pytest.approx(0.4)
    with pytest.raises(SituError, match="no scores"):
        mean([])


def test_a_relation_goes_to_its_own_rule() -> None:
    with pytest.raises(SituError, match="'under' is unknown"):
        Related("cat", "under", "dog")
    found = [seen("cat", 0.9, 10, 100, 110, 200), seen("dog", 0.8, 250, 110, 350, 210)]
    with pytest.raises(SituError, match="'behind' is none of 2-D"):
        spatial_score(Related("cat", "behind", "dog"), found)
    with pytest.raises(SituError, match="'near' has no depth"):
        spatial_3d_score(Related("cat", "near", "dog"), found, np.ones((8, 8)))
