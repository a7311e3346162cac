"""What transfer minimises: the loss of a linear head on latent means, alone or together with the encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from keras import ops

from genokeras.training.descent_objective import DescentObjective

ENCODER_RATE_FACTOR = 0.1


@dataclass(frozen=True, eq=False)
class LatentData:
    """Latent means ``(n, latent)`` and targets ``(n, outputs)`` of the training and of the validation rows."""

    train: np.ndarray
    validation: np.ndarray
    targets: np.ndarray
    validation_targets: np.ndarray


@final
class Probe(DescentObjective):
    """A linear head on latent means: cross-entropy, or the mean squared error of standardised targets.

    Latent means and numbers to predict are standardised on the training rows here; `head` takes that back.

    Parameters
    ----------
    data : LatentData
    regression : bool
    """

    score_names = ("loss",)

    def __init__(self, data: LatentData, *, regression: bool) -> None:
        self.regression = regression
        self._mean, self._sd = _moments(data.train)
        unscaled = np.zeros(1, "float32"), np.ones(1, "float32")
        self._target_mean, self._target_sd = _moments(data.targets) if regression else unscaled
        self._data = data
        latent, outputs = data.train.shape[1], data.targets.shape[1]
        self.weights = [np.zeros((1, latent, outputs), "float32"), np.zeros((1, 1, outputs), "float32")]
        self.rate_factors = [1.0, 1.0]
        self.n_rows = len(data.train)

    def shared_constants(self) -> dict[str, np.ndarray]:
        """What the head needs wherever the latent means come from."""
        return {
            "mean": self._mean[None],
            "sd": self._sd[None],
            "targets": self._scaled(self._data.targets),
            "validation_targets": self._scaled(self._data.validation_targets),
        }

    def constants(self) -> dict[str, np.ndarray]:
        """Latent means and targets."""
        return {
            "train": self._data.train.astype("float32"),
            "validation": self._data.validation.astype("float32"),
            **self.shared_constants(),
        }

    def loss(self, weights: list[Any], constants: dict[str, Any], drawn: list[Any], position: Any) -> Any:
        """Mean loss of a mini-batch."""
        rows = ops.take(drawn[0], position, axis=0)
        x, y = (ops.take(constants[name], rows, axis=0) for name in ("train", "targets"))
        return self.head_loss(weights, constants, x, y)

    def score(self, weights: list[Any], constants: dict[str, Any]) -> Any:
        """Mean loss of the validation rows."""
        return ops.stack(
            [self.head_loss(weights, constants, constants["validation"], constants["validation_targets"])]
        )

    def head_loss(self, weights: list[Any], constants: dict[str, Any], latent: Any, targets: Any) -> Any:
        """Mean loss of the head on latent means ``(rows, latent)``."""
        kernel, bias = weights
        scaled = (latent - constants["mean"]) / constants["sd"]
        outputs = ops.matmul(scaled, kernel[0]) + bias[0]
        if self.regression:
            return ops.mean(ops.square(outputs - targets))
        return -ops.mean(ops.sum(targets * ops.log_softmax(outputs, axis=-1), axis=-1))

    def head(self, weights: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Kernel and bias of the head on latent means as they come, to targets as they came."""
        kernel = weights[0][0] / self._sd[:, None] * self._target_sd
        bias = weights[1][0, 0] * self._target_sd + self._target_mean - self._mean @ kernel
        return kernel.astype("float32"), bias.astype("float32")

    def _scaled(self, targets: np.ndarray) -> np.ndarray:
        return ((targets - self._target_mean) / self._target_sd).astype("float32")


@dataclass(frozen=True, eq=False)
class TransferredWeights:
    """Trained weights: of the head, of the encoder's layers by name, and what its first layer gained.

    Attributes
    ----------
    head : list of numpy.ndarray
    layers : dict
    added : numpy.ndarray
        ``(r, h)`` on the row space of the training rows.
    added_bias : numpy.ndarray
        ``(h,)``.
    """

    head: list[np.ndarray]
    layers: dict[str, list[np.ndarray]]
    added: np.ndarray
    added_bias: np.ndarray


