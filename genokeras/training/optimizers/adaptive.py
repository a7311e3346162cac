"""Optimisers that scale every step by the gradients seen so far: Adam, LAMB, RMSprop, Adagrad, Adadelta, FTRL.

In the formulas below, products, roots and quotients go element by element; ``b1`` and ``b2`` stand for ``beta_1`` and
``beta_2``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from keras import ops

from genokeras.support.checks import check_number
from genokeras.training.optimizers.update import (
    ElementwiseUpdate,
    Tensors,
    need_fractions,
    need_not_negative,
    need_positive,
    zeros_like,
)


@final
@dataclass(frozen=True)
class AdamUpdate(ElementwiseUpdate):
    """``w <- w - rate sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + epsilon)`` (Kingma & Ba 2015, end of section 2).

    As decay is decoupled for every optimiser here, this is both Adam and AdamW.

    Parameters
    ----------
    beta_1, beta_2 : float
        How much of the running means of gradients and of their squares stays from step to step.
    epsilon : float
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def __post_init__(self) -> None:
        need_fractions(self, ["beta_1", "beta_2"])
        need_positive(self, ["epsilon"])

    def _start(self, weight: Any) -> Tensors:
        return zeros_like(weight, 2)

    def _shared(self, at: Any) -> Any:
        return _corrections(at, self.beta_1, self.beta_2)

    def _move(
        self, weight: Any, gradient: Any, slots: Tensors, shared: Any, rate: Any
    ) -> tuple[Any, Tensors]:
        mean, square = _running_means(gradient, slots, self.beta_1, self.beta_2)
        # Both corrections are scalars: put into the step size, they cost no pass over the weights.
        first, second = shared
        size = rate * ops.sqrt(second) / first
        return weight - size * mean / (ops.sqrt(square) + self.epsilon), [mean, square]


