"""A model under another loss, other metrics and another optimizer, so that it stays as it is itself."""

from __future__ import annotations

from typing import Any, final

import keras


@final
class LossShell(keras.Model):
    """Has the weights of the inner model, and is compiled in its place.

    Parameters
    ----------
    inner : keras.Model
    """

    def __init__(self, inner: keras.Model) -> None:
        # From the inner model's name Keras would make one that TensorFlow refuses.
        super().__init__(name="loss_shell")
        self.inner = inner
        if getattr(inner, "output_names", None):
            self.output_names = inner.output_names  # losses may be given by them

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self.inner(inputs, training=training)
