"""Files of answers: what is refused, what is listed, whose answers count, and what comes out."""

import csv
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from situ.evaluation.statistics import wilson
from situ.evaluation.study import Design, Rule, Study, analyse, assign, chart, collect, read_answers
from situ.evaluation.study.analysis import wins
from situ.evaluation.study.answers import AnswerFile, Judgement, parse_answers, write_csv
from situ.evaluation.study.design import Trial
from situ.scene import SituError

SYSTEMS = ("ours", "gligen", "base")
PROMPTS = tuple(f"{kind} number {i}" for i in range(15) for kind in ("dogs", "cups"))
TIME = "2030-01-01T12:00:00.000Z"

Chooser = Callable[[Trial, str], str]


@pytest.fixture(scope="module")
def study() -> Study:
    return assign(Design(SYSTEMS, PROMPTS, raters=20, each=3, checks=6), "pictures")


def written(study: Study, number: int, choose: Chooser, upto: int | None = None) -> dict[str, Any]:
    """What the page saves."""
    session = study.sessions[number - 1]
    asked = [(t, q.name) for t in session.trials for q in session.questions]
    answers = [
        {"trial": t.id, "question": q, "choice": choose(t, q), "seconds": 2.5, "time": TIME}
        for t, q in asked[:upto]
    ]
    shared = {"situ_answers": 1, "study": study.id, "session": number, "saved": TIME}
    return {**shared, "rater": f"r-{number:04x}", "answers": answers}


def attentive(choose: Chooser) -> Chooser:
    """Passes all checks."""
    return lambda trial, question: trial.check.answer if trial.check else choose(trial, question)


def liking(strength: dict[str, float], ties: float, rng: random.Random) -> Chooser:
    """A rater of the model of Bradley and Terry, with some ties that depend on nothing."""

    def choose(trial: Trial, question: str) -> str:
        if rng.random() < ties:
            return "tie"
        left, right = strength[trial.left.system or ""], strength[trial.right.system or ""]
        return "left" if rng.random() < left / (left + right) else "right"

    return attentive(choose)


def read_all(study: Study, choose: Chooser, raters: int = 20) -> list[AnswerFile]:
    return [parse_answers(written(study, n, choose), study) for n in range(1, raters + 1)]


def test_simulated_raters_are_recovered(study: Study) -> None:
    """Strengths 4 : 2 : 1 and no tie: shares 2/3, 4/5, 2/3, and differences of ln p of ln 2."""
    rng = random.Random(7)
    strength = {"ours": 4.0, "gligen": 2.0, "base": 1.0}
    files = read_all(study, liking(strength, 0.0, rng))
    collection = collect(study, files)
    results = analyse(collection.judgements, SYSTEMS, draws=400)
    assert [result.question for result in results] == ["aesthetics", "alignment"]
    for result in results:
        assert (result.judgements, result.prompts, result.raters) == (1800, 30, 20)
        for duel in result.duels:
            truth = strength[duel.one] / (strength[duel.one] + strength[duel.other])
            for estimate in (duel.share, duel.over_prompts, duel.over_raters):
                assert estimate.value == pytest.approx(truth, abs=0.06)
                assert estimate.low - 0.02 < truth < estimate.high + 0.02
            assert duel.majorities.wins > duel.majorities.losses
        assert [s.system for s in result.standings] == ["ours", "gligen", "base"]
        logs = [s.strength.value for s in result.standings]
        assert logs == pytest.approx([np.log(2), 0, -np.log(2)], abs=0.15)
        assert all(s.strength.low < s.strength.value < s.strength.high for s in result.standings)
        assert result.left.low < 0.5 < result.left.high
        assert abs(result.agreement.alpha_nominal or 1) < 0.3


def test_a_habit_of_the_left_side_favours_no_system(study: Study) -> None:
    files = read_all(study, attentive(lambda trial, question: "left"))
    (result, _) = analyse(collect(study, files).judgements, SYSTEMS, draws=100)
    assert result.left.value == 1
    assert all(duel.share.value == 0.5 for duel in result.duels)
    assert all(s.elo.value == pytest.approx(0, abs=1e-6) for s in result.standings)


