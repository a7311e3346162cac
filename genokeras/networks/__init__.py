"""The border to Keras: graphs become packed Keras models, and trained members become one plain model."""

from genokeras.networks.initialise import initial_weights
from genokeras.networks.packed import PackedNetwork, build_packed, connect, gather_weights, slot_array
from genokeras.networks.roles import DenseRole, dense_roles

__all__ = [
    "DenseRole",
    "PackedNetwork",
    "build_packed",
    "connect",
    "dense_roles",
    "gather_weights",
    "initial_weights",
    "slot_array",
]
