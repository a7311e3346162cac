"""Epochs: train, judge, keep the best, stop in time, and be able to go on."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, final

import keras

from genokeras.errors import TrainingError
from genokeras.keras_models.curves import Curves
from genokeras.keras_models.light_trainee import Trainee
from genokeras.keras_models.log import EpochLog
from genokeras.keras_models.progress import Mode, Progress
from genokeras.keras_models.recipe import Recipe
from genokeras.keras_models.schedules import rate_of_epoch
from genokeras.streams import Batches
from genokeras.support.files import written_aside
from genokeras.training.snapshot import save_snapshot
from genokeras.training.steps import Logs, Position, evaluate_batches, predict_batches, train_steps

_SECONDS_BETWEEN_REPORTS = 0.2
_SHARE_OF_SNAPSHOTS = 0.05


@final
@dataclass(frozen=True)
class Plan:
    """What `fit` was told.

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
        In words, to be compared by those who resume.
    """

    epochs: int
    path: Path
    monitor: str
    mode: Mode
    patience: int | None
    snapshot_seconds: float
    settings: dict[str, str]

    @property
    def snapshot(self) -> Path:
        """Where training goes on from."""
        return self.path.with_name(f"{self.path.name}.resume")


@final
class Training:
    """A training under way.

    Parameters
    ----------
    trainee : Trainee
    net : keras.Model
        What checkpoints hold.
    recipe : Recipe
    plan : Plan
    train, valid : Batches
    progress : Progress
    log : EpochLog
    curves : Curves or None
    """

    def __init__(
        self,
        trainee: Trainee,
        net: keras.Model,
        recipe: Recipe,
        plan: Plan,
        train: Batches,
        valid: Batches | None,
        progress: Progress,
        log: EpochLog,
        curves: Curves | None,
    ) -> None:
        self.interrupted = False
        self._trainee = trainee
        self._net = net
        self._recipe = recipe
        self._plan = plan
        self._train = train
        self._valid = valid
        self._progress = progress
        self._log = log
        self._curves = curves
        self._reported = self._saved = self._began = time.monotonic()
        self._pause = plan.snapshot_seconds

    def finished(self, position: Position) -> bool:
        """Whether there is nothing left to do."""
        patience = self._plan.patience
        return position.epoch >= self._plan.epochs or (
            patience is not None and self._progress.waited >= patience and position.batch == 0
        )

    def run(self, position: Position) -> Position:
        """Train from here to the end, or until somebody interrupts.

        Raises
        ------
        TrainingError
            If the loss is no longer a finite number.
        """
        if position.batch == 0:
            self._set_rate(position.epoch)
        self._began = time.monotonic() - self._progress.seconds
        with _noticing_interrupts(self._interrupt):
            at = train_steps(
                self._trainee.model,
                self._train,
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

    def _interrupt(self) -> None:
        self.interrupted = True

    def _on_step(self, position: Position, logs: Logs) -> bool:
        self._reported = time.monotonic()
        if not math.isfinite(logs["loss"]):
            self._diverged(position, logs["loss"])
        if position.batch:
            self._log.step(position, logs)
            stop = self.interrupted
        else:
            self._end_epoch(position, logs)
            stop = self.interrupted or self.finished(position)
            if not stop:
                self._set_rate(position.epoch)
        if stop or time.monotonic() - self._saved >= self._pause:
            self._save(position)
        return stop

    def _end_epoch(self, position: Position, logs: Logs) -> None:
        rate = float(self._trainee.model.optimizer.learning_rate)
        with self._trainee.judging() as judge:
            row = {"epoch": float(position.epoch), **logs, **self._of_rows(judge, self._train, "")}
            if self._valid is not None:
                found = evaluate_batches(judge, self._valid)
                row |= {f"val_{name}": value for name, value in found.items()}
                row |= self._of_rows(judge, self._valid, "val_")
        now = time.monotonic()
        row |= {"learning_rate": rate, "seconds": now - self._began}
        self._began, self._progress.seconds = now, 0.0
        best = self._progress.add(row, self._plan.monitor, self._plan.mode, str(self._plan.path))
        if best:
            save_net(self._net, self._plan.path)
        self._log.epoch(row, best)
        if self._curves is not None:
            self._curves.epoch(self._progress.frame())

    def _of_rows(self, judge: keras.Model, batches: Batches, prefix: str) -> Logs:
        # To read a stream once more would change what training reads next.
        if not self._recipe.row_metrics or (not prefix and not batches.seekable):
            return {}
        outputs, targets = predict_batches(judge, batches)
        return {
            f"{prefix}{metric.name}": metric.value(outputs, targets, self._recipe.loss)
            for metric in self._recipe.row_metrics
        }

    def _set_rate(self, epoch: int) -> None:
        optimizer = self._trainee.model.optimizer
        current = float(optimizer.learning_rate)
        rate = rate_of_epoch(
            self._recipe.schedule,
            epoch=epoch,
            epochs=self._plan.epochs,
            first=self._progress.first_rate,
            current=current,
            waited=self._progress.waited,
            patience=self._plan.patience,
        )
        if rate != current:
            optimizer.learning_rate = rate

    def _save(self, position: Position) -> None:
        start = time.monotonic()
        self._progress.seconds = start - self._began if position.batch else 0.0
        extra = {"settings": self._plan.settings, "progress": self._progress.as_json()}
        save_snapshot(self._plan.snapshot, self._trainee.model, position, extra)
        self._saved = time.monotonic()
        if self._plan.snapshot_seconds:
            self._pause = max(self._plan.snapshot_seconds, (self._saved - start) / _SHARE_OF_SNAPSHOTS)

    def _diverged(self, position: Position, loss: float) -> None:
        epoch = position.epoch + 1 if position.batch else position.epoch
        at = f"batch {position.batch}" if position.batch else "its last batch"
        best = self._progress.best
        kept = (
            "The net has the weights it began with."
            if best is None
            else f"The best so far is kept: epoch {best.epoch}, {self._plan.monitor} {best.score:.4g}, in {best.path}."
        )
        rate = float(self._trainee.model.optimizer.learning_rate)
        raise TrainingError(
            f"the loss became {loss} in epoch {epoch}, by {at} (step {position.step}), at a learning rate of {rate:.3g}. "
            f"{kept} Lower the learning rate, clip the gradients (clipnorm=1.0), or look for NaN in the data."
        )


def save_net(net: keras.Model, path: Path) -> None:
    """Write a net, whole or not at all.

    Raises
    ------
    RunFolderError
        If that is not possible.
    """
    with written_aside(path) as aside:
        net.save(aside)


@contextmanager
def _noticing_interrupts(notice: Callable[[], Any]) -> Iterator[None]:
    """The first Ctrl-C lets the step at hand finish; the second one is one."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def first(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        notice()

    signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
