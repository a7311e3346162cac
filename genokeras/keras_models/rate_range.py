"""The learning-rate range test of any Keras model, on any backend."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Any

import keras
import numpy as np

from genokeras.errors import DataError, ParameterError
from genokeras.keras_models.adjustable_optimizer import learning_rate_of
from genokeras.keras_models.loss_shell import LossShell
from genokeras.streams import Batch, Batches, BatchesEndedError
from genokeras.support.checks import check_whole
from genokeras.training import KeptVariables, jit_compile, train_batch
from genokeras.training.steps import check_trainable
from genokeras.tuning.learning_rate_range import (
    FIRST_RATE,
    LAST_RATE,
    MAX_THRES,
    RangeTest,
    check_walk,
    exponential_rates,
    suggest_rate,
)


def lr_range_test(
    model: keras.Model,
    x: Any,
    y: Any = None,
    *,
    loss: Any = None,
    first: float = FIRST_RATE,
    last: float = LAST_RATE,
    steps: int = 100,
    batch_size: int = 32,
    window: int = 10,
    max_thres: int = MAX_THRES,
    seed: int = 0,
) -> RangeTest:
    """Train a Keras model for some steps of rising learning rate, and suggest one; the model is left unchanged.

    Parameters
    ----------
    model : keras.Model
        Compiled, with a learning rate that is a number, not a schedule; with `loss` it need not be compiled.
    x : array, or list or dict of arrays, of shape (n_samples, ...); tuple of (x, y); or an iterable of batches
        Without `y` an iterable (a ``tf.data.Dataset``, a ``PyDataset``, a PyTorch ``DataLoader``, a generator, a list of tuples) gives
        ``(x, y)``, ``(x, y, sample_weight)`` or ``x`` per batch. It is started again when it ends; one that cannot be
        started again ends the test.
    y : array, or list or dict of arrays, optional
        Targets of shape (n_samples, ...).
    loss : str or keras.losses.Loss, optional
        Test with this loss, and with Adam where the model is not compiled, in place of what the model was compiled with.
    first, last : float
        Learning rates of the first and the last step; they grow exponentially.
    steps : int
        Steps, one batch each. One more batch is read, because a rate is judged by the loss of the batch behind its step.
    batch_size : int
        Rows per batch, where `x` is arrays.
    window, max_thres : int
        See :func:`suggest_rate`.
    seed : int
        Of the order of the rows.

    Returns
    -------
    RangeTest
        Shorter than `steps` where the loss was not finite, which ends the test.

    Raises
    ------
    ParameterError
        If the model is not compiled, has no trainable weights, or a number is out of range.
    DataError
        If there are no data, or `x` and `y` have different numbers of rows.
    TrainingError
        If the loss is not finite from the first batch.

    Examples
    --------
    >>> model.compile("adam", "mse")  # doctest: +SKIP
    >>> test = gk.lr_range_test(model, x, y)  # doctest: +SKIP
    >>> model.optimizer.learning_rate = test.suggestion  # doctest: +SKIP
    """
    rates, seed = exponential_rates(first, last, steps), check_whole(seed, "seed", 0)
    check_walk(window, max_thres)
    if not isinstance(model, keras.Model):
        raise ParameterError(f"model must be a keras.Model, got {type(model).__name__}.")
    # Whole batches only: a smaller last one would be traced and compiled a second time.
    given = x if y is None else (x, y)
    batches = Batches.of(given, batch_size=batch_size, shuffle=True, seed=seed, whole_only=True)
    example = batches.first()
    trained = model if loss is None else _with_loss(model, loss, example)
    _check_steppable(trained, batches)
    kept = KeptVariables([*model.variables, *trained.optimizer.variables])

    def step(batch: Batch, rate: float) -> dict[str, float]:
        trained.optimizer.learning_rate = rate
        return train_batch(trained, batch)

    try:
        tested, losses = rising_rates(step, rates, _until_they_end(batches, steps + 1))
    finally:
        kept.put_back()
        trained.reset_metrics()
    if len(losses) < 2:
        raise DataError(
            f"a learning-rate range test of {steps} steps needs {steps + 1} batches, but x ended after "
            f"{len(losses)}: pass arrays, or an iterable that can be started again."
        )
    return suggest_rate(tested, losses, window=window, max_thres=max_thres)


def rising_rates(
    step: Callable[[Batch, float], dict[str, float]],
    rates: np.ndarray,
    batches: Iterable[Batch],
    *,
    measure: Callable[[dict[str, float]], float] = itemgetter("loss"),
    every: int = 1,
    evaluate: Callable[[], float] | None = None,
) -> tuple[list[float], list[float]]:
    """Train while the learning rate rises, up to the first loss that is not finite.

    Parameters
    ----------
    step : callable
        Takes a batch and a learning rate, trains by them, and returns logs of the batch with the weights before the step.
    rates : ndarray of float, shape (n_steps,)
        The last one is used again for the batch behind the last step.
    batches : iterable of batches
    measure : callable
        Takes the logs of the batch behind a step, because before the first step no rate has had an effect.
    every : int
        Steps between two values.
    evaluate : callable, optional
        Measures behind a step, in place of the next batch.

    Returns
    -------
    rates, values : list of float
        Two of each at least where the loss was not finite, which is a value of NaN.
    """
    tested: list[float] = []
    values: list[float] = []
    for number, batch in enumerate(batches):
        logs = step(batch, float(rates[min(number, len(rates) - 1)]))
        broken = not math.isfinite(logs["loss"])
        judged = number if evaluate is not None else number - 1
        if judged >= 0 and ((judged + 1) % every == 0 or broken):
            tested.append(float(rates[judged]))
            values.append(math.nan if broken else evaluate() if evaluate is not None else measure(logs))
        if broken:
            missing = max(0, 2 - len(values))
            return tested + rates[judged + 1 :][:missing].tolist(), values + missing * [math.nan]
    return tested, values


def _until_they_end(batches: Batches, most: int) -> Iterator[Batch]:
    given = batches.endless()
    try:
        for _ in range(most):
            yield next(given)[2]
    except BatchesEndedError:  # a generator that was made too short ends the test
        return


def _with_loss(model: keras.Model, loss: Any, example: Batch) -> keras.Model:
    own = model.optimizer if model.compiled else None
    optimizer = keras.optimizers.Adam() if own is None else type(own).from_config(own.get_config())
    shell = LossShell(model)
    shell.compile(optimizer, loss, jit_compile=jit_compile())
    shell(example[0])
    return shell


def _check_steppable(model: keras.Model, batches: Batches) -> None:
    """Check the model, and build it and its optimizer, so that there is a state to keep."""
    check_trainable(model, batches)
    if learning_rate_of(model.optimizer) is None:
        raise ParameterError(
            f"the optimizer of the model {model.name!r} follows a learning-rate schedule, which a range test cannot "
            "override: compile it with a number."
        )
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
