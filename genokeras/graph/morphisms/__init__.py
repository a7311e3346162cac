"""Function-preserving changes that grow a graph: deepen, widen, skips, branches, further Inputs, larger kernels."""

from __future__ import annotations

from genokeras.graph.morphisms.base import DEFAULT_LIMITS, Limits, Morphism
from genokeras.graph.morphisms.blocks import BRANCH_WIDTHS, AddBranch, Deepen
from genokeras.graph.morphisms.convolutions import GrowKernel, InsertConv
from genokeras.graph.morphisms.inputs import AddInput, AddProducts
from genokeras.graph.morphisms.mutate import MORPHISMS, SPATIAL_MORPHISMS, mutants, mutations
from genokeras.graph.morphisms.skips import AddSkip, ConcatSkip
from genokeras.graph.morphisms.widen import Widen

__all__ = [
    "BRANCH_WIDTHS",
    "DEFAULT_LIMITS",
    "MORPHISMS",
    "SPATIAL_MORPHISMS",
    "AddBranch",
    "AddInput",
    "AddProducts",
    "AddSkip",
    "ConcatSkip",
    "Deepen",
    "GrowKernel",
    "InsertConv",
    "Limits",
    "Morphism",
    "Widen",
    "mutants",
    "mutations",
]
