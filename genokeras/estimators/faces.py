"""What classifiers and regressors answer."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin

from genokeras.engine import Run
from genokeras.estimators.base import SearchedEstimator
from genokeras.estimators.certainty import Certainty, certain_classes
from genokeras.tasks.conformal import check_coverage


class ClassifierFace(ClassifierMixin, SearchedEstimator):
    """Of classes."""

    default_task: ClassVar[str] = "classes"

    def _take(self, run: Run) -> None:
        super()._take(run)
        self.classes_ = run.names
        self._certainty = Certainty(run)

    def predict_proba(self, x: Any, extra: Any = None) -> np.ndarray:
        """Class probabilities, ``(n_samples, n_classes)`` float32, columns in the order of ``classes_``.

        Named genes are matched by name, in any order; unnamed ones by position.

        Raises
        ------
        NotFittedError, DataError
        """
        self._fitted()
        return self._answers(self._read(x, None, None, extra))

    def predict(self, x: Any, extra: Any = None, *, abstain: float | None = None) -> np.ndarray:
        """Most probable class of each sample, ``(n_samples,)``.

        Parameters
        ----------
        x, extra : as in ``predict_proba``
        abstain : float, optional
            A coverage: a sample gets the one class of its set, and None where ``predict_set(x, abstain)`` has none or several.

        Raises
        ------
        NotFittedError, DataError
        ParameterError
            As in ``predict_set``.
        """
        if abstain is not None:
            check_coverage(abstain, "abstain")
            return certain_classes(self.predict_set(x, abstain, extra=extra), self.classes_)
        most_probable = self.predict_proba(x, extra).argmax(axis=1)
        return np.asarray(self.classes_[most_probable])

    def predict_set(
        self, x: Any, coverage: float = 0.9, by_class: bool = False, extra: Any = None
    ) -> np.ndarray:
        """The classes that each sample may be of: the true one is among them with a probability of ``coverage``.

        A class belongs to the set where its probability is no lower than that of the true class of nine in ten (``coverage``) of the
        training samples, each answered by networks that had not seen it (cross-conformal prediction; Vovk 2015, Sadinle, Lei and
        Wasserman 2019). That holds for new samples of the same kind, whatever the model; with ``groups`` for samples of new groups.

        Parameters
        ----------
        x, extra : as in ``predict_proba``
        coverage : float, default=0.9
            Between 0 and 1.
        by_class : bool, default=False
            Whether the samples of each class by themselves are to be covered so often, rare ones too. A class with too few
            training samples for that belongs to every set.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), bool
            Columns in the order of ``classes_``. Sets of several classes say that the sample cannot be told between them; empty ones
            that it is like those of no class.

        Raises
        ------
        NotFittedError, DataError
        ParameterError
            If ``coverage`` is out of range or needs more samples than there are, or the model was trained on since the search.

        Examples
        --------
        >>> from genokeras import GenomeClassifier
        >>> clf = GenomeClassifier.load("runs/leukemia")  # doctest: +SKIP
        >>> [clf.classes_[row] for row in clf.predict_set("new.tsv", 0.95)]  # doctest: +SKIP
        """
        self._fitted()
        check_coverage(coverage)
        return self._certainty.sets(self.predict_proba(x, extra), coverage, by_class)

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
        self._certainty = Certainty(run)

    def predict(self, x: Any, extra: Any = None) -> np.ndarray:
        """Numbers in the units of the targets, ``(n_samples,)`` float64; of several targets ``(n_samples, n_targets)``.

        Raises
        ------
        NotFittedError, DataError
        """
        self._fitted()
        answers = self._answers(self._read(x, None, None, extra)).astype("float64")
        return answers[:, 0] if answers.shape[1] == 1 else answers

    def predict_interval(self, x: Any, coverage: float = 0.9, extra: Any = None) -> np.ndarray:
        """The numbers that each sample may have: the true one is between them with a probability of ``coverage``.

        The interval reaches as far from the prediction as the truth of nine in ten (``coverage``) training samples does at most, each
        predicted by networks that had not seen it (cross-conformal prediction; Vovk 2015, Barber et al. 2021). That holds
        for new samples of the same kind, whatever the model; with ``groups`` for samples of new groups.

        Parameters
        ----------
        x, extra : as in ``predict``
        coverage : float, default=0.9
            Between 0 and 1; of each target by itself where there are several.

        Returns
        -------
        ndarray of shape (n_samples, 2) or (n_samples, n_targets, 2)
            The least and the greatest number.

        Raises
        ------
        NotFittedError, DataError
        ParameterError
            If ``coverage`` is out of range or needs more samples than there are, or the model was trained on since the search.
        """
        self._fitted()
        check_coverage(coverage)
        answers = self._answers(self._read(x, None, None, extra))
        found = self._certainty.intervals(answers, coverage)
        return found[:, 0] if found.shape[1] == 1 else found

    def score(self, x: Any, y: Any = None, sample_weight: Any = None, extra: Any = None) -> float:
        """The share of the variance that is explained, R2, as scikit-learn's regressors have it."""
        answers, targets = self._scored(x, y, extra)
        return self._fitted().task.objectives["r2"].value(answers, targets, sample_weight)
