"""Pictures that a fitted estimator draws on Matplotlib axes, whatever it predicts; each kind of answer adds its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes

from genokeras.engine import Run
from genokeras.errors import ParameterError
from genokeras.explain import Explanation, draw_output, draw_total, genes_size
from genokeras.report.curves import draw_search
from genokeras.report.genes import explained_training
from genokeras.report.picture import house_style
from genokeras.support.checks import check_whole
from genokeras.support.wording import listed

# What each picture is of, for estimators that lack it.
_PICTURES = {
    "plot_confusion": "classes",
    "plot_roc": "classes",
    "plot_precision_recall": "classes",
    "plot_calibration": "probabilities",
    "plot_predicted": "numbers",
    "plot_residuals": "numbers",
    "plot_risk_groups": "survival",
    "plot_genes": "tables of genes",
    "plot_search": "searches",
}
SQUARE, WIDE = (5.4, 5.2), (7.2, 4.6)
OUT_OF_FOLD = ", out of fold"


@contextmanager
def drawing(ax: Any, size: tuple[float, float]) -> Iterator[Axes]:
    """The given axes in our style, or those of a new figure of pyplot, which a notebook shows.

    Raises
    ------
    ParameterError
        If it is something else.
    """
    if ax is not None and not isinstance(ax, Axes):
        raise ParameterError(
            f"ax must be Matplotlib axes, as plt.subplots() makes them, got {type(ax).__name__}."
        )
    pyplot = import_module("matplotlib.pyplot")
    # Loads the backend. A notebook's settles for the whole process that figures are shown, which the end of a style would take back.
    pyplot.draw_if_interactive()
    with house_style():
        yield pyplot.subplots(figsize=size, layout="constrained")[1] if ax is None else ax


class RunPlots:
    """What every fitted estimator draws."""

    if TYPE_CHECKING:

        def _fitted(self) -> Run: ...

        def _scored(
            self, x: Any, y: Any, extra: Any, predicted: bool = True
        ) -> tuple[np.ndarray, np.ndarray]: ...

    else:

        def __getattr__(self, name: str) -> Any:
            own = type(self).__name__
            if name not in _PICTURES:
                return object.__getattribute__(self, name)  # says what is missing, also inside of a property
            has = [one for one in _PICTURES if hasattr(type(self), one)]
            raise AttributeError(
                f"{own} has no {name}, which draws {_PICTURES[name]}. It has {listed(has, 9)}."
            )

    def plot_search(self, *, ax: Axes | None = None) -> Axes:
        """Draw every trial's score against the time spent on training, and the best score up to then.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; by default on a new figure of pyplot.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        NotFittedError
        """
        run = self._fitted()
        with drawing(ax, WIDE) as axes:
            draw_search(axes, run)
            axes.legend(loc="best", frameon=True, framealpha=0.85, edgecolor="none")
        return axes


class GenePlots(RunPlots):
    """What estimators of tables draw."""

    if TYPE_CHECKING:

        def explain(self, x: Any) -> Explanation: ...

    def plot_genes(
        self,
        x: Any = None,
        output: str | None = None,
        *,
        top: int = 20,
        plot_type: str = "dot",
        ax: Axes | None = None,
    ) -> Axes:
        """Draw the genes that matter most.

        Parameters
        ----------
        x : array-like, DataFrame, AnnData, path or Explanation, optional
            The samples to find them on, or what ``explain`` found; by default the training samples, which takes some seconds.
        output : str, optional
            The class or target; by default the second of two classes, the one number, and of more all together as bars.
        top : int, default=20
            Genes shown.
        plot_type : {"dot", "bar", "violin", "layered_violin"}, default="dot"
            Each sample's value, coloured by the gene's level; mean |value|; the distribution of values.
        ax : matplotlib.axes.Axes, optional
            Where to draw; by default on a new figure of pyplot.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        NotFittedError, DataError
        ParameterError
            If there is no such output or plot type, or the run has not kept its training samples.
        """
        run = self._fitted()
        check_whole(top, "top", 1)
        if x is None:
            found = explained_training(run)
        else:
            found = x if isinstance(x, Explanation) else self.explain(x)
        names = found.output_names
        if output is None and len(names) <= 2:
            output = names[-1]
        if output is not None:
            found.number_of(output)
        with drawing(ax, genes_size(found, top)) as axes:
            if output is None:
                draw_total(axes, found, top)
            else:
                draw_output(axes, found, str(output), plot_type, top)
        return axes
