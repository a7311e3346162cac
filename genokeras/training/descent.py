"""A compiled training loop for losses that are no classifier's: one call an epoch, the best epoch's weights kept."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from genokeras.errors import TrainingError
from genokeras.support.backends import current_backend
from genokeras.training.batches import MiniBatches
from genokeras.training.descent_objective import DescentObjective, DescentSettings

_logger = logging.getLogger(__name__)
# More steps are split into several calls, because the noise of a call is drawn before it.
_STEPS_IN_A_CALL = 128
_WORTH_WAITING_FOR = 1e-4
_EPOCHS_BETWEEN_LINES = 10
# Decoupled weight decay; that of keras.optimizers.AdamW.
_WEIGHT_DECAY = {"adamw": 0.004}


@dataclass(frozen=True)
class Descent:
    """The result of a training.

    Attributes
    ----------
    weights : list of numpy.ndarray
        Those of the best epoch.
    best : dict
        Its line of ``history``.
    history : list of dict
        ``epoch`` (0 is before training), ``steps``, ``learning_rate``, the validation scores as ``val_<name>``, and, but for
        epoch 0, ``loss``: the epoch's mean on training rows.
    """

    weights: list[np.ndarray]
    best: dict[str, float]
    history: list[dict[str, float]]


def descend(
    objective: DescentObjective,
    settings: DescentSettings,
    log: Callable[[str], None] = _logger.info,
    should_stop: Callable[[], bool] = lambda: False,
) -> Descent:
    """Minimise an objective by mini-batches.

    The validation rows are scored after every epoch (and once before); the weights with the lowest validation loss are
    kept. A loss that is not finite ends the training.

    Raises
    ------
    TrainingError
        If the validation loss was finite neither before training nor after an epoch.
    """
    run = _Run(objective, settings)
    progress = _Progress(settings, log)
    progress.record(run.line(0, None, settings.learning_rate), run.weights)
    while not progress.finished and not should_stop():
        epoch, rate = len(progress.history), progress.learning_rate
        loss = run.epoch(epoch, rate)
        progress.record(run.line(epoch, loss, rate), run.weights)
    best = progress.best
    if best is None:
        raise TrainingError(
            f"the validation loss is not finite with a learning rate of {settings.learning_rate:g}: lower it, or look "
            "for extreme values in the features."
        )
    log(f"Best epoch {best['epoch']:.0f} of {len(progress.history) - 1}: val_loss {best['val_loss']:.4f}")
    kept = [np.asarray(ops.convert_to_numpy(w)) for w in progress.best_weights]
    return Descent(kept, best, progress.history)


def rate_curve(
    objective: DescentObjective, settings: DescentSettings, rates: Sequence[float] | np.ndarray
) -> np.ndarray:
    """Train one step at each rate, and return the loss of the batch behind it: ``(n_rates,)``, for a range test."""
    run = _Run(objective, settings, steps=1)
    # The loss of a batch is that before its own step, so one step more shows what the last rate did.
    return np.array([run.epoch(1, rate) for rate in (*rates, rates[-1])][1:])


class _Run:
    """The compiled parts and the state between them; an epoch is a pass over the rows, or ``steps`` steps."""

    def __init__(
        self, objective: DescentObjective, settings: DescentSettings, steps: int | None = None
    ) -> None:
        self._objective, self._backend = objective, current_backend()
        self._update, self._decay = settings.update(), _WEIGHT_DECAY.get(settings.optimizer, 0.0)
        self._constants = {name: ops.convert_to_tensor(a) for name, a in objective.constants().items()}
        batch = min(settings.batch_size, objective.n_rows)
        in_epoch = -(-objective.n_rows // batch) if steps is None else steps
        self._calls = -(-in_epoch // _STEPS_IN_A_CALL)
        self._steps = -(-in_epoch // self._calls)
        self._batches = MiniBatches(settings.seed, objective.n_rows, batch)
        self._chunk, self._score = (
            self._backend.compile(self._descend),
            self._backend.compile(objective.score),
        )
        self.weights: list[Any] = [ops.convert_to_tensor(w) for w in objective.weights]
        self._slots = self._update.initial_state(self.weights)
        self.steps = 0

    def epoch(self, epoch: int, rate: float) -> float:
        """The mean training loss of its steps."""
        losses = []
        for _ in range(self._calls):
            drawn = self._objective.draw(self._rows(), epoch)
            state = [self.weights, self._slots, ops.zeros(())]
            self.weights, self._slots, total = self._chunk(
                state,
                self._constants,
                [ops.convert_to_tensor(a) for a in drawn],
                ops.convert_to_tensor(np.float32(rate)),
                ops.convert_to_tensor(np.float32(self.steps)),
            )
            self.steps += self._steps
            losses.append(float(ops.convert_to_numpy(total)) / self._steps)
        return float(np.mean(losses))

    def line(self, epoch: int, loss: float | None, rate: float) -> dict[str, float]:
        """The line of the history for the weights as they are."""
        scores = np.asarray(ops.convert_to_numpy(self._score(self.weights, self._constants)), dtype=float)
        names = (f"val_{name}" for name in self._objective.score_names)
        line = {"epoch": epoch, "steps": self.steps, "learning_rate": rate}
        return {
            **line,
            **({} if loss is None else {"loss": loss}),
            **dict(zip(names, scores.tolist(), strict=True)),
        }

    def _rows(self) -> np.ndarray:
        drawn = self._batches.draw(self._steps)
        everything = np.arange(self._objective.n_rows, dtype="int32")
        return drawn if drawn.shape[1] else np.tile(everything, (self._steps, 1))

    def _descend(
        self, state: list[Any], constants: dict[str, Any], drawn: list[Any], rate: Any, at: Any
    ) -> Any:
        objective = self._objective

        def step(position: Any, inner: list[Any]) -> list[Any]:
            weights, slots, total = inner
            value, gradients = self._backend.value_and_gradients(
                lambda moving: objective.loss(moving, constants, drawn, position), weights
            )
            rates = [
                ops.reshape(factor * rate, (1,) * len(w.shape))
                for factor, w in zip(objective.rate_factors, weights, strict=True)
            ]
            number = at + ops.cast(position, "float32") + 1.0
            decays = [self._decay * r for r in rates]
            weights, slots = self._update.step(weights, gradients, slots, number, rates, decays)
            return [weights, slots, total + value]

        return self._backend.repeat(self._steps, step, state)


class _Progress:
    """Which epoch was the best, how fast to go on, and when to stop."""

    def __init__(self, settings: DescentSettings, log: Callable[[str], None]) -> None:
        self._settings, self._log = settings, log
        self._plateau = max(2, settings.patience // 3)
        self._waited_for = math.inf
        self._stale = self._since_halved = 0
        self._broken = False
        self.learning_rate = settings.learning_rate
        self.history: list[dict[str, float]] = []
        self.best: dict[str, float] | None = None
        self.best_weights: list[Any] = []

    @property
    def finished(self) -> bool:
        """Whether to stop: after `patience`, at the last epoch or step, or because training broke down."""
        settings, last = self._settings, self.history[-1]
        spent = last["epoch"] >= settings.max_epochs or last["steps"] >= settings.max_steps
        return self._broken or spent or self._stale >= settings.patience

    def record(self, line: dict[str, float], weights: list[Any]) -> None:
        """Take the next epoch."""
        self.history.append(line)
        loss = line["val_loss"]
        if not math.isfinite(loss):
            self._broken = True
            self._log(f"Epoch {line['epoch']}: the loss is not finite any more, training ends")
            return
        if self.best is None or loss < self.best["val_loss"]:
            self.best, self.best_weights = line, weights
        if line["epoch"] % _EPOCHS_BETWEEN_LINES == 0:
            shown = (f"{key} {value:.4f}" for key, value in line.items() if "loss" in key or "val" in key)
            self._log(f"Epoch {line['epoch']}: {', '.join(shown)}")
        self._wait(line)

    def _wait(self, line: dict[str, float]) -> None:
        if line["val_loss"] < self._waited_for - _WORTH_WAITING_FOR * abs(line["val_loss"]):
            self._waited_for, self._stale, self._since_halved = line["val_loss"], 0, 0
            return
        self._stale += 1
        self._since_halved += 1
        if self._since_halved >= self._plateau:
            self.learning_rate, self._since_halved = self.learning_rate / 2, 0
            self._log(
                f"Epoch {line['epoch']}: val_loss {line['val_loss']:.4f} is on a plateau, learning rate halved to "
                f"{self.learning_rate:.6g}"
            )
