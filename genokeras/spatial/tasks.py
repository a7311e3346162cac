"""What networks answer, and how far off an answer is.

| symbol | meaning | shape |
|---|---|---|
| n, k | samples, outputs of a network | |
| targets | what is known of the samples: class numbers, or numbers | (n,) int, or (n, k) float |
| outputs | what a network says before its last step: logits, or standardised numbers | (n, k) |
| answers | what is handed out: probabilities, or numbers | (n, k) float64 |
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import keras
import numpy as np
from scipy.special import softmax

from genokeras.searchers import log_loss_rows
from genokeras.spatial.encoding import Counts
from genokeras.spatial.linear import fit_linear


class Task(ABC):
    """Classes or numbers."""

    kind: ClassVar[str]

    @property
    @abstractmethod
    def n_outputs(self) -> int:
        """Outputs of a network."""

    @abstractmethod
    def training_targets(self, targets: np.ndarray) -> np.ndarray:
        """``(n, k)`` float32, as the training loss takes them."""

    @abstractmethod
    def training_loss(self, label_smoothing: float) -> Any:
        """A Keras loss of a network's outputs."""

    @abstractmethod
    def answers(self, outputs: np.ndarray) -> np.ndarray:
        """``(n, k)`` float64 answers of a network's outputs."""

    @abstractmethod
    def answering(self, outputs: Any) -> Any:
        """The same of a Keras tensor, by stock layers."""

    @abstractmethod
    def row_losses(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """``(n,)`` how far off each answer is; networks stop training by the mean."""

    @abstractmethod
    def fit_linear(
        self,
        x: Counts,
        targets: np.ndarray,
        weight: np.ndarray,
        weight_decay: float,
        scale: bool,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> tuple[np.ndarray, np.ndarray, int]:
        """Kernel ``(p, k)`` and bias ``(k,)`` of a linear model's outputs, and the iterations it took."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """As JSON values, ``kind`` among them."""


@final
@dataclass(frozen=True)
class Classes(Task):
    """One of several classes: answers are probabilities, and the log loss says how far off they are."""

    n_classes: int
    kind: ClassVar[str] = "classes"

    @property
    def n_outputs(self) -> int:
        return self.n_classes

    def training_targets(self, targets: np.ndarray) -> np.ndarray:
        return np.eye(self.n_classes, dtype="float32")[targets]

    def training_loss(self, label_smoothing: float) -> Any:
        return keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=label_smoothing)

    def answers(self, outputs: np.ndarray) -> np.ndarray:
        return np.asarray(softmax(outputs.astype("float64"), axis=1))

    def answering(self, outputs: Any) -> Any:
        return keras.layers.Softmax()(outputs)

    def row_losses(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return log_loss_rows(answers, targets)

    def fit_linear(
        self,
        x: Counts,
        targets: np.ndarray,
        weight: np.ndarray,
        weight_decay: float,
        scale: bool,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> tuple[np.ndarray, np.ndarray, int]:
        return fit_linear(x, targets, weight, self.n_classes, weight_decay, scale, should_stop)

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "n_classes": self.n_classes}


def task_from_dict(data: Mapping[str, Any]) -> Task:
    """Read what ``Task.to_dict`` wrote; KeyError for an unknown kind."""
    return {Classes.kind: Classes}[data["kind"]](data["n_classes"])
