"""Items to a symbolic scene: who stands where, told clause by clause."""

from collections.abc import Callable
from dataclasses import replace

from situ.planners import capitals, chunks, comparisons, plain, style
from situ.planners.chunking.items import Item
from situ.planners.chunking.order import in_order
from situ.planners.reading import (
    joints,
    noun_phrases,
    numbers,
    pronouns,
    result,
    standing,
    verbs,
)  # fmt: skip
from situ.planners.reading.having import close_with, flush_with
from situ.planners.reading.state import Reading
from situ.planners.symbols import Symbols

_ON: dict[str, Callable[[Reading, Item], None]] = {
    "np": noun_phrases.on_np, "pron": pronouns.on_pron, "rel": standing.on_rel, "verb": verbs.on_verb,
    "stop": joints.on_stop, "comma": joints.on_comma, "and": joints.on_and, "but": joints.on_but,
    "that": joints.on_that, "there": joints.on_there, "neg": joints.on_neg, "full": joints.on_full,
    "holds": joints.on_holds, "cop": joints.on_cop, "have": joints.on_have, "with": joints.on_with,
    "place": joints.on_place, "order": joints.on_order,
    "ofeach": numbers.on_of_each, "adj": joints.on_adj,
}  # fmt: skip


def read(text: str) -> Symbols:
    """The symbolic scene of a sentence or a few; any text gives one."""
    said, whole = chunks.split(text)
    kept, styled = style.take(plain.without_fillers(plain.without_none(said)))
    kept, compared = comparisons.take(kept)
    items, unknown = chunks.chunk(kept)
    items = in_order(items)
    state = Reading(items)
    for state.index, item in enumerate(items):
        close_with(state, item)
        _ON[item.kind](state, item)
    flush_with(state, None)
    joints.line_up(state)
    for comparison in compared:
        numbers.compare(state, comparison)
    numbers.share_out(state)
    symbols = replace(
        result.symbols_of(state), style=tuple(styled), unknown=tuple(dict.fromkeys(unknown))
    )
    if names := capitals.names_in(text[: chunks.MAX_CHARACTERS]):
        symbols = replace(symbols, things=capitals.with_capitals(symbols.things, names))
    if whole:
        return symbols
    cut = f"only the first {chunks.MAX_WORDS} words were read"
    return replace(symbols, warnings=(*symbols.warnings, cut))
