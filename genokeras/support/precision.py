"""The precision that our own networks compute in, whatever a program has set for its other models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras

_OURS = "float32"


@contextmanager
def single_precision() -> Iterator[None]:
    """Build and run networks in float32; a context manager, and a decorator.

    ``keras.config.set_floatx`` and a global policy such as ``"mixed_float16"`` hold for every layer that is built later. Samples and
    weights of a search are float32: the two would not fit together.
    """
    floats, policy = keras.config.floatx(), keras.config.dtype_policy()
    if floats == _OURS and policy.name == _OURS:
        yield
        return
    keras.config.set_floatx(_OURS)
    keras.config.set_dtype_policy(_OURS)
    try:
        yield
    finally:
        keras.config.set_floatx(floats)
        keras.config.set_dtype_policy(policy)
