"""Noun phrases to things: new ones, ones named before, and some of several."""

from situ.planners import nouns, words
from situ.planners.chunking.items import NounPhrase
from situ.planners.kinds import is_called
from situ.planners.reading.state import Entity, Ids, Reading
from situ.planners.symbols import Relation
from situ.planners.verb_forms import word_set

DROPPED = words.ORDINALS | word_set(
    "other others same different more only single lone last next nearby main several various "
    "similar another own"
)


def attributes_of(phrase: NounPhrase) -> list[str]:
    kept = [w for w in phrase.modifiers if w not in DROPPED]
    while kept and kept[-1] == "and":
        kept.pop()
    return kept[1:] if kept[:1] == ["and"] else kept


def resolve(state: Reading, phrase: NounPhrase) -> Ids:
    """The things that a noun phrase names, new ones or known ones."""
    if phrase.subset:
        return _subset_of(state, phrase)
    attributes = attributes_of(phrase)
    if not phrase.noun or phrase.noun == "one":
        return _borrowed(state, phrase, attributes)
    if (group := _named_group(state, phrase)) is not None:
        return [group]
    if (made := _of_material(state, phrase)) is not None:
        return [made]
    if (one := _one_of_several(state, phrase, attributes)) is not None:
        return [one]
    known = _mentioned_before(state, phrase, attributes)
    if known is not None and _is_the_second(state, phrase, known):
        return [add_thing(state, phrase, state.entities[known].noun, attributes)]
    if known is not None:
        state.each = state.each or phrase.each
        return [known]
    if (counted := _counted_later(state, phrase)) is not None:
        return [counted]
    return [_introduce(state, phrase, attributes)]


def _introduce(state: Reading, phrase: NounPhrase, attributes: list[str]) -> int:
    assumed = phrase.each and not phrase.count
    phrase.count = 2 if assumed else phrase.count
    state.each = state.each or (phrase.each and not state.waiting)
    size = _compared(state, phrase)
    one = add_thing(state, phrase, phrase.noun, [w for w in attributes if w != size])
    state.entities[one].assumed = assumed
    if size:
        order = "larger" if words.LARGER[size] > 1 else "smaller"
        state.relations.append(Relation(one, order, one - 1))
    return one


def _one_of_several(state: Reading, phrase: NounPhrase, attributes: list[str]) -> int | None:
    """ "the left cat" or "the smaller cat" after "two cats"."""
    single = phrase.determiner == "the" and not phrase.plural and phrase.count in (None, 1)
    pool = _pool_of(state, phrase) if single and attributes else None
    if pool is None or set(attributes) <= set(state.entities[pool].attributes):
        return None
    taken = [i for i, e in enumerate(state.entities) if e.parent == pool]
    if any(set(attributes) <= set(state.entities[i].attributes) for i in taken):
        return None
    return _take_from(state, pool, 1, attributes) if state.entities[pool].exact else None


def _of_material(state: Reading, phrase: NounPhrase) -> int | None:
    """ "two hats, one straw and one felt": one of them, and what it is made of."""
    bare = phrase.count == 1 and not phrase.determiner and not phrase.modifiers
    if (
        not bare
        or phrase.noun not in nouns.MATERIALS
        or state.before not in ("comma", "and", "stop")
    ):
        return None
    pool = _pool_of(state, NounPhrase())
    exact = pool is not None and state.entities[pool].exact
    return _take_from(state, pool, 1, [phrase.noun]) if exact and pool is not None else None


def _is_the_second(state: Reading, phrase: NounPhrase, one: int) -> bool:
    """ "one twin ... the other twin": another thing than the only one of that name."""
    alike = [e for e in state.entities if e.noun == state.entities[one].noun]
    other = phrase.determiner == "the" and phrase.modifiers[:1] == ["other"]
    base = alike[0]
    alone = len(alike) == 1 and base.count == 1 and not base.split and base.parent is None
    return other and alone and not phrase.plural


def _named_group(state: Reading, phrase: NounPhrase) -> int | None:
    """ "the stack" after "a stack of five books"."""
    name = phrase.noun in words.GROUPS | words.HEAPS and phrase.determiner in words.DEFINITE
    named = any(entity.noun == phrase.noun for entity in state.entities)
    several = [i for i, entity in enumerate(state.entities) if entity.count > 1]
    return several[-1] if name and not named and several else None


def _compared(state: Reading, phrase: NounPhrase) -> str:
    """ "a walrus with a smaller seal": smaller than what was named right before."""
    other = bool(state.entities) and state.entities[-1].noun != phrase.noun
    single = phrase.determiner in words.ARTICLES and phrase.count in (None, 1) and other
    sizes = [w for w in phrase.modifiers if w in words.LARGER and w.endswith("er")]
    return sizes[0] if single and sizes else ""


