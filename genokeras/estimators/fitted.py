"""What an estimator knows once it was fitted: its run, and what that can show, write and restore."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import pandas as pd

from genokeras.engine import Run, history_table, open_run
from genokeras.engine.afterwards import done_since
from genokeras.engine.faces import estimator_name, face_of, run_words
from genokeras.errors import NotFittedError, RunFolderError
from genokeras.estimators.content import ContentKind
from genokeras.estimators.displayed import Displayed
from genokeras.estimators.exporting import export_run
from genokeras.estimators.finished import FinishedSearch
from genokeras.estimators.own_metrics import scored_metrics
from genokeras.estimators.plotting import RunPlots
from genokeras.estimators.tables import leaderboard
from genokeras.estimators.tags import Tagged
from genokeras.support import RunFolder
from genokeras.visible import visible


class FittedEstimator(RunPlots, Displayed, Tagged):
    """An estimator over a run folder that was made or is read; its children fit and predict."""

    content: ClassVar[ContentKind]
    default_task: ClassVar[str]
    metrics: Any

    @property
    def _samples_kind(self) -> str:
        return self.content.name

    def _forget(self) -> None:
        for name in [name for name in vars(self) if name.endswith("_") or name in ("_run", "_certainty")]:
            delattr(self, name)

    def _take(self, run: Run) -> None:
        self._run = run
        self.estimate_ = run.delivery.estimate
        self.model_ = run.model
        self.path_ = run.folder.path
        self.n_trials_ = len(run.history)
        self.growth_ = run.growth
        self.stop_reason_ = run.stop_reason
        self.notes_ = tuple(visible(note) for note in run.folder.settings["notes"])

    def _fitted(self) -> Run:
        run: Run | None = getattr(self, "_run", None)
        if run is not None:
            return run
        name = type(self).__name__
        raise NotFittedError(f"this {name} is not fitted yet: call fit(x, y), or {name}.load(path) first.")

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_run")

    def leaderboard(self) -> pd.DataFrame:
        """One row a trial, best first.

        Returns
        -------
        DataFrame
            ``rank``, ``model_id``, ``father``, ``origin`` (``"design"``, morphisms as ``"add_input+widen"``, ``"settings"``,
            ``"replicate"``), ``generation``, ``score``, its standard error ``se``, ``gap`` to the best linear trial (positive is
            better), ``parameters``, ``seconds``, ``graph``, ``views``, hyper-parameters, ``share`` in the delivered ensemble; of
            mini-batch training ``rung``: how often a trial was sent on to train longer. ``metrics`` of the estimator have a column each,
            out of fold, behind ``gap``.
        """
        run = self._fitted()
        return leaderboard(run, scored_metrics(self.metrics, run.task, run.names))

    def load_searcher(self) -> FinishedSearch:
        """The search's history and graphs, as classic AutoKeras handed them out."""
        return FinishedSearch(self._fitted())

    def get_best_model_id(self) -> int:
        """Id of the trial with the best out-of-fold score."""
        return self.load_searcher().get_best_model_id()

    @cached_property
    def history_(self) -> pd.DataFrame:
        """Learning curves of all trials, one row a scoring; see ``gk.plot_metric``.

        ``member`` is the trial, ``loss`` and ``val_loss`` are losses on training and held-out rows (log losses of classes; of
        numbers squared errors of targets with a standard deviation of 1, or Huber losses in mini-batches), and ``kept`` marks the step
        whose weights were taken; further ``step``, ``learning_rate`` (the peak), ``score``, ``share``, ``graph``. Where training
        goes by mini-batches, ``loss`` is theirs since the scoring before, label smoothing and augmentation included.
        """
        return history_table(self._fitted())

    def export_keras_model(self, path: str | os.PathLike[str], format: str | None = None) -> Path:
        """Write the delivered model and, beside it, a JSON file with what it answers and reads.

        A ``.keras`` file loads with ``keras.saving.load_model`` where GenoKeras is not installed. Other formats give
        ``probabilities`` or ``numbers``; they are loaded again and compared with the model before they count.

        Parameters
        ----------
        path : path-like
        format : {"keras", "tf_saved_model", "onnx", "litert", "torchscript"}, optional
            By default of the suffix (.keras, .onnx, .tflite, .pt); ``.keras`` is added to a name without one. What has digits, as in
            ``model.v2``, belongs to the name; any other suffix is refused.

        Returns
        -------
        pathlib.Path
            The file, or the folder of a ``tf_saved_model``.

        Raises
        ------
        ParameterError
            If there is no such format or suffix, or the backend cannot write it; the message says which it can.
        ExportError
            If the export cannot be written, or answers otherwise than the model. What was there before stays.
        """
        return export_run(self._fitted(), path, format, self._examples, self._about())

    def _about(self) -> dict[str, Any]:
        """Further entries of the file beside an exported model."""
        return {}

    @abstractmethod
    def _examples(self) -> Any:
        """Inputs of the model, to compare an export on; None for random ones."""

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
        if not cls._reads(held):
            raise RunFolderError(
                f"{str(folder.path)!r} holds a run of {run_words(held)}, which {cls.__name__} cannot load; "
                f"{estimator_name(held)}.load(path) can."
            )
        run = open_run(folder)
        known = held["searcher"] if held["searcher"] in ("bayesian", "random") else "bayesian"
        estimator = cls(
            path=str(path),
            time_limit=held["time_limit"],
            max_trials=held["max_trials"],
            searcher=known,
            random_state=held["seed"],
            **held["settings"],
            **cls._restored(run),
        )
        estimator._take(run)
        for name, value in done_since(run).items():
            setattr(estimator, f"{name}_", value)
        return estimator

    @classmethod
    def _reads(cls, settings: Mapping[str, Any]) -> bool:
        kind, task = settings.get("kind") or "genome", settings.get("task", "classes")
        return bool(kind == cls.content.name) and face_of(task) == face_of(cls.default_task)

    @classmethod
    def _restored(cls, run: Run) -> dict[str, Any]:
        """Further parameters of a run that is loaded."""
        return {}
