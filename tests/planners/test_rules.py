"""The rules: 919 sentences with their scenes, properties of every layout, and fuzz."""

import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from itertools import combinations, pairwise

import pytest
from gold import faults, sentences, stands
from hypothesis import given, settings
from hypothesis import strategies as st

from situ.planners import Planned, comparisons, nouns, plan_by_rules, verb_forms, words
from situ.planners.chunks import MAX_WORDS
from situ.scene import Box, SituError
from situ.scene.layout import MAX_OBJECTS
from situ.scene.relations import RELATIONS
from situ.storybook import grammar
from situ.storybook.kinds import KINDS
from situ.storybook.verdict import parse
from situ.storybook.world import sample_page

LINES = 60_000  # Python lines that one sentence may take; a typical one takes about 3,000
SMALL = 1e-9
LONGEST_S = 0.05  # of the processor, for any text

BANK = [
    sorted(words.DETERMINERS | words.PREPOSITIONS | words.CONJUNCTIONS | words.COPULAS),
    sorted(words.NUMBERS) + sorted(words.VAGUE) + sorted(words.GROUPS) + sorted(words.ORDINALS),
    sorted(words.NEGATIONS | words.PRONOUNS | words.RELATIVES | words.HAVING),
    [",", ".", ";", ":", "of", "with", "than", "side", "full of", "to the left of", "number of",
     "in the top left corner", "next to", "between", "around", "each other", "to its right"],
    sorted(nouns.SIZES), sorted(nouns.NAMED), sorted(verb_forms.VERBS), sorted(words.ADJECTIVES),
]  # fmt: skip


def planned(text: str, seed: int = 0) -> Planned:
    return plan_by_rules(text, seed)


def boxes(plan: Planned, phrase: str) -> list[Box]:
    return [item.box for item in plan.layout if item.phrase == phrase]


def counts(text: str) -> dict[str, int]:
    return dict(Counter(planned(text).layout.phrases))


def nonsense(rng: random.Random) -> str:
    """Words of the grammar in any order, or characters of any script."""
    length = rng.choice((1, 2, 3, 5, 8, 12, 20, 40))
    if rng.random() < 0.15:
        ranges = ((32, 127), (0x250, 0xD7FF), (0xE000, 0x10FFFF))
        return "".join(chr(rng.randrange(*rng.choice(ranges))) for _ in range(4 * length))
    return " ".join(rng.choice(rng.choice(BANK)) for _ in range(length))


def check(plan: Planned) -> None:
    """What holds of every layout. Boxes were checked when they were made."""
    assert len(plan.layout) <= MAX_OBJECTS
    assert len(plan.layout) == sum(thing.count for thing in plan.symbols.things)
    known = {thing.phrase for thing in plan.symbols.things}
    assert set(plan.layout.phrases) <= {" ".join(name.split()) for name in known}
    for relation in plan.symbols.relations:
        assert relation.subject != relation.object
        assert max(relation.subject, relation.object, relation.other or 0) < len(
            plan.symbols.things
        )


# development set --------------------------------------------------------------------------------


def test_nearly_all_development_sentences_are_planned_right() -> None:
    """Sentences it was not tuned on scored 64 to 91 percent; many joined these, so all are training."""
    golds = sentences()
    assert len(golds) == 922
    for seed in (0, 1, 2):
        wrong = {g["text"]: f for g in golds if (f := faults(g, planned(g["text"], seed).layout))}
        assert len(wrong) <= 6, wrong


def test_what_is_absent_gets_no_box_and_places_are_background() -> None:
    for gold in sentences():
        plan = planned(gold["text"])
        for name in gold.get("absent", ()):
            assert not any(name in phrase for phrase in plan.layout.phrases), gold["text"]
            assert plan.symbols.absent


def test_the_judge_of_the_development_set_can_say_no() -> None:
    gold = {"objects": [["cat", 1], ["mat", 1]], "relations": [["cat", "on", "mat"]]}
    assert not faults(gold, planned("a cat on a mat").layout)
    assert faults(gold, planned("a cat under a mat").layout)
    assert faults(gold, planned("two cats on a mat").layout)
    assert faults(gold, planned("a cat on a mat and a dog").layout)


