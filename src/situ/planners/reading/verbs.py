"""Who does what to whom, and what that says about where they are."""

from dataclasses import replace

from situ.planners import kinds, nouns, uses, verb_forms, words
from situ.planners.chunking.items import Item, NounPhrase
from situ.planners.reading.relating import pair_up, relate
from situ.planners.reading.state import Ids, Reading
from situ.planners.verb_forms import is_participle


def on_verb(state: Reading, item: Item) -> None:
    base = item.word
    state.after_cop = False
    state.predicated = True
    if state.fronted and state.fronted.subjects and not state.subjects:
        return
    following = state.kind(state.index + 1)
    if (
        base in verb_forms.DEPICTING
        and following in ("np", "adj")
        and state.are(_doer(state), uses.SCREENS)
    ):
        state.mute = True
        return
    if _is_depicted(state, item):
        state.mute = following == "np"
        return
    state.verb, state.verb_subjects = base, _doer(state)
    state.object_of = ""
    ended = following in ("stop", "comma", "and")
    back = 3 if state.before == "cop" else 2
    told = state.kind(state.index - back) == "that" and state.kind(state.index - back - 1) != "rel"
    if ended and state.modified and told:
        take_object(state, state.modified, None)  # "a cake that her father is holding"


def _is_depicted(state: Reading, item: Item) -> bool:
    """ "a statue of a general riding a horse": the horse is part of the statue."""
    shown = state.np[-1:] if state.before == "np" else []
    name, of, _ = state.entities[shown[0]].noun.partition(" of ") if shown else ("", "", "")
    told = bool(of) and nouns.head(name) in nouns.DEPICTIONS and item.said.endswith("ing")
    return told and item.word in verb_forms.RIDING


def _doer(state: Reading) -> Ids:
    if _of_landmark(state):
        return state.np
    if _goes_back(state):
        return state.verb_subjects
    if _is_of_owner(state):
        return state.host
    if state.relative:
        return state.relative
    finite = not is_participle(state.items[state.index].said) and not _is_infinitive(state)
    if finite and state.role in ("object", "with") and state.subjects:
        return state.subjects
    if state.before == "np" and state.role in ("object", "with", "subject"):
        apart = state.kind(state.index - 2) == "comma" and not finite
        return state.group if state.role == "subject" and not apart else state.np
    return state.subjects or state.np


def _is_of_owner(state: Reading) -> bool:
    """ "a gnome with a red hat pushing a cart": the gnome does."""
    does = state.kind(state.index + 1) == "np" and state.before == "np" and state.role == "with"
    return does and state.are(state.host, nouns.ANIMATE) and not state.are(state.np, nouns.ANIMATE)


def _is_infinitive(state: Reading) -> bool:
    """ "watches two goldfish swim": a base form after one subject."""
    item = state.items[state.index]
    single = len(state.subjects) == 1 and state.entities[state.subjects[0]].count == 1
    return item.said == item.word and single and state.role == "object" and state.before == "np"


def _goes_back(state: Reading) -> bool:
    """ "a twin wearing pajamas sitting on a bed": the one who did the first thing does the next."""
    item = state.items[state.index]
    after = state.before == "np" and state.role == "object" and is_participle(item.said)
    acting = item.word in verb_forms.LIVING or state.object_of == "wearing"
    lives = state.are(state.verb_subjects, nouns.ANIMATE) and not state.are(state.np, nouns.ANIMATE)
    return after and acting and lives


def _of_landmark(state: Reading) -> bool:
    """ "a man next to a woman holding a baby": the nearer one does it, if it is one who may."""
    said = state.items[state.index].said
    following = state.items[state.index + 1 : state.index + 2]
    passive = is_participle(said) and any(i.said == "by" for i in following)
    if passive and state.before == "np" and state.role == "landmark":
        return True  # "on a plate held by a waiter"
    if state.before != "np" or state.role != "landmark":
        return False
    verb = state.items[state.index].word
    if verb in verb_forms.HANGING and [i.said for i in state.items[state.index + 1 :][:1]] == [
        "from"
    ]:
        return True  # "around a hive hanging from a branch"
    if verb in verb_forms.LOCATED and not said.endswith("ing"):
        return is_participle(said)  # "on a car parked next to"
    if is_participle(said) and [state.kind(state.index + k) for k in (1, 2)] == ["rel", "pron"]:
        return True  # "bigger than the kite flying below it"
    if not said.endswith("ing"):
        return False
    people = state.are(state.np, nouns.PEOPLE)
    return people or (
        state.are(state.np, nouns.ANIMALS) and not state.are(state.subjects, nouns.PEOPLE)
    )


