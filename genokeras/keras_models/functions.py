"""People's functions: called with what their signatures accept."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, final

import keras

from genokeras.errors import DataError, ParameterError
from genokeras.keras_models.model_spec import ModelSpec, as_model_spec
from genokeras.keras_models.reads import ReadSpec
from genokeras.support.wording import did_you_mean, listed

RUN_MODES = ("train", "evaluate", "predict")


@final
class Functions:
    """The three functions that say what to train.

    Parameters
    ----------
    input_fn : callable
        Takes ``run_mode`` and ``batch_size``, and returns data.
    model_fn : callable
        Takes ``inputs_spec``, ``run_mode`` and ``param_spec``, and returns a ``keras.Model`` or a ``ModelSpec``.
    optimizer_fn : callable
        Takes ``param_spec``, and returns a Keras optimizer.

    Each is called by keyword with those of these that its signature accepts.

    Raises
    ------
    ParameterError
        If one is no function, or needs what is not given to it.
    """

    def __init__(
        self,
        input_fn: Callable[..., Any],
        model_fn: Callable[..., Any],
        optimizer_fn: Callable[..., Any] | None,
    ) -> None:
        self._input = _Caller("input_fn", input_fn, ("run_mode", "batch_size"))
        self._model = _Caller("model_fn", model_fn, ("inputs_spec", "run_mode", "param_spec"))
        self._optimizer = (
            None if optimizer_fn is None else _Caller("optimizer_fn", optimizer_fn, ("param_spec",))
        )

    @property
    def model_knows_mode(self) -> bool:
        """Whether the model may be another one for evaluation than for training."""
        return "run_mode" in self._model.accepted

    def inputs(self, run_mode: str, batch_size: int) -> Any:
        """The data for a mode."""
        data = self._input(run_mode=run_mode, batch_size=batch_size)
        if data is None:
            raise DataError(f"input_fn returned None for run_mode {run_mode!r}: does it end in a return?")
        return data

    def model(self, inputs_spec: Any, run_mode: str, param_spec: ReadSpec) -> ModelSpec:
        """A model for a mode."""
        return as_model_spec(self._model(inputs_spec=inputs_spec, run_mode=run_mode, param_spec=param_spec))

    def optimizer(self, param_spec: ReadSpec) -> keras.optimizers.Optimizer:
        """An optimizer that belongs to no model yet."""
        if self._optimizer is None:
            raise ParameterError("training needs optimizer_fn, a function (param_spec) -> keras optimizer.")
        found = self._optimizer(param_spec=param_spec)
        if isinstance(found, str):
            found = keras.optimizers.get(found)
        if not isinstance(found, keras.optimizers.Optimizer):
            raise ParameterError(f"optimizer_fn must return a Keras optimizer, got {type(found).__name__}.")
        # One that has trained already is taken as a pattern.
        return type(found).from_config(found.get_config()) if found.built else found


@final
class _Caller:
    """A function, and which of the names offered it accepts."""

    def __init__(self, name: str, function: Callable[..., Any], offered: tuple[str, ...]) -> None:
        if not callable(function):
            raise ParameterError(
                f"{name} must be a function ({', '.join(offered)}), got {type(function).__name__}."
            )
        self._function = function
        self.accepted = _accepted(name, function, offered)

    def __call__(self, **values: Any) -> Any:
        return self._function(**{name: values[name] for name in self.accepted})


def _accepted(name: str, function: Callable[..., Any], offered: tuple[str, ...]) -> tuple[str, ...]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some built-in functions have none
        return offered
    by_name = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    missing = [p.name for p in by_name if p.default is p.empty and p.name not in offered]
    missing += [p.name for p in parameters if p.kind is p.POSITIONAL_ONLY and p.default is p.empty]
    if missing:
        hints = "".join(did_you_mean(wanted, offered) for wanted in missing)
        raise ParameterError(
            f"{name} cannot be called: it requires {listed(map(repr, missing))}, but is given, by keyword, "
            f"{listed(offered)}.{hints}"
        )
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return offered
    return tuple(wanted for wanted in offered if wanted in {p.name for p in by_name})