# sentences --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("two dogs", {"dog": 2}),
        ("a pair of socks and a pair of scissors", {"sock": 2, "scissors": 1}),
        ("three dozen eggs", {"egg": MAX_OBJECTS}),
        ("a herd of seven cows", {"cow": 7}),
        ("two benchs, three buss and five sheeps", {"bench": 2, "bus": 3, "sheep": 5}),
        ("six apples, four of them green", {"apple": 2, "green apple": 4}),
        ("two cups. One of the cups is blue", {"cup": 1, "blue cup": 1}),
        ("a red and a blue ball", {"red ball": 1, "blue ball": 1}),
        ("a black and white cat", {"black and white cat": 1}),
        ("there are more cups than plates; there are four plates", {"plate": 4, "cup": 5}),
        ("three boxes with half as many balls as boxes", {"box": 3, "ball": 2}),
        ("a cat and a cat", {"cat": 2}),
        ("a cat sits near a tree. The cat is black.", {"black cat": 1, "tree": 1}),
        ("a toy fire truck", {"toy fire truck": 1}),
        ("no dogs", {}),
        ("an apple but not a pear", {"apple": 1}),
        ("two cats without hats", {"cat": 2}),
        ("a cinematic photo of a fox, 8k, award-winning, bokeh", {"fox": 1}),
        ("ducks quacked near a frog", {"duck": 2, "frog": 1}),
        ("three blorps beside a snurf", {"blorp": 3, "snurf": 1}),
        ("a snurf blorps past a cat", {"snurf": 1, "cat": 1}),
        ("two snurfs blorp near a cat", {"snurf": 2, "cat": 1}),
        ("an umbrella stands beside an umbrella stand", {"umbrella": 1, "umbrella stand": 1}),
        ("a man riding skis", {"man": 1, "skis": 1}),
        ("two pairs of jeans and a pair of glasses", {"jeans": 2, "glasses": 1}),
        ("two of the three cups are red", {"red cup": 2, "cup": 1}),
        ("six eggs, half of them brown", {"egg": 3, "brown egg": 3}),
        ("neither the cat nor the dog wears a hat", {"cat": 1, "dog": 1}),
        ("a lamp on each of the two desks", {"lamp": 2, "desk": 2}),
        ("a horse, none of it white", {"horse": 1}),
    ],
)
def test_things_and_their_numbers(text: str, expected: dict[str, int]) -> None:
    assert counts(text) == expected


def test_words_that_were_not_understood_are_reported() -> None:
    assert set(planned("three blorps beside a snurf").unknown) == {"blorps", "snurf"}
    assert planned("three cats beside a wooden house").unknown == ()


def test_style_and_background_are_kept_out_of_the_boxes() -> None:
    symbols = planned("a cinematic photo of a fox in a forest, 8k").symbols
    assert [thing.phrase for thing in symbols.things] == ["fox"]
    assert symbols.background == ("in a forest",)
    assert "8k" in symbols.style


@pytest.mark.parametrize(
    "phrase", ["left of", "right of", "above", "below", "on", "inside", "next to"]
)
@pytest.mark.parametrize("pair", [("cat", "box"), ("ball", "tree"), ("lamp", "bed")])
def test_every_relation_holds_in_every_variant(phrase: str, pair: tuple[str, str]) -> None:
    one, other = pair
    for seed in range(5):
        plan = planned(f"a {one} {phrase} a {other}", seed)
        assert stands(phrase, boxes(plan, one), boxes(plan, other)), (seed, plan.layout)
        assert plan.warnings == ()


@pytest.mark.parametrize("subjects", [2, 3, 4])
@pytest.mark.parametrize("predicate", ["left of", "right of", "above", "below"])
def test_groups_keep_to_their_side(subjects: int, predicate: str) -> None:
    number = ["two", "three", "four"][subjects - 2]
    for seed in range(3):
        plan = planned(f"{number} cups {predicate} a house", seed)
        assert len(boxes(plan, "cup")) == subjects
        assert stands(predicate, boxes(plan, "cup"), boxes(plan, "house"))


