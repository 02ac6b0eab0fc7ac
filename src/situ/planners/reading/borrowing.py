"""Phrases without a noun of their own: "a green one", "two blue"."""

from situ.planners import words
from situ.planners.chunking.items import NounPhrase
from situ.planners.reading.state import Entity, Ids, Reading
from situ.planners.reading.subsets import pool_of, take_from
from situ.planners.reading.things import add_thing, is_another


def borrowed(state: Reading, phrase: NounPhrase, attributes: list[str]) -> Ids:
    """Attributes without a noun: "two blue", "a green one"."""
    count = phrase.count or (words.PLURAL if phrase.plural else 1)
    pool = pool_of(state, NounPhrase())
    if phrase.noun == "one" and (ids := _one_of(state, phrase, attributes, pool, count)):
        return ids
    if _is_abstract(state, phrase, attributes):
        return []
    again = phrase.noun == "one" and bool(_parallel(state, phrase))
    if pool is not None and not again and _splits(state, pool, phrase, attributes):
        return [take_from(state, pool, count, attributes)]
    noun = _next_noun(state) if not phrase.noun else _parallel(state, phrase)
    noun = noun or _alike(state, phrase, attributes)
    if not noun:
        return [add_thing(state, phrase, attributes[-1], attributes[:-1])] if attributes else []
    return [add_thing(state, phrase, noun, attributes)]


def _alike(state: Reading, phrase: NounPhrase, attributes: list[str]) -> str:
    """What "ones" are: the latest things of a colour after a colour, several after "ones"."""
    coloured = bool(words.COLOURS & set(attributes))

    def fits(one: Entity) -> tuple[bool, bool]:
        told = not coloured or bool(words.COLOURS & set(one.attributes))
        return told, not phrase.plural or one.count > 1

    best = max(reversed(state.entities), key=fits, default=None)
    return best.noun if best else ""


def _one_of(
    state: Reading, phrase: NounPhrase, attributes: list[str], pool: int | None, count: int
) -> Ids:
    """ "the last one", "a second one", "the red one" of what was named, "a red one" of a list."""
    if pool is not None and words.ORDINALS & set(phrase.modifiers):
        if phrase.determiner in words.ARTICLES and _is_beyond(state, pool, phrase):
            return [add_thing(state, phrase, state.entities[pool].noun, attributes)]
        return [take_from(state, pool, 1, attributes)]
    if state.entities and is_another(state, phrase, attributes):
        last = state.entities[-1 if pool is None else pool]
        return [add_thing(state, phrase, last.noun, list(last.attributes))]
    if phrase.determiner == "the":
        for one in range(len(state.entities) - 1, -1, -1):
            if set(attributes) <= set(state.entities[one].attributes):
                return [one]
    sided = ({"left", "right"} | _COMPARED) & set(attributes) and phrase.determiner == "the"
    if pool is not None and sided and state.entities[pool].exact:
        return [take_from(state, pool, 1, attributes)]
    if pool is not None and _is_listed(state, pool):
        part = take_from(state, pool, 1, attributes)
        state.entities[part].count, state.entities[pool].count = count, 0
        return [part]
    return []


_COMPARED = frozenset(word for word in words.LARGER if word.endswith(("er", "est")))


def _is_beyond(state: Reading, pool: int, phrase: NounPhrase) -> bool:
    """ "two monkeys ... and a third one": one more than there were."""
    total = state.entities[pool].count
    total += sum(e.count for e in state.entities if e.parent == pool)
    place = next((_PLACE_OF[w] for w in phrase.modifiers if w in _PLACE_OF), 0)
    return place > total


_PLACE_OF = {"second": 2, "third": 3, "fourth": 4, "fifth": 5}


def _is_listed(state: Reading, pool: int) -> bool:
    """ "some houses: a red one and a blue one": these are all of them."""
    said = [item.word for item in state.items[: state.index] if item.kind == "stop"]
    return said[-1:] == [":"] and not state.entities[pool].exact


def _parallel(state: Reading, phrase: NounPhrase) -> str:
    """ "in a yellow jersey and the other in a white one": another jersey."""
    again = bool(state.waiting) and state.waiting[-1].said == state.last_said
    unnamed = phrase.determiner in words.ARTICLES or (phrase.plural and not phrase.determiner)
    borrowed = again and unnamed and bool(state.last_landmark)
    return state.entities[state.last_landmark[-1]].noun if borrowed else ""


def _is_abstract(state: Reading, phrase: NounPhrase, attributes: list[str]) -> bool:
    """ "out in the open" names no thing."""
    told = words.COLOURS | words.TEXTURES | words.ORDINALS | frozenset(words.LARGER)
    bare = phrase.determiner == "the" and not phrase.noun and phrase.count is None
    return bare and bool(state.waiting) and len(attributes) == 1 and attributes[0] not in told


def _splits(state: Reading, pool: int, phrase: NounPhrase, attributes: list[str]) -> bool:
    base = state.entities[pool]
    count = phrase.count or (words.PLURAL if phrase.plural else 1)
    if phrase.noun == "one" and base.attributes and state.before == "and" and not base.split:
        return False  # "two empty bottles and one full one"
    coloured = words.COLOURS & set(base.attributes) and words.COLOURS & set(attributes)
    near = base.sentence == state.sentence or (base.split and phrase.determiner == "the")
    return base.exact and base.count >= count and not coloured and near


def _next_noun(state: Reading) -> str:
    for item in state.items[state.index + 1 : state.index + 6]:
        if item.kind == "np" and item.phrase and item.phrase.noun:
            said = [w for w in item.phrase.modifiers if w not in words.ADJECTIVES and w != "and"]
            return " ".join([*said, item.phrase.noun])
        if item.kind not in ("and", "comma", "np"):
            return ""
    return ""
