"""Architectures as values: graphs of layers, morphisms that grow them, distances between them.

A `Graph` holds no arrays: the weights of its members are a plain dictionary beside it. Nothing here knows
Keras or files.
"""

from __future__ import annotations

from genokeras.graph.arrays import fresh_arrays
from genokeras.graph.distance import descriptor, distance, distance_matrix
from genokeras.graph.graph import Graph
from genokeras.graph.hyper import HyperParameters
from genokeras.graph.layer import Layer
from genokeras.graph.morphisms import (
    MORPHISMS,
    SPATIAL_MORPHISMS,
    AddBranch,
    AddSkip,
    ConcatSkip,
    Deepen,
    GrowKernel,
    InsertConv,
    Limits,
    Morphism,
    Widen,
    mutations,
)
from genokeras.graph.reference import Weights, reference_forward
from genokeras.graph.spatial_templates import (
    SPATIAL_FATHERS,
    dilated_cnn,
    feature_mlp,
    flat_linear,
    motif_cnn,
    residual_cnn,
    small_cnn,
    text_cnn,
)
from genokeras.graph.specs import (
    ACTIVATIONS,
    BATCH_NORM_EPSILON,
    LAYER_NORM_EPSILON,
    N_BASES,
    Activation,
    Add,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    DepthwiseConv,
    Dropout,
    Embedding,
    Flatten,
    GlobalPool,
    Input,
    LayerNorm,
    LayerSpec,
    Pool,
    Shape,
)
from genokeras.graph.templates import FATHERS, get_father, is_linear, linear, mlp, rfcn_densenet, rfcn_resnet

__all__ = [
    "ACTIVATIONS",
    "BATCH_NORM_EPSILON",
    "FATHERS",
    "LAYER_NORM_EPSILON",
    "MORPHISMS",
    "N_BASES",
    "SPATIAL_FATHERS",
    "SPATIAL_MORPHISMS",
    "Activation",
    "Add",
    "AddBranch",
    "AddSkip",
    "BatchNorm",
    "Concat",
    "ConcatSkip",
    "Conv",
    "Deepen",
    "Dense",
    "DepthwiseConv",
    "Dropout",
    "Embedding",
    "Flatten",
    "GlobalPool",
    "Graph",
    "GrowKernel",
    "HyperParameters",
    "Input",
    "InsertConv",
    "Layer",
    "LayerNorm",
    "LayerSpec",
    "Limits",
    "Morphism",
    "Pool",
    "Shape",
    "Weights",
    "Widen",
    "descriptor",
    "dilated_cnn",
    "distance",
    "distance_matrix",
    "feature_mlp",
    "flat_linear",
    "fresh_arrays",
    "get_father",
    "is_linear",
    "linear",
    "mlp",
    "motif_cnn",
    "mutations",
    "reference_forward",
    "residual_cnn",
    "rfcn_densenet",
    "rfcn_resnet",
    "small_cnn",
    "text_cnn",
]
