"""What a noun phrase is in its clause: a thing, a part, the background, or what is absent."""

from situ.planners import nouns, places, verb_forms, words
from situ.planners.chunking.items import Item, NounPhrase
from situ.planners.reading.mentions import antecedent, attributes_of, identify, resolve
from situ.planners.reading.parts import place_ids
from situ.planners.reading.relating import for_each, relate, spoken
from situ.planners.reading.state import Reading
from situ.planners.verb_forms import word_set

_IN_HAND = word_set("hand hands mouth arms beak paw paws claws jaws grip trunk")


_BODY = _IN_HAND | nouns.BODY


_FACING = ("overlook", "cross", "enter", "explore", "visit", "leave", "face", "roam", "watch")
_GRIPS = _BODY | word_set("strap handle string rope chain leash cord thread hook")
_LIGHT_VERBS = ("do", "take", "make", "give", "perform", "attempt")
_TIMES = word_set(
    "day night morning evening afternoon week month year midnight winter summer spring"
)
_CLOUDS = word_set("cloud star wave tree mountain hill")
_PLACES_SOMETIMES = word_set("moon iceberg pond") | _CLOUDS
_BACKGROUND_WORDS = word_set(
    "in on at under above over across through along down into onto inside up during within around "
    "from underneath beneath by against near after before of for toward towards with"
) | {
    "in the middle of",
    "in the center of",
    "in the centre of",
    "inside of",
    "out of",
    "high above",
    "on top of",
}


def on_np(state: Reading, item: Item) -> None:
    phrase = item.phrase
    assert phrase is not None
    if state.mute:
        if state.kind(state.index + 1) not in ("np",):
            state.mute = False
        return
    kind = nouns.head(phrase.noun) if phrase.noun else ""
    if state.negated and not state.waiting:
        _leave_out(state, phrase)
        return
    if _is_body_part(state, phrase, kind):
        _at_body_part(state, kind)
        return
    if phrase.determiner in words.POSSESSIVES and kind in _BODY and not state.waiting:
        state.with_group, state.in_with = [], False
        state.now(state.subjects, "subject")
        return
    if _is_word_part(state, phrase, kind):
        _describe(state, phrase)
        return
    if _is_background(state, phrase, kind):
        _set_background(state, phrase)
        return
    timed = kind in _TIMES or _is_light_object(state, phrase)
    posed = bool(state.waiting) and state.waiting[-1].said == "for" and kind in words.FRAMES
    if (
        (phrase.noun in nouns.NON_THINGS and not phrase.subset)
        or timed
        or posed
        or _is_manner(state, phrase, kind)
    ):
        _skip(state)
        return
    if identify(state, phrase):
        return
    if ids := resolve(state, phrase):
        place_ids(state, ids, phrase)
    else:
        _skip(state)


def _is_manner(state: Reading, phrase: NounPhrase, kind: str) -> bool:
    """ "arranged in a fan shape", "held by its strap"."""
    if not state.waiting:
        return False
    said = state.waiting[-1].said
    held = said == "by" and phrase.determiner in ("its", "their") and kind in _GRIPS
    seen = said in ("to", "at", "toward", "for", "into") and phrase.determiner == "the"
    return held or (said == "in" and kind in nouns.DIMENSIONS) or (seen and kind == "camera")


def _is_light_object(state: Reading, phrase: NounPhrase) -> bool:
    """ "takes a walk", "does a flip": what is done is no thing."""
    deed = verb_forms.VERBS.get(phrase.noun) == phrase.noun and phrase.noun not in nouns.KNOWN
    return state.verb in _LIGHT_VERBS and (deed or state.verb == "do") and not state.waiting


def _leave_out(state: Reading, phrase: NounPhrase) -> None:
    name = " ".join([*attributes_of(phrase), phrase.noun]).strip()
    if name:
        state.absent.append(name)
    if state.kind(state.index + 1) != "and" or state.items[state.index + 1].word not in (
        "or",
        "nor",
    ):
        state.negated = False
    goes_on = state.kind(state.index + 1) == "and" and bool(state.host)
    if state.in_with and not state.with_group and not goes_on:
        state.in_with = False


def _is_body_part(state: Reading, phrase: NounPhrase, kind: str) -> bool:
    own = phrase.determiner in words.POSSESSIVES and kind in _BODY
    body = own or kind in _IN_HAND | {"head", "back", "shoulder", "neck", "lap", "face", "foot"}
    owned = phrase.determiner in words.POSSESSIVES or phrase.determiner in (
        "the",
        "one",
        "each",
        "",
    )
    return body and owned and bool(state.waiting)