@final
class FineTuning(DescentObjective):
    """The head together with the encoder behind it, whose weights move at a tenth of the rate.

    Parameters
    ----------
    probe : Probe
    head : list of numpy.ndarray
        Its trained weights.
    rest : keras.Model
        The encoder behind its first layer.
    parts : list of two tuples of numpy.ndarray
        Of the training and of the validation rows: outputs of the first layer ``(n, h)``, rows in row space ``(n, r)``.
    """

    score_names = ("loss",)

    def __init__(
        self, probe: Probe, head: list[np.ndarray], rest: Any, parts: list[tuple[np.ndarray, np.ndarray]]
    ) -> None:
        self._probe, self._rest, self._parts = probe, rest, parts
        hidden, rank = parts[0][0].shape[1], parts[0][1].shape[1]
        added = [np.zeros((1, rank, hidden), "float32"), np.zeros((1, 1, hidden), "float32")]
        kept = [np.asarray(ops.convert_to_numpy(v.value))[None] for v in rest.trainable_variables]
        self.weights = [*head, *added, *kept]
        self.rate_factors = [1.0, 1.0, *[ENCODER_RATE_FACTOR] * (len(added) + len(kept))]
        self.n_rows = probe.n_rows

    def constants(self) -> dict[str, np.ndarray]:
        """What the first layer gives, the rows in row space, and the targets."""
        named = {
            f"{which}_{name}": np.asarray(part, dtype="float32")
            for which, parts in zip(("train", "validation"), self._parts, strict=True)
            for name, part in zip(("stem", "rows"), parts, strict=True)
        }
        return {**named, **self._probe.shared_constants()}

    def loss(self, weights: list[Any], constants: dict[str, Any], drawn: list[Any], position: Any) -> Any:
        """Mean loss of a mini-batch."""
        rows = ops.take(drawn[0], position, axis=0)
        stem, z, targets = (
            ops.take(constants[name], rows, axis=0) for name in ("train_stem", "train_rows", "targets")
        )
        return self._probe.head_loss(weights[:2], constants, self._latent(weights, stem, z), targets)

    def score(self, weights: list[Any], constants: dict[str, Any]) -> Any:
        """Mean loss of the validation rows."""
        latent = self._latent(weights, constants["validation_stem"], constants["validation_rows"])
        return ops.stack(
            [self._probe.head_loss(weights[:2], constants, latent, constants["validation_targets"])]
        )

    def split(self, weights: list[np.ndarray]) -> TransferredWeights:
        """Trained weights, by where they belong."""
        arrays = iter(weights[4:])
        layers = {
            layer.name: [next(arrays)[0] for _ in layer.trainable_variables]
            for layer in self._rest.layers
            if layer.trainable_variables
        }
        return TransferredWeights(weights[:2], layers, weights[2][0], weights[3][0, 0])

    def _latent(self, weights: list[Any], stem: Any, rows: Any) -> Any:
        added, bias = weights[2:4]
        moved = stem + ops.matmul(rows, added[0]) + bias[0]
        # Without dropout, so that there is no random state to carry; the small rate and the early stop keep it in check.
        outputs, _ = self._rest.stateless_call([w[0] for w in weights[4:]], [], moved, training=False)
        return outputs


def one_hot(codes: np.ndarray, n_classes: int) -> np.ndarray:
    """``(n,)`` class numbers -> ``(n, n_classes)`` float32."""
    return np.eye(n_classes, dtype="float32")[codes]


def _moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each column, float32; 1 where a column is constant."""
    sd = values.std(axis=0)
    return values.mean(axis=0).astype("float32"), np.where(sd > 0, sd, 1.0).astype("float32")
