"""Stage 2: templates by category, and the symbolic scenes that fill their slots.

A template is a sentence with a slot for each thing, such as "{0} to the left of {1}". Categories are those of
T2I-CompBench (Huang et al. 2023), which GOAL names as examples, and counting. Shapes, textures and colours
are words that a picture can show on any thing.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from situ.goal2k import pages
from situ.goal2k.journal import Row
from situ.goal2k.prompts import CATEGORIES, NATURAL, NUMBERS, Asked, Prompt, Stated, same_words
from situ.goal2k.settings import STORYBOOK, Set
from situ.planners.nouns import ALWAYS_PLURAL, IRREGULAR, SAME, singular
from situ.scene import SituError

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white")
SHAPES = ("round", "square", "rectangular", "oval", "triangular", "conical", "cubic", "spherical")
TEXTURES = ("wooden", "metallic", "leather", "fluffy", "plastic", "rubber", "fabric", "glass")
LIVING = {
    *("person", "man", "woman", "child", "bird", "cat", "dog", "horse", "sheep", "cow"),
    *("elephant", "bear", "zebra", "giraffe"),
}
MOST_OF_A_KIND = 4
TRIES = 3000  # without a new caption, before a category is given up


@dataclass(frozen=True, slots=True)
class Template:
    """Words around slots, and the relations that they tell between the things in the slots."""

    words: str
    relations: tuple[Stated, ...] = ()

    @property
    def slots(self) -> int:
        return self.words.count("{")


def _related(predicate: str, *wordings: str) -> tuple[Template, ...]:
    return tuple(Template(f"{{0}} {words} {{1}}", (Stated(0, predicate, 1),)) for words in wordings)


PAIRS = (Template("{0} and {1}"), Template("a picture of {0} and {1}"))
SPATIAL = (
    *_related("left of", "to the left of", "on the left of"),
    *_related("right of", "to the right of", "on the right of"),
    *_related("above", "above"),
    *_related("below", "below", "under"),
    *_related("next to", "next to", "beside"),
    *_related("on", "on top of"),
)
COMPLEX = (
    Template("{0} to the left of {1} and {2}", (Stated(0, "left of", 1),)),
    Template("{0} next to {1}, and {2}", (Stated(0, "next to", 1),)),
    Template("{0}, {1} and {2}"),
    Template("{0} on top of {1}, and {2}", (Stated(0, "on", 1),)),
)
TEMPLATES: dict[str, tuple[Template, ...]] = {
    "color": PAIRS,
    "shape": PAIRS,
    "texture": PAIRS,
    "spatial": SPATIAL,
    "counting": (Template("{0}"), Template("{0} and {1}")),
    "complex": COMPLEX,
}
ATTRIBUTES: dict[str, tuple[tuple[str, ...], ...]] = {
    "color": (COLOURS,),
    "shape": (SHAPES,),
    "texture": (TEXTURES,),
    "spatial": (),
    "counting": (),
    "complex": (COLOURS, TEXTURES, COLOURS),
}


def wanted(settings: Set) -> dict[str, int]:
    """How many pictures of each category the set shall hold; GOAL: half templates, half natural.

    Largest remainders, so that the numbers add up to n.
    """
    natural = round(settings.n * settings.natural)
    names = [name for name in CATEGORIES if name in settings.categories]
    each, rest = divmod(settings.n - natural, len(names))
    shares = {name: each + (rank < rest) for rank, name in enumerate(names)}
    return {**shares, NATURAL: natural}


def made(settings: Set) -> dict[str, int]:
    """How many prompts are made of each category: what is wanted and the spare ones."""
    return {
        name: -(-round(count * (1 + settings.spare) * 1000) // 1000)
        for name, count in wanted(settings).items()
    }


def templates(settings: Set, objects: Sequence[Row], source: str, taken: set[str]) -> list[Prompt]:
    """The prompts of all template categories; captions come in the next stage."""
    counts, found = made(settings), []
    for name in CATEGORIES:
        if not counts.get(name):
            continue
        rank = CATEGORIES.index(name)
        if source == STORYBOOK:
            chosen = pages.prompts(name, counts[name], settings.seed, rank, taken)
            for page, told, _ in chosen:
                found.append(pages.prompt(_key(name, found), len(found), name, page, told))
            taken.update(same_words(caption) for _, _, caption in chosen)
        else:
            found += _filled(name, counts[name], settings.seed, objects, taken, len(found))
    return found


def caption(prompt: Prompt) -> str:
    """The sentence of a prompt by its template; the storybook's pages tell theirs themselves."""
    if prompt.source.get("world") == STORYBOOK:
        from situ.storybook import grammar

        return grammar.captions(pages.page_of(prompt))[prompt.source["caption"]]
    return prompt.source["template"].format(*map(spoken, prompt.things))


