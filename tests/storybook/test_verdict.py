"""Phrases of the storybook, read back."""

import pytest

from situ.scene import SituError
from situ.storybook.grammar import phrase
from situ.storybook.verdict import parse
from situ.storybook.world import sample_page


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("striped blue house", ("house", "blue", "striped")),
        ("red fish", ("fish", "red", "plain")),
        ("A Dotted cat", ("cat", None, "dotted")),
        ("star", ("star", None, "plain")),
    ],
)
def test_phrases_are_read(text: str, meaning: tuple[str, str | None, str]) -> None:
    assert parse(text) == meaning


def test_every_phrase_of_the_grammar_is_read_back() -> None:
    things = [thing for seed in range(50) for thing in sample_page(seed).things]
    assert all(parse(phrase(t)) == (t.kind, t.colour, t.texture) for t in things)


@pytest.mark.parametrize("text", ["blue", "house blue", "blue castle", "two red fish", "the"])
def test_other_phrases_are_refused(text: str) -> None:
    with pytest.raises(SituError, match="not of the storybook"):
        parse(text)


def test_a_slip_of_the_pen_is_guessed() -> None:
    with pytest.raises(SituError, match="'huose' may mean 'house'"):
        parse("blue huose")
