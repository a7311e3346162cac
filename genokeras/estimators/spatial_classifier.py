"""What the classifiers of sequences, images and texts have in common."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from genokeras.data import Folds, encode_known_labels, encode_labels, make_folds
from genokeras.engine import split
from genokeras.engine.spatial_fit import SpatialSettings
from genokeras.engine.spatial_start import Aim
from genokeras.estimators.base import SearchedClassifier
from genokeras.estimators.content import Content
from genokeras.estimators.fine_tuning import check_fine_tuning, fine_tune_run
from genokeras.estimators.spatial_base import SpatialEstimator, labels_of
from genokeras.estimators.tables import scores
from genokeras.tasks.classes import Classes
from genokeras.training import Samples

# A fifth is held out.
_PARTS = 5


class SpatialClassifier(SearchedClassifier, SpatialEstimator):
    """A classifier whose networks are convolutional; see its children for parameters and attributes."""

    answers = Classes.kind

    def _aim(self, data: Content, y: Any) -> Aim:
        labels = encode_labels(labels_of(data), data.source)
        return Aim(Classes(labels.n_classes), labels.codes, labels.codes, labels.classes)

    def _targets(self, data: Content, names: np.ndarray) -> np.ndarray:
        return encode_known_labels(labels_of(data), names, data.source)

    def _folds(self, aim: Aim, groups: np.ndarray | None, settings: SpatialSettings, places: int) -> Folds:
        names = [str(name) for name in aim.names]
        return split(aim.targets, groups, settings.folds, settings.seed, names, places)

    def fine_tune(
        self,
        x: Any,
        y: Any = None,
        *,
        epochs: int = 5,
        learning_rate: float = 1e-5,
        validation_data: tuple[Any, ...] | None = None,
        groups: Any = None,
        extra: Any = None,
    ) -> Self:
        """Train the delivered model on, its backbone included, and keep the epoch that is best on held-out samples.

        Where no epoch is better than the model was, it stays. ``estimate_`` still tells of the search with the frozen backbone;
        ``fine_tuning_`` has the log losses before and after. Samples that the search saw flatter both.

        Parameters
        ----------
        x, y, groups, extra : as in ``fit``
        epochs : int, default=5
        learning_rate : float, default=1e-5
            Of AdamW.
        validation_data : (x, y) or (x, y, extra), optional
            What is held out; a stratified fifth of the samples by default, whole groups where there are any.

        Raises
        ------
        ParameterError
            If there is no backbone.
        NotFittedError, DataError
        """
        run = self._fitted()
        check_fine_tuning(run, epochs, learning_rate)
        data = self._read(x, y, groups, extra, True)
        train = self._samples(data)
        if validation_data is None:
            folds = make_folds(
                train.targets, _PARTS, groups=data.groups, seed=int(run.folder.settings["seed"])
            )
            train, held = train.take(folds.train[0]), train.take(folds.held_out[0])
        else:
            held = self._samples(self._validation(validation_data))
        done = fine_tune_run(run, train, held, epochs, learning_rate)
        self._take(done.run)
        self.fine_tuning_ = done.note
        return self

    def _samples(self, data: Content) -> Samples:
        """Samples as the delivered model reads them."""
        run = self._fitted()
        encoder, targets = run.problem.encoder.reader, self._targets(data, run.names)
        return Samples(run.problem.task, encoder, encoder.rows(data), targets, np.ones(len(targets)))

    def predict_proba(self, x: Any, extra: Any = None) -> np.ndarray:
        """Class probabilities, ``(n_samples, n_classes)`` float32, columns in the order of ``classes_``.

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

    def evaluate(self, x: Any, y: Any = None, extra: Any = None) -> dict[str, float]:
        """Scores on labelled samples that ``fit`` has not seen.

        Returns
        -------
        dict
            ``accuracy``, ``balanced_accuracy``, ``log_loss``, ``roc_auc`` (NaN where a class has no sample), ``f1``,
            ``mcc``.
        """
        return scores(*self._scored(x, y, extra))