def test_who_always_wins_wins_all_and_all_agree(study: Study) -> None:
    order = {name: i for i, name in enumerate(SYSTEMS)}

    def best(trial: Trial, question: str) -> str:
        left, right = order[trial.left.system or ""], order[trial.right.system or ""]
        return "left" if left < right else "right"

    (result, _) = analyse(collect(study, read_all(study, attentive(best))).judgements, SYSTEMS, 100)
    assert [(d.wins, d.losses, d.ties) for d in result.duels] == [(600, 0, 0)] * 3
    assert all(d.majorities.p == pytest.approx(2 / 2**30) for d in result.duels)
    agreed = result.agreement
    assert (agreed.percent, agreed.units) == (1, 90)
    assert result.smoothed
    assert result.standings[0].system == "ours"


def test_ties_are_half_wins() -> None:
    fields = {
        "study": "s",
        "question": "q",
        "rater_id": "r",
        "time": TIME,
        "image": 0,
        "seconds": 1,
    }
    rows = [("p0", "a", "b", "left"), ("p1", "b", "a", "tie"), ("p2", "b", "a", "left")]
    some = [
        Judgement(prompt_id=p, left_system=x, right_system=y, choice=c, **fields)  # type: ignore[arg-type]
        for p, x, y, c in rows
    ]
    assert wins(some, ["a", "b"]).tolist() == [[0, 1.5], [1.5, 0]]
    (result,) = analyse(some)
    (duel,) = result.duels
    assert (duel.wins, duel.losses, duel.ties, duel.share.value) == (1, 1, 1, 0.5)
    assert (duel.majorities.wins, duel.majorities.losses, duel.majorities.ties) == (1, 1, 1)
    assert result.agreement.percent is None
    assert result.agreement.alpha_ordinal is None
    assert json.loads(json.dumps(result.to_json(), allow_nan=False))["duels"][0]["one"] == "a"


def test_opinions_of_prompts_make_intervals_over_prompts_wider(study: Study) -> None:
    """All raters agree on each prompt, so there are only as many opinions as prompts."""

    def by_prompt(trial: Trial, question: str) -> str:
        liked = SYSTEMS[trial.prompt % 2]
        return "left" if trial.left.system == liked else "right"

    (result, _) = analyse(
        collect(study, read_all(study, attentive(by_prompt))).judgements, SYSTEMS, draws=400
    )
    duel = result.duels[0]
    width = duel.over_prompts.high - duel.over_prompts.low
    assert width > 3 * (duel.share.high - duel.share.low)
    assert duel.over_raters.high - duel.over_raters.low < 0.1 * width


def test_wilson_golden() -> None:
    share = wilson(60, 94)
    assert (share.low, share.high) == pytest.approx((0.5375, 0.7282), abs=5e-5)


def test_who_fails_checks_or_stops_early_is_listed_and_left_out(study: Study) -> None:
    good = attentive(lambda trial, question: "tie")
    files = [
        written(study, 1, good),
        written(study, 2, lambda trial, question: "left"),
        written(study, 3, good, upto=20),
        written(study, 4, good, upto=150),
        written(study, 5, good, upto=0),
    ]
    collection = collect(study, [parse_answers(file, study) for file in files])
    reasons = [rater.excluded for rater in collection.raters]
    assert reasons[0] == reasons[3] == ""
    assert reasons[1].startswith("passed ")
    assert reasons[1].endswith(" of 9 checks")
    assert reasons[2:5:2] == ["answered 20 of 192 questions", "answered 0 of 192 questions"]
    assert {j.rater_id for j in collection.judgements} == {"r-0001", "r-0004"}
    assert any("r-0004 answered 150 of 192" in remark for remark in collection.remarks)
    assert any("no answers count of 18 of 20 numbers: 2, 3, 5" in r for r in collection.remarks)
    lenient = collect(study, [parse_answers(f, study) for f in files], Rule(checks=0, answered=0))
    assert len({j.rater_id for j in lenient.judgements}) == 4


def test_checks_are_no_judgements(study: Study) -> None:
    collection = collect(study, read_all(study, attentive(lambda trial, question: "tie"), 1))
    assert len(collection.judgements) == 2 * 90
    (rater,) = collection.raters
    assert (rater.asked, rater.checks_seen, rater.checks_passed, rater.seconds) == (192, 9, 9, 2.5)


