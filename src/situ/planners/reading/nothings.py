"""Times, actions and manners: noun phrases that name no thing."""

from situ.planners import nouns, verb_forms, words
from situ.planners.chunking.items import NounPhrase
from situ.planners.reading.background import TIMES
from situ.planners.reading.state import Reading
from situ.planners.verb_forms import word_set

IN_HAND = word_set(
    "arm claw jaw talon hoof hand hands mouth arms beak paw paws claws jaws grip trunk"
)


BODY = IN_HAND | nouns.BODY


_GRIPS = BODY | word_set("strap handle string rope chain leash cord thread hook")


_TAKEN = ("photo", "photograph", "picture", "selfie", "shot", "snapshot")


_POSTURES = word_set("leg foot knee tiptoe elbow hand paw")


_LIGHT_VERBS = ("do", "take", "make", "give", "perform", "attempt")


_LIMBS = word_set(
    "arm beak ear elbow eye eyebrow face finger fist foot hand head knee leg lip mouth neck "
    "nose shoulder tail teeth toe tongue trunk wing"
)


_SPORTS = word_set(
    "badminton baseball basketball bowling bowls boules cricket darts domino football golf "
    "hockey lacrosse rugby soccer softball tag tennis volleyball"
)


_OCCASIONS = word_set(
    "scene picnic party festival concert wedding parade carnival fair ceremony worksheet sample "
    "exhibition"
)


_SPORTS_THINGS = word_set(
    "bicycle bike bmx dirtbike frisbee kayak motorbike motorcycle scooter skateboard snowboard "
    "surfboard unicycle"
)
_FEATS = word_set("trick stunt flip jump maneuver competition contest race game lesson")


def with_what(noun: str) -> str:
    """ "a skateboard trick", "a game of frisbee": what it is done with is there, the deed is not."""
    first, last = noun.split(" ")[0], noun.split(" ")[-1]
    if noun.startswith(("game of ", "round of ")) and last in _SPORTS_THINGS:
        return last
    return first if last in _FEATS and first in _SPORTS_THINGS else noun


def is_nothing(state: Reading, phrase: NounPhrase, kind: str) -> bool:
    """Is it a time, an action or a manner rather than a thing?"""
    posed = bool(state.waiting) and state.waiting[-1].said == "for" and kind in words.FRAMES
    named = phrase.noun in nouns.NON_THINGS and not phrase.subset
    named = named or (phrase.noun == "side" and phrase.modifiers == ["other"])
    named = named or _is_occasion(state, phrase, kind)
    timed = kind in TIMES or _is_light_object(state, phrase)
    return named or timed or posed or _is_manner(state, phrase, kind)


def _is_occasion(state: Reading, phrase: NounPhrase, kind: str) -> bool:
    """ "A jungle scene", "at a music festival", "For my class:"."""
    ends = state.kind(state.index + 1) in ("stop", "full", "comma")
    meant = bool(state.waiting) and state.waiting[-1].said == "for" and not state.entities
    once = (phrase.count or 1) == 1 and " of " not in phrase.noun
    return (once and kind in _OCCASIONS) or (meant and ends)


def _is_manner(state: Reading, phrase: NounPhrase, kind: str) -> bool:
    """ "arranged in a fan shape", "held by its strap"."""
    if not state.waiting:
        return False
    said = state.waiting[-1].said
    posed = is_posture(state, phrase, kind)
    dyed = said == "in" and not phrase.determiner and phrase.count is None and _is_colour(phrase)
    held = said == "by" and phrase.determiner in ("its", "their") and kind in _GRIPS
    seen = said in ("to", "at", "toward", "for", "into", "in front of", "from")
    seen = seen and phrase.determiner == "the" and len(state.entities) > 0
    return (
        posed
        or held
        or dyed
        or (said == "into" and kind == "ball")
        or (said == "in" and kind in nouns.DIMENSIONS)
        or (seen and kind == "camera")
    )


def is_posture(state: Reading, phrase: NounPhrase, kind: str) -> bool:
    """ "on foot", "on tiptoe", "on one leg"."""
    bare = not phrase.determiner and bool(state.waiting) and state.waiting[-1].said == "on"
    return bare and kind in _POSTURES


def _is_colour(phrase: NounPhrase) -> bool:
    """ "dressed in orange"."""
    return phrase.noun in words.COLOURS and not phrase.plural


def _is_light_object(state: Reading, phrase: NounPhrase) -> bool:
    """ "takes a walk", "does a flip": what is done is no thing."""
    deed = verb_forms.VERBS.get(phrase.noun) == phrase.noun and phrase.noun not in nouns.KNOWN
    bare = not phrase.determiner and phrase.count is None and bool(state.verb)
    alive = state.are(state.verb_subjects, nouns.ANIMATE) and not state.waiting
    if bare and alive and (phrase.noun in _LIMBS or _is_game(state, phrase)):
        return True  # "hold hands", "play tennis"
    if state.verb == "play" and _is_match(phrase):
        return True
    deed = deed or (state.verb == "take" and phrase.noun in _TAKEN)
    return state.verb in _LIGHT_VERBS and (deed or state.verb == "do") and not state.waiting


def _is_game(state: Reading, phrase: NounPhrase) -> bool:
    return state.verb == "play" and (phrase.noun in _SPORTS or _is_match(phrase))


def _is_match(phrase: NounPhrase) -> bool:
    return nouns.head(phrase.noun) in ("game", "match", "round")
