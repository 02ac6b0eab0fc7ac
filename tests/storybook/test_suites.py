"""Suites hold the pages that they promise, and always the same ones."""

import pytest

from situ.scene import SituError
from situ.storybook import grammar, suites
from situ.storybook.world import sample_page


@pytest.mark.parametrize("name", suites.SUITES)
def test_a_suite_is_the_first_pages_that_fit(name: str) -> None:
    few, more = suites.pages(name, 3), suites.pages(name, 6)
    assert more[:3] == few
    assert len({page.seed for page in more}) == 6
    assert all(suites.SUITES[name].fits(page) and page.split == "val" for page in more)


def test_spatial_prompts_say_how_their_two_things_stand() -> None:
    for page in suites.pages("spatial", 12):
        first, second = page.things
        said = grammar.relation(first.box, second.box)
        words = [w for some in grammar.RELATION_WORDS.values() for w in some]
        caption = suites.scene(page, "spatial").caption
        assert said in ("left", "right", "above", "below", "next")
        assert any(f" {w} " in caption for w in words)


def test_counting_prompts_say_a_number() -> None:
    for page in suites.pages("counting", 12):
        word = grammar.NUMBERS[len(page.things)]
        assert f" {word} " in suites.scene(page, "counting").caption


def test_textures_are_all_named() -> None:
    for page in suites.pages("texture", 6):
        assert all(thing.texture in suites.scene(page, "texture").caption for thing in page.things)


@pytest.mark.parametrize(
    ("name", "count"), [("color", 4), ("spatial", 4), ("complex", 4), ("any", 0)]
)
def test_pages_with_more_things_fit_the_suite_as_well(name: str, count: int) -> None:
    pages = suites.pages(name, 3, things=4)
    assert all(suites.SUITES[name].fits(page) for page in pages)
    assert not count or {len(page.things) for page in pages} == {count}
    if name == "complex":  # it has three at least
        assert suites.pages(name, 3, things=2) == suites.pages(name, 3)


def test_no_page_of_a_suite_is_trained_on() -> None:
    page = suites.pages("any", 1)[0]
    assert page != sample_page(page.seed, "train")


def test_an_unknown_suite_is_named() -> None:
    with pytest.raises(SituError, match="spatial"):
        suites.pages("spacial", 1)
    with pytest.raises(SituError, match="things is 7; a page has 1 to 6"):
        suites.pages("color", 1, things=7)