@pytest.mark.parametrize(
    "text",
    [
        "a cat left of a dog and the cat is right of the dog",
        "a cat left of a dog. The dog is left of the cat",
        "a red cup above a table; the table is above the red cup",
        "a ball above a box, the box above a chair and the chair above the ball",
        "a ball on a box; the box is on the ball",
    ],
)
def test_contradictions_give_a_layout_and_a_warning(text: str) -> None:
    plan = planned(text)
    assert len(plan.layout) in (2, 3)
    assert plan.warnings


def test_two_wishes_of_one_pair_that_agree_are_both_kept() -> None:
    plan = planned("a robot left of and above a crate")
    robot, crate = boxes(plan, "robot")[0].center, boxes(plan, "crate")[0].center
    assert robot[0] < crate[0]
    assert robot[1] < crate[1]


@pytest.mark.parametrize("seed", range(5))
def test_twelve_things_fit_without_overlap(seed: int) -> None:
    names = [
        "cat",
        "dog",
        "cup",
        "lamp",
        "chair",
        "ball",
        "tree",
        "house",
        "car",
        "boat",
        "apple",
        "bird",
    ]
    plan = planned(", ".join(f"a {name}" for name in names), seed)
    assert sorted(plan.layout.phrases) == sorted(names)
    for one, other in combinations(plan.layout.boxes, 2):
        assert one.iou(other) < SMALL


@pytest.mark.parametrize("number", [*range(1, MAX_OBJECTS + 1), 90])
def test_any_number_of_one_thing_fits(number: int) -> None:
    plan = planned(f"{number} apples")
    assert len(plan.layout) == min(number, MAX_OBJECTS)
    assert min(box.area for box in plan.layout.boxes) > 0.002
    assert (len(plan.warnings) > 0) == (number > MAX_OBJECTS)


def test_only_what_touches_overlaps() -> None:
    """Sentences without a relation of touch give boxes that share nothing."""
    touching = {"on", "inside", "wearing", "holding", "riding", "in front of", "behind"}
    for gold in sentences():
        plan = planned(gold["text"])
        if {r.predicate for r in plan.symbols.relations} & touching:
            continue
        for one, other in combinations(plan.layout.boxes, 2):
            assert one.iou(other) < 0.001, gold["text"]


def test_seeds_give_variety_and_repeat_exactly() -> None:
    text = "a dog, a cat and two balls"
    layouts = [planned(text, seed).layout for seed in range(6)]
    assert len(set(layouts)) == 6
    assert layouts == [planned(text, seed).layout for seed in range(6)]


def test_sizes_are_as_in_life() -> None:
    order = ["ant", "cup", "dog", "horse", "house"]
    areas = [width * height for width, height in map(nouns.size_of, order)]
    assert areas == sorted(areas)
    for small, large in pairwise(order):
        plan = planned(f"a {large} and a {small}")
        assert boxes(plan, small)[0].area < boxes(plan, large)[0].area
    plan = planned("a tiny cup and a huge cup")
    assert boxes(plan, "huge cup")[0].area > 2.5 * boxes(plan, "tiny cup")[0].area


# storybook --------------------------------------------------------------------------------------


def test_captions_of_the_storybook_are_read_back() -> None:
    """All five paraphrases of random pages: the same phrases, as often as they stand on the page."""
    total, right = 0, 0
    for seed in range(30):
        page = sample_page(seed, "val")
        asked = sorted(grammar.phrase(thing) for thing in page.things)
        for caption in grammar.captions(page):
            total += 1
            plan = planned(caption, seed)
            right += sorted(plan.layout.phrases) == asked
            for phrase in plan.layout.phrases:
                assert parse(phrase)[0] in KINDS
    assert right >= 0.99 * total


def test_the_storybook_gets_its_phrase_order_and_things_of_its_sizes() -> None:
    plan = planned("a blue striped house above a checkered cup that is red")
    assert set(plan.layout.phrases) == {"striped blue house", "checkered red cup"}
    for seed in range(10):
        plan = planned(
            "a red cat, a blue fish, a green tree, a pink heart, a white hat and a kite", seed
        )
        assert min(box.area for box in plan.layout.boxes) ** 0.5 > 0.17
    assert set(KINDS) == set(nouns.STORYBOOK)


