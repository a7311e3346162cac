"""Optimisers by name: stacked weights of packed members, each member at its own rate, and Keras models.

An :class:`Update` is a frozen value of hyper-parameters and a pure function of weights, gradients and state.
"""

from genokeras.training.optimizers.adaptive import AdamUpdate
from genokeras.training.optimizers.factors import (
    dense_factors,
    sampled_classes,
    sampled_values,
    uniform_draws,
)
from genokeras.training.optimizers.keras_side import DynamicMomentum
from genokeras.training.optimizers.registry import (
    OPTIMIZERS,
    NamedOptimizer,
    get_optimizer,
    get_update,
)
from genokeras.training.optimizers.update import ElementwiseUpdate, Factors, Update

__all__ = [
    "OPTIMIZERS",
    "AdamUpdate",
    "DynamicMomentum",
    "ElementwiseUpdate",
    "Factors",
    "NamedOptimizer",
    "Update",
    "dense_factors",
    "get_optimizer",
    "get_update",
    "sampled_classes",
    "sampled_values",
    "uniform_draws",
]
