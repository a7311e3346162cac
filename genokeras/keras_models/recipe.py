"""How a net is to be trained: what `compile` was told."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, final

import keras

from genokeras.errors import ParameterError
from genokeras.keras_models.row_metrics import RowMetric, loss_name, split_metrics
from genokeras.keras_models.schedules import Schedule, check_schedule, is_by_step
from genokeras.support.checks import check_whole


@final
@dataclass(frozen=True)
class Recipe:
    """Optimizer, loss and metrics.

    Attributes
    ----------
    optimizer : keras.optimizers.Optimizer
        Only its settings are used; it trains nothing itself.
    loss : str, function, keras.losses.Loss, or list or dict of them
    metrics : list
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
    schedule: Schedule
    accumulate: int

    def new_optimizer(self, scaled: bool) -> keras.optimizers.Optimizer:
        """One with no state, which scales the loss where `scaled`, as float16 needs it."""
        config = self.optimizer.get_config()
        if is_by_step(self.schedule):
            config["learning_rate"] = self.schedule
        if self.accumulate > 1:
            config["gradient_accumulation_steps"] = self.accumulate
        made = type(self.optimizer).from_config(config)
        return keras.optimizers.LossScaleOptimizer(made) if scaled else made

    def told(self) -> dict[str, str]:
        """Everything in words, to be compared with that of another run."""
        config = {key: value for key, value in self.optimizer.get_config().items() if key != "name"}
        schedule: Any = self.schedule
        if is_by_step(schedule):
            schedule = json.dumps(schedule.get_config(), default=str)
        names = [getattr(metric, "name", metric) for metric in keras.tree.flatten(self.metrics)]
        return {
            "optimizer": f"{type(self.optimizer).__name__} {json.dumps(config, default=str, sort_keys=True)}",
            "loss": ", ".join(loss_name(loss) for loss in keras.tree.flatten(self.loss)),
            "metrics": ", ".join(map(str, [*names, *(metric.name for metric in self.row_metrics)])),
            "schedule": str(getattr(schedule, "__qualname__", schedule)),
            "accumulate": str(self.accumulate),
        }


def make_recipe(optimizer: Any, loss: Any, metrics: Any, schedule: Any, accumulate: Any) -> Recipe:
    """
    Raises
    ------
    ParameterError
        If one of them is nothing that can be trained with.
    """
    check_whole(accumulate, "accumulate")
    if loss is None:
        raise ParameterError(
            "loss must be given, such as 'mse' or 'binary_crossentropy': there is nothing to train by."
        )
    check_schedule(schedule)
    own, rows = split_metrics(metrics)
    try:
        made = keras.optimizers.get(optimizer)
    except (ValueError, TypeError) as error:
        raise ParameterError(f"optimizer must be one of Keras, or its name, got {optimizer!r}.") from error
    rate = made.get_config().get("learning_rate")
    if schedule is not None and not is_by_step(schedule) and not isinstance(rate, float | int):
        raise ParameterError(
            "the optimizer follows a schedule of its own already: give it a number as learning rate, or leave out schedule."
        )
    return Recipe(made, loss, own, tuple(rows), schedule, accumulate)
