"""How sure a classifier behind an encoder may be, by the rows held out; as of every other classifier of a project."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from genokeras.projects.vae.transfer import HEAD, outputs_of
from genokeras.tasks.calibration import fit_calibration


def calibrated_on(model: Any, x_validation: np.ndarray, codes: np.ndarray) -> Any:
    """Return the model with probabilities that are calibrated on rows it was not trained on.

    Parameters
    ----------
    model : keras.Model
        From `train_transfer`: raw features ``(n, p)`` -> probabilities ``(n, n_classes)``.
    x_validation : numpy.ndarray
        ``(n, p)`` raw features.
    codes : numpy.ndarray
        ``(n,)`` class numbers from 0.

    Returns
    -------
    keras.Model
        Of the same shapes.
    """
    found = fit_calibration(outputs_of(model, x_validation), codes)
    # Probabilities raised to a power are those of multiplied logits. Layers with names: an encoder may hold a "multiply".
    logits = keras.layers.Rescaling(found.sharpness, name="sharpness")(model.get_layer(HEAD).output)
    sharp = keras.layers.Softmax(name="probabilities")(logits)
    mixed = keras.layers.Rescaling(1.0 - found.doubt, found.doubt / sharp.shape[-1], name="doubt")(sharp)
    return keras.Model(model.inputs[0], mixed, name=model.name)
