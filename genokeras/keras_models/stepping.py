"""What a subclass of LightModel may say itself: a step, and its optimizer."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Self

from genokeras.errors import NotFittedError, ParameterError
from genokeras.keras_models.light_nets import check_hooks, read_net, set_mode


class Stepping:
    """The part of LightModel for subclasses with ``shared_step`` and ``configure_optimizers``.

    Attributes
    ----------
    net : keras.Model or torch.nn.Module
    """

    net: Any

    def __init_subclass__(cls) -> None:
        check_hooks(cls)

    def shared_step(self, batch: Any) -> Mapping[str, Any]:
        """What is computed of a batch, ``(x, y)``: "loss", and whatever else is to be logged.

        Parameters
        ----------
        batch : tuple of tensors
        """
        raise NotFittedError(
            "this LightModel has no shared_step: call .compile(optimizer, loss), or write one in a subclass."
        )

    def configure_optimizers(self) -> Any:
        """The optimizer; called when `fit` begins."""
        raise ParameterError(
            'a LightModel with shared_step needs configure_optimizers too: let it return {"optimizer": ..., "lr_scheduler": ...}.'
        )

    def forward(self, x: Any) -> Any:
        """The net's outputs, as tensors; what calling the model gives."""
        return self.net(x)

    def __call__(self, x: Any) -> Any:
        return self.forward(x)

    def parameters(self) -> list[Any]:
        """The weights that are trained: PyTorch's parameters, or Keras' variables."""
        if hasattr(self.net, "parameters"):
            return list(self.net.parameters())
        return list(self.net.trainable_variables)

    @property
    def device(self) -> Any:
        """Where the weights are: a ``torch.device``, or Keras' name of the device."""
        found = next(iter(self.parameters()), None)
        return getattr(found if found is None else getattr(found, "value", found), "device", "cpu")

    def eval(self) -> Self:
        """Put PyTorch's layers into the mode for predicting; Keras' layers are in it whenever they do not train."""
        set_mode(self.net, training=False)
        return self

    @classmethod
    def load_from_checkpoint(cls, path: str | os.PathLike[str], net: Any = None, **options: Any) -> Self:
        """The model around the net of a checkpoint.

        Parameters
        ----------
        path : path-like
            As `fit` wrote it.
        net : torch.nn.Module, optional
            To load the weights into; by default one is made of the class that was saved, without arguments.
        **options
            For the class.

        Raises
        ------
        ParameterError
            If there is no such checkpoint, or its class is unknown here or needs arguments.
        """
        made: Any = cls
        return made(read_net(path, net), **options)
