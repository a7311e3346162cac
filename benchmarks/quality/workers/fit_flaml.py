"""FLAML: cost-frugal search over boosted trees, forests and logistic regression (Wang et al. 2021)."""

from __future__ import annotations

import numpy as np
from flaml import AutoML
from serving import Result, Task, by_class, serve


def fit(task: Task) -> Result:
    """Its own list of learners, judged by cross-validation; groups are kept together where there are some.

    Left to itself it holds out a tenth of so small a set (five rows), which a linear model soon fits with log loss 0.
    """
    automl = AutoML()
    grouped = {} if task.groups is None else {"split_type": "group", "groups": task.groups}
    automl.fit(
        task.x,
        task.codes,
        task="classification",
        metric="log_loss",
        time_budget=task.seconds,
        estimator_list="auto",
        eval_method="cv",
        seed=0,
        verbose=0,
        **grouped,
    )
    if automl.model is None:
        raise RuntimeError(f"FLAML finished no model in {task.seconds:g} s")

    def predict(x: np.ndarray) -> np.ndarray:
        return by_class(automl.predict_proba(x), automl.classes_, task.n_classes)

    facts = {"improvements": len(automl.config_history), "best": str(automl.best_estimator)}
    return Result(predict, {"log_loss": float(automl.best_loss)}, facts)


if __name__ == "__main__":
    serve(fit)
