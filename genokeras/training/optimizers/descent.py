"""Gradient descent, with a momentum that stays or that moves against the learning rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from keras import ops

from genokeras.errors import ParameterError
from genokeras.training.optimizers.update import (
    ElementwiseUpdate,
    Tensors,
    need_fractions,
    zeros_like,
    zeros_per_member,
)


@final
@dataclass(frozen=True)
class SgdUpdate(ElementwiseUpdate):
    """``v <- momentum v - rate g``, ``w <- w + v``; looking ahead by ``momentum v - rate g`` with ``nesterov``.

    Parameters
    ----------
    momentum : float
        0 is plain gradient descent.
    nesterov : bool
        Sutskever et al. 2013, eq. 3-4, in Keras' form.
    """

    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        need_fractions(self, ["momentum"])

    def _start(self, weight: Any) -> Tensors:
        return zeros_like(weight, 1 if self.momentum else 0)

    def _move(
        self, weight: Any, gradient: Any, slots: Tensors, shared: Any, rate: Any
    ) -> tuple[Any, Tensors]:
        if not self.momentum:
            return weight - rate * gradient, []
        velocity = self.momentum * slots[0] - rate * gradient
        if self.nesterov:
            return weight + self.momentum * velocity - rate * gradient, [velocity]
        return weight + velocity, [velocity]


@final
@dataclass(frozen=True)
class DynamicMomentumUpdate(ElementwiseUpdate):
    """Gradient descent whose momentum is low while the learning rate is high, and rises as it falls.

    ``momentum = high - (high - low) rate / peak`` (Smith 2018, arXiv:1803.09820, section 4.3, cyclical momentum in its
    linear form). The peak is a member's highest rate so far, so a schedule that only falls starts at ``low``.

    Parameters
    ----------
    low, high : float
        The momentum at the peak rate, and at a rate of zero.
    """

    low: float = 0.85
    high: float = 0.95

    def __post_init__(self) -> None:
        need_fractions(self, ["low", "high"])
        if self.low > self.high:
            raise ParameterError(
                f"low of DynamicMomentumUpdate must be at most its high ({self.high!r}), got {self.low!r}."
            )

    def _start(self, weight: Any) -> Tensors:
        return [*zeros_like(weight, 1), zeros_per_member(weight)]

    def _move(
        self, weight: Any, gradient: Any, slots: Tensors, shared: Any, rate: Any
    ) -> tuple[Any, Tensors]:
        velocity, peak = slots
        peak = ops.maximum(peak, rate)
        momentum = momentum_against(rate, peak, self.low, self.high)
        velocity = momentum * velocity - rate * gradient
        return weight + velocity, [velocity, peak]


def momentum_against(rate: Any, peak: Any, low: float, high: float) -> Any:
    """The momentum at a learning rate; where there never was one above 0, that of the peak."""
    one = ops.ones_like(peak)
    share = ops.where(peak > 0, rate / ops.where(peak > 0, peak, one), one)
    return high - (high - low) * share
