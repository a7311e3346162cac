"""The residual variational auto-encoder: its graphs, its loss, and two plain Keras models of what was trained.

=========  =============================================================  ===============
symbol     meaning                                                        shape
=========  =============================================================  ===============
p, k       features, and those of them that vary
X_s        standardised features                                          ``(n, k)``
c V        projection of the row space, ``Z = c X_s V``                   ``(k, r)``
A, b       kernel and bias of a Dense layer that reads or writes ``Z``
=========  =============================================================  ===============

The encoder's first layer reads ``Z``: on the features its kernel is ``c V A``. The decoder's last layer writes ``Z``: as
``X_s = Z V^T / c`` on the row span, its kernel becomes ``A V^T / c``, and the features come back with their means and
standard deviations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from genokeras.features import RowSpace
from genokeras.graph import Graph, Weights, rfcn_resnet
from genokeras.networks.packed import connect

STEM = "stem"
VAE_ACTIVATION = "relu"
_NARROWEST = 64


@dataclass(frozen=True)
class VaeShape:
    """The architecture: an RFCN-ResNet as encoder, another one as decoder.

    Attributes
    ----------
    latent : int
        Width of the latent vectors; hidden layers have twice as many units, 64 at least.
    blocks : int
        Residual blocks of the encoder, and of the decoder.
    output_nonlinear : str or None
        Activation behind the encoder's last block.
    """

    latent: int
    blocks: int
    output_nonlinear: str | None

    def encoder(self, n_outputs: int) -> Graph:
        """From the features or their row space; while training it has an output for each mean and log variance."""
        return rfcn_resnet(n_outputs, self._width, self.blocks, self.output_nonlinear)

    def decoder(self, n_outputs: int) -> Graph:
        """From the latent vectors to the row space or the features."""
        return rfcn_resnet(n_outputs, self._width, self.blocks)

    @property
    def _width(self) -> int:
        return max(_NARROWEST, 2 * self.latent)


def kl_divergence(mean: Any, log_variance: Any) -> Any:
    """From ``N(mean, exp(log_variance))`` to the standard normal, in nats, summed over the last axis.

    ``-1/2 sum(1 + log s^2 - m^2 - s^2)`` (Kingma & Welling 2014, eq. 10).
    """
    mean, log_variance = ops.convert_to_tensor(mean), ops.convert_to_tensor(log_variance)
    return -0.5 * ops.sum(1 + log_variance - ops.square(mean) - ops.exp(log_variance), axis=-1)


def export_encoder(
    shape: VaeShape, weights: Weights, space: RowSpace, n_features: int, medians: np.ndarray | None = None
) -> Any:
    """A plain Keras model: raw features ``(batch, n_features)`` -> latent means ``(batch, latent)``.

    Parameters
    ----------
    shape : VaeShape
    weights : Weights
        Of one member, as trained in the row space.
    space : RowSpace
        Without a logarithm.
    n_features : int
    medians : numpy.ndarray, optional
        ``(n_features,)``; stand in for NaN.
    """
    graph = shape.encoder(shape.latent)
    (stem_id,) = graph.consumers(graph.input)
    raw = keras.Input((n_features,), name="features", dtype="float32")
    stem = keras.layers.Dense(weights[stem_id]["bias"].shape[1], name=STEM)
    given = {stem_id: stem(_standardised(raw, space, medians))}
    means, layers = connect(graph, {}, 1, VAE_ACTIVATION, layout="plain", given=given, prefix="encoder_")
    kernel = np.zeros((n_features, stem.units), dtype="float32")
    kernel[space.columns] = space.projection() @ weights[stem_id]["kernel"][0]
    stem.set_weights([kernel, weights[stem_id]["bias"][0]])
    for layer_id, layer in layers.items():
        # The log variances are the second half of what the last layer was trained to give.
        layer.set_weights([weights[layer_id][name][0][..., : layer.units] for name in ("kernel", "bias")])
    return keras.Model(raw, means, name="encoder")


def export_decoder(shape: VaeShape, weights: Weights, space: RowSpace, means: np.ndarray) -> Any:
    """A plain Keras model: latent vectors ``(batch, latent)`` -> raw features ``(batch, n_features)``.

    Parameters
    ----------
    shape, weights, space
        As in :func:`export_encoder`.
    means : numpy.ndarray
        ``(n_features,)`` of the training rows: what constant features are reconstructed as.
    """
    graph = shape.decoder(len(means))
    latent = keras.Input((shape.latent,), name="latent", dtype="float32")
    features, layers = connect(
        graph, {graph.input: latent}, 1, VAE_ACTIVATION, layout="plain", prefix="decoder_"
    )
    back = space.projection().T / (space.scale**2 * space.inverse_sd)
    for layer_id, layer in layers.items():
        kernel, bias = weights[layer_id]["kernel"][0], weights[layer_id]["bias"][0]
        if layer_id == graph.output:
            written, kernel = kernel @ back, np.zeros((len(kernel), len(means)), dtype="float32")
            kernel[:, space.columns] = written
            offset, bias = bias @ back, np.array(means, dtype="float64")
            bias[space.columns] += offset
        layer.set_weights([kernel, bias])
    return keras.Model(latent, features, name="decoder")


def _standardised(raw: Any, space: RowSpace, medians: np.ndarray | None) -> Any:
    """``(batch, n_features)``; constant features are zero."""
    filled = raw
    if medians is not None:
        filled = ops.where(ops.isnan(raw), np.asarray(medians, dtype="float32")[None], raw)
    mean, inverse_sd = np.zeros((1, raw.shape[1]), "float32"), np.zeros((1, raw.shape[1]), "float32")
    mean[0, space.columns], inverse_sd[0, space.columns] = space.mean, space.inverse_sd
    # keras.layers.Normalization would do, if it did not take every standard deviation below 1e-7 for 1e-7.
    return (filled - mean) * inverse_sd
