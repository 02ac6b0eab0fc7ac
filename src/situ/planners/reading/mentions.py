"""Noun phrases to things: new ones, ones named before, and some of several."""

from situ.planners import nouns, words
from situ.planners.chunking.items import NounPhrase
from situ.planners.reading.state import Entity, Ids, Reading
from situ.planners.verb_forms import word_set

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
    if (counted := _counted_later(state, phrase)) is not None:
        return [counted]
    assumed = phrase.each and not phrase.count
    phrase.count = 2 if assumed else phrase.count
    state.each = state.each or (phrase.each and not state.waiting)
    one = add_thing(state, phrase, phrase.noun, attributes)
    state.entities[one].assumed = assumed
    return [one]


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
        if set(attributes) <= set(entity.attributes) and entity.noun.endswith(phrase.noun):
            return one if definite or entity.count > 1 else None
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
            more = phrase.rest or phrase.more
            return _one_more(state, phrase) if more else state.latest(1)
        pool = add_thing(state, phrase, phrase.noun, attributes_of(phrase))
        state.entities[pool].count = phrase.total or phrase.count or words.PLURAL
    base = state.entities[pool]
    if phrase.half:
        phrase.count = max(1, base.count // 2)
    if phrase.rest:
        base.split = True
        return [pool]
    own = [w for w in attributes_of(phrase) if w not in base.attributes]
    return [_take_from(state, pool, phrase.count or 1, [*phrase.best, *own])]


def _one_more(state: Reading, phrase: NounPhrase) -> Ids:
    """ "One dog is brown, the other two are white": more of what was counted first."""
    counted = [i for i in state.first_subjects if state.entities[i].exact]
    if not counted:
        return state.latest(1)
    phrase.count = phrase.count or 1
    return [add_thing(state, phrase, state.entities[counted[-1]].noun, [])]


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
