"""What a noun phrase is in its clause: a thing, a part, the background, or what is absent."""

from situ.planners import kinds, nouns, uses, words
from situ.planners.chunking.items import Item, NounPhrase
from situ.planners.reading.antecedents import antecedent
from situ.planners.reading.background import is_background
from situ.planners.reading.mentions import identify, resolve
from situ.planners.reading.nothings import BODY, IN_HAND, is_nothing, is_posture, with_what
from situ.planners.reading.parts import place_ids
from situ.planners.reading.pronouns import topic_of
from situ.planners.reading.relating import for_each, relate, spoken
from situ.planners.reading.state import Ids, Reading, Waiting
from situ.planners.reading.things import attributes_of
from situ.planners.verb_forms import word_set

_BY_THE_BODY = ("above", "behind", "in front of", "next to", "left of", "right of")


_DOORS = nouns.PLACED_PARTS - {"roof"}


_EDGES = word_set("edge side rim brim base")


_BUILT = word_set("blade bumper button chimney handle headlight headlights")


_ENDS = word_set("corner edge end half handle post side")


_WHICH = word_set("left right upper lower top bottom front back far near opposite other")


_OWN_PARTS = (
    nouns.REGIONS
    | nouns.PLACED_PARTS
    | nouns.BODY
    | word_set(
        "shelf armrest backrest bow brim bumper cockpit deck doorstep drawer footrest handlebar "
        "handlebars headboard headrest keyboard ledge mast pouch prow rung saddle spout stern "
        "step windshield"
    )
)


def on_np(state: Reading, item: Item) -> None:
    phrase = item.phrase
    assert phrase is not None
    if (done_with := with_what(phrase.noun)) != phrase.noun:
        _tell_of_deed(state, phrase, done_with)
    kind = nouns.head(phrase.noun) if phrase.noun else ""
    state.both = state.both or phrase.both or phrase.determiner == "both"
    if state.mute:
        state.mute = state.kind(state.index + 1) == "np"
    elif state.negated and not state.waiting:
        _leave_out(state, phrase)
    elif _on_part(state, phrase, kind):
        return
    elif is_background(state, phrase, kind):
        _set_background(state, phrase)
    elif is_nothing(state, phrase, kind):
        _skip(state)
    elif not identify(state, phrase):
        if ids := resolve(state, phrase):
            place_ids(state, ids, phrase)
        else:
            _skip(state)


def _tell_of_deed(state: Reading, phrase: NounPhrase, thing: str) -> None:
    """ "does a skateboard trick": one rides it; "in a frisbee game": one is near it."""
    phrase.noun = thing
    state.verb = "ride" if state.verb in ("do", "perform", "attempt") else state.verb
    for waiting in state.waiting:
        waiting.predicate = "near"


def _on_part(state: Reading, phrase: NounPhrase, kind: str) -> bool:
    """Parts of a body or a thing have no box: whose they are is what stands there."""
    if is_posture(state, phrase, kind):
        return False
    if _is_body_part(state, phrase, kind):
        _at_body_part(state, phrase)
    elif phrase.determiner in words.POSSESSIVES and kind in BODY and not state.waiting:
        state.with_group, state.in_with = [], False
        state.now(state.subjects, "subject")
    elif state.waiting and _is_own_part(state, phrase, kind):
        standing = [i for waiting in state.waiting for i in waiting.subjects]
        has = state.host and ((state.in_with and state.with_group) or state.relative)
        owner = state.host if has else topic_of(state)
        owner = owner or _owner_of_its(state, phrase, kind)
        owner = owner or (phrase.determiner == "the" and state.last_landmark) or []
        owner = owner or antecedent(state, standing, phrase.determiner == "their")
        place_ids(state, owner, None)
    elif _is_word_part(state, phrase, kind) or _is_told_part(state, phrase, kind):
        state.waiting, state.left_out_part = [], state.index
    else:
        return False
    return True


def _owner_of_its(state: Reading, phrase: NounPhrase, kind: str) -> Ids:
    """ "a rowboat at a dock, two rods leaning over its side": what the sentence is about."""
    alive = state.are(state.first_subjects, nouns.ANIMATE) and kind not in nouns.BODY
    single = phrase.determiner == "its" and len(state.first_subjects) == 1 and not alive
    standing = {i for waiting in state.waiting for i in waiting.subjects}
    single = single and state.waiting[0] is not state.fronted
    return [i for i in state.first_subjects if single and i not in standing]


