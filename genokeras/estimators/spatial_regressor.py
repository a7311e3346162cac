"""What the regressors of sequences, images and texts have in common."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin

from genokeras.data import Folds, as_numbers, check_varied, column_parts, spells_number, target_name
from genokeras.engine import split_plainly
from genokeras.engine.spatial_fit import SpatialSettings
from genokeras.engine.spatial_start import Aim
from genokeras.errors import DataError
from genokeras.estimators.content import Content
from genokeras.estimators.spatial_base import SpatialEstimator, labels_of
from genokeras.estimators.tables import number_scores
from genokeras.searchers import Searcher
from genokeras.tasks.numbers import Numbers, numbers_like
from genokeras.tasks.objectives import NUMBER_OBJECTIVES


class SpatialRegressor(RegressorMixin, SpatialEstimator):
    """A regressor whose networks are convolutional; see its children for parameters and attributes."""

    answers = Numbers.kind
    _answers_name = "numbers"

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        time_limit: float | None = 60,
        objective: str = "r2",
        folds: int | None = None,
        searcher: str | Searcher = "bayesian",
        max_trials: int | None = None,
        searcher_args: Mapping[str, Any] | None = None,
        random_state: int | None = None,
        resume: bool = False,
        verbose: int = 1,
        backbone: Any = None,
    ) -> None:
        super().__init__(
            path,
            time_limit=time_limit,
            objective=objective,
            folds=folds,
            searcher=searcher,
            max_trials=max_trials,
            searcher_args=searcher_args,
            random_state=random_state,
            resume=resume,
            verbose=verbose,
            backbone=backbone,
        )

    # ---- what is answered

    def _read(self, x: Any, y: Any, groups: Any = None, extra: Any = None, training: bool = False) -> Content:
        """Samples whose labels are one column or, ``(n_samples, n_targets)``, several."""
        if _names_columns(y):
            read = super()._read
            columns = [read(x, name, groups, extra, training) for name in y]
            return replace(columns[0], labels=np.column_stack([labels_of(column) for column in columns]))
        parts = column_parts(y)
        if parts is None:
            return super()._read(x, y, groups, extra, training)
        rows, values, _ = parts
        data = super()._read(x, rows, groups, extra, training)
        return replace(data, labels=values[labels_of(data)])

    def _aim(self, data: Content, y: Any) -> Aim:
        names = _target_names(y)
        targets = as_numbers(labels_of(data), data.names, data.source)
        check_varied(targets, names, data.source)
        return Aim(numbers_like(targets), targets, _larger_half(targets), np.array(names))

    def _targets(self, data: Content, names: np.ndarray) -> np.ndarray:
        targets = as_numbers(labels_of(data), data.names, data.source)
        if targets.shape[1] != len(names):
            raise DataError(
                f"y must have {len(names)} numbers for each sample ({', '.join(names)}): got {targets.shape[1]} "
                f"({data.source})."
            )
        return targets

    def _folds(self, aim: Aim, groups: np.ndarray | None, settings: SpatialSettings, places: int) -> Folds:
        return split_plainly(len(aim.targets), groups, settings.folds, settings.seed, places)

    def _take(self, run: Any) -> None:
        super()._take(run)
        self.targets_ = tuple(str(name) for name in run.names)

    # ---- predicting

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
        return NUMBER_OBJECTIVES["r2"].value(*self._scored(x, y, extra), sample_weight)

    def evaluate(self, x: Any, y: Any = None, extra: Any = None) -> dict[str, float]:
        """Scores on samples that ``fit`` has not seen and whose targets are known.

        Returns
        -------
        dict
            ``r2``, ``mse``, ``rmse``, ``mae`` (in the targets' units), ``pearson`` and ``spearman`` correlation; means over the
            targets where there are several.
        """
        return number_scores(*self._scored(x, y, extra))


def _names_columns(y: Any) -> bool:
    """Whether these are columns of a table; text that spells numbers is numbers."""
    strings = isinstance(y, list | tuple) and bool(y) and all(isinstance(name, str) for name in y)
    return strings and not any(spells_number(name) for name in y)


def _target_names(y: Any) -> tuple[str, ...]:
    if _names_columns(y):
        return tuple(y)
    parts = column_parts(y)
    return (target_name(y),) if parts is None else parts[2]


def _larger_half(targets: np.ndarray) -> np.ndarray:
    """``(n,)`` 1 for the rows above the median; of several targets, by the direction in which they vary most."""
    standard = (targets - targets.mean(axis=0)) / targets.std(axis=0)
    along = standard @ np.linalg.svd(standard, full_matrices=False)[2][0]
    median = np.median(along)
    above = along > median
    return (above if above.any() else along >= median).astype(np.int64)
