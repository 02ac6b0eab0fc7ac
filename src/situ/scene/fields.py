"""Checks of single fields, shared by every record of this package."""

from collections.abc import Collection, Mapping, Sequence
from math import isfinite
from numbers import Real
from typing import Any

from situ.scene.errors import SceneError, SituError, did_you_mean, shown


def number(value: object, name: str) -> float:
    """A finite float. True, "0.5" and nan are not numbers here."""
    if isinstance(value, bool) or not isinstance(value, Real):
        kind = type(value).__name__
        raise SceneError(f"{name} must be a number, got {shown(value)} ({kind})")
    try:
        result = float(value)
    except OverflowError:
        result = float("inf")
    if not isfinite(result):
        raise SceneError(f"{name} must be a finite number, got {shown(value)}")
    return result


def whole(value: object, name: str, lowest: int, highest: int) -> int:
    """An int of lowest..highest."""
    if isinstance(value, bool) or not isinstance(value, int):
        kind = type(value).__name__
        raise SceneError(f"{name} must be a whole number, got {shown(value)} ({kind})")
    if not lowest <= value <= highest:
        raise SceneError(f"{name} must be in {lowest}..{highest}, got {shown(value)}")
    return value


def text(value: object, name: str) -> str:
    """A string with something in it that UTF-8 can hold."""
    if not isinstance(value, str):
        kind = type(value).__name__
        raise SceneError(f"{name} must be text, got {shown(value)} ({kind})")
    if not value.strip():
        raise SceneError(f"{name} is empty: write at least one word")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise SceneError(f"{name} holds half a surrogate pair at {error.start}") from None
    return value


def sequence(value: object, name: str) -> Sequence[Any]:
    """A list or tuple; a string is not one."""
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise SceneError(f"{name} must be a list, got {shown(value)}")
    return value


def mapping(value: object, name: str) -> Mapping[str, Any]:
    """A JSON object."""
    if not isinstance(value, Mapping):
        raise SceneError(f"{name} must be a JSON object {{...}}, got {shown(value)}")
    return value


def entry(data: Mapping[str, Any], key: str) -> Any:
    """The value of a key that must be there."""
    if key not in data:
        raise SceneError(f"the key {key!r} is missing; {did_you_mean(key, map(str, data))}")
    return data[key]


def check_choices(settings: object, place: str, allowed: Mapping[str, Collection[str]]) -> None:
    """Every field that `allowed` names has one of the words that it lists."""
    for name, words in allowed.items():
        value = getattr(settings, name)
        if value not in words:
            raise SituError(f"{place}.{name} is {value!r}: {did_you_mean(value, words)}")


def check_least(settings: object, place: str, least: int, *names: str) -> None:
    """Every field of these names is `least` or more."""
    for name in names:
        if getattr(settings, name) < least:
            raise SituError(f"{place}.{name} is {getattr(settings, name)}; {least} or more")
