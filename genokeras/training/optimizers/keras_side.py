"""Optimisers that Keras does not have, for people's own Keras models."""

from __future__ import annotations

from typing import Any, final

import keras
from keras import ops

from genokeras.training.optimizers.descent import DynamicMomentumUpdate, momentum_against


@final
@keras.saving.register_keras_serializable(package="genokeras")
class DynamicMomentum(keras.optimizers.Optimizer):
    """Gradient descent whose momentum moves against the learning rate (Smith 2018, arXiv:1803.09820, section 4.3).

    ``momentum = high - (high - low) rate / peak``: ``low`` at the highest rate so far, ``high`` as the rate goes to zero.

    Parameters
    ----------
    learning_rate : float or keras.optimizers.schedules.LearningRateSchedule
    low, high : float
    name : str
    **options
        Of :class:`keras.optimizers.Optimizer`, such as ``weight_decay`` or ``clipnorm``.

    Raises
    ------
    ParameterError
        If ``low`` or ``high`` is outside of [0, 1), or ``low`` above ``high``.
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        low: float = 0.85,
        high: float = 0.95,
        name: str = "dynamic_momentum",
        **options: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **options)
        checked = DynamicMomentumUpdate(low=low, high=high)
        self.low, self.high = checked.low, checked.high

    def build(self, variables: list[Any]) -> None:
        """Make the velocities and the highest rate so far."""
        if self.built:
            return
        super().build(variables)
        self._velocities = self.add_optimizer_variables(variables, "velocity")
        self._peak = self.add_variable(shape=(), name="peak_rate")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Move one variable."""
        rate = ops.cast(learning_rate, variable.dtype)
        velocity = self._velocities[self._get_variable_index(variable)]
        self.assign(self._peak, ops.maximum(self._peak, ops.cast(rate, self._peak.dtype)))
        momentum = momentum_against(rate, ops.cast(self._peak, variable.dtype), self.low, self.high)
        self.assign(velocity, momentum * velocity - rate * ops.cast(gradient, variable.dtype))
        self.assign_add(variable, velocity)

    def get_config(self) -> dict[str, Any]:
        """What :meth:`from_config` makes the same optimiser of."""
        return {**super().get_config(), "low": self.low, "high": self.high}
