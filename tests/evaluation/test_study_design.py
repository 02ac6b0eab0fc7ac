"""Who sees what: balance, blindness and checks."""

import json
from collections import Counter
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from situ.evaluation.study.design import (
    QUESTIONS,
    Design,
    Picture,
    Study,
    Trial,
    assign,
    from_json,
    to_json,
)
from situ.evaluation.study.page import page
from situ.scene import SituError

NAMES = ("goal", "gligen", "boxdiff", "sd", "layout")
PROMPTS = tuple(f"{n} red birds and a {thing}" for n, thing in product(range(1, 8), ("dog", "cup")))


def real(study: Study) -> list[list[Trial]]:
    return [[t for t in session.trials if not t.check] for session in study.sessions]


@st.composite
def designs(draw: st.DrawFn) -> Design:
    systems = NAMES[: draw(st.integers(2, 5))]
    base = Design(
        systems,
        PROMPTS[: draw(st.integers(1, 14))],
        raters=draw(st.integers(1, 12)),
        images=draw(st.integers(1, 2)),
        against=draw(st.sampled_from([None, *systems])),
        checks=draw(st.integers(0, 5)),
        seed=draw(st.integers(0, 99)),
    )
    count = len(base.pairs)
    divisors = [n for n in range(1, count + 1) if count % n == 0]
    return replace(base, each=draw(st.sampled_from(divisors)))


def spread(counts: Counter, keys: list) -> int:
    numbers = [counts[key] for key in keys]
    return max(numbers) - min(numbers)


@settings(max_examples=30)
@given(designs())
def test_every_pair_comes_equally_often_to_each_rater_and_each_picture_set(design: Design) -> None:
    pairs = [frozenset(pair) for pair in design.pairs]
    by_item: dict[tuple[int, int], Counter] = {}
    for trials in real(assign(design)):
        seen = Counter(frozenset((t.left.system, t.right.system)) for t in trials)
        assert spread(seen, pairs) <= design.each
        assert set(seen) <= set(pairs)
        assert len(trials) == len(design.prompts) * design.images * design.each
        for trial in trials:
            item = by_item.setdefault((trial.prompt, trial.left.image), Counter())
            item[frozenset((trial.left.system, trial.right.system))] += 1
    for seen in by_item.values():
        assert spread(seen, pairs) <= 1


@settings(max_examples=30)
@given(designs())
def test_sides_are_even_for_each_rater_and_each_picture_set(design: Design) -> None:
    by_rater: Counter = Counter()
    by_item: Counter = Counter()
    for rater, trials in enumerate(real(assign(design))):
        for t in trials:
            pair = (t.left.system or "", t.right.system or "")
            sign = 1 if pair == tuple(sorted(pair)) else -1
            by_rater[rater, frozenset(pair)] += sign
            by_item[t.prompt, t.left.image, frozenset(pair)] += sign
    assert all(abs(lead) <= 1 for lead in (*by_rater.values(), *by_item.values()))


@settings(max_examples=30)
@given(designs())
def test_both_pictures_are_of_the_prompt_and_image_that_is_asked_about(design: Design) -> None:
    for trials in real(assign(design)):
        for t in trials:
            assert t.left.prompt == t.right.prompt == t.prompt
            assert t.left.image == t.right.image
            assert t.left.system != t.right.system


@settings(max_examples=30)
@given(designs())
def test_a_study_survives_its_key_file(design: Design) -> None:
    study = assign(design, "material")
    assert from_json(json.loads(json.dumps(to_json(study)))) == study


def test_the_study_of_the_paper() -> None:
    """94 prompts, 20 raters, two systems: every rater sees every prompt once."""
    study = assign(Design(("goal", "gligen"), tuple(f"prompt {i}" for i in range(94))))
    for trials in real(study):
        assert sorted(t.prompt for t in trials) == list(range(94))
        assert sum(t.left.system == "goal" for t in trials) == 47
    assert {len(s.trials) for s in study.sessions} == {100}
    first = Counter(session.questions[0].name for session in study.sessions)
    assert first == {"alignment": 10, "aesthetics": 10}
    assert len({tuple(t.prompt for t in trials) for trials in real(study)}) == 20


