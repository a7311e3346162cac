"""Which nets a LightModel takes, and how they come back from their checkpoints."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import keras

from genokeras.errors import ParameterError
from genokeras.support.keras_files import load_keras
from genokeras.support.wording import listed
from genokeras.training import TorchNet, is_torch_net, load_torch_net

# Of PyTorch Lightning. What a subclass defines and nobody calls must not be passed over in silence.
_NEVER_CALLED = (
    *("training_step", "validation_step", "test_step", "predict_step"),
    *(
        "training_epoch_end",
        "validation_epoch_end",
        "test_epoch_end",
        "optimizer_step",
        "configure_callbacks",
    ),
    *("train_dataloader", "val_dataloader", "test_dataloader", "predict_dataloader", "prepare_data", "setup"),
    *("save_hyperparameters", "log", "log_dict"),
)


def check_hooks(cls: type) -> None:
    """Refuse a class with hooks that nobody calls.

    Raises
    ------
    ParameterError
    """
    unknown = [name for name in vars(cls) if name in _NEVER_CALLED or name.startswith("on_")]
    if unknown:
        raise ParameterError(
            f"{cls.__name__} defines {listed(unknown)}, which nobody calls: a LightModel trains, validates and tests by "
            "shared_step(batch) and configure_optimizers() alone."
        )


def as_keras_net(net: Any, stepped: bool, precision: str | None, distribution: Any) -> keras.Model:
    """The net as a Keras model.

    Parameters
    ----------
    net : keras.Model or torch.nn.Module
    stepped : bool
        Whether the model has a ``shared_step``.
    precision, distribution
        As of LightModel.

    Raises
    ------
    ParameterError
        If it is neither, or cannot be trained as asked.
    """
    if stepped and not (precision is None and distribution is None):
        raise ParameterError(
            "mixed_precision and distribution are for models that are compiled: shared_step computes in what its net computes "
            "in, on one device."
        )
    if isinstance(net, keras.Model):
        return net
    if not is_torch_net(net):
        raise ParameterError(f"net must be a keras.Model, got {type(net).__name__}.")
    if keras.backend.backend() != "torch":
        raise ParameterError(
            f"net is a torch.nn.Module, but Keras runs on {keras.backend.backend()}: set KERAS_BACKEND=torch before Keras is "
            "imported, or pass a keras.Model."
        )
    if not stepped:
        raise ParameterError(
            "a torch.nn.Module is trained by a subclass of LightModel with shared_step(batch) and configure_optimizers(): "
            "compile is for a keras.Model."
        )
    return TorchNet(net)


def set_mode(net: Any, *, training: bool) -> None:
    """Tell PyTorch's layers whether they train; Keras' are told with each call."""
    if is_torch_net(net):
        net.train(training)


def read_net(path: str | os.PathLike[str], net: Any) -> Any:
    """The net of a checkpoint.

    Parameters
    ----------
    path : path-like
    net : torch.nn.Module, keras.Model or None
        To load the weights into.

    Raises
    ------
    ParameterError
        If there is no such file.
    """
    found = Path(path)
    if not found.is_file():
        raise ParameterError(f"there is no checkpoint {str(found)!r}.")
    if net is not None:
        (TorchNet(net) if is_torch_net(net) else net).load_weights(found)
        return net
    return load_keras(found) if found.suffix == ".keras" else load_torch_net(found)
