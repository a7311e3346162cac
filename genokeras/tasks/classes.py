"""Classes: answers are probabilities, and the log loss says how wrong they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, final

import keras
import numpy as np
from keras import ops
from scipy.special import softmax

from genokeras.data import encode_known_labels, encode_labels
from genokeras.encoders.encoder import Counts
from genokeras.errors import DataError
from genokeras.features import Matrix, Standardisation, anova_f
from genokeras.support.wording import counted, listed
from genokeras.tasks.answers import CLASSES, Answers
from genokeras.tasks.class_scores import log_loss_rows
from genokeras.tasks.linear import fit_logistic, solve_logistic
from genokeras.tasks.links import log_odds
from genokeras.tasks.objectives import OBJECTIVES, Objective
from genokeras.tasks.task import Aim, Labelled, LinearFit, Stop, Task

# A logistic regression is solved as long as one pass over the samples has no more multiplications than the last of these; beyond,
# mini-batches are quicker. The more, the fewer penalties are tried.
_PASSES = {1_000_000: (1.0, 0.3, 0.1, 0.03, 0.01), 5_000_000: (0.3, 0.1, 0.03), 30_000_000: (0.1,)}
# The penalty of a weight decay of 1: what suits tables lies further apart than weight decays of networks do.
_PENALTY = 0.3
_EVALUATED = ("accuracy", "balanced_accuracy", "log_loss", "roc_auc", "f1", "mcc")


@dataclass(frozen=True)
class ClassTask(Task):
    """What tasks have in common whose answers are probabilities of one of several classes.

    Attributes
    ----------
    n_classes : int
    """

    n_classes: int
    answers: ClassVar[Answers] = CLASSES
    objectives: ClassVar[Mapping[str, Objective]] = OBJECTIVES
    default_objective: ClassVar[str] = "log_loss"
    names_key: ClassVar[str] = "classes"
    answers_name: ClassVar[str] = "probabilities"

    def read(self, labels: Labelled, names: np.ndarray) -> np.ndarray:
        return encode_known_labels(labels.values, names, labels.source)

    def check_learnable(self, targets: np.ndarray, names: np.ndarray) -> tuple[str, ...]:
        counts = np.bincount(targets, minlength=len(names))
        there, lost = np.flatnonzero(counts), np.flatnonzero(counts == 0)
        if len(there) < 2:
            only = f"only {str(names[there[0]])!r}, " if len(there) else ""
            raise DataError(
                f"training needs samples of at least 2 classes: got {only}{counted(len(targets), 'sample')}. The model is left as it was."
            )
        if not len(lost):
            return ()
        said = listed((repr(str(names[i])) for i in lost), 8)
        return (f"No sample is of {said}: a model that trains on these alone hardly ever predicts it.",)

    @property
    def n_outputs(self) -> int:
        return self.n_classes

    def training_targets(self, targets: np.ndarray) -> np.ndarray:
        return np.eye(self.n_classes, dtype="float32")[targets]

    def strata(self, targets: np.ndarray) -> np.ndarray | None:
        return targets

    def kinds(self, targets: np.ndarray) -> np.ndarray:
        return targets

    def described(self, targets: np.ndarray, names: np.ndarray) -> dict[str, Any]:
        counts = np.bincount(targets, minlength=len(names))
        return {**super().described(targets, names), "class_counts": counts.tolist()}

    def explained(self, answers: Any) -> Any:
        return log_odds(answers)

    def row_losses(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return log_loss_rows(answers, targets)

    def evaluated(self) -> tuple[str, ...]:
        return _EVALUATED

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "n_classes": self.n_classes}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(data["n_classes"])


@final
@dataclass(frozen=True)
class Classes(ClassTask):
    """One of several classes."""

    kind: ClassVar[str] = "classes"

    @classmethod
    def learn(cls, labels: Labelled) -> Aim:
        known = encode_labels(labels.values, labels.source)
        return Aim(cls(known.n_classes), known.codes, known.classes, known.notes)

    def screen(
        self, x: Matrix, scaling: Standardisation, targets: np.ndarray, train: np.ndarray
    ) -> np.ndarray:
        return anova_f(x, scaling, targets, train)

    def responses(self, targets: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Columns of 0 and 1, rare classes counting as much as common ones."""
        shares = np.bincount(targets, weight, minlength=self.n_classes) / weight.sum()
        return np.eye(self.n_classes)[targets] / np.sqrt(np.maximum(shares, 1e-9))

    def row_loss(self, outputs: Any, targets: Any) -> Any:
        return -ops.sum(targets * ops.log_softmax(outputs, axis=-1), axis=-1)

    def training_loss(self, label_smoothing: float) -> Any:
        return keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=label_smoothing)

    def answers_of(self, outputs: np.ndarray) -> np.ndarray:
        return np.asarray(softmax(outputs.astype("float64"), axis=-1))

    def answer_tensor(self, outputs: Any) -> Any:
        return keras.layers.Softmax()(outputs)

    def fit_linear(
        self,
        x: Counts,
        targets: np.ndarray,
        weight: np.ndarray,
        weight_decay: float,
        scaling: float,
        should_stop: Stop = lambda: False,
    ) -> LinearFit:
        return fit_logistic(x, targets, weight, self.n_classes, weight_decay, scaling, should_stop)

    def solves_linear(self, n_samples: int, width: int) -> bool:
        return n_samples * width * self.n_classes <= max(_PASSES)

    def solved_decays(self, n_samples: int, width: int) -> tuple[float, ...]:
        size = n_samples * width * self.n_classes
        return next((decays for most, decays in _PASSES.items() if size <= most), ())

    def solve_linear(
        self, z: np.ndarray, targets: np.ndarray, weight: np.ndarray, weight_decay: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """As `Task.solve_linear`; weight decays of .01 to 1 are penalties of .00003 to .3."""
        return solve_logistic(z, targets, weight, self.n_classes, _PENALTY * weight_decay**2)
