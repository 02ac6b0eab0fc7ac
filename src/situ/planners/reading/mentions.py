"""Noun phrases to things: new ones, ones named before, and some of several."""

from situ.planners import nouns, words
from situ.planners.chunking.items import NounPhrase
from situ.planners.reading.state import Entity, Ids, Reading
from situ.planners.words import word_set

DROPPED = words.ORDINALS | word_set(
    "other others same different more only single lone last next nearby main several various "
    "similar another"
)


def attributes_of(phrase: NounPhrase) -> list[str]:
    kept = [w for w in phrase.modifiers if w not in DROPPED]
    while kept and kept[-1] == "and":
        kept.pop()
    return kept[1:] if kept[:1] == ["and"] else kept


def resolve(state: Reading, phrase: NounPhrase) -> Ids:
    if phrase.subset:
        return _subset_of(state, phrase)
    attributes = attributes_of(phrase)
    if not phrase.noun or phrase.noun == "one":
        return _borrowed(state, phrase, attributes)
    known = _mentioned_before(state, phrase, attributes)
    if known is not None:
        state.each = state.each or phrase.each
        return [known]
    if phrase.each and not phrase.count:
        phrase.count = 2
    state.each = state.each or (phrase.each and not state.waiting)
    return [add_thing(state, phrase, phrase.noun, attributes)]


def add_thing(state: Reading, phrase: NounPhrase, noun: str, attributes: list[str]) -> int:
    count = phrase.count or (words.PLURAL if phrase.plural else 1)
    place = next((w for w in attributes if w in ("left", "right")), "")
    attributes = [w for w in attributes if w != place]
    entity = Entity(noun, attributes, min(count, 1000), phrase.exact, phrase.plural)
    entity.sentence, entity.place = state.sentence, place
    if phrase.count is None and not phrase.plural and phrase.determiner in words.ARTICLES:
        entity.exact = True
    state.entities.append(entity)
    return len(state.entities) - 1


def _mentioned_before(state: Reading, phrase: NounPhrase, attributes: list[str]) -> int | None:
    """A thing named before. "a cat" is always another one."""
    if phrase.determiner in words.ARTICLES or phrase.more:
        return None
    definite = phrase.determiner in words.DEFINITE or phrase.each
    if not definite and not (phrase.plural and phrase.count is None):
        return None
    for one in range(len(state.entities) - 1, -1, -1):
        entity = state.entities[one]
        if nouns.head(entity.noun) != nouns.head(phrase.noun) and not entity.noun.endswith(
            phrase.noun
        ):
            continue
        if set(attributes) <= set(entity.attributes) and entity.noun.endswith(phrase.noun):
            return one if definite or entity.count > 1 else None
    return None


def _subset_of(state: Reading, phrase: NounPhrase) -> Ids:
    """ "two of them", "the other", "the first"."""
    pool = _pool_of(state, phrase)
    if pool is None:
        if not phrase.noun:
            return state.latest(1)
        pool = add_thing(state, phrase, phrase.noun, [])
        state.entities[pool].count = phrase.total or phrase.count or words.PLURAL
    base = state.entities[pool]
    if phrase.half:
        phrase.count = max(1, base.count // 2)
    if phrase.rest:
        base.split = True
        return [pool]
    return [_take_from(state, pool, phrase.count or 1, attributes_of(phrase))]


def _pool_of(state: Reading, phrase: NounPhrase) -> int | None:
    for one in range(len(state.entities) - 1, -1, -1):
        entity = state.entities[one]
        same = not phrase.noun or nouns.head(entity.noun) == nouns.head(phrase.noun)
        if entity.parent is None and same and (entity.count > 1 or (entity.split and entity.count)):
            return one
    return None


def _take_from(state: Reading, pool: int, count: int, attributes: list[str]) -> int:
    base = state.entities[pool]
    taken = min(count, base.count)
    base.count -= taken
    base.split = True
    part = Entity(base.noun, [*attributes, *base.attributes], taken, True, taken > 1, parent=pool)
    state.entities.append(part)
    return len(state.entities) - 1


def _borrowed(state: Reading, phrase: NounPhrase, attributes: list[str]) -> Ids:
    """Attributes without a noun: "two blue", "a green one"."""
    count = phrase.count or (words.PLURAL if phrase.plural else 1)
    pool = _pool_of(state, NounPhrase())
    if phrase.determiner == "the" and phrase.noun == "one":
        for one in range(len(state.entities) - 1, -1, -1):
            if set(attributes) <= set(state.entities[one].attributes):
                return [one]
    if _is_abstract(state, phrase, attributes):
        return []
    if pool is not None and _splits(state, pool, count, attributes):
        return [_take_from(state, pool, count, attributes)]
    noun = _next_noun(state) if not phrase.noun else ""
    noun = noun or next((e.noun for e in reversed(state.entities)), "")
    if not noun:
        return [add_thing(state, phrase, attributes[-1], attributes[:-1])] if attributes else []
    return [add_thing(state, phrase, noun, attributes)]


def _is_abstract(state: Reading, phrase: NounPhrase, attributes: list[str]) -> bool:
    """ "out in the open" names no thing."""
    told = words.COLOURS | words.TEXTURES | words.ORDINALS | frozenset(words.LARGER)
    bare = phrase.determiner == "the" and not phrase.noun and phrase.count is None
    return bare and bool(state.waiting) and len(attributes) == 1 and attributes[0] not in told


def _splits(state: Reading, pool: int, count: int, attributes: list[str]) -> bool:
    base = state.entities[pool]
    coloured = words.COLOURS & set(base.attributes) and words.COLOURS & set(attributes)
    return base.exact and base.count >= count and not coloured and base.sentence == state.sentence


def _next_noun(state: Reading) -> str:
    for item in state.items[state.index + 1 : state.index + 6]:
        if item.kind == "np" and item.phrase and item.phrase.noun:
            return item.phrase.noun
        if item.kind not in ("and", "comma", "np"):
            return ""
    return ""


def antecedent(
    state: Reading, but: Ids, plural: bool = False, kinds: frozenset[str] = nouns.NAMED
) -> Ids:
    """What a pronoun stands for: the latest thing of its number, of these kinds where there is one."""
    if plural and len(state.group) > 1:
        return [i for i in state.group if i not in but] or list(state.group)
    free = kinds is nouns.NAMED
    order = [i for i in state.last_landmark if not plural and free]
    order += sorted(range(len(state.entities)), reverse=True)
    fit = [i for i in order if i not in but and (state.entities[i].count > 1) == plural]
    for some in (kinds, nouns.ANIMATE) if not free else ():
        if found := [i for i in fit if nouns.head(state.entities[i].noun) in some]:
            return found[:1]
    if free and fit:
        return fit[:1]
    if plural:
        return [i for i in state.latest(3) if i not in but][:2]
    return [i for i in order if i not in but][:1]
