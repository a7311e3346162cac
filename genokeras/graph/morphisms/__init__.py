"""Function-preserving changes that grow a graph: deepen, widen, skips and branches."""

from __future__ import annotations

from genokeras.graph.morphisms.base import DEFAULT_LIMITS, Limits, Morphism
from genokeras.graph.morphisms.blocks import BRANCH_WIDTHS, AddBranch, Deepen
from genokeras.graph.morphisms.mutate import MORPHISMS, mutations
from genokeras.graph.morphisms.skips import AddSkip, ConcatSkip
from genokeras.graph.morphisms.widen import Widen

__all__ = [
    "BRANCH_WIDTHS",
    "DEFAULT_LIMITS",
    "MORPHISMS",
    "AddBranch",
    "AddSkip",
    "ConcatSkip",
    "Deepen",
    "Limits",
    "Morphism",
    "Widen",
    "mutations",
]
