"""The numbers and names a proposal is trained with, apart from its architecture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from genokeras.errors import ParameterError
from genokeras.graph.specs import ACTIVATIONS
from genokeras.support.checks import check_choice, check_number


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
        for name, value in (
            ("learning_rate", check_number(self.learning_rate, "learning_rate", above=0)),
            ("weight_decay", check_number(self.weight_decay, "weight_decay", least=0)),
            ("dropout", check_number(self.dropout, "dropout", least=0, below=1)),
        ):
            object.__setattr__(self, name, value)
        check_choice(self.activation, "activation", ACTIVATIONS)
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
            check_choice(name, "hyper-parameter", names)
        return cls(**data)
