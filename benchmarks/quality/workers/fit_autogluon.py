"""AutoGluon: bagged and stacked trees and networks, weighted by greedy selection (Erickson et al. 2020)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from autogluon.tabular import TabularPredictor
from serving import Result, Task, by_class, serve

LABEL, GROUP = "label", "group"
MOST_FOLDS = 8


def fit(task: Task) -> Result:
    """The preset ``best_quality`` for log loss; its estimate is the validation score of the model that predicts."""
    train = frame_of(task.x)
    train[LABEL] = task.codes
    if task.groups is not None:
        train[GROUP] = fold_of_groups(task.groups)
    predictor = TabularPredictor(
        LABEL,
        problem_type="binary" if task.n_classes == 2 else "multiclass",
        eval_metric="log_loss",
        path="models",
        groups=None if task.groups is None else GROUP,
        verbosity=1,
    )
    predictor.fit(train, time_limit=task.seconds, presets="best_quality", dynamic_stacking=False)
    board = predictor.leaderboard()

    def predict(x: np.ndarray) -> np.ndarray:
        found = predictor.predict_proba(frame_of(x))
        return by_class(found.to_numpy(), found.columns.to_numpy(), task.n_classes)

    scores = board.set_index("model")["score_val"]
    facts = {"models": len(board), "best": str(predictor.model_best)}
    # Scores are such that higher is better: log loss is negative.
    return Result(predict, {"log_loss": -float(scores[predictor.model_best])}, facts)


def frame_of(x: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(x, columns=[f"x{i}" for i in range(x.shape[1])])


def fold_of_groups(groups: np.ndarray) -> np.ndarray:
    """At most eight folds of whole groups, large groups first: AutoGluon makes every value of the column a fold."""
    names, counts = np.unique(groups, return_counts=True)
    sizes = np.zeros(min(MOST_FOLDS, len(names)))
    folds = np.zeros(len(names), dtype=int)
    for name in np.argsort(-counts, kind="stable"):
        folds[name] = sizes.argmin()
        sizes[folds[name]] += counts[name]
    return folds[np.searchsorted(names, groups)]


if __name__ == "__main__":
    serve(fit)