_BEARING = ("hold", "contain", "carry", "support", "serve", "display", "exhibit")
_SHOWCASES = frozenset({"window", "showcase"})


def _verb_predicate(state: Reading, subjects: Ids, objects: Ids) -> str:
    verb = state.verb
    animate = state.are(subjects, nouns.ANIMATE)
    if verb in verb_forms.WEARING:
        return "wearing"
    if verb in verb_forms.RIDING:
        return "riding" if objects and not state.are(objects, uses.WEARABLE) else "near"
    if verb in _BEARING and not animate:
        container = verb == "contain" or state.are(subjects, uses.CONTAINERS | _SHOWCASES)
        return "~inside" if container else "~on"
    if verb in verb_forms.DRIVING and animate and state.are(objects, kinds.VEHICLES):
        return "riding"
    if verb in verb_forms.HOLDING and animate:
        return "holding" if verb in ("hold", "carry") or _is_handy(state, objects) else "near"
    if verb not in verb_forms.DISTANT and state.are(subjects, nouns.PEOPLE):
        return "holding" if state.are(objects, uses.HANDHELD) else "near"
    return {"surround": "around", "circle": "around", "flank": "flank", "cover": "on"}.get(
        verb, "near"
    )


def _is_handy(state: Reading, ids: Ids) -> bool:
    widths = [nouns.size_of(state.entities[i].noun) for i in ids]
    return all(w * h < 0.075 for w, h in widths)


def take_object(state: Reading, ids: Ids, phrase: NounPhrase | None) -> None:
    subjects = [i for i in state.verb_subjects if i not in ids]
    predicate = _verb_predicate(state, subjects, ids)
    bare = phrase is not None and phrase.count is None and not phrase.determiner
    own = bare and phrase is not None and (phrase.plural or _is_always_plural(phrase))
    single = phrase is not None and phrase.determiner in words.ARTICLES
    own = (own or (state.both and single)) and predicate in ("wearing", "holding", "riding")
    each = _multiply(state, ids, predicate, sum(state.entities[i].count for i in subjects), own)
    shared = phrase is not None and _is_always_plural(phrase) and predicate == "wearing"
    if len(subjects) > 1 and (own or shared):
        ids = _one_each(state, subjects, predicate, ids[0])
    else:
        pairs = each or pair_up(state, subjects, ids)
        relate(state, subjects, predicate, ids, predicate != "near", pairs)
    if state.laid:
        relate(state, ids, state.laid.predicate, state.laid.subjects)
    state.object_base, state.took = state.verb, predicate
    state.verb, state.object_of = "", predicate
    state.now(ids, "object")


def _multiply(state: Reading, ids: Ids, predicate: str, total: int, own: bool) -> bool:
    """As many objects as there are subjects, where each has its own; whether there are."""
    if total > 1 and len(ids) == 1 and (state.each or own):
        entity = state.entities[ids[0]]
        entity.count = total * (entity.count if state.each and not own else 1)
        return True
    if predicate.startswith("~") and state.each:
        for one in ids:
            state.entities[one].count *= total
        return total > 1
    return False


def _is_always_plural(phrase: NounPhrase) -> bool:
    return nouns.head(phrase.noun) in nouns.ALWAYS_PLURAL


def _one_each(state: Reading, subjects: Ids, predicate: str, one: int) -> Ids:
    """ "a man and a woman wearing hats": as many hats as there are wearers."""
    found = []
    for index, subject in enumerate(subjects):
        if index:
            state.entities.append(
                replace(state.entities[one], attributes=[*state.entities[one].attributes])
            )
        new = one if not index else len(state.entities) - 1
        state.entities[new].count = state.entities[subject].count
        relate(state, [subject], predicate, [new], each=state.entities[subject].count > 1)
        found.append(new)
    return found
