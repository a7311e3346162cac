"""The border to Keras: graphs become packed Keras models, and trained members become one plain model."""

from genokeras.networks.export import TrainedTrial, export_model
from genokeras.networks.initialise import initial_weights
from genokeras.networks.packed import PackedNetwork, build_packed, connect, gather_weights, slot_array
from genokeras.networks.plain import build_plain
from genokeras.networks.roles import DenseRole, dense_roles

__all__ = [
    "DenseRole",
    "PackedNetwork",
    "TrainedTrial",
    "build_packed",
    "build_plain",
    "connect",
    "dense_roles",
    "export_model",
    "gather_weights",
    "initial_weights",
    "slot_array",
]
