"""The learning rate of an epoch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import keras

from genokeras.errors import ParameterError
from genokeras.support.checks import check_number
from genokeras.support.wording import did_you_mean

SCHEDULES = ("cosine", "plateau")
Schedule: TypeAlias = str | Callable[[int], float] | Any | None


def check_schedule(schedule: Any) -> None:
    """
    Raises
    ------
    ParameterError
        If it is none of the kinds there are.
    """
    if schedule is None or callable(schedule) or schedule in SCHEDULES:
        return
    raise ParameterError(
        f"schedule must be one of {', '.join(map(repr, SCHEDULES))}, a function of the epoch or a schedule of "
        f"keras.optimizers.schedules, got {schedule!r}.{did_you_mean(str(schedule), SCHEDULES)}"
    )


def is_by_step(schedule: Any) -> bool:
    """Whether the optimizer itself changes the rate, at every step."""
    return isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule)


def rate_of_epoch(
    schedule: Schedule,
    *,
    epoch: int,
    epochs: int,
    first: float,
    current: float,
    waited: int,
    patience: int | None,
) -> float:
    """The learning rate an epoch begins with.

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
        The rates training began with and the last epoch had.
    waited : int
        Epochs since the best one.
    patience : int or None

    Raises
    ------
    ParameterError
        If a function returns no positive number.
    """
    if schedule == "cosine":
        return first * 0.5 * (1 + math.cos(math.pi * min(1.0, epoch / epochs)))
    if schedule == "plateau":
        wait = max(1, (patience or 10) // 2)
        return current * 0.5 if waited and waited % wait == 0 else current
    if schedule is None or isinstance(schedule, str) or is_by_step(schedule):
        return current
    rate = schedule(epoch)
    return check_number(
        float(rate), f"the learning rate that the schedule returns for epoch {epoch}", least=0
    )
