"""Items to a symbolic scene: who stands where, told clause by clause."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from situ.planners import chunks, comparisons, nouns, style, words
from situ.planners.chunks import Item, NounPhrase
from situ.planners.symbols import TOUCHING, Relation, Symbols, Thing
from situ.planners.words import word_set
from situ.scene.layout import MAX_OBJECTS

Ids = list[int]

_DROPPED = words.ORDINALS | word_set(
    "other others same different more only single lone last next nearby main several various "
    "similar another"
)
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


@dataclass(slots=True)
class _Entity:
    noun: str
    attributes: list[str]
    count: int
    exact: bool = False
    plural: bool = False
    ending: str = ""
    place: str = ""
    parent: int | None = None
    ghost: bool = False
    sentence: int = 0
    split: bool = False


@dataclass(slots=True)
class _Waiting:
    """A relation whose landmark has not come yet."""

    predicate: str
    subjects: Ids
    maybe: Ids = field(default_factory=list)
    said: str = ""
    negated: bool = False


def read(text: str) -> Symbols:
    """The symbolic scene of a sentence or a few; any text gives one."""
    said, whole = chunks.split(text)
    kept, styled = style.take(said)
    kept, compared = comparisons.take(kept)
    chunker = chunks.Chunker(kept)
    reader = _Reader(chunker.run(), chunker.unknown)
    reader.run()
    for comparison in compared:
        reader.compare(comparison)
    symbols = reader.symbols(styled)
    if whole:
        return symbols
    cut = f"only the first {chunks.MAX_WORDS} words were read"
    return replace(symbols, warnings=(*symbols.warnings, cut))


class _Reader:
    def __init__(self, items: Sequence[Item], unknown: list[str]) -> None:
        self.items = items
        self.unknown = unknown
        self.entities: list[_Entity] = []
        self.relations: list[Relation] = []
        self.background: list[str] = []
        self.absent: list[str] = []
        self.warnings: list[str] = []
        self.sentence = 0
        self.first_subjects: Ids = []
        self.between: Ids = []
        self.also: tuple[_Waiting, int] | None = None
        self._clause()

    def _clause(self) -> None:
        self.subjects: Ids = []
        self.group: Ids = []
        self.np: Ids = []  # the latest noun phrase
        self.role = ""  # of the latest noun phrase: subject, landmark, object, with
        self.waiting: list[_Waiting] = []
        self.fronted: _Waiting | None = None
        self.fronted_place = ""
        self.verb = ""
        self.verb_subjects: Ids = []
        self.object_of = ""
        self.host: Ids = []
        self.with_group: Ids = []
        self.in_with = False
        self.relative: Ids = []
        self.negated = False
        self.mute = False
        self.each = False
        self.after_cop = False
        self.predicated = False
        self.rel_subjects: Ids = []
        self.last_predicate = ""
        self.last_landmark: Ids = getattr(self, "last_landmark", [])

    # items ---------------------------------------------------------------------------------------

    def run(self) -> None:
        for index, item in enumerate(self.items):
            self.index = index
            self._close_with(item)
            getattr(self, f"_on_{item.kind}")(item)
        self._flush_with(None)
        self._end_relations()

    def _kind(self, index: int) -> str:
        return self.items[index].kind if 0 <= index < len(self.items) else "stop"

    @property
    def _before(self) -> str:
        return self._kind(self.index - 1)

    def _on_stop(self, item: Item) -> None:
        self._flush_with(None)
        self._end_relations()
        keep_host = item.word == ":" or item.word == ";"
        subjects = self.subjects
        self._clause()
        self.sentence += item.word in (".", "!", "?", ";")
        if keep_host and not self.fronted:
            self.previous_subjects = subjects

    def _on_comma(self, item: Item) -> None:
        self.negated = False
        self.mute = False
        self.relative = []
        if not self._continues_verb():
            self.verb = ""

    def _on_and(self, item: Item) -> None:
        self.negated = self.negated and item.word in ("or", "nor")
        self.mute = False
        self.relative = []

    def _on_but(self, item: Item) -> None:
        self.negated = False

    def _on_that(self, item: Item) -> None:
        if self.np and self._before in ("np", "comma"):
            self.relative = list(self.np)

    def _on_there(self, item: Item) -> None:
        self.relative = []
        if not self.fronted and not self.waiting:
            self.subjects, self.group = [], []

    def _on_neg(self, item: Item) -> None:
        self.negated = True

    def _on_full(self, item: Item) -> None:
        """ "full of books": the words stay with the thing, unless somebody counted."""
        following = self.items[self.index + 1] if self.index + 1 < len(self.items) else None
        phrase = following.phrase if following else None
        host = self.np or self.subjects
        if not host or phrase is None or not phrase.noun:
            return
        if phrase.count is None and not phrase.determiner:
            said = [*phrase.modifiers, _spoken(phrase)]
            self.entities[host[-1]].ending = f"{item.word} {' '.join(said)}"
            self.mute = True
        else:
            inside = item.word.split()[0] in ("full", "filled")
            self._wait("~inside" if inside else "~on", host, "full")

    def _on_holds(self, item: Item) -> None:
        """ "a box of six donuts"."""
        self._wait("~inside" if self._is(self.np, nouns.CONTAINERS) else "~on", self.np, "of")

    def _on_cop(self, item: Item) -> None:
        self.after_cop = self.predicated = True
        if item.word.endswith("n't"):
            self.negated = True
        if not self.fronted:
            self.waiting = []

    def _on_have(self, item: Item) -> None:
        following = self._kind(self.index + 1)
        if following in ("verb", "cop"):
            return
        self._begin_with(self.relative or self.subjects or self.np, item.word.startswith("contain"))

    def _on_with(self, item: Item) -> None:
        host = self.np if self._before in ("np", "pron", "place", "verb", "full") else self.subjects
        if self._before == "pron" and self.items[self.index - 1].word in ("each", "both"):
            host = self.subjects
        if self._before == "verb":
            host = self.subjects
        self._begin_with(host, False)

    def _on_place(self, item: Item) -> None:
        if self._before in ("np", "pron") or (self._before in ("verb", "cop") and self.subjects):
            target = self.subjects if self._before in ("verb", "cop") else self._placed()
            opposite = {"left": "right of", "right": "left of"}.get(item.word, "")
            if self._turned(item.word):
                self._relate(target, f"{item.word} of", self.last_landmark)
            else:
                for one in target:
                    self.entities[one].place = item.word
            self.last_predicate = opposite and self.last_predicate
        else:
            self.fronted_place = item.word

    def _placed(self) -> Ids:
        return self.np if self.role != "landmark" else (self.subjects or self.np)

    def _turned(self, word: str) -> bool:
        """ "a cup left of the plate and a fork on the right": the plate is what it is right of."""
        opposite = {"left": "right of", "right": "left of"}.get(word)
        return bool(opposite) and self.last_predicate == opposite and bool(self.last_landmark)

    def _on_adj(self, item: Item) -> None:
        if item.word in _DROPPED or self.negated:
            self.negated = False
            return
        targets = self.relative or self.subjects
        if self.after_cop or self.relative or self._part(targets):
            for one in targets:
                if item.word not in self.entities[one].attributes:
                    self.entities[one].attributes.append(item.word)

    def _part(self, ids: Ids) -> bool:
        return any(self.entities[i].parent is not None for i in ids)

    # verbs ---------------------------------------------------------------------------------------

    def _on_verb(self, item: Item) -> None:
        base = item.word
        self.after_cop = False
        self.predicated = True
        if self.fronted and self.fronted.subjects and not self.subjects:
            return
        following = self._kind(self.index + 1)
        if (
            base in words.DEPICTING
            and following in ("np", "adj")
            and self._is(self._doer(), nouns.SCREENS)
        ):
            self.mute = True
            return
        if base in ("make", "build", "carve") and self._kind(self.index + 1) in (
            "stop",
            "rel",
            "np",
        ):
            self.mute = self._before != "np" or self.mute
        self.verb, self.verb_subjects = base, self._doer()
        self.object_of = ""

    def _doer(self) -> Ids:
        if self.relative:
            return self.relative
        if self._before == "np" and self.role in ("object", "with", "subject"):
            return self.group if self.role == "subject" else self.np
        return self.subjects or self.np

    def _continues_verb(self) -> bool:
        return bool(self.object_of)

    def _verb_predicate(self, subjects: Ids, objects: Ids) -> str:
        verb = self.verb
        animate = self._is(subjects, nouns.ANIMATE)
        if verb in words.WEARING:
            return "wearing"
        if verb in words.RIDING:
            return "riding" if objects and not self._is(objects, nouns.WEARABLE) else "near"
        if verb in ("hold", "contain", "carry", "support", "serve") and not animate:
            container = verb == "contain" or self._is(subjects, nouns.CONTAINERS)
            return "~inside" if container else "~on"
        if verb in words.HOLDING and animate:
            return "holding" if verb in ("hold", "carry") or self._is_handy(objects) else "near"
        return {"surround": "around", "circle": "around", "flank": "flank", "cover": "on"}.get(
            verb, "near"
        )

    def _is_handy(self, ids: Ids) -> bool:
        widths = [nouns.size_of(self.entities[i].noun) for i in ids]
        return all(w * h < 0.075 for w, h in widths)

    # relations -----------------------------------------------------------------------------------

    def _on_rel(self, item: Item) -> None:
        predicate = item.word
        if predicate == "together":
            self._pairwise("next to", self.group or self.subjects)
            return
        if item.landmark and not self._of_follows(item):
            self._dangling(predicate)
            return
        subjects, maybe = self._subjects_of(predicate)
        negated, self.negated = self.negated, False
        if self.mute:
            return
        if self._opens_clause():
            self.fronted = _Waiting(predicate, [], said=item.said)
            self.waiting = [self.fronted]
            self.verb = ""
            return
        if self.waiting and self._before == "rel":
            self.waiting = []
        self.waiting.append(_Waiting(predicate, subjects, maybe, item.said, negated))
        if self._alone():
            self._land_alone(predicate)

    def _of_follows(self, item: Item) -> bool:
        return False

    def _subjects_of(self, predicate: str) -> tuple[Ids, Ids]:
        """Who stands there: surely, and perhaps."""
        before = self._before
        if self.relative and before in ("verb", "cop", "that", "neg", "adj"):
            return self.relative, []
        if before in ("np", "pron", "full", "place"):
            if self.role in ("landmark", "object", "with") and self.np:
                main = [i for i in self.subjects if i not in self.np]
                if predicate == "~around":
                    return self.np, []
                if self.role == "object" and predicate not in ("on", "inside") and main:
                    return main, self.np
                return self.np, main if predicate not in TOUCHING else []
            return self._coordinated(predicate)
        if before in ("and", "comma", "but", "neg") and self.rel_subjects:
            return self.rel_subjects, []
        return self.subjects or self.np, []

    def _coordinated(self, predicate: str) -> tuple[Ids, Ids]:
        group = self.group or self.np
        if len(group) > 2:
            return group[-1:], group[:-1]
        return group, []

    def _opens_clause(self) -> bool:
        """ "On the table is a cat", "left of the tree a swing": the subject is still to come."""
        if self._before not in ("stop", "and", "comma", "but", "that"):
            return False
        end = self._after_landmark(self.index + 1)
        following, later = self._kind(end), self._kind(end + 1)
        if following in ("there", "np"):
            return True
        if following in ("verb", "cop") and later in ("np", "adj"):
            rests = self.items[end].word in words.RESTING
            return self._before == "stop" or following == "cop" or rests or not self.subjects
        if self._before == "stop":
            return following != "stop" or not self.entities
        return False

    def _after_landmark(self, index: int) -> int:
        while (
            self._kind(index) == "np"
            and self._kind(index + 1) == "and"
            and self._kind(index + 2) == "np"
        ):
            if self._kind(index + 3) not in ("and", "comma", "cop", "verb", "there"):
                break
            index += 2
        return index + 1

    def _alone(self) -> bool:
        following = self._kind(self.index + 1)
        if following == "and":
            return self._kind(self.index + 2) != "rel"
        return following not in ("np", "pron", "rel", "adj", "that", "neg")

    def _land_alone(self, predicate: str) -> None:
        waiting = self.waiting.pop()
        loose = predicate in ("inside", "near", "next to") and not self.with_group
        if waiting.negated or (loose and not self._is(self.last_landmark, nouns.CONTAINERS)):
            return
        self._dangle(predicate, waiting.subjects)

    def _dangling(self, predicate: str) -> None:
        """Relations that carry their landmark: "to its left", "on top"."""
        if self.in_with and self.with_group:
            self._with_at_host(predicate)
            return
        if self._opens_clause_alone():
            landmark = self._antecedent([])
            self.fronted = _Waiting(predicate, [])
            self.last_landmark = landmark
            self._front(landmark)
            return
        subjects, _ = self._subjects_of(predicate)
        self._dangle(predicate, self.np if self._before == "np" else subjects)

    def _opens_clause_alone(self) -> bool:
        return self._before in ("stop", "and", "comma") and self._kind(self.index + 1) in (
            "np", "there", "cop", "comma",
        )  # fmt: skip

    def _dangle(self, predicate: str, subjects: Ids) -> None:
        if self.in_with and self.with_group:
            self._with_at_host(predicate)
            return
        first = [i for i in self.first_subjects if i not in subjects]
        landmark = self._turned_landmark(subjects) or first or self._antecedent(subjects)
        self.predicated = True
        self._relate(subjects, predicate, landmark)

    def _with_at_host(self, predicate: str) -> None:
        """ "a table with a vase on top"."""
        group, self.with_group = self.with_group, []
        self._for_each(group, self.host)
        self._relate(group, predicate, self.host, each=self.each)

    def _for_each(self, group: Ids, host: Ids) -> None:
        if self.each and host:
            total = sum(self.entities[i].count for i in host)
            for one in group:
                self.entities[one].count *= total

    def _turned_landmark(self, subjects: Ids) -> Ids:
        return [i for i in self.last_landmark if i not in subjects]

    def _wait(self, predicate: str, subjects: Ids, said: str) -> None:
        self.waiting = [_Waiting(predicate, list(subjects), said=said)]

    def _relate(
        self, subjects: Ids, predicate: str, objects: Ids, sure: bool = True, each: bool = False
    ) -> None:
        if predicate == "flank":
            self._flank(subjects, objects)
            return
        if predicate.startswith("~"):
            self._relate(objects, predicate[1:], subjects, sure, each)
            return
        if predicate == "between":
            self._between(subjects, objects)
            return
        for s in subjects:
            for o in objects:
                self._emit(Relation(s, self._worn(s, predicate, o), o, sure, each))
        if sure:
            self.rel_subjects = list(subjects)

    def _worn(self, subject: int, predicate: str, landmark: int) -> str:
        clothed = self._is([landmark], nouns.WEARABLE) and self._is([subject], nouns.PEOPLE)
        return "wearing" if predicate == "inside" and clothed else predicate

    def _emit(self, relation: Relation) -> None:
        pair = (relation.subject, relation.predicate, relation.object)
        known = {(r.subject, r.predicate, r.object) for r in self.relations}
        if relation.subject != relation.object and pair not in known:
            self.relations.append(relation)
            for one in (relation.subject, relation.object):
                if relation.sure:
                    self.entities[one].ghost = False

    def _between(self, subjects: Ids, objects: Ids) -> None:
        for s in subjects:
            if len(objects) >= 2:
                self._emit(Relation(s, "between", objects[0], other=objects[1]))
            elif objects:
                self._emit(Relation(s, "between", objects[0]))

    def _flank(self, subjects: Ids, objects: Ids) -> None:
        for one in subjects:
            entity = self.entities[one]
            if not entity.exact or entity.count == 1:
                entity.count = max(2, entity.count)
                entity.count *= max(1, sum(self.entities[o].count for o in objects[:1]))
        self._relate(subjects, "around", objects)

    def _pairwise(self, predicate: str, group: Ids) -> None:
        for one, other in itertools.pairwise(group):
            self._relate([one], predicate, [other])

    def _end_relations(self) -> None:
        self.waiting = []

    # with ----------------------------------------------------------------------------------------

    def _begin_with(self, host: Ids, contains: bool) -> None:
        self._flush_with(None)
        self.host = [i for i in host if not self.entities[i].ghost]
        self.in_with, self.with_group = True, []
        self.contains = contains
        self.verb = ""
        self.waiting = [w for w in self.waiting if w is self.fronted]

    def _close_with(self, item: Item) -> None:
        """A clause of its own, or a comma, ends "with"."""
        if not self.in_with:
            return
        if item.kind in ("rel", "place", "full", "neg", "adj", "pron", "holds"):
            return
        if item.kind == "np" and self._before == "with":
            return
        if item.kind == "np" and self._before == "have":
            return
        if item.kind in ("and", "comma") and self.with_group and self._kind(self.index + 1) == "np":
            following = self._kind(self.index + 2)
            if following in ("cop", "verb") or (
                item.kind == "comma" and self.host and not self._lists()
            ):
                self._flush_with(item)
                self.in_with = False
            return
        if item.kind == "np" and (self.with_group or self.waiting or self.negated):
            return
        participle = item.said.endswith(("ing", "ed", "en", "ung", "own"))
        if (
            item.kind == "verb"
            and participle
            and self.with_group
            and self._kind(self.index + 1) in ("rel", "adj")
        ):
            self.relative, self.with_group, self.in_with = self.with_group, [], False
            return
        if item.kind in ("verb", "that", "with", "have", "cop", "there", "but", "stop"):
            self._flush_with(item)
            self.in_with = item.kind in ("with", "have")

    def _lists(self) -> bool:
        """Is the comma one of "a, b and c"?"""
        index = self.index
        while self._kind(index) == "comma" and self._kind(index + 1) == "np":
            index += 2
        if self._kind(index) in ("and", "comma") and self._kind(index + 1) in ("and", "np"):
            end = index + 2 + (self._kind(index + 1) == "and")
            return self._kind(end) in ("stop", "rel", "comma")
        return False

    def _flush_with(self, item: Item | None) -> None:
        if not self.in_with:
            return
        for one in self.with_group:
            self._give(self.host, one)
        self.with_group = []
        if item is None:
            self.in_with = False

    def _give(self, host: Ids, one: int) -> None:
        """What "a boy with a hat" or "a table with a lamp" means for boxes."""
        if not host:
            return
        owner, thing = self.entities[host[-1]], self.entities[one]
        kind = nouns.head(thing.noun)
        total = sum(self.entities[i].count for i in host)
        each = self.each or (
            total > 1 and thing.plural and not thing.exact and total == len(host) * owner.count
        )
        if self.each or (each and kind in nouns.WEARABLE):
            thing.count = thing.count * total if self.each else total
        predicate = self._having(nouns.head(owner.noun), kind)
        self._relate(host, predicate, [one], predicate != "near", each and total > 1)

    def _touches(self, group: Ids) -> bool:
        owner = nouns.head(self.entities[self.host[-1]].noun)
        return all(self._having(owner, nouns.head(self.entities[i].noun)) != "near" for i in group)

    def _having(self, owner: str, kind: str) -> str:
        if kind in nouns.WEARABLE and owner in nouns.ANIMATE:
            return "wearing"
        if kind in nouns.HANDHELD and owner in nouns.PEOPLE:
            return "holding"
        if self.contains or (owner in nouns.CONTAINERS and owner not in nouns.SURFACES):
            return "~inside"
        if kind in nouns.PLACED_PARTS and owner in nouns.WITH_PARTS:
            return "~inside"
        if owner in nouns.SURFACES and kind not in nouns.SURFACES:
            return "~on"
        return "near"

    # noun phrases --------------------------------------------------------------------------------

    def _on_np(self, item: Item) -> None:
        phrase = item.phrase
        assert phrase is not None
        if self.mute:
            if self._kind(self.index + 1) not in ("np",):
                self.mute = False
            return
        kind = nouns.head(phrase.noun) if phrase.noun else ""
        if self.negated and not self.waiting:
            self._leave_out(phrase)
            return
        if self._is_body_part(phrase, kind):
            self._at_body_part(kind)
            return
        if phrase.determiner in words.POSSESSIVES and kind in _BODY and not self.waiting:
            self.with_group, self.in_with = [], False
            self._now(self.subjects, "subject")
            return
        if self._is_word_part(phrase, kind):
            self._describe(phrase)
            return
        if self._is_background(phrase, kind):
            self._set_background(phrase)
            return
        if phrase.noun in nouns.NON_THINGS and not phrase.subset:
            self._skip()
            return
        self._place_ids(self._resolve(phrase), phrase)

    def _on_pron(self, item: Item) -> None:
        if item.word == "each other":
            self._each_other()
            return
        if item.word in ("each", "both"):
            self._distribute(item.word)
            return
        if self.mute:
            return
        taken = self.with_group if self.in_with else []
        topic = self._topic()
        subjects = [i for w in self.waiting for i in w.subjects] or self.subjects
        plural = item.word in ("them", "they", "their", "themselves")
        person = item.word in ("him", "he", "she", "her")
        ids = self.host if (taken or (self.relative and self.host)) and not plural else []
        if topic and not plural and not person and topic != subjects:
            ids = ids or topic
        ids = ids or self._antecedent([*subjects, *taken], plural, person)
        if ids:
            self._place_ids(ids, None)

    def _topic(self) -> Ids:
        """ "An owl on a branch, the moon behind it": after a bare comma "it" is the owl."""
        index = self.index - 1
        while self._kind(index) in ("np", "rel", "verb", "adj"):
            index -= 1
        alone = self._kind(index) == "comma" and self._kind(index + 1) == "np" and index > 0
        verbs = {item.kind for item in self.items[index : self.index]} & {"verb", "cop"}
        first = self.first_subjects if alone and not verbs else []
        return first if len(first) == 1 and self.entities[first[0]].count == 1 else []

    def _each_other(self) -> None:
        predicate = self.waiting[-1].predicate if self.waiting else "next to"
        group = self.waiting[-1].subjects + self.waiting[-1].maybe if self.waiting else self.group
        self.waiting = []
        ordered = sorted(set(group)) or self.subjects
        self._pairwise(predicate.removeprefix("~"), ordered)

    def _distribute(self, word: str) -> None:
        if word == "both":
            self.subjects = self._latest(2) if len(self.group) != 2 else list(self.group)
            self.np = list(self.subjects)
            return
        plural = self.np or self.subjects
        several = [i for i in plural if self.entities[i].count > 1] or self._antecedent([], True)
        self.subjects = self.np = list(several)
        self.group, self.role, self.each = list(several), "subject", True

    def _latest(self, number: int) -> Ids:
        return list(range(max(0, len(self.entities) - number), len(self.entities)))

    def _antecedent(self, but: Ids, plural: bool = False, person: bool = False) -> Ids:
        """What a pronoun stands for: the latest thing of its number."""
        if plural and len(self.group) > 1:
            return [i for i in self.group if i not in but] or list(self.group)
        order = [i for i in self.last_landmark if not plural and not person]
        order += sorted(range(len(self.entities)), reverse=True)
        for one in order:
            entity = self.entities[one]
            if one in but or (plural and entity.count < 2) or (not plural and entity.count > 1):
                continue
            if person and nouns.head(entity.noun) not in nouns.ANIMATE:
                continue
            return [one]
        if plural:
            return [i for i in self._latest(3) if i not in but][:2]
        return [i for i in order if i not in but][:1]

    def _leave_out(self, phrase: NounPhrase) -> None:
        name = " ".join([*self._attributes(phrase), phrase.noun]).strip()
        if name:
            self.absent.append(name)
        if self._kind(self.index + 1) != "and" or self.items[self.index + 1].word not in (
            "or",
            "nor",
        ):
            self.negated = False
        if self.in_with and not self.with_group:
            self.in_with = False

    def _is_body_part(self, phrase: NounPhrase, kind: str) -> bool:
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
        return body and owned and bool(self.waiting)

    def _at_body_part(self, kind: str) -> None:
        waiting = self.waiting.pop()
        self.waiting = []
        subjects = self.with_group or waiting.subjects
        if self.in_with and self.host:
            owner = self.host
        else:
            owner = [i for i in self.verb_subjects or self.subjects if i not in subjects]
        self.with_group = []
        if not owner:
            return
        if kind in _IN_HAND:
            self._relate(owner, "holding", subjects)
        elif self._is(subjects, nouns.WEARABLE):
            self._relate(owner, "wearing", subjects)
        else:
            self._relate(subjects, "on", owner)
        self._now(owner, "subject")

    def _is_word_part(self, phrase: NounPhrase, kind: str) -> bool:
        if not self.in_with or not self.host or kind not in nouns.WORD_PARTS:
            return False
        return not self.entities[self.host[-1]].ghost

    def _describe(self, phrase: NounPhrase) -> None:
        said = " ".join([*phrase.modifiers, _spoken(phrase)])
        for one in self.host:
            owner = nouns.head(self.entities[one].noun)
            if owner in nouns.ANIMATE and "nose" not in said:
                entity = self.entities[one]
                joint = f"{entity.ending} and " if entity.ending else "with "
                entity.ending = f"{joint}{said}"
        self.waiting = []

    def _is_background(self, phrase: NounPhrase, kind: str) -> bool:
        if (
            kind == "wall"
            and phrase.determiner == "the"
            and self.waiting
            and self.waiting[-1].said == "on"
        ):
            return all(nouns.head(entity.noun) != "wall" for entity in self.entities)
        if phrase.subset or kind not in nouns.PLACES | {"moon", "iceberg"}:
            return False
        several = (phrase.count or 1) > 1
        if self.waiting:
            said = self.waiting[-1].said
            if kind in ("moon", "iceberg"):
                return kind == "moon" and said == "on"
            return said in _BACKGROUND_WORDS and not several
        if kind in ("moon", "iceberg") or kind not in nouns.SCENE_PLACES or several:
            return False
        alone = self._before in ("stop", "there")
        return alone and self._kind(self.index + 1) in (
            "with",
            "that",
            "stop",
            "full",
            "comma",
            "have",
        )

    def _set_background(self, phrase: NounPhrase) -> None:
        waiting = self.waiting[-1] if self.waiting else None
        said = [phrase.determiner, *phrase.modifiers, _spoken(phrase)]
        front = [waiting.said] if waiting else []
        self.background.append(" ".join(word for word in [*front, *said] if word))
        keep = self.subjects
        self._skip()
        self.subjects = keep
        self.fronted = None

    def _skip(self) -> None:
        self.waiting = []
        self.verb = ""
        self.fronted = None
        if self.with_group and not self.host:
            self.with_group = []

    def _place_ids(self, ids: Ids, phrase: NounPhrase | None) -> None:
        """Give a noun phrase its part in the clause."""
        if self.waiting:
            self._land(ids)
        elif self.verb and self.verb_subjects and self._before != "comma":
            self._object(ids, phrase)
        elif self.in_with and (self._before in ("with", "have", "and", "comma", "neg", "np")):
            self._with(ids)
        elif self.object_of and self._before == "and" and self._coordinates():
            self._relate(self.verb_subjects, self.object_of, ids)
            self._now(ids, "object")
        else:
            self._subject(ids, phrase)

    def _coordinates(self) -> bool:
        """After "and": does the noun phrase go on with the list, or begin a clause?"""
        return self._kind(self.index + 1) not in ("cop", "verb", "rel", "with", "have", "place")

    def _now(self, ids: Ids, role: str) -> None:
        self.np, self.role = list(ids), role

    def _land(self, ids: Ids) -> None:
        waiting, self.waiting = self.waiting, []
        if waiting[0] is self.fronted:
            if self._kind(self.index + 1) == "and" and waiting[0].predicate == "between":
                self.waiting, self.between = waiting, [*self.between, *ids]
                if self._kind(self.index + 2) in ("np", "pron"):
                    return
            self._front([*self.between, *ids])
            self.between = []
            return
        self.verb = ""
        for one in waiting:
            if one.predicate == "between" and self._collects(one, ids):
                return
            self._land_one(one, ids)
        self.last_landmark, self.last_predicate = list(ids), waiting[-1].predicate
        self._now(ids, "landmark")
        self._maybe_also(waiting[-1])

    def _collects(self, waiting: _Waiting, ids: Ids) -> bool:
        """ "between a and b": wait for the second landmark."""
        gathered: Ids = [*self.between, *ids]
        more = self._kind(self.index + 1) == "and" and self._kind(self.index + 2) in ("np", "pron")
        if more and len(gathered) < 2 and self.entities[ids[0]].count == 1:
            self.between, self.waiting = gathered, [waiting]
            return True
        self.between = []
        ids[:] = gathered
        return False

    def _land_one(self, waiting: _Waiting, ids: Ids) -> None:
        if waiting.negated:
            for one in ids:
                if not any(one in (r.subject, r.object) for r in self.relations):
                    self.entities[one].ghost = self.entities[one].sentence == -1 or self._fresh(one)
            return
        subjects = waiting.subjects
        if self.in_with and self.with_group:
            subjects, self.with_group = self.with_group, []
            if set(ids) == set(self.host):
                self._for_each(subjects, self.host)
            elif self.host and self._touches(subjects):
                for one in subjects:
                    self._give(self.host, one)
                subjects = self.host
        each = self.each or self._pairs(subjects, ids)
        if self.each:
            total = sum(self.entities[i].count for i in subjects)
            for one in ids if waiting.predicate.startswith("~") else []:
                self.entities[one].count *= total
        self._relate(subjects, waiting.predicate, ids, each=each)
        if waiting.maybe:
            bears = nouns.SURFACES if waiting.predicate == "on" else nouns.CONTAINERS
            sure = waiting.predicate in ("on", "inside") and self._is(ids, bears)
            self._relate(waiting.maybe, waiting.predicate, ids, sure=sure)
            self.rel_subjects = list(subjects)

    def _fresh(self, one: int) -> bool:
        return one == len(self.entities) - 1

    def _pairs(self, subjects: Ids, objects: Ids) -> bool:
        """ "Two tables, a vase on each": as many on both sides."""
        if len(subjects) != 1 or len(objects) != 1:
            return False
        one, other = self.entities[subjects[0]], self.entities[objects[0]]
        return one.count == other.count > 1

    def _maybe_also(self, waiting: _Waiting) -> None:
        """ "next to a dog and a bird": the bird may be a landmark too."""
        index = self.index + 1
        while self._kind(index) in ("and", "comma"):
            index += 1
        if index > self.index + 1 and self._kind(index) == "np":
            self.also = (waiting, index)

    def _front(self, landmark: Ids) -> None:
        assert self.fronted is not None
        self.fronted.subjects = list(landmark)  # they are the landmark until the subject comes
        self.last_landmark, self.last_predicate = list(landmark), self.fronted.predicate
        self._now(landmark, "landmark")
        self.group, self.subjects = [], []

    def _object(self, ids: Ids, phrase: NounPhrase | None) -> None:
        subjects = [i for i in self.verb_subjects if i not in ids]
        predicate = self._verb_predicate(subjects, ids)
        total = sum(self.entities[i].count for i in subjects)
        bare = (
            phrase is not None and phrase.plural and phrase.count is None and not phrase.determiner
        )
        each = (
            total > 1
            and len(ids) == 1
            and (self.each or (bare and predicate in ("wearing", "holding", "riding")))
        )
        if each:
            self.entities[ids[0]].count = total * (
                self.entities[ids[0]].count if self.each and not bare else 1
            )
        if predicate.startswith("~") and self.each:
            for one in ids:
                self.entities[one].count *= total
            each = total > 1
        sure, pairs = predicate != "near", each or self._pairs(subjects, ids)
        shared = (
            phrase is not None
            and phrase.noun.split()[-1:]
            and phrase.noun.split()[-1] in nouns.ALWAYS_PLURAL
        )
        if len(subjects) > 1 and predicate == "wearing" and (bare or shared):
            ids = self._one_each(subjects, ids[0])
        else:
            self._relate(subjects, predicate, ids, sure, pairs)
        self.verb, self.object_of = "", predicate
        self._now(ids, "object")

    def _one_each(self, subjects: Ids, one: int) -> Ids:
        """ "a man and a woman wearing hats": as many hats as there are wearers."""
        found = []
        for index, subject in enumerate(subjects):
            if index:
                self.entities.append(
                    replace(self.entities[one], attributes=[*self.entities[one].attributes])
                )
            new = one if not index else len(self.entities) - 1
            self.entities[new].count = self.entities[subject].count
            self._relate([subject], "wearing", [new], each=self.entities[subject].count > 1)
            found.append(new)
        return found

    def _with(self, ids: Ids) -> None:
        if not self.host:
            self._subject(ids, None)
            return
        self.with_group += [i for i in ids if i not in self.host]
        self._now(ids, "with")

    def _subject(self, ids: Ids, phrase: NounPhrase | None) -> None:
        whole = phrase is None or not phrase.subset
        joined = self._before in ("and", "comma") and self.role == "subject" and whole
        joined = joined and not self.predicated
        also = self.also
        if (
            also
            and also[1] == self.index
            and self._coordinates()
            and also[0].predicate not in TOUCHING
        ):
            self._relate(also[0].subjects, also[0].predicate, ids, sure=False)
            self._maybe_also(also[0])
        if not self.subjects and not joined:
            self.first_subjects = list(ids)
        self.group = [*self.group, *ids] if joined else list(ids)
        self.subjects = list(self.group)
        if self.fronted and self.fronted.subjects:
            keep = self.rel_subjects
            self._relate(
                ids, self.fronted.predicate, [i for i in self.fronted.subjects if i not in ids]
            )
            self.rel_subjects = keep or list(ids)
        if self.fronted_place:
            for one in ids:
                self.entities[one].place = self.fronted_place
            self.fronted_place = ""
            joined, self.predicated = True, True
        self.after_cop, self.object_of, self.verb = False, "", ""
        self.predicated = self.predicated and joined
        self._now(ids, "subject")

    # resolution ----------------------------------------------------------------------------------

    def _attributes(self, phrase: NounPhrase) -> list[str]:
        kept = [w for w in phrase.modifiers if w not in _DROPPED]
        while kept and kept[-1] == "and":
            kept.pop()
        return kept[1:] if kept[:1] == ["and"] else kept

    def _resolve(self, phrase: NounPhrase) -> Ids:
        if phrase.subset:
            return self._subset(phrase)
        attributes = self._attributes(phrase)
        if not phrase.noun or phrase.noun == "one":
            return self._borrowed(phrase, attributes)
        known = self._mention(phrase, attributes)
        if known is not None:
            self.each = self.each or phrase.each
            return [known]
        if phrase.each and not phrase.count:
            phrase.count = 2
        self.each = self.each or (phrase.each and not self.waiting)
        return [self._new(phrase, phrase.noun, attributes)]

    def _new(self, phrase: NounPhrase, noun: str, attributes: list[str]) -> int:
        count = phrase.count or (words.PLURAL if phrase.plural else 1)
        place = next((w for w in attributes if w in ("left", "right")), "")
        attributes = [w for w in attributes if w != place]
        entity = _Entity(noun, attributes, min(count, 1000), phrase.exact, phrase.plural)
        entity.sentence, entity.place = self.sentence, place
        if phrase.count is None and not phrase.plural and phrase.determiner in words.ARTICLES:
            entity.exact = True
        self.entities.append(entity)
        return len(self.entities) - 1

    def _mention(self, phrase: NounPhrase, attributes: list[str]) -> int | None:
        """A thing named before. "a cat" is always another one."""
        if phrase.determiner in words.ARTICLES or phrase.more:
            return None
        definite = phrase.determiner in words.DEFINITE or phrase.each
        if not definite and not (phrase.plural and phrase.count is None):
            return None
        for one in range(len(self.entities) - 1, -1, -1):
            entity = self.entities[one]
            if nouns.head(entity.noun) != nouns.head(phrase.noun) and not entity.noun.endswith(
                phrase.noun
            ):
                continue
            if set(attributes) <= set(entity.attributes) and entity.noun.endswith(phrase.noun):
                return one if definite or entity.count > 1 else None
        return None

    def _subset(self, phrase: NounPhrase) -> Ids:
        """ "two of them", "the other", "the first"."""
        pool = self._pool(phrase)
        if pool is None:
            return self._latest(1)
        base = self.entities[pool]
        if phrase.rest:
            base.split = True
            return [pool]
        return [self._take(pool, phrase.count or 1, self._attributes(phrase))]

    def _pool(self, phrase: NounPhrase) -> int | None:
        for one in range(len(self.entities) - 1, -1, -1):
            entity = self.entities[one]
            same = not phrase.noun or nouns.head(entity.noun) == nouns.head(phrase.noun)
            if (
                entity.parent is None
                and same
                and (entity.count > 1 or (entity.split and entity.count))
            ):
                return one
        return None

    def _take(self, pool: int, count: int, attributes: list[str]) -> int:
        base = self.entities[pool]
        taken = min(count, base.count)
        base.count -= taken
        base.split = True
        part = _Entity(
            base.noun, [*attributes, *base.attributes], taken, True, taken > 1, parent=pool
        )
        self.entities.append(part)
        return len(self.entities) - 1

    def _borrowed(self, phrase: NounPhrase, attributes: list[str]) -> Ids:
        """Attributes without a noun: "two blue", "a green one"."""
        count = phrase.count or (words.PLURAL if phrase.plural else 1)
        pool = self._pool(NounPhrase())
        if phrase.determiner == "the" and phrase.noun == "one":
            for one in range(len(self.entities) - 1, -1, -1):
                if set(attributes) <= set(self.entities[one].attributes):
                    return [one]
        if pool is not None and self._splits(pool, count, attributes):
            return [self._take(pool, count, attributes)]
        noun = self._next_noun() if not phrase.noun else ""
        noun = noun or next((e.noun for e in reversed(self.entities)), "")
        if not noun:
            return [self._new(phrase, attributes[-1], attributes[:-1])] if attributes else []
        return [self._new(phrase, noun, attributes)]

    def _splits(self, pool: int, count: int, attributes: list[str]) -> bool:
        base = self.entities[pool]
        coloured = words.COLOURS & set(base.attributes) and words.COLOURS & set(attributes)
        return (
            base.exact and base.count >= count and not coloured and base.sentence == self.sentence
        )

    def _next_noun(self) -> str:
        for item in self.items[self.index + 1 : self.index + 6]:
            if item.kind == "np" and item.phrase and item.phrase.noun:
                return item.phrase.noun
            if item.kind not in ("and", "comma", "np"):
                return ""
        return ""

    def _is(self, ids: Iterable[int], kinds: frozenset[str]) -> bool:
        found = [nouns.head(self.entities[i].noun) for i in ids]
        return bool(found) and all(kind in kinds for kind in found)

    # numbers -------------------------------------------------------------------------------------

    def compare(self, comparison: comparisons.Comparison) -> None:
        """Give both sides of "more cats than dogs" their numbers."""
        first = self._named(comparison.first)
        second = self._named(comparison.second) if comparison.second else self._counted(first)
        if first is None or second is None or first == second:
            return
        one, other = self.entities[first], self.entities[second]
        if one.exact and not other.exact:
            other.count = comparison.second_from(one.count)
        else:
            if not other.exact and other.count < 2 and comparison.order == "fewer":
                other.count = 3
            one.count = comparison.first_from(other.count)
        one.exact = other.exact = True

    def _counted(self, but: int | None) -> int | None:
        """The latest thing with a number."""
        return next(
            (
                i
                for i in range(len(self.entities) - 1, -1, -1)
                if i != but and self.entities[i].exact
            ),
            None,
        )

    def _named(self, side: tuple[str, ...]) -> int | None:
        chunker = chunks.Chunker(side)
        items = [
            item for item in chunker.run() if item.kind == "np" and item.phrase and item.phrase.noun
        ]
        if not items:
            return None
        phrase = items[0].phrase
        assert phrase is not None
        kind = nouns.head(phrase.noun)
        for one, entity in enumerate(self.entities):
            if entity.noun == phrase.noun or nouns.head(entity.noun) == kind:
                return one
        return self._new(phrase, phrase.noun, self._attributes(phrase))

    # result --------------------------------------------------------------------------------------

    def symbols(self, styled: Sequence[str]) -> Symbols:
        kept = [i for i, e in enumerate(self.entities) if e.count > 0 and not e.ghost]
        self._limit(kept)
        kept = [i for i in kept if self.entities[i].count > 0]
        place = {one: index for index, one in enumerate(kept)}
        things = tuple(self._thing(i) for i in kept)
        relations = tuple(self._moved(place))
        absent = tuple(dict.fromkeys(self.absent))
        unknown = tuple(dict.fromkeys(self.unknown))
        background = tuple(dict.fromkeys(self.background))
        return Symbols(
            things, relations, background, tuple(styled), absent, unknown, tuple(self.warnings)
        )

    def _limit(self, kept: Ids) -> None:
        """At most as many things as a layout holds; the largest groups give way."""
        total = sum(self.entities[i].count for i in kept)
        if total <= MAX_OBJECTS:
            return
        self.warnings.append(f"{total} things are too many; {MAX_OBJECTS} are placed")
        kinds = kept[:MAX_OBJECTS]
        for one in kept[MAX_OBJECTS:]:
            self.entities[one].count = 0
        excess = sum(self.entities[i].count for i in kinds) - MAX_OBJECTS
        for one in sorted(kinds, key=lambda i: -self.entities[i].count):
            share = min(excess, self.entities[one].count - 1)
            self.entities[one].count -= share
            excess -= share

    def _thing(self, one: int) -> Thing:
        entity = self.entities[one]
        attributes = _ordered(entity.attributes)
        phrase = " ".join([*attributes, entity.noun, *([entity.ending] if entity.ending else [])])
        scale = 1.0
        for word in attributes:
            scale *= words.LARGER.get(word, 1.0)
        told = tuple(word for word in attributes if word != "and")
        return Thing(phrase[:300], entity.noun, told, entity.count, entity.place, scale)

    def _moved(self, place: dict[int, int]) -> Iterable[Relation]:
        """Relations of things that were split belong to all parts."""
        parts: dict[int, Ids] = {}
        for one, entity in enumerate(self.entities):
            if entity.parent is not None:
                parts.setdefault(entity.parent, []).append(one)
        seen: set[tuple[int, str, int]] = set()
        for relation in self.relations:
            for s in [relation.subject, *parts.get(relation.subject, [])]:
                for o in [relation.object, *parts.get(relation.object, [])]:
                    key = (s, relation.predicate, o)
                    if s in place and o in place and s != o and key not in seen:
                        seen.add(key)
                        other = place.get(relation.other) if relation.other is not None else None
                        yield replace(relation, subject=place[s], object=place[o], other=other)


def _spoken(phrase: NounPhrase) -> str:
    if not phrase.plural or not phrase.noun:
        return phrase.noun
    *front, last = phrase.noun.split()
    irregular = next((p for p, s in nouns.IRREGULAR.items() if s == last), "")
    ending = "es" if last.endswith(("s", "x", "ch", "sh")) else "s"
    many = irregular or (
        last[:-1] + "ies" if last.endswith("y") and last[-2:-1] not in "aeiou" else last + ending
    )
    return " ".join([*front, many])


def _ordered(attributes: Sequence[str]) -> list[str]:
    """Textures before colours, as the storybook says them."""
    if "and" in attributes:
        return list(attributes)
    colours = [i for i, word in enumerate(attributes) if word in words.COLOURS]
    textures = [i for i, word in enumerate(attributes) if word in words.TEXTURES]
    if not colours or not textures or textures[-1] < colours[0]:
        return list(attributes)
    moved = [attributes[i] for i in textures]
    rest = [word for i, word in enumerate(attributes) if i not in textures]
    first = rest.index(attributes[colours[0]])
    return [*rest[:first], *moved, *rest[first:]]
