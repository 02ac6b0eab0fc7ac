"""A noun phrase to a new thing."""

from situ.planners import words
from situ.planners.chunking.items import NounPhrase
from situ.planners.reading.state import Entity, Reading
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


def is_elsewhere(state: Reading, entity: Entity) -> bool:
    """ "the man on the left" is not "the man on the right"."""
    following = state.items[state.index + 1 : state.index + 2]
    return bool(entity.place) and any(
        item.kind == "place" and item.word != entity.place for item in following
    )


def is_another(state: Reading, phrase: NounPhrase, attributes: list[str]) -> bool:
    """ "a second one", or "the one on the right" after one on the left."""
    if attributes:
        return False
    if phrase.determiner in words.ARTICLES:
        return not state.waiting or state.waiting[-1].said != state.last_said
    return phrase.determiner == "the" and is_elsewhere(state, state.entities[-1])
