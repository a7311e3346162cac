"""Epochs: train, evaluate, keep the best, stop in time, and be able to resume."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import keras
import pandas as pd

from genokeras.errors import TrainingError
from genokeras.interrupt import Interruption
from genokeras.keras_models.backend_errors import backend_errors_named
from genokeras.keras_models.epoch_history import EpochHistory, Mode
from genokeras.keras_models.epoch_log import EpochLog
from genokeras.keras_models.recipe import Recipe, rate_of_epoch
from genokeras.keras_models.wrapped_net import WrappedNet
from genokeras.streams import Batches
from genokeras.training import (
    Position,
    evaluate_batches,
    predict_batches,
    save_snapshot,
    train_steps,
)
from genokeras.training.steps import Logs

_SECONDS_BETWEEN_REPORTS = 0.2
_SHARE_OF_SNAPSHOTS = 0.05
# Where nobody knows how many there will be, this makes one think of data without an end.
_MANY_BATCHES = 10_000
_logger = logging.getLogger(__name__)


@final
@dataclass(frozen=True)
class EpochPlan:
    """What ``fit`` was asked for.

    Attributes
    ----------
    epochs : int
    path : Path
        Of the best checkpoint.
    monitor : str
    mode : {"min", "max"}
    patience : int or None
    snapshot_seconds : float
        Between snapshots, at least.
    settings : dict of str to str
        In words, to be compared when a training is resumed.
    details : dict of str to str
        Checksums, compared likewise.
    keep : int
        Best epochs whose nets are kept beside the best one, where there are several; -1: all.
    """

    epochs: int
    path: Path
    monitor: str
    mode: Mode
    patience: int | None
    snapshot_seconds: float
    settings: dict[str, str]
    details: dict[str, str]
    keep: int = 1

    @property
    def snapshot(self) -> Path:
        """What a training is resumed from."""
        return self.path.with_name(f"{self.path.name}.resume")


@final
@dataclass(eq=False)
class EpochTraining:
    """A training under way.

    Parameters
    ----------
    wrapped : WrappedNet
        Checkpoints hold its net.
    recipe : Recipe
    plan : EpochPlan
    train : Batches
    valid : Batches or None
    history : EpochHistory
    log : EpochLog
    on_epoch : callable, optional
        Takes the history as a table after every epoch.

    Attributes
    ----------
    interrupted : bool
        Whether Ctrl-C, SIGTERM or SIGUSR1 has ended it.
    """

    wrapped: WrappedNet
    recipe: Recipe
    plan: EpochPlan
    train: Batches
    valid: Batches | None
    history: EpochHistory
    log: EpochLog
    on_epoch: Callable[[pd.DataFrame], None] | None = None
    _interruption: Interruption = field(default_factory=Interruption, init=False)

    def __post_init__(self) -> None:
        self._reported = self._saved = self._began = time.monotonic()
        self._pause = self.plan.snapshot_seconds
        self._warned = False
        self._epoch = 0  # finished ones

    @property
    def interrupted(self) -> bool:
        return self._interruption.pressed

    def finished(self, position: Position) -> bool:
        """Whether there is nothing left to do."""
        patience = self.plan.patience
        return position.epoch >= self.plan.epochs or (
            patience is not None and self.history.waited >= patience and position.batch == 0
        )

    def run(self, position: Position) -> Position:
        """Train from here to the end, or until a signal: a first one lets the current step finish, a second one raises.

        Raises
        ------
        TrainingError
            If the loss, or a weight, is no longer a finite number, or the backend cannot compute a step.
        """
        self._epoch = position.epoch
        if position.batch == 0:
            self._set_rate(position.epoch)
        self._began = time.monotonic() - self.history.seconds
        named = backend_errors_named(self._failed)
        with named, Interruption() as self._interruption, self._interruption.noting():
            at = train_steps(
                self.wrapped.model,
                self.train,
                until=None,
                position=position,
                on_step=self._on_step,
                when=lambda _: self.interrupted or self._is_due(),
            )
        if not self.interrupted:
            self._save(at)
        return at

    # ---- behind a step

    def _is_due(self) -> bool:
        return time.monotonic() - self._reported >= min(_SECONDS_BETWEEN_REPORTS, self._pause)

    def _on_step(self, position: Position, logs: Logs) -> bool:
        self._reported = time.monotonic()
        self._epoch = position.epoch
        if not math.isfinite(logs["loss"]):
            self._diverged(position, f"the loss became {logs['loss']}")
        if position.batch:
            self._warn_of_length(position)
            self.log.step(position, logs)
            stop = self.interrupted
        else:
            self._check_weights(position)
            self._end_epoch(position, logs)
            stop = self.interrupted or self.finished(position)
            if not stop:
                self._set_rate(position.epoch)
        if stop or time.monotonic() - self._saved >= self._pause:
            self._save(position)
        return stop

    def _end_epoch(self, position: Position, logs: Logs) -> None:
        rate = float(self.wrapped.model.optimizer.learning_rate)
        with self.wrapped.judging() as judge:
            row = {"epoch": float(position.epoch), **logs, **self._of_rows(judge, self.train, "")}
            if self.valid is not None:
                found = evaluate_batches(judge, self.valid)
                row |= {f"val_{name}": value for name, value in found.items()}
                row |= self._of_rows(judge, self.valid, "val_")
        now = time.monotonic()
        row |= {"learning_rate": rate, "seconds": now - self._began}
        self._began, self.history.seconds = now, 0.0
        best = self.history.add(row, self.plan.monitor, self.plan.mode, str(self.plan.path))
        if best:
            self.wrapped.write(self.plan.path)
        if self.plan.keep not in (0, 1):
            keep_top(self.wrapped, self.plan, self.history)
        self.log.epoch(row, best)
        if self.on_epoch is not None:
            self.on_epoch(self.history.frame())

    def _of_rows(self, judge: keras.Model, batches: Batches, prefix: str) -> Logs:
        # Reading a stream once more would change what training reads next.
        if not self.recipe.row_metrics or (not prefix and not batches.seekable):
            return {}
        outputs, targets = predict_batches(judge, batches)
        return {
            f"{prefix}{metric.name}": metric.value(outputs, targets, self.recipe.loss)
            for metric in self.recipe.row_metrics
        }

    def _warn_of_length(self, position: Position) -> None:
        if self._warned or position.batch < _MANY_BATCHES or self.train.n_batches is not None:
            return
        self._warned = True
        _logger.warning(
            "epoch %d has had %d batches and goes on: it ends where train ends. Let train give the batches of one epoch.",
            position.epoch + 1,
            position.batch,
        )

    def _set_rate(self, epoch: int) -> None:
        optimizer = self.wrapped.model.optimizer
        current = float(optimizer.learning_rate)
        rate = rate_of_epoch(
            self.recipe.schedule,
            epoch=epoch,
            epochs=self.plan.epochs,
            first=self.history.first_rate,
            current=current,
            waited=self.history.waited,
            patience=self.plan.patience,
        )
        if rate != current:
            optimizer.learning_rate = rate

    def _save(self, position: Position) -> None:
        start = time.monotonic()
        self.history.seconds = start - self._began if position.batch else 0.0
        extra = {
            "settings": self._lasting_settings(),
            "details": self.plan.details,
            "progress": self.history.as_json(),
        }
        save_snapshot(self.plan.snapshot, self.wrapped.model, position, extra)
        self._saved = time.monotonic()
        if self.plan.snapshot_seconds:
            self._pause = max(self.plan.snapshot_seconds, (self._saved - start) / _SHARE_OF_SNAPSHOTS)

    def _lasting_settings(self) -> dict[str, str]:
        """The settings without values that every reading of the data changes, as shuffling does."""
        data = {"values of train": self.train, "values of valid": self.valid}
        return {
            name: value
            for name, value in self.plan.settings.items()
            if (batches := data.get(name)) is None or batches.repeats
        }

    def _check_weights(self, position: Position) -> None:
        # A loss may be finite all the same: on TensorFlow's CPU a ReLU of NaN is 0.
        for variable in self.wrapped.net.trainable_variables:
            if not bool(keras.ops.all(keras.ops.isfinite(variable.value))):
                self._diverged(position, f"weights of {variable.path!r} became NaN or infinite")

    def _diverged(self, position: Position, what: str) -> None:
        epoch = position.epoch + 1 if position.batch else position.epoch
        at = f"batch {position.batch}" if position.batch else "its last batch"
        rate = float(self.wrapped.model.optimizer.learning_rate)
        raise TrainingError(
            f"{what} in epoch {epoch}, by {at} (step {position.step}), at a learning rate of {rate:.3g}. "
            f"{self._kept()} Lower the learning rate, clip the gradients (clipnorm=1.0), or look for NaN in the data."
        )

    def _failed(self) -> str:
        return f"training failed in epoch {self._epoch + 1}. {self._kept()} The backend says"

    def _kept(self) -> str:
        best = self.history.best
        if best is None:
            return "The net has the weights of the beginning."
        return f"The best so far is kept: epoch {best.epoch}, {self.plan.monitor} {best.score:.4g}, in {best.path}."


def keep_top(wrapped: WrappedNet, plan: EpochPlan, history: EpochHistory) -> None:
    """Keep the net of the last epoch where it is among the best ones, and remove the file of the one that no longer is."""
    scores = {int(row["epoch"]): row.get(plan.monitor, math.nan) for row in history.rows}
    finite = [epoch for epoch, score in scores.items() if math.isfinite(score)]
    ranked = sorted(finite, key=lambda epoch: scores[epoch] * (1 if plan.mode == "min" else -1))
    kept = ranked if plan.keep < 0 else ranked[: plan.keep]
    for epoch in scores:
        path = plan.path.with_stem(f"{plan.path.stem}-epoch={epoch:02d}")
        if epoch in kept and epoch == max(scores):
            wrapped.write(path)
        elif epoch not in kept:
            path.unlink(missing_ok=True)
