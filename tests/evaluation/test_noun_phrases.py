"""Noun phrases by rules: the benchmark's two-thing prompts, and sentences split by hand."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from situ.evaluation.noun_phrases import (
    head,
    load_spacy,
    noun_chunks,
    questioned,
    read_chunks,
    spacy_noun_chunks,
    without_adjectives,
)
from situ.scene import SituError

DATA = Path(__file__).parents[3] / "shared/data/t2i_compbench"


@pytest.mark.parametrize(
    ("prompt", "chunks"),
    [
        ("a green bench and a blue bowl", "a green bench|a blue bowl"),
        ("rubber gloves and a wooden table", "rubber gloves|a wooden table"),
        ("a red orange and a brown sheep", "a red orange|a brown sheep"),
        ("A black and white cat sits in a white sink.", "A black and white cat|a white sink"),
        ("a long, narrow kitchen with tan tiles", "a long, narrow kitchen|tan tiles"),
        ("two sheep, a black goat and a cow", "two sheep|a black goat|a cow"),
        ("a triangular slice of cheese", "a triangular slice|cheese"),
        ("The striped rug was next to the bench.", "The striped rug|the bench"),
        ("The heavy rain poured on the roof", "The heavy rain|the roof"),
        ("a blue rose and the rustling leaves", "a blue rose|the rustling leaves"),
        ("a cubic Rubik's cube", "a cubic Rubik's cube"),
        ("a crystal-clear lake", "a crystal-clear lake"),
        ("it is red and she sings", ""),
        ("", ""),
    ],
)
def test_sentences_split_by_hand(prompt: str, chunks: str) -> None:
    assert noun_chunks(prompt) == tuple(c for c in chunks.split("|") if c)


SIMPLE = re.compile(r"(an? [a-zR' -]+) and (an? [a-z' -]+)")  # sentences begin with a capital
WORDS_OF_MORE = re.compile(r" (of|with|in|on|next|sitting) ")


@pytest.mark.skipif(not DATA.is_dir(), reason="the benchmark's prompts are not at hand")
@pytest.mark.parametrize(("suite", "least"), [("color", 230), ("shape", 200), ("texture", 190)])
def test_a_thing_and_a_thing_are_two_phrases(suite: str, least: int) -> None:
    lines = (DATA / f"{suite}_val.txt").read_text().splitlines()
    prompts = [line.strip().rstrip(".") for line in lines if not WORDS_OF_MORE.search(line)]
    found = [(prompt, SIMPLE.fullmatch(prompt)) for prompt in prompts]
    pairs = [(prompt, match.groups()) for prompt, match in found if match]
    assert len(pairs) >= least
    for prompt, expected in pairs:
        assert noun_chunks(prompt) == expected


@pytest.mark.skipif(not DATA.is_dir(), reason="the benchmark's prompts are not at hand")
def test_every_attribute_prompt_has_a_phrase() -> None:
    for suite in ("color", "shape", "texture", "complex"):
        for line in (DATA / f"{suite}_val.txt").read_text().splitlines():
            chunks = noun_chunks(line)
            assert chunks or not line.strip()
            assert all(chunk in line for chunk in chunks)


def test_places_are_not_asked_about() -> None:
    chunks = noun_chunks("The red book was on top of the shelf, on the left.")
    assert questioned(chunks) == ("The red book", "the shelf")
    assert len(questioned(tuple(f"thing {i}" for i in range(9)))) == 8


def test_the_head_is_the_last_word() -> None:
    assert head("the blue Water Bottle") == "bottle"


def test_reviewed_files(tmp_path: Path) -> None:
    path = tmp_path / "chunks.json"
    path.write_text('{"a cat on a mat": ["a cat", "a mat"], "up": []}')
    assert read_chunks(path) == {"a cat on a mat": ("a cat", "a mat"), "up": ()}
    path.write_text('{"a cat": "a cat"}')
    with pytest.raises(SituError, match="'a cat' must have a list"):
        read_chunks(path)
    path.write_text("[]")
    with pytest.raises(SituError, match="must be an object"):
        read_chunks(path)


@dataclass
class Token:
    text: str
    pos_: str = ""


class Sentence:
    """What a parser returns, without a parser."""

    noun_chunks = (Token("a red cat"),)

    def __iter__(self):
        return iter([Token("a", "DET"), Token("red", "ADJ"), Token("cat", "NOUN")])


def test_another_parser_may_be_used() -> None:
    assert spacy_noun_chunks("", lambda text: Sentence()) == ("a red cat",)
    assert without_adjectives("", lambda text: Sentence()) == "a cat"


def test_a_missing_parser_says_how_to_get_it() -> None:
    with pytest.raises(SituError, match="python -m spacy download no_such_model"):
        load_spacy("no_such_model")


def test_rules_agree_with_spacy() -> None:
    pytest.importorskip("spacy")
    try:
        parser = load_spacy()
    except SituError:
        pytest.skip("spaCy has no English model here")
    for prompt in ("a green bench and a blue bowl", "The striped rug was next to the bench."):
        assert noun_chunks(prompt) == spacy_noun_chunks(prompt, parser)