@final
@dataclass(frozen=True)
class LambUpdate(ElementwiseUpdate):
    """Adam's direction at the length of the weight itself, for each member (You et al. 2020, algorithm 2).

    ``w <- w - rate |w| / |u| u`` with Adam's ``u``; the norms run over all of a member's weight. Where one of them is
    zero the ratio is 1.

    Parameters
    ----------
    beta_1, beta_2, epsilon : float
        As in Adam.
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def __post_init__(self) -> None:
        need_fractions(self, ["beta_1", "beta_2"])
        need_positive(self, ["epsilon"])

    def _start(self, weight: Any) -> Tensors:
        return zeros_like(weight, 2)

    def _shared(self, at: Any) -> Any:
        return _corrections(at, self.beta_1, self.beta_2)

    def _move(
        self, weight: Any, gradient: Any, slots: Tensors, shared: Any, rate: Any
    ) -> tuple[Any, Tensors]:
        mean, square = _running_means(gradient, slots, self.beta_1, self.beta_2)
        first, second = shared
        root = ops.sqrt(square / second)
        direction = mean / first / (root + self.epsilon)
        own, its = _norm(weight), _norm(direction)
        one = ops.ones_like(its)
        ratio = ops.where(ops.logical_and(own > 0, its > 0), own / ops.where(its > 0, its, one), one)
        return weight - rate * ratio * direction, [mean, square]


@final
@dataclass(frozen=True)
class RmspropUpdate(ElementwiseUpdate):
    """``w <- w - rate g / sqrt(v + epsilon)``, ``v`` a running mean of ``g^2`` (Hinton 2012, lecture 6e).

    Parameters
    ----------
    rho : float
        How much of the running means stays from step to step.
    momentum : float
    epsilon : float
    centered : bool
        Divide by the running variance instead (Graves 2013, eq. 38-45).
    """

    rho: float = 0.9
    momentum: float = 0.0
    epsilon: float = 1e-7
    centered: bool = False

    def __post_init__(self) -> None:
        need_fractions(self, ["rho", "momentum"])
        need_positive(self, ["epsilon"])

    def _start(self, weight: Any) -> Tensors:
        return zeros_like(weight, 1 + bool(self.momentum) + bool(self.centered))

    def _move(
        self, weight: Any, gradient: Any, slots: Tensors, shared: Any, rate: Any
    ) -> tuple[Any, Tensors]:
        square = self.rho * slots[0] + (1 - self.rho) * gradient * gradient
        kept, spread = [square], square
        if self.centered:
            mean = self.rho * slots[1] + (1 - self.rho) * gradient
            kept, spread = [square, mean], square - mean * mean
        change = rate * gradient / ops.sqrt(spread + self.epsilon)
        if self.momentum:
            change = self.momentum * slots[-1] + change
            kept = [*kept, change]
        return weight - change, kept


@final
@dataclass(frozen=True)
class AdagradUpdate(ElementwiseUpdate):
    """``w <- w - rate g / sqrt(n + epsilon)``, ``n`` the sum of all ``g^2`` (Duchi et al. 2011, section 1.2).

    Parameters
    ----------
    initial_accumulator_value : float
        What ``n`` starts from.
    epsilon : float
    """

    initial_accumulator_value: float = 0.1
    epsilon: float = 1e-7

    def __post_init__(self) -> None:
        need_not_negative(self, ["initial_accumulator_value"])
        need_positive(self, ["epsilon"])

    def _start(self, weight: Any) -> Tensors:
        return [self.initial_accumulator_value * ops.ones_like(weight)]

    def _move(
        self, weight: Any, gradient: Any, slots: Tensors, shared: Any, rate: Any
    ) -> tuple[Any, Tensors]:
        total = slots[0] + gradient * gradient
        return weight - rate * gradient / ops.sqrt(total + self.epsilon), [total]


@final
@dataclass(frozen=True)
class AdadeltaUpdate(ElementwiseUpdate):
    """``w <- w - rate sqrt(d + epsilon) / sqrt(v + epsilon) g`` (Zeiler 2012, algorithm 1, times a rate).

    ``v`` is the running mean of ``g^2``, ``d`` that of the squared changes.

    Parameters
    ----------
    rho : float
        How much of the running means stays from step to step.
    epsilon : float
    """

    rho: float = 0.95
    epsilon: float = 1e-7

    def __post_init__(self) -> None:
        need_fractions(self, ["rho"])
        need_positive(self, ["epsilon"])

    def _start(self, weight: Any) -> Tensors:
        return zeros_like(weight, 2)

    def _move(
        self, weight: Any, gradient: Any, slots: Tensors, shared: Any, rate: Any
    ) -> tuple[Any, Tensors]:
        square, changes = slots
        square = self.rho * square + (1 - self.rho) * gradient * gradient
        change = ops.sqrt(changes + self.epsilon) / ops.sqrt(square + self.epsilon) * gradient
        changes = self.rho * changes + (1 - self.rho) * change * change
        return weight - rate * change, [square, changes]


@final
@dataclass(frozen=True)
class FtrlUpdate(ElementwiseUpdate):
    """Follow the regularised leader (McMahan et al. 2013, algorithm 1), multiplied through by the rate.

    ``n' = n + g^2``, ``z' = z + rate g - (n'^p - n^p) w``, ``w <- (clip(z', rate l1) - z') / (n'^p + beta + 2 rate l2)``
    with ``p = -learning_rate_power``. At a constant rate that is Keras' FTRL, whose ``z`` is ours divided by the rate;
    under a falling one Keras' form would scale all weights down with the rate, and divide by zero at its end.
    FTRL forgets where the weights start: the first step takes those with small gradients close to zero.

    Parameters
    ----------
    learning_rate_power : float
        At most 0.
    initial_accumulator_value : float
        What ``n`` starts from.
    l1_regularization_strength, l2_regularization_strength, l2_shrinkage_regularization_strength, beta : float
    """

    learning_rate_power: float = -0.5
    initial_accumulator_value: float = 0.1
    l1_regularization_strength: float = 0.0
    l2_regularization_strength: float = 0.0
    l2_shrinkage_regularization_strength: float = 0.0
    beta: float = 0.0

    def __post_init__(self) -> None:
        strengths = ("l1_regularization", "l2_regularization", "l2_shrinkage_regularization")
        need_not_negative(self, [*(f"{name}_strength" for name in strengths), "beta"])
        need_positive(self, ["initial_accumulator_value"])
        check_number(self.learning_rate_power, "learning_rate_power of FtrlUpdate", most=0)

    def _start(self, weight: Any) -> Tensors:
        return [self.initial_accumulator_value * ops.ones_like(weight), ops.zeros_like(weight)]

    def _move(
        self, weight: Any, gradient: Any, slots: Tensors, shared: Any, rate: Any
    ) -> tuple[Any, Tensors]:
        total, linear = slots
        more = total + gradient * gradient
        shrunk = gradient + 2 * self.l2_shrinkage_regularization_strength * weight
        before, after = (value**-self.learning_rate_power for value in (total, more))
        linear = linear + rate * shrunk - (after - before) * weight
        reach = rate * self.l1_regularization_strength
        clipped = ops.minimum(ops.maximum(linear, -reach), reach)
        curvature = after + self.beta + 2 * rate * self.l2_regularization_strength
        return (clipped - linear) / curvature, [more, linear]


def _running_means(gradient: Any, slots: Tensors, beta_1: float, beta_2: float) -> tuple[Any, Any]:
    mean, square = slots
    return (
        mean + (1 - beta_1) * (gradient - mean),
        square + (1 - beta_2) * (gradient * gradient - square),
    )


def _corrections(at: Any, beta_1: float, beta_2: float) -> tuple[Any, Any]:
    """What running means of this many values, begun at zero, are short of."""
    return 1 - beta_1**at, 1 - beta_2**at


def _norm(weight: Any) -> Any:
    """The Euclidean norm of each member's weight, ``(M, 1, ..., 1)``."""
    axes = tuple(range(1, len(weight.shape)))
    return ops.sqrt(ops.sum(weight * weight, axis=axes, keepdims=True))
