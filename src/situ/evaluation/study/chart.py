"""A picture of the result: one bar to two systems, wins, ties and losses, and the interval of the share.

SVG written by hand: no library, no script, text stays text.
"""

from collections.abc import Iterator, Sequence
from html import escape

from situ.evaluation.study.analysis import Duel, Result

WIDTH = 860
NAME = 170  # the column of names on either side
ROW = 46
BAR = 22
HEAD = 74  # above the bars of a question: its name and its numbers
FOOT = 44  # below them: the scale
EDGE = 24

# Okabe and Ito's blue and vermilion, lightened: told apart by colour-blind readers and in print.
ONE, TIE, OTHER = "#8ab6d6", "#e3e3e0", "#eab08a"
LEGEND = (
    "Bars: wins, ties and losses of the system on the left, per cent. "
    "Dots: its share with ties as half wins, 95 % interval over prompts."
)
INK, SOFT, PAPER = "#1c1d1f", "#5b5e63", "#ffffff"
FONT = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def chart(results: Sequence[Result]) -> str:
    """The results as an SVG document, a panel to each question."""
    tops, y = [], EDGE
    for result in results:
        tops.append(y)
        y += HEAD + ROW * len(result.duels) + FOOT
    body = [line for top, result in zip(tops, results, strict=True) for line in _panel(result, top)]
    height = y + EDGE + 16
    body.append(_text(EDGE, height - EDGE, LEGEND, SOFT, size=12))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" font-family="{FONT}" font-size="14" role="img">',
            f"<title>{escape(_summary(results))}</title>",
            f'<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>',
            *body,
            "</svg>\n",
        ]
    )


def _panel(result: Result, top: int) -> Iterator[str]:
    bottom = top + HEAD + ROW * len(result.duels)
    yield _text(EDGE, top + 20, result.question.capitalize(), size=18, weight=600)
    yield _text(EDGE, top + 42, _numbers(result), SOFT, size=13)
    for percent in (0, 25, 50, 75, 100):
        x = _x(percent / 100)
        strong = percent == 50
        yield _line(x, top + HEAD - 12, x, bottom, SOFT if strong else TIE, dashed=strong)
        yield _text(x, bottom + 18, f"{percent} %", SOFT, "middle", size=12)
    for index, duel in enumerate(result.duels):
        yield from _row(duel, top + HEAD + ROW * index)


def _row(duel: Duel, top: int) -> Iterator[str]:
    """Names at both ends; wins from the left, losses from the right, ties between them."""
    total = duel.wins + duel.losses + duel.ties
    start = 0.0
    parts = ((duel.wins, ONE, "start"), (duel.ties, TIE, "middle"), (duel.losses, OTHER, "end"))
    for count, colour, anchor in parts:
        end = start + count / total
        yield (
            f'<rect x="{_x(start):.1f}" y="{top}" width="{_x(end) - _x(start):.1f}" '
            f'height="{BAR}" fill="{colour}"/>'
        )
        if count / total >= 0.07:
            at = {"start": _x(start) + 6, "middle": (_x(start) + _x(end)) / 2, "end": _x(end) - 6}
            yield _text(at[anchor], top + 15, f"{100 * count / total:.0f}", INK, anchor, size=12)
        start = end
    yield _text(_x(0) - 12, top + 16, _short(duel.one), anchor="end")
    yield _text(_x(1) + 12, top + 16, _short(duel.other))
    yield from _interval(duel, top + BAR + 8)


def _interval(duel: Duel, y: int) -> Iterator[str]:
    """The share of wins, ties half, with its interval over prompts, below the bar."""
    share = duel.over_prompts
    low, value, high = _x(share.low), _x(share.value), _x(share.high)
    yield _line(low, y, high, y, INK, 1.5)
    yield _line(low, y - 4, low, y + 4, INK, 1.5)
    yield _line(high, y - 4, high, y + 4, INK, 1.5)
    yield f'<circle cx="{value:.1f}" cy="{y}" r="4.5" fill="{INK}"/>'


def _numbers(result: Result) -> str:
    alpha = result.agreement.alpha_nominal
    agreed = "" if alpha is None else f", Krippendorff's alpha {alpha:.2f}"
    return (
        f"{result.judgements} judgements, {result.prompts} prompts, {result.raters} raters{agreed}"
    )


def _summary(results: Sequence[Result]) -> str:
    return "; ".join(
        f"{result.question}: {duel.one} {100 * duel.over_prompts.value:.0f} % against {duel.other}"
        for result in results
        for duel in result.duels
    )


def _x(share: float) -> float:
    """Where a share stands on the paper."""
    left, right = EDGE + NAME, WIDTH - EDGE - NAME
    return left + share * (right - left)


def _short(name: str) -> str:
    return name if len(name) <= 20 else name[:19] + "…"


def _line(
    x0: float, y0: float, x1: float, y1: float, colour: str, width: float = 1, dashed: bool = False
) -> str:
    dashes = ' stroke-dasharray="3 3"' if dashed else ""
    return (
        f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="{colour}" '
        f'stroke-width="{width:g}"{dashes}/>'
    )


def _text(
    x: float,
    y: float,
    content: str,
    colour: str = INK,
    anchor: str = "start",
    size: int = 14,
    weight: int = 400,
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" '
        f'font-size="{size}" font-weight="{weight}">{escape(content)}</text>'
    )
