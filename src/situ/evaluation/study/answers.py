"""What raters answered: read, checked against the study, and turned into judgements.

What the page never writes is an error that names the file. What people do (stop early, save twice,
miss a check) is listed, and a rule that was fixed beforehand says whose answers count.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from situ.evaluation.study.design import Choice, Session, Study, Trial, prompt_id
from situ.files.atomic import write_bytes
from situ.scene import SituError, strict_json
from situ.scene.errors import at, did_you_mean, shown
from situ.scene.fields import entry, mapping, number, sequence, text, whole

FORMAT = 1
CHOICES: tuple[Choice, ...] = ("left", "right", "tie")
MAX_SECONDS = 10**9


@dataclass(frozen=True, slots=True)
class Answer:
    """One choice, how many seconds it took, and when it was made (ISO 8601, UTC)."""

    trial: str
    question: str
    choice: Choice
    seconds: float
    time: str


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """The answers of one rater, who is known by a random name alone. `session` counts from 0."""

    path: str
    rater: str
    session: int
    answers: tuple[Answer, ...]
    saved: str


@dataclass(frozen=True, slots=True)
class Rule:
    """Whose answers count: the least share of checks that are passed, and of questions answered."""

    checks: float = 0.8
    answered: float = 0.5

    def __post_init__(self) -> None:
        for field in fields(self):
            if not 0 <= number(getattr(self, field.name), field.name) <= 1:
                raise SituError(f"{field.name}: {getattr(self, field.name)} must be in 0..1")


@dataclass(frozen=True, slots=True)
class Rater:
    """How a rater took part. `excluded` is the reason why the answers do not count, or empty."""

    rater: str
    number: int  # the number that the rater was given, from 1
    answered: int
    asked: int
    checks_passed: int
    checks_seen: int
    seconds: float  # median of a question
    excluded: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """One choice between two systems: a line of the table that others can analyse."""

    study: str
    question: str
    prompt_id: str
    rater_id: str
    left_system: str
    right_system: str
    choice: Choice
    time: str
    image: int  # which picture of the prompt, where there are several
    seconds: float


@dataclass(frozen=True, slots=True)
class Collection:
    """Judgements that count, everyone who took part, and what an experimenter should know."""

    judgements: tuple[Judgement, ...]
    raters: tuple[Rater, ...]
    remarks: tuple[str, ...]


def read_answers(path: Path, study: Study) -> AnswerFile:
    """One file of answers. It is untrusted: everything in it is held against the study."""
    content = strict_json.read(path)
    with at(path):
        return parse_answers(strict_json.parse(content), study, str(path))


def parse_answers(data: object, study: Study, path: str = "answers") -> AnswerFile:
    """A parsed file of answers to this study. An answer that is given twice is an error."""
    record = mapping(data, "a file of answers")
    if entry(record, "situ_answers") != FORMAT:
        raise SituError(f"situ_answers must be {FORMAT}, got {shown(record['situ_answers'])}")
    if entry(record, "study") != study.id:
        raise SituError(f"answers to study {shown(record['study'])}, and this is {study.id!r}")
    session = whole(entry(record, "session"), "session", 1, len(study.sessions)) - 1
    items = sequence(entry(record, "answers"), "answers")
    trials = {trial.id for trial in study.sessions[session].trials}
    questions = [question.name for question in study.sessions[session].questions]
    answers = [_answer(item, index, trials, questions) for index, item in enumerate(items)]
    twice = Counter((a.trial, a.question) for a in answers).most_common(1)
    if twice and twice[0][1] > 1:
        raise SituError(f"trial {twice[0][0][0]!r} is answered {twice[0][1]} times")
    return AnswerFile(path, _name(record), session, tuple(answers), _time(record, "saved"))


def collect(study: Study, files: Sequence[AnswerFile], rule: Rule | None = None) -> Collection:
    """The judgements of all raters whom the rule leaves in; checks are no judgements."""
    rule = rule or Rule()
    latest, remarks = _one_each(files)
    raters = tuple(_rater(file, study.sessions[file.session], rule) for file in latest)
    counted = [file for file, rater in zip(latest, raters, strict=True) if not rater.excluded]
    judgements = tuple(judgement for file in counted for judgement in _judgements(study, file))
    for rater in raters:
        if rater.excluded:
            remarks.append(f"rater {rater.rater} is left out: {rater.excluded}")
        elif rater.answered < rater.asked:
            remarks.append(f"rater {rater.rater} answered {rater.answered} of {rater.asked}")
    return Collection(judgements, raters, (*remarks, *_remarks_on_numbers(study, raters)))


def write_csv(path: Path, judgements: Sequence[Judgement]) -> None:
    """One line to a judgement, under a line of names."""
    names = [field.name for field in fields(Judgement)]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([getattr(judgement, name) for name in names] for judgement in judgements)
    write_bytes(path, buffer.getvalue().encode())


def _answer(data: object, index: int, trials: set[str], questions: Sequence[str]) -> Answer:
    with at(f"answers[{index}]"):
        record = mapping(data, "an answer")
        trial, question = text(entry(record, "trial"), "trial"), entry(record, "question")
        if trial not in trials:
            raise SituError(f"trial {shown(trial)} is not one of this session")
        for name, value, allowed in (
            ("question", question, questions),
            ("choice", entry(record, "choice"), CHOICES),
        ):
            if value not in allowed:
                raise SituError(f"{name} {shown(value)}: {did_you_mean(str(value), allowed)}")
        seconds = number(entry(record, "seconds"), "seconds")
        if not 0 <= seconds <= MAX_SECONDS:
            raise SituError(f"seconds must be in 0..{MAX_SECONDS}, got {seconds}")
        return Answer(trial, question, record["choice"], seconds, _time(record, "time"))


def _time(record: Mapping[str, Any], name: str) -> str:
    value = text(entry(record, name), name)
    try:
        datetime.fromisoformat(value)
    except ValueError:
        raise SituError(f"{name} {shown(value)} must be as in 2030-12-31T23:59:00Z") from None
    return value


def _name(record: Mapping[str, Any]) -> str:
    value = text(entry(record, "rater"), "rater")
    if not re.fullmatch(r"[A-Za-z0-9-]{1,40}", value):
        raise SituError(f"rater {shown(value)} must be letters, digits and hyphens, at most 40")
    return value


def _one_each(files: Sequence[AnswerFile]) -> tuple[list[AnswerFile], list[str]]:
    """Of several files of a rater the one with most answers, and of these the last."""
    latest: dict[tuple[str, int], AnswerFile] = {}
    for file in files:
        key = file.rater, file.session
        latest[key] = max(latest.get(key, file), file, key=lambda f: (len(f.answers), f.saved))
    saved = Counter((file.rater, file.session) for file in files)
    more = [(rater, count) for (rater, _), count in saved.items() if count > 1]
    return list(latest.values()), [
        f"rater {rater} saved {count} files; the one with most answers counts"
        for rater, count in more
    ]


def _rater(file: AnswerFile, session: Session, rule: Rule) -> Rater:
    trials = {trial.id: trial for trial in session.trials}
    checks = [(trials[a.trial].check, a) for a in file.answers]
    seen = [a.choice == c.answer for c, a in checks if c and a.question in c.questions]
    asked = len(session.trials) * len(session.questions)
    return Rater(
        file.rater,
        file.session + 1,
        len(file.answers),
        asked,
        sum(seen),
        len(seen),
        median([a.seconds for a in file.answers] or [0.0]),
        _why_excluded(len(file.answers), asked, seen, rule),
    )


def _why_excluded(answered: int, asked: int, passed: Sequence[bool], rule: Rule) -> str:
    if answered < rule.answered * asked or not answered:
        return f"answered {answered} of {asked} questions"
    if sum(passed) < rule.checks * len(passed):
        return f"passed {sum(passed)} of {len(passed)} checks"
    return ""


def _judgements(study: Study, file: AnswerFile) -> Iterator[Judgement]:
    trials: Mapping[str, Trial] = {t.id: t for t in study.sessions[file.session].trials}
    for answer in file.answers:
        trial = trials[answer.trial]
        left, right = trial.left.system, trial.right.system
        if trial.check is None and left is not None and right is not None:
            yield Judgement(
                study=study.id,
                question=answer.question,
                prompt_id=prompt_id(trial.prompt),
                rater_id=file.rater,
                left_system=left,
                right_system=right,
                choice=answer.choice,
                time=answer.time,
                image=trial.left.image,
                seconds=answer.seconds,
            )


def _remarks_on_numbers(study: Study, raters: Sequence[Rater]) -> Iterator[str]:
    """Balance holds for each number used once."""
    used = Counter(rater.number for rater in raters if not rater.excluded)
    for number_, count in sorted(used.items()):
        if count > 1:
            yield f"number {number_} was used by {count} raters: their pairs count as often"
    unused = [n for n in range(1, len(study.sessions) + 1) if n not in used]
    if unused:
        yield f"no answers count of {len(unused)} of {len(study.sessions)} numbers: " + (
            ", ".join(map(str, unused))
        )
