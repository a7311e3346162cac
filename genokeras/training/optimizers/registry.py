"""Optimisers by name: for packed members, and for Keras models."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import keras

from genokeras.errors import ParameterError
from genokeras.support.checks import check_choice
from genokeras.support.wording import did_you_mean, listed
from genokeras.training.optimizers.adaptive import (
    AdadeltaUpdate,
    AdagradUpdate,
    AdamUpdate,
    FtrlUpdate,
    LambUpdate,
    RmspropUpdate,
)
from genokeras.training.optimizers.descent import DynamicMomentumUpdate, SgdUpdate
from genokeras.training.optimizers.keras_side import DynamicMomentum
from genokeras.training.optimizers.kfac import KfacUpdate
from genokeras.training.optimizers.update import Update

# What every Keras optimiser takes; its own signature does not say so on every backend.
_KERAS_OPTIONS = {
    "clipnorm",
    "clipvalue",
    "ema_momentum",
    "ema_overwrite_frequency",
    "global_clipnorm",
    "gradient_accumulation_steps",
    "loss_scale_factor",
    "name",
    "use_ema",
    "weight_decay",
}


@dataclass(frozen=True)
class NamedOptimizer:
    """What a name stands for.

    Attributes
    ----------
    update : type
        The :class:`Update` of packed members.
    keras_class : type or None
        Its twin in Keras; None where only packed members can be trained by it.
    presets : mapping
        Arguments of both that the name itself says.
    """

    update: type[Update]
    keras_class: type[keras.optimizers.Optimizer] | None
    presets: Mapping[str, Any] = field(default_factory=dict)


OPTIMIZERS: dict[str, NamedOptimizer] = {
    "adadelta": NamedOptimizer(AdadeltaUpdate, keras.optimizers.Adadelta),
    "adagrad": NamedOptimizer(AdagradUpdate, keras.optimizers.Adagrad),
    "adam": NamedOptimizer(AdamUpdate, keras.optimizers.Adam),
    "adamw": NamedOptimizer(AdamUpdate, keras.optimizers.AdamW),
    "dynamic_momentum": NamedOptimizer(DynamicMomentumUpdate, DynamicMomentum),
    "ftrl": NamedOptimizer(FtrlUpdate, keras.optimizers.Ftrl),
    "kfac": NamedOptimizer(KfacUpdate, None),
    "lamb": NamedOptimizer(LambUpdate, keras.optimizers.Lamb),
    "momentum": NamedOptimizer(SgdUpdate, keras.optimizers.SGD, {"momentum": 0.9}),
    "rmsprop": NamedOptimizer(RmspropUpdate, keras.optimizers.RMSprop),
    "sgd": NamedOptimizer(SgdUpdate, keras.optimizers.SGD),
}


def get_update(name: str, **arguments: Any) -> Update:
    """The optimiser of packed members that a name stands for.

    Parameters
    ----------
    name : str
        A key of ``OPTIMIZERS``.
    **arguments
        Its hyper-parameters; Keras' defaults for the rest. Learning rate and weight decay belong to the members.

    Raises
    ------
    ParameterError
        If there is no such optimiser, it has no such hyper-parameter, or a value is out of its range.
    """
    named = _named(name)
    _need_known(name, arguments, [f.name for f in fields(named.update)])  # type: ignore[arg-type]
    return named.update(**{**named.presets, **arguments})


def get_optimizer(name: str, learning_rate: Any, **arguments: Any) -> keras.optimizers.Optimizer:
    """The Keras optimiser that a name stands for, to compile a Keras model with.

    Parameters
    ----------
    name : str
        A key of ``OPTIMIZERS`` other than ``"kfac"``.
    learning_rate : float or keras.optimizers.schedules.LearningRateSchedule
    **arguments
        Of the Keras class, such as ``weight_decay`` or ``clipnorm``.

    Raises
    ------
    ParameterError
        If there is no such optimiser, Keras cannot have it, or it has no such argument.
    """
    named = _named(name)
    if named.keras_class is None:
        raise ParameterError(
            f"{name} needs to know what every layer reads, which a Keras optimiser does not receive: only packed members "
            "can be trained by it. Choose another optimiser for a custom Keras model."
        )
    own = set(inspect.signature(named.keras_class.__init__).parameters)
    known = (own | _KERAS_OPTIONS) - {"self", "kwargs", "options", "learning_rate"}
    _need_known(name, arguments, sorted(known))
    return named.keras_class(learning_rate=learning_rate, **{**named.presets, **arguments})


def _named(name: str) -> NamedOptimizer:
    check_choice(name, "optimiser", OPTIMIZERS)
    return OPTIMIZERS[name]


def _need_known(name: str, arguments: Mapping[str, Any], known: Collection[str]) -> None:
    strange = [key for key in arguments if key not in known]
    if strange:
        hints = "".join(did_you_mean(key, known, 1) for key in strange)
        raise ParameterError(
            f"{name} has no argument {listed(map(repr, strange))}.{hints} It takes: {', '.join(known) or 'none'}."
        )
