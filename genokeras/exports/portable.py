"""The same network without operations that converters do not know."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


def portable(model: Any) -> Any:
    """A model that computes the same in operations that converters know.

    LiteRT has no inverse hyperbolic sine, which the logarithm of expression values is taken by; JAX may hand over one that is too new for
    TensorFlow. The model itself stays untouched; it comes back as it is where there is nothing to replace.
    """
    operations = getattr(model, "operations", ())
    if isinstance(model, keras.Sequential) or not any(map(_is_arcsinh, operations)):
        return model
    twin = keras.models.clone_model(model, call_function=_call)
    for layer in model.layers:
        # By name, because other operations between them may change the order of the layers.
        twin.get_layer(layer.name).set_weights(layer.get_weights())
    return twin


def _call(operation: Any, *arguments: Any, **options: Any) -> Any:
    if _is_arcsinh(operation):
        return _Arcsinh(name=f"{operation.name}_in_logarithms")(*arguments)
    return operation(*arguments, **options)


def _is_arcsinh(operation: Any) -> bool:
    return type(operation).__name__ == "Arcsinh"


class _Arcsinh(keras.layers.Layer):
    """``sign(x) log(1 + |x| + x^2 / (1 + sqrt(1 + x^2)))``, in which nothing cancels.

    A layer, because it has a name of its own: one that operations get by themselves may be taken in a model read from a file.
    """

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """That of the input; Keras would find it by a trial run, and takes some dense inputs for sparse ones there."""
        return input_shape

    def call(self, x: Any) -> Any:
        """As the class says."""
        size = ops.abs(x)
        return ops.sign(x) * ops.log(1.0 + size + size * size / (1.0 + ops.sqrt(1.0 + size * size)))
