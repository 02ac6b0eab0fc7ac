"""A reproduced table as Markdown and as one HTML page with pictures beside the numbers."""

import html
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from situ.files.atomic import write_bytes

SHOWN = 6  # pictures of each row on the page
SURE = 0.05  # the p-value below which a gain is marked

Result = Mapping[str, Any]


def write_report(result: Result, folder: Path) -> None:
    """OUT/table.md and OUT/table.html."""
    write_bytes(folder / "table.md", markdown(result).encode())
    write_bytes(folder / "table.html", page(result, folder).encode())


def markdown(result: Result) -> str:
    """Each row twice where both exist: as printed and as measured here, with 95 % intervals; then gains."""
    titles = [_title(column) for column in result["columns"]]
    rows = [[title, source, *fields] for title, source, fields in _lines(result)]
    lines = [
        f"# {result['paper']}, {result['caption']}",
        "",
        _how(result),
        "",
        *_table(["", "", *titles], rows),
        "",
        _legend(result),
    ]
    gains = [[title, *fields] for title, fields in _gains(result)]
    if gains:
        lines += ["", f"## Gain over {result['baseline']}", "", *_table(["", *titles], gains)]
    for title, texts in _notes(result):
        lines += ["", f"## {title}", "", *(f"- {text}" for text in texts)]
    return "\n".join([*lines, ""])


def page(result: Result, folder: Path) -> str:
    """One page that needs nothing but the pictures beside it."""
    titles = [_title(column) for column in result["columns"]]
    body = [(source, [title, source, *fields]) for title, source, fields in _lines(result)]
    gains = [("here", [title, *fields]) for title, fields in _gains(result)]
    notes = "".join(
        f"<h2>{html.escape(title)}</h2><ul>"
        + "".join(f"<li>{html.escape(text)}</li>" for text in texts)
        + "</ul>"
        for title, texts in _notes(result)
    )
    base = html.escape(result["baseline"])
    return PAGE.format(
        title=html.escape(f"{result['paper']}, {result['caption']}"),
        how=html.escape(_how(result)),
        table=_grid(["", "", *titles], body),
        legend=html.escape(_legend(result)),
        gains=f"<h2>Gain over {base}</h2>{_grid(['', *titles], gains)}" if gains else "",
        notes=notes,
        strips="".join(_suite(result, name, folder) for name in _suites(result)),
    )


def _lines(result: Result) -> Iterator[tuple[str, str, list[str]]]:
    """Title, printed or here, and fields of every line of the table."""
    for row in result["rows"]:
        if row["printed"] is not None:
            printed = iter(row["printed"])
            fields = [_printed(next(printed)) if c["printed"] else "" for c in result["columns"]]
            yield row["title"], "printed", fields
        if row["ours"] is not None:
            yield row["title"], "here", _fields(row, result)


def _fields(row: Result, result: Result) -> list[str]:
    return [_cell(c, own) for c, own in zip(result["columns"], row["ours"], strict=True)]


def _gains(result: Result) -> Iterator[tuple[str, list[str]]]:
    """Every row that is compared with the baseline: gain, interval and p."""
    for row in result["rows"]:
        if row["ours"] and any("gain" in own for own in row["ours"]):
            pairs = zip(result["columns"], row["ours"], strict=True)
            yield row["title"], [_gain(column, own.get("gain")) for column, own in pairs]


def _gain(column: Result, gain: Result | None) -> str:
    if gain is None:
        return ""
    value, low, high = (_number(gain[k], column["scale"]) for k in ("value", "low", "high"))
    sign = "+" if gain["value"] > 0 else ""
    return f"{sign}{value} [{low}, {high}] p = {gain['p']:.3f}{_mark(column, gain)}"


def _mark(column: Result, gain: Result) -> str:
    if gain["p"] >= SURE:
        return ""
    return " ▲" if (gain["value"] > 0) == (column["better"] == "higher") else " ▼"


def _cell(column: Result, cell: Result) -> str:
    scale = column["scale"]
    text = _number(cell["value"], scale)
    if cell["low"] is not None:
        text += f" [{_number(cell['low'], scale)}, {_number(cell['high'], scale)}]"
    gain = cell.get("gain")
    return text + (_mark(column, gain) if gain else "")


def _number(value: float, scale: float) -> str:
    digits = 2 if scale > 1 or abs(value) >= 10 else 4
    return f"{round(value * scale, digits) + 0.0:.{digits}f}"  # + 0.0: no minus before a zero


