"""Relations between things that were read, and who takes part in them."""

import itertools

from situ.planners import nouns, uses
from situ.planners.chunking.items import NounPhrase
from situ.planners.reading.state import Ids, Reading
from situ.planners.symbols import Relation


def spoken(phrase: NounPhrase) -> str:
    if not phrase.plural or not phrase.noun:
        return phrase.noun
    name, of, rest = phrase.noun.partition(" of ")
    *front, last = name.split()
    irregular = next((p for p, s in nouns.IRREGULAR.items() if s == last), "")
    ending = "es" if last.endswith(("s", "x", "ch", "sh")) else "s"
    many = irregular or (
        last[:-1] + "ies" if last.endswith("y") and last[-2:-1] not in "aeiou" else last + ending
    )
    return " ".join([*front, many]) + of + rest


def relate(
    state: Reading,
    subjects: Ids,
    predicate: str,
    objects: Ids,
    sure: bool = True,
    each: bool = False,
) -> None:
    if predicate == "flank":
        _flank(state, subjects, objects)
        return
    if predicate.startswith("~"):
        relate(state, objects, predicate[1:], subjects, sure, each)
        return
    if predicate == "between":
        _stand_between(state, subjects, objects)
        return
    for s in subjects:
        for o in objects:
            _emit(state, Relation(s, _meant(state, s, predicate, o), o, sure, each))
    if sure:
        state.rel_subjects = list(subjects)


def _meant(state: Reading, subject: int, predicate: str, landmark: int) -> str:
    """What "in" is: in clothes one wears them, in a chair one is on it."""
    if predicate != "inside":
        return predicate
    if state.are([landmark], uses.ON_IN) and not state.enclosed:
        return "on"
    one, mark = state.entities[subject], state.entities[landmark]
    if mark.count > 1 and nouns.head(mark.noun) == nouns.head(one.noun):
        return "next to"  # "a red umbrella in a crowd of black umbrellas"
    dress = uses.WEARABLE if state.are([subject], nouns.PEOPLE) else uses.DRESS
    clothed = state.are([landmark], dress) and state.are([subject], nouns.ANIMATE)
    one_shoe = state.entities[landmark].count == 1 and state.are([landmark], uses.FOOTWEAR)
    other = any(word.endswith(("'s", "’s")) for word in mark.attributes)  # "a magician's hat"
    return "wearing" if clothed and not one_shoe and not other else predicate


def _emit(state: Reading, relation: Relation) -> None:
    pair = (relation.subject, relation.predicate, relation.object)
    known = {(r.subject, r.predicate, r.object) for r in state.relations}
    if relation.predicate in ("on", "inside"):  # "carries two sailors on her back"
        _forget(state, relation.object, "holding", relation.subject)
    if relation.subject != relation.object and pair not in known:
        state.relations.append(relation)
        for one in (relation.subject, relation.object):
            if relation.sure:
                state.entities[one].ghost = False


def _forget(state: Reading, subject: int, predicate: str, landmark: int) -> None:
    told = (subject, predicate, landmark)
    state.relations = [r for r in state.relations if (r.subject, r.predicate, r.object) != told]


def _stand_between(state: Reading, subjects: Ids, objects: Ids) -> None:
    for s in subjects:
        if len(objects) >= 2:
            _emit(state, Relation(s, "between", objects[0], other=objects[1]))
        elif objects:
            _emit(state, Relation(s, "between", objects[0]))


def _flank(state: Reading, subjects: Ids, objects: Ids) -> None:
    subjects = [_given_back(state, one) for one in subjects]
    for one in subjects if len(subjects) == 1 else []:
        entity = state.entities[one]
        if not entity.exact or entity.count == 1:
            state.each = entity.count == 1
            entity.count = max(2, entity.count)
            entity.count *= max(1, sum(state.entities[o].count for o in objects[:1]))
    relate(state, subjects, "around", objects)


def _given_back(state: Reading, one: int) -> int:
    """ "two mailboxes, one on each side": both of them."""
    entity = state.entities[one]
    if entity.parent is None or entity.count != 1:
        return one
    state.entities[entity.parent].count += 1
    entity.count = 0
    return entity.parent


def pairwise(state: Reading, predicate: str, group: Ids) -> None:
    for one, other in itertools.pairwise(group):
        relate(state, [one], predicate, [other])


def for_each(state: Reading, group: Ids, host: Ids) -> None:
    if state.each and host:
        total = sum(state.entities[i].count for i in host)
        for one in group:
            state.entities[one].count *= total


def pair_up(state: Reading, subjects: Ids, objects: Ids) -> bool:
    """ "Two tables, a vase on each": as many on both sides."""
    if len(subjects) != 1 or len(objects) != 1:
        return False
    one, other = state.entities[subjects[0]], state.entities[objects[0]]
    return one.count == other.count > 1
