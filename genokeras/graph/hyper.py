"""The numbers and names a proposal is trained with, apart from its architecture."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from genokeras.errors import ParameterError
from genokeras.graph.specs import ACTIVATIONS, did_you_mean


@dataclass(frozen=True)
class HyperParameters:
    """What a proposal is trained with: rates, regularisation, activation and the view of the data.

    Parameters
    ----------
    learning_rate : float, default=0.01
        Peak step size of the optimiser, above zero.
    weight_decay : float, default=0.1
        Decoupled weight decay, zero or more.
    dropout : float, default=0.2
        Rate of every ``Dropout`` layer that names none of its own, in [0, 1).
    activation : str, default="relu"
        Function of every ``Activation`` layer that names none of its own.
    view : str, default="all"
        Name of the features' view the network reads, such as ``"all"`` or ``"anova_100"``.

    Raises
    ------
    ParameterError
        If a value is outside of its range or the activation is unknown.
    """

    learning_rate: float = 0.01
    weight_decay: float = 0.1
    dropout: float = 0.2
    activation: str = "relu"
    view: str = "all"

    def __post_init__(self) -> None:
        for name in ("learning_rate", "weight_decay", "dropout"):
            object.__setattr__(self, name, _finite(name, getattr(self, name)))
        if self.learning_rate <= 0:
            raise ParameterError(f"learning_rate must be above 0, got {self.learning_rate!r}.")
        if self.weight_decay < 0:
            raise ParameterError(f"weight_decay must be 0 or more, got {self.weight_decay!r}.")
        if not 0 <= self.dropout < 1:
            raise ParameterError(f"dropout must be in [0, 1), got {self.dropout!r}.")
        if self.activation not in ACTIVATIONS:
            raise ParameterError(
                f"activation must be one of {', '.join(ACTIVATIONS)}; got {self.activation!r}"
                f"{did_you_mean(self.activation, ACTIVATIONS)}."
            )
        if not isinstance(self.view, str) or not self.view:
            raise ParameterError(f"view must be the name of a view, got {self.view!r}.")

    def to_dict(self) -> dict[str, Any]:
        """Return the values as a JSON object."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> HyperParameters:
        """Read what `to_dict` wrote; names left out take their defaults.

        Raises
        ------
        ParameterError
            If `data` is no JSON object or carries an unknown name.
        """
        if not isinstance(data, Mapping):
            raise ParameterError(f"hyper-parameters must be a JSON object, got {type(data).__name__}.")
        names = [field.name for field in fields(cls)]
        for name in data:
            if name not in names:
                raise ParameterError(
                    f"unknown hyper-parameter {name!r}{did_you_mean(name, names)}; known: {', '.join(names)}."
                )
        return cls(**data)


def _finite(name: str, value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ParameterError(f"{name} must be a finite number, got {value!r}.")
    return number