def _printed(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _title(column: Result) -> str:
    return f"{column['title']} {'↑' if column['better'] == 'higher' else '↓'}"


def _how(result: Result) -> str:
    size, own = result["size"], result["world"] == "storybook"
    there = (
        "on photographs with other networks" if own else "with settings that it only partly tells"
    )
    return (
        f"World {result['world']}, at most {size['scenes']} scenes of each suite, {size['seeds']} seed(s) "
        f"each, {size['steps']} steps of {size['solver']}{_unusual(size)}; situ "
        f"{result['versions']['situ']}. The paper "
        f"measured {there}: compare rows, not numbers."
    )


def _unusual(size: Result) -> str:
    """What was asked to be other than the model's own."""
    told = []
    if size["guidance"] is not None:
        told.append(f", guidance {size['guidance']:g}")
    if size["gate"][0] != 1:
        told.append(f", gate {' '.join(f'{part:g}' for part in size['gate'])}")
    if size.get("things"):
        told.append(f", at least {size['things']} things a scene")
    return "".join(told)


def _legend(result: Result) -> str:
    return (
        "In brackets: 95 % interval over scenes. ▲ and ▼: better and worse than "
        f"{result['baseline']} on the same scenes (paired bootstrap, p < {SURE})."
    )


def _notes(result: Result) -> list[tuple[str, list[str]]]:
    """What a reader must know beside the numbers; parts that have nothing to say are left out."""
    drawn = [
        f"{row['title']}: {row['method']}, {row['model']['name']} ({row['model']['weights']})"
        for row in result["rows"]
        if row["model"]
    ]
    lacking = [f"{title}: {reason}" for title, reason in result["lacking"].items()]
    measured = [
        f"{c['title']} ({c['suite']}, {c['n']} scenes {c['manifest'][:8]}): {c['protocol']}"
        for c in result["columns"]
    ]
    suites = {c["suite"]: f"{c['suite']}: {c['scenes']}" for c in result["columns"]}
    networks = [f"{what}: {name}" for what, name in result["models"].items()]
    parts = {
        "Rows not filled here": lacking,
        "Rows drawn by": drawn,
        "Columns": measured,
        "Scenes": list(suites.values()),
        "Measured by": networks,
        "Warnings": _warnings(result),
    }
    return [(title, texts) for title, texts in parts.items() if texts]


def _warnings(result: Result) -> list[str]:
    texts = [
        f"{column['title']}: {text}"
        for row in result["rows"]
        if row["ours"]
        for column, cell in zip(result["columns"], row["ours"], strict=True)
        for text in cell["warnings"]
    ]
    return list(dict.fromkeys(texts))


def _suites(result: Result) -> list[str]:
    return list(dict.fromkeys(column["suite"] for column in result["columns"]))


def _suite(result: Result, suite: str, folder: Path) -> str:
    """The first pictures of every row on one suite, the same scene and seed below each other."""
    places = {result["rows"][0]["title"]: f"true/{suite}"}
    places |= {title: f"{below}/seed-0/{suite}/000" for title, below in result["folders"].items()}
    strips = "".join(
        _strip(row, places[row["title"]], result, suite, folder)
        for row in result["rows"]
        if row["title"] in places
    )
    return f"<h2>Pictures: {html.escape(suite)}</h2>{strips}"


def _strip(row: Result, below: str, result: Result, suite: str, folder: Path) -> str:
    pictures = sorted((folder / below).glob("*.png"))[:SHOWN]
    if not pictures:
        return ""
    title = html.escape(row["title"])
    numbers = "".join(
        f"<div>{html.escape(column['title'])} {html.escape(field)}</div>"
        for column, field in zip(result["columns"], _fields(row, result), strict=True)
        if column["suite"] == suite
    )
    images = "".join(
        f'<img loading="lazy" src="{html.escape(quote(str(p.relative_to(folder))))}" '
        f'alt="{title}, scene {i}">'
        for i, p in enumerate(pictures)
    )
    return f"<figure><figcaption><b>{title}</b>{numbers}</figcaption>{images}</figure>"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [_line(heads), _line(["---"] * len(heads)), *map(_line, rows)]


def _grid(heads: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    top = "".join(f"<th>{html.escape(head)}</th>" for head in heads)
    body = "\n".join(
        f'<tr class="{kind}"><th>{html.escape(fields[0])}</th>'
        + "".join(f"<td>{html.escape(field)}</td>" for field in fields[1:])
        + "</tr>"
        for kind, fields in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>\n{body}\n</tbody></table>"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }}
body {{ max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; display: block; overflow-x: auto; }}
th, td {{ padding: .3rem .7rem; text-align: left; border-bottom: 1px solid #8884; white-space: nowrap; }}
tr.printed {{ opacity: .65; }}
figure {{ margin: 1rem 0; display: flex; gap: .5rem; align-items: center; flex-wrap: wrap; }}
figcaption {{ width: 15rem; font-size: .85rem; font-variant-numeric: tabular-nums; }}
img {{ width: 8rem; border-radius: .4rem; }}
</style></head><body>
<h1>{title}</h1><p>{how}</p>
{table}
<p>{legend}</p>
{gains}
{strips}
{notes}
</body></html>
"""
