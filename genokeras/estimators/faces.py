"""What classifiers and regressors answer."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin

from genokeras.engine import Run
from genokeras.estimators.base import SearchedEstimator


class ClassifierFace(ClassifierMixin, SearchedEstimator):
    """Of classes."""

    default_task: ClassVar[str] = "classes"

    def _take(self, run: Run) -> None:
        super()._take(run)
        self.classes_ = run.names

    def predict_proba(self, x: Any, extra: Any = None) -> np.ndarray:
        """Class probabilities, ``(n_samples, n_classes)`` float32, columns in the order of ``classes_``.

        Named genes are matched by name, in any order; unnamed ones by position.

        Raises
        ------
        NotFittedError, DataError
        """
        self._fitted()
        return self._answers(self._read(x, None, None, extra))

    def predict(self, x: Any, extra: Any = None) -> np.ndarray:
        """Most probable class of each sample, ``(n_samples,)``."""
        most_probable = self.predict_proba(x, extra).argmax(axis=1)
        return np.asarray(self.classes_[most_probable])

    def score(self, x: Any, y: Any = None, sample_weight: Any = None, extra: Any = None) -> float:
        """Accuracy, as scikit-learn's classifiers have it."""
        probabilities, codes = self._scored(x, y, extra)
        return float(np.average(probabilities.argmax(axis=1) == codes, weights=sample_weight))


class RegressorFace(RegressorMixin, SearchedEstimator):
    """Of numbers."""

    default_task: ClassVar[str] = "numbers"
    several_targets: ClassVar[bool] = True

    def _take(self, run: Run) -> None:
        super()._take(run)
        self.targets_ = tuple(str(name) for name in run.names)

    def predict(self, x: Any, extra: Any = None) -> np.ndarray:
        """Numbers in the units of the targets, ``(n_samples,)`` float64; of several targets ``(n_samples, n_targets)``.

        Raises
        ------
        NotFittedError, DataError
        """
        self._fitted()
        answers = self._answers(self._read(x, None, None, extra)).astype("float64")
        return answers[:, 0] if answers.shape[1] == 1 else answers

    def score(self, x: Any, y: Any = None, sample_weight: Any = None, extra: Any = None) -> float:
        """The share of the variance that is explained, R2, as scikit-learn's regressors have it."""
        answers, targets = self._scored(x, y, extra)
        return self._fitted().task.objectives["r2"].value(answers, targets, sample_weight)
