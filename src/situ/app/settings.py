"""Sampling settings to and from the plain values that a picture's record holds."""

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from situ.methods import OPTIONS
from situ.methods.options import Value, names_of, read_options, read_value
from situ.methods.plan import Sampling
from situ.models.backbone import Backbone
from situ.scene import SituError
from situ.scene.errors import at, did_you_mean, shown

NAMES = tuple(field.name for field in fields(Sampling) if field.name != "options")
OPTION_NAMES = tuple(dict.fromkeys(name for kind in OPTIONS.values() for name in names_of(kind)))


def settings_of(sampling: Sampling) -> dict[str, Any]:
    """Every setting, with numbers in one form: 7 and 7.0 make the same picture and the same record."""
    plain = {name: _read(name, getattr(sampling, name)) for name in NAMES}
    return plain | {name: _written(value) for name, value in sampling.options.items()}


def sampling_of(settings: Mapping[str, Any]) -> Sampling:
    """Read what `settings_of` wrote; settings that are missing have their defaults."""
    for name in settings:
        if name not in (*NAMES, *OPTION_NAMES):
            hint = did_you_mean(name, (*NAMES, *OPTION_NAMES))
            raise SituError(f"sampling: unknown setting {shown(name)}: {hint}")
    options = {name: value for name, value in settings.items() if name in OPTION_NAMES}
    with at("sampling"):
        plain = {name: _read(name, settings[name]) for name in settings if name in NAMES}
        return Sampling(**plain, options=options)


def settled(sampling: Sampling, method: str, backbone: Backbone) -> Sampling:
    """With every option of the method written out. Raises SituError for one that it does not have."""
    kind = OPTIONS.get(method)
    if kind is None:
        for name in sampling.options:
            raise SituError(f"{name}: the method {method!r} has no such option")
        return sampling
    chosen = read_options(kind, sampling.options).settled(backbone)
    return replace(sampling, options=asdict(chosen))  # pyright: ignore[reportArgumentType]


def _read(name: str, value: Any) -> Any:
    return read_value(value, name, getattr(Sampling, name))


def _written(value: Value) -> Any:
    """A record holds words, numbers and rows of numbers."""
    return int(value) if isinstance(value, bool) else value