def _counted_later(state: Reading, phrase: NounPhrase) -> int | None:
    """ "every cake has a cherry; there are four cakes": four of what was told of each."""
    found = [i for i, e in enumerate(state.entities) if e.assumed and e.noun == phrase.noun]
    if not found or not phrase.exact or not phrase.count:
        return None
    entity = state.entities[found[0]]
    for relation in state.relations:
        if relation.each and found[0] in (relation.subject, relation.object):
            other = relation.object if relation.subject == found[0] else relation.subject
            partner = state.entities[other]
            partner.count = partner.count * phrase.count // entity.count
    entity.count, entity.assumed, entity.exact = phrase.count, False, True
    return found[0]


def identify(state: Reading, phrase: NounPhrase) -> bool:
    """ "the pet is a poodle", "one of them a baby", "Benny the bear": another name of what was named."""
    if len(state.subjects) != 1 or state.role != "subject" or not phrase.noun or phrase.subset:
        return False
    if state.waiting or state.in_with or not _renames(state, phrase):
        return False
    entity = state.entities[state.subjects[0]]
    if state.before == "np":
        entity.name = entity.name or entity.noun
    if phrase.noun in words.ADJECTIVES:
        entity.attributes[:0] = [*attributes_of(phrase), phrase.noun]
        return True
    entity.noun = phrase.noun
    entity.attributes[:0] = [w for w in attributes_of(phrase) if w not in entity.attributes]
    return True


def _renames(state: Reading, phrase: NounPhrase) -> bool:
    before = state.items[state.index - 1] if state.index else None
    if before is None:
        return False
    if before.kind == "cop":
        told = state.items[state.index - 2].phrase if state.index > 1 else None
        return phrase.determiner in words.ARTICLES and told is not None
    said = before.phrase
    if said is None:
        return False
    if said.subset:
        return phrase.determiner in words.ARTICLES
    bare = not said.determiner and said.count is None and not said.plural and not said.modifiers
    return bare and phrase.determiner == "the"


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
    if named := _called(state, phrase):
        return named[0]
    if not definite and not (phrase.plural and phrase.count is None):
        return None
    for one in range(len(state.entities) - 1, -1, -1):
        entity = state.entities[one]
        if nouns.head(entity.noun) != nouns.head(phrase.noun) and not entity.noun.endswith(
            phrase.noun
        ):
            continue
        if _is_elsewhere(state, entity):
            continue
        name = entity.noun if " of " in phrase.noun else entity.noun.split(" of ")[0]
        if set(attributes) <= set(entity.attributes) and name.endswith(phrase.noun):
            return one if definite or entity.count > 1 else None
    return _called_more_generally(state, phrase) if definite and not attributes else None


_KIN = word_set("mother father parent mom mum dad owner mate")


def _called_more_generally(state: Reading, phrase: NounPhrase) -> int | None:
    """ "the dog" after "a golden retriever": the latest thing that the word may stand for."""
    general = nouns.head(phrase.noun)
    if general in _KIN and phrase.determiner in ("its", "their"):
        others = [i for i in range(len(state.entities)) if i not in state.subjects]
        return next((i for i in others if state.are([i], nouns.ANIMALS)), None)
    for one in range(len(state.entities) - 1, -1, -1):
        entity = state.entities[one]
        alike = phrase.plural == (entity.count > 1) and entity.count > 0
        if alike and is_called(general, nouns.head(entity.noun)):
            return one
    return None


def _is_elsewhere(state: Reading, entity: Entity) -> bool:
    """ "the man on the left" is not "the man on the right"."""
    following = state.items[state.index + 1 : state.index + 2]
    return bool(entity.place) and any(
        item.kind == "place" and item.word != entity.place for item in following
    )


def _called(state: Reading, phrase: NounPhrase) -> Ids:
    """Whom a name stands for that was told before: "Benny" after "Benny the bear", "Anna" again."""
    bare = not phrase.determiner and phrase.count is None and not phrase.plural
    if not bare or phrase.modifiers or nouns.is_known(phrase.noun):
        return []
    return [i for i, e in enumerate(state.entities) if phrase.noun in (e.name, e.noun)]


