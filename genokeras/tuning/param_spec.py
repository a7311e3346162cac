"""Named parameter values, and lists of values to choose from, as one immutable value."""

from __future__ import annotations

import warnings
from collections.abc import ItemsView, Mapping, Sequence
from typing import TYPE_CHECKING, Any, final

import numpy as np

from genokeras.errors import ParameterError
from genokeras.support.wording import did_you_mean, listed

if TYPE_CHECKING:
    from genokeras.tuning.learning_rate_range import RangeTest


@final
class ParamSpec:
    """Values of parameters by name, or lists of them.

    Parameters
    ----------
    **values
        Any names but those of this class' methods. A list stands for the values to choose from.

    Examples
    --------
    >>> spec = ParamSpec(weight_decay=1e-4, momentum=0.9)
    >>> spec.momentum
    0.9
    >>> spec.replace(momentum=0.99)
    ParamSpec(weight_decay=0.0001, momentum=0.99)
    """

    __slots__ = ("_curves", "_reasons", "_values")
    __hash__ = None  # type: ignore[assignment]  # lists have none

    def __init__(self, **values: Any) -> None:
        for name in values:
            if name.startswith("_") or hasattr(type(self), name):
                raise ParameterError(f"a parameter cannot be named {name!r}, which ParamSpec uses itself.")
        object.__setattr__(self, "_values", {name: _owned(value) for name, value in values.items()})
        object.__setattr__(self, "_reasons", {})
        object.__setattr__(self, "_curves", {})

    def __getattr__(self, name: str) -> Any:
        # Reached only where Python found nothing; copying asks for names before `_values` is there.
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._values:
            known = listed(self._values) or "none"
            hint = did_you_mean(name, list(self._values))
            raise AttributeError(f"this ParamSpec has no parameter {name!r}.{hint} It has: {known}.")
        return _owned(self._values[name])

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a ParamSpec cannot be changed: use spec.replace({name}=...) to make another.")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("a ParamSpec cannot be changed: build another one from its to_dict().")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ParamSpec):
            return NotImplemented
        return self._values == other._values

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"ParamSpec({', '.join(f'{name}={value!r}' for name, value in self._values.items())})"

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._values]

    def __reduce__(self) -> tuple[Any, ...]:
        return _spec_of, (self.to_dict(), self.reasons, self.curves)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], reasons: Mapping[str, str] | None = None) -> ParamSpec:
        """A spec of these values, and of the reasons for some of them.

        Raises
        ------
        ParameterError
                On a name that is no text or is taken, or a reason for a name that is not there.
        """
        odd = [name for name in values if not isinstance(name, str)]
        if odd:
            raise ParameterError(f"parameter names must be text, got {listed(map(repr, odd))}.")
        spec = cls(**values)
        for name in reasons or {}:
            if name not in values:
                raise ParameterError(
                    f"a reason is given for {name!r}, which is none of the parameters {listed(values)}."
                )
        object.__setattr__(spec, "_reasons", dict(reasons or {}))
        return spec

    def to_dict(self) -> dict[str, Any]:
        """The values by name, in order."""
        return {name: _owned(value) for name, value in self._values.items()}

    def items(self) -> ItemsView[str, Any]:
        """Names with their values, in order."""
        return self.to_dict().items()

    def replace(self, **values: Any) -> ParamSpec:
        """Another spec with these values; new names go to the end. The reasons for what changes are dropped, and curves."""
        kept = {name: reason for name, reason in self._reasons.items() if name not in values}
        return ParamSpec.from_dict({**self._values, **values}, kept)

    @property
    def reasons(self) -> dict[str, str]:
        """Why values were chosen, by name; not part of what makes two specs equal."""
        return dict(self._reasons)

    def with_reasons(self, reasons: Mapping[str, str]) -> ParamSpec:
        """The same values with these reasons added."""
        return _spec_of(self._values, {**self._reasons, **reasons}, self._curves)

    @property
    def curves(self) -> dict[str, RangeTest]:
        """The range tests behind the values, by parameter; not part of what makes two specs equal."""
        return dict(self._curves)

    def with_curves(self, curves: Mapping[str, RangeTest]) -> ParamSpec:
        """The same values and reasons with these range tests added."""
        return _spec_of(self._values, self._reasons, {**self._curves, **curves})

    def report(self) -> str:
        """One line per parameter: its value and the reason for it."""
        width = max((len(name) for name in self._values), default=0)
        shown = {name: _shown(value) for name, value in self._values.items()}
        wide = max((len(text) for text in shown.values()), default=0)
        return "\n".join(
            f"{name:<{width}}  {text:<{wide}}  {self._reasons.get(name, 'as given')}"
            for name, text in shown.items()
        )


def _spec_of(
    values: Mapping[str, Any], reasons: Mapping[str, str], curves: Mapping[str, RangeTest]
) -> ParamSpec:
    spec = ParamSpec.from_dict(values, reasons)
    object.__setattr__(spec, "_curves", dict(curves))
    return spec


def lists_to_search(start: ParamSpec, lists: ParamSpec) -> dict[str, list[Any]]:
    """The lists of values to choose from, of the parameters that `start` has.

    Parameters
    ----------
    start : ParamSpec
        Start values.
    lists : ParamSpec
        Lists by name. A name that `start` lacks is left out with a warning.

    Returns
    -------
    dict of str to list
        In the order of `lists`.

    Raises
    ------
    ParameterError
        Where a value is no list, or an empty one; all of them at once.
    """
    problems = []
    for name, values in lists.items():
        if not isinstance(values, list):
            problems.append(f"{name} must be a list of values to choose from, got {values!r}")
        elif not values:
            problems.append(f"{name} is an empty list: give it a value, or leave it out")
    if problems:
        raise ParameterError(f"values to search: {'; '.join(problems)}.")
    unknown = [name for name, _ in lists.items() if name not in start]
    if unknown:
        known = list(start.to_dict())
        hints = "".join(dict.fromkeys(did_you_mean(name, known) for name in unknown))
        warnings.warn(
            f"lists of values for names without a start value are not searched: {listed(map(repr, unknown))}.{hints} "
            f"Start values are there for {listed(known) or 'nothing'}.",
            UserWarning,
            stacklevel=2,
        )
    return {name: values for name, values in lists.items() if name in start}


def _owned(value: Any) -> Any:
    """A copy of lists, dicts and arrays, so that nobody else can change the value."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | tuple):
        return [_owned(item) for item in value]
    return {key: _owned(item) for key, item in value.items()} if isinstance(value, dict) else value


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else repr(value)
