"""Training histories of any make as one table: a run's, Keras' own, a dictionary, a data frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from genokeras.errors import ParameterError
from genokeras.support.checks import check_choice
from genokeras.support.wording import listed

_TIMES = ("step", "epoch", "batch")
_NO_METRICS = (*_TIMES, "member", "kept", "score", "share", "graph")


def metric_table(history: Any) -> pd.DataFrame:
    """A history with a column ``member`` and one for the time, ``step`` or ``epoch``.

    Parameters
    ----------
    history : DataFrame, keras.callbacks.History, mapping of lists, or fitted estimator
        ``clf.history_`` and all that Keras writes: ``loss``, ``val_loss`` and so on, a row an epoch.

    Returns
    -------
    DataFrame

    Raises
    ------
    ParameterError
        If it is none of these, has no rows, or its lists differ in length.
    """
    if hasattr(history, "history_"):
        history = history.history_
    epochs = getattr(history, "epoch", None)
    if not isinstance(history, pd.DataFrame | Mapping) and isinstance(
        getattr(history, "history", None), Mapping
    ):
        history = history.history
    else:
        epochs = None
    if isinstance(history, Mapping):
        history = _frame(history)
    if not isinstance(history, pd.DataFrame):
        raise ParameterError(
            "history must be clf.history_, what keras' fit returns, a dictionary of lists or a DataFrame; got "
            f"{type(history).__name__}."
        )
    if not len(history):
        raise ParameterError("the history is empty: nothing was trained yet, or no curve was kept.")
    table = history.copy()
    if not any(name in table for name in _TIMES):
        # Keras counts epochs from 0, people from 1.
        known = epochs is not None and len(epochs) == len(table)
        table["epoch"] = np.asarray(epochs) + 1 if known else np.arange(1, len(table) + 1)
    if "member" not in table:
        table["member"] = 0
    return table


def _frame(history: Mapping[str, Any]) -> pd.DataFrame:
    lengths = {
        str(name): len(values) if isinstance(values, list | tuple | np.ndarray | pd.Series) else -1
        for name, values in history.items()
    }
    if -1 in lengths.values() or len(set(lengths.values())) > 1:
        words = (f"{name} has {'no list' if n < 0 else n}" for name, n in lengths.items())
        raise ParameterError(
            f"a history has one list a metric, all of one length, a value an epoch: {listed(words)}."
        )
    return pd.DataFrame({str(name): list(values) for name, values in history.items()})


def time_column(table: pd.DataFrame) -> str:
    """``"step"``, ``"epoch"`` or ``"batch"``."""
    return next(name for name in _TIMES if name in table)


def known_metrics(table: pd.DataFrame) -> list[str]:
    """Names of the metrics, each once, without ``val_``."""
    numeric = [str(name) for name in table.select_dtypes("number") if name not in _NO_METRICS]
    return list(dict.fromkeys(name.removeprefix("val_") for name in numeric))


def check_metric(table: pd.DataFrame, metric: str) -> str:
    """The metric's name without ``val_``.

    Raises
    ------
    ParameterError
        If the history has no such metric, or no finite value of it.
    """
    known = known_metrics(table)
    name = str(metric).removeprefix("val_")
    check_choice(name, "a metric of the history", known)
    columns = [column for column in (name, f"val_{name}") if column in table]
    if not np.isfinite(table[columns].to_numpy(dtype="float64")).any():
        raise ParameterError(f"no value of {name!r} in the history is finite: there is nothing to draw.")
    return name
