"""A model that can be trained again and again from the same start without compiling again."""

from __future__ import annotations

from typing import final

import numpy as np

from genokeras.keras_models.adjustable_optimizer import AdjustableOptimizer
from genokeras.keras_models.model_builder import BuiltModel
from genokeras.streams import Batch, Batches
from genokeras.training import KeptVariables, train_batch


@final
class RestartableModel:
    """A compiled model with its optimizer, and the state they start from.

    Parameters
    ----------
    built : BuiltModel
        Compiled with the optimizer.
    adjustable : AdjustableOptimizer
        The optimizer; it is built here.
    scale : float
        What the optimizer makes of a learning rate of 1 in the spec.

    Attributes
    ----------
    losses_before : tuple of float or None
        Losses at the start, of training and of evaluation batches, where somebody has noted them.
    """

    def __init__(self, built: BuiltModel, adjustable: AdjustableOptimizer, scale: float = 1.0) -> None:
        self.built = built
        self.adjustable = adjustable
        self._scale = scale
        optimizer = adjustable.optimizer
        if not optimizer.built:
            optimizer.build(built.model.trainable_variables)
        adjusted = {id(getattr(optimizer, name)) for name in adjustable.values}
        variables = [*built.model.variables, *(v for v in optimizer.variables if id(v) not in adjusted)]
        self._start = KeptVariables(variables)
        self.losses_before: tuple[float, float] | None = None

    @property
    def n_parameters(self) -> int:
        """Trainable ones."""
        return int(sum(np.prod(v.shape) for v in self.built.model.trainable_variables))

    def restart(self) -> None:
        """Return to the start: weights, statistics, random states and the optimizer's state."""
        self._start.put_back()

    def step(self, batch: Batch, rate: float | None, wanted: str = "") -> dict[str, float]:
        """Train by one batch.

        Parameters
        ----------
        batch : tuple of (x, y, sample_weight)
        rate : float or None
            In terms of the spec; None: the optimizer's own.
        wanted : str
            Is among the logs even if a function of arrays measures it.

        Returns
        -------
        dict of str to float
            Logs of this batch, with the weights before the step.
        """
        names = [name for name in self.built.functions if name == wanted]
        found = self.built.function_values(Batches(lambda: [batch]), names)
        value = self.adjustable.rate if rate is None else rate * self._scale
        if value is not None:
            self.adjustable.optimizer.learning_rate = value
        return {**self.built.named(train_batch(self.built.model, batch)), **found}