def test_of_several_files_of_a_rater_the_fullest_counts(study: Study) -> None:
    good = attentive(lambda trial, question: "tie")
    files = [written(study, 1, good, upto) for upto in (120, 192, 40)]
    collection = collect(study, [parse_answers(file, study) for file in files])
    assert len(collection.raters) == 1
    assert collection.raters[0].answered == 192
    assert "saved 3 files" in collection.remarks[0]
    other = {**written(study, 1, good), "rater": "r-ffff"}
    two = collect(study, [parse_answers(file, study) for file in (files[1], other)])
    assert any("number 1 was used by 2 raters" in remark for remark in two.remarks)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"situ_answers": 2}, "situ_answers must be 1"),
        ({"study": "another"}, "answers to study 'another', and this is"),
        ({"session": 21}, r"session must be in 1\.\.20"),
        ({"rater": "a,b"}, "letters, digits and hyphens"),
        ({"saved": "yesterday"}, "saved 'yesterday' must be as in"),
        ({"answers": {}}, "answers must be a list"),
        ({"answers": [3]}, r"answers\[0\]: an answer must be"),
    ],
)
def test_files_that_the_page_never_wrote_are_refused(
    study: Study, change: dict[str, Any], message: str
) -> None:
    file = {**written(study, 1, lambda trial, question: "tie"), **change}
    with pytest.raises(SituError, match=message):
        parse_answers(file, study)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trial": "00000000"}, r"answers\[3\]: trial '00000000' is not one of this session"),
        ({"trial": ["x"]}, "trial must be text"),
        ({"question": "beauty"}, "question 'beauty'"),
        ({"choice": "both"}, "choice 'both': allowed: left, right, tie"),
        ({"seconds": -1}, "seconds must be in"),
        ({"time": "noon"}, "time 'noon' must be as in"),
    ],
)
def test_wrong_answers_are_named(study: Study, change: dict[str, Any], message: str) -> None:
    file = written(study, 1, lambda trial, question: "tie")
    file["answers"][3] |= change
    with pytest.raises(SituError, match=message):
        parse_answers(file, study)


def test_a_trial_answered_twice_and_one_of_another_session_are_refused(study: Study) -> None:
    file = written(study, 1, lambda trial, question: "tie")
    with pytest.raises(SituError, match="is answered 2 times"):
        parse_answers({**file, "answers": [*file["answers"], file["answers"][0]]}, study)
    with pytest.raises(SituError, match="not one of this session"):
        parse_answers({**file, "session": 2}, study)


def test_errors_name_the_file(study: Study, tmp_path: Path) -> None:
    path = tmp_path / "answers-x.json"
    path.write_text('{"situ_answers": 1}')
    with pytest.raises(SituError, match=r"answers-x\.json: the key 'study' is missing"):
        read_answers(path, study)


def test_the_table_has_the_columns_of_the_study(study: Study, tmp_path: Path) -> None:
    files = read_all(study, liking(dict.fromkeys(SYSTEMS, 1.0), 0.3, random.Random(1)), 2)
    judgements = collect(study, files).judgements
    write_csv(tmp_path / "j.csv", judgements)
    with (tmp_path / "j.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:8] == [
        "study",
        "question",
        "prompt_id",
        "rater_id",
        "left_system",
        "right_system",
        "choice",
        "time",
    ]
    assert [row["choice"] for row in rows] == [judgement.choice for judgement in judgements]
    assert {row["prompt_id"] for row in rows} == {f"p{i:03d}" for i in range(30)}


def test_the_chart_is_whole_and_escapes_names() -> None:
    from xml.etree import ElementTree

    study = assign(Design(("a<b", "c&d"), ("x", "y", "z"), raters=3), "m")
    strength = {"a<b": 3.0, "c&d": 1.0}
    files = [
        parse_answers(written(study, n, liking(strength, 0.2, random.Random(n))), study)
        for n in (1, 2, 3)
    ]
    results = analyse(collect(study, files).judgements, study.systems, draws=50)
    root = ElementTree.fromstring(chart(results))
    texts = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert texts.count("a<b") == texts.count("c&d") == 2
    widths = [float(e.attrib["width"]) for e in root.iter() if e.tag.endswith("rect")][1:]
    assert sum(widths) == pytest.approx(2 * 472, abs=0.5)  # each bar is whole


def test_no_judgements_are_an_error() -> None:
    with pytest.raises(SituError, match="no judgements"):
        analyse([])
