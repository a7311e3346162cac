"""Architectures as values: graphs of layers, morphisms that grow them, distances between them.

A `Graph` holds no arrays: the weights of its members are a plain dictionary beside it. Nothing here knows
Keras or files.
"""

from __future__ import annotations

from genokeras.graph.distance import descriptor, distance, distance_matrix
from genokeras.graph.graph import Graph
from genokeras.graph.hyper import HyperParameters
from genokeras.graph.layer import Layer
from genokeras.graph.morphisms import (
    MORPHISMS,
    AddBranch,
    AddSkip,
    ConcatSkip,
    Deepen,
    Limits,
    Morphism,
    Widen,
    mutations,
)
from genokeras.graph.reference import Weights, reference_forward
from genokeras.graph.specs import (
    ACTIVATIONS,
    LAYER_NORM_EPSILON,
    Activation,
    Add,
    Concat,
    Dense,
    Dropout,
    Input,
    LayerNorm,
    LayerSpec,
)
from genokeras.graph.templates import FATHERS, get_father, linear, mlp, rfcn_densenet, rfcn_resnet

__all__ = [
    "ACTIVATIONS",
    "FATHERS",
    "LAYER_NORM_EPSILON",
    "MORPHISMS",
    "Activation",
    "Add",
    "AddBranch",
    "AddSkip",
    "Concat",
    "ConcatSkip",
    "Deepen",
    "Dense",
    "Dropout",
    "Graph",
    "HyperParameters",
    "Input",
    "Layer",
    "LayerNorm",
    "LayerSpec",
    "Limits",
    "Morphism",
    "Weights",
    "Widen",
    "descriptor",
    "distance",
    "distance_matrix",
    "get_father",
    "linear",
    "mlp",
    "mutations",
    "reference_forward",
    "rfcn_densenet",
    "rfcn_resnet",
]
