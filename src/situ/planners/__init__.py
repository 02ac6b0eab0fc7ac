"""A sentence to a layout: by rules, or by any language model behind a chat endpoint."""

from situ.planners.naming import named
from situ.planners.rules import Planned, plan_by_rules
from situ.planners.symbols import Relation, Symbols, Thing

__all__ = ["Planned", "Relation", "Symbols", "Thing", "named", "plan_by_rules"]
