"""The border to Keras: graphs become packed Keras models, and trained members become one plain model."""

from genokeras.networks.convolutional import build_network, layer_name, read_weights, write_weights
from genokeras.networks.initialise import initial_weights
from genokeras.networks.merge_networks import TrainedNetwork, merge_networks
from genokeras.networks.merge_rows import TrainedTrial, calibrated, merge_rows
from genokeras.networks.packed import PackedNetwork, build_packed, connect, gather_weights, slot_array
from genokeras.networks.plain import build_plain
from genokeras.networks.roles import DenseRole, dense_roles
from genokeras.networks.start import start_weights

__all__ = [
    "DenseRole",
    "PackedNetwork",
    "TrainedNetwork",
    "TrainedTrial",
    "build_network",
    "build_packed",
    "build_plain",
    "calibrated",
    "connect",
    "dense_roles",
    "gather_weights",
    "initial_weights",
    "layer_name",
    "merge_networks",
    "merge_rows",
    "read_weights",
    "slot_array",
    "start_weights",
    "write_weights",
]
