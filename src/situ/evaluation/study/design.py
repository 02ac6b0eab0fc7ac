"""Who is shown which two pictures, in which order and on which side: all of it seeded and balanced.

Pairs of systems run through prompts and raters as through a Latin square. So with P pairs, a rater
meets every pair on 1/P of the prompts, and a prompt shows every pair to 1/P of the raters, to within
one. Of each such share, every system stands on the left in half, again to within one. This holds for
the first few raters too, so that a study may end early.
"""

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any, Literal, TypeVar

from situ.scene import SituError
from situ.scene.errors import did_you_mean, shown
from situ.scene.fields import entry, mapping, text, whole

Choice = Literal["left", "right", "tie"]
Pair = tuple[str, str]
T = TypeVar("T")

FORMAT = 1
NOISE_PICTURES = 4
MOST = 100_000  # prompts, raters or checks


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about two pictures: a name for files, the question, and how to judge it.

    Where the prompt does not matter it is not shown, so that it cannot sway the answer.
    """

    name: str
    ask: str
    hint: str
    shows_prompt: bool


ALIGNMENT = Question(
    "alignment",
    "Which picture fits the description better?",
    "Look at the things, how many they are, their colours and where they stand.",
    shows_prompt=True,
)
AESTHETICS = Question(
    "aesthetics",
    "Which picture looks better?",
    "Look for parts that belong together and for natural poses; what is shown does not matter.",
    shows_prompt=False,
)
QUESTIONS = (ALIGNMENT, AESTHETICS)


@dataclass(frozen=True, slots=True)
class Picture:
    """The picture of a prompt by a system, or one of a few of pure noise where system is None."""

    system: str | None
    prompt: int
    image: int


@dataclass(frozen=True, slots=True)
class Check:
    """A trial whose right answer is known, to the questions that have one."""

    answer: Choice
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """Two pictures side by side. The id tells nothing about what they are."""

    id: str
    prompt: int
    left: Picture
    right: Picture
    check: Check | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """What one rater goes through: trials in order, and to each the questions in this order."""

    questions: tuple[Question, ...]
    trials: tuple[Trial, ...]


@dataclass(frozen=True, slots=True)
class Study:
    """A whole study. `tokens` are the blind names of its pictures, by which alone the page knows them."""

    id: str
    systems: tuple[str, ...]
    prompts: tuple[str, ...]
    sessions: tuple[Session, ...]
    tokens: Mapping[Picture, str]


@dataclass(frozen=True, slots=True)
class Design:
    """What a study is made from.

    each: how many pairs of systems a rater sees of every set of pictures, a divisor of their number.
    against: one system that all others are compared with; None compares every two systems.
    """

    systems: tuple[str, ...]
    prompts: tuple[str, ...]
    raters: int = 20
    images: int = 1  # pictures of each prompt by each system
    each: int = 1
    against: str | None = None
    checks: int = 6
    seed: int = 0

    def __post_init__(self) -> None:
        for index, name in enumerate(self.systems):
            text(name, f"systems[{index}]")
        for index, prompt in enumerate(self.prompts):
            text(prompt, f"prompts[{index}]")
        if len(self.systems) < 2 or len(set(self.systems)) < len(self.systems):
            raise SituError(f"systems: {shown(self.systems)} must be two or more different names")
        for name, lowest in (("raters", 1), ("images", 1), ("checks", 0), ("seed", 0)):
            whole(getattr(self, name), name, lowest, MOST)
        if not 1 <= len(self.prompts) <= MOST:
            raise SituError(f"prompts: a study needs 1..{MOST}, got {len(self.prompts)}")
        if self.against is not None and self.against not in self.systems:
            raise SituError(
                f"against: {self.against!r}; {did_you_mean(self.against, self.systems)}"
            )
        self._check_each()

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The pairs of systems that are compared."""
        if self.against is None:
            return tuple(combinations(self.systems, 2))
        return tuple((self.against, name) for name in self.systems if name != self.against)

    def _check_each(self) -> None:
        count = len(self.pairs)
        allowed = [number for number in range(1, count + 1) if count % number == 0]
        if self.each not in allowed:
            listed = ", ".join(map(str, allowed))
            raise SituError(f"each: {self.each} of {count} pairs of systems; allowed: {listed}")


def assign(design: Design, material: str = "") -> Study:
    """The study of a design. Equal designs of equal material, such as a hash of all pictures, are equal."""
    rng = random.Random(f"situ study {design.seed}")
    orders = _question_orders(design.raters, rng)
    sessions = [
        Session(orders[rank], _with_checks(_shuffled(trials, rng), rank, design, rng))
        for rank, trials in enumerate(_square(design, rng))
    ]
    tokens = _tokens(sessions, rng)
    named = tuple(_named(session, rng) for session in sessions)
    study = Study("", design.systems, design.prompts, named, tokens)
    content = json.dumps([material, to_json(study)])
    return replace(study, id=hashlib.sha256(content.encode()).hexdigest()[:12])


def prompt_id(index: int) -> str:
    """The name of a prompt in tables."""
    return f"p{index:03d}"


def to_json(study: Study) -> dict[str, Any]:
    """The study as its key file holds it. Raters must not see it: it says which system drew what."""
    return {
        "situ_study": FORMAT,
        "id": study.id,
        "systems": list(study.systems),
        "prompts": list(study.prompts),
        "questions": [asdict(question) for question in QUESTIONS],
        "pictures": {token: asdict(picture) for picture, token in study.tokens.items()},
        "sessions": [_session_json(session, study.tokens) for session in study.sessions],
    }


