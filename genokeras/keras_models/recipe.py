"""How a net is to be trained: what ``compile`` was given, checked."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import keras

from genokeras.errors import ParameterError
from genokeras.keras_models.keras_names import check_loss_names
from genokeras.keras_models.row_metrics import RowMetric, loss_name, split_metrics
from genokeras.support.checks import check_number, check_whole
from genokeras.support.wording import did_you_mean
from genokeras.training import TorchOptimizer

SCHEDULES = ("cosine", "plateau")
RateSchedule: TypeAlias = str | Callable[[int], float] | Any | None


@final
@dataclass(frozen=True)
class Recipe:
    """Optimizer, loss, metrics and schedule.

    Attributes
    ----------
    optimizer : keras.optimizers.Optimizer
        Only its settings are used; it trains nothing itself.
    loss : str, function, keras.losses.Loss, or list or dict of them
    metrics : list, or dict of output to list
        Of Keras.
    row_metrics : tuple of RowMetric
    schedule : str, function, keras schedule or None
    accumulate : int
        Batches whose gradients are averaged for one step of the optimizer.
    """

    optimizer: keras.optimizers.Optimizer
    loss: Any
    metrics: Any
    row_metrics: tuple[RowMetric, ...]
    schedule: RateSchedule
    accumulate: int

    def new_optimizer(self, scaled: bool) -> keras.optimizers.Optimizer:
        """One with no state, which scales the loss where `scaled`, as float16 needs it."""
        if isinstance(self.optimizer, TorchOptimizer):
            return self.optimizer  # it belongs to the parameters of the net
        config = self.optimizer.get_config()
        if _is_by_step(self.schedule):
            config["learning_rate"] = self.schedule
        if self.accumulate > 1:
            config["gradient_accumulation_steps"] = self.accumulate
        made = type(self.optimizer).from_config(config)
        return keras.optimizers.LossScaleOptimizer(made) if scaled else made

    def described(self) -> dict[str, str]:
        """Everything in words, to be compared with that of another run."""
        config = {key: value for key, value in self.optimizer.get_config().items() if key != "name"}
        schedule: Any = self.schedule
        if _is_by_step(schedule):
            schedule = json.dumps(schedule.get_config(), default=str)
        by_output = self.metrics if isinstance(self.metrics, dict) else {"": self.metrics}
        names = [
            f"{output} {getattr(metric, 'name', getattr(metric, '__name__', metric))}".strip()
            for output, metrics in by_output.items()
            for metric in keras.tree.flatten(metrics)
        ]
        return {
            "optimizer": f"{type(self.optimizer).__name__} {json.dumps(config, default=str, sort_keys=True)}",
            "loss": ", ".join(loss_name(loss) for loss in keras.tree.flatten(self.loss)),
            "metrics": ", ".join(map(str, [*names, *(metric.name for metric in self.row_metrics)])),
            "schedule": str(getattr(schedule, "__qualname__", schedule)),
            "accumulate": str(self.accumulate),
        }


def make_recipe(
    optimizer: Any, loss: Any, metrics: Any, schedule: Any, accumulate: Any, outputs: Sequence[str] = ()
) -> Recipe:
    """Check what ``compile`` was given.

    Parameters
    ----------
    optimizer, loss, metrics, schedule, accumulate
        See :meth:`genokeras.keras_models.LightModel.compile`.
    outputs : sequence of str
        Names of the net's outputs, where they are known.

    Raises
    ------
    ParameterError
        If one of them is nothing that can be trained with.
    """
    accumulate = check_whole(accumulate, "accumulate")
    if loss is None:
        raise ParameterError(
            "loss must be given, such as 'mse' or 'binary_crossentropy': there is nothing to train by."
        )
    if not (schedule is None or callable(schedule) or schedule in SCHEDULES):
        raise ParameterError(
            f"schedule must be one of {', '.join(map(repr, SCHEDULES))}, a function of the epoch or a schedule of "
            f"keras.optimizers.schedules, got {schedule!r}.{did_you_mean(schedule, SCHEDULES)}"
        )
    check_loss_names(loss)
    own, rows = split_metrics(metrics, outputs)
    try:
        made = keras.optimizers.get(optimizer)
    except (ValueError, TypeError) as error:
        raise ParameterError(f"optimizer must be one of Keras, or its name, got {optimizer!r}.") from error
    rate = made.get_config().get("learning_rate")
    if schedule is not None and not _is_by_step(schedule) and not isinstance(rate, float | int):
        raise ParameterError(
            "the optimizer already follows a schedule: give it a number as learning rate, or leave out schedule."
        )
    return Recipe(made, loss, own, tuple(rows), schedule, accumulate)


def rate_of_epoch(
    schedule: RateSchedule,
    *,
    epoch: int,
    epochs: int,
    first: float,
    current: float,
    waited: int,
    patience: int | None,
) -> float:
    """The learning rate at the beginning of an epoch.

    Parameters
    ----------
    schedule : str, function or None
        ``"cosine"`` falls from the first rate to 0 along half a cosine (Loshchilov & Hutter 2017, eq. 5, without restarts),
        ``"plateau"`` halves the rate whenever there was no improvement for half the patience. A function takes the epoch.
    epoch : int
        Counted from 0.
    epochs : int
        In all.
    first, current : float
        The rates at the beginning of the training and in the last epoch.
    waited : int
        Epochs since the best one.
    patience : int or None

    Raises
    ------
    ParameterError
        If a function returns no number, or a negative one.
    """
    if schedule == "cosine":
        return first * 0.5 * (1 + math.cos(math.pi * min(1.0, epoch / epochs)))
    if schedule == "plateau":
        wait = max(1, (patience or 10) // 2)
        return current * 0.5 if waited and waited % wait == 0 else current
    if schedule is None or isinstance(schedule, str) or _is_by_step(schedule):
        return current
    rate = schedule(epoch)
    if not isinstance(rate, bool):
        with suppress(TypeError, ValueError):  # the check says what else it is
            rate = float(rate)  # it may be a tensor
    return check_number(rate, f"the learning rate that the schedule returns for epoch {epoch}", least=0)


def _is_by_step(schedule: Any) -> bool:
    """Whether the optimizer itself changes the rate, at every step."""
    return isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule)
