"""Optimizers whose numbers can be changed without compiling again.

TensorFlow and JAX bake an optimizer's momentum and weight decay, which are Python numbers, into the compiled training step. As
variables they are read at every step instead, so that one compiled step serves all values.
"""

from __future__ import annotations

import json
from typing import Any, final

import keras

# Tried with each of these optimizers, because one may compare its numbers with others.
_DECAYING = ("Adam", "AdamW", "Nadam", "Adamax", "Lion", "Adagrad", "Adadelta")
_ADJUSTABLE = {name: ("weight_decay",) for name in _DECAYING} | {
    name: ("weight_decay", "momentum") for name in ("SGD", "RMSprop")
}
_ADAPTIVE = ("Adam", "AdamW", "Nadam", "Adamax", "RMSprop", "Lion", "Lamb", "Adafactor", "Muon")


@final
class _Knob(keras.Variable):
    """A number of an optimizer that always compares as if it were not 0, so that all variables are made that it may need."""

    __hash__ = keras.Variable.__hash__

    def __ne__(self, other: object) -> Any:
        return True

    def __gt__(self, other: object) -> Any:
        return True


@final
class AdjustableOptimizer:
    """An optimizer that belongs to no model yet, and those of its numbers that can be changed later.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
        Is changed.

    Attributes
    ----------
    signature : str
        The same for optimizers that can be made equal by :meth:`adjust_to`.
    values : dict of str to float
        What can be changed.
    rate : float or None
        Its own learning rate; None where it follows a schedule.
    """

    def __init__(self, optimizer: keras.optimizers.Optimizer) -> None:
        self.optimizer = optimizer
        self.rate = learning_rate_of(optimizer)
        kind, config = type(optimizer), optimizer.get_config()
        names = _ADJUSTABLE.get(kind.__name__, ()) if kind.__module__.split(".")[0] == "keras" else ()
        self.values = {name: float(config[name]) for name in names if isinstance(config.get(name), float)}
        fixed = {name: value for name, value in config.items() if name not in (*self.values, "name")}
        if isinstance(fixed.get("learning_rate"), float | int):
            del fixed["learning_rate"]
        self.signature = json.dumps(
            [kind.__qualname__, sorted(self.values), fixed], default=repr, sort_keys=True
        )

    def make_adjustable(self) -> None:
        """Put variables in place of the numbers; before the optimizer is built."""
        if keras.backend.backend() == "torch":  # compiles nothing, and some of its optimizers want numbers
            return
        for name, value in self.values.items():
            setattr(self.optimizer, name, _Knob(value, trainable=False, name=name))

    def adjust_to(self, other: AdjustableOptimizer) -> None:
        """Take over the numbers of another one with the same signature."""
        for name, value in other.values.items():
            knob = getattr(self.optimizer, name)
            if isinstance(knob, _Knob):
                knob.assign(value)
            else:
                setattr(self.optimizer, name, value)
        self.values, self.rate = dict(other.values), other.rate


def is_adaptive(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether steps are scaled by earlier gradients, as with Adam, which needs lower learning rates."""
    return any(base.__name__ in _ADAPTIVE for base in type(_innermost(optimizer)).__mro__)


def learning_rate_of(optimizer: keras.optimizers.Optimizer) -> float | None:
    """The learning rate; None where it follows a schedule."""
    rate = _innermost(optimizer).get_config().get("learning_rate")
    return float(rate) if isinstance(rate, float | int) else None


def _innermost(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    inner = getattr(optimizer, "inner_optimizer", None)  # of one that scales the loss
    return optimizer if inner is None else _innermost(inner)