def _subset_of(state: Reading, phrase: NounPhrase) -> Ids:
    """ "two of them", "the other", "the first"."""
    pool = _pool_of(state, phrase)
    if pool is None:
        if not phrase.noun:
            if state.entities and phrase.count == 1 and _is_another(state, phrase, []):
                return [add_thing(state, phrase, state.entities[-1].noun, [])]
            more = phrase.rest or phrase.more
            return _one_more(state, phrase) if more else _those(state, phrase)
        pool = add_thing(state, phrase, phrase.noun, attributes_of(phrase))
        state.entities[pool].count = phrase.total or phrase.count or words.PLURAL
    base = state.entities[pool]
    if phrase.half:
        parts = sum(e.count for e in state.entities if e.parent == pool)
        phrase.count = max(1, (base.count + parts) // 2)
    if phrase.rest and base.count:
        phrase.count = base.count
    own = [w for w in attributes_of(phrase) if w not in base.attributes]
    return [_take_from(state, pool, phrase.count or 1, [*phrase.best, *own])]


def _those(state: Reading, phrase: NounPhrase) -> Ids:
    """ "between the two": the latest things of that number, without the one that stands there."""
    standing = [i for waiting in state.waiting for i in waiting.subjects]
    number = phrase.count or 1 if phrase.determiner == "the" else 1
    named = [i for i, e in enumerate(state.entities) if e.count and i not in standing]
    return named[-number:] if number > 1 else state.latest(1)


def _one_more(state: Reading, phrase: NounPhrase) -> Ids:
    """ "One dog is brown, the other two are white": more of what was counted first."""
    counted = [i for i in state.first_subjects if state.entities[i].exact]
    if not counted:
        return state.latest(1)
    phrase.count = phrase.count or 1
    return [add_thing(state, phrase, state.entities[counted[-1]].noun, [])]


def _pool_of(state: Reading, phrase: NounPhrase) -> int | None:
    order = list(range(len(state.entities) - 1, -1, -1))
    if phrase.rest and not phrase.noun:  # "the other": of what was divided before
        order.sort(key=lambda one: not state.entities[one].split)
    for one in order:
        entity = state.entities[one]
        kind, general = nouns.head(entity.noun), nouns.head(phrase.noun)
        same = not phrase.noun or kind == general or is_called(general, kind)
        left = entity.count > 1 or (entity.split and (entity.count or not entity.exact))
        if entity.parent is None and same and left:
            return one
    return None


_OPPOSITE = ("left", "right")


def _take_from(state: Reading, pool: int, count: int, attributes: list[str]) -> int:
    base = state.entities[pool]
    side = next((word for word in attributes if word in _OPPOSITE), "")
    attributes = [word for word in attributes if word != side]
    taken = min(count, base.count)
    base.count -= taken
    base.split = True
    part = Entity(base.noun, [*attributes, *base.attributes], taken, True, taken > 1, parent=pool)
    state.entities.append(part)
    one = len(state.entities) - 1
    if side and base.count:
        state.relations.append(Relation(one, f"{side} of", pool))
    return one


def _borrowed(state: Reading, phrase: NounPhrase, attributes: list[str]) -> Ids:
    """Attributes without a noun: "two blue", "a green one"."""
    count = phrase.count or (words.PLURAL if phrase.plural else 1)
    pool = _pool_of(state, NounPhrase())
    if phrase.noun == "one" and (ids := _one_of(state, phrase, attributes, pool, count)):
        return ids
    if _is_abstract(state, phrase, attributes):
        return []
    again = phrase.noun == "one" and bool(_parallel(state, phrase))
    if pool is not None and not again and _splits(state, pool, phrase, attributes):
        return [_take_from(state, pool, count, attributes)]
    noun = _next_noun(state) if not phrase.noun else _parallel(state, phrase)
    noun = noun or next((e.noun for e in reversed(state.entities)), "")
    if not noun:
        return [add_thing(state, phrase, attributes[-1], attributes[:-1])] if attributes else []
    return [add_thing(state, phrase, noun, attributes)]


def _one_of(
    state: Reading, phrase: NounPhrase, attributes: list[str], pool: int | None, count: int
) -> Ids:
    """ "the last one", "a second one", "the red one" of what was named, "a red one" of a list."""
    if pool is not None and words.ORDINALS & set(phrase.modifiers):
        return [_take_from(state, pool, 1, attributes)]
    if state.entities and _is_another(state, phrase, attributes):
        last = state.entities[-1 if pool is None else pool]
        return [add_thing(state, phrase, last.noun, list(last.attributes))]
    if phrase.determiner == "the":
        for one in range(len(state.entities) - 1, -1, -1):
            if set(attributes) <= set(state.entities[one].attributes):
                return [one]
    if pool is not None and _is_listed(state, pool):
        part = _take_from(state, pool, 1, attributes)
        state.entities[part].count, state.entities[pool].count = count, 0
        return [part]
    return []


def _is_listed(state: Reading, pool: int) -> bool:
    """ "some houses: a red one and a blue one": these are all of them."""
    said = [item.word for item in state.items[: state.index] if item.kind == "stop"]
    return said[-1:] == [":"] and not state.entities[pool].exact


def _is_another(state: Reading, phrase: NounPhrase, attributes: list[str]) -> bool:
    """ "a second one", or "the one on the right" after one on the left."""
    if attributes:
        return False
    if phrase.determiner in words.ARTICLES:
        return not state.waiting or state.waiting[-1].said != state.last_said
    return phrase.determiner == "the" and _is_elsewhere(state, state.entities[-1])


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