def _at_body_part(state: Reading, kind: str) -> None:
    waiting = state.waiting.pop()
    state.waiting = []
    subjects = state.with_group or waiting.subjects
    if state.in_with and state.host:
        owner = state.host
    else:
        owner = [i for i in state.verb_subjects or state.subjects if i not in subjects]
    state.with_group = []
    owner = owner or antecedent(state, subjects, kinds=nouns.ANIMATE)
    if not owner:
        return
    for_each(state, subjects, owner)
    if kind in _IN_HAND:
        relate(state, owner, "holding", subjects)
    elif state.are(subjects, nouns.WEARABLE):
        relate(state, owner, "wearing", subjects)
    else:
        relate(state, subjects, "on", owner)
    state.now(owner, "subject")


def _is_word_part(state: Reading, phrase: NounPhrase, kind: str) -> bool:
    if not state.in_with or not state.host or kind not in nouns.WORD_PARTS:
        return False
    host = state.entities[state.host[-1]]
    animate = nouns.head(host.noun) in nouns.ANIMATE
    return not host.ghost and (animate or kind not in nouns.PLANT_PARTS or state.before == "with")


def _describe(state: Reading, phrase: NounPhrase) -> None:
    number = [w for w, n in words.NUMBERS.items() if phrase.exact and n == phrase.count][:1]
    said = " ".join([*(number if phrase.plural else []), *phrase.modifiers, spoken(phrase)])
    for one in state.host:
        owner = nouns.head(state.entities[one].noun)
        if owner in nouns.ANIMATE and "nose" not in said:
            entity = state.entities[one]
            joint = f"{entity.ending} and " if entity.ending else "with "
            entity.ending = f"{joint}{said}"
    state.waiting = []


def _is_background(state: Reading, phrase: NounPhrase, kind: str) -> bool:
    if (
        kind == "wall"
        and phrase.determiner == "the"
        and state.waiting
        and state.waiting[-1].said == "on"
    ):
        return all(nouns.head(entity.noun) != "wall" for entity in state.entities)
    if _is_named_place(state, phrase):
        return True
    vehicle = any(word in nouns.VEHICLES for word in phrase.noun.split()[:-1])
    if phrase.subset or vehicle or kind not in places.PLACES | _PLACES_SOMETIMES:
        return False
    several = (phrase.count or 1) > 1
    if state.waiting:
        said = state.waiting[-1].said
        if kind in _CLOUDS:
            among = said in ("in", "among", "through", "into")
            return phrase.plural and phrase.determiner == "the" and among
        if kind == "pond":
            return said in ("in", "on", "across", "into", "over") and not several
        if kind in ("moon", "iceberg"):
            return kind == "moon" and said == "on"
        return said in _BACKGROUND_WORDS and not several
    if state.verb in _FACING and state.verb_subjects and kind in places.SCENE_PLACES:
        return True
    if kind in _PLACES_SOMETIMES or kind not in places.SCENE_PLACES or several:
        return False
    alone = state.before in ("stop", "there")
    return alone and state.kind(state.index + 1) in (
        "with",
        "that",
        "stop",
        "full",
        "comma",
        "have",
        "neg",
    )


def _is_named_place(state: Reading, phrase: NounPhrase) -> bool:
    """ "in Tokyo": a name after "in"."""
    bare = not phrase.determiner and phrase.count is None and not phrase.plural
    return (
        bool(state.waiting)
        and state.waiting[-1].said == "in"
        and bare
        and not phrase.modifiers
        and not nouns.is_known(phrase.noun.split()[-1] if phrase.noun else "the")
        and " of " not in phrase.noun
    )


def _set_background(state: Reading, phrase: NounPhrase) -> None:
    waiting = state.waiting[-1] if state.waiting else None
    said = [phrase.determiner, *phrase.modifiers, spoken(phrase)]
    front = [waiting.said] if waiting else []
    state.background.append(" ".join(word for word in [*front, *said] if word))
    keep = state.subjects
    _skip(state)
    state.subjects = keep
    state.fronted = None


def _skip(state: Reading) -> None:
    state.waiting = []
    state.verb = ""
    state.fronted = None
    if state.with_group and not state.host:
        state.with_group = []
