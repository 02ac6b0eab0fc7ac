"""The scores of the storybook against cases worked out by hand."""

import pytest

from situ.scene import Box, Layout, Object, SituError
from situ.storybook.grammar import phrase
from situ.storybook.verdict import (
    Finding,
    Mark,
    Verdict,
    Wish,
    ap50,
    average_precision,
    bootstrap,
    give_verdict,
    parse,
    score,
    wishes,
)
from situ.storybook.world import sample_page

LEFT, RIGHT = Box(0.0, 0.0, 0.4, 0.4), Box(0.5, 0.5, 0.9, 0.9)
FAR = Box(0.0, 0.6, 0.3, 0.9)


def finding(kind: str, box: Box, sure: float = 0.9, look: str = "blue plain") -> Finding:
    colour, texture = look.split()
    return Finding(kind, colour, texture, box, sure)


def shifted(box: Box, share: float) -> Box:
    """Moved right by a share of its width: IoU = (1 - share) / (1 + share)."""
    return Box(box.x0 + share * box.width, box.y0, box.x1 + share * box.width, box.y1)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("striped blue house", ("house", "blue", "striped")),
        ("red fish", ("fish", "red", "plain")),
        ("A Dotted cat", ("cat", None, "dotted")),
        ("star", ("star", None, "plain")),
    ],
)
def test_phrases_are_read(text: str, meaning: tuple[str, str | None, str]) -> None:
    assert parse(text) == meaning


def test_every_phrase_of_the_grammar_is_read_back() -> None:
    things = [thing for seed in range(50) for thing in sample_page(seed).things]
    assert all(parse(phrase(t)) == (t.kind, t.colour, t.texture) for t in things)


@pytest.mark.parametrize("text", ["blue", "house blue", "blue castle", "two red fish", "the"])
def test_other_phrases_are_refused(text: str) -> None:
    with pytest.raises(SituError, match="not of the storybook"):
        parse(text)


def test_a_slip_of_the_pen_is_guessed() -> None:
    with pytest.raises(SituError, match="'huose' may mean 'house'"):
        parse("blue huose")


def test_wishes_keep_the_boxes_of_the_layout() -> None:
    layout = Layout((Object("checkered red ball", LEFT), Object("kite", RIGHT)))
    assert wishes(layout) == (
        Wish("ball", "red", "checkered", LEFT),
        Wish("kite", None, "plain", RIGHT),
    )


@pytest.mark.parametrize(
    ("look", "counts"),
    [
        ("blue striped", (1, 1, 1)),
        ("blue plain", (1, 1, 0)),
        ("red striped", (1, 0, 0)),  # the right texture in the wrong colour is no right look
    ],
)
def test_looks_are_asked_for_one_after_another(look: str, counts: tuple[int, int, int]) -> None:
    verdict = give_verdict(
        [Wish("house", "blue", "striped", LEFT)], [finding("house", LEFT, look=look)]
    )
    assert (verdict.right_kind, verdict.right_colour, verdict.right_look) == counts
    assert verdict.extra == 0


@pytest.mark.parametrize(("share", "right"), [(0.33, 1), (0.34, 0)])  # IoU 0.504 and 0.493
def test_half_of_the_union_must_be_shared(share: float, right: int) -> None:
    verdict = give_verdict(
        [Wish("cat", None, "plain", LEFT)], [finding("cat", shifted(LEFT, share))]
    )
    assert (verdict.right_kind, verdict.extra) == (right, 1 - right)


def test_one_finding_answers_one_wish() -> None:
    twice = [Wish("cat", None, "plain", LEFT), Wish("cat", None, "plain", shifted(LEFT, 0.1))]
    assert give_verdict(twice, [finding("cat", LEFT)]).right_kind == 1
    both = [finding("cat", LEFT, 0.5), finding("cat", shifted(LEFT, 0.1), 0.9)]
    assert give_verdict(twice, both).right_kind == 2


def test_the_best_overlap_answers_even_if_another_is_surer() -> None:
    asked = [Wish("cat", "red", "plain", LEFT)]
    found = [
        finding("cat", shifted(LEFT, 0.3), 0.99, "blue plain"),
        finding("cat", LEFT, 0.6, "red plain"),
    ]
    verdict = give_verdict(asked, found)
    assert (verdict.right_kind, verdict.right_colour, verdict.extra) == (1, 1, 1)


