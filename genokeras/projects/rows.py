"""A project's samples as networks see them: in the row space of the training rows, with targets and shares of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import softmax

from genokeras.features import RowSpace, fit_row_space, standardisation
from genokeras.graph import Graph
from genokeras.networks import TrainedTrial, initial_weights, merge_rows
from genokeras.projects.data import ProjectData
from genokeras.tasks.calibration import Calibration, fit_calibration
from genokeras.tasks.classes import Classes
from genokeras.tasks.numbers import Numbers
from genokeras.tasks.task import Task
from genokeras.training import PackedResult, PackedTask

ACTIVATION = "relu"


@dataclass(frozen=True)
class ProjectRows:
    """Training and validation rows of a project.

    Attributes
    ----------
    space : RowSpace
        Of the training rows.
    inputs : numpy.ndarray
        ``(1, n, r)`` float32, all rows.
    targets : numpy.ndarray
        ``(n, k)`` float32: one-hot classes, or standardised values.
    task : Task
    train, validation : numpy.ndarray
        Row numbers.
    n_features : int
    """

    space: RowSpace
    inputs: np.ndarray
    targets: np.ndarray
    task: Task
    train: np.ndarray
    validation: np.ndarray
    n_features: int

    def shares(self, rows: np.ndarray) -> np.ndarray:
        """``(n,)`` weights that are alike on ``rows``, zero elsewhere, and sum to 1."""
        weights = np.zeros(self.inputs.shape[1])
        weights[rows] = 1.0 / len(rows)
        return weights

    def packed(
        self, graph: Graph, rates: np.ndarray, dropout: np.ndarray, decay: float, seed: int
    ) -> PackedTask:
        """Members of one graph, one for each learning rate; all start from the same weights."""
        members, width = len(rates), self.inputs.shape[2]
        start = initial_weights(graph, width, 1, np.random.default_rng(seed))
        weights = {
            layer: {name: np.repeat(array, members, axis=0) for name, array in named.items()}
            for layer, named in start.items()
        }
        return PackedTask(
            graph=graph,
            activation=ACTIVATION,
            inputs=self.inputs,
            targets=self.targets,
            train_weights=np.tile(self.shares(self.train), (members, 1)),
            score_weights=np.tile(self.shares(self.validation), (members, 1)),
            trial_of_member=np.arange(members),
            learning_rate=np.asarray(rates, dtype="float64"),
            weight_decay=np.full(members, decay),
            dropout=np.asarray(dropout, dtype="float64"),
            input_rank=np.full(members, self.space.rank),
            weights=weights,
            seed=seed,
        )

    def model(self, graph: Graph, result: PackedResult, member: int) -> Any:
        """One member as a ``keras.Model`` from raw features to values, or to probabilities calibrated on the rows held out."""
        own = {
            layer: {name: array[member : member + 1] for name, array in named.items()}
            for layer, named in result.weights.items()
        }
        trial = TrainedTrial(graph, ACTIVATION, own, {graph.input: (self.space,)})
        calibration = self._calibration(result.logits[member], result.rows[member])
        return merge_rows([trial], self.task, self.n_features, calibration=calibration)

    def _calibration(self, logits: np.ndarray, rows: np.ndarray) -> Calibration | None:
        """What makes the probabilities as sure as the rows held out allow, as for the ensembles of estimators."""
        if not isinstance(self.task, Classes):
            return None
        _, first = np.unique(rows, return_index=True)
        held = first[np.isin(rows[first], self.validation)]
        codes = self.targets[rows[held]].argmax(axis=1)
        return fit_calibration(softmax(logits[held].astype("float64"), axis=1), codes)


def make_rows(task: str, data: ProjectData, train: np.ndarray, validation: np.ndarray) -> ProjectRows:
    """Standardise on the training rows, and bring all rows into their row space.

    Parameters
    ----------
    task : {"classification", "regression"}
    data : ProjectData
        With labels.
    train, validation : numpy.ndarray
        Row numbers.
    """
    rows, y = data.x[train], np.asarray(data.y)
    space = fit_row_space(rows, standardisation(rows))
    inputs = space.transform(data.x)[None]
    predicted: Task = Classes(len(data.classes))
    if task == "regression":
        sd = y[train].std(axis=0)
        predicted = Numbers(
            tuple(map(float, y[train].mean(axis=0))), tuple(map(float, np.where(sd > 0, sd, 1.0)))
        )
    targets = predicted.training_targets(y)
    return ProjectRows(space, inputs, targets, predicted, train, validation, data.n_features)
