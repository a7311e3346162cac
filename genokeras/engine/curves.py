"""Learning curves of a run as a table."""

from __future__ import annotations

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
    parts = []
    for trial in run.history:
        if trial.status != "ok":
            continue
        curve = store.curve(trial.id).astype("float64")
        step = curve[:, 0].astype("int64")
        rows = {
            "member": np.full(len(curve), trial.id, dtype="int64"),
            "step": step,
            "loss": curve[:, 1],
            "val_loss": curve[:, 2],
            "learning_rate": np.full(len(curve), trial.proposal.hyper.learning_rate),
            "kept": step == trial.step,
            "score": np.full(len(curve), run.objective.value_of_loss(trial.score)),
            "share": np.full(len(curve), run.delivery.shares.get(trial.id, 0.0)),
            "graph": np.full(len(curve), trial.proposal.graph.describe(), dtype=object),
        }
        parts.append(pd.DataFrame(rows, columns=list(COLUMNS)))
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
