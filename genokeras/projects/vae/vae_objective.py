"""The loss of a Res-VAE in row space, for the training loop.

Dropout masks and the noise of the latent vectors are drawn in NumPy, so that they are the same on every backend. The
validation rows are encoded with noise that is drawn once: the losses of different epochs can then be compared.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np
from keras import ops

from genokeras.graph import Weights
from genokeras.networks import (
    PackedNetwork,
    build_packed,
    gather_weights,
    initial_weights,
    slot_array,
)
from genokeras.networks.vae import VAE_ACTIVATION, VaeShape, kl_divergence
from genokeras.training.descent_objective import DescentObjective
from genokeras.training.noise import NOISE_LEVELS, SharedNoise, dropout_threshold

_VALIDATION_DRAWS = 8
_VALIDATION_ROWS = 4096


@final
class VaeObjective(DescentObjective):
    """Reconstruction and KL divergence of one network.

    Parameters
    ----------
    shape : VaeShape
    train, validation : numpy.ndarray
        ``(n, r)`` float32 rows in row space.
    per_square : float
        What a squared error in row space counts in the loss.
    per_nat : float
        What a nat of the divergence counts where its weight is 1.
    outside : tuple of (float, float)
        Reconstruction error of training and of validation rows that lies outside of the row space.
    keep_prob, beta : float
    warm_up, batch_size, seed : int
    """

    score_names = ("loss", "reconstruction", "kl")

    def __init__(
        self,
        shape: VaeShape,
        train: np.ndarray,
        validation: np.ndarray,
        *,
        per_square: float,
        per_nat: float,
        outside: tuple[float, float],
        keep_prob: float,
        beta: float,
        warm_up: int,
        batch_size: int,
        seed: int,
    ) -> None:
        rank = train.shape[1]
        graphs = (shape.encoder(2 * shape.latent), shape.decoder(rank))
        self._latent, self._train, self._validation = shape.latent, train, validation
        self._per_square, self._per_nat, self._outside = per_square, per_nat, outside
        self._beta, self._warm_up = beta, warm_up
        self._networks: list[PackedNetwork] = [
            build_packed(graph, units, 1, VAE_ACTIVATION)
            for graph, units in zip(graphs, (rank, shape.latent), strict=True)
        ]
        rng = np.random.default_rng([seed, 3])
        self.weights = [
            slot_array(weights, slot)
            for graph, units, network in zip(graphs, (rank, shape.latent), self._networks, strict=True)
            for weights in [initial_weights(graph, units, 1, rng)]
            for slot in network.slots
        ]
        self.rate_factors = [1.0] * len(self.weights)
        self.n_rows = len(train)
        self._threshold = int(dropout_threshold(np.array(1.0 - keep_prob)))
        self._masks = tuple(mask for network in self._networks for mask in network.masks)
        units = tuple(units for _, units in self._masks)
        self._dropout = SharedNoise(seed, units, 1, min(batch_size, self.n_rows))
        self._rng = np.random.default_rng([seed, 4])

    def constants(self) -> dict[str, np.ndarray]:
        """The rows, and the noise of the validation rows."""
        draws = max(1, min(_VALIDATION_DRAWS, _VALIDATION_ROWS // len(self._validation)))
        validation = np.tile(self._validation, (draws, 1))[None]
        noise = self._noise((1, validation.shape[1]))
        return {"train": self._train, "validation": validation, "noise": noise}

    def draw(self, rows: np.ndarray, epoch: int) -> list[np.ndarray]:
        """Rows, noise of the latent vectors, dropout noise and which sheets of it, weight of the KL term."""
        weight = self._beta * min(1.0, (epoch - 1) / self._warm_up if self._warm_up else 1.0)
        return [rows, self._noise(rows.shape), *self._dropout.draw(len(rows)), np.array(weight, "float32")]

    def loss(self, weights: list[Any], constants: dict[str, Any], drawn: list[Any], position: Any) -> Any:
        """Reconstruction and weighted divergence of one mini-batch."""
        rows, noise, pool, picks, weight = drawn
        x = ops.take(constants["train"], ops.take(rows, position, axis=0), axis=0)[None]
        masks = self._dropout_masks(pool, ops.take(picks, position, axis=0))
        error, divergence = self._terms(weights, x, ops.take(noise, position, axis=0)[None], masks)
        return self._outside[0] + ops.mean(error + weight * self._per_nat * divergence)

    def score(self, weights: list[Any], constants: dict[str, Any]) -> Any:
        """Loss with the full weight of the KL term, reconstruction error, and divergence in nats."""
        masks = [ops.ones((1, 1, 1)) for _ in self._masks]
        error, divergence = self._terms(weights, constants["validation"], constants["noise"], masks)
        error, divergence = self._outside[1] + ops.mean(error), ops.mean(divergence)
        return ops.stack([error + self._beta * self._per_nat * divergence, error, divergence])

    def split(self, weights: list[np.ndarray]) -> tuple[Weights, Weights]:
        """Weights of the encoder and of the decoder, by layer."""
        encoder, decoder = self._networks
        n = len(encoder.slots)
        return gather_weights(encoder.slots, weights[:n]), gather_weights(decoder.slots, weights[n:])

    def _terms(self, weights: list[Any], x: Any, noise: Any, masks: list[Any]) -> tuple[Any, Any]:
        """``(1, rows)`` reconstruction error in the row space, and divergence in nats."""
        encoder, decoder = self._networks
        n, m = len(encoder.slots), len(encoder.masks)
        statistics, _ = encoder.model.stateless_call(weights[:n], [], [x, *masks[:m]])
        mean, log_variance = statistics[..., : self._latent], statistics[..., self._latent :]
        latent = mean + ops.exp(0.5 * log_variance) * noise
        reconstructed, _ = decoder.model.stateless_call(weights[n:], [], [latent, *masks[m:]])
        error = self._per_square * ops.sum(ops.square(x - reconstructed), axis=-1)
        return error, kl_divergence(mean, log_variance)

    def _dropout_masks(self, pool: Any, picks: Any) -> list[Any]:
        scale = NOISE_LEVELS / (NOISE_LEVELS - self._threshold)
        kept = [
            ops.take(pool[:, :, :units], picks[index], axis=0) >= self._threshold
            for index, (_, units) in enumerate(self._masks)
        ]
        return [ops.where(mask, scale, 0.0) for mask in kept]

    def _noise(self, shape: tuple[int, ...]) -> np.ndarray:
        return self._rng.standard_normal((*shape, self._latent), dtype="float32")
