"""Gradients of any Keras model with respect to its inputs, in batches of one size, on every backend."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from genokeras.explain.checks import LOG_ODDS, NUMBER, PROBABILITY
from genokeras.support.backends import current_backend
from genokeras.tasks.links import log_odds

_BATCH_BYTES = 128 * 2**20
_MOST_ROWS = 2048
# TensorFlow takes seconds to trace a network of many members; so few batches are done sooner without.
_EAGER_BATCHES = 8


def output_function(model: Any, output: str) -> Callable[[Any], Any]:
    """What is explained: tensor ``(rows, p)`` -> tensor ``(rows, k)``."""

    def called(x: Any) -> Any:
        result = model(x, training=False)
        return log_odds(result) if output == LOG_ODDS else result

    return called


def model_outputs(model: Any, x: np.ndarray) -> np.ndarray:
    """``(n, p)`` -> ``(n, k)`` outputs of a model, nothing compiled."""
    batches = [x[start : start + _MOST_ROWS] for start in range(0, len(x), _MOST_ROWS)]
    found = [model(ops.convert_to_tensor(batch), training=False) for batch in batches]
    return np.concatenate([np.asarray(ops.convert_to_numpy(ops.stop_gradient(part))) for part in found])


class OutputGradients:
    """The outputs of a model and their gradients, row by row.

    Parameters
    ----------
    model : keras.Model
        ``(rows, p)`` -> ``(rows, k)``.
    n_inputs : int
        ``p``.
    output : {"probability", "log_odds", "number"}

    Attributes
    ----------
    rows : int
        Rows that are worked on at once.
    fixed_sum : bool
        Whether the outputs of every row have the same sum; the last gradient is then minus the sum of the others. Of probabilities this
        is known from those that :meth:`outputs` found before the first gradient.
    """

    def __init__(self, model: Any, n_inputs: int, output: str) -> None:
        self._function = output_function(model, output)
        self._backend = current_backend()
        self._compiled: dict[str, Callable[..., Any]] = {}
        self._settled = output != PROBABILITY
        self._n_outputs = int(model.output_shape[-1])
        self.fixed_sum = self._n_outputs > 1 and output != NUMBER
        per_row = 4 * (n_inputs * (1 + self._n_outputs) + _units(model))
        self.rows = int(np.clip(_BATCH_BYTES // per_row, 1, _MOST_ROWS))

    @property
    def n_outputs(self) -> int:
        return self._n_outputs

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """``(n, p)`` -> ``(n, k)`` float64."""
        found = np.empty((len(x), self._n_outputs))
        for rows, (result,) in self._batches(self._values, x):
            found[rows] = result
        if not self._settled:
            self.fixed_sum &= bool(np.allclose(found.sum(axis=1), 1.0, atol=1e-4))
        return found

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """``(n, p)`` -> ``(k, n, p)`` float32 gradients of each output."""
        self._settled = True
        found = np.empty((self._n_outputs, *x.shape), dtype="float32")
        for rows, results in self._batches(self._gradients, x):
            for number, gradient in enumerate(results):
                found[number, rows] = gradient
        if self.fixed_sum:
            np.negative(found[:-1].sum(axis=0), out=found[-1])
        return found

    def _batches(
        self, function: Callable[..., Any], x: np.ndarray
    ) -> Iterator[tuple[slice, list[np.ndarray]]]:
        """Batches of one size, for a compiled function; the last is filled up with copies of its first row."""
        worth_it = len(x) > _EAGER_BATCHES * self.rows or keras.backend.backend() != "tensorflow"
        name = function.__name__
        if worth_it and name not in self._compiled:
            self._compiled[name] = self._backend.compile(function)
        function = self._compiled.get(name, function)
        for start in range(0, len(x), self.rows):
            batch = np.asarray(x[start : start + self.rows], dtype="float32")
            spare = np.repeat(batch[:1], self.rows - len(batch), axis=0)
            results = function(ops.convert_to_tensor(np.concatenate([batch, spare])))
            yield (
                slice(start, start + len(batch)),
                [ops.convert_to_numpy(result)[: len(batch)] for result in results],
            )

    def _values(self, x: Any) -> list[Any]:
        return [self._function(x)]

    def _gradients(self, x: Any) -> list[Any]:
        count = self._n_outputs - 1 if self.fixed_sum else self._n_outputs
        return [self._gradient(x, number) for number in range(count)]

    def _gradient(self, x: Any, number: int) -> Any:
        def total(parameters: list[Any]) -> Any:
            return ops.sum(self._function(parameters[0])[:, number])

        return self._backend.value_and_gradients(total, [x])[1][0]


def _units(model: Any) -> int:
    """About how many numbers a row leaves behind in a network's layers."""
    shapes = [getattr(getattr(layer, "output", None), "shape", ()) for layer in model.layers]
    return sum(math.prod(size or 1 for size in shape[1:]) for shape in shapes)


class ModelFrame:
    """A whole Keras model, raw features in: the coordinates are the features; see ``genokeras.explain.paths.Frame``.

    Parameters
    ----------
    model : keras.Model
    n_features : int
    output : {"probability", "log_odds", "number"}
    """

    def __init__(self, model: Any, n_features: int, output: str) -> None:
        self.own_units = output == NUMBER
        self.gradients = OutputGradients(model, n_features, output)
        self.n_coordinates, self.n_outputs = n_features, self.gradients.n_outputs

    def coordinates(self, x: np.ndarray) -> np.ndarray:
        return x.astype("float64")

    def outputs(self, q: np.ndarray) -> np.ndarray:
        return self.gradients.outputs(q)

    def lines(self, start: np.ndarray, end: np.ndarray) -> ModelLines:
        first = np.tile(start, (len(end), 1))
        return ModelLines(self.gradients, first, np.repeat(end, len(start), axis=0) - first)

    def multiply_out(self, x: np.ndarray, background: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        pairs = zip(x, gradients, strict=True)
        return np.stack(
            [np.einsum("cmp,mp->pc", of_sample, row - background, optimize=True) for row, of_sample in pairs]
        )


@dataclass(frozen=True, eq=False)
class ModelLines:
    """Straight lines between features; see ``genokeras.explain.paths.Lines``."""

    model: OutputGradients
    start: np.ndarray
    ahead: np.ndarray

    def outputs(self, alphas: np.ndarray, rough: bool = False) -> np.ndarray:
        return self.model.outputs(self._points(alphas)).reshape(*alphas.shape, -1)

    def gradients(self, alphas: np.ndarray) -> np.ndarray:
        found = self.model(self._points(alphas))
        return found.reshape(len(found), *alphas.shape, found.shape[-1])

    def _points(self, alphas: np.ndarray) -> np.ndarray:
        points = self.start[:, None] + alphas[:, :, None] * self.ahead[:, None]
        return np.asarray(points.reshape(-1, self.start.shape[1]))