def spoken(thing: Asked) -> str:
    """ "a red bus", "an orange cat", "three dogs", "scissors"."""
    if thing.count > 1:
        return f"{NUMBERS[thing.count]} {plural(thing.phrase)}"
    if thing.phrase.split()[-1] in ALWAYS_PLURAL:
        return thing.phrase
    return f"{'an' if thing.phrase[0] in 'aeiou' else 'a'} {thing.phrase}"


def plural(phrase: str) -> str:
    """The phrase with its noun in the plural; `planners.nouns.singular` reads it back."""
    *rest, word = phrase.split()
    return " ".join([*rest, _plural(word)])


def _plural(word: str) -> str:
    if word in SAME or word in ALWAYS_PLURAL:
        return word
    known = next((many for many, one in IRREGULAR.items() if one == word), None)
    if known:
        return known
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    es = word.endswith(("s", "x", "z", "ch", "sh")) or singular(word + "es") == word
    return word + ("es" if es and singular(word + "s") != word else "s")


def _key(category: str, before: Sequence[Prompt]) -> str:
    return f"{category}-{sum(p.category == category for p in before):05d}"


def _filled(
    category: str, count: int, seed: int, objects: Sequence[Row], taken: set[str], first: int
) -> list[Prompt]:
    found: list[Prompt] = []
    rng = random.Random(f"goal2k/templates/{seed}/{category}")
    misses = 0
    for prompt in _drawn(category, objects, rng):
        if len(found) == count or misses == TRIES:
            break
        words = same_words(caption(prompt))
        misses = misses + 1 if words in taken else 0
        if misses:
            continue
        taken.add(words)
        key = f"{category}-{len(found):05d}"
        found.append(
            Prompt(
                key,
                first + len(found),
                category,
                prompt.things,
                prompt.relations,
                "",
                prompt.source,
            )
        )
    if len(found) < count:
        raise SituError(f"n: {len(objects)} things make only {len(found)} captions of {category}")
    return found


def _drawn(category: str, objects: Sequence[Row], rng: random.Random) -> Iterator[Prompt]:
    """Endless, and nothing where there are too few things for any template."""
    dead = category in ("shape", "texture")
    usable = [row for row in objects if not (dead and row["id"] in LIVING)]
    fitting = [template for template in TEMPLATES[category] if template.slots <= len(usable)]
    while fitting:
        template = rng.choice(fitting)
        nouns = _nouns(usable, template.slots, rng)
        things = tuple(_things(category, nouns, rng))
        source: Mapping[str, str] = {"world": "open", "template": template.words}
        yield Prompt("new", 0, category, things, template.relations, "", source)


def _nouns(objects: Sequence[Row], count: int, rng: random.Random) -> list[str]:
    """Different things; each but the first is often one that is seen beside it."""
    names = [row["id"] for row in objects]
    first = rng.choice(objects)
    chosen = [first["id"]]
    while len(chosen) < count:
        free = [name for name in names if name not in chosen]
        near = [name for name in free if name in first.get("partners", ())]
        chosen.append(rng.choice(near if near and rng.random() < 0.5 else free))
    return chosen


def _things(category: str, nouns: Sequence[str], rng: random.Random) -> Iterator[Asked]:
    """Attributes that differ from thing to thing, or counts."""
    used: set[str] = set()
    for index, noun in enumerate(nouns):
        if category == "counting":
            yield Asked(noun, noun, 1 if noun in ALWAYS_PLURAL else rng.randint(2, MOST_OF_A_KIND))
            continue
        words = ATTRIBUTES[category]
        if not words:
            yield Asked(noun, noun)
            continue
        pool = words[index % len(words)]
        word = rng.choice([w for w in (COLOURS if noun in LIVING else pool) if w not in used])
        used.add(word)
        yield Asked(f"{word} {noun}", noun)
