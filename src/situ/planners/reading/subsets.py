"""Some of several: "two of them", "the other", and kinds that are named one by one."""

from situ.planners import nouns, verb_forms, words
from situ.planners.chunking.items import NounPhrase
from situ.planners.kinds import is_called
from situ.planners.reading.state import Entity, Ids, Reading
from situ.planners.reading.things import add_thing, attributes_of, is_another
from situ.planners.symbols import Relation


def more_of(state: Reading, phrase: NounPhrase) -> Ids:
    """ "one cake has four candles and the other has six": six candles more."""
    bare = phrase.exact and not (phrase.noun or phrase.rest or phrase.determiner or phrase.half)
    owners = {state.entities[i].noun for i in state.host}
    owned = [e for e in state.entities if e.noun not in owners]
    if not bare or state.before != "have" or not owned:
        return []
    return [add_thing(state, phrase, owned[-1].noun, [])]


def subset_of(state: Reading, phrase: NounPhrase) -> Ids:
    """ "two of them", "the other", "the first"."""
    pool = pool_of(state, phrase)
    if pool is None:
        if not phrase.noun:
            if state.entities and phrase.count == 1 and is_another(state, phrase, []):
                return [add_thing(state, phrase, state.entities[-1].noun, [])]
            more = phrase.rest or phrase.more
            return _one_more(state, phrase) if more else _those(state, phrase)
        pool = add_thing(state, phrase, phrase.noun, attributes_of(phrase))
        whole = 2 * words.PLURAL if phrase.half else words.PLURAL
        state.entities[pool].count = phrase.total or (not phrase.half and phrase.count) or whole
    base = state.entities[pool]
    if phrase.added and not base.split and base.exact and state.role != "subject":
        return [add_thing(state, phrase, base.noun, list(base.attributes))]
    if phrase.half:
        parts = sum(e.count for e in state.entities if e.parent == pool)
        phrase.count = max(1, (base.count + parts) // 2)
    if phrase.rest and base.count:
        phrase.count = base.count
    if state.waiting and state.waiting[-1].predicate == "between" and not phrase.noun:
        return [pool]  # "between two of them"
    own = [w for w in attributes_of(phrase) if w not in base.attributes]
    return [take_from(state, pool, phrase.count or 1, [*phrase.best, *own])]


def _those(state: Reading, phrase: NounPhrase) -> Ids:
    """ "between the two": the latest things of that number, without the one that stands there."""
    standing = [i for waiting in state.waiting for i in waiting.subjects]
    number = phrase.count or 1 if phrase.determiner == "the" else 1
    named = [i for i, e in enumerate(state.entities) if e.count and i not in standing]
    return named[-number:] if number > 1 else state.latest(1)


def _one_more(state: Reading, phrase: NounPhrase) -> Ids:
    """ "One dog is brown, the other two are white": more of what was counted first."""
    counted = [i for i in state.first_subjects if state.entities[i].exact]
    counted = counted or (state.first_subjects if phrase.count else [])
    if not counted:
        return state.latest(1)
    phrase.count = phrase.count or 1
    return [add_thing(state, phrase, state.entities[counted[-1]].noun, [])]


def pool_of(state: Reading, phrase: NounPhrase) -> int | None:
    order = list(range(len(state.entities) - 1, -1, -1))
    if phrase.subset and not phrase.noun and _acts_next(state):
        order.sort(key=lambda one: not state.are([one], nouns.ANIMATE))
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


def _acts_next(state: Reading) -> bool:
    """ "one of them is holding an axe": is it said of somebody alive?"""
    following = state.items[state.index + 1 : state.index + 3]
    verbs = [item.word for item in following if item.kind == "verb"]
    begins = bool(following) and following[0].kind in ("verb", "cop")
    return begins and verbs[:1] != [] and verbs[0] in verb_forms.LIVING


_OPPOSITE = ("left", "right")


def take_from(state: Reading, pool: int, count: int, attributes: list[str]) -> int:
    base = state.entities[pool]
    side = next((word for word in attributes if word in _OPPOSITE), "")
    attributes = [word for word in attributes if word != side]
    taken = min(count, base.count)
    more = base.plural and not base.exact and not base.split and base.count == taken + 1
    base.count -= 0 if more else taken  # "full of ducks, one of which is black"
    base.split = True
    part = Entity(base.noun, [*attributes, *base.attributes], taken, True, taken > 1, parent=pool)
    state.entities.append(part)
    one = len(state.entities) - 1
    if side and base.count:
        state.relations.append(Relation(one, f"{side} of", pool))
    return one


def apposed_to(state: Reading, phrase: NounPhrase) -> int | None:
    """ "two children, a boy and a girl, run": things whose number was told before they are named."""
    opened = state.before in ("comma", "stop") and not state.predicated
    pool = state.modified[0] if state.modified and state.before in ("comma", "and") else None
    if pool is not None and pool < len(state.entities) and state.entities[pool].split:
        fits = state.entities[pool].count and _is_one_of(state.entities[pool], phrase)
        return pool if fits else None
    told = state.before == "stop" and state.items[state.index - 1].word == ":"
    if not (told or opened) or not state.entities:
        return None
    for one, entity in enumerate(state.entities):
        if entity.exact and entity.count > 1 and not entity.split and _is_one_of(entity, phrase):
            return one if _listed_from(state, entity) == entity.count else None
    return None


def _is_one_of(entity: Entity, phrase: NounPhrase) -> bool:
    kind, name = nouns.head(entity.noun), phrase.noun
    single = phrase.determiner in words.ARTICLES and bool(name)
    below = nouns.head(name) == kind or is_called(kind, nouns.head(name))
    return single and (name != entity.noun or bool(phrase.modifiers)) and below


def _listed_from(state: Reading, entity: Entity) -> int:
    """How many of a kind the rest of the sentence names, one by one."""
    total = 0
    for item in state.items[state.index :]:
        if item.kind == "stop":
            break
        total += item.phrase is not None and _is_one_of(entity, item.phrase)
    return total
