"""Several labels that a sample may have at once, each by itself: answers are the probability of each.

Notation
--------
======  =====================================================================  ==============
symbol  meaning                                                                shape
======  =====================================================================  ==============
k       labels
o       outputs of a network: the log odds of each label                       (..., n, k)
a       answers: ``sigmoid(o)``                                                (..., n, k)
t       targets: 1 where a sample has the label, else 0                        (n, k)
======  =====================================================================  ==============
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, final

import numpy as np
from keras import ops
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from genokeras.data import as_numbers
from genokeras.encoders.encoder import Counts
from genokeras.errors import DataError
from genokeras.support.wording import listed
from genokeras.tasks.answers import Answers, Evidence, Targets
from genokeras.tasks.calibration import Calibration
from genokeras.tasks.class_scores import SMALLEST_PROBABILITY
from genokeras.tasks.label_scores import (
    brier_rows,
    f1_macro,
    hamming_rows,
    log_loss_rows,
    roc_auc_macro,
    subset_rows,
)
from genokeras.tasks.linear import fit_binary
from genokeras.tasks.objectives import Objective, add_objectives, rows_mean
from genokeras.tasks.rows import Array
from genokeras.tasks.task import Aim, Labelled, LinearFit, RowLoss, Stop, Task, in_order

_LARGEST = 1.0 - SMALLEST_PROBABILITY


@final
class _LabelEvidence(Evidence):
    """The log loss; all labels of a row together count as one."""

    def __init__(self, stack: Array, targets: Array, w: Array) -> None:
        self._stack, self._targets, self._w = stack, targets, w

    def of_trials(self, members: NDArray[np.int64]) -> Array:
        return np.asarray(self._w @ log_loss_rows(self._stack[members], self._targets).T)

    def of_mixture(self, members: NDArray[np.int64], shares: Array) -> Array:
        mean = np.tensordot(shares, self._stack[members], axes=1)
        return np.asarray((self._w * log_loss_rows(mean, self._targets)).sum(-1))


@final
class LabelAnswers(Answers):
    """Answers are probabilities of labels that do not exclude each other."""

    kind = "labels"
    standard_metrics = ("roc_auc_macro", "f1_macro", "label_log_loss", "label_accuracy")
    shapes = ("probabilities (n_trials, n_samples, n_labels)", "targets (n_samples, n_labels)")

    def as_targets(self, targets: ArrayLike) -> NDArray[np.float64]:
        return np.asarray(targets, dtype=np.float64)

    def fit(self, answers: Array, targets: Targets) -> str | None:
        if targets.ndim != 2 or answers.shape[-2:] != targets.shape or not targets.size:
            return (
                "probabilities must have shape (..., n_samples, n_labels) and targets (n_samples, n_labels): "
                f"got {answers.shape} and {targets.shape}."
            )
        return None if np.isin(targets, (0, 1)).all() else "targets must be 0 or 1."

    def constant(self, targets: Targets, n_outputs: int, sample_weight: ArrayLike | None) -> Array:
        w = np.ones(len(targets)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        return np.broadcast_to(w @ targets / w.sum(), targets.shape)

    def strata(self, targets: Targets) -> NDArray[np.int64]:
        return np.zeros(len(targets), dtype=np.int64)

    def evidence(self, stack: Array, targets: Targets, w: Array) -> Evidence:
        return _LabelEvidence(stack, self.as_targets(targets), w)

    def calibration(self, answers: Array, targets: Targets, sample_weight: ArrayLike | None) -> Calibration:
        return Calibration()

    def sharpness(self, answers: Array, targets: Targets, sample_weight: ArrayLike | None) -> float:
        return 1.0


LABELS = LabelAnswers()
LABEL_OBJECTIVES: dict[str, Objective] = {
    objective.name: objective
    for objective in (
        Objective("label_log_loss", False, rows_mean(log_loss_rows), log_loss_rows, answers=LABELS),
        Objective("label_brier", False, rows_mean(brier_rows), brier_rows, answers=LABELS),
        Objective("roc_auc_macro", True, roc_auc_macro, answers=LABELS),
        Objective("f1_macro", True, f1_macro, answers=LABELS),
        Objective("label_accuracy", True, rows_mean(hamming_rows), hamming_rows, answers=LABELS),
        Objective("subset_accuracy", True, rows_mean(subset_rows), subset_rows, answers=LABELS),
    )
}
add_objectives(LABELS.kind, LABEL_OBJECTIVES)


@final
@dataclass(frozen=True)
class Labels(Task):
    """Several labels, of which a sample may have any number."""

    k: int
    kind: ClassVar[str] = "labels"
    answers: ClassVar[Answers] = LABELS
    objectives: ClassVar[Mapping[str, Objective]] = LABEL_OBJECTIVES
    default_objective: ClassVar[str] = "label_log_loss"
    names_key: ClassVar[str] = "labels"
    answers_name: ClassVar[str] = "probabilities"

    @classmethod
    def learn(cls, labels: Labelled) -> Aim:
        targets = _indicators(labels)
        if targets.shape[1] < 2:
            raise DataError(
                f"labels are two or more of which a sample may have any number ({labels.source}): got one column. "
                "For one class of each sample leave out task='labels'."
            )
        constant = np.flatnonzero(targets.min(axis=0) == targets.max(axis=0))
        if len(constant):
            said = listed((f"{labels.names[i]!r} ({targets[0, i]:g})" for i in constant), 8)
            raise DataError(
                f"these labels are the same for all samples ({labels.source}): {said}. Leave them out."
            )
        return Aim(cls(targets.shape[1]), targets, np.array(labels.names))

    def read(self, labels: Labelled, names: np.ndarray) -> np.ndarray:
        targets = _indicators(labels)
        if targets.shape[1] != self.k:
            raise DataError(
                f"y must say of {self.k} labels ({listed(names.tolist(), 8)}) whether each sample has them: got {targets.shape[1]} "
                f"({labels.source})."
            )
        return in_order(targets, labels, names)

    @property
    def n_outputs(self) -> int:
        return self.k

    def training_targets(self, targets: np.ndarray) -> np.ndarray:
        return np.asarray(targets, dtype="float32")

    def strata(self, targets: np.ndarray) -> np.ndarray | None:
        """Whether a sample has the label that fewest have or lack."""
        return targets[:, _rarest(targets)].astype(np.int64)

    def strata_names(self, targets: np.ndarray, names: Sequence[str]) -> list[str]:
        rarest = names[_rarest(targets)]
        return [f"label {rarest!r} = {value}" for value in (0, 1)]

    def row_loss(self, outputs: Any, targets: Any) -> Any:
        return ops.mean(ops.softplus(outputs) - targets * outputs, axis=-1)

    def training_loss(self, label_smoothing: float) -> Any:
        def loss(targets: Any, outputs: Any) -> Any:
            return self.row_loss(outputs, (1.0 - label_smoothing) * targets + 0.5 * label_smoothing)

        return RowLoss(loss)

    def answers_of(self, outputs: np.ndarray) -> np.ndarray:
        return np.asarray(expit(outputs.astype("float64")))

    def answer_tensor(self, outputs: Any) -> Any:
        # An Activation layer would bear the name of one within the networks that are merged.
        return ops.sigmoid(outputs)

    def explained(self, answers: Any) -> Any:
        bounded = ops.clip(answers, SMALLEST_PROBABILITY, _LARGEST)
        return ops.log(bounded) - ops.log(1.0 - bounded)

    def row_losses(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return log_loss_rows(answers, targets)

    def fit_linear(
        self,
        x: Counts,
        targets: np.ndarray,
        weight: np.ndarray,
        weight_decay: float,
        scaling: float,
        should_stop: Stop = lambda: False,
    ) -> LinearFit:
        """A logistic regression for each label."""
        fits = [fit_binary(x, column, weight, weight_decay, scaling, should_stop) for column in targets.T]
        kernels, biases, steps = zip(*fits, strict=True)
        return np.stack(kernels, axis=1), np.array(biases, dtype="float32"), max(steps)

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "n_labels": self.k}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(data["n_labels"])


def _indicators(labels: Labelled) -> np.ndarray:
    """``(n, k)`` float64 zeros and ones."""
    values = np.asarray(labels.values)
    numbers = as_numbers(values, labels.samples, labels.source, labels.names)
    odd = np.flatnonzero(~np.isin(numbers, (0, 1)).all(axis=1))
    if len(odd):
        named = listed((labels.samples[i] for i in odd), 8)
        raise DataError(
            f"labels are 1 where a sample has them and 0 where not ({labels.source}); other numbers stand at {named}. For numbers "
            "use a regressor."
        )
    return numbers


def _rarest(targets: np.ndarray) -> int:
    """The label that fewest samples have, or lack."""
    counts = targets.sum(axis=0)
    return int(np.minimum(counts, len(targets) - counts).argmin())
