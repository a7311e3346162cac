"""Pictures that a fitted regressor draws on Matplotlib axes."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes

from genokeras.estimators.plotting import OUT_OF_FOLD, SQUARE, RunPlots, drawing
from genokeras.report.predicted import NumberPredictions, draw_predicted, draw_residuals, number_predictions
from genokeras.support.checks import check_choice


class NumberPlots(RunPlots):
    """What regressors draw."""

    def _numbers(
        self, x: Any, y: Any, extra: Any, target: str | None
    ) -> tuple[NumberPredictions, int, str, str]:
        """True and predicted numbers, the place of one target and its name, and the words for where they are from."""
        run = self._fitted()
        names = [str(name) for name in run.names]
        if target is not None:
            check_choice(target, "target", names)
        if x is None:
            found, where = number_predictions(run), OUT_OF_FOLD
        else:
            answers, targets = self._scored(x, y, extra)
            found, where = NumberPredictions(targets, answers, names), ""
        place = 0 if target is None else names.index(target)
        return found, place, names[place], where

    def plot_predicted(
        self,
        x: Any = None,
        y: Any = None,
        *,
        target: str | None = None,
        extra: Any = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw predicted against true numbers.

        Parameters
        ----------
        x, y, extra : as in ``evaluate``, optional
            Samples whose numbers are known; by default the training samples, each predicted by networks that have not seen it.
        target : str, optional
            Which one; by default the first.
        ax : matplotlib.axes.Axes, optional
            Where to draw; by default on a new figure of pyplot.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        NotFittedError, DataError
        ParameterError
            If there is no such target.
        """
        found, place, name, where = self._numbers(x, y, extra, target)
        with drawing(ax, SQUARE) as axes:
            draw_predicted(axes, found, place, name, where)
        return axes

    def plot_residuals(
        self,
        x: Any = None,
        y: Any = None,
        *,
        target: str | None = None,
        extra: Any = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw residuals, predicted minus true, against predicted numbers.

        Parameters
        ----------
        x, y, extra, target, ax : as in ``plot_predicted``

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        NotFittedError, DataError, ParameterError
            As ``plot_predicted``.
        """
        found, place, name, where = self._numbers(x, y, extra, target)
        with drawing(ax, SQUARE) as axes:
            draw_residuals(axes, found, place, name, where)
        return axes
