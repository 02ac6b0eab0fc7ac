"""Prompts: proportions, words, and that every caption says what its symbolic scene says."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from situ.goal2k import captions, natural, pages
from situ.goal2k.objects import common, objects
from situ.goal2k.prompts import CATEGORIES, NATURAL, Asked, Prompt, Stated, same_words
from situ.goal2k.release import split_of
from situ.goal2k.settings import Natural, Objects, Set
from situ.goal2k.templates import caption, made, plural, spoken, templates, wanted
from situ.planners.nouns import singular
from situ.planners.reader import read
from situ.scene import SituError
from situ.storybook import grammar
from situ.storybook.world import held_out, held_out_relation

COCO = Path(__file__).parents[3] / "shared/data/coco/val2017_ccby"
THINGS = [
    "person",
    "dog",
    "bus",
    "sheep",
    "knife",
    "sandwich",
    "skis",
    "bench",
    "teddy bear",
    "box",
]


@given(st.integers(1, 5000), st.floats(0, 1), st.sets(st.sampled_from(CATEGORIES), min_size=1))
def test_categories_add_up_and_templates_share_alike(n: int, half: float, names: set[str]) -> None:
    counts = wanted(Set(n=n, natural=half, categories=tuple(names)))
    assert sum(counts.values()) == n
    assert counts[NATURAL] == round(n * half)
    shares = [counts[name] for name in names]
    assert max(shares) - min(shares) <= 1
    assert all(made(Set(n=n, spare=0.1))[k] >= v for k, v in wanted(Set(n=n)).items())


def test_the_papers_set_is_half_templates_and_half_natural() -> None:
    counts = wanted(Set())
    assert counts[NATURAL] == 1000
    assert sum(counts[name] for name in CATEGORIES) == 1000


@pytest.mark.parametrize("word", THINGS)
def test_a_plural_is_read_back(word: str) -> None:
    last = word.split()[-1]
    assert singular(plural(word).split()[-1]) == last


def test_nouns_are_spoken_as_people_do() -> None:
    assert spoken(Asked("orange cat", "cat")) == "an orange cat"
    assert spoken(Asked("dog", "dog", 3)) == "three dogs"
    assert spoken(Asked("scissors", "scissors")) == "scissors"
    assert plural("red bus") == "red buses"
    assert plural("person") == "people"


@pytest.fixture(scope="module")
def storybook() -> list[Prompt]:
    settings = Set(n=180, seed=3)
    taken = pages.held_out_captions(each=50)
    found = templates(settings, objects(Objects()), "storybook", taken)
    told = [prompt.told(caption(prompt)) for prompt in found]
    return told + natural.natural(Natural(), made(settings)[NATURAL], 3, len(found), taken)


def test_storybook_captions_are_read_back_as_their_own_scene(storybook: list[Prompt]) -> None:
    for prompt in storybook:
        assert captions.difference(prompt, read(prompt.caption)) == "", prompt.caption
        shown = Counter(grammar.phrase(thing) for thing in pages.page_of(prompt).things)
        assert shown == {thing.phrase: thing.count for thing in prompt.things}
    assert Counter(p.category for p in storybook) == made(Set(n=180))
    assert [p.number for p in storybook] == list(range(len(storybook)))
    assert len({same_words(p.caption) for p in storybook}) == len(storybook)


def test_what_is_held_out_stays_held_out(storybook: list[Prompt]) -> None:
    kept = pages.held_out_captions(each=50)
    for prompt in storybook:
        page = pages.page_of(prompt)
        assert page.split == "train"
        assert not any(held_out(thing.kind, thing.colour) for thing in page.things)
        assert same_words(prompt.caption) not in kept
        for relation in prompt.relations:
            nouns = [prompt.things[i].noun for i in (relation.subject, relation.object)]
            assert not held_out_relation(*nouns)


def test_every_candidate_shows_what_the_caption_says(storybook: list[Prompt]) -> None:
    words = {word: name for name, word in pages.WORDS.items()}
    related = [prompt for prompt in storybook if prompt.relations]
    assert len(related) > 30
    moved = 0
    for prompt in related[:40]:
        page = pages.page_of(prompt)
        for number in range(3):
            drawn = pages.candidate(page, number, prompt.relations, prompt.phrases)
            moved += drawn.things != page.things
            boxes = {grammar.phrase(thing): thing.box for thing in drawn.things}
            assert drawn == pages.candidate(page, number, prompt.relations, prompt.phrases)
            for r in prompt.relations:
                one, other = boxes[prompt.phrases[r.subject]], boxes[prompt.phrases[r.object]]
                assert grammar.relation(one, other) == words[r.predicate]
    assert moved > 40  # most of the 80 that are not the page itself


def test_template_captions_of_coco_things_are_read_back() -> None:
    things = [{"id": name, "partners": ["dog", "bench"]} for name in THINGS]
    found = templates(Set(n=240, natural=0), things, "open", set())
    rows = captions.grammar_rows(found)
    assert len(found) == 264
    assert sum("lost" in row for row in rows) <= 3
    for prompt, row in zip(found, rows, strict=True):
        if prompt.category == "color" and "lost" not in row:
            assert len({thing.phrase.split()[0] for thing in prompt.things}) == len(prompt.things)
    again = templates(Set(n=240, natural=0), things, "open", set())
    assert [caption(prompt) for prompt in again] == [caption(prompt) for prompt in found]


def test_too_few_things_for_a_set_is_said() -> None:
    things = [{"id": "dog"}, {"id": "cat"}]
    with pytest.raises(SituError, match="make only"):
        templates(Set(n=3000, natural=0, categories=("counting",)), things, "open", set())


def test_common_objects_leave_out_crowds_and_tiny_boxes() -> None:
    def box(number: int, image: int, kind: int, side: float, crowd: int = 0) -> dict:
        bbox = [0, 0, side, side]
        return {
            "id": number,
            "image_id": image,
            "category_id": kind,
            "bbox": bbox,
            "iscrowd": crowd,
        }

    content = {
        "images": [{"id": i, "width": 100, "height": 100} for i in (1, 2)],
        "categories": [{"id": i, "name": n} for i, n in enumerate(["dog", "tv", "cat"])],
        "annotations": [
            box(1, 1, 0, 50),
            box(2, 2, 0, 30),
            box(3, 1, 1, 40),
            box(4, 1, 2, 5),
            box(5, 2, 2, 90, crowd=1),
        ],
    }
    assert common(content, 0.02) == [
        {"id": "dog", "count": 2, "area": 0.17, "partners": ["television"]},
        {"id": "television", "count": 1, "area": 0.16, "partners": ["dog"]},
    ]
    with pytest.raises(SituError, match="no COCO instances"):
        common({"annotations": []}, 0.02)


@pytest.mark.parametrize(
    ("sentence", "kept"),
    [
        ("A man riding a horse on the beach.", True),
        ("Two dogs are playing in a park.", True),
        ("A red bus in front of a house.", True),
        ("A dog.", False),  # too short, and one thing
        ("A picture of a single lonely dog", False),
        ("A dog without a collar next to a bench", False),  # a thing that must not be there
        ("Twelve birds on a wire above a house", False),  # a crowd
    ],
)
def test_natural_captions_tell_of_more_than_one_thing(sentence: str, kept: bool) -> None:
    assert (natural.reading(sentence, 30) is not None) == kept


def test_relations_of_natural_captions_are_kept() -> None:
    things, relations = natural.reading("A cat sitting on a red car", 30) or ((), ())
    assert [thing.phrase for thing in things] == ["cat", "red car"]
    assert relations == (Stated(0, "on", 1),)


@pytest.mark.skipif(not COCO.exists(), reason="no COCO sample")
def test_coco_captions_become_prompts() -> None:
    source = Natural(source=str(COCO / "captions.json"))
    found = natural.natural(source, 15, 0, 100, set())
    content = json.loads((COCO / "captions.json").read_text())
    texts = {(row["image_id"], row["id"]): row["caption"] for row in content["annotations"]}
    assert len({prompt.source["image_id"] for prompt in found}) == 15
    for prompt in found:
        whole = texts[prompt.source["image_id"], prompt.source["caption_id"]]
        assert prompt.caption == " ".join(whole.split())
        assert prompt.total >= 2
    with pytest.raises(SituError, match="5000 are wanted"):
        natural.natural(source, 5000, 0, 0, set())


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_larger_val_part_holds_the_smaller_one(one: float, other: float) -> None:
    small, large = sorted((one, other))
    texts = [f"caption {i}" for i in range(30)]
    inside = {text for text in texts if split_of(text, small) == "val"}
    assert inside <= {text for text in texts if split_of(text, large) == "val"}


def test_splits_have_about_their_share_and_forget_spelling() -> None:
    share = sum(split_of(f"caption {i}", 0.05) == "val" for i in range(4000)) / 4000
    assert abs(share - 0.05) < 0.015
    assert split_of("A dog, a cat.", 0.5) == split_of("a dog a cat", 0.5)
