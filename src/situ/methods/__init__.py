"""Papers, one file each, by name. Every method turns a Request into a Plan for the one sampling loop."""

from situ.methods.base import base
from situ.methods.gligen import gligen
from situ.methods.hcma import Hcma, hcma
from situ.methods.options import Options
from situ.methods.plan import Method

METHODS: dict[str, Method] = {"gligen": gligen, "hcma": hcma, "base": base}
OPTIONS: dict[str, type[Options]] = {"hcma": Hcma}  # of the methods that have any

__all__ = ["METHODS", "OPTIONS", "Method"]
