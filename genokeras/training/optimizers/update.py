"""What an optimiser of packed members is: a value that moves stacked weights, each member at its own rate.

================  ============================================================  ==========================
symbol            meaning                                                       shape
================  ============================================================  ==========================
M                 members                                                       --
w                 a weight                                                      ``(M, ...)``
g                 its gradient                                                  ``(M, ...)``
rate              learning rate x schedule                                      ``(M, 1, ..., 1)`` or alike
decay             learning rate x schedule x weight decay                       ``(M, 1, ..., 1)`` or alike
at                number of the step, from 1                                    scalar, float32
================  ============================================================  ==========================

Everything is written with ``keras.ops`` and without Python branches on tensors, so that a step can be traced by
``tf.function`` and ``jax.jit``. The names and defaults of the hyper-parameters are those of Keras' optimisers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from keras import ops

from genokeras.support.checks import check_number

Tensors = list[Any]


@dataclass(frozen=True)
class Factors:
    """What a Kronecker-factored update needs to know of the rows, for every Dense layer in the order of its weights.

    Attributes
    ----------
    inputs : list of tensor
        What each layer read: ``(M, rows, in)``, or ``(1, rows, in)`` where all members read the same.
    gradients : list of tensor
        ``(M, rows, out)``: the gradient of each row's own loss with respect to the layer's pre-activation.
    row_weights : tensor
        ``(M, rows)``: how much a row counts for a member; 0 for rows that it must not train on.
    """

    inputs: Sequence[Any]
    gradients: Sequence[Any]
    row_weights: Any


class Update(ABC):
    """One optimiser, as a frozen value of its hyper-parameters; members never see each other.

    Weight decay is decoupled for every one of them, as in AdamW (Loshchilov & Hutter 2019, algorithm 2): a weight first
    shrinks by its decay, then moves.

    Attributes
    ----------
    needs_factors : bool
        Whether :meth:`step` must be given :class:`Factors`; those that need none ignore them.
    """

    needs_factors: ClassVar[bool] = False

    @abstractmethod
    def initial_state(self, params: Tensors) -> list[Tensors]:
        """What is remembered between steps: lists of tensors whose shapes no step changes."""

    @abstractmethod
    def step(
        self,
        params: Tensors,
        gradients: Tensors,
        state: list[Tensors],
        at: Any,
        rates: Tensors,
        decays: Tensors,
        factors: Factors | None = None,
    ) -> tuple[Tensors, list[Tensors]]:
        """Move every weight once.

        Parameters
        ----------
        params, gradients : list of tensor
            ``(M, ...)`` each.
        state : list of list of tensor
            From :meth:`initial_state` or the step before.
        at : tensor
            Number of this step, from 1, as a float.
        rates, decays : list of tensor
            For each weight, one number for each member, shaped to broadcast to the weight.
        factors : Factors, optional

        Returns
        -------
        params : list of tensor
        state : list of list of tensor
        """


class ElementwiseUpdate(Update):
    """An optimiser that treats each weight by itself; the state is one list of tensors for each weight."""

    def initial_state(self, params: Tensors) -> list[Tensors]:
        return [self._start(weight) for weight in params]

    def step(
        self,
        params: Tensors,
        gradients: Tensors,
        state: list[Tensors],
        at: Any,
        rates: Tensors,
        decays: Tensors,
        factors: Factors | None = None,
    ) -> tuple[Tensors, list[Tensors]]:
        shared = self._shared(at)
        moved = [
            self._move((1 - decay) * weight, gradient, slots, shared, rate)
            for weight, gradient, slots, rate, decay in zip(
                params, gradients, state, rates, decays, strict=True
            )
        ]
        return [weight for weight, _ in moved], [slots for _, slots in moved]

    @abstractmethod
    def _start(self, weight: Any) -> Tensors:
        """What is remembered of one weight before the first step."""

    def _shared(self, at: Any) -> Any:
        """What the moves of all weights need of the number of the step."""
        return None

    @abstractmethod
    def _move(
        self, weight: Any, gradient: Any, slots: Tensors, shared: Any, rate: Any
    ) -> tuple[Any, Tensors]:
        """One weight, already decayed, after this step, and what to remember of it."""


def zeros_like(weight: Any, count: int) -> Tensors:
    """``count`` tensors of zeros in the shape of a weight."""
    return [ops.zeros_like(weight) for _ in range(count)]


def zeros_per_member(weight: Any) -> Any:
    """One zero for each member, ``(M, 1, ..., 1)``, which broadcasts to the weight."""
    return ops.zeros_like(weight[(slice(None), *[slice(0, 1)] * (len(weight.shape) - 1))])


def need_fractions(update: Update, names: Iterable[str]) -> None:
    """Raise a ParameterError unless these hyper-parameters are at least 0 and below 1."""
    _need(update, names, least=0, below=1)


def need_positive(update: Update, names: Iterable[str]) -> None:
    """Raise a ParameterError unless these hyper-parameters are above 0."""
    _need(update, names, above=0)


def need_not_negative(update: Update, names: Iterable[str]) -> None:
    """Raise a ParameterError unless these hyper-parameters are at least 0."""
    _need(update, names, least=0)


def _need(update: Update, names: Iterable[str], **limits: Any) -> None:
    for name in names:
        check_number(getattr(update, name), f"{name} of {type(update).__name__}", **limits)
