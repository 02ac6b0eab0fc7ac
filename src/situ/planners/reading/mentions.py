"""Noun phrases to things: new ones, ones named before, and some of several."""

from situ.planners import nouns, words
from situ.planners.chunking.items import NounPhrase
from situ.planners.kinds import is_called
from situ.planners.reading.borrowing import borrowed
from situ.planners.reading.state import Ids, Reading
from situ.planners.reading.subsets import apposed_to, more_of, pool_of, subset_of, take_from
from situ.planners.reading.things import add_thing, attributes_of, is_elsewhere
from situ.planners.symbols import Relation
from situ.planners.verb_forms import word_set


def resolve(state: Reading, phrase: NounPhrase) -> Ids:
    """The things that a noun phrase names, new ones or known ones."""
    if phrase.subset:
        return more_of(state, phrase) or subset_of(state, phrase)
    attributes = attributes_of(phrase)
    if phrase.noun in ("former", "latter") and len(state.entities) > 1:
        return [0] if phrase.noun == "former" else [1]
    if not phrase.noun or phrase.noun == "one":
        return borrowed(state, phrase, attributes)
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
    pool = apposed_to(state, phrase)
    if pool is not None:
        part = take_from(state, pool, phrase.count or 1, [])
        state.entities[part].noun, state.entities[part].attributes = phrase.noun, attributes
        state.modified = [pool]
        return part
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
    pool = pool_of(state, phrase) if single and attributes else None
    if pool is None or set(attributes) <= set(state.entities[pool].attributes):
        return None
    taken = [i for i, e in enumerate(state.entities) if e.parent == pool]
    if any(set(attributes) <= set(state.entities[i].attributes) for i in taken):
        return None
    return take_from(state, pool, 1, attributes) if state.entities[pool].exact else None


def _of_material(state: Reading, phrase: NounPhrase) -> int | None:
    """ "two hats, one straw and one felt": one of them, and what it is made of."""
    bare = phrase.count == 1 and not phrase.determiner and not phrase.modifiers
    if (
        not bare
        or phrase.noun not in nouns.MATERIALS
        or state.before not in ("comma", "and", "stop")
    ):
        return None
    pool = pool_of(state, NounPhrase())
    exact = pool is not None and state.entities[pool].exact
    return take_from(state, pool, 1, [phrase.noun]) if exact and pool is not None else None


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
    other = bool(state.entities) and all(e.noun != phrase.noun for e in state.entities)
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
        alive = state.are(state.subjects, nouns.ANIMATE)
        fits = not alive or nouns.head(phrase.noun) in nouns.ANIMATE
        return phrase.determiner in words.ARTICLES and fits
    bare = not said.determiner and said.count is None and not said.plural and not said.modifiers
    return bare and phrase.determiner == "the"


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
        ending = f" {entity.noun}".endswith(f" {phrase.noun}")
        if nouns.head(entity.noun) != nouns.head(phrase.noun) and not ending:
            continue
        if is_elsewhere(state, entity):
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
        known = {*state.subjects, *(() if state.waiting else state.first_subjects)}
        others = [i for i in range(len(state.entities)) if i not in known]
        return next((i for i in others if state.are([i], nouns.ANIMALS)), None)
    for one in range(len(state.entities) - 1, -1, -1):
        entity = state.entities[one]
        alike = phrase.plural == (entity.count > 1) and entity.count > 0
        if alike and is_called(general, nouns.head(entity.noun)):
            return one
    return None


def _called(state: Reading, phrase: NounPhrase) -> Ids:
    """Whom a name stands for that was told before: "Benny" after "Benny the bear", "Anna" again."""
    bare = not phrase.determiner and phrase.count is None and not phrase.plural
    if not bare or phrase.modifiers or nouns.is_known(phrase.noun):
        return []
    return [i for i, e in enumerate(state.entities) if phrase.noun in (e.name, e.noun)]
