"""The storybook as the offline world of a GOAL2K: pages that fit a category, and pictures of their captions.

Pages are of the split `train`, from seeds far beyond those of `situ data storybook`, so that they are new to
a model that was trained on it, and kinds, colours and relations that are held out stay held out.
"""

import random
from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import count as numbers

from situ.goal2k.prompts import NATURAL, Asked, Prompt, Stated, same_words
from situ.planners.reader import read
from situ.scene import Box, SituError
from situ.scene.relations import RELATIONS
from situ.storybook import grammar
from situ.storybook.suites import LISTED, SUITES
from situ.storybook.world import OVERLAP, Page, Thing, sample_page

FIRST_SEED = 1_000_000  # of set 0; every further set begins as many pages later
APART = 100_000  # pages between two categories
WORDS = {
    "left": "left of",
    "right": "right of",
    "above": "above",
    "below": "below",
    "on": "on",
    "next": "next to",
}
SHIFT = 6  # 128ths of the page that a thing may move from one candidate to the next
TRIES = 40
SEARCHED = 20_000  # pages without a new caption, before a category is given up


def held_out_captions(each: int = 300) -> set[str]:
    """What the storybook's own benchmarks ask for: the first captions of every suite."""
    from situ.storybook import suites

    return {
        same_words(suites.scene(page, name).caption)
        for name in SUITES
        for page in suites.pages(name, each)
    }


def prompts(
    category: str, count: int, seed: int, rank: int, taken: Collection[str]
) -> list[tuple[Page, int, str]]:
    """`count` pages of a category with the number and text of a caption; none that is `taken`."""
    used, found, misses = set(taken), [], 0
    for page in _candidates(category, seed, rank):
        if len(found) == count:
            break
        told = _caption(page, category)
        words = grammar.captions(page)[told]
        misses = misses + 1 if same_words(words) in used else 0
        if misses > SEARCHED:
            raise SituError(
                f"n: the storybook has but {len(found)} captions of {category}; use less"
            )
        if not misses:
            used.add(same_words(words))
            found.append((page, told, words))
    return found


def prompt(key: str, number: int, category: str, page: Page, told: int) -> Prompt:
    """The symbolic scene of a page: what is on it, and the relations that the caption tells."""
    things: dict[str, Asked] = {}
    for thing in page.things:
        name = grammar.phrase(thing)
        before = things.get(name)
        things[name] = Asked(name, thing.kind, before.count + 1 if before else 1)
    names = tuple(things)
    source = {
        "world": "storybook",
        "split": page.split,
        "seed": page.seed,
        "things": None if category in (NATURAL, "counting") else len(page.things),
        "caption": told,
    }
    caption = grammar.captions(page)[told]
    made = Prompt(key, number, category, tuple(things.values()), source=source)
    return replace(made, relations=_relations(page, names, caption))


def page_of(asked: Prompt) -> Page:
    """The page that a prompt was made from."""
    return sample_page(asked.source["seed"], asked.source["split"], asked.source["things"])


def candidate(page: Page, number: int, stated: tuple[Stated, ...], names: tuple[str, ...]) -> Page:
    """A picture of the same caption: candidate 0 is the page, others are laid out a little otherwise."""
    if not number:
        return page
    rng = random.Random(f"goal2k/{page.split}/{page.seed}/{number}")
    wobble = (rng.random(), rng.random(), rng.random())
    for _ in range(TRIES):
        things = tuple(replace(t, box=_moved(t.box, rng)) for t in page.things)
        if _clear(things) and _says(things, stated, names):
            ordered = tuple(sorted(things, key=lambda thing: thing.box.y1))
            return replace(page, things=ordered, wobble=wobble)
    return replace(page, wobble=wobble)


def looks(page: Page) -> dict[str, dict[str, str]]:
    """Colour and texture of each phrase on a page."""
    return {grammar.phrase(t): {"colour": t.colour, "texture": t.texture} for t in page.things}


def _candidates(category: str, seed: int, rank: int) -> Iterator[Page]:
    first = FIRST_SEED * (seed + 1) + APART * rank
    if category == NATURAL:
        every = (sample_page(s, "train") for s in numbers(first))
        return (page for page in every if len(page.things) > 1)
    suite = SUITES[category]
    every = (sample_page(s, "train", suite.things) for s in numbers(first))
    return (page for page in every if suite.fits(page))


def _caption(page: Page, category: str) -> int:
    """Natural prompts are told in any of the five ways, templates in the one of their suite."""
    if category == NATURAL:
        return random.Random(f"goal2k/caption/{page.seed}").randrange(grammar.PARAPHRASES)
    return LISTED if category == "counting" else SUITES[category].caption


def _relations(page: Page, names: tuple[str, ...], caption: str) -> tuple[Stated, ...]:
    """What the caption says and the page shows, between things that are there once."""
    symbols = read(caption)
    single = {
        name: thing
        for name in names
        for thing in page.things
        if grammar.phrase(thing) == name
        and sum(grammar.phrase(other) == name for other in page.things) == 1
    }
    found = []
    for relation in symbols.relations:
        one, other = (symbols.things[i].phrase for i in (relation.subject, relation.object))
        if one not in single or other not in single:
            continue
        shown = grammar.relation(single[one].box, single[other].box)
        if shown and WORDS[shown] == relation.predicate:
            found.append(Stated(names.index(one), relation.predicate, names.index(other)))
    return tuple(dict.fromkeys(found))


def _moved(box: Box, rng: random.Random) -> Box:
    """The box some 128ths away, as large as before and whole on the page."""
    x = min(max(rng.randint(-SHIFT, SHIFT), round(-box.x0 * 128)), round((1 - box.x1) * 128))
    y = min(max(rng.randint(-SHIFT, SHIFT), round(-box.y0 * 128)), round((1 - box.y1) * 128))
    return Box(box.x0 + x / 128, box.y0 + y / 128, box.x1 + x / 128, box.y1 + y / 128)


def _clear(things: tuple[Thing, ...]) -> bool:
    """No two share more than the world allows."""
    return all(
        (
            one.box.share_in(other.box)
            if one.box.area < other.box.area
            else other.box.share_in(one.box)
        )
        <= OVERLAP
        for i, one in enumerate(things)
        for other in things[:i]
    )


def _says(things: tuple[Thing, ...], stated: tuple[Stated, ...], names: tuple[str, ...]) -> bool:
    """Whether every relation of the caption still holds, by the world's rule and by the checks'."""
    boxes = {grammar.phrase(thing): thing.box for thing in things}
    for relation in stated:
        one, other = boxes[names[relation.subject]], boxes[names[relation.object]]
        shown = grammar.relation(one, other)
        if shown is None or WORDS[shown] != relation.predicate:
            return False
        if not RELATIONS[relation.predicate](one, other):
            return False
    return True
