"""Prepositions: who stands there, and whether the landmark came before or is to come."""

from situ.planners import nouns, uses, verb_forms, words
from situ.planners.chunking.items import Item
from situ.planners.reading.antecedents import antecedent
from situ.planners.reading.having import with_at_host
from situ.planners.reading.landing import front
from situ.planners.reading.relating import pairwise, relate
from situ.planners.reading.state import Ids, Reading, Waiting
from situ.planners.symbols import TOUCHING
from situ.planners.verb_forms import is_participle, word_set


def on_rel(state: Reading, item: Item) -> None:
    state.enclosed = item.said.startswith(("inside", "within"))
    predicate = _of_verb(state, item, item.word)
    if item.landmark and state.before == "verb" and state.verb in _TURNING:
        return  # "a signpost that points to the left"
    if predicate == "together" and state.before == "stop":
        state.order = "next to"  # "side by side: a mouse and an elephant"
    elif predicate == "together":
        pairwise(state, "next to", state.group or state.subjects)
    elif _switches(state, item):
        return
    elif item.landmark:
        _dangling(state, predicate)
    else:
        _await_landmark(state, item, predicate)


def _switches(state: Reading, item: Item) -> bool:
    """ "the lamp is on"."""
    ended = state.kind(state.index + 1) in ("stop", "comma", "and")
    switched = item.said in ("on", "off", "out", "up", "down", "over", "in", "around")
    told = state.before == "cop" or (state.before == "np" and _is_its(state))
    return told and not item.landmark and not state.relative and ended and switched


def _is_its(state: Reading) -> bool:
    """ "a car, its headlights on"."""
    phrase = state.items[state.index - 1].phrase
    begins = state.kind(state.index - 2) in ("comma", "with", "and")
    return phrase is not None and phrase.determiner in words.POSSESSIVES and begins


def _await_landmark(state: Reading, item: Item, predicate: str) -> None:
    subjects, maybe = _subjects_of(state, predicate)
    negated, state.negated = state.negated, False
    if state.mute:
        return
    if _is_of_part(state):
        state.mute = True
        return
    if state.in_with and state.left_out == state.index - 1:
        subjects, maybe = [], []  # "with no plates in it"
    if _opens_clause(state):
        state.fronted = Waiting(predicate, [], said=item.said)
        state.waiting = [state.fronted]
        state.verb = ""
        return
    if state.waiting and state.before == "rel":
        state.waiting = []
    state.waiting.append(Waiting(predicate, subjects, maybe, item.said, negated))
    if _stands_alone(state):
        _land_alone(state, predicate)


def _is_of_part(state: Reading) -> bool:
    """ "a pot with a crack in it", "an apple with a bite taken out of it"."""
    verb = state.items[state.index - 1] if state.index else None
    back = 2 if verb and verb.kind == "verb" and is_participle(verb.said) else 1
    return state.left_out_part == state.index - back and state.kind(state.index + 1) == "pron"


def _of_verb(state: Reading, item: Item, predicate: str) -> str:
    """What a preposition means after some verbs: "hanging from", "leaning on", "held by"."""
    if item.said == "across" and state.verb in _SPREAD:
        return "on"
    if item.said == "from" and state.verb in verb_forms.HANGING:
        return "below"
    if item.said == "on" and state.verb in ("talk", "speak", "chat"):
        return "holding"  # "talks on the phone"
    if item.said == "on" and state.verb in _NIBBLES:
        return "near"
    if item.said == "on" and state.verb == "lean":
        return "next to"
    if item.said == "over" and state.verb in _QUARRELS | _STOOPING:
        return "near"
    if (
        item.said == "over"
        and state.verb in _DRAPED
        and state.are(state.verb_subjects, uses.CLOTHS)
    ):
        return "on"  # "a towel hanging over a chair"
    if item.said == "by" and not state.items[state.index - 1].said.endswith("ing"):
        return {"hold": "~holding", "carry": "~holding", "wear": "~wearing", "ride": "~riding"}.get(
            state.verb, predicate
        )
    return predicate


_DRAPED = word_set("drape fold hang lay lie sling spread throw")
_NIBBLES = word_set("chew feast feed gnaw munch nibble suck")
_TURNING = word_set("face gaze glance lean look point stare turn")
_TUMBLES = word_set("bend fall flip knock roll tip topple turn")
_STOOPING = word_set("bend crouch hunch lean stoop")
_QUARRELS = word_set("argue bicker fight quarrel squabble talk")
_SIDES = ("left of", "right of", "above", "below", "next to", "between")
_SPREAD = word_set("drape drip lay lie paint scatter spill sprawl spread stretch")


