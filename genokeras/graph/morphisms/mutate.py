"""Random morphisms of a graph, for searchers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from genokeras.graph.graph import Graph
from genokeras.graph.morphisms.base import DEFAULT_LIMITS, Limits, Morphism
from genokeras.graph.morphisms.blocks import AddBranch, Deepen
from genokeras.graph.morphisms.convolutions import GrowKernel, InsertConv
from genokeras.graph.morphisms.inputs import AddInput, AddProducts
from genokeras.graph.morphisms.skips import AddSkip, ConcatSkip
from genokeras.graph.morphisms.widen import Widen

_OF_BOTH: tuple[type[Morphism], ...] = (Deepen, Widen, AddSkip, ConcatSkip, AddBranch)
MORPHISMS: tuple[type[Morphism], ...] = (*_OF_BOTH, AddInput, AddProducts)
SPATIAL_MORPHISMS: tuple[type[Morphism], ...] = (*_OF_BOTH, InsertConv, GrowKernel)
# A graph near its limits has hundreds of morphisms and hardly any that may still be done.
_MOST_REFUSED = 16


def mutations(
    graph: Graph,
    rng: np.random.Generator,
    n: int,
    *,
    kinds: Sequence[type[Morphism]] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> list[Morphism]:
    """Return different random morphisms of the graph: a kind at random, then a site of it at random.

    Parameters
    ----------
    graph : Graph
        The graph to grow.
    rng : numpy.random.Generator
        Draws kinds and sites.
    n : int
        Largest number of morphisms; fewer come back where fewer fit, or where 16 drawn in a row are too large.
    kinds : sequence of type, optional
        The kinds to draw from; `MORPHISMS`, or `SPATIAL_MORPHISMS` for a graph with positions, by default.
    limits : Limits, optional
        Morphisms whose result is larger are left out; its views are those that new Inputs may read.
    """
    return [morphism for morphism, _ in mutants(graph, rng, n, kinds=kinds, limits=limits)]


def mutants(
    graph: Graph,
    rng: np.random.Generator,
    n: int,
    *,
    kinds: Sequence[type[Morphism]] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> list[tuple[Morphism, Graph]]:
    """Return what `mutations` does, each with the graph that it makes."""
    if not limits.allow(graph):
        return []
    kinds = kinds or (SPATIAL_MORPHISMS if graph.is_spatial else MORPHISMS)
    sites = _sites(graph, tuple(kinds), limits)
    pools = [[found[int(position)] for position in rng.permutation(len(found))] for found in sites if found]
    chosen: list[tuple[Morphism, Graph]] = []
    refused = 0
    while pools and len(chosen) < n and refused < _MOST_REFUSED:
        pool = pools[int(rng.integers(len(pools)))]
        morphism = pool.pop()
        if not pool:
            pools = [other for other in pools if other]
        grown = _grown(graph, morphism, limits)
        if grown is not None:
            chosen.append((morphism, grown))
        refused = 0 if grown is not None else refused + 1
    return chosen


@lru_cache(maxsize=2048)
def _grown(graph: Graph, morphism: Morphism, limits: Limits) -> Graph | None:
    """The graph behind a morphism that fits, or None where it is too large."""
    grown = morphism.edit(graph)
    return grown if limits.allow(grown) else None


@lru_cache(maxsize=512)
def _sites(
    graph: Graph, kinds: tuple[type[Morphism], ...], limits: Limits
) -> tuple[tuple[Morphism, ...], ...]:
    """All morphisms of each kind that fit. Searchers come back to the same graphs again and again."""
    return tuple(kind.sites(graph, limits=limits) for kind in kinds)
