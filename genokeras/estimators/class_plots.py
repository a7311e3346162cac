"""Pictures that a fitted classifier draws on Matplotlib axes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes

from genokeras.errors import ParameterError
from genokeras.estimators.plotting import OUT_OF_FOLD, SQUARE, RunPlots, drawing
from genokeras.report.answers import of_classes
from genokeras.report.diagnostics import Predictions, out_of_fold_predictions
from genokeras.report.on_axes import (
    confusion_size,
    draw_calibration,
    draw_confusion,
    draw_precision_recall,
    draw_roc,
)
from genokeras.support.checks import check_whole
from genokeras.tasks.threshold import Threshold


class ClassPlots(RunPlots):
    """What classifiers draw."""

    if TYPE_CHECKING:

        def _threshold(self) -> Threshold | None: ...

    def _predictions(self, x: Any, y: Any, extra: Any) -> tuple[Predictions, str]:
        """Class probabilities of these samples, or out of fold; and the words for that."""
        run = self._fitted()
        if not of_classes(run):
            raise ParameterError(
                "this picture is of samples of one class each, and here each may have any number of labels. Draw one label at a time, "
                "with scikit-learn's displays and a column of predict_proba(x)."
            )
        if x is None:
            return out_of_fold_predictions(run), OUT_OF_FOLD
        probabilities, codes = self._scored(x, y, extra)
        return Predictions(codes, probabilities, [str(name) for name in run.names]), ""

    def plot_confusion(
        self,
        x: Any = None,
        y: Any = None,
        *,
        normalize: str | None = None,
        extra: Any = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw the confusion matrix, truth on y and prediction on x, as scikit-learn does.

        Parameters
        ----------
        x, y, extra : as in ``evaluate``, optional
            Samples whose classes are known; by default the training samples, each predicted by networks that have not seen it.
        normalize : {"true", "pred", "all"}, optional
            Shares of each true class, of each predicted one or of all samples, in place of counts.
        ax : matplotlib.axes.Axes, optional
            Where to draw; by default on a new figure of pyplot.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        NotFittedError, DataError
        ParameterError
            If there is no such normalisation, or samples have several labels.
        """
        found, where = self._predictions(x, y, extra)
        found = replace(found, threshold=self._threshold())
        with drawing(ax, confusion_size(found)) as axes:
            draw_confusion(axes, found, normalize, where)
        return axes

    def plot_roc(
        self,
        x: Any = None,
        y: Any = None,
        *,
        positive: str | None = None,
        extra: Any = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw true against false positives, each class against the others; bands reach from the worst fold to the best.

        Parameters
        ----------
        x, y, extra, ax : as in ``plot_confusion``
        positive : str, optional
            Draw this class only. By default the second of two classes, and all where there are more; of more than 12 the hardest.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        NotFittedError, DataError
        ParameterError
            If there is no such class, or all samples are of one, or have several labels.
        """
        found, where = self._predictions(x, y, extra)
        with drawing(ax, SQUARE) as axes:
            draw_roc(axes, found, positive, where)
        return axes

    def plot_precision_recall(
        self,
        x: Any = None,
        y: Any = None,
        *,
        positive: str | None = None,
        extra: Any = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw precision against recall, each class against the others; bands reach from the worst fold to the best.

        Parameters
        ----------
        x, y, extra, positive, ax : as in ``plot_roc``

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        NotFittedError, DataError, ParameterError
            As ``plot_roc``.
        """
        found, where = self._predictions(x, y, extra)
        with drawing(ax, SQUARE) as axes:
            draw_precision_recall(axes, found, positive, where)
        return axes

    def plot_calibration(
        self,
        x: Any = None,
        y: Any = None,
        *,
        bins: int = 10,
        extra: Any = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw how often it is true what is said with a certain probability; small numbers count the samples.

        Of two classes, the probability of the second; of more, that of the class that is predicted.

        Parameters
        ----------
        x, y, extra, ax : as in ``plot_confusion``
        bins : int, default=10
            Groups of samples at most, of about equal size, with at least 10 samples each where there are as many.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        NotFittedError, DataError
        ParameterError
            If `bins` is no whole number above 1, or samples have several labels.
        """
        check_whole(bins, "bins", 2)
        found, where = self._predictions(x, y, extra)
        with drawing(ax, SQUARE) as axes:
            draw_calibration(axes, found, bins, where)
        return axes
