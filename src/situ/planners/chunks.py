"""Words to items: noun phrases, relations, verbs and the small words between them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from situ.planners import nouns, words

MAX_CHARACTERS = 20_000
MAX_WORDS = 300
LONG_WORD = 40  # characters; what is longer is no word

_TOKEN = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|[.,;:!?()&/]")
_STOPS = frozenset(".;:!?")


@dataclass(slots=True)
class NounPhrase:
    """What stands before and in a noun. noun is empty for "the other" and "two of them"."""

    count: int | None = None  # None where no number is said
    exact: bool = False  # a number, not "several"
    determiner: str = ""
    modifiers: list[str] = field(default_factory=list)
    noun: str = ""
    plural: bool = False
    subset: bool = False  # some of things that were named before
    rest: bool = False  # all that is left of them
    each: bool = False
    negated: bool = False
    more: bool = False  # "another"
    paired: bool = False  # "a pair of"


@dataclass(slots=True)
class Item:
    """kind: np, rel, place, verb, cop, have, with, and, but, comma, stop, that, neg, pron, adj, full."""

    kind: str
    word: str = ""
    phrase: NounPhrase | None = None
    landmark: bool = False  # of a relation: "to its left" has its landmark inside
    said: str = ""  # the first word of a relation


def split(text: str) -> tuple[list[str], bool]:
    """The words of a text in small letters, with marks of their own; and whether all were taken."""
    found: list[str] = []
    for match in _TOKEN.finditer(text[:MAX_CHARACTERS].replace("n’t", "n't").lower()):
        if len(found) == MAX_WORDS:
            return found, False
        word = match.group()
        if len(word) <= LONG_WORD:
            found.append(word)
    return found, len(text) <= MAX_CHARACTERS


class Chunker:
    """One pass from left to right over the words of a text."""

    def __init__(self, text_words: Sequence[str]) -> None:
        self.words = list(text_words)
        self.items: list[Item] = []
        self.unknown: list[str] = []

    def run(self) -> list[Item]:
        place = 0
        while place < len(self.words):
            place = self._step(place)
        return self.items

    def _step(self, i: int) -> int:
        word = self.words[i]
        for reader in (self._mark, self._where, self._small, self._verb, self._noun_phrase):
            if (after := reader(i)) > i:
                return after
        if word in words.ADJECTIVES or word in words.COLOURS:
            return self._add(i + 1, "adj", word)
        if not self._is_function(word) and not nouns.is_known(word) and word not in words.FRAMES:
            self.unknown.append(word)
        return i + 1

    def _add(self, after: int, kind: str, word: str = "", **more: object) -> int:
        self.items.append(Item(kind, word, **more))  # type: ignore[arg-type]
        return after

    def _at(self, i: int) -> str:
        return self.words[i] if 0 <= i < len(self.words) else ""

    @property
    def _last(self) -> str:
        return self.items[-1].kind if self.items else "stop"

    def _mark(self, i: int) -> int:
        word = self.words[i]
        if word in _STOPS:
            return self._add(i + 1, "stop", word)
        return self._add(i + 1, "comma") if word in ",()/" else i

    def _where(self, i: int) -> int:
        """Places in the picture, then relations; the longest wording wins."""
        if after := _picture_place(self.words, i):
            return self._add(after[0], "place", after[1])
        if self._last == "np" and self.words[i] in ("left", "right") and self._at(i + 1) != "of":
            return i
        if found := _sides(self.words, i):
            return self._add(found[0], "rel", found[1], landmark=found[2], said=self.words[i])
        for phrase, predicate in words.RELATION_TABLE.get(self.words[i], ()):
            if tuple(self.words[i : i + len(phrase)]) == phrase:
                return self._relation(i, phrase, predicate)
        return i

    def _relation(self, i: int, phrase: tuple[str, ...], predicate: str) -> int:
        after = i + len(phrase)
        following = self._at(after)
        if phrase == ("to",) and following in words.VERBS and not nouns.is_known(following):
            return after
        if phrase == ("as",) or (phrase == ("next",) and not following):
            return after
        if phrase == ("over",) and (following in words.NUMBERS or following.isdigit()):
            return after
        inverse = " ".join(phrase) in words.INVERSE
        name = f"~{predicate}" if inverse else predicate
        return self._add(after, "rel", name, said=" ".join(phrase))

    def _small(self, i: int) -> int:
        word, following = self.words[i], self._at(i + 1)
        if word in ("made", "built", "carved", "fashioned") and following in ("of", "from", "out"):
            end = i + 2 + (self._at(i + 2) == "of")
            while self._at(end) in words.ADJECTIVES:
                end += 1
            end += self._at(end) in nouns.MATERIALS
            return end
        if word in ("full", "filled", "covered", "topped") and following in (
            "of",
            "with",
            "in",
            "by",
        ):
            return self._add(i + 2, "full", f"{word} {following}")
        if word in words.NEGATIONS:
            return self._negation(i)
        if word == "whose":
            return self._add(i + 1, "with")
        if following == "than" and word.endswith("er") and word not in words.LARGER:
            return self._add(i + 2, "rel", "near", said="than")
        if following == "than" and words.LARGER.get(word):
            return self._add(i + 2, "rel", "larger" if words.LARGER[word] > 1 else "smaller")
        if word == "there" and following in words.COPULAS:
            self._add(i + 2, "there")
            return self._add(i + 2, "neg", "no") if following.endswith("n't") else i + 2
        if word == "it's" and self._is_nominal(following) and following not in words.ADJECTIVES:
            self.words[i] = "its"
            return i
        if word == "there's":
            return self._add(i + 1, "there")
        if word in words.COPULAS and word != "has":
            return self._add(i + 1, "cop", word)
        if word in words.HAVING:
            return self._add(i + 1, "have", word)
        if word == "with":
            return self._add(i + 1, "with")
        if word in ("each", "both") and following in ("other", "another"):
            return self._add(i + 2, "pron", "each other")
        if word in ("each", "both") and self._starts_clause(i + 1):
            return self._add(i + 1, "pron", word)
        return self._joint(i)

    def _joint(self, i: int) -> int:
        word, following = self.words[i], self._at(i + 1)
        if word in ("but", "yet", "only", "just") and word not in ("only", "just"):
            return self._add(i + 1, "but")
        if word in ("while", "whereas", "when", "because", "although", "though", "so"):
            return self._add(i + 1, "stop", word)
        if word in words.CONJUNCTIONS and word not in ("where", "as"):
            return self._add(i + 1, "and", word)
        if word in words.RELATIVES and (word != "that" or self._starts_clause(i + 1)):
            return self._add(i + 1, "that")
        if word in words.REFERRING and (word not in ("her",) or not self._is_nominal(following)):
            return self._add(i + 1, "pron", word)
        if word in ("those", "these", "this", "which", "whom") and not self._is_nominal(following):
            return self._add(i + 1, "pron", "them")
        return i

    def _negation(self, i: int) -> int:
        word, following = self.words[i], self._at(i + 1)
        if word == "no" and following in ("more", "less", "fewer"):
            return i + 3 if self._at(i + 2) == "than" else i + 2
        if word == "no" and following == "longer":
            return self._add(i + 2, "neg", "not")
        if word in ("no", "not") and following in ("one", "body"):
            return i + 2
        if word.endswith(("n't",)):
            self._add(i, "cop", word)
        return self._add(i + 1, "neg", word)

    def _starts_clause(self, i: int) -> bool:
        word = self._at(i)
        return (
            not word
            or word in words.COPULAS
            or word in words.HAVING
            or word in words.PREPOSITIONS
            or word in ("with", "of", "has", "without")
            or word in _STOPS
            or (word in words.VERBS and not nouns.is_known(word))
            or (word in words.VERBS and self._at(i + 1) in words.DETERMINERS)
            or word in words.ADVERBS
        )

    def _verb(self, i: int) -> int:
        word = self.words[i]
        base = words.VERBS.get(word)
        if base is None and self._last in ("np", "that", "cop", "pron") and self._acts(word):
            return self._add(i + 1, "verb", word, said=word)
        if base is None or word in words.DETERMINERS:
            return i
        following = self._at(i + 1)
        if self._last == "neg" and self.items[-1].word in ("without", "no", "neither", "nor"):
            return i
        free = self._last in ("np", "that", "cop", "pron", "neg", "have", "adj", "verb")
        if free and (
            self._ends(i + 1)
            or self._relation_length(i + 1) > 0
            or not self._is_nominal(following)
            or word.endswith("ing")
        ):
            return self._add(i + 1, "verb", base, said=word)
        if self._last in ("np", "that", "pron"):
            return self._add(i + 1, "verb", base, said=word)
        bare = self._last in ("and", "comma", "but", "stop", "rel", "there", "with")
        closed = following in words.DETERMINERS or following in words.PREPOSITIONS
        if bare and closed and not (nouns.is_known(word) and following not in words.DETERMINERS):
            return self._add(i + 1, "verb", base, said=word)
        return i

    def _acts(self, word: str) -> bool:
        """Does an unknown word look like a verb?"""
        return (
            word.endswith(("ed", "ing"))
            and len(word) > 4
            and not nouns.is_known(word)
            and (word not in words.ADJECTIVES)
        )

    def _ends(self, i: int) -> bool:
        word = self._at(i)
        return not word or word in _STOPS or word == "," or word in words.CONJUNCTIONS

    def _is_function(self, word: str) -> bool:
        return (
            word in words.DETERMINERS
            or word in words.PRONOUNS
            or word in words.ADVERBS
            or word in words.COPULAS
            or word in words.HAVING
            or word in words.CONJUNCTIONS
            or word in words.PREPOSITIONS
            or word in words.REQUESTS
            or word in words.VERBS
            or word in words.STYLE
            or word in words.HEDGES
            or self._is_adverb(word)
            or word
            in (
                "how",
                "what",
                "why",
                "if",
                "whether",
                "of",
                "with",
                "than",
                "there",
                "to",
                "do",
                "does",
                "did",
                "will",
                "can",
                "who's",
            )
            or len(word) == 1
        )

    def _is_nominal(self, word: str) -> bool:
        """May the word stand in a noun phrase, before or as its noun?"""
        if not word or not word[0].isalnum():
            return False
        if word in words.ADJECTIVES or word in words.NUMBERS or nouns.is_known(word):
            return True
        return not self._is_function(word) and word not in words.NEGATIONS

    # noun phrases ------------------------------------------------------------------------------

    def _noun_phrase(self, i: int) -> int:
        phrase = NounPhrase()
        after = self._quantifier(i, phrase)
        if self._at(after) == "of" and (phrase.count or phrase.each):
            return self._of_them(after + 1, phrase)
        content, after = self._content(after, phrase)
        if not content:
            return self._without_noun(i, after, phrase)
        bare = not phrase.determiner and not phrase.count and self._last == "cop"
        if bare and content[0] in words.ADJECTIVES and content[-1] in words.VERBS:
            return i
        if content[-1] in ("one", "ones") and len(content) > 1:
            phrase.modifiers, phrase.plural = content[:-1], content[-1] == "ones"
            phrase.noun = "one"
            return self._np(after, phrase)
        return self._with_noun(i, after, phrase, content)

    def _np(self, after: int, phrase: NounPhrase) -> int:
        return self._add(after, "np", phrase=phrase)

    def _quantifier(self, i: int, phrase: NounPhrase) -> int:
        """Determiners and numbers in front of a noun."""
        while word := self._at(i):
            if word in words.DETERMINERS and phrase.count is None:
                phrase.determiner = phrase.determiner or word
                phrase.each = phrase.each or word in ("each", "every")
                phrase.more = phrase.more or word == "another"
                if word == "both":
                    phrase.count, phrase.exact = 2, True
            elif word in words.HEDGES and (
                self._number(i + 1) or self._at(i + 1) in words.ARTICLES
            ):
                pass
            elif word == "at" and self._at(i + 1) in ("least", "most"):
                i += 1
            elif word == "more" and phrase.count:
                pass
            elif word == "half" and self._at(i + 1) == "a" and self._at(i + 2) == "dozen":
                phrase.count, phrase.exact = 6, True
                i += 2
            elif number := self._number(i):
                if (
                    phrase.count
                    and phrase.exact
                    and word not in ("dozen", "pair", "pairs", "hundred")
                ):
                    break
                self._count(word, number, phrase)
                if self._at(i + 1) == "of" and word in (*words.VAGUE, "dozen", "dozens"):
                    if self._referring_of(i + 2):
                        return i + 1
                    i += 1
            elif after := self._group(i, phrase):
                i = after - 1
            else:
                break
            i += 1
        return i

    def _count(self, word: str, number: int, phrase: NounPhrase) -> None:
        if word in ("pair", "pairs") and phrase.count and phrase.count > 1:
            phrase.count *= 2
        elif word in ("dozen", "hundred") and phrase.count:
            phrase.count *= number
        elif not (word in words.VAGUE and phrase.exact):
            phrase.count = number
        phrase.paired = phrase.paired or word in ("pair", "pairs")
        phrase.exact = (
            phrase.exact or word not in words.VAGUE or word in ("pair", "couple", "trio", "both")
        )

    def _referring_of(self, i: int) -> bool:
        """Does "of" lead back to things named before: "of them", "of the cats"?"""
        word = self._at(i)
        return word in ("them", "these", "those", "which", "whom", "the", "his", "her", "its")

    def _number(self, i: int) -> int:
        word = self._at(i)
        if word.isdecimal() and len(word) < 4:
            return int(word)
        if word in words.NUMBERS:
            return words.NUMBERS[word]
        if word in words.VAGUE and (word not in ("pair", "couple") or self._at(i + 1) != "is"):
            return words.VAGUE[word]
        tens, dash, ones = word.partition("-")
        if dash and tens in ("twenty", "thirty", "forty", "fifty") and ones in words.NUMBERS:
            return words.NUMBERS[tens] + words.NUMBERS[ones]
        return 0

    def _group(self, i: int, phrase: NounPhrase) -> int:
        """ "a large herd of" is a vague number; the place after it, or 0."""
        start = i
        while self._at(i) in words.ADJECTIVES and i < start + 2:
            i += 1
        if self._at(i) not in words.GROUPS or self._at(i + 1) != "of":
            return 0
        kind = nouns.singular(self._at(i + 2))
        if self._at(i) == "bunch" and kind in words.SINGLE_BUNCHES:
            phrase.count = 1
            return 0
        if not phrase.exact or phrase.count == 1:
            phrase.count, phrase.exact = words.GROUP, False
        return i + 2

    def _content(self, i: int, phrase: NounPhrase) -> tuple[list[str], int]:
        """Modifiers and noun: until a word that cannot belong to them."""
        content: list[str] = []
        while word := self._at(i):
            if word in ("and", ",", "&") and self._joins(content, i):
                if word != ",":
                    content.append("and")
            elif word in ("one", "ones") and content and content[-1] in words.ADJECTIVES:
                return [*content, word], i + 1
            elif self._continues(content, i, phrase):
                content.append(word)
            elif self._particle(content, i):
                pass
            elif not (self._is_adverb(word) and content_free(content) and self._modifies(i)):
                break
            i += 1
        while content and content[-1] == "and":
            content.pop()
            i -= 1
        return content, i

    def _is_adverb(self, word: str) -> bool:
        return word in words.ADVERBS or (word.endswith("ly") and not nouns.is_known(word))

    def _particle(self, content: list[str], i: int) -> bool:
        """ "a broken down car"."""
        joined = (
            bool(content) and content[-1].endswith(("ed", "en")) and content[-1] not in nouns.KNOWN
        )
        return (
            joined
            and self.words[i] in ("down", "up", "out", "over")
            and nouns.is_known(self._at(i + 1))
        )

    def _modifies(self, i: int) -> bool:
        following = self._at(i + 1)
        return following in words.ADJECTIVES or following.endswith(("ed", "ing"))

    def _joins(self, content: list[str], i: int) -> bool:
        """ "black and white cat": two adjectives of one noun."""
        following, later = self._at(i + 1), self._at(i + 2)
        if not content or content[-1] not in words.ADJECTIVES:
            return False
        if following not in words.ADJECTIVES and not (
            following.endswith("ed") and self._acts(following)
        ):
            return False
        if later in ("and", ",", "&"):
            return self._at(i + 3) in words.ADJECTIVES and self._is_nominal(self._at(i + 4))
        return self._is_nominal(later) and not self._number(i + 2)

    def _continues(self, content: list[str], i: int, phrase: NounPhrase) -> bool:
        word = self.words[i]
        if (
            self._at(i + 1) == "than"
            or self._relation_length(i) > 1
            or (word.endswith("ly") and not nouns.is_known(word))
        ):
            return False
        if not word[0].isalnum() or (self._number(i) and not (word == "single" and not content)):
            return False
        if word in words.DETERMINERS or word in words.HAVING or word in words.COPULAS:
            return False
        headed = bool(content) and _may_be_head(content)
        if word in words.ADJECTIVES:
            return not headed or self._adjective_inside(i)
        if word in words.VERBS:
            return self._participle_or_noun(headed, i, phrase)
        if nouns.is_known(word) or word in words.FRAMES or word in words.GROUPS:
            return word not in words.CONJUNCTIONS and not (
                headed and (word in words.PREPOSITIONS or word in words.ADVERBS)
            )
        if self._is_function(word) or word in words.NEGATIONS:
            return False
        return not (headed and word.endswith(("ed", "ing")))  # a verb in no list: "ducks quacked"

    def _relation_length(self, i: int) -> int:
        if i >= len(self.words):
            return 0
        for phrase, _ in words.RELATION_TABLE.get(self.words[i], ()):
            if tuple(self.words[i : i + len(phrase)]) == phrase:
                return len(phrase)
        return 0

    def _adjective_inside(self, i: int) -> bool:
        following = self._at(i + 1)
        if self.words[i] in ("full", "left", "right", "front", "back", "top", "bottom"):
            return nouns.is_known(following) and self.words[i] != "full"
        if nouns.is_known(self.words[i]) and self.words[i] not in words.COLOURS:
            return True
        return nouns.is_known(following) and following not in words.PREPOSITIONS

    def _participle_or_noun(self, headed: bool, i: int, phrase: NounPhrase) -> bool:
        word, following = self.words[i], self._at(i + 1)
        noun = nouns.is_known(word) or word in words.ALSO_NOUNS
        if not headed:
            return noun or (
                word.endswith(("ing", "ed", "en", "ung", "own")) and self._is_nominal(following)
            )
        if not noun or (self.words[i - 1] in nouns.PEOPLE and word.endswith("ing")):
            return False
        acts = (
            following in words.DETERMINERS
            or following in words.PREPOSITIONS
            or following in words.REFERRING
            or following in ("left", "right")
            or bool(self._number(i + 1))
        )
        if nouns.is_plural(self.words[i - 1]) and nouns.is_plural(word):
            return False
        third = word.endswith("s") and not nouns.is_plural(self.words[i - 1])
        before = self.words[i - 1]
        several = nouns.is_plural(before) or (phrase.count or 1) > 1
        if acts or following in words.ADVERBS or (self._ends(i + 1) and third):
            alone = phrase.determiner in words.ARTICLES or phrase.determiner == "the"
            return not (
                (third and alone and nouns.is_plural(word))
                or (several and word == words.VERBS[word])
            )
        return nouns.is_known(word)

    def _of_them(self, i: int, phrase: NounPhrase) -> int:
        """ "two of them", "each of the three boxes"."""
        if self._at(i) in ("them", "these", "those", "which", "whom"):
            after = i + 1
            if self._at(i) in ("these", "those") and self._is_nominal(self._at(i + 1)):
                after = self._content(i + 1, NounPhrase())[1]
            phrase.subset = True
            return self._np(after, phrase)
        inner = NounPhrase()
        start = self._quantifier(i, inner)
        content, after = self._content(start, inner)
        if not content:
            return i
        if phrase.each:
            phrase.count, phrase.exact = inner.count, inner.exact
        else:
            phrase.subset = bool(inner.determiner)
        phrase.determiner = inner.determiner or phrase.determiner
        phrase.plural = True
        self._fill(phrase, content)
        return self._np(after, phrase)

    def _without_noun(self, i: int, after: int, phrase: NounPhrase) -> int:
        """ "one is ...", "the other", "the first"."""
        word = self._at(i)
        if phrase.determiner in ("the", "another") or word in ("one", "others", "another", "other"):
            other = self._at(after)
            if other in ("other", "others", "rest"):
                phrase.rest, phrase.subset = True, True
                return self._np(after + 1, phrase)
            if phrase.more and self._starts_clause(after):
                phrase.subset, phrase.count = True, 1
                return self._np(after, phrase)
        if (
            phrase.count
            and phrase.exact
            and (self._starts_clause(after) or self._at(after) in ",.")
        ):
            phrase.subset = True
            return self._np(after, phrase)
        return i

    def _with_noun(self, i: int, after: int, phrase: NounPhrase, content: list[str]) -> int:
        if content[-1] in ("other", "others", "rest") or (
            content[-1] in words.ORDINALS and phrase.determiner == "the" and len(content) == 1
        ):
            phrase.subset, phrase.rest = True, content[-1] in ("other", "others", "rest")
            phrase.count = phrase.count or (1 if content[-1] in words.ORDINALS else None)
            return self._np(after, phrase)
        if len(content) == 1 and content[0] in words.STYLE:
            return after
        if _only_adjectives(content) and not (phrase.determiner and nouns.is_known(content[-1])):
            if not phrase.determiner and not phrase.count:
                if nouns.is_known(content[-1]) and self._last in (
                    "rel",
                    "and",
                    "comma",
                    "stop",
                    "with",
                ):
                    pass
                else:
                    return i
            else:
                phrase.modifiers = content
                return self._np(after, phrase)
        self._fill(phrase, content, after)
        if self._at(after) == "of":
            return self._noun_of(after, phrase)
        return self._np(after, phrase)

    def _glassware(self, i: int) -> bool:
        return self._at(i) == "of"

    def _fill(self, phrase: NounPhrase, content: list[str], i: int = -1) -> None:
        last = content[-1]
        phrase.plural = phrase.plural or nouns.is_plural(last)
        if last == "glasses" and (phrase.count or len(content) > 1 or self._glassware(i)):
            last, phrase.plural = "glass", True
        if last in nouns.ALWAYS_PLURAL and phrase.paired:
            phrase.count = 1
        start = _noun_start(content)
        phrase.modifiers = content[:start]
        phrase.noun = " ".join([*content[start:-1], nouns.singular(last)])
        if not nouns.is_known(last):
            self.unknown.append(last)

    def _noun_of(self, after: int, phrase: NounPhrase) -> int:
        """ "the roof of a house" is the house; "a slice of cake" is one thing."""
        name = phrase.noun.split()[-1]
        if name in nouns.REGIONS or name in ("kind", "type", "sort"):
            inner = self._noun_phrase(after + 1)
            return inner if inner > after + 1 else self._np(after + 1, phrase)
        if name in words.FRAMES and self._last in ("stop", "comma") and name not in ("view",):
            return after + 1
        inner = NounPhrase()
        content, end = self._content(self._quantifier(after + 1, inner), inner)
        if not content or (inner.exact and (inner.count or 0) > 1):
            self._np(after, phrase)
            return self._add(after + 1, "holds")
        last = content[-1]
        kept = last if inner.plural or inner.count is None else nouns.singular(last)
        if inner.determiner in words.DETERMINERS:
            kept = nouns.singular(last) if inner.determiner in words.ARTICLES else last
        phrase.noun = f"{phrase.noun} of {' '.join([*content[:-1], kept])}"
        return self._np(end, phrase)


def content_free(content: list[str]) -> bool:
    return not content or content[-1] in words.ADJECTIVES


def _may_be_head(content: list[str]) -> bool:
    last = content[-1]
    if last == "and":
        return False
    if last in ("light", "dark", "pale", "bright", "deep"):
        return len(content) > 1
    if last in words.ADJECTIVES:
        return last in nouns.NAMED and last not in words.COLOURS and last not in nouns.MATERIALS
    if last in words.VERBS and not nouns.is_known(last):
        return False
    return not (
        last.endswith(("'s", "’s")) or (last.endswith(("ed", "ing")) and not nouns.is_known(last))
    )


def _only_adjectives(content: list[str]) -> bool:
    return all(word in words.ADJECTIVES or word == "and" for word in content)


def _noun_start(content: list[str]) -> int:
    """Where the noun begins: after the last word that can only describe."""
    start = len(content) - 1
    while start > 0 and _is_noun_word(content[start - 1]):
        start -= 1
    return start


def _is_noun_word(word: str) -> bool:
    if word in words.ADJECTIVES or word in words.LARGER or word == "and":
        return False
    if word.endswith(("'s", "’s")) or (word in words.VERBS and not nouns.is_known(word)):
        return False
    return nouns.is_known(word)


def _picture_place(text: Sequence[str], i: int) -> tuple[int, str] | None:
    """ "in the top left corner of the picture", "on the left": the place after it and its name."""
    if text[i] not in ("in", "on", "at", "to", "near"):
        return None
    j = i + 1
    if j < len(text) and text[j] == "the":
        j += 1
    if j < len(text) and text[j] == "far":
        j += 1
    names: list[str] = []
    while j < len(text) and text[j] in words.SUPERLATIVE_PLACES:
        names.append(words.SUPERLATIVE_PLACES[text[j]])
        j += 1
        if j < len(text) - 1 and text[j] in ("and",) and text[j + 1] in words.SUPERLATIVE_PLACES:
            break
    if not names or (text[i] == "near" and names == ["middle"]):
        return None
    while j < len(text) and text[j] in ("corner", "side", "hand", "part", "half", "edge", "area"):
        j += 1
    return _of_picture(text, i, j, names)


def _of_picture(text: Sequence[str], i: int, j: int, names: list[str]) -> tuple[int, str] | None:
    if j < len(text) and text[j] in ("of", "from"):
        k = j + 2 if j + 1 < len(text) and text[j + 1] in ("the", "this") else j + 1
        if k < len(text) and text[k] in words.OF_THE_PICTURE:
            return k + 1, " ".join(names)
        return None
    if text[i : i + 2] == ["on", "top"] or (text[i] == "to" and len(names) == 1):
        return None
    if names[0] in ("middle", "top", "bottom", "left", "right") and _goes_on(text, j):
        return None
    return j, " ".join(names)


def _goes_on(text: Sequence[str], j: int) -> bool:
    """ "in the left hand of", "on the top shelf": the word goes with a noun, so this is no place."""
    return j < len(text) and (nouns.is_known(text[j]) and text[j] not in words.VERBS)


_ITS = ("its", "their", "his", "her", "the")


def _sides(text: Sequence[str], i: int) -> tuple[int, str, bool] | None:
    """ "to its left", "to the right", "on each side (of)", "on top", "in front", "in the air"."""
    word, rest = text[i], list(text[i + 1 : i + 5])
    if (
        word in ("to", "on", "at")
        and len(rest) > 1
        and rest[0] in _ITS
        and rest[1] in ("left", "right")
    ):
        length = 4 if len(rest) > 2 and rest[2] in ("side", "hand") else 3
        of = length - 1 < len(rest) and rest[length - 1] in ("of", "from")
        if not of and not (length == 3 and len(rest) > 2 and nouns.is_known(rest[2])):
            return i + length, f"{rest[1]} of", True
    both = rest[:1] and rest[0] in ("each", "either", "both")
    if word in ("on", "at", "to") and both and rest[1:2] and rest[1].startswith(("side", "end")):
        of = len(rest) > 2 and rest[2] == "of"
        return i + (4 if of else 3), "flank", not of
    if word == "on" and rest[:1] == ["top"] and rest[1:2] != ["of"]:
        return i + 2, "on", True
    if word == "in" and rest[:1] == ["front"] and rest[1:2] != ["of"]:
        return i + 2, "in front of", True
    if word in ("side", "back") and rest[:2] in (["by", "side"], ["to", "back"]):
        return i + 3, "together", True
    if word == "side-by-side":
        return i + 1, "together", True
    return None
