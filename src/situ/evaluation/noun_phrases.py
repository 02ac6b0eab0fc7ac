"""Noun phrases of a prompt, which become the questions of BLIP-VQA (T2I-CompBench, Huang et al. 2023).

The benchmark takes the noun chunks of spaCy's `en_core_web_sm`. Three sources give them here: closed
word lists (`noun_chunks`, no library), spaCy where it is installed (`spacy_noun_chunks`), and a
reviewed file (`read_chunks`). The rules are made for "<phrase> and <phrase>", which most attribute
prompts are; on free sentences they and spaCy differ, so a report says which source it used.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from situ.scene import SituError
from situ.scene.strict_json import parse, read


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NOT_THINGS = frozenset({"top", "the top", "the side", "the left", "the right"})
MAX_PHRASES = 8

DETERMINERS = _words(
    """
    a an the this that these those one two three four five six seven eight nine ten many several
    some each every another their its his her
    """
)
PREPOSITIONS = _words(
    """
    about above across after against along among around at before behind below beneath beside
    between beyond by down during for from in inside into like near of off on onto out outside
    over past through to toward towards under underneath until up upon with within without
    """
)
CONNECTIVES = _words(
    """
    as because but or so than then there when where which while who whose that if how next
    together it they them he she we i you everything something nearby other
    """
)
VERBS = _words(
    """
    am are is was were be been being has have had do does did can could will would may might sit
    sits sat sitting lie lies lay lying laying stand stands stood standing hang hangs hung
    hanging rest rests hold holds held holding keep keeps kept run runs ran running fly flies
    flew swim swims swam sink sinks sank fall falls fell rise rises rose drive drives drove wear
    wears wore wearing eat eats ate drink drinks drank write writes wrote read reads ride rides
    rode riding make makes made give gives gave grow grows grew shine shines shone spin spins
    spun sing sings sang sleep sleeps slept blow blows blew break breaks broke come comes came
    go goes went feel feels felt leave leaves left show shows serve serves provide provides
    display displays feature features attract attracts contrast contrasts measure measures
    illuminate release mix stir boil cook decorate jot nap perch flash lead leads led
    parked lined made
    """
)
MODIFIERS = _words(
    """
    red orange yellow green blue purple pink brown black white grey gray golden gold silver tan
    beige whitish colorful colourful dark light bright pale vivid dull long short tall low high
    narrow wide thick thin big large huge small little tiny round square oval oblong rectangular
    circular triangular pentagonal hexagonal cubic spherical conical cylindrical pyramidal
    diamond crescent teardrop soft hard smooth rough fluffy fuzzy sharp sleek shiny glossy matte
    crisp bumpy spiky jagged cool warm hot cold wet dry clean old new young sweet sour juicy
    fresh fiery sturdy majestic delicate striped checkered wooden metallic crystal-clear
    sparkling towering empty modern vibrant intricate detailed bold striking winding
    """
)
ALSO_NOUNS = _words("orange square oval diamond crescent teardrop gold silver light round")
AUXILIARIES = _words("am are is was were be been being has have had do does did")
THINGS_TOO = _words("stand can display drink show break rest")  # at the end of a phrase

_TOKEN = re.compile(r"[^\W_]+(?:[-'’:][^\W_]+)*|[^\w\s]")

Span = tuple[int, int]  # characters of the prompt, from and to


class Parsed(Protocol):
    """What spaCy makes of a text; the part of it that is used here."""

    @property
    def noun_chunks(self) -> Any: ...
    def __iter__(self) -> Any: ...


Parser = Callable[[str], Parsed]


def noun_chunks(prompt: str) -> tuple[str, ...]:
    """Noun chunks by word lists, in their order and spelling: "a red cup and the dog" -> both.

    A chunk ends at punctuation, a preposition, a connective, a verb, or where a determiner begins
    the next one. "and" and commas join two modifiers ("a black and white cat") and part two things.
    """
    tokens = [(match.group().lower(), match.span()) for match in _TOKEN.finditer(prompt)]
    chunks: list[list[tuple[str, Span]]] = [[]]
    for place, (word, span) in enumerate(tokens):
        following = tokens[place + 1][0] if place + 1 < len(tokens) else ""
        if word in ("and", ",") and _joins(chunks[-1], following):
            chunks[-1].append((word, span))
        elif _ends_chunk(word) and not _is_noun_here(word, following, chunks[-1]):
            chunks.append([])
        elif word in DETERMINERS and chunks[-1]:
            chunks.append([(word, span)])
        else:
            chunks[-1].append((word, span))
    kept = [chunk for chunk in map(_without_verb, chunks) if _names_a_thing(chunk)]
    return tuple(prompt[chunk[0][1][0] : chunk[-1][1][1]] for chunk in kept)


def questioned(chunks: tuple[str, ...]) -> tuple[str, ...]:
    """The chunks that the benchmark asks about: no places ("the left"), at most MAX_PHRASES."""
    return tuple(chunk for chunk in chunks if chunk.lower() not in NOT_THINGS)[:MAX_PHRASES]


def head(chunk: str) -> str:
    """The last word of a noun chunk, in lower case: "the blue water bottle" -> "bottle"."""
    return chunk.lower().split()[-1]


def _joins(chunk: list[tuple[str, Span]], following: str) -> bool:
    words = [word for word, _ in chunk if word not in DETERMINERS]
    if not words or following in DETERMINERS or not following[:1].isalnum():
        return False
    return all(word in MODIFIERS or word in ("and", ",") for word in words)


def _ends_chunk(word: str) -> bool:
    return (
        not word[0].isalnum()
        or word == "and"
        or word in PREPOSITIONS
        or (word in CONNECTIVES and word != "that")
        or word in VERBS
    )


def _is_noun_here(word: str, following: str, chunk: list[tuple[str, Span]]) -> bool:
    """Many verbs are nouns too: after nothing but modifiers ("a blue rose") or where a phrase must
    end with them ("a book stand and ...")."""
    if word not in VERBS - AUXILIARIES or not chunk:
        return False
    if word in THINGS_TOO and following in ("", "and", ",", "."):
        return True
    return all(w in DETERMINERS or w in MODIFIERS or w.endswith("ing") for w, _ in chunk)


def _without_verb(chunk: list[tuple[str, Span]]) -> list[tuple[str, Span]]:
    """A participle or past tense at the end ("the rain poured") is no part of it."""
    while chunk and (_past_tense(chunk[-1][0]) or chunk[-1][0] in ("and", ",")):
        chunk = chunk[:-1]
    return chunk


def _past_tense(word: str) -> bool:
    return len(word) > 4 and word.endswith("ed") and not word.endswith("eed") and word != "hundred"


def _names_a_thing(chunk: list[tuple[str, Span]]) -> bool:
    words = [word for word, _ in chunk if word not in DETERMINERS]
    if not words:
        return False
    return words[-1] not in MODIFIERS or (words[-1] in ALSO_NOUNS and len(chunk) > 1)


def spacy_noun_chunks(prompt: str, parser: Parser | None = None) -> tuple[str, ...]:
    """Noun chunks by spaCy, the benchmark's own source. SituError where spaCy is not installed."""
    parsed = (parser or load_spacy())(prompt)
    return tuple(chunk.text for chunk in parsed.noun_chunks)


