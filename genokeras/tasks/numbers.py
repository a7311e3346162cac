"""Numbers: networks predict them standardised, which suits their rates and penalties; people get their units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, final

import keras
import numpy as np
from keras import ops

from genokeras.data import as_numbers, check_varied, few_values_note
from genokeras.encoders.encoder import Counts
from genokeras.errors import DataError
from genokeras.tasks.linear import fit_ridge, solve_ridge
from genokeras.tasks.task import Aim, Labelled, LinearFit, Stop, Task, in_order

# Penalty of an exact ridge regression for each unit of weight decay, which networks apply in small steps.
_RIDGE_PENALTY = 3.0


@final
@dataclass(frozen=True)
class Numbers(Task):
    """One or more numbers.

    In mini-batches networks train on the Huber loss, squared up to an error of one standard deviation and straight beyond it (Huber
    1964, Annals of Mathematical Statistics 35: 73-101), so that a few targets that are far off do not drag a batch. Where every step
    uses all rows the loss is the squared error, by which training stops in either case.

    Attributes
    ----------
    mean, sd : tuple of float
        ``(k,)`` of the training targets.
    """

    mean: tuple[float, ...]
    sd: tuple[float, ...]
    kind: ClassVar[str] = "numbers"

    @classmethod
    def learn(cls, labels: Labelled) -> Aim:
        targets = as_numbers(labels.values, labels.samples, labels.source, labels.names)
        check_varied(targets, labels.names, labels.source)
        return Aim(
            numbers_like(targets), targets, np.array(labels.names), few_values_note(targets, labels.names)
        )

    def read(self, labels: Labelled, names: np.ndarray) -> np.ndarray:
        targets = as_numbers(labels.values, labels.samples, labels.source, labels.names)
        if targets.shape[1] != len(names):
            raise DataError(
                f"y must have {len(names)} numbers for each sample ({', '.join(names)}): got {targets.shape[1]} "
                f"({labels.source})."
            )
        return in_order(targets, labels, names)

    @property
    def n_outputs(self) -> int:
        return len(self.mean)

    def training_targets(self, targets: np.ndarray) -> np.ndarray:
        return self._standardised(targets).astype("float32")

    def _standardised(self, targets: np.ndarray) -> np.ndarray:
        return (np.asarray(targets, dtype="float64") - self.mean) / self.sd

    def row_loss(self, outputs: Any, targets: Any) -> Any:
        return ops.mean(ops.square(outputs - targets), axis=-1)

    def training_loss(self, label_smoothing: float) -> Any:
        return keras.losses.Huber(delta=1.0)

    def answers_of(self, outputs: np.ndarray) -> np.ndarray:
        return np.asarray(outputs.astype("float64") * self.sd + self.mean)

    def answer_tensor(self, outputs: Any) -> Any:
        return keras.layers.Rescaling(list(self.sd), list(self.mean))(outputs)

    def row_losses(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """``(n,)`` squared error of standardised targets, averaged over the outputs."""
        return np.asarray((((answers - targets) / self.sd) ** 2).mean(axis=1))

    def fit_linear(
        self,
        x: Counts,
        targets: np.ndarray,
        weight: np.ndarray,
        weight_decay: float,
        scaling: float,
        should_stop: Stop = lambda: False,
    ) -> LinearFit:
        return fit_ridge(x, self._standardised(targets), weight, weight_decay, scaling)

    def solve_linear(
        self, z: np.ndarray, targets: np.ndarray, weight: np.ndarray, weight_decay: float
    ) -> tuple[np.ndarray, np.ndarray]:
        return solve_ridge(z, self._standardised(targets), weight, _RIDGE_PENALTY * weight_decay)

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "mean": list(self.mean), "sd": list(self.sd)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(tuple(data["mean"]), tuple(data["sd"]))


def numbers_like(targets: np.ndarray) -> Numbers:
    """The task of predicting numbers such as these, ``(n, k)``, none of which is the same for all rows."""
    mean, sd = targets.mean(axis=0), targets.std(axis=0)
    return Numbers(tuple(map(float, mean)), tuple(map(float, sd)))
