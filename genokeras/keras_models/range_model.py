"""The learning-rate range test of any Keras model, on any backend."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any, final

import keras
import numpy as np

from genokeras.errors import DataError, ParameterError
from genokeras.streams import Batch, Batches, BatchesEndedError
from genokeras.tuning.learning_rate_range import (
    FIRST_RATE,
    LAST_RATE,
    MAX_THRES,
    RangeTest,
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
    """Train a Keras model for some steps of rising learning rate, and suggest one; the model is left as it was.

    Parameters
    ----------
    model : keras.Model
        Compiled, with a learning rate that is a number, not a schedule; with `loss` it need not be compiled.
    x : array, or list or dict of arrays, of shape (n_samples, ...); or an iterable of batches
        Without `y` an iterable (a ``tf.data.Dataset``, a ``PyDataset``, a PyTorch ``DataLoader``, a generator) gives
        ``(x, y)``, ``(x, y, sample_weight)`` or ``x`` per batch. It is begun again when it ends; one that cannot be, ends the
        test.
    y : array, or list or dict of arrays, optional
        Targets of shape (n_samples, ...).
    loss : str or keras.losses.Loss, optional
        Test with this loss, and with Adam where the model is not compiled, in place of what the model was compiled with.
    first, last : float
        Learning rates of the first and the last step; they grow exponentially.
    steps : int
        Steps, one batch each. One batch more is read, because a rate is judged by the loss of the batch behind its step.
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
        If there are no data, or `x` and `y` have unequal numbers of rows.
    TrainingError
        If the loss is not finite from the first batch.

    Examples
    --------
    >>> model.compile("adam", "mse")  # doctest: +SKIP
    >>> test = gk.lr_range_test(model, x, y)  # doctest: +SKIP
    >>> model.optimizer.learning_rate = test.suggestion  # doctest: +SKIP
    """
    rates = exponential_rates(first, last, steps)
    _check_model(model, loss)
    # Whole batches only: a smaller last one would be traced and compiled a second time.
    batches = Batches(x, y, batch_size=batch_size, shuffle=True, seed=seed, whole_only=True)
    batch = batches.first()
    trainee = model if loss is None else _with_loss(model, loss, batch)
    _check_buildable(trainee, batch)
    kept = _Kept(model, trainee)
    try:
        losses = _ramp(trainee, rates, _until_they_end(batches))
    finally:
        kept.restore()
    if len(losses) < 2:
        raise DataError(
            f"a learning-rate range test of {steps} steps needs {steps + 1} batches, but x ended after "
            f"{len(losses)}: pass arrays, or an iterable that can be begun again."
        )
    return suggest_rate(rates[: len(losses)], losses, window=window, max_thres=max_thres)


def _ramp(model: keras.Model, rates: np.ndarray, batches: Iterator[Batch]) -> list[float]:
    """Loss behind the step at each rate, up to the first that is not finite."""
    losses: list[float] = []
    for step, (x, y, weight) in enumerate(itertools.islice(batches, len(rates) + 1)):
        model.optimizer.learning_rate = float(rates[min(step, len(rates) - 1)])
        logs = model.train_on_batch(x, y, sample_weight=weight, return_dict=True)
        value = float(logs["loss"])
        if not math.isfinite(value):
            return [*losses, value] if losses else [value, value]
        if step:  # before the first step no rate has had an effect
            losses.append(value)
    return losses


def _until_they_end(batches: Batches) -> Iterator[Batch]:
    try:
        yield from (batch for _, _, batch in batches.endless())
    except BatchesEndedError:  # a generator that was made too short ends the test
        return


@final
class _Kept:
    """The weights, optimizer state and learning rate of a model, to be put back."""

    def __init__(self, model: keras.Model, trainee: keras.Model) -> None:
        variables = [*model.variables, *trainee.optimizer.variables]
        self._values = [(v, np.array(keras.ops.convert_to_numpy(v.value))) for v in variables]
        self._trainee = trainee

    def restore(self) -> None:
        """Put everything back."""
        for variable, value in self._values:
            variable.assign(value)
        self._trainee.reset_metrics()


def _check_model(model: Any, loss: Any) -> None:
    if not isinstance(model, keras.Model):
        raise ParameterError(f"model must be a keras.Model, got {type(model).__name__}.")
    if loss is not None:
        return
    if not model.compiled or model.optimizer is None:
        raise ParameterError(
            f"the model {model.name!r} is not compiled: call model.compile(optimizer, loss) first, or pass "
            "loss=... to test it with Adam."
        )
    config = model.optimizer.get_config()
    inner = config.get("inner_optimizer")  # of a loss scaling optimizer
    rate = (inner["config"] if inner else config).get("learning_rate")
    if not isinstance(rate, float | int):
        raise ParameterError(
            f"the optimizer of the model {model.name!r} follows a learning-rate schedule, which a range test cannot "
            "override: compile it with a number."
        )


def _check_buildable(model: keras.Model, batch: Batch) -> None:
    """Build the model and its optimizer, so that there is a state to keep."""
    if not model.built:
        model(batch[0])
    if not model.trainable_variables:
        raise ParameterError(f"the model {model.name!r} has no trainable weights, so no rate can be better.")
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)


@final
class _Shell(keras.Model):
    """The same weights under another loss and optimizer."""

    def __init__(self, inner: keras.Model) -> None:
        super().__init__(name="range_test")  # from its own name Keras would make one that TensorFlow refuses
        self.inner = inner

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self.inner(inputs, training=training)


def _with_loss(model: keras.Model, loss: Any, batch: Batch) -> keras.Model:
    own = model.optimizer if model.compiled else None
    optimizer = keras.optimizers.Adam() if own is None else type(own).from_config(own.get_config())
    shell = _Shell(model)
    shell.compile(optimizer=optimizer, loss=loss)
    shell(batch[0])
    return shell
