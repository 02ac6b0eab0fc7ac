"""Papers, one file each, by name. Every method turns a Request into a Plan for the one sampling loop."""

from situ.methods.base import base
from situ.methods.gligen import gligen
from situ.methods.plan import Method

METHODS: dict[str, Method] = {"gligen": gligen, "base": base}

__all__ = ["METHODS", "Method"]
