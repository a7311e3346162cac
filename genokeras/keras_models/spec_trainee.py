"""A model that can be trained again and again from the same start without compiling anew."""

from __future__ import annotations

from typing import Any, final

import keras
import numpy as np

from genokeras.keras_models.building import Built
from genokeras.keras_models.knobs import Turnable
from genokeras.keras_models.model_spec import Judge
from genokeras.keras_models.reads import measuring
from genokeras.streams import Batch


@final
class Trainee:
    """A compiled model with its optimizer, and the state they start from.

    Parameters
    ----------
    built : Built
        Compiled with the optimizer.
    turnable : Turnable
        The optimizer, with its knobs made; it is built here.
    scale : float
        What the optimizer makes of a learning rate of 1 in the spec.
    """

    def __init__(self, built: Built, turnable: Turnable, scale: float = 1.0) -> None:
        self.built = built
        self.turnable = turnable
        self.scale = scale
        optimizer = turnable.optimizer
        if not optimizer.built:
            optimizer.build(built.model.trainable_variables)
        knobs = {id(getattr(optimizer, name)) for name in turnable.values}
        variables = [*built.model.variables, *(v for v in optimizer.variables if id(v) not in knobs)]
        self._start = [(v, np.array(keras.ops.convert_to_numpy(v.value))) for v in variables]

    @property
    def parameters(self) -> int:
        """Trainable ones."""
        return int(sum(np.prod(v.shape) for v in self.built.model.trainable_variables))

    def restore(self) -> None:
        """Back to the start: weights, statistics, random states and the optimizer's memory."""
        for variable, value in self._start:
            variable.assign(value)

    def step(self, batch: Batch, rate: float | None, wanted: str) -> dict[str, float]:
        """One step; the logs are those of the weights before it.

        Parameters
        ----------
        batch : tuple of (x, y, sample_weight)
        rate : float, optional
            In terms of the spec; without, the optimizer's own.
        wanted : str
            Is among the logs even if a function of arrays measures it.
        """
        x, y, weight = batch
        found: dict[str, float] = {}
        if wanted in self.built.functions:
            found[wanted] = judged(
                self.built, {wanted: self.built.functions[wanted]}, [(y, self._predict(x))]
            )[wanted]
        value = self.turnable.rate if rate is None else rate * self.scale
        if value is not None:
            self.turnable.optimizer.learning_rate = value
        logs = self.built.model.train_on_batch(x, y, sample_weight=weight, return_dict=True)
        return {**self.built.named(logs), **found}

    def _predict(self, x: Any) -> Any:
        return self.built.model.predict_on_batch(x)


def evaluated(built: Built, batches: list[Batch]) -> dict[str, float]:
    """Means over batches of what Keras measures, each batch counting by its rows, and functions of all rows.

    Parameters
    ----------
    built : Built
    batches : list of tuples of (x, y, sample_weight)
    """
    sums: dict[str, float] = {}
    rows, pairs = 0, []
    for x, y, weight in batches:
        n = keras.tree.flatten(x)[0].shape[0]
        rows += n
        if built.judged:
            logs = built.model.test_on_batch(x, y, sample_weight=weight, return_dict=True)
            for name, value in built.named(logs).items():
                sums[name] = sums.get(name, 0.0) + n * value
        if built.functions:
            pairs.append((y, built.model.predict_on_batch(x)))
    return {**{name: total / rows for name, total in sums.items()}, **judged(built, built.functions, pairs)}


def judged(built: Built, functions: dict[str, Judge], pairs: list[tuple[Any, Any]]) -> dict[str, float]:
    """What functions of arrays say of targets and predictions, put together over batches."""
    if not functions:
        return {}
    truth, predicted = (keras.tree.map_structure(_joined, *parts) for parts in zip(*pairs, strict=True))
    with measuring(built.view):
        return {
            name: float(np.mean(_numpy(function(truth, predicted)))) for name, function in functions.items()
        }


def _joined(*parts: Any) -> np.ndarray:
    return np.concatenate([_numpy(part) for part in parts])


def _numpy(value: Any) -> np.ndarray:
    return keras.ops.convert_to_numpy(value) if keras.ops.is_tensor(value) else np.asarray(value)
