"""Prompts by what they test, in the manner of T2I-CompBench and NSR-1K, out of held-out pages.

A suite is the first `count` pages of a split that fit it, so it is the same on every machine. Layouts are
the pages' own, as a faultless planner would give them; methods that read captions only never see them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count as numbers
from itertools import islice

from situ.scene import Scene, SituError
from situ.scene.errors import did_you_mean
from situ.storybook import grammar
from situ.storybook.world import MOST_THINGS, Page, Split, sample_page

RELATED = 0  # caption that tells how things stand to each other
LISTED = 2  # caption that names one thing after the other


@dataclass(frozen=True)
class Suite:
    """Pages of `things` things that `fits` accepts, told with caption number `caption`."""

    things: int | None
    fits: Callable[[Page], bool]
    caption: int = LISTED
    first_seed: int = 0  # where the search begins, so that two suites need not be the same pages


def _apart(page: Page) -> bool:
    """Every thing is of another kind and another colour."""
    kinds, colours = {t.kind for t in page.things}, {t.colour for t in page.things}
    return len(kinds) == len(colours) == len(page.things)


def _plain(page: Page) -> bool:
    return _apart(page) and all(thing.texture == "plain" for thing in page.things)


def _textured(page: Page) -> bool:
    return _apart(page) and all(thing.texture != "plain" for thing in page.things)


def _spatial(page: Page) -> bool:
    first, second = page.things[:2]
    return _plain(page) and grammar.relation(first.box, second.box) not in (None, "on")


def _complex(page: Page) -> bool:
    return _apart(page) and any(t.texture != "plain" for t in page.things)


def _alike(page: Page) -> bool:
    return len({grammar.phrase(thing) for thing in page.things}) == 1 < len(page.things)


SUITES: dict[str, Suite] = {
    "any": Suite(None, lambda page: True, RELATED),
    "color": Suite(2, _plain),
    "shape": Suite(2, _plain, first_seed=10_000),
    "texture": Suite(2, _textured),
    "spatial": Suite(2, _spatial, RELATED),
    "non_spatial": Suite(None, lambda page: True),
    "complex": Suite(3, _complex, RELATED),
    "counting": Suite(None, _alike),
}


def pages(
    suite: str, count: int, split: Split = "val", things: int | None = None
) -> tuple[Page, ...]:
    """The first `count` pages of a suite.

    things: at least so many on each page of a suite that has a number of them; the more, the harder. Raises
    SituError for an unknown suite, and for a number that no page has.
    """
    if suite not in SUITES:
        raise SituError(f"suite {suite!r}: {did_you_mean(suite, SUITES)}")
    if things is not None and not 1 <= things <= MOST_THINGS:
        raise SituError(f"things is {things}; a page has 1 to {MOST_THINGS}")
    chosen = SUITES[suite]
    if things and chosen.things:
        chosen = replace(chosen, things=max(things, chosen.things))
    return tuple(islice(_fitting(chosen, split), count))


def scene(page: Page, suite: str, size: int = 128) -> Scene:
    """A page of the suite as a scene."""
    return grammar.scene(page, SUITES[suite].caption, size)


def _fitting(suite: Suite, split: Split) -> Iterator[Page]:
    every = (sample_page(seed, split, suite.things) for seed in numbers(suite.first_seed))
    return (page for page in every if suite.fits(page))
