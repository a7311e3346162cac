"""What classifiers and regressors answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import Tags

from genokeras.encoders import TableEncoder
from genokeras.engine import Run
from genokeras.errors import ParameterError
from genokeras.estimators.base import SearchedEstimator
from genokeras.estimators.certainty import Certainty, certain_classes
from genokeras.estimators.class_options import class_factors, order_of, plain_options
from genokeras.estimators.class_plots import ClassPlots
from genokeras.estimators.content import Content, Training
from genokeras.estimators.label_sets import as_table, check_answerable, is_several, warn_of_column
from genokeras.estimators.number_plots import NumberPlots
from genokeras.tasks.classes import Classes
from genokeras.tasks.conformal import check_coverage, row_weights
from genokeras.tasks.labels import Labels
from genokeras.tasks.ordered import Ordered
from genokeras.tasks.task import Labelled, Task
from genokeras.tasks.threshold import Threshold, check_enough, read_aim

# A label is given where it is more probable than not.
HALF = 0.5


class ClassifierFace(ClassPlots, ClassifierMixin, SearchedEstimator):
    """Of classes."""

    default_task: ClassVar[str] = "classes"

    class_weight: Any
    threshold: Mapping[str, Any] | None
    ordered: Any

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        options = (self.class_weight, self.threshold, self.ordered)
        tags.classifier_tags.multi_label = all(option is None for option in options)
        return tags

    def _take(self, run: Run) -> None:
        super()._take(run)
        self.classes_ = run.names
        self._certainty = Certainty(run)

    def _asked(self) -> dict[str, Any]:
        more = plain_options(
            class_weight=self.class_weight, threshold=self.threshold, ordered=self.ordered or None
        )
        return {**super()._asked(), **more}

    def _task(self, x: Any, y: Any) -> type[Task]:
        asked = getattr(self, "task", None)
        if asked is None and is_several(y):
            return Labels
        if order_of(self.ordered, x, y) and asked in (None, Classes.kind):
            return Ordered
        return super()._task(x, y)

    def _labels(self, content: Content, x: Any, y: Any) -> Labelled:
        if self.content.name == TableEncoder.kind:  # Classic AutoKeras gave labels of images as columns.
            warn_of_column(y)
        check_answerable(y)
        return replace(super()._labels(content, x, as_table(y)), order=order_of(self.ordered, x, y))

    def _takes_several(self, y: Any) -> bool:
        return self._of_labels or is_several(y)

    def _tabled(self, y: Any, training: bool) -> Any:
        return as_table(y, None if training or not self._of_labels else self.classes_.tolist())

    def _checked(self, training: Training) -> Training:
        if self.threshold is not None:
            targets, known = training.aim.targets, [str(name) for name in training.aim.names]
            weight = row_weights(len(targets), training.groups, training.sample_weight, targets)
            check_enough(read_aim(self.threshold, known), targets, known, weight)
        return super()._checked(training)

    @property
    def _of_labels(self) -> bool:
        """Whether samples have any number of labels, in place of one class."""
        run: Run | None = getattr(self, "_run", None)
        return getattr(self, "task", None) == Labels.kind or (
            run is not None and run.task.kind == Labels.kind
        )

    def _factors(self, targets: np.ndarray, names: np.ndarray, weight: np.ndarray) -> np.ndarray | None:
        if targets.ndim > 1:
            given = list(
                plain_options(class_weight=self.class_weight, threshold=self.threshold, ordered=self.ordered)
            )
            if given:
                raise ParameterError(
                    f"{given[0]} is for samples of one class each, and these have any number of labels."
                )
            return None
        return None if self.class_weight is None else class_factors(self.class_weight, targets, names, weight)

    @property
    def threshold_(self) -> dict[str, Any] | None:
        """From which probability on a sample is called positive, and what comes of it; None without ``threshold``.

        Returns
        -------
        dict
            ``class``, ``value`` (the probability), ``sensitivity`` and ``specificity`` to expect on new samples, corrected for having chosen
            the threshold on the same rows, with ``sensitivity_interval`` and ``specificity_interval`` (95 %; NaN below five groups). The
            samples of a class count by their ``sample_weight``.
        """
        self._fitted()
        found = self._threshold()
        return None if found is None else found.described(self.classes_.tolist())

    def _check_trains_on(self, method: str) -> None:
        if self.threshold is not None:
            raise ParameterError(
                f"the threshold rests on predictions of samples that the model has not seen, and {method} trains on all of them: call "
                "set_params(threshold=None) first."
            )

    def _about(self) -> dict[str, Any]:
        return {} if self.threshold is None else {"threshold": self.threshold_}

    def _threshold(self) -> Threshold | None:
        return None if self.threshold is None else self._certainty.threshold(self.threshold)

    def _scores(self, answers: np.ndarray, targets: np.ndarray) -> dict[str, float]:
        threshold = self._threshold()
        found = super()._scores(answers, targets)
        return found if threshold is None else {**found, **threshold.reached(answers, targets)}

    def decide(self, probabilities: np.ndarray) -> np.ndarray:
        """The class of each sample ``(n_samples,)`` by probabilities that ``predict_proba`` gave; of labels 0 or 1 for each."""
        if self._of_labels:
            return (probabilities >= HALF).astype(np.int64)
        return np.asarray(self.classes_[self._decided(probabilities)])

    def _decided(self, probabilities: np.ndarray) -> np.ndarray:
        """``(n,)`` class numbers."""
        threshold = self._threshold()
        return probabilities.argmax(axis=1) if threshold is None else threshold.decided(probabilities)

    def predict_proba(self, x: Any, extra: Any = None) -> np.ndarray:
        """Class probabilities, ``(n_samples, n_classes)`` float32, columns in the order of ``classes_``.

        Named genes are matched by name, in any order; unnamed ones by position.

        Raises
        ------
        NotFittedError, DataError
        """
        self._fitted()
        return self._answers(self._read(x, None, None, extra))

    def predict_log_proba(self, x: Any, extra: Any = None) -> np.ndarray:
        """Natural logarithms of ``predict_proba``, ``(n_samples, n_classes)``; minus infinity where a probability is 0.

        Raises
        ------
        NotFittedError, DataError
        """
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.predict_proba(x, extra)))

    def predict(self, x: Any, extra: Any = None, *, abstain: float | None = None) -> np.ndarray:
        """Most probable class of each sample, ``(n_samples,)``; with ``threshold`` the class by that.

        Of labels that do not exclude each other 1 where one is more probable than not, else 0: ``(n_samples, n_labels)``.

        Parameters
        ----------
        x, extra : as in ``predict_proba``
        abstain : float, optional
            A coverage: a sample gets the one class of its set, and None where ``predict_set(x, abstain)`` has none or several, or where
            ``threshold`` says another class.

        Raises
        ------
        NotFittedError, DataError
        ParameterError
            As in ``predict_set``.
        """
        if abstain is not None:
            check_coverage(abstain, "abstain")
        self._fitted()
        probabilities = self.predict_proba(x, extra)
        if abstain is None:
            return self.decide(probabilities)
        certain = certain_classes(self._certainty.sets(probabilities, abstain, by_class=False), self.classes_)
        certain[certain != self.decide(probabilities)] = None
        return certain

    def predict_set(
        self, x: Any, coverage: float = 0.9, by_class: bool = False, extra: Any = None
    ) -> np.ndarray:
        """The classes that each sample may be of: the true one is among them with a probability of ``coverage``.

        A class belongs to the set where its probability is no lower than that of the true class of nine in ten (``coverage``) of the
        training samples, each answered by networks that had not seen it (cross-conformal prediction; Vovk 2015, Sadinle, Lei and
        Wasserman 2019). That holds for new samples of the same kind, whatever the model; with ``groups`` for samples of new groups. Training
        samples count by their ``sample_weight`` (Tibshirani et al. 2019), not by ``class_weight``.

        Parameters
        ----------
        x, extra : as in ``predict_proba``
        coverage : float, default=0.9
            Between 0 and 1.
        by_class : bool, default=False
            Whether the samples of each class by themselves are to be covered with this probability, rare ones too. A class with too few
            training samples for that belongs to every set.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), bool
            Columns in the order of ``classes_``. Sets of several classes say that the sample may be of any of them; empty ones
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
        """Accuracy of ``predict``, as scikit-learn's classifiers have it: of labels the share of samples with all of them right."""
        probabilities, codes, weight = self._weighted(x, y, extra, sample_weight)
        if self._of_labels:
            return float(Labels.objective("subset_accuracy").value(probabilities, codes, weight))
        return float(np.average(self._decided(probabilities) == codes, weights=weight))


class RegressorFace(NumberPlots, RegressorMixin, SearchedEstimator):
    """Of numbers."""

    default_task: ClassVar[str] = "numbers"
    several_targets: ClassVar[bool] = True

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

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
        for new samples of the same kind, whatever the model; with ``groups`` for samples of new groups. Training samples count by their
        ``sample_weight`` (Tibshirani et al. 2019).

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
        answers, targets, weight = self._weighted(x, y, extra, sample_weight)
        return self._fitted().task.objectives["r2"].value(answers, targets, weight)