def test_a_study_that_ends_early_is_still_balanced() -> None:
    """After 6 of 20 raters, every pair of a prompt has been seen twice."""
    design = Design(NAMES[:3], PROMPTS, raters=20)
    seen: Counter = Counter()
    for trials in real(assign(design))[:6]:
        seen.update((t.prompt, frozenset((t.left.system, t.right.system))) for t in trials)
    assert set(seen.values()) == {2}
    assert len(seen) == 3 * len(PROMPTS)


def test_seeds_decide_everything_and_material_the_name() -> None:
    design = Design(NAMES[:3], PROMPTS, raters=3)
    assert assign(design, "a") == assign(design, "a")
    assert assign(design, "a").id != assign(design, "b").id
    assert assign(design).sessions != assign(replace(design, seed=1)).sessions


def test_checks_have_a_right_answer_on_either_side_and_are_spread_out() -> None:
    study = assign(Design(NAMES[:2], PROMPTS, raters=40, checks=4))
    sides: Counter = Counter()
    for session in study.sessions:
        places = [i for i, t in enumerate(session.trials) if t.check]
        assert len(places) == 4
        assert places[0] > 0
        assert all(7 * n // 2 <= p - n <= 7 * (n + 1) // 2 for n, p in enumerate(places))
        for trial in session.trials:
            if not trial.check:
                continue
            sides[trial.check.answer] += 1
            true, false = trial.left, trial.right
            if trial.check.answer == "right":
                true, false = false, true
            assert true.prompt == trial.prompt
            assert true.system
            if false.system is None:
                assert trial.check.questions == tuple(q.name for q in QUESTIONS)
            else:
                assert false.system == true.system
                assert trial.check.questions == ("alignment",)
                words = [set(PROMPTS[p].split()) for p in (true.prompt, false.prompt)]
                assert words[0] & words[1] == {"red", "birds", "and", "a"}
    assert min(sides.values()) > 50  # of 160: neither side is favoured


def test_one_prompt_can_only_be_checked_with_noise() -> None:
    study = assign(Design(NAMES[:2], ("a dog",), raters=2, checks=3))
    checks = [t for session in study.sessions for t in session.trials if t.check]
    assert len(checks) == 6
    assert all(None in (t.left.system, t.right.system) for t in checks)


def test_the_page_tells_neither_systems_nor_checks() -> None:
    study = assign(Design(("GOAL-x", "GLIGEN-y"), PROMPTS, raters=3), "m")
    content = page(
        study, {t: f"pictures/{t}.webp" for t in study.tokens.values()}, note="</script>"
    )
    for secret in ("GOAL-x", "GLIGEN-y", "check", "noise"):
        assert secret not in content
    assert content.count("</script>") == 2  # the page's own; the note's is escaped
    for outside in ("http:", "https:", "//cdn", "@import", "url("):
        assert outside not in content
    names = dict(study.tokens.items())
    assert len(set(names.values())) == len(names)
    assert Picture(None, 0, 0) in names
    with pytest.raises(SituError, match="have no address"):
        page(study, {})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"systems": ("a",)}, "two or more different"),
        ({"systems": ("a", "a")}, "two or more different"),
        ({"prompts": ()}, "prompts: a study needs"),
        ({"prompts": (" ",)}, r"prompts\[0\] is empty"),
        ({"raters": 0}, "raters must be in 1"),
        ({"each": 2}, "each: 2 of 3 pairs of systems; allowed: 1, 3"),
        ({"against": "goel"}, "did you mean 'goal'"),
        ({"checks": -1}, "checks must be in 0"),
    ],
)
def test_designs_that_cannot_be_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(SituError, match=message):
        replace(Design(NAMES[:3], PROMPTS), **changes)


@pytest.mark.parametrize("broken", [{}, {"situ_study": 2}, {"situ_study": 1}, [], None])
def test_other_files_are_no_key(broken: object) -> None:
    with pytest.raises(SituError):
        from_json(broken)