def from_json(data: object) -> Study:
    """Read what `to_json` wrote."""
    record = mapping(data, "a study")
    if entry(record, "situ_study") != FORMAT:
        raise SituError(f"situ_study must be {FORMAT}, got {shown(record['situ_study'])}")
    try:
        questions = {item["name"]: Question(**item) for item in record["questions"]}
        pictures = {token: Picture(**item) for token, item in record["pictures"].items()}
        sessions = [_session(item, questions, pictures) for item in record["sessions"]]
        systems, prompts = tuple(record["systems"]), tuple(record["prompts"])
        tokens = {picture: token for token, picture in pictures.items()}
        return Study(text(record["id"], "id"), systems, prompts, tuple(sessions), tokens)
    except (KeyError, TypeError, AttributeError) as error:
        raise SituError(f"not a whole study, as situ study build writes it: {error!r}") from None


def _session_json(session: Session, tokens: Mapping[Picture, str]) -> dict[str, Any]:
    trials = []
    for trial in session.trials:
        sides = {"left": tokens[trial.left], "right": tokens[trial.right]}
        check = {"check": asdict(trial.check)} if trial.check else {}
        trials.append({"id": trial.id, "prompt": trial.prompt, **sides, **check})
    return {"questions": [question.name for question in session.questions], "trials": trials}


def _session(
    data: Any, questions: Mapping[str, Question], pictures: Mapping[str, Picture]
) -> Session:
    trials = []
    for item in data["trials"]:
        check = item.get("check")
        known = Check(check["answer"], tuple(check["questions"])) if check else None
        sides = pictures[item["left"]], pictures[item["right"]]
        trials.append(Trial(item["id"], item["prompt"], *sides, known))
    return Session(tuple(questions[name] for name in data["questions"]), tuple(trials))


def _square(design: Design, rng: random.Random) -> list[list[Trial]]:
    """The trials of each rater, in no order yet."""
    pairs = _shuffled(design.pairs, rng)
    items = [(p, i) for p in range(len(design.prompts)) for i in range(design.images)]
    items = _shuffled(items, rng)
    turned = [rng.randrange(2) for _ in pairs]
    groups = len(pairs) // design.each
    rows: list[list[Trial]] = []
    for rank in range(design.raters):
        row: list[Trial] = []
        for place, (prompt, image) in enumerate(items):
            first = (place + rank) % groups * design.each
            for which in range(first, first + design.each):
                turn = (place // groups + rank // groups + turned[which]) % 2
                left, right = pairs[which] if not turn else pairs[which][::-1]
                pictures = Picture(left, prompt, image), Picture(right, prompt, image)
                row.append(Trial("", prompt, *pictures))
        rows.append(row)
    return rows


def _question_orders(raters: int, rng: random.Random) -> list[tuple[Question, ...]]:
    """Of every two raters, one begins with one question and one with the other."""
    orders: list[tuple[Question, ...]] = []
    while len(orders) < raters:
        orders += _shuffled([QUESTIONS, QUESTIONS[::-1]], rng)
    return orders[:raters]


def _with_checks(
    trials: Sequence[Trial], rank: int, design: Design, rng: random.Random
) -> tuple[Trial, ...]:
    """One check at a random place in each of equal stretches, never at the very beginning."""
    result = list(trials)
    for number in reversed(range(design.checks)):
        start = len(trials) * number // design.checks
        end = len(trials) * (number + 1) // design.checks
        place = rng.randint(min(start + 1, end), end)
        result.insert(place, _check(number, rank, design, rng))
    return tuple(result)


def _check(number: int, rank: int, design: Design, rng: random.Random) -> Trial:
    """A true picture against noise, or by turns against the same system's picture of something else."""
    prompt = rng.randrange(len(design.prompts))
    system = design.systems[(rank + number) % len(design.systems)]
    true = Picture(system, prompt, rng.randrange(design.images))
    other = _stranger(prompt, design.prompts, rng) if number % 2 else None
    if other is None:
        false = Picture(None, 0, rng.randrange(NOISE_PICTURES))
        asked = tuple(question.name for question in QUESTIONS)
    else:
        false = Picture(system, other, rng.randrange(design.images))
        asked = (ALIGNMENT.name,)
    if rng.randrange(2):
        return Trial("", prompt, true, false, Check("left", asked))
    return Trial("", prompt, false, true, Check("right", asked))


def _stranger(prompt: int, prompts: Sequence[str], rng: random.Random) -> int | None:
    """A prompt that shares as few words as possible, or None where there is no other."""
    words = [set(text.lower().replace(".", " ").replace(",", " ").split()) for text in prompts]
    own = words[prompt]
    shared = {i: len(own & w) / len(own | w) for i, w in enumerate(words) if i != prompt}
    fewest = min(shared.values(), default=1.0)
    # A prompt that says the same with the same words would be no check.
    return rng.choice([i for i, s in shared.items() if s == fewest]) if fewest < 1 else None


def _tokens(sessions: Sequence[Session], rng: random.Random) -> dict[Picture, str]:
    used = {
        p for session in sessions for trial in session.trials for p in (trial.left, trial.right)
    }
    ordered = sorted(used, key=lambda p: (p.system is None, p.system or "", p.prompt, p.image))
    names: set[str] = set()
    while len(names) < len(ordered):
        names.add(f"{rng.getrandbits(40):010x}")
    return dict(zip(ordered, _shuffled(sorted(names), rng), strict=True))


def _named(session: Session, rng: random.Random) -> Session:
    names: set[str] = set()
    while len(names) < len(session.trials):
        names.add(f"{rng.getrandbits(32):08x}")
    pairs = zip(_shuffled(sorted(names), rng), session.trials, strict=True)
    trials = [Trial(name, t.prompt, t.left, t.right, t.check) for name, t in pairs]
    return Session(session.questions, tuple(trials))


def _shuffled(things: Sequence[T], rng: random.Random) -> list[T]:
    return rng.sample(things, len(things))
