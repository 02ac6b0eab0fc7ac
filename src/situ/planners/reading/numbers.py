"""Numbers that a comparison gives: "more cats than dogs"."""

from situ.planners import chunks, comparisons, nouns, words
from situ.planners.chunking.items import Item
from situ.planners.reading.state import Reading
from situ.planners.reading.things import add_thing, attributes_of


def compare(state: Reading, comparison: comparisons.Comparison) -> None:
    """Give both sides of "more cats than dogs" their numbers."""
    first = _named_thing(state, comparison.first)
    second = (
        _named_thing(state, comparison.second)
        if comparison.second
        else _counted_thing(state, first)
    )
    if first is None or second is None or first == second:
        return
    one, other = state.entities[first], state.entities[second]
    if one.exact and not other.exact:
        other.count = comparison.second_from(one.count)
    else:
        if not other.exact and other.count < 2 and comparison.order == "fewer":
            other.count = 3
        one.count = comparison.first_from(other.count)
    one.exact = other.exact = True


def on_of_each(state: Reading, item: Item) -> None:
    state.of_each = int(item.word)


def share_out(state: Reading) -> None:
    """ "apples and pears, three of each"."""
    for entity in state.entities:
        if state.of_each and entity.plural:
            entity.count = state.of_each


def _counted_thing(state: Reading, but: int | None) -> int | None:
    """The latest thing with a number."""
    return next(
        (i for i in range(len(state.entities) - 1, -1, -1) if i != but and state.entities[i].exact),
        None,
    )


def _named_thing(state: Reading, side: tuple[str, ...]) -> int | None:
    items = [
        item
        for item in chunks.chunk(side)[0]
        if item.kind == "np" and item.phrase and item.phrase.noun
    ]
    if not items:
        return None
    phrase = items[0].phrase
    assert phrase is not None
    kind = nouns.head(phrase.noun)
    attributes = attributes_of(phrase)
    for one, entity in enumerate(state.entities):
        coloured = words.COLOURS & set(attributes) and words.COLOURS & set(entity.attributes)
        other = coloured and not set(attributes) & set(entity.attributes)
        if not other and (entity.noun == phrase.noun or nouns.head(entity.noun) == kind):
            return one
    return add_thing(state, phrase, phrase.noun, attributes)
