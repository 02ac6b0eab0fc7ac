"""What to draw: boxes, objects, layouts and scenes. Standard library only."""

from situ.scene.box import Box
from situ.scene.errors import SceneError, SituError
from situ.scene.layout import Layout, Object
from situ.scene.scene import Scene

__all__ = ["Box", "Layout", "Object", "Scene", "SceneError", "SituError"]
