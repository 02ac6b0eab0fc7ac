"""What a noun phrase is in its clause: a thing, a part, the background, or what is absent."""

from situ.planners import kinds, nouns, places, uses, verb_forms, words
from situ.planners.chunking.items import Item, NounPhrase
from situ.planners.reading.antecedents import antecedent
from situ.planners.reading.mentions import attributes_of, identify, resolve
from situ.planners.reading.parts import place_ids
from situ.planners.reading.pronouns import topic_of
from situ.planners.reading.relating import for_each, relate, spoken
from situ.planners.reading.state import Ids, Reading
from situ.planners.verb_forms import word_set

_IN_HAND = word_set("talon hoof hand hands mouth arms beak paw paws claws jaws grip trunk")


_BODY = _IN_HAND | nouns.BODY


_BY_THE_BODY = ("above", "behind", "in front of", "next to", "left of", "right of")
_DOORS = nouns.PLACED_PARTS - {"roof"}
_EDGES = word_set("edge side rim brim base")
_OWN_PARTS = (
    nouns.REGIONS
    | nouns.PLACED_PARTS
    | nouns.BODY
    | word_set(
        "armrest backrest bow brim bumper cockpit deck doorstep drawer footrest handlebar handlebars "
        "headboard headrest keyboard ledge mast pouch prow rung saddle spout stern step windshield"
    )
)
_FACING = ("overlook", "cross", "enter", "explore", "visit", "leave", "face", "roam", "watch")
_GRIPS = _BODY | word_set("strap handle string rope chain leash cord thread hook")
_TAKEN = ("photo", "photograph", "picture", "selfie", "shot", "snapshot")
_POSTURES = word_set("leg foot knee tiptoe elbow hand paw")
_LIGHT_VERBS = ("do", "take", "make", "give", "perform", "attempt")
_TIMES = word_set(
    "day night morning evening afternoon week month year midnight winter summer spring"
)
_SHAPED = (
    words.COLOURS | frozenset(words.LARGER)
    | word_set("round square oval circular rectangular shallow deep narrow wide")
)  # fmt: skip
_CLOUDS = word_set("cloud star wave tree mountain hill")
_PLACES_SOMETIMES = word_set("moon iceberg pond") | _CLOUDS
_BACKGROUND_WORDS = word_set(
    "in on at under above over across through along alongside down into onto inside up during within around "
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
    kind = nouns.head(phrase.noun) if phrase.noun else ""
    if state.mute:
        state.mute = state.kind(state.index + 1) == "np"
    elif state.negated and not state.waiting:
        _leave_out(state, phrase)
    elif _on_part(state, phrase, kind):
        return
    elif _is_background(state, phrase, kind):
        _set_background(state, phrase)
    elif _is_nothing(state, phrase, kind):
        _skip(state)
    elif not identify(state, phrase):
        if ids := resolve(state, phrase):
            place_ids(state, ids, phrase)
        else:
            _skip(state)


def _on_part(state: Reading, phrase: NounPhrase, kind: str) -> bool:
    """Parts of a body or a thing have no box: whose they are is what stands there."""
    if _is_body_part(state, phrase, kind):
        _at_body_part(state, phrase)
    elif phrase.determiner in words.POSSESSIVES and kind in _BODY and not state.waiting:
        state.with_group, state.in_with = [], False
        state.now(state.subjects, "subject")
    elif state.waiting and _is_own_part(state, phrase, kind):
        standing = [i for waiting in state.waiting for i in waiting.subjects]
        owner = state.host if state.in_with and state.with_group else topic_of(state)
        owner = owner or antecedent(state, standing, phrase.determiner == "their")
        place_ids(state, owner, None)
    elif _is_word_part(state, phrase, kind):
        state.waiting = []
    else:
        return False
    return True


def _is_own_part(state: Reading, phrase: NounPhrase, kind: str) -> bool:
    """ "on its roof", and "a sink with a sponge on the edge"."""
    if phrase.determiner in ("its", "their"):
        return kind in _OWN_PARTS
    bare = phrase.determiner == "the" and phrase.noun == kind and not phrase.modifiers
    of_host = state.in_with and bool(state.with_group) and kind in _OWN_PARTS - _DOORS
    named = any(nouns.head(entity.noun) == kind for entity in state.entities)
    return bare and not named and (of_host or (kind in _EDGES and bool(state.entities)))


def _is_nothing(state: Reading, phrase: NounPhrase, kind: str) -> bool:
    """Is it a time, an action or a manner rather than a thing?"""
    posed = bool(state.waiting) and state.waiting[-1].said == "for" and kind in words.FRAMES
    named = phrase.noun in nouns.NON_THINGS and not phrase.subset
    timed = kind in _TIMES or _is_light_object(state, phrase)
    return named or timed or posed or _is_manner(state, phrase, kind)


def _is_manner(state: Reading, phrase: NounPhrase, kind: str) -> bool:
    """ "arranged in a fan shape", "held by its strap"."""
    if not state.waiting:
        return False
    said = state.waiting[-1].said
    posed = said == "on" and not phrase.determiner and kind in _POSTURES
    held = said == "by" and phrase.determiner in ("its", "their") and kind in _GRIPS
    seen = said in ("to", "at", "toward", "for", "into") and phrase.determiner == "the"
    return (
        posed or held or (said == "in" and kind in nouns.DIMENSIONS) or (seen and kind == "camera")
    )


def _is_light_object(state: Reading, phrase: NounPhrase) -> bool:
    """ "takes a walk", "does a flip": what is done is no thing."""
    deed = verb_forms.VERBS.get(phrase.noun) == phrase.noun and phrase.noun not in nouns.KNOWN
    if state.verb == "hold" and phrase.noun == "hand" and not phrase.determiner:
        return True  # "hold hands"
    deed = deed or (state.verb == "take" and phrase.noun in _TAKEN)
    return state.verb in _LIGHT_VERBS and (deed or state.verb == "do") and not state.waiting


def _leave_out(state: Reading, phrase: NounPhrase) -> None:
    name = " ".join([*attributes_of(phrase), phrase.noun]).strip()
    if name:
        state.absent.append(name)
        state.left_out = state.index
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
    if state.in_hand and phrase.rest and not phrase.noun:
        return bool(state.waiting) and state.waiting[-1].said == "in"
    body = own or kind in _IN_HAND | {"head", "back", "shoulder", "neck", "lap", "face", "foot"}
    owned = phrase.determiner in words.POSSESSIVES or phrase.determiner in (
        "the",
        "one",
        "each",
        "",
    )
    return body and owned and bool(state.waiting)


def _at_body_part(state: Reading, phrase: NounPhrase) -> None:
    kind = nouns.head(phrase.noun) or "hand"
    waiting = state.waiting[-1]
    state.waiting = []
    held = waiting.predicate == "above" and state.role == "object"
    subjects = state.with_group or (held and waiting.maybe) or waiting.subjects
    owner = _owner_of(state, phrase, subjects)
    state.with_group = []
    if not owner:
        return
    state.in_hand = kind in _IN_HAND
    for one in subjects if phrase.each else []:
        state.entities[one].count *= 2  # "in each hand"
    for_each(state, subjects, owner)
    if held or (waiting.predicate in _BY_THE_BODY and (kind == "head" or waiting.said != "over")):
        relate(state, subjects, waiting.predicate, owner)
    elif kind in _IN_HAND:
        relate(state, owner, "holding", subjects)
    elif state.are(subjects, uses.WEARABLE):
        relate(state, owner, "wearing", subjects)
    else:
        relate(state, subjects, "on", owner)
    state.now(owner, "subject")


def _owner_of(state: Reading, phrase: NounPhrase, subjects: Ids) -> Ids:
    """Whose head or hand it is."""
    if state.in_with and state.host:
        return state.host
    owner = [i for i in state.verb_subjects or state.subjects if i not in subjects]
    person = phrase.determiner in ("his", "her")
    return owner or antecedent(state, subjects, kinds=nouns.PEOPLE if person else nouns.ANIMATE)


def _is_word_part(state: Reading, phrase: NounPhrase, kind: str) -> bool:
    if not state.in_with or not state.host or state.waiting or kind not in nouns.WORD_PARTS:
        return False
    host = state.entities[state.host[-1]]
    animate = nouns.head(host.noun) in nouns.ANIMATE
    grows = nouns.head(host.noun) in kinds.PLANTS | {"plant", "tree", "flower", "bush"}
    own = grows if kind in nouns.PLANT_PARTS else animate or kind not in nouns.LOOSE_PARTS
    return not host.ghost and own


def _is_background(state: Reading, phrase: NounPhrase, kind: str) -> bool:
    if _is_the_wall(state, phrase, kind):
        return all(nouns.head(entity.noun) != "wall" for entity in state.entities)
    if _is_named_place(state, phrase) or _is_indoors(state, phrase, kind):
        return True
    vehicle = any(word in nouns.VEHICLES for word in phrase.noun.split()[:-1])
    known = kind in places.PLACES | _PLACES_SOMETIMES
    if not state.waiting and kind in places.SHOPS and _is_inside_told(state):
        return True
    known = known or (kind in places.SCENE_PLACES and not state.waiting)
    if phrase.subset or vehicle or not known:
        return False
    several = (phrase.count or 1) > 1
    if state.waiting:
        return _is_around(state.waiting[-1].said, phrase, kind, several)
    if state.verb in _FACING and state.verb_subjects and kind in places.PLACES:
        return True
    if kind in _PLACES_SOMETIMES or kind not in places.SCENE_PLACES or several:
        return False
    alone = state.before in ("stop", "there")
    return alone and state.kind(state.index + 1) in _AFTER_SCENE


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
    if waiting and waiting.negated:  # "no dogs are in the yard"
        for one in waiting.subjects:
            state.entities[one].ghost = True
            state.absent.append(state.entities[one].noun)
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
