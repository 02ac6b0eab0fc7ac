"""What a noun phrase is in its clause: a thing, a part, the background, or what is absent."""

from situ.planners import nouns, words
from situ.planners.chunking.items import Item, NounPhrase
from situ.planners.reading.mentions import attributes_of, resolve
from situ.planners.reading.parts import place_ids
from situ.planners.reading.relating import relate, spoken
from situ.planners.reading.state import Reading
from situ.planners.words import word_set

_IN_HAND = word_set("hand hands mouth arms beak paw paws claws jaws grip trunk")


_BODY = _IN_HAND | word_set(
    "head back shoulder neck lap face foot leg tail body nose ear eye hand paw"
)


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
    if phrase.noun in nouns.NON_THINGS and not phrase.subset:
        _skip(state)
        return
    if ids := resolve(state, phrase):
        place_ids(state, ids, phrase)
    else:
        _skip(state)


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
    body = kind in _IN_HAND or kind in (
        "head",
        "back",
        "shoulder",
        "neck",
        "lap",
        "face",
        "foot",
    )
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
    if not owner:
        return
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
    return not state.entities[state.host[-1]].ghost


def _describe(state: Reading, phrase: NounPhrase) -> None:
    said = " ".join([*phrase.modifiers, spoken(phrase)])
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
    vehicle = any(word in nouns.VEHICLES for word in phrase.noun.split()[:-1])
    if phrase.subset or vehicle or kind not in nouns.PLACES | {"moon", "iceberg"}:
        return False
    several = (phrase.count or 1) > 1
    if state.waiting:
        said = state.waiting[-1].said
        if kind in ("moon", "iceberg"):
            return kind == "moon" and said == "on"
        return said in _BACKGROUND_WORDS and not several
    if kind in ("moon", "iceberg") or kind not in nouns.SCENE_PLACES or several:
        return False
    alone = state.before in ("stop", "there")
    return alone and state.kind(state.index + 1) in (
        "with",
        "that",
        "stop",
        "full",
        "comma",
        "have",
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
