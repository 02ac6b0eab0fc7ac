"""Settings that only one method knows: a frozen dataclass of plain values, whose names are used everywhere.

They lie in `Sampling.options`, so they travel with the settings of a run and with the record of a picture.
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, ClassVar, Protocol, Self, TypeVar

from situ.models.backbone import Backbone
from situ.scene import SituError
from situ.scene.errors import at, did_you_mean, shown
from situ.scene.fields import number, sequence, whole

Value = str | bool | int | float | tuple[float, ...]
MOST = 100_000


class Options(Protocol):
    """What METHODS' companion OPTIONS holds: a dataclass whose fields all have plain defaults."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def settled(self, backbone: Backbone) -> Self:
        """Nothing left open: what the backbone decides is written down, so that a record says all."""
        ...


Chosen = TypeVar("Chosen", bound=Options)


def names_of(kind: type[Options]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def read_options(kind: type[Chosen], given: Mapping[str, Any]) -> Chosen:
    """`given` as the dataclass `kind`; a record writes true and false as 1 and 0."""
    defaults = {f.name: f.default for f in fields(kind) if f.default is not MISSING}
    for name in given:
        if name not in defaults:
            raise SituError(f"unknown option {shown(name)}: {did_you_mean(name, defaults)}")
    with at("options"):
        return kind(**{n: read_value(value, n, defaults[n]) for n, value in given.items()})


def read_value(value: Any, name: str, default: Any) -> Any:
    """A value of its default's type, in one form: 7 and 7.0 mean the same. A whole number may be 0 where that
    is the default."""
    if isinstance(default, bool):
        if value not in (0, 1):
            raise SituError(f"{name} must be true or false, got {shown(value)}")
        return bool(value)
    if isinstance(default, str):
        if not isinstance(value, str):
            raise SituError(f"{name} must be text, got {shown(value)}")
        return value
    if isinstance(default, tuple):
        values = tuple(number(item, name) for item in sequence(value, name))
        if len(values) != len(default):
            raise SituError(f"{name} must be {len(default)} numbers, got {shown(value)}")
        return values
    if isinstance(default, int):
        return whole(value, name, min(default, 1), MOST)
    return number(value, name)
