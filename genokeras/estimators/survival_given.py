"""Methods of a survival estimator that take samples whose times and events are given as ``fit`` takes them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Self

from genokeras.estimators.genes import TableEstimator
from genokeras.estimators.survival_columns import survival_columns


class SurvivalGiven(TableEstimator):
    """An estimator of genes whose targets may be given as ``time`` and ``event``."""

    def final_fit(
        self, x_train: Any, y_train: Any = None, *args: Any, time: Any = None, event: Any = None, **more: Any
    ) -> Self:
        """Train the best architecture on all the given samples and deliver that in place of the ensemble.

        Parameters
        ----------
        x_train : as in ``fit``
        y_train, time, event : as ``y``, ``time`` and ``event`` of ``fit``
        *args, **more
            As in ``GenomeRegressor.final_fit``; ``y_test`` has times and events together.

        Raises
        ------
        NotFittedError, DataError, ParameterError, SearchError
        """
        return super().final_fit(x_train, self._given(y_train, time, event), *args, **more)

    def panel(
        self, x: Any = None, y: Any = None, *, time: Any = None, event: Any = None, **more: Any
    ) -> Self:
        """Make a model that needs few genes.

        Parameters
        ----------
        x, y, time, event : as in ``fit``, optional
            The training samples, or others of the same kind; by default those of the run.
        **more
            ``n_genes=10``, ``path``, ``time_limit=30``, ``max_trials``, ``groups``, ``batches``, ``sample_weight``: as in
            ``GenomeClassifier.panel``.

        Raises
        ------
        DataError, ParameterError, RunFolderError, SearchError
            As in ``GenomeClassifier.panel``.
        """
        return super().panel(x, self._given(y, time, event), **more)

    def report(
        self,
        path: str | os.PathLike[str] = "report.html",
        x: Any = None,
        y: Any = None,
        *args: Any,
        time: Any = None,
        event: Any = None,
        **more: Any,
    ) -> Path:
        """Write one HTML file about the run: its estimate, predictions, genes and search; and a model card beside it.

        Parameters
        ----------
        path : path-like, default="report.html"
        x, y, time, event : as in ``fit``, optional
            Samples to check the data on and to find the genes with; with times and events they are scored, too.
        *args, **more
            ``explain=True``, ``known_genes``, ``groups``: as in ``GenomeClassifier.report``.

        Returns
        -------
        pathlib.Path

        Raises
        ------
        NotFittedError, DataError, ParameterError, RunFolderError
        """
        return super().report(path, x, self._given(y, time, event), *args, **more)

    @staticmethod
    def _given(y: Any, time: Any, event: Any) -> Any:
        return survival_columns(y, time, event, needed=False)
