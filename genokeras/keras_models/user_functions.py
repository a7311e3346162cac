"""The functions that say what to train: called with what their signatures accept, their data as batches."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, final

import keras

from genokeras.errors import DataError, ParameterError
from genokeras.keras_models.model_spec import ModelSpec, as_model_spec
from genokeras.keras_models.noted_spec import NotedSpec
from genokeras.streams import Batch, Batches, BatchesEndedError
from genokeras.support.wording import did_you_mean, listed
from genokeras.tuning import ParamSpec

RUN_MODES = ("train", "evaluate", "predict")


@final
class UserFunctions:
    """The three functions that say what to train.

    Each is called by keyword with those of the arguments below that its signature accepts.

    Parameters
    ----------
    input_fn : callable
        Takes ``run_mode`` and ``batch_size``, and returns data.
    model_fn : callable
        Takes ``inputs_spec``, ``run_mode`` and ``param_spec``, and returns a ``keras.Model`` or a ``ModelSpec``.
    optimizer_fn : callable or None
        Takes ``param_spec``, and returns a Keras optimizer. Only training needs it.

    Raises
    ------
    ParameterError
        If one is no function, or requires an argument that is not offered.
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
        """Whether the model for evaluation may differ from the one for training."""
        return "run_mode" in self._model.accepted

    def batches(
        self,
        run_mode: str,
        *,
        batch_size: int,
        auto_batch: bool = False,
        seed: int = 0,
        shuffle: bool | None = None,
    ) -> Batches:
        """The data for a mode.

        A generator is started again by calling the input function again.

        Parameters
        ----------
        run_mode : {"train", "evaluate", "predict"}
        batch_size : int
        auto_batch : bool
            The data are single examples.
        seed : int
            Of the order of the rows.
        shuffle : bool, optional
            By default only training shuffles. Only training leaves out a smaller last batch.

        Raises
        ------
        DataError
            If the input function returns nothing, or nothing that gives batches.
        """

        def begin() -> Any:
            data = self._input(run_mode=run_mode, batch_size=batch_size)
            if data is None:
                raise DataError(f"input_fn returned None for run_mode {run_mode!r}: does it end in a return?")
            return data

        data = begin()
        if isinstance(data, Iterator):
            begun = [data]
            data = lambda: begun.pop() if begun else begin()  # noqa: E731
        training = run_mode == "train"
        return Batches.of(
            data,
            batch_size=batch_size,
            shuffle=training if shuffle is None else shuffle,
            seed=seed,
            auto_batch=auto_batch,
            whole_only=training,
            name=f"the data of input_fn for run_mode {run_mode!r}",
        )

    def model(self, inputs_spec: Any, run_mode: str, param_spec: NotedSpec) -> ModelSpec:
        """A model for a mode.

        Parameters
        ----------
        inputs_spec : keras.KerasTensor, or list or dict of them
        run_mode : {"train", "evaluate", "predict"}
        param_spec : NotedSpec

        Raises
        ------
        ParameterError
            If the model function returns no model.
        """
        return as_model_spec(self._model(inputs_spec=inputs_spec, run_mode=run_mode, param_spec=param_spec))

    def optimizer(self, param_spec: NotedSpec) -> keras.optimizers.Optimizer:
        """An optimizer that belongs to no model yet.

        Raises
        ------
        ParameterError
            If there is no optimizer function, or it returns no optimizer.
        """
        if self._optimizer is None:
            raise ParameterError("training needs optimizer_fn, a function (param_spec) -> keras optimizer.")
        found = self._optimizer(param_spec=param_spec)
        if isinstance(found, str):
            found = keras.optimizers.get(found)
        if not isinstance(found, keras.optimizers.Optimizer):
            raise ParameterError(f"optimizer_fn must return a Keras optimizer, got {type(found).__name__}.")
        # One that has trained already is taken as a pattern.
        return type(found).from_config(found.get_config()) if found.built else found


def training_batches(batches: Batches, needed: int) -> Iterator[Batch]:
    """The first `needed` batches, epoch after epoch.

    Raises
    ------
    DataError
        If there are fewer.
    """
    given = batches.endless(needed=needed)
    for count in range(needed):
        try:
            yield next(given)[2]
        except BatchesEndedError as error:
            raise DataError(
                f"input_fn gave {count} batches for run_mode 'train', but {needed} are needed: let it return arrays, a dataset "
                "that repeats, or a new generator every time that it is called; or ask for fewer steps."
            ) from error


def checked_targets(batch: Batch, run_mode: str) -> Batch:
    """The batch, if it has targets.

    Raises
    ------
    DataError
        If it has none.
    """
    if batch[1] is None:
        raise DataError(f"input_fn must give (x, y) for run_mode {run_mode!r}, but it gives no y.")
    return batch


@final
class _Caller:
    """A function, and which of the offered names it accepts."""

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


def checked_spec(name: str, spec: Any) -> ParamSpec:
    """The spec, an empty one for None.

    Raises
    ------
    ParameterError
        If it is something else.
    """
    if spec is None:
        return ParamSpec()
    if isinstance(spec, ParamSpec):
        return spec
    raise ParameterError(
        f"{name} must be a ParamSpec, got {type(spec).__name__}: pass ParamSpec(momentum=0.9), for example."
    )
