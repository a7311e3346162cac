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

from genokeras.encoders.encoder import Counts, LinearView
from genokeras.tasks.class_scores import log_loss_rows
from genokeras.tasks.linear import fit_linear, fit_ridge
from genokeras.tasks.links import log_odds


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

    def explained(self, answers: Any) -> Any:
        """``(n, k)`` what explanations take differences of, of answers as a tensor: these themselves."""
        return answers

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
        scaling: float,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> tuple[np.ndarray, np.ndarray, int]:
        """Kernel ``(p, k)`` and bias ``(k,)`` of a linear model's outputs, and the iterations it took."""

    def fit_view(
        self,
        view: LinearView,
        counts: Counts,
        targets: np.ndarray,
        weight: np.ndarray,
        weight_decay: float,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> tuple[np.ndarray, np.ndarray, int]:
        """The same, of a linear model that has one view of the counts; columns it does not read weigh 0."""
        read = counts[:, : view.n_columns]
        kernel, bias, steps = self.fit_linear(read, targets, weight, weight_decay, view.scaling, should_stop)
        return np.pad(kernel, ((0, counts.shape[1] - len(kernel)), (0, 0))), bias, steps

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

    def explained(self, answers: Any) -> Any:
        return log_odds(answers)

    def row_losses(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return log_loss_rows(answers, targets)

    def fit_linear(
        self,
        x: Counts,
        targets: np.ndarray,
        weight: np.ndarray,
        weight_decay: float,
        scaling: float,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> tuple[np.ndarray, np.ndarray, int]:
        return fit_linear(x, targets, weight, self.n_classes, weight_decay, scaling, should_stop)

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "n_classes": self.n_classes}


@final
@dataclass(frozen=True)
class Numbers(Task):
    """One or more numbers: networks answer them standardised, which suits their rates and penalties; people get their units.

    Networks train on the Huber loss, squared up to an error of one standard deviation and straight beyond it (Huber 1964, Annals of
    Mathematical Statistics 35: 73-101): a few targets that are far off do not drag a mini-batch. What is near counts as in the
    squared error, by which training stops.

    Attributes
    ----------
    mean, sd : tuple of float
        ``(k,)`` of the training targets.
    """

    mean: tuple[float, ...]
    sd: tuple[float, ...]
    kind: ClassVar[str] = "numbers"

    @property
    def n_outputs(self) -> int:
        return len(self.mean)

    def training_targets(self, targets: np.ndarray) -> np.ndarray:
        return self._standardised(targets).astype("float32")

    def _standardised(self, targets: np.ndarray) -> np.ndarray:
        return (np.asarray(targets, dtype="float64") - self.mean) / self.sd

    def training_loss(self, label_smoothing: float) -> Any:
        return keras.losses.Huber(delta=1.0)

    def answers(self, outputs: np.ndarray) -> np.ndarray:
        return np.asarray(outputs.astype("float64") * self.sd + self.mean)

    def answering(self, outputs: Any) -> Any:
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
        should_stop: Callable[[], bool] = lambda: False,
    ) -> tuple[np.ndarray, np.ndarray, int]:
        return fit_ridge(x, self._standardised(targets), weight, weight_decay, scaling)

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "mean": list(self.mean), "sd": list(self.sd)}


def numbers_like(targets: np.ndarray) -> Numbers:
    """The task of answering numbers such as these, ``(n, k)``, none of which is the same for all rows."""
    mean, sd = targets.mean(axis=0), targets.std(axis=0)
    return Numbers(tuple(map(float, mean)), tuple(map(float, sd)))


def task_from_dict(data: Mapping[str, Any]) -> Task:
    """Read what ``Task.to_dict`` wrote; KeyError for an unknown kind."""
    if data["kind"] == Numbers.kind:
        return Numbers(tuple(data["mean"]), tuple(data["sd"]))
    return {Classes.kind: Classes}[data["kind"]](data["n_classes"])
