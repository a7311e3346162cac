"""Keras files, read in safe mode: what they hold is never run as code."""

from __future__ import annotations

import os
from typing import Any

import keras

from genokeras.errors import GenoKerasError, RunFolderError
from genokeras.support.files import PathLike

# Names of the switches that Keras advises to use where a file holds code.
_SWITCHES = ("safe_mode", "enable_unsafe_deserialization")


def load_keras(path: PathLike, error: type[GenoKerasError] = RunFolderError) -> Any:
    """Load a model without its optimiser.

    Parameters
    ----------
    path : path-like
    error : type of GenoKerasError
        What to raise where it holds code.

    Raises
    ------
    GenoKerasError
        If it holds Python code, such as a Lambda layer of a lambda: Keras would tell how to run it.
    Exception
        What Keras raises where the file is damaged.
    """
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError) as refused:
        if not any(switch in str(refused) for switch in _SWITCHES):
            raise
    raise error(
        f"{os.fspath(path)!r} holds Python code (a Lambda layer, say), which could do anything and is not run. Replace it by a layer with "
        "a class of its own, registered with keras.saving.register_keras_serializable, and save the model again."
    )
