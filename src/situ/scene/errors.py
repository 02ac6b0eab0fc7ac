"""Mistakes a user can correct, each told in one line."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches

SHOWN_CHARACTERS = 80
SHOWN_NAMES = 100


class SituError(ValueError):
    """A mistake of the caller. The command line prints its single line and exits with status 2."""


class SceneError(SituError):
    """A scene, layout or box that cannot be drawn as given."""


@contextmanager
def at(place: object) -> Iterator[None]:
    """Put `place: ` in front of any SituError raised inside."""
    try:
        yield
    except SituError as error:
        raise type(error)(f"{place}: {error}") from None


def shown(value: object) -> str:
    """A value as it appears in an error: on one line and never long."""
    try:
        text = repr(value)
    except ValueError:  # Python refuses to print integers of more than 4300 digits
        return f"<{type(value).__name__} too long to print>"
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 3] + "..."


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """What to say after an unknown name: the nearest allowed one, then all of them."""
    names = list(allowed)
    nearest = get_close_matches(word, names, n=1)
    guess = f"did you mean {nearest[0]!r}? " if nearest else ""
    return f"{guess}allowed: {', '.join(names[:SHOWN_NAMES])}{', ...' * (len(names) > SHOWN_NAMES)}"
