"""AutoKeras 3.0.0 on images ``(n, height, width, channels)`` and on texts, arrays of strings ``(n,)``.

AutoKeras answers with the best epoch of the best trial. By default it also trains the best network again on all rows, saves
that, and never loads it: its ``predict`` reads the search's checkpoint, with a pipeline fitted to other rows. Here the rows it
validates on are named, which leaves that training out, so that the whole limit goes into the search.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import autokeras as ak
import keras
import numpy as np
from fit_autokeras import MANY, TimeLimit, targets
from serving import Result, Task, serve

# AutoKeras takes a seed of 0 for none.
SEED = 1
HELD_OUT = 0.2
# Training stops at the limit; validating what was trained by then may go on a little longer.
OVERRUN = 1.1


class SearchLimit(TimeLimit):
    """Stops validating, too: of a large network on a few cores that alone can take minutes.

    What was validated in part must not win by luck: its loss counts as infinite, unless there is nothing else.
    """

    def __init__(
        self, passed: Callable[[], bool], overrun: Callable[[], bool], others: Callable[[bool], bool]
    ) -> None:
        super().__init__(passed)
        self.overrun = overrun
        self.others = others
        self.cut = False

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        self.cut = False

    def on_test_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        if self.overrun():
            self.model.stop_evaluating = self.cut = True

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if self.others(not self.cut) and self.cut and logs is not None:
            logs["val_loss"] = float("inf")


def fit(task: Task) -> Result:
    """As many trials as fit the time, by the log loss of a fifth of the rows; the best trial's is the estimate."""
    started = time.perf_counter()
    keras.utils.set_random_seed(SEED)
    kind: Any = ak.TextClassifier if task.x.dtype.kind == "U" else ak.ImageClassifier
    clf = kind(num_classes=task.n_classes, max_trials=MANY, objective="val_loss", seed=SEED, overwrite=True)
    oracle = clf.tuner.oracle
    validated: list[bool] = []

    # Functions, because AutoKeras copies its callbacks deeply and functions are copied as themselves.
    def passed(share: float = 1.0) -> bool:
        late = time.perf_counter() - started > share * task.seconds
        if late:
            oracle.max_trials = len(oracle.trials)
        return late

    def others(whole: bool) -> bool:
        known = any(validated)
        validated.append(whole)
        return known

    y = targets(task)
    train, valid = parts(task.codes)
    clf.fit(
        task.x[train],
        y[train],
        validation_data=(task.x[valid], y[valid]),
        callbacks=[SearchLimit(passed, lambda: passed(OVERRUN), others)],
        verbose=0,
    )
    model, pipeline = clf.export_model(), clf.tuner.get_best_pipeline()

    def predict(x: np.ndarray) -> np.ndarray:
        found = model.predict(pipeline.transform_x(x), verbose=0)
        return np.column_stack([1 - found, found]) if task.n_classes == 2 else found

    best = oracle.get_best_trials(1)[0]
    facts = {
        "networks": len(oracle.trials),
        "epochs": len(validated),
        "best": str(best.hyperparameters.values),
    }
    return Result(predict, {"log_loss": float(best.score)}, facts)


def parts(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows that train and rows that are validated on: of every class about a fifth, but never all."""
    order = np.random.default_rng(SEED).permutation(len(codes))
    held = [
        rows[: int(HELD_OUT * len(rows))] for rows in (order[codes[order] == c] for c in np.unique(codes))
    ]
    valid = np.concatenate(held)
    return np.setdiff1d(order, valid), valid


if __name__ == "__main__":
    serve(fit)
