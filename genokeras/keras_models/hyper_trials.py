"""One trial of a hyper-parameter search: build, train until the deadline, keep the best epoch."""

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
from genokeras.keras_models.epoch_history import EpochHistory, Mode
from genokeras.keras_models.metric_directions import direction_of_name
from genokeras.streams import Batches
from genokeras.support.files import write_arrays
from genokeras.support.wording import did_you_mean, listed
from genokeras.training import Position, evaluate_batches, seeded, train_steps
from genokeras.tuning import Proposed

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class HyperTrial:
    """A finished trial.

    Parameters
    ----------
    values : dict
        Hyper-parameters by name.
    score : float
        The objective; NaN where the trial failed.
    epochs : int
        Trained in all.
    seconds : float
    status : {"completed", "stopped", "failed"}
    error : str or None
        Why it failed.
    seconds_to_score : float
        From the beginning to the end of its first epoch.
    """

    values: dict[str, Any]
    score: float
    epochs: int
    seconds: float
    status: str
    error: str | None = None
    seconds_to_score: float = 0.0


@final
@dataclass(frozen=True, eq=False)
class TrialPlan:
    """What all trials have in common.

    Parameters
    ----------
    build : callable
        ``build(hp) -> keras.Model``.
    train, held_out : Batches
        To train on and to score on.
    objective : str
        Name in the logs of an epoch.
    mode : {"min", "max"}
        Of the objective.
    epochs : int
        Where the oracle does not say how many.
    seed : int
    deadline : float
        In the seconds of ``time.monotonic``.
    """

    build: Callable[[keras_tuner.HyperParameters], Any]
    train: Batches
    held_out: Batches
    objective: str
    mode: Mode
    epochs: int
    seed: int
    deadline: float

    def run(
        self, proposed: Proposed, hp: keras_tuner.HyperParameters, folder: Path | None
    ) -> tuple[HyperTrial, keras.Model | None]:
        """Run a trial; what it raises becomes its error.

        Parameters
        ----------
        proposed : Proposed
        hp : keras_tuner.HyperParameters
            With the proposed values; `build` may ask it for more.
        folder : Path or None
            Where weights are kept for trials that continue this one.

        Returns
        -------
        trial : HyperTrial
        model : keras.Model or None
            With the weights of its best epoch.

        Raises
        ------
        ParameterError
            If the logs of an epoch lack the objective.
        """
        start = time.monotonic()
        history, model, error, stopped = EpochHistory(), None, None, False
        try:
            with seeded(self.seed), _no_retracing_warnings():
                model = built_model(self.build(hp))
                stopped = self._trained(model, proposed, history, start, folder)
        except Exception as raised:
            _logger.info("A trial failed", exc_info=True)
            error = f"{type(raised).__name__}: {raised}"
        first: dict[str, float] = history.rows[0] if history.rows else {}
        if first and self.objective not in first:
            names = sorted(name for name in first if name not in ("epoch", "seconds"))
            raise ParameterError(
                f"the objective {self.objective!r} is not in the logs of an epoch.{did_you_mean(self.objective, names)} "
                f"They hold {listed(names)}."
            )
        if error is None and history.best is None:
            error = f"{self.objective} was not finite in any epoch"
        trial = HyperTrial(
            # What build asked for beyond the proposal belongs to the trial as well.
            {name: value for name, value in hp.values.items() if not name.startswith("tuner/")},
            math.nan if error is not None or history.best is None else history.best.score,
            proposed.initial_epoch + len(history.rows),
            time.monotonic() - start,
            "failed" if error is not None else "stopped" if stopped else "completed",
            error,
            first.get("seconds", 0.0),
        )
        return trial, None if error is not None else model

    def _trained(
        self, model: keras.Model, proposed: Proposed, history: EpochHistory, start: float, folder: Path | None
    ) -> bool:
        """Train, and give the model the weights of its best epoch; whether the deadline ended the training."""
        if not model.built:
            model(self.train.first()[0])
        if proposed.continue_from is not None and folder is not None:
            with np.load(folder / f"{proposed.continue_from}.npz") as kept:
                model.set_weights([kept[name] for name in kept.files])
        best_weights: list[np.ndarray] = []

        def late(_: Position) -> bool:
            return time.monotonic() >= self.deadline

        def on_step(at: Position, logs: dict[str, float]) -> bool:
            held_out = evaluate_batches(model, self.held_out)
            row = {"epoch": at.epoch, **logs, **{f"val_{name}": value for name, value in held_out.items()}}
            row["seconds"] = time.monotonic() - start
            if history.add(row, self.objective, self.mode):
                best_weights[:] = [np.array(weight) for weight in model.get_weights()]
            return self.objective not in row or late(at)

        n_batches = self.train.n_batches or 1
        first, last = proposed.initial_epoch, self.epochs if proposed.epochs is None else proposed.epochs
        end = train_steps(
            model,
            self.train,
            until=n_batches * last,
            position=Position(step=n_batches * first, epoch=first),
            on_step=on_step,
            when=late,
        )
        if best_weights:
            model.set_weights(best_weights)
            if folder is not None:
                arrays = {f"arr_{i}": weight for i, weight in enumerate(best_weights)}
                write_arrays(folder / f"{proposed.id}.npz", arrays)
        return end.epoch < last


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


def objective_direction(objective: str | keras_tuner.Objective) -> Mode:
    """Whether an objective is to be high or low: "max" or "min", inferred from its name where it is only a name.

    Raises
    ------
    ParameterError
        If that cannot be inferred.
    """
    if not isinstance(objective, str):
        return objective.direction
    found = direction_of_name(objective.removeprefix("val_"))
    if found is not None:
        return found
    raise ParameterError(
        f"whether a high {objective!r} is good is not known: pass objective=keras_tuner.Objective({objective!r}, "
        "direction='max') or 'min'."
    )


@contextmanager
def _no_retracing_warnings() -> Iterator[None]:
    """TensorFlow warns of frequent tracing, but every trial's network is a new one on purpose."""
    logger = logging.getLogger("tensorflow")
    logger.addFilter(_is_other)
    try:
        yield
    finally:
        logger.removeFilter(_is_other)


def _is_other(record: logging.LogRecord) -> bool:
    return "tf.function retracing" not in str(record.msg)
