"""A recipe: one TOML file that says all about one training stage. Unknown keys are errors."""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from situ.scene import SituError

T = TypeVar("T")


@dataclass(frozen=True)
class Recipe:
    """The tables of a recipe file: `stage` names what is trained, the others hold its settings."""

    path: Path
    stage: str
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def table(self, name: str, kind: type[T], **overrides: Any) -> T:
        """Table `name` as the dataclass `kind`; errors name file, table and key."""
        values = {
            **self.tables.get(name, {}),
            **{k: v for k, v in overrides.items() if v is not None},
        }
        return _build(kind, values, f"{self.path.name}: [{name}]")

    def value(self, name: str, key: str, default: Any = None) -> Any:
        """One entry of a table; without a default it must be there."""
        found = self.tables.get(name, {}).get(key, default)
        if found is None:
            raise SituError(f"{self.path.name}: [{name}] lacks {key!r}")
        return found


def read_recipe(path: Path) -> Recipe:
    """Read a TOML recipe. Raises SituError with file and line if it is not valid TOML."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SituError(f"{path} is missing; recipes lie in the folder recipes/") from None
    except tomllib.TOMLDecodeError as error:
        raise SituError(f"{path}: not valid TOML: {error}") from None
    stage = content.pop("stage", None)
    if not isinstance(stage, str):
        raise SituError(
            f'{path.name}: the first line must name the stage, as in stage = "grounded"'
        )
    for name, table in content.items():
        if not isinstance(table, dict):
            raise SituError(f"{path.name}: {name!r} stands outside of a [table]")
    return Recipe(path, stage, content)


def _build(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    assert is_dataclass(kind)
    hints = get_type_hints(kind)
    names = {f.name: f for f in fields(kind)}
    for key in values:
        if key not in names:
            near = difflib.get_close_matches(key, names, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; allowed: {', '.join(names)}"
            raise SituError(f"{where} has no key {key!r}{hint}")
    fitted = {key: _fitted(value, hints[key], f"{where} {key}") for key, value in values.items()}
    for name, f in names.items():
        if name not in values and f.default is MISSING and f.default_factory is MISSING:
            raise SituError(f"{where} lacks {name!r}")
    return kind(**fitted)


def _fitted(value: Any, hint: Any, where: str) -> Any:
    """TOML has no tuples, and writes 1 for 1.0; everything else must have the declared type."""
    if get_origin(hint) is tuple and isinstance(value, list):
        return tuple(_fitted(v, get_args(hint)[0], where) for v in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(hint, type) and (
        not isinstance(value, hint) or isinstance(value, bool) != (hint is bool)
    ):
        raise SituError(f"{where} is {value!r}; it must be {hint.__name__}")
    return value
