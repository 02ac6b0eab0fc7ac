"""How options that need not be given appear in the help."""

from typing import Any

from tyro.conf import arg


def option(metavar: str, otherwise: str = "none", name: str | None = None) -> Any:
    """An option that is None unless given, and what then holds."""
    return arg(name=name, metavar=metavar, help_behavior_hint=f"(default: {otherwise})")
