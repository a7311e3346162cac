"""What a module can do once it has a run: predict, score, hand out its network, come back from its folder."""

from __future__ import annotations

import os
from abc import ABC
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import keras
import numpy as np
import pandas as pd

from genokeras.encoders import ArrayEncoder, checked_answers, predict
from genokeras.engine import LoadedGraph, Run, history_table, load_trial_graph, open_run
from genokeras.engine.problem_files import read_task_of
from genokeras.errors import DataError, NotFittedError, ParameterError, RunFolderError
from genokeras.estimators.exporting import export_run
from genokeras.estimators.finished import FinishedSearch
from genokeras.modules.losses import known_loss, regression_loss, targets_of
from genokeras.modules.metrics import objective_again
from genokeras.modules.reading import Pairs, read_pairs
from genokeras.support import RunFolder
from genokeras.support.precision import single_precision
from genokeras.tasks.calibration import Calibration
from genokeras.tasks.loss import LossTask

_EXAMPLES = 32


class FittedModule(ABC):
    """A module over its run; see ``MlpModule`` for parameters and attributes."""

    kind: ClassVar[str]

    def __init__(
        self,
        loss: Any,
        metric: Any,
        searcher_args: Mapping[str, Any] | None = None,
        path: str | os.PathLike[str] | None = None,
        verbose: bool = False,
        *,
        search_type: Any = None,
        random_state: int | None = None,
    ) -> None:
        self.loss = loss
        self.metric = metric
        self.searcher_args = searcher_args
        self.path = path
        self.verbose = verbose
        self.search_type = search_type
        self.random_state = random_state
        self.final_evaluation_: dict[str, float] | None = None
        self._run: Run | None = None

    # ---- predicting

    def predict(self, data: Any) -> np.ndarray:
        """Answers to samples.

        Parameters
        ----------
        data : array of shape (n_samples, ...), or as in ``fit``
            Targets that come along are not looked at.

        Returns
        -------
        ndarray of shape (n_samples, n_output_node)
            Float32. Probabilities of classes, or of each output with a binary cross-entropy; with any other loss the outputs.

        Raises
        ------
        NotFittedError, DataError
        """
        return self._answers(self._read(data, "data", labelled=False))

    def evaluate(self, data: Any) -> dict[str, float]:
        """``loss`` and the metric, by its name, on samples with targets.

        Parameters
        ----------
        data : as in ``fit``

        Raises
        ------
        NotFittedError, DataError, ParameterError
        """
        return self._score(self._read(data, "data"))

    def _score(self, pairs: Pairs) -> dict[str, float]:
        run = self._fitted()
        task = run.problem.task
        targets = targets_of(task, pairs, run.problem.targets)
        answers = self._answers(pairs).astype("float64")
        if isinstance(task, LossTask) and task.loss is None:
            raise ParameterError("the loss of this run is a function: give it again, load(path, loss=...).")
        loss = float(task.row_losses(answers, targets).mean())
        return {"loss": loss, run.objective.name: run.objective.value(answers, targets)}

    @single_precision()
    def _answers(self, pairs: Pairs) -> np.ndarray:
        run = self._fitted()
        answers = predict(run.model, run.problem.encoder, run.problem.encoder.rows(pairs.x))
        return checked_answers(answers, [f"row {i}" for i in range(len(answers))])

    def _read(self, data: Any, name: str, labelled: bool = True) -> Pairs:
        run = self._fitted()
        pairs = read_pairs(data, name, labelled)
        check_alike(self._encoder_of(run), pairs)
        return pairs

    # ---- results

    @property
    def best_model(self) -> LoadedGraph:
        """The graph of the best network, as classic AutoKeras handed it out.

        ``produce_keras_model()`` makes a model of fresh weights, ``produce_keras_model(weights=True)`` the trained one, which is
        ``model_``: a plain ``keras.Model``, samples as they were given in, answers out.
        """
        run = self._fitted()
        found = load_trial_graph(run.folder, run.best.id)
        network = run.final_network() or run.network(run.best)
        return replace(found, networks=(network,), calibration=Calibration(), problem=run.problem)

    @property
    def model_(self) -> Any:
        """The trained ``keras.Model``: samples as they were given in, what ``predict`` answers out."""
        return self._fitted().model

    @property
    def history_(self) -> pd.DataFrame:
        """Learning curves of all trials, one row a scoring; see ``gk.plot_metric``."""
        return history_table(self._fitted())

    @property
    def path_(self) -> Path:
        """The run folder."""
        return self._fitted().folder.path

    @property
    def n_trials_(self) -> int:
        """Networks that were tried."""
        return len(self._fitted().history)

    @property
    def stop_reason_(self) -> str:
        """Why the search ended: "time", "trials", "space", "interrupted" or "killed"."""
        return self._fitted().stop_reason

    @property
    def notes_(self) -> tuple[str, ...]:
        """What was decided about the data."""
        return tuple(self._fitted().folder.settings["notes"])

    def load_searcher(self) -> FinishedSearch:
        """The search's history and graphs."""
        return FinishedSearch(self._fitted())

    def get_best_model_id(self) -> int:
        """Id of the trial with the best score."""
        return self.load_searcher().get_best_model_id()

    def export_keras_model(self, path: str | os.PathLike[str], format: str | None = None) -> Path:
        """Write ``model_`` and, beside it, a JSON file with what it reads and answers.

        Parameters
        ----------
        path : path-like
        format : {"keras", "tf_saved_model", "onnx", "litert", "torchscript"}, optional
            By default the suffix decides; ``.keras`` is added to a name without one, or with digits in it, as ``model.v2``.

        Raises
        ------
        NotFittedError, ParameterError, ExportError
        """
        run = self._fitted()
        examples = run.problem.rows["samples"][:_EXAMPLES].astype("float32")
        return export_run(run, path, format, lambda: examples)

    @classmethod
    def load(cls, path: str | os.PathLike[str], loss: Any = None, metric: Any = None) -> Self:
        """Restore a module from its run folder, also from one that was interrupted.

        Parameters
        ----------
        path : path-like
        loss, metric : optional
            Given again, where they are functions, for training and scoring; predictions need neither.

        Raises
        ------
        RunFolderError
            If the folder holds no run of such a module, or none of its trials was finished.
        """
        folder = RunFolder(path)
        held = folder.settings
        if held.get("kind") != cls.kind:
            raise RunFolderError(f"{str(folder.path)!r} holds no run of {cls.__name__}.")
        objective = objective_again(held["metric"], metric, read_task_of(folder))
        run = open_run(folder, objective, best_alone=True)
        task = run.problem.task
        if loss is not None and isinstance(task, LossTask):
            run = _with_loss(run, task, loss)
        module = cls(
            loss if loss is not None else held["loss"],
            metric if metric is not None else held["metric"]["known_as"] or held["metric"]["name"],
            dict(held["settings"]["searcher_args"]),
            str(path),
            random_state=held["seed"],
        )
        module._run = run
        return module

    @staticmethod
    def _encoder_of(run: Run) -> ArrayEncoder:
        encoder = run.problem.encoder
        assert isinstance(encoder, ArrayEncoder)  # modules write no other
        return encoder

    def _fitted(self) -> Run:
        if self._run is None:
            name = type(self).__name__
            raise NotFittedError(
                f"this {name} is not fitted yet: call fit(n_output_node, input_shape, train_data, test_data), or "
                f"{name}.load(path) for an earlier run."
            )
        return self._run


def _with_loss(run: Run, task: LossTask, loss: Any) -> Run:
    """The run, to be trained further with a loss that its folder could not hold."""
    known = keras.losses.MeanSquaredError() if known_loss(loss) is regression_loss else known_loss(loss)
    known_task = replace(task, loss=known)
    return replace(run, task=known_task, rows=replace(run.problem, task=known_task))


def check_alike(encoder: ArrayEncoder, pairs: Pairs) -> None:
    """Raise DataError where samples have another shape than those that were trained on."""
    if pairs.sample_shape != encoder.shape:
        raise DataError(
            f"a sample of {pairs.name} has shape {pairs.sample_shape}; those of the training data have {encoder.shape}."
        )
