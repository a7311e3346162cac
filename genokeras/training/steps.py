"""The one way to step a compiled Keras model: any batches, any backend, and training can go on where it stopped.

TensorFlow's ``fit`` would read batches through a ``tf.data`` pipeline, which costs more than the step of a small network; there
the compiled step is called directly. On JAX and PyTorch ``fit`` reads them one by one and keeps the state on the device, which
``train_on_batch`` does not.
"""

from __future__ import annotations

import itertools
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, final

import keras
import numpy as np

from genokeras.errors import ParameterError
from genokeras.streams import Batch, Batches
from genokeras.streams.items import example_shapes
from genokeras.training.random_state import random_state, set_random_state

Logs = dict[str, float]
OnStep = Callable[["Position", Logs], bool | None]
_Marked = Iterator[tuple[int, int, Batch, bool]]


@final
@dataclass(frozen=True)
class Position:
    """How far training has come.

    Attributes
    ----------
    step : int
        Batches used in all.
    epoch : int
        Epochs finished.
    batch : int
        Batches used of the current epoch; 0 right behind the last batch of one.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0


def train_steps(
    model: keras.Model,
    batches: Batches,
    *,
    until: int | None,
    position: Position | None = None,
    on_step: OnStep | None = None,
    when: Callable[[Position], bool] | None = None,
) -> Position:
    """Train a compiled model, one batch a step.

    Parameters
    ----------
    model : keras.Model
        Compiled. Its weights, optimizer state and random states are where `position` says; nothing is reset but its metrics at
        the beginning of an epoch.
    batches : Batches
    until : int or None
        The step to stop behind, counted from the very first; None: until `on_step` says so.
    position : Position, optional
        Where to begin; the beginning by default.
    on_step : callable, optional
        Called as ``on_step(position, logs)`` behind a step, with the position behind it and the metrics since the beginning of
        the epoch. Training stops where it returns True. It may read the model's weights. It may evaluate the model too; in
        the middle of an epoch that begins the metrics anew.
    when : callable, optional
        ``when(position)`` says whether `on_step` is to be called behind a step; always by default. It is called behind the last
        batch of every epoch in any case. To read metrics costs a little, so a progress bar need not do it every time.

    Returns
    -------
    Position
        Behind the last step.

    Raises
    ------
    ParameterError
        If the model is not compiled or has no trainable weights.
    DataError
        If the batches end for good before `until`, or are not alike.
    """
    check_trainable(model, batches)
    at = position or Position()
    first = batches.first() if at.step else None
    marked = batches.endless(at.step, until)
    if until is not None:
        marked = itertools.islice(marked, max(0, until - at.step))
    report = _Report(model, at, until, on_step, when)
    if keras.backend.backend() == "tensorflow":
        _by_function(model, marked, report, first)
    else:
        _by_fit(model, marked, report)
    return report.position


def train_batch(model: keras.Model, batch: Batch) -> Logs:
    """Train a compiled model by one batch, as an epoch of its own.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    batch : tuple of (x, y, sample_weight)

    Returns
    -------
    dict of str to float
        The loss and the compiled metrics of this batch, with the weights before the step.

    Raises
    ------
    ParameterError
        If the model is not compiled or has no trainable weights.
    """
    logs: Logs = {}
    train_steps(model, Batches(lambda: [batch]), until=1, on_step=lambda _, found: logs.update(found))
    return logs


@final
class KeptVariables:
    """The values that variables have now, to be put back later.

    Parameters
    ----------
    variables : list of keras.Variable
    """

    def __init__(self, variables: list[Any]) -> None:
        self._kept = list(zip(variables, _values(variables), strict=True))

    def put_back(self) -> None:
        """Give the variables these values again."""
        for variable, value in self._kept:
            variable.assign(value)


def jit_compile() -> bool | str:
    """What ``compile`` gets as `jit_compile`: no XLA with TensorFlow, where it compiles for longer than a short training takes."""
    return False if keras.backend.backend() == "tensorflow" else "auto"


def check_trainable(model: keras.Model, batches: Batches) -> None:
    """Build the model where it is not built, and check that it can be trained.

    Raises
    ------
    ParameterError
        If it is not compiled or has no trainable weights.
    """
    if not model.compiled or model.optimizer is None:
        raise ParameterError(
            f"the model {model.name!r} is not compiled: call model.compile(optimizer, loss) first."
        )
    if not model.built:
        model(batches.first()[0])
    if not model.trainable_variables:
        raise ParameterError(
            f"the model {model.name!r} has no trainable weights: set layer.trainable = True where it should learn, and "
            "compile it again."
        )


@final
class _Report:
    """Keeps the position, and calls `on_step`."""

    def __init__(
        self,
        model: keras.Model,
        position: Position,
        until: int | None,
        on_step: OnStep | None,
        when: Callable[[Position], bool] | None,
    ) -> None:
        self.position = position
        self.until = until
        self._model = model
        self._on_step = on_step
        self._when = when

    def moved(self, epoch: int, index: int, last: bool) -> None:
        self.position = Position(self.position.step + 1, epoch + last, 0 if last else index + 1)

    def stops(self, logs: Any) -> bool:
        """Whether training is to stop behind the current step."""
        if self._on_step is None:
            return False
        if self.position.batch and self._when is not None and not self._when(self.position):
            return False
        settle(self._model)
        stop = bool(self._on_step(self.position, as_floats(logs)))
        if keras.backend.backend() == "torch":
            self._model.train()  # an evaluation leaves PyTorch's own layers in the mode for predicting
        return stop


def settle(model: keras.Model) -> None:
    """Put into the model's variables what JAX's training keeps beside them between steps."""
    if keras.backend.backend() == "jax":
        model.jax_state_sync()


def as_floats(logs: Any) -> Logs:
    """Metrics as numbers; those that are not one number, such as a value per class, as their mean."""
    return {name: float(np.mean(keras.ops.convert_to_numpy(value))) for name, value in (logs or {}).items()}


def _by_function(model: keras.Model, marked: _Marked, report: _Report, first: Batch | None) -> None:
    model.make_train_function()
    for epoch, index, batch, last in marked:
        if first is not None:
            # TensorFlow compiles for the shape it meets first, and rounds otherwise where that is a smaller last batch.
            if example_shapes(batch) != example_shapes(first):
                _compile_for(model, first)
            first = None
        if index == 0:
            model.reset_metrics()
        logs = model.train_function(iter([batch]))
        report.moved(epoch, index, last)
        if report.stops(logs):
            return


def _compile_for(model: keras.Model, batch: Batch) -> None:
    """Train a step, and put everything back."""
    kept = KeptVariables([*model.variables, *model.optimizer.variables, *model.metrics_variables])
    model.train_function(iter([batch]))
    model.reset_metrics()  # those that were not built before
    kept.put_back()


def _by_fit(model: keras.Model, marked: _Marked, report: _Report) -> None:
    """An epoch, or what is left of it, per call of ``fit``."""
    # Data that were used before are read through first, which must not use up random numbers a second time.
    random = random_state() if report.position.step else None
    for first in marked:
        watch = _FitWatch(model, report, fresh=first[1] == 0, random=random)
        random = None
        # The epoch is numbered -1 because Keras takes training for finished behind an epoch of a higher number, and then
        # overwrites the weights with their moving averages where the optimizer keeps those.
        model.fit(
            watch.epoch(itertools.chain([first], marked)),
            initial_epoch=-1,
            epochs=0,
            shuffle=False,
            verbose=0,
            callbacks=[watch],
        )
        if watch.stopped or (report.position.batch == 0 and report.stops(watch.logs)):
            return


@final
class _FitWatch(keras.callbacks.Callback):
    """Hands out the batches of one epoch to ``fit``, and knows which of them were used."""

    def __init__(
        self, model: keras.Model, report: _Report, fresh: bool, random: list[np.ndarray] | None
    ) -> None:
        super().__init__()
        self.stopped = False
        self.logs: Any = None
        self._trained = model
        self._report = report
        self._read: deque[tuple[int, int, bool]] = (
            deque()
        )  # ahead of the step: `fit` looks into its data first
        self._metrics = [] if fresh else _values(model.metrics_variables)
        self._random = random_state() if random is None else random

    def epoch(self, marked: _Marked) -> Iterator[tuple[Any, ...]]:
        for epoch, index, batch, last in marked:
            self._read.append((epoch, index, last))
            yield tuple(part for part in batch if part is not None)
            if last:
                return

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self._metrics and len(self._metrics) == len(self._trained.metrics_variables):
            for variable, value in zip(self._trained.metrics_variables, self._metrics, strict=True):
                variable.assign(value)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if not batch:  # PyTorch's loader, which `fit` reads through, draws a number when it begins
            set_random_state(self._random)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._report.moved(*self._read.popleft())
        self.logs = logs
        at = self._report.position
        # Behind the last batch `fit` first puts its state in order.
        self.stopped = bool(at.batch) and self._report.stops(logs)
        # `fit` warns of data that end before it is asked to stop.
        self._trained.stop_training = self.stopped or at.batch == 0 or at.step == self._report.until


def _values(variables: list[Any]) -> list[np.ndarray]:
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def evaluate_batches(model: keras.Model, batches: Batches) -> Logs:
    """The loss and the compiled metrics over one epoch.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    batches : Batches

    Returns
    -------
    dict of str to float
    """
    settle(model)
    if keras.backend.backend() != "tensorflow":
        parts = (tuple(part for part in batch if part is not None) for batch in batches.epoch())
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Your input ran out of data")  # as it should
            return as_floats(model.evaluate(parts, verbose=0, return_dict=True))
    model.make_test_function()
    model.reset_metrics()
    logs = None
    for batch in batches.epoch():
        logs = model.test_function(iter([batch]))
    return as_floats(logs)


def predict_batches(model: keras.Model, batches: Batches) -> tuple[Any, Any]:
    """The outputs for one epoch, and the targets they belong to.

    Parameters
    ----------
    model : keras.Model
    batches : Batches

    Returns
    -------
    outputs : array, or list or dict of arrays, of shape (n_samples, ...)
    targets : array, or list or dict of arrays, of shape (n_samples, ...); None where the batches have none
    """
    settle(model)
    outputs, targets = [], []
    for x, y, _ in batches.epoch():
        outputs.append(keras.tree.map_structure(keras.ops.convert_to_numpy, model.predict_on_batch(x)))
        if y is not None:
            targets.append(keras.tree.map_structure(keras.ops.convert_to_numpy, y))
    return _joined(outputs), _joined(targets) if targets else None


def _joined(parts: list[Any]) -> Any:
    return keras.tree.map_structure(lambda *leaves: np.concatenate(leaves), *parts)