# any text ---------------------------------------------------------------------------------------


@given(st.text(min_size=1, max_size=300))
@settings(max_examples=80)
def test_any_text_gives_a_valid_layout(text: str) -> None:
    if text.strip():
        try:
            text.encode()
        except UnicodeEncodeError:
            return
        check(planned(text))


@given(
    st.lists(st.sampled_from([w for bank in BANK for w in bank]), min_size=1, max_size=30),
    st.integers(0, 99),
)
@settings(max_examples=80)
def test_any_words_give_a_valid_layout(some: list[str], seed: int) -> None:
    check(planned(" ".join(some), seed))


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u2003"])
def test_nothing_is_an_error(text: str) -> None:
    with pytest.raises(SituError, match="nothing to plan"):
        planned(text)


@pytest.mark.parametrize(
    "text",
    ["red " * 5000, "a cat " * 5000,
     "x" * 100_000, "of " * 10_000, "two " * 10_000, "and, " * 10_000, "a b" * 9000,
     "a cat on a mat next to " * 2000, "left of " * 5000,
     "1" * 5000, "the other " * 5000, "\U0001f600" * 9000],
)  # fmt: skip
def test_endless_texts_are_cut_and_cost_little(text: str) -> None:
    ran = lines_run(lambda: check(planned(text)))
    assert ran < 40 * LINES
    assert len(text.split()) <= MAX_WORDS or planned(text).warnings


def test_a_sentence_takes_a_bounded_number_of_steps() -> None:
    """Steps and not seconds: a busy machine is not a bug. 60,000 lines are about 5 ms."""
    for gold in sentences():
        assert lines_run(lambda text=gold["text"]: planned(text)) < LINES


def lines_run(work: Callable[[], object]) -> int:
    """Python lines that a call executes."""
    count = 0

    def tracer(frame: object, event: str, argument: object) -> object:
        nonlocal count
        count += event == "line"
        return tracer

    before = sys.gettrace()
    sys.settrace(tracer)  # type: ignore[arg-type]
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def slowest(number: int, seed: int) -> float:
    """Plan that much nonsense; seconds of the processor that the slowest took, at its best of three."""
    rng, worst, slow = random.Random(seed), 0.0, ("", 0)
    for _ in range(number):
        text = (
            nonsense(rng) if rng.random() > 0.001 else " ".join(nonsense(rng) for _ in range(999))
        )
        if not text.strip():
            continue
        variant, began = rng.randrange(100), time.process_time()
        check(planned(text, variant))
        if (took := time.process_time() - began) > worst:
            worst, slow = took, (text, variant)
    return min(worst, *(seconds(lambda: planned(*slow)) for _ in range(3)))


def seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def test_thousands_of_nonsense_sentences() -> None:
    assert slowest(3000, seed=1) < LONGEST_S


@pytest.mark.slow
def test_a_hundred_thousand_nonsense_sentences() -> None:
    assert slowest(100_000, seed=2) < LONGEST_S


def test_relations_of_the_judge_are_those_of_scenes() -> None:
    assert stands("above", [Box(0.4, 0.1, 0.6, 0.2)], [Box(0.4, 0.5, 0.6, 0.7)])
    assert not stands("below", [Box(0.4, 0.1, 0.6, 0.2)], [Box(0.4, 0.5, 0.6, 0.7)])
    assert set(RELATIONS) >= {"on", "inside", "next to"}


def test_comparisons_of_nothing_are_left_alone() -> None:
    """Words of comparisons in any order: a side may be an article alone."""
    bank = "the a of more fewer than less as many number equal twice half exceed cats dogs is are there 3"
    rng = random.Random(0)
    for _ in range(3000):
        kept, told = comparisons.take(rng.choices(bank.split(), k=rng.randint(1, 12)))
        assert all(isinstance(word, str) for word in kept)
        assert all(one.order in ("same", "more", "fewer") for one in told)
