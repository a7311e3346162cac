"""Optimizers whose numbers can be turned without compiling anew.

TensorFlow and JAX bake an optimizer's momentum and weight decay, which are Python numbers, into the compiled training step. As
variables they are read at every step instead, so that one compiled step serves all values.
"""

from __future__ import annotations

import json
from typing import Any, final

import keras

# Where these are numbers; tried with each, because an optimizer may compare them with others.
_TURNABLE = {
    "SGD": ("weight_decay", "momentum"),
    "RMSprop": ("weight_decay", "momentum"),
    "Adam": ("weight_decay",),
    "AdamW": ("weight_decay",),
    "Nadam": ("weight_decay",),
    "Adamax": ("weight_decay",),
    "Lion": ("weight_decay",),
    "Adagrad": ("weight_decay",),
    "Adadelta": ("weight_decay",),
}
_ADAPTIVE = ("Adam", "AdamW", "Nadam", "Adamax", "RMSprop", "Lion", "Lamb", "Adafactor", "Muon")


@final
class _Knob(keras.Variable):
    """A number in an optimizer that takes it for one that is not 0, so that it makes all the variables it may need."""

    __hash__ = keras.Variable.__hash__

    def __ne__(self, other: object) -> Any:
        return True

    def __gt__(self, other: object) -> Any:
        return True


@final
class Turnable:
    """An optimizer that belongs to no model yet, with its numbers made turnable where that is known to work.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
        Is changed.

    Attributes
    ----------
    signature : str
        The same for optimizers that can be turned into each other.
    values : dict of str to float
        What can be turned.
    rate : float or None
        Its own learning rate; None where it follows a schedule.
    """

    def __init__(self, optimizer: keras.optimizers.Optimizer) -> None:
        self.optimizer = optimizer
        self.rate = learning_rate_of(optimizer)
        config = optimizer.get_config()
        names = _TURNABLE.get(type(optimizer).__name__, ())
        if type(optimizer).__module__.split(".")[0] != "keras":
            names = ()
        self.values = {name: float(config[name]) for name in names if isinstance(config.get(name), float)}
        fixed = {name: value for name, value in config.items() if name not in (*self.values, "name")}
        if isinstance(fixed.get("learning_rate"), float | int):
            del fixed["learning_rate"]
        self.signature = json.dumps(
            [type(optimizer).__qualname__, sorted(self.values), fixed], default=repr, sort_keys=True
        )

    def make_knobs(self) -> None:
        """Put variables in place of the numbers; before the optimizer is built."""
        if keras.backend.backend() == "torch":  # compiles nothing, and some of its optimizers want numbers
            return
        for name, value in self.values.items():
            setattr(self.optimizer, name, _Knob(value, trainable=False, name=name))

    def turn_to(self, other: Turnable) -> None:
        """Take over the numbers of another one of the same signature."""
        for name, value in other.values.items():
            knob = getattr(self.optimizer, name)
            if isinstance(knob, _Knob):
                knob.assign(value)
            else:
                setattr(self.optimizer, name, value)
        self.values, self.rate = dict(other.values), other.rate


def is_adaptive(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether steps are scaled by earlier gradients, as Adam's are, so that they want lower learning rates."""
    return any(base.__name__ in _ADAPTIVE for base in type(_innermost(optimizer)).__mro__)


def learning_rate_of(optimizer: keras.optimizers.Optimizer) -> float | None:
    """The learning rate; None where it follows a schedule."""
    rate = _innermost(optimizer).get_config().get("learning_rate")
    return float(rate) if isinstance(rate, float | int) else None


def _innermost(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    inner = getattr(optimizer, "inner_optimizer", None)  # of one that scales the loss
    return optimizer if inner is None else _innermost(inner)