def without_adjectives(prompt: str, parser: Parser | None = None) -> str:
    """The prompt without the words that spaCy tags ADJ: what the "complex" suite gives to CLIP."""
    parsed = (parser or load_spacy())(prompt)
    return " ".join(token.text for token in parsed if token.pos_ != "ADJ")


def load_spacy(model: str = "en_core_web_sm") -> Parser:
    """spaCy's parser for English."""
    try:
        import spacy  # pyright: ignore[reportMissingImports]

        return spacy.load(model)
    except (ImportError, OSError):
        raise SituError(
            f"spaCy's {model} is not installed: run `pip install spacy` and "
            f"`python -m spacy download {model}`, or take the chunks of the rules or of a file"
        ) from None


def read_chunks(path: str | Path) -> dict[str, tuple[str, ...]]:
    """A reviewed JSON file {prompt: [phrase, ...]}."""
    content = parse(read(path))
    if not isinstance(content, dict):
        raise SituError(f"{path}: must be an object of prompt: [phrases]")
    for prompt, chunks in content.items():
        if not isinstance(chunks, list) or not all(isinstance(c, str) and c for c in chunks):
            raise SituError(f"{path}: {prompt!r} must have a list of phrases, got {chunks!r}")
    return {prompt: tuple(chunks) for prompt, chunks in content.items()}