def _subjects_of(state: Reading, predicate: str) -> tuple[Ids, Ids]:
    """Who stands there: surely, and perhaps."""
    before = state.before
    if before == "rel" and state.waiting and state.waiting[-1].subjects:
        return state.waiting[-1].subjects, []  # "watching from behind a tree"
    if before == "verb" and state.verb and state.verb_subjects and not state.fronted:
        return state.verb_subjects, []
    if state.relative and before in ("verb", "cop", "that", "neg", "adj"):
        return state.relative, []
    if before in ("np", "pron", "full", "place"):
        if state.role in ("landmark", "object", "with") and state.np:
            return _nearest_or_main(state, predicate)
        return _coordinated(state, predicate)
    if before == "comma" and predicate.startswith("~") and state.subjects:
        return state.subjects, []  # "a door with a bell, flanked by two pots"
    host = before == "comma" and state.host and state.host == state.subjects
    if host and predicate in ("on", "inside"):
        return state.subjects, []  # "a cactus with a flower on top, in a pot"
    if before in ("and", "comma", "but", "neg") and state.rel_subjects:
        return state.rel_subjects, []
    subjects = state.subjects or state.np
    if before == "comma" and all(state.entities[i].parent is not None for i in subjects):
        return _wholes(state, subjects), []
    return subjects, []


def _wholes(state: Reading, parts: Ids) -> Ids:
    """ "two parrots, one red, the other blue, on a perch": both of them."""
    return list(dict.fromkeys(state.entities[i].parent or 0 for i in parts))


def _nearest_or_main(state: Reading, predicate: str) -> tuple[Ids, Ids]:
    """After an object or a landmark: that, what the clause is about, or perhaps both."""
    main = [i for i in state.subjects if i not in state.np]
    placed = state.object_base in verb_forms.PLACING and state.role == "object"
    raised = predicate == "above" and state.role == "object" and state.object_of == "holding"
    if predicate == "~around" or placed or raised:
        return state.np, []  # "holding an umbrella over a woman"
    if main and state.role == "landmark" and state.last_said == "for":
        return main, []
    if main and state.role == "landmark" and state.last_predicate == "between":
        return main, state.np
    if main and state.role == "object" and _is_of_the_doer(state, main, predicate):
        away = state.items[state.index].said.startswith("from")
        return main, [] if away else state.np
    also = predicate not in TOUCHING or _share_a_ground(state, predicate)
    return state.np, main if also else []


def _is_of_the_doer(state: Reading, main: Ids, predicate: str) -> bool:
    """ "a boy eats an apple on a bench", but "carries eggs in a basket" and "feeds a cat on a chair"."""
    doing = state.are(main, nouns.ANIMATE) and not state.are(state.np, nouns.ANIMATE)
    laid = predicate == "on" and state.object_of != "wearing" and _next_is(state, uses.TABLETOPS)
    if laid and state.are(main, nouns.PEOPLE):
        return False  # "blows out the candles on a cake"
    if state.items[state.index].said == "out of":
        return False
    held = (doing or state.object_of in ("wearing", "holding")) and not _is_carrier(state)
    away = state.items[state.index].said.startswith("from")
    return predicate not in ("on", "inside") or held or away


def _share_a_ground(state: Reading, predicate: str) -> bool:
    """ "a fork left of a plate on a table": both are on it; "a man beside a woman on a chair": one is."""
    following = state.items[state.index + 1 : state.index + 2]
    names = [nouns.head(i.phrase.noun) for i in following if i.phrase and i.phrase.noun]
    seen = state.last_said == "at"
    level = state.role == "landmark" and state.last_predicate in _SIDES and not seen
    wide = uses.SURFACES - uses.FOR_ONE if predicate == "on" else uses.CONTAINERS
    return level and predicate in ("on", "inside") and all(name in wide for name in names)


def _next_is(state: Reading, kinds: frozenset[str]) -> bool:
    following = state.items[state.index + 1 : state.index + 2]
    return any(i.phrase and nouns.head(i.phrase.noun) in kinds for i in following)


def _is_carrier(state: Reading) -> bool:
    """Is the next thing what one carries others in or on? "holding a cup on a tray", not "on a horse"."""
    following = state.items[state.index + 1 : state.index + 2]
    phrases = [i.phrase for i in following if i.phrase and i.phrase.noun]
    own = any(
        p.determiner in words.POSSESSIVES and nouns.head(p.noun) in nouns.BODY for p in phrases
    )
    return own or any(nouns.head(p.noun) in uses.CARRIERS for p in phrases)


