"""Phrases to the names of a closed vocabulary, as benchmarks and detectors want them."""

from collections.abc import Collection

from situ.planners.nouns import singular
from situ.scene import Layout, Object


def named(layout: Layout, vocabulary: Collection[str]) -> Layout:
    """The layout with each phrase as the name it ends with, or else contains: "red fire truck", "truck".

    A phrase that contains no name keeps its words.
    """
    names = sorted(vocabulary, key=lambda name: -len(name))
    return Layout(tuple(Object(name_of(item.phrase, names), item.box) for item in layout))


def name_of(phrase: str, names: Collection[str]) -> str:
    """The first of `names` that the phrase ends with, before "of" too; else the first that it contains."""
    words = " ".join(singular(word) for word in phrase.lower().split())
    for text in (words.split(" of ")[0], words):
        for name in names:
            if f" {text}".endswith(f" {singular(name)}") or f" {text}".endswith(f" {name}"):
                return name
    for name in names:
        if f" {singular(name)} " in f" {words} " or f" {name} " in f" {words} ":
            return name
    return phrase
