"""What all estimators do once their search is over, whatever their samples are."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin

from genokeras.engine.curves import history_table
from genokeras.engine.finished import FinishedSearch
from genokeras.engine.fitted import FinishedRun
from genokeras.errors import NotFittedError
from genokeras.estimators.exporting import export_run
from genokeras.support import RunFolder


class SearchedEstimator(BaseEstimator):
    """An estimator over a run folder; its children say how samples are read, searched and predicted."""

    random_state: int | None
    # What the numbers of a model are called in exports that name them.
    _answers_name: ClassVar[str]

    @classmethod
    @abstractmethod
    def _open(cls, folder: RunFolder) -> Any:
        """The run that a folder holds, delivered from the trials it has."""

    @abstractmethod
    def _examples(self) -> Any:
        """Inputs of the model, to compare an export on; None for random ones."""

    def _seed(self) -> int:
        """``random_state``, or a seed drawn by chance."""
        if self.random_state is None:
            return int(np.random.SeedSequence().entropy % 2**31)  # type: ignore[operator]
        return self.random_state

    def _forget(self) -> None:
        for name in [name for name in vars(self) if name.endswith("_") or name == "_run"]:
            delattr(self, name)

    def _take(self, run: Any) -> None:
        self._run = run
        self.estimate_ = run.delivery.estimate
        self.model_ = run.model
        self.path_ = run.folder.path
        self.n_trials_ = len(run.history)
        self.stop_reason_ = run.stop_reason
        self.notes_ = tuple(run.folder.settings["notes"])

    def _fitted(self) -> Any:
        run = getattr(self, "_run", None)
        if run is None:
            name = type(self).__name__
            raise NotFittedError(
                f"this {name} is not fitted yet: call fit(x, y), or {name}.load(path) for an earlier run."
            )
        return run

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_run")

    # ---- results

    @abstractmethod
    def load_searcher(self) -> FinishedSearch:
        """The search's history and graphs, as classic AutoKeras handed them out."""

    def get_best_model_id(self) -> int:
        """Id of the trial with the best out-of-fold score."""
        return self.load_searcher().get_best_model_id()

    @cached_property
    def history_(self) -> pd.DataFrame:
        """Learning curves of all trials, one row a scoring; see ``gk.plot_metric``.

        ``member`` is the trial, ``loss`` and ``val_loss`` are log losses on training and held-out rows (of regressors Huber losses
        and mean squared errors, of targets with a standard deviation of 1), and ``kept`` marks the step whose weights were taken; further ``step``, ``learning_rate`` (the peak), ``score``, ``share``, ``graph``. Where training
        goes by mini-batches, ``loss`` is theirs since the scoring before, label smoothing and augmentation included.
        """
        run: FinishedRun = self._fitted()
        return history_table(run)

    def export_keras_model(self, path: str | os.PathLike[str], format: str | None = None) -> Path:
        """Write the delivered model and, beside it, a JSON file with what it answers and reads.

        A ``.keras`` file loads with ``keras.saving.load_model`` where GenoKeras is not installed. Other formats give
        ``probabilities`` or ``numbers``; they are loaded again and compared with the model before they count.

        Parameters
        ----------
        path : path-like
        format : {"keras", "tf_saved_model", "onnx", "litert", "torchscript"}, optional
            By default told by the suffix (.keras, .onnx, .tflite, .pt); ``.keras`` is added to any other name.

        Returns
        -------
        pathlib.Path
            The file, or the folder of a ``tf_saved_model``.

        Raises
        ------
        ParameterError
            If there is no such format, or the backend cannot write it; the message says which it can.
        ExportError
            If the export cannot be written, or answers otherwise than the model. What was there before stays.
        """
        run = self._fitted()
        return export_run(run, run.model, path, format, self._examples, self._answers_name)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Copy the run folder, from which ``load`` restores everything."""
        return Path(self._fitted().folder.copy_to(path).path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Restore an estimator from its run folder, also from one that was interrupted.

        Raises
        ------
        RunFolderError
            If the folder holds no run, one of another kind of samples, or none of its trials was finished.
        """
        folder = RunFolder(path)
        held: Mapping[str, Any] = folder.settings
        run = cls._open(folder)
        known = held["searcher"] if held["searcher"] in ("bayesian", "random") else "bayesian"
        estimator = cls(
            path=str(path),
            time_limit=held["time_limit"],
            max_trials=held["max_trials"],
            searcher=known,
            random_state=held["seed"],
            **held["settings"],
        )
        estimator._take(run)
        return estimator


class SearchedClassifier(ClassifierMixin, SearchedEstimator):
    """Of classes."""

    _answers_name = "probabilities"

    def _take(self, run: Any) -> None:
        super()._take(run)
        self.classes_ = run.classes


def estimator_name(settings: Mapping[str, Any]) -> str:
    """Which estimator a run with these settings belongs to."""
    kind = str(settings.get("kind", "genome")).title()
    return f"{kind}{'Regressor' if settings.get('task') == 'numbers' else 'Classifier'}"
