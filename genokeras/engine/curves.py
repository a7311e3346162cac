"""Learning curves of a run as a table."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from genokeras.engine.run import Run
from genokeras.engine.store import TrialStore

COLUMNS = ("member", "step", "loss", "val_loss", "learning_rate", "kept", "score", "share", "graph")


def history_table(run: Run) -> pd.DataFrame:
    """How every trial of a run was trained, one row a scoring.

    Parameters
    ----------
    run : Run

    Returns
    -------
    DataFrame
        ``member`` is the id of the trial, ``step`` the optimiser steps behind it (passes over the training rows, where there are no
        mini-batches; of a linear model that was solved, the number of the penalty), ``loss`` and ``val_loss`` the mean log loss on training and on held-out rows over the folds, whatever
        the objective (of numbers, the Huber loss and the squared error in standard deviations); ``learning_rate`` the trial's peak, from which its schedule falls; ``kept`` whether the trial's weights are of this step;
        ``score`` its objective's value, ``share`` its weight in the delivered ensemble, ``graph`` its network. Trials in the order
        they were trained in; failed ones left no curve.
    """
    store = TrialStore(run.folder)
    trials = [trial for trial in run.history if trial.status == "ok"]
    curves = [store.curve(trial.id).astype("float64") for trial in trials]
    lengths = [len(curve) for curve in curves]
    whole = np.concatenate(curves) if curves else np.empty((0, 3))
    step = whole[:, 0].astype("int64")

    def of_each(values: Iterable[object], dtype: object) -> np.ndarray:
        """One value of each trial, in each of its rows."""
        return np.repeat(np.array(list(values), dtype=dtype), lengths)  # type: ignore[call-overload]

    rows = {
        "member": of_each((trial.id for trial in trials), "int64"),
        "step": step,
        "loss": whole[:, 1],
        "val_loss": whole[:, 2],
        "learning_rate": of_each((trial.proposal.hyper.learning_rate for trial in trials), "float64"),
        "kept": step == of_each((trial.step for trial in trials), "int64"),
        "score": of_each((run.objective.value_of_loss(trial.score) for trial in trials), "float64"),
        "share": of_each((run.delivery.shares.get(trial.id, 0.0) for trial in trials), "float64"),
        "graph": of_each((trial.proposal.graph.describe() for trial in trials), object),
    }
    return pd.DataFrame(rows, columns=list(COLUMNS))
