"""A custom task: counts, whose logarithm networks predict, by Poisson regression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import keras
import numpy as np
from keras import ops

from genokeras.errors import DataError
from genokeras.tasks.answers import NUMBERS
from genokeras.tasks.objectives import NUMBER_OBJECTIVES, Objective
from genokeras.tasks.task import Aim, Labelled, Task


def deviance_rows(answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """``2 (t log(t / a) - t + a)`` of each row, the mean over the targets."""
    answers = np.maximum(answers, 1e-9)
    logs = np.log(np.where(targets > 0, targets / answers, 1.0))
    return np.asarray(2 * (targets * logs - targets + answers).mean(-1))


def mean_deviance(answers: np.ndarray, targets: np.ndarray, w: np.ndarray) -> np.ndarray:
    return np.asarray((deviance_rows(answers, targets) * w).sum(-1) / w.sum(-1))


DEVIANCE = Objective("poisson_deviance", False, mean_deviance, deviance_rows, answers=NUMBERS)


@dataclass(frozen=True)
class PoissonCounts(Task):
    """Counts that are Poisson distributed about the exponential of a network's outputs."""

    k: int
    kind: ClassVar[str] = "poisson_counts"
    objectives: ClassVar[Mapping[str, Objective]] = {"poisson_deviance": DEVIANCE, **NUMBER_OBJECTIVES}
    default_objective: ClassVar[str] = "poisson_deviance"

    @classmethod
    def learn(cls, labels: Labelled) -> Aim:
        targets = _counts(labels)
        return Aim(cls(targets.shape[1]), targets, np.array(labels.names))

    def read(self, labels: Labelled, names: np.ndarray) -> np.ndarray:
        return _counts(labels)

    @property
    def n_outputs(self) -> int:
        return self.k

    def training_targets(self, targets: np.ndarray) -> np.ndarray:
        return targets.astype("float32")

    def row_loss(self, outputs: Any, targets: Any) -> Any:
        return ops.mean(ops.exp(outputs) - targets * outputs, axis=-1)

    def answers_of(self, outputs: np.ndarray) -> np.ndarray:
        return np.exp(outputs.astype("float64"))

    def answer_tensor(self, outputs: Any) -> Any:
        return keras.layers.Activation("exponential")(outputs)

    def row_losses(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return np.asarray((answers - targets * np.log(answers)).mean(-1))

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "k": self.k}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(data["k"])


def _counts(labels: Labelled) -> np.ndarray:
    numbers = np.asarray(labels.values, dtype="float64").reshape(len(labels.values), -1)
    if (numbers < 0).any() or (numbers != np.round(numbers)).any():
        raise DataError(f"{labels.source}: counts are whole numbers, 0 or more.")
    return numbers
