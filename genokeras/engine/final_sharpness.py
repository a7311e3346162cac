"""How sure the network of a final fit may be: judged on rows that the search held out and that the network did not train on.

Those rows are the ones of the first fold, which the weights that a continued fit starts from have never seen either. Where some of
them are among the samples of the final fit, the network is trained on the others first, for its sharpness alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from genokeras.encoders import Encoder, Rows, n_rows, take
from genokeras.engine.run import Run
from genokeras.searchers import TrialResult
from genokeras.tasks.answers import CLASSES

Trained = TypeVar("Trained")


@dataclass(frozen=True, eq=False)
class AllRows:
    """What a final fit trains on.

    Attributes
    ----------
    rows : dict of str to numpy.ndarray
        As ``encoder.rows`` gives them.
    targets : numpy.ndarray
    sample_weight : numpy.ndarray
        ``(n_samples,)``.
    """

    rows: Rows
    targets: np.ndarray
    sample_weight: np.ndarray

    def take(self, picked: np.ndarray) -> AllRows:
        """The samples that a mask selects."""
        return AllRows(take(self.rows, picked), self.targets[picked], self.sample_weight[picked])


def trained_with_sharpness(
    run: Run,
    trial: TrialResult,
    data: AllRows,
    train: Callable[[AllRows], Trained],
    answers: Callable[[Trained, Rows], np.ndarray],
) -> tuple[Trained, float]:
    """What was trained on all the samples, and its sharpness; that of the search where no sample is left to learn it from.

    Parameters
    ----------
    run : Run
    trial : TrialResult
        Whose network is trained.
    data : AllRows
    train : callable
    answers : callable
        ``(n, n_outputs)`` of what was trained last.
    """
    kind = run.task.answers
    if kind.kind != CLASSES.kind:
        return train(data), 1.0
    judges = np.flatnonzero(run.problem.held_out[0])
    rows, targets = take(run.problem.rows, judges), run.problem.targets[judges]
    weight = run.problem.sample_weight[judges]

    def sharpness_of(trained: Trained) -> float:
        return kind.sharpness(answers(trained, rows), targets, weight)

    apart = _apart(run.problem.encoder, data.rows, rows)
    if apart.all():
        trained = train(data)
        return trained, sharpness_of(trained)
    part = data.take(apart)
    same_classes = np.array_equal(_classes_with_weight(part), _classes_with_weight(data))
    sharpness = sharpness_of(train(part)) if same_classes else trial.sharpness
    return train(data), sharpness


def _classes_with_weight(data: AllRows) -> np.ndarray:
    return np.unique(data.targets[data.sample_weight > 0])


def _apart(encoder: Encoder, rows: Rows, others: Rows) -> np.ndarray:
    """``(n,)`` bool: rows that are none of the others."""
    names = sorted(set(encoder.identity(rows)) & set(rows))
    known = set(_keys(others, names))
    return np.array([key not in known for key in _keys(rows, names)])


def _keys(rows: Rows, names: list[str]) -> list[tuple[object, ...]]:
    """What tells each row from all that differ."""
    return [tuple(_plain(rows[name][i]) for name in names) for i in range(n_rows(rows))]


def _plain(value: object) -> object:
    return value.tobytes() if isinstance(value, np.ndarray | np.generic) else value
