"""What a compiled training step reads from variables, so that trials that differ in nothing else share it."""

from __future__ import annotations

from typing import Any, final

import keras
from keras import ops


@final
class TunableDropout(keras.layers.Layer):
    """Dropout at a rate that is a variable.

    Parameters
    ----------
    name : str

    Attributes
    ----------
    rate : keras.Variable
    seed_generator : keras.random.SeedGenerator
    """

    def __init__(self, name: str) -> None:
        super().__init__(name=name)
        self.rate = self.add_weight(
            shape=(), initializer="zeros", dtype="float32", trainable=False, name="rate"
        )
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training:
            return inputs
        drawn = keras.random.uniform(ops.shape(inputs), dtype="float32", seed=self.seed_generator)
        kept = ops.cast(drawn >= self.rate, "float32") / (1.0 - self.rate)
        return inputs * ops.cast(kept, inputs.dtype)


def adamw(learning_rate: float, weight_decay: float = 0.004, clipnorm: float = 5.0) -> Any:
    """Keras' AdamW, whose decay leaves biases and normalisations alone.

    Parameters
    ----------
    learning_rate, weight_decay : float
    clipnorm : float
        Of each gradient.
    """
    optimizer = keras.optimizers.AdamW(learning_rate, weight_decay, clipnorm=clipnorm)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def tunable_adamw(learning_rate: float, weight_decay: float) -> Any:
    """:func:`adamw` whose weight decay is a variable, among the optimizer's own."""
    optimizer = adamw(learning_rate)
    optimizer.weight_decay = keras.Variable(
        weight_decay, trainable=False, dtype="float32", name="weight_decay"
    )
    return optimizer
