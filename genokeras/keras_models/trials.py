"""One trial of a hyper-parameter search: build, train under a deadline, keep the best epoch."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import keras
import keras_tuner
import numpy as np

from genokeras.errors import ParameterError
from genokeras.keras_models.building import seeded
from genokeras.streams.arrays import take_rows
from genokeras.support.wording import did_you_mean, listed
from genokeras.tuning.oracles import Proposed

_logger = logging.getLogger(__name__)

_HIGHER = (
    "acc",
    "auc",
    "precision",
    "recall",
    "f1",
    "fbeta",
    "r2",
    "iou",
    "sensitivity",
    "specificity",
    "positives",
)
_LOWER = (
    "loss",
    "error",
    "mse",
    "mae",
    "mape",
    "msle",
    "entropy",
    "divergence",
    "hinge",
    "logcosh",
    "poisson",
)


@dataclass(frozen=True)
class TrialData:
    """Arrays, or lists or dicts of them, to train on and to score on."""

    x: Any
    y: Any
    held_x: Any
    held_y: Any


@dataclass(frozen=True)
class FinishedTrial:
    """What a trial came to; `score` is NaN, and `error` says why, where it failed."""

    score: float
    epochs: int
    seconds: float
    status: str
    error: str | None = None


@final
class TrialRunner:
    """Runs trials one after the other, and holds on to the best model.

    Parameters
    ----------
    build : callable
        ``build(hp) -> keras.Model``.
    data : TrialData
    objective : str
        Name in the logs of an epoch.
    higher_is_better : bool
    epochs, batch_size : int
        Where the oracle does not say how many epochs.
    seed : int
    deadline : float
        In the seconds of ``time.monotonic``.

    Attributes
    ----------
    best : FinishedTrial or None
    best_model : keras.Model or None
        With the weights of its best epoch.
    shortest : float
        Seconds that one epoch of a trial took lately, with building and compiling.
    """

    def __init__(
        self,
        build: Callable[[keras_tuner.HyperParameters], Any],
        data: TrialData,
        objective: str,
        higher_is_better: bool,
        epochs: int,
        batch_size: int,
        seed: int,
        deadline: float,
    ) -> None:
        self._build, self._data = build, data
        self.objective, self.higher_is_better = objective, higher_is_better
        self._epochs, self._batch_size = epochs, batch_size
        self._seed, self._deadline = seed, deadline
        self.best: FinishedTrial | None = None
        self.best_model: keras.Model | None = None
        self.shortest = 0.0

    def run(self, proposed: Proposed, hp: keras_tuner.HyperParameters, folder: Path | None) -> FinishedTrial:
        """Run a trial; what it raises becomes its error.

        Parameters
        ----------
        proposed : Proposed
        hp : keras_tuner.HyperParameters
            With the proposed values; `build` may ask it for more.
        folder : Path or None
            Where weights are kept for trials that go on from this one.

        Raises
        ------
        ParameterError
            If the epoch's logs lack the objective.
        """
        watch = _Watch(self.objective, self.higher_is_better, self._deadline)
        model = None
        try:
            with seeded(self._seed), _no_retracing_warnings():
                model = built_model(self._build(hp))
                self._train(model, proposed, watch, folder)
        except Exception as error:
            _logger.info("A trial failed", exc_info=True)
            watch.error = f"{type(error).__name__}: {error}"
        if watch.logged is not None:
            hint = did_you_mean(self.objective, watch.logged)
            raise ParameterError(
                f"the objective {self.objective!r} is not in the logs of an epoch.{hint} They hold "
                f"{listed(watch.logged)}."
            )
        trial = watch.finished(proposed.initial_epoch)
        if trial.status != "failed":
            self.shortest = watch.first_epoch
            self._keep(trial, model)
        return trial

    def _train(self, model: keras.Model, proposed: Proposed, watch: _Watch, folder: Path | None) -> None:
        if proposed.continue_from is not None and folder is not None:
            if not model.built:
                model(take_rows(self._data.x, np.arange(1)))
            with np.load(folder / f"{proposed.continue_from}.npz") as kept:
                model.set_weights([kept[name] for name in kept.files])
        model.fit(
            self._data.x,
            self._data.y,
            validation_data=(self._data.held_x, self._data.held_y),
            epochs=self._epochs if proposed.epochs is None else proposed.epochs,
            initial_epoch=proposed.initial_epoch,
            batch_size=self._batch_size,
            callbacks=[watch],
            verbose=0,
        )
        if watch.weights is not None:
            model.set_weights(watch.weights)
            if folder is not None:
                np.savez(folder / f"{proposed.id}.npz", *watch.weights)

    def _keep(self, trial: FinishedTrial, model: keras.Model | None) -> None:
        sign = 1.0 if self.higher_is_better else -1.0
        if self.best is None or sign * trial.score > sign * self.best.score:
            self.best, self.best_model = trial, model


def built_model(found: Any) -> keras.Model:
    """What `build` returned, if it is a compiled model.

    Raises
    ------
    ParameterError
        If it is not.
    """
    if not isinstance(found, keras.Model):
        hint = " Does it end with 'return model'?" if found is None else ""
        raise ParameterError(f"build must return a compiled keras.Model, got {type(found).__name__}.{hint}")
    if not found.compiled:
        raise ParameterError(
            f"build returned the model {found.name!r} without compiling it: call model.compile(optimizer, loss) in it."
        )
    return found


def objective_direction(objective: str | keras_tuner.Objective) -> str:
    """ "max" or "min", by the objective's name where nobody says.

    Raises
    ------
    ParameterError
        If the name does not tell.
    """
    if not isinstance(objective, str):
        return objective.direction
    name = objective.lower().removeprefix("val_")
    for words, direction in ((_LOWER, "min"), (_HIGHER, "max")):
        if any(word in name for word in words):
            return direction
    raise ParameterError(
        f"whether a high {objective!r} is good is not known: pass objective=keras_tuner.Objective({objective!r}, "
        "direction='max') or 'min'."
    )


@final
class _Watch(keras.callbacks.Callback):
    """Stops training at the deadline, and keeps the weights of the best epoch."""

    def __init__(self, objective: str, higher_is_better: bool, deadline: float) -> None:
        super().__init__()
        self._objective, self._deadline = objective, deadline
        self._sign = 1.0 if higher_is_better else -1.0
        self._start = time.monotonic()
        self._best = math.nan
        self._epochs = 0
        self._stopped = False
        self.first_epoch = 0.0
        self.weights: list[np.ndarray] | None = None
        self.logged: list[str] | None = None
        self.error: str | None = None

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if time.monotonic() >= self._deadline:
            self.model.stop_training = self._stopped = True

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epochs += 1
        self.first_epoch = self.first_epoch or time.monotonic() - self._start
        if self._objective not in (logs or {}):
            self.logged = sorted(logs or {})
            self.model.stop_training = True
            return
        value = float((logs or {})[self._objective])
        if math.isfinite(value) and not self._sign * value <= self._sign * self._best:
            self._best = value
            self.weights = [np.array(weight) for weight in self.model.get_weights()]

    def finished(self, earlier_epochs: int) -> FinishedTrial:
        """The trial as a value."""
        seconds = time.monotonic() - self._start
        error = self.error
        if error is None and math.isnan(self._best):
            error = f"{self._objective} was not finite in any epoch"
        epochs = earlier_epochs + self._epochs
        if error is not None:
            return FinishedTrial(math.nan, epochs, seconds, "failed", error)
        return FinishedTrial(self._best, epochs, seconds, "stopped" if self._stopped else "completed")


@contextmanager
def _no_retracing_warnings() -> Iterator[None]:
    """TensorFlow warns of tracing often, but every trial's network is a new one on purpose."""
    logger = logging.getLogger("tensorflow")
    logger.addFilter(_is_news)
    try:
        yield
    finally:
        logger.removeFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    return "tf.function retracing" not in str(record.msg)
