"""Pictures that a fitted estimator of survival draws on Matplotlib axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes

from genokeras.estimators.plotting import OUT_OF_FOLD, SQUARE, WIDE, RunPlots, drawing
from genokeras.report.survival import (
    SurvivalPredictions,
    draw_risk_groups,
    draw_survival_calibration,
    predictions_of,
    survival_predictions,
)
from genokeras.tasks.survival import Survival
from genokeras.tasks.survival_times import Steps


class SurvivalPlots(RunPlots):
    """What estimators of survival draw."""

    if TYPE_CHECKING:
        baseline_: Steps

        @property
        def _survival(self) -> Survival: ...

        def _named(self, x: Any, y: Any, time: Any, event: Any) -> Any: ...

        def _times(self, times: Any) -> np.ndarray: ...

    def _predicted(
        self, x: Any, y: Any, time: Any, event: Any, times: np.ndarray | None = None
    ) -> tuple[SurvivalPredictions, str]:
        """Predictions of these samples, or out of fold; and the words for that."""
        run = self._fitted()
        if x is None:
            return survival_predictions(run, times), OUT_OF_FOLD
        answers, targets = self._scored(x, self._named(x, y, time, event), None)
        return predictions_of(self._survival, targets, answers, self.baseline_, times=times), ""

    def plot_risk_groups(
        self,
        x: Any = None,
        y: Any = None,
        *,
        time: Any = None,
        event: Any = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw Kaplan-Meier curves of the samples with the lowest, middle and highest risk, and the log-rank test.

        Parameters
        ----------
        x, y, time, event : as in ``evaluate``, optional
            Samples whose times and events are known; by default the training samples, each predicted by networks that have not seen it.
        ax : matplotlib.axes.Axes, optional
            Where to draw; by default on a new figure of pyplot.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        NotFittedError, DataError
        ParameterError
            If no sample has the event.
        """
        found, where = self._predicted(x, y, time, event)
        with drawing(ax, WIDE) as axes:
            draw_risk_groups(axes, found, f"Risk thirds{where}")
        return axes

    def plot_calibration(
        self,
        x: Any = None,
        y: Any = None,
        *,
        time: Any = None,
        event: Any = None,
        at: float | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw predicted against observed survival at one time, samples in four groups of like prediction.

        Parameters
        ----------
        x, y, time, event, ax : as in ``plot_risk_groups``
        at : float, optional
            The time; by default the median time of the events.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        NotFittedError, DataError
        ParameterError
            If the time is not above 0, there are too few samples, or none has the event.
        """
        found, where = self._predicted(x, y, time, event, None if at is None else self._times(at))
        with drawing(ax, SQUARE) as axes:
            draw_survival_calibration(axes, found, len(found.times) // 2)
            axes.set_title(f"{axes.get_title('left')}{where}", parse_math=False)
            axes.set_ylabel("observed survival (Kaplan-Meier)")
        return axes
