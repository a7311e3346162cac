"""AutoKeras 3.0.0: one network after the other, tuned by KerasTuner (Jin et al. 2023)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

os.environ["KERAS_BACKEND"] = "tensorflow"

import autokeras as ak
import keras
import numpy as np
from serving import Result, Task, serve

# AutoKeras trains the best network again on all rows after the search, from the start: the search may not take it all.
SEARCH_SHARE = 0.85
MANY = 100_000


class TimeLimit(keras.callbacks.Callback):
    """Stops the training in progress as soon as ``passed()`` says so; AutoKeras itself knows no time limit."""

    def __init__(self, passed: Callable[[], bool]) -> None:
        super().__init__()
        self.passed = passed

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        if self.passed():
            self.model.stop_training = True


def fit(task: Task) -> Result:
    """As many trials as fit the time, by validation log loss; its estimate is the best trial's validation loss.

    AutoKeras validates on the last fifth of the rows, so rows are shuffled first. It knows no groups.
    """
    started = time.perf_counter()
    clf = ak.StructuredDataClassifier(
        num_classes=task.n_classes, max_trials=MANY, objective="val_loss", seed=0, overwrite=True
    )
    oracle = clf.tuner.oracle

    # A function, because AutoKeras copies its callbacks deeply and functions are copied as themselves.
    def passed() -> bool:
        searching = bool(oracle.ongoing_trials)
        late = time.perf_counter() - started > task.seconds * (SEARCH_SHARE if searching else 1.0)
        if late and searching:
            oracle.max_trials = len(oracle.trials)
        return late

    order = np.random.default_rng(0).permutation(len(task.codes))
    clf.fit(task.x[order], targets(task)[order], callbacks=[TimeLimit(passed)], verbose=0)
    model, pipeline = clf.export_model(), clf.tuner.get_best_pipeline()

    def predict(x: np.ndarray) -> np.ndarray:
        found = model.predict(pipeline.transform_x(x), verbose=0)
        return np.column_stack([1 - found, found]) if task.n_classes == 2 else found

    best = oracle.get_best_trials(1)[0]
    # The final training is one more network.
    return Result(predict, {"log_loss": float(best.score)}, {"networks": len(oracle.trials) + 1})


def targets(task: Task) -> np.ndarray:
    """One column of 0 and 1 for two classes, one-hot for more: the two forms that AutoKeras does not encode again."""
    if task.n_classes == 2:
        return task.codes[:, None].astype("float32")
    return np.eye(task.n_classes, dtype="float32")[task.codes]


if __name__ == "__main__":
    serve(fit)