def _coordinated(state: Reading, predicate: str) -> tuple[Ids, Ids]:
    group = state.group or state.np
    if state.before == "pron" and state.items[state.index - 1].word in ("all", "both"):
        return group, []  # "a spoon and a fork, all on a napkin"
    if len(group) > 1 and state.kind(state.index - 2) == "comma":
        ended = state.kind(state.index + 2) == "stop" and len(group) == 2
        return group[-1:], group[:-1] if ended else []
    if len(group) > 2 and not (predicate in ("in front of", "behind") and _ends_all(state)):
        return group[-1:], group[:-1]
    return group, []


def _ends_all(state: Reading) -> bool:
    """ "a cat, a dog and a cow in front of a barn.": all there is was listed before."""
    listed = all(item.kind in ("np", "comma", "and") for item in state.items[: state.index])
    return listed and state.kind(state.index + 2) == "stop"


def _opens_clause(state: Reading) -> bool:
    """ "On the table is a cat", "left of the tree a swing": the subject is still to come."""
    inner = state.kind(state.index + 1) == "that"  # "a sofa, on which"
    if inner or state.before not in ("stop", "and", "comma", "but", "that", "order"):
        return False
    end = _after_landmark(state, state.index + 1)
    following, later = state.kind(end), state.kind(end + 1)
    if following in ("there", "np") or (following == "pron" and later in ("verb", "have")):
        return True
    if following in ("verb", "cop") and later in ("np", "adj"):
        rests = state.items[end].word in verb_forms.RESTING
        return state.before == "stop" or following == "cop" or rests or not state.subjects
    if state.before == "stop":
        return following != "stop" or not state.entities
    return False


def _after_landmark(state: Reading, index: int) -> int:
    while (
        state.kind(index) == "np"
        and state.kind(index + 1) == "and"
        and state.kind(index + 2) == "np"
    ):
        if state.kind(index + 3) not in ("and", "comma", "cop", "verb", "there"):
            break
        index += 2
    return index + 1


def _stands_alone(state: Reading) -> bool:
    following = state.kind(state.index + 1)
    if following == "and":
        return state.kind(state.index + 2) != "rel"
    return following not in ("np", "pron", "rel", "adj", "that", "neg")


def _land_alone(state: Reading, predicate: str) -> None:
    waiting = state.waiting.pop()
    if state.before == "verb" and state.items[state.index - 1].word in _TUMBLES:
        return  # "a chair that has fallen over"
    if thing := _stood_on(state):
        relate(state, state.first_subjects, predicate, thing)
        return
    loose = predicate in ("inside", "near", "next to") and not state.with_group
    if waiting.negated or (loose and not state.are(state.last_landmark, uses.CONTAINERS)):
        return
    _dangle(state, predicate, waiting.subjects)


def _stood_on(state: Reading) -> Ids:
    """ "the car it sits on": what was named right before the pronoun, if the clause ends here."""
    kinds = [state.kind(state.index - back) for back in (1, 2, 3)]
    return [i for i in state.last_landmark if kinds == ["verb", "pron", "np"]]


def _dangling(state: Reading, predicate: str) -> None:
    """Relations that carry their landmark: "to its left", "on top"."""
    if state.in_with and state.with_group:
        with_at_host(state, predicate)
        return
    if _opens_clause_alone(state):
        landmark = antecedent(state, [])
        state.fronted = Waiting(predicate, [])
        state.last_landmark = landmark
        front(state, landmark)
        return
    subjects, _ = _subjects_of(state, predicate)
    _dangle(state, predicate, state.np if state.before == "np" else subjects)


def _opens_clause_alone(state: Reading) -> bool:
    return state.before in ("stop", "and", "comma") and state.kind(state.index + 1) in (
        "np", "there", "cop", "comma",
    )  # fmt: skip


def _dangle(state: Reading, predicate: str, subjects: Ids) -> None:
    if state.in_with and state.with_group:
        with_at_host(state, predicate)
        return
    if state.relative and state.host and state.relative == subjects != state.host:
        relate(state, subjects, predicate, state.host)  # "a bakery with bicycles parked in front"
        return
    first = [i for i in state.first_subjects if i not in subjects]
    landmark = _turned_landmark(state, subjects) or first or antecedent(state, subjects)
    if state.items[state.index].said in ("his", "her"):
        landmark = antecedent(state, subjects, kinds=nouns.PEOPLE) or landmark
    state.predicated = True
    relate(state, subjects, predicate, landmark)


def _turned_landmark(state: Reading, subjects: Ids) -> Ids:
    return [i for i in state.last_landmark if i not in subjects]
