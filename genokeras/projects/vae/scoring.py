"""How well a trained Res-VAE brings samples back from their latent vectors."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from genokeras.networks.vae import STEM


def score_reconstruction(
    encoder: Any, decoder: Any, x: np.ndarray, latent: np.ndarray, batch_size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Score samples one by one, in the units of training: features standardised as the encoder does.

    Parameters
    ----------
    encoder, decoder : keras.Model
    x : numpy.ndarray
        ``(n_samples, n_features)`` raw features.
    latent : numpy.ndarray
        ``(n_samples, latent)`` their latent means.
    batch_size : int

    Returns
    -------
    errors, of_the_means : numpy.ndarray
        ``(n_samples,)`` mean squared error of a feature that varied in training, from the decoder and where all are taken
        for their training means.
    """
    stem = encoder.get_layer(STEM)
    standardise = keras.Model(encoder.inputs[0], stem.input)
    # What did not vary in training is not standardised, has no weights, and does not count.
    kernel = np.asarray(keras.ops.convert_to_numpy(stem.kernel))
    n_varying = max(1, np.count_nonzero(kernel.any(axis=1)))
    errors, of_the_means = np.empty(len(x)), np.empty(len(x))
    for start in range(0, len(x), batch_size):
        rows = slice(start, start + batch_size)
        restored = decoder(latent[rows], training=False)
        true, found = (
            np.asarray(keras.ops.convert_to_numpy(standardise(block, training=False)), dtype=float)
            for block in (x[rows], restored)
        )
        errors[rows] = ((true - found) ** 2).sum(axis=1) / n_varying
        of_the_means[rows] = (true**2).sum(axis=1) / n_varying
    return errors, of_the_means