def test_a_wrong_thing_in_its_place_is_not_extra() -> None:
    asked = [Wish("cat", None, "plain", LEFT), Wish("fish", None, "plain", RIGHT)]
    found = [finding("bird", LEFT), finding("fish", RIGHT), finding("fish", FAR)]
    verdict = give_verdict(asked, found)
    assert (verdict.right_kind, verdict.extra) == (1, 1)


def test_unsure_findings_count_for_precision_only() -> None:
    verdict = give_verdict(
        [Wish("cat", None, "plain", LEFT)], [finding("cat", LEFT, 0.2), finding("cat", FAR, 0.1)]
    )
    assert (verdict.right_kind, verdict.extra) == (0, 0)
    assert verdict.marks == (Mark("cat", 0.2, True), Mark("cat", 0.1, False))


def test_marks_give_the_place_to_the_surest_finding() -> None:
    verdict = give_verdict(
        [Wish("cat", None, "plain", LEFT)],
        [finding("cat", LEFT, 0.6), finding("cat", shifted(LEFT, 0.2), 0.8)],
    )
    assert verdict.marks == (Mark("cat", 0.8, True), Mark("cat", 0.6, False))


def marks(hits: str) -> list[Mark]:
    """Marks of falling score, "+" for a hit."""
    return [Mark("cat", 1 - i / 100, sign == "+") for i, sign in enumerate(hits)]


@pytest.mark.parametrize(
    ("hits", "wanted", "area"),
    [
        ("++", 2, 1.0),
        ("", 3, 0.0),
        ("+", 2, 51 / 101),  # recall 0 ... 0.50
        ("-+", 1, 1 / 2),
        # precision 1 up to recall 1/2, then 2/3 up to recall 1
        ("+-+", 2, (51 + 50 * 2 / 3) / 101),
        # precisions 1/2, 2/3, 3/4: the best that is still to come counts
        ("-+++", 3, 3 / 4),
        # recall 1/4: 1, 2/4: 2/3, 3/4: 3/6, never 4/4
        ("+-+--+", 4, (26 * 1 + 25 * 2 / 3 + 25 * 1 / 2) / 101),
    ],
)
def test_average_precision_in_closed_form(hits: str, wanted: int, area: float) -> None:
    assert average_precision(marks(hits), wanted) == pytest.approx(area)


@pytest.mark.parametrize(("n", "k"), [(10, 10), (10, 4), (25, 19), (200, 77)])
def test_average_precision_of_a_perfect_but_blind_detector(n: int, k: int) -> None:
    """k of n things and nothing else: one for each of the 101 recalls up to k / n."""
    assert average_precision(marks("+" * k), n) == pytest.approx((100 * k // n + 1) / 101)


def test_ap50_is_the_mean_over_asked_kinds_and_ranks_across_scenes() -> None:
    scenes = [
        Verdict(("cat",), 1, 1, 1, 0, (Mark("cat", 0.4, True),)),
        Verdict(("cat", "fish"), 0, 0, 0, 1, (Mark("cat", 0.8, False), Mark("boat", 0.9, False))),
    ]
    cats = 51 * (1 / 2) / 101  # the false alarm is the surest: precision 1/2 at recall 1/2
    assert ap50(scenes) == pytest.approx((cats + 0) / 2)


def test_shares_are_of_objects_not_of_scenes() -> None:
    scenes = [
        Verdict(("cat",), 1, 1, 0, 0, ()),
        Verdict(("cat", "cat", "cat"), 1, 0, 0, 2, ()),
    ]
    result = score(scenes, draws=200)
    assert (result.kind.value, result.colour.value, result.look.value) == (0.5, 0.25, 0.0)
    assert (result.extra.value, result.scenes, result.objects) == (0.5, 2, 4)
    assert (result.kind.low, result.kind.high) == (pytest.approx(1 / 3), 1.0)


def test_the_interval_covers_what_the_binomial_says() -> None:
    """400 scenes of one object, 80 % right: 1.96 standard errors are 0.0392."""
    scenes = [Verdict(("cat",), int(i % 5 > 0), 0, 0, 0, ()) for i in range(400)]
    share = bootstrap(scenes, lambda some: sum(v.right_kind for v in some) / len(some), 2000)
    assert share.value == pytest.approx(0.8)
    assert (share.low, share.high) == (
        pytest.approx(0.761, abs=4e-3),
        pytest.approx(0.839, abs=4e-3),
    )


def test_intervals_are_reproducible_and_need_a_scene() -> None:
    scenes = [Verdict(("cat",), i % 2, 0, 0, 0, ()) for i in range(10)]
    assert score(scenes, 50) == score(scenes, 50)
    with pytest.raises(SituError, match="no verdicts"):
        score([])