def _is_own_part(state: Reading, phrase: NounPhrase, kind: str) -> bool:
    """ "on its roof", and "a sink with a sponge on the edge"."""
    if phrase.determiner in ("its", "their"):
        return kind in _OWN_PARTS
    bare = phrase.determiner == "the" and phrase.noun == kind and not phrase.modifiers
    of_host = state.in_with and bool(state.with_group) and kind in _OWN_PARTS - _DOORS
    named = any(nouns.head(entity.noun) == kind for entity in state.entities)
    ended = phrase.determiner == "the" and set(phrase.modifiers) <= _WHICH and kind in _ENDS
    ended = ended and not (kind == "side" and "other" in phrase.modifiers)
    if ended and phrase.modifiers and state.last_landmark:
        return True  # "a vase on the left end of a shelf and a clock on the right end"
    return bare and not named and (of_host or (kind in _EDGES and bool(state.entities)))


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
    following = state.kind(state.index + 1), state.kind(state.index + 2)
    goes_on = following[0] in ("and", "neg", "but") or following == ("comma", "but")
    goes_on = goes_on and bool(state.host)
    if state.in_with and not state.with_group and not goes_on:
        state.in_with = False


def _is_body_part(state: Reading, phrase: NounPhrase, kind: str) -> bool:
    own = phrase.determiner in words.POSSESSIVES and kind in BODY
    other = (phrase.rest and not phrase.noun) or phrase.noun in ("left", "right")
    if state.in_hand and other:
        return bool(state.waiting) and state.waiting[-1].said == "in"
    of_host = state.in_with and kind in nouns.BODY and state.are(state.host, nouns.ANIMATE)
    body = (
        own
        or (of_host and not state.with_group)
        or kind in IN_HAND | {"head", "back", "shoulder", "neck", "lap", "face", "foot"}
    )
    owned = phrase.determiner in words.POSSESSIVES or phrase.determiner in (
        "the",
        "one",
        "each",
        "",
    )
    return body and owned and bool(state.waiting)


def _at_body_part(state: Reading, phrase: NounPhrase) -> None:
    kind = nouns.head(phrase.noun) or "hand"
    kind = "hand" if kind in ("left", "right") else kind
    waiting = state.waiting[-1]
    if waiting is state.fronted:
        owner = antecedent(state, [], kinds=_owners(phrase))
        place_ids(state, owner, None)  # "on its nose there is a spoon"
        return
    state.waiting = []
    raised = waiting.predicate == "above"
    held = state.role == "object" and (raised or kind in IN_HAND)
    subjects = state.with_group or (held and waiting.maybe) or waiting.subjects
    owner = _owner_of(state, phrase, subjects)
    state.with_group = []
    if not owner:
        return
    state.in_hand = kind in IN_HAND
    for one in subjects if phrase.each else []:
        state.entities[one].count *= 2  # "in each hand"
    for_each(state, subjects, owner)
    _relate_to_owner(state, waiting, subjects, owner, (kind, held and raised))
    state.now(owner, "subject")


def _owners(phrase: NounPhrase) -> frozenset[str]:
    return nouns.PEOPLE if phrase.determiner in ("his", "her") else nouns.ANIMATE


def _relate_to_owner(
    state: Reading, waiting: Waiting, subjects: Ids, owner: Ids, part: tuple[str, bool]
) -> None:
    """On a head, in a hand, behind a back. part: which, and whether something is raised over it."""
    kind, raised = part
    by = (
        waiting.predicate in _BY_THE_BODY
        and kind != "ear"
        and (kind == "head" or waiting.said != "over")
    )
    if raised or by:
        relate(state, subjects, waiting.predicate, owner)
    elif kind in IN_HAND and not (kind == "arm" and waiting.said == "on"):
        relate(state, owner, "holding", subjects)
    elif state.are(subjects, uses.WEARABLE):
        relate(state, owner, "wearing", subjects)
    else:
        relate(state, subjects, "on", owner)


def _owner_of(state: Reading, phrase: NounPhrase, subjects: Ids) -> Ids:
    """Whose head or hand it is."""
    if state.in_with and state.host:
        return state.host
    owner = [i for i in state.verb_subjects or state.subjects if i not in subjects]
    return owner or antecedent(state, subjects, kinds=_owners(phrase))


def _is_word_part(state: Reading, phrase: NounPhrase, kind: str) -> bool:
    if not state.in_with or not state.host or state.waiting:
        return False
    host = state.entities[state.host[-1]]
    animate = nouns.head(host.noun) in nouns.ANIMATE
    if kind in _BUILT and nouns.head(host.noun) in nouns.WITH_PARTS and not host.ghost:
        return True
    if kind not in nouns.WORD_PARTS and not (animate and kind in nouns.BODY):
        return False
    grows = nouns.head(host.noun) in kinds.PLANTS | {"plant", "tree", "flower", "bush"}
    own = grows if kind in nouns.PLANT_PARTS else animate or kind not in nouns.LOOSE_PARTS
    return not host.ghost and own


def _is_told_part(state: Reading, phrase: NounPhrase, kind: str) -> bool:
    """ "young woman, freckles, long hair": what belongs to somebody, told between commas."""
    bare = not phrase.determiner and phrase.count is None and kind in nouns.WORD_PARTS
    alone = state.before == "comma" and state.kind(state.index + 1) in ("comma", "stop")
    loose = bare and alone and not state.waiting and kind not in nouns.LOOSE_PARTS
    return loose and state.are(state.first_subjects, nouns.ANIMATE)


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
