"""A reproduced table as Markdown and as one HTML page with pictures beside the numbers."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from situ.files.atomic import write_bytes

SHOWN = 6  # pictures of each row on the page
SURE = 0.05  # the p-value below which a gain is marked

Result = Mapping[str, Any]


def write_report(result: Result, folder: Path) -> None:
    """OUT/table.md and OUT/table.html."""
    write_bytes(folder / "table.md", markdown(result).encode())
    write_bytes(folder / "table.html", page(result, folder).encode())


def markdown(result: Result) -> str:
    """Each row twice where both exist: as printed and as measured here, with 95 % intervals."""
    titles = [_title(column) for column in result["columns"]]
    lines = [
        f"# {result['paper']}, {result['caption']}",
        "",
        _how(result),
        "",
        _line(["", "", *titles]),
        _line(["---"] * (len(titles) + 2)),
    ]
    for row in result["rows"]:
        lines += [_line([row["title"], source, *cells]) for source, cells in _row(row, result)]
    notes = [f"- {text}" for text in _warnings(result)]
    return "\n".join([*lines, "", _legend(result), *(["", *notes] if notes else []), ""])


def page(result: Result, folder: Path) -> str:
    """One page that needs nothing but the pictures beside it."""
    heads = "".join(f"<th>{html.escape(_title(column))}</th>" for column in result["columns"])
    body = []
    for row in result["rows"]:
        for source, cells in _row(row, result):
            fields = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
            body.append(
                f'<tr class="{source}"><th>{html.escape(row["title"])}</th><td>{source}</td>{fields}</tr>'
            )
    strips = "".join(_strip(title, below, folder) for title, below in _galleries(result))
    notes = "".join(f"<li>{html.escape(text)}</li>" for text in _warnings(result))
    return PAGE.format(
        title=html.escape(f"{result['paper']}, {result['caption']}"),
        how=html.escape(_how(result)),
        heads=heads,
        body="\n".join(body),
        legend=html.escape(_legend(result)),
        notes=f"<ul>{notes}</ul>" if notes else "",
        strips=strips,
    )


def _row(row: Result, result: Result) -> list[tuple[str, list[str]]]:
    rows = []
    if row["printed"] is not None:
        printed = iter(row["printed"])
        cells = [_printed(next(printed)) if c["printed"] else "" for c in result["columns"]]
        rows.append(("printed", cells))
    if row["ours"] is not None:
        rows.append(
            ("here", [_cell(c, o) for c, o in zip(result["columns"], row["ours"], strict=True)])
        )
    elif row["method"] is not None:
        reason = result["lacking"].get(row["title"], "")
        rows.append(("here", [reason] + [""] * (len(result["columns"]) - 1)))
    return rows


def _cell(column: Result, cell: Result) -> str:
    scale = column["scale"]
    text = _number(cell["value"], scale)
    if cell["low"] is not None:
        text += f" [{_number(cell['low'], scale)}, {_number(cell['high'], scale)}]"
    gain = cell.get("gain")
    if gain and gain["p"] < SURE:
        better = (gain["value"] > 0) == (column["better"] == "higher")
        text += " ▲" if better else " ▼"
    return text


def _number(value: float, scale: float) -> str:
    digits = 2 if scale > 1 or abs(value) >= 10 else 4
    return f"{round(value * scale, digits) + 0.0:.{digits}f}"  # + 0.0: no minus before a zero


def _printed(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _title(column: Result) -> str:
    return f"{column['title']} {'↑' if column['better'] == 'higher' else '↓'}"


def _how(result: Result) -> str:
    size = result["size"]
    return (
        f"{size['scenes']} scenes of each suite, {size['seeds']} seed(s) each, {size['steps']} steps of "
        f"{size['solver']}; situ {result['versions']['situ']}. The printed numbers were measured on "
        "photographs with other networks: compare rows, not numbers."
    )


def _legend(result: Result) -> str:
    return (
        "In brackets: 95 % interval over scenes. ▲ and ▼: better and worse than "
        f"{result['baseline']} on the same scenes (paired bootstrap, p < {SURE})."
    )


def _warnings(result: Result) -> list[str]:
    texts = [
        f"{column['title']}: {text}"
        for row in result["rows"]
        if row["ours"]
        for column, cell in zip(result["columns"], row["ours"], strict=True)
        for text in cell["warnings"]
    ]
    return list(dict.fromkeys(texts))


def _galleries(result: Result) -> Sequence[tuple[str, str]]:
    suite = result["columns"][0]["suite"]
    return [
        ("true pictures", f"true/{suite}"),
        *((title, f"{below}/seed-0/{suite}/000") for title, below in result["folders"].items()),
    ]


def _strip(title: str, below: str, folder: Path) -> str:
    pictures = sorted((folder / below).glob("*.png"))[:SHOWN]
    images = "".join(
        f'<img src="{html.escape(str(p.relative_to(folder)))}" alt="{html.escape(title)}, scene {i}">'
        for i, p in enumerate(pictures)
    )
    return f"<figure><figcaption>{html.escape(title)}</figcaption>{images}</figure>"


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
figcaption {{ width: 10rem; }}
img {{ width: 8.5rem; border-radius: .4rem; }}
</style></head><body>
<h1>{title}</h1><p>{how}</p>
<table><thead><tr><th></th><th></th>{heads}</tr></thead><tbody>
{body}
</tbody></table>
<p>{legend}</p>{notes}
{strips}
</body></html>
"""
