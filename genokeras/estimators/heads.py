"""What a search on the features of a backbone starts from."""

from __future__ import annotations

from functools import partial

from genokeras.encoders import NetworkEncoder
from genokeras.engine import Fathers
from genokeras.graph import feature_mlp
from genokeras.searchers import HyperSpace
from genokeras.tasks.task import Task

SPACE = HyperSpace(
    learning_rate=(1e-3, 3e-3, 1e-2),
    weight_decay=(1e-3, 1e-2, 1e-1),
    dropout=(0.1, 0.3, 0.5),
    activation=("relu", "gelu"),
    views=("tensor",),
)
# Of standardised features.
WEIGHT_DECAYS = (1.0, 1e-1, 1e-2)
RIDGE_WEIGHT_DECAYS = (10.0, 1.0, 1e-1)


def head_fathers(encoder: NetworkEncoder, task: Task) -> Fathers:
    """Perceptrons of one hidden layer and of two, beside the linear model."""
    shape, n_outputs = encoder.input_shape, task.n_outputs
    known = {
        "mlp": partial(feature_mlp, shape, n_outputs),
        "deep_mlp": partial(feature_mlp, shape, n_outputs, widths=(128, 64)),
    }
    decays = RIDGE_WEIGHT_DECAYS if task.kind == "numbers" else WEIGHT_DECAYS
    return Fathers(known, tuple(known), SPACE, decays)
