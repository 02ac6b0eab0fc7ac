"""Sentences about a page: five paraphrases with attributes, counts, relations and the background."""

import random
from collections.abc import Callable, Sequence

from situ.scene import Box, Layout, Object, Scene
from situ.storybook.kinds import KINDS
from situ.storybook.palette import BACKGROUNDS
from situ.storybook.world import Page, Thing, held_out_relation

PARAPHRASES = 5
NUMBERS = ("no", "one", "two", "three", "four", "five", "six")
RELATION_WORDS: dict[str, tuple[str, ...]] = {
    "left": ("to the left of", "on the left of", "left of"),
    "right": ("to the right of", "on the right of", "right of"),
    "above": ("above", "over", "higher than"),
    "below": ("below", "under", "beneath"),
    "on": ("on", "on top of", "standing on"),
    "next": ("next to", "beside", "near"),
}

Group = Sequence[Thing]


def phrase(thing: Thing) -> str:
    """What to write in a thing's box: "red fish", "striped blue house"."""
    return f"{_texture(thing)}{thing.colour} {thing.kind}"


def scene(page: Page, paraphrase: int = 0, size: int = 128) -> Scene:
    """The page as a scene with one of its five captions; objects are listed from back to front."""
    objects = tuple(Object(phrase(thing), thing.box) for thing in page.things)
    return Scene(captions(page)[paraphrase], Layout(objects), size, size)


def captions(page: Page) -> tuple[str, ...]:
    """Five sentences for a page, always the same five."""
    rng = random.Random(f"captions/{page.split}/{page.seed}")
    return tuple(template(page, rng) for template in _TEMPLATES)


def relation(a: Box, b: Box) -> str | None:
    """How a stands to b: the first that fits of on, left, right, next, above, below; None if unclear."""
    (ax, ay), (bx, by) = a.center, b.center
    if abs(a.y1 - b.y0) < 0.04 and a.x0 < bx < a.x1 and b.x0 < ax < b.x1:
        return "on"
    dx, dy = ax - bx, ay - by
    if abs(dx) > 0.15 and abs(dx) > 1.5 * abs(dy):
        far = min(abs(a.x0 - b.x1), abs(b.x0 - a.x1)) > 0.12
        return ("left" if dx < 0 else "right") if far or abs(dy) > 0.1 else "next"
    if abs(dy) > 0.15 and abs(dy) > 1.5 * abs(dx):
        return "above" if dy < 0 else "below"
    return None


def _texture(thing: Thing) -> str:
    return "" if thing.texture == "plain" else thing.texture + " "


def _groups(page: Page) -> list[Group]:
    """Things that look the same are one group, so that they can be counted."""
    groups: dict[str, list[Thing]] = {}
    for thing in page.things:
        groups.setdefault(phrase(thing), []).append(thing)
    return [tuple(group) for group in groups.values()]


def _noun(group: Group) -> str:
    thing = group[0]
    if len(group) == 1:
        words = phrase(thing)
        return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
    return f"{NUMBERS[len(group)]} {_texture(thing)}{thing.colour} {KINDS[thing.kind].plural}"


def _listing(nouns: list[str]) -> str:
    return nouns[0] if len(nouns) == 1 else ", ".join(nouns[:-1]) + " and " + nouns[-1]


def _related(page: Page, groups: list[Group], rng: random.Random, verb: str = "") -> str:
    """Groups in a sentence; single things are joined in pairs by how they stand to each other."""
    rest, clauses = list(groups), []
    while rest:
        first = rest.pop(0)
        partner = next((g for g in rest if _relation_word(page, first, g)), None)
        if partner is None:
            clauses.append(_noun(first))
            continue
        rest.remove(partner)
        words = RELATION_WORDS[_relation_word(page, first, partner) or "next"]
        clauses.append(f"{_noun(first)} {verb}{rng.choice(words)} {_noun(partner)}")
    return _listing(clauses)


def _relation_word(page: Page, first: Group, second: Group) -> str | None:
    if len(first) > 1 or len(second) > 1:
        return None
    a, b = first[0], second[0]
    if held_out_relation(a.kind, b.kind) and page.split == "train":
        return None
    return relation(a.box, b.box)


def _shuffled(page: Page, rng: random.Random) -> list[Group]:
    groups = _groups(page)
    rng.shuffle(groups)
    return groups


def _plain(page: Page, rng: random.Random) -> str:
    return f"{_related(page, _shuffled(page, rng), rng)} {BACKGROUNDS[page.background]}"


def _place_first(page: Page, rng: random.Random) -> str:
    return f"{BACKGROUNDS[page.background]}, {_related(page, _shuffled(page, rng), rng)}"


def _listed(page: Page, rng: random.Random) -> str:
    nouns = [_noun(group) for group in _shuffled(page, rng)]
    return f"a picture of {_listing(nouns)} {BACKGROUNDS[page.background]}"


def _telling(page: Page, rng: random.Random) -> str:
    groups = _shuffled(page, rng)
    verb = "is " if len(groups) == 2 else ""
    return f"{_related(page, groups, rng, verb)}, {BACKGROUNDS[page.background]}"


def _book(page: Page, rng: random.Random) -> str:
    nouns = [_noun(group) for group in _shuffled(page, rng)]
    return f"a storybook page with {_listing(nouns)}, {BACKGROUNDS[page.background]}"


_TEMPLATES: tuple[Callable[[Page, random.Random], str], ...] = (
    _plain,
    _place_first,
    _listed,
    _telling,
    _book,
)
