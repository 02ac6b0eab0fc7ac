"""Where a scene is, rather than what is in it."""

from situ.planners import nouns, places, words
from situ.planners.chunking.items import NounPhrase
from situ.planners.reading.state import Reading
from situ.planners.verb_forms import word_set

TIMES = word_set(
    "day night morning evening afternoon week month year midnight winter summer spring time season "
    "hour"
)


_FACING = ("overlook", "cross", "enter", "explore", "visit", "leave", "face", "roam", "watch")


_SHAPED = (
    words.COLOURS | frozenset(words.LARGER)
    | word_set("round square oval circular rectangular shallow deep narrow wide")
)  # fmt: skip


_CLOUDS = word_set("cloud star wave tree mountain hill")


_PLACES_SOMETIMES = word_set("moon iceberg pond") | _CLOUDS


_BACKGROUND_WORDS = word_set(
    "in on at under above over across through along alongside down into onto inside up during "
    "within around from underneath beneath by against near after before of for toward towards "
    "with"
) | {
    "in the middle of",
    "in the center of",
    "in the centre of",
    "inside of",
    "out of",
    "high above",
    "on top of",
}


def is_background(state: Reading, phrase: NounPhrase, kind: str) -> bool:
    if _is_the_wall(state, phrase, kind):
        return all(nouns.head(entity.noun) != "wall" for entity in state.entities)
    if any(told(state, phrase, kind) for told in (_is_named_place, _is_indoors, _is_setting)):
        return True
    vehicle = any(word in nouns.VEHICLES for word in phrase.noun.split()[:-1])
    known = kind in places.PLACES | _PLACES_SOMETIMES
    if not state.waiting and kind in places.SHOPS and _is_inside_told(state):
        return True
    known = known or (kind in places.SCENE_PLACES and not state.waiting)
    if phrase.subset or vehicle or not known:
        return False
    if state.waiting and state.waiting[-1].predicate == "flank":
        return False  # "on each side of the road"
    several = (phrase.count or 1) > 1
    if state.waiting:
        return _is_around(state.waiting[-1].said, phrase, kind, several)
    if state.verb in _FACING and state.verb_subjects and kind in places.PLACES:
        return True
    if kind in _PLACES_SOMETIMES or kind not in places.SCENE_PLACES or several:
        return False
    bare = not phrase.determiner and phrase.count is None
    alone = state.before in ("stop", "there") or (state.before == "comma" and bare)
    return alone and state.kind(_after_time(state)) in _AFTER_SCENE


def _after_time(state: Reading) -> int:
    """ "a street at night with": the place after when or where that is."""
    index = state.index + 1
    while state.kind(index) == "rel" and state.kind(index + 1) == "np":
        phrase = state.items[index + 1].phrase
        kind = nouns.head(phrase.noun) if phrase and phrase.noun else ""
        if kind not in TIMES | places.SCENE_PLACES | nouns.NON_THINGS:
            break
        index += 2
    return index


_AFTER_SCENE = ("with", "that", "stop", "full", "comma", "have", "neg")


def _is_inside_told(state: Reading) -> bool:
    """ "A bakery with three cakes": but not "with an awning", nor "with two cars stands by"."""
    begins = state.before in ("stop", "there") and not state.entities
    following = state.items[state.index + 1 : state.index + 3]
    if not begins or [item.kind for item in following] != ["with", "np"]:
        return False
    shown = following[1].phrase
    told = any(i.kind == "cop" or (i.said.endswith("s") and i.kind == "verb") for i in state.items)
    return not told and shown is not None and nouns.head(shown.noun) not in places.OUTSIDES


def _is_the_wall(state: Reading, phrase: NounPhrase, kind: str) -> bool:
    """ "a picture on the wall"."""
    said = state.waiting[-1].said if state.waiting else ""
    return kind == "wall" and phrase.determiner == "the" and said in ("on", "along", "against")


def _is_around(said: str, phrase: NounPhrase, kind: str, several: bool) -> bool:
    """Is a place after a preposition where all of it is: "on a lake", but not "on a round blue lake"?"""
    if kind in _CLOUDS:
        among = said in ("in", "among", "through", "into")
        return phrase.plural and phrase.determiner == "the" and among
    if kind in ("pond", "lake") and _SHAPED & set(phrase.modifiers):
        return False
    if kind == "pond":
        return said in ("in", "on", "across", "into", "over") and not several
    if kind in ("moon", "iceberg"):
        return kind == "moon" and said == "on"
    return said in _BACKGROUND_WORDS and not several


def _is_indoors(state: Reading, phrase: NounPhrase, kind: str) -> bool:
    """ "in an old church": but not the church that was named before."""
    within = bool(state.waiting) and state.waiting[-1].said in ("in", "inside", "at", "inside of")
    named = any(nouns.head(entity.noun) == kind for entity in state.entities)
    return within and kind in places.INDOORS and (phrase.count or 1) == 1 and not named


def _is_setting(state: Reading, phrase: NounPhrase, kind: str) -> bool:
    """ "The bathroom is tiny.", and at the end ", warehouse": where all of it is."""
    if (
        kind not in places.INDOORS | places.SCENE_PLACES | places.PLACES
        or state.waiting
        or phrase.plural
        or (phrase.count or 1) > 1
    ):
        return False
    following = [state.kind(state.index + step) for step in (1, 2, 3)]
    if phrase.determiner in ("the", "this") and state.before == "stop":
        told = following[:2] == ["cop", "neg"] or following == ["cop", "adj", "stop"]
        told = told or (following == ["cop", "full", "np"] and _is_filled_with_air(state))
        return told and not any(nouns.head(e.noun) == kind for e in state.entities)
    if not state.entities and phrase.determiner in words.ARTICLES and kind in places.INDOORS:
        # "A garage. A red car stands next to a toolbox."
        return state.index == 0 and following[0] == "stop" and len(state.items) > 2
    bare = not phrase.determiner and phrase.count is None and kind not in _PLACES_SOMETIMES
    return bare and state.before == "comma" and following[0] in ("stop", "comma")


def _is_filled_with_air(state: Reading) -> bool:
    """ "The forest is full of mist"."""
    phrase = state.items[state.index + 3].phrase
    return phrase is not None and phrase.noun in nouns.NON_THINGS


def _is_named_place(state: Reading, phrase: NounPhrase, kind: str) -> bool:
    """ "in Tokyo": a name after "in", of a kind that nobody knows."""
    bare = not phrase.determiner and phrase.count is None and not phrase.plural
    return (
        bool(state.waiting)
        and state.waiting[-1].said == "in"
        and bare
        and not phrase.modifiers
        and bool(kind)
        and not nouns.is_known(phrase.noun.split()[-1])
        and " of " not in phrase.noun
    )
