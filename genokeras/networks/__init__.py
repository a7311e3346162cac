"""The border to Keras: graphs become packed Keras models, and trained members become one plain model."""

from genokeras.networks.convolutional import build_network, layer_name, read_weights, write_weights
from genokeras.networks.functions import FUNCTIONS, SLOPES
from genokeras.networks.initialise import initial_weights
from genokeras.networks.keras_graph import KerasGraph, from_keras
from genokeras.networks.merge_networks import TrainedNetwork, merge_networks
from genokeras.networks.merge_rows import TrainedTrial, calibrated, merge_rows
from genokeras.networks.packed import PackedNetwork, build_packed, connect, gather_weights, slot_array
from genokeras.networks.padded import PaddedPass, padded_gradients, padded_pass, selectors
from genokeras.networks.plain import build_plain
from genokeras.networks.roles import DenseRole, dense_roles
from genokeras.networks.shape_class import (
    LINEAR,
    OUTPUT_BIAS,
    Columns,
    Placement,
    ShapeClass,
    class_of,
    function_of,
    place,
)
from genokeras.networks.start import start_weights

__all__ = [
    "FUNCTIONS",
    "LINEAR",
    "OUTPUT_BIAS",
    "SLOPES",
    "Columns",
    "DenseRole",
    "KerasGraph",
    "PackedNetwork",
    "PaddedPass",
    "Placement",
    "ShapeClass",
    "TrainedNetwork",
    "TrainedTrial",
    "build_network",
    "build_packed",
    "build_plain",
    "calibrated",
    "class_of",
    "connect",
    "dense_roles",
    "from_keras",
    "function_of",
    "gather_weights",
    "initial_weights",
    "layer_name",
    "merge_networks",
    "merge_rows",
    "padded_gradients",
    "padded_pass",
    "place",
    "read_weights",
    "selectors",
    "slot_array",
    "start_weights",
    "write_weights",
]
