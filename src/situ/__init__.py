"""Situ: a caption and boxes in, a picture out with every object in its place.

    import situ

    pipe = situ.load("storybook")
    result = pipe("a red fish under a boat", phrases=["red fish"], boxes=[[0.1, 0.5, 0.6, 0.9]])
    result.images[0].save("fish.png")

Importing the package loads nothing heavy: each name is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from situ.version import VERSION

if TYPE_CHECKING:
    from situ.app.load import load
    from situ.app.pipeline import Pipeline
    from situ.scene import Box, Layout, Object, Scene, SituError

__all__ = ["Box", "Layout", "Object", "Pipeline", "Scene", "SituError", "__version__", "load"]

__version__ = VERSION

_HOMES = {
    "Box": "situ.scene",
    "Layout": "situ.scene",
    "Object": "situ.scene",
    "Pipeline": "situ.app.pipeline",
    "Scene": "situ.scene",
    "SituError": "situ.scene",
    "load": "situ.app.load",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'situ' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
