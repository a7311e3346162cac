"""How far two architectures are apart: Weisfeiler-Lehman features that count widths and other sizes.

Notation
--------
symbol     meaning
l_k(v)     label of layer v after k rounds of Weisfeiler-Lehman refinement (Shervashidze et al. 2011)
u(v)       units of layer v; 1 for tensors as wide as an Input, whose width a graph does not know
phi(a)     feature of label a: sum of log2(1 + u(v)) over the layers v with l_k(v) = a for some k
m(v)       a further size of layer v, such as its kernel size or stride; the product over the axes
phi(a, m)  feature of label a and one such size: sum of log2(m(v)) over the same layers

d(A, B) = ||phi_A - phi_B||. As d is Euclidean, exp(-(d / length)^2) is positive semi-definite (Ru et al.
2021, "NAS-BOWL", put such features under a Gaussian process).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import log2, prod, sqrt
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from genokeras.graph.graph import Graph
from genokeras.graph.refinement import digest, neighbour_round
from genokeras.graph.specs import Dense, LayerSpec

ITERATIONS = 2


@lru_cache(maxsize=4096)
def _features(graph: Graph, iterations: int) -> MappingProxyType[str, float]:
    labels = {layer.id: _label(layer.spec) for layer in graph.layers}
    measures = {layer.id: _measures(layer.spec) for layer in graph.layers}
    size = {layer.id: log2(1 + (graph.known_units(layer.id) or 1)) for layer in graph.layers}
    features: dict[str, float] = {}
    for iteration in range(iterations + 1):
        if iteration:
            labels = neighbour_round(graph.layers, labels)
        # Sorted, so that isomorphic graphs sum the same numbers in the same order.
        for label, value in sorted((f"{iteration}:{labels[id]}", size[id]) for id in labels):
            features[label] = features.get(label, 0.0) + value
        named = ((f"{iteration}:{labels[id]}:{name}", value) for id in labels for name, value in measures[id])
        for label, value in sorted(named):
            features[label] = features.get(label, 0.0) + value
    return MappingProxyType(features)


def _label(spec: LayerSpec) -> str:
    # Sizes are left out of the labels, so that a graph and its widened child share them and stay comparable.
    if isinstance(spec, Dense):
        return spec.kind
    sizes = {spec.width_field, *spec.measures}
    return digest({name: value for name, value in spec.to_dict().items() if name not in sizes})


def _measures(spec: LayerSpec) -> list[tuple[str, float]]:
    """The logarithms of a layer's sizes that are above 1."""
    sizes = {name: getattr(spec, name) for name in spec.measures}
    values = {name: prod(v) if isinstance(v, tuple) else v for name, v in sizes.items() if v is not None}
    return [(name, log2(value)) for name, value in sorted(values.items()) if value > 1]


def descriptor(graph: Graph, iterations: int = ITERATIONS) -> dict[str, float]:
    """Return the Weisfeiler-Lehman features of a graph.

    Parameters
    ----------
    graph : Graph
        The architecture.
    iterations : int, default=2
        Rounds of refinement; 0 counts layers by kind alone.

    Returns
    -------
    dict of str to float
        Label to the sum of ``log2(1 + units)`` over the layers that carry it; for convolutions and the like also
        label and size, such as ``kernel_size``, to the sum of its ``log2``.
    """
    return dict(_features(graph, iterations))


def distance(a: Graph, b: Graph) -> float:
    """Return the Euclidean distance of two graphs' descriptors; 0 for isomorphic graphs."""
    first, second = _features(a, ITERATIONS), _features(b, ITERATIONS)
    labels = sorted({*first, *second})
    return sqrt(sum((first.get(label, 0.0) - second.get(label, 0.0)) ** 2 for label in labels))


def distance_matrix(rows: Sequence[Graph], columns: Sequence[Graph]) -> NDArray[np.float64]:
    """Return all distances between two lists of graphs.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        ``distance(rows[i], columns[j])``.
    """
    described = [_features(graph, ITERATIONS) for graph in (*rows, *columns)]
    places = {label: k for k, label in enumerate(sorted({label for d in described for label in d}))}
    points = np.zeros((len(described), len(places)))
    for row, features in enumerate(described):
        for label, value in features.items():
            points[row, places[label]] = value
    if not rows or not columns:
        return np.zeros((len(rows), len(columns)))
    return cdist(points[: len(rows)], points[len(rows) :])
