"""Sampling settings to and from the plain values that a picture's record holds."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from situ.methods.plan import Sampling
from situ.scene import SituError
from situ.scene.errors import at, did_you_mean, shown
from situ.scene.fields import number, sequence, whole

MAX_STEPS = 100_000
NAMES = tuple(field.name for field in fields(Sampling))


def settings_of(sampling: Sampling) -> dict[str, Any]:
    """Every setting, with numbers in one form: 7 and 7.0 make the same picture and the same record."""
    return {name: _read(name, getattr(sampling, name)) for name in NAMES}


def sampling_of(settings: Mapping[str, Any]) -> Sampling:
    """Read what `settings_of` wrote; settings that are missing have their defaults."""
    for name in settings:
        if name not in NAMES:
            raise SituError(f"sampling: unknown setting {shown(name)}: {did_you_mean(name, NAMES)}")
    with at("sampling"):
        return Sampling(**{name: _read(name, value) for name, value in settings.items()})


def _read(name: str, value: Any) -> Any:
    default = getattr(Sampling, name)
    if isinstance(default, str):
        if not isinstance(value, str):
            raise SituError(f"{name} must be text, got {shown(value)}")
        return value
    if isinstance(default, tuple):
        values = tuple(number(item, name) for item in sequence(value, name))
        if len(values) != len(default):
            raise SituError(f"{name} must be {len(default)} numbers, got {shown(value)}")
        return values
    return whole(value, name, 1, MAX_STEPS) if isinstance(default, int) else number(value, name)
