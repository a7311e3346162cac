"""Several training steps of a Keras model in one call, whose batches are gathered on the device from rows that stay there.

================  ==================================================================  =================
symbol            meaning                                                             shape
================  ==================================================================  =================
k, b              steps of a call, rows of a batch
rows              arrays by name, as the encoder reads them                           ``(n, ...)``
picked            which rows each step sees                                           ``(k, b)`` int32
drawn             random numbers of the changes that training makes to samples        ``(k, b, ...)``
================  ==================================================================  =================
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, final

import keras
import numpy as np
from keras import ops

from genokeras.training.steps import settle

Reader = Callable[[Mapping[str, Any], Mapping[str, Any]], Any]
# Steps that one program takes on a graphics card, where a call costs as much as many small steps.
STEPS_OF_A_CALL = 20
# Graphics cards from this generation on multiply bfloat16 several times as fast as float32.
_BFLOAT16_SINCE = (8, 0)


@dataclass(frozen=True, eq=False)
class DeviceData:
    """Training data as tensors on the device.

    Attributes
    ----------
    rows : dict of str to tensor
    targets : tensor
        ``(n, k)``.
    weight : tensor or None
        ``(n,)``; None where all are alike.
    """

    rows: dict[str, Any]
    targets: Any
    weight: Any

    @property
    def parts(self) -> dict[str, Any]:
        """All tensors, as what is compiled takes them."""
        weight = {} if self.weight is None else {"weight": self.weight}
        return {"rows": self.rows, "targets": self.targets, **weight}


def on_device(rows: Mapping[str, np.ndarray], targets: np.ndarray, weight: np.ndarray | None) -> DeviceData:
    """Copy arrays to the device."""
    tensors = {name: ops.convert_to_tensor(_wide(values)) for name, values in rows.items()}
    weights = None if weight is None else ops.convert_to_tensor(weight)
    return DeviceData(tensors, ops.convert_to_tensor(targets), weights)


def _wide(values: np.ndarray) -> np.ndarray:
    # TensorFlow keeps int32 in the memory of the host, wherever its other tensors are.
    narrow = keras.backend.backend() == "tensorflow" and values.dtype == "int32"
    return values.astype("int64") if narrow else values


class DeviceSteps(ABC):
    """Trains a compiled model whose optimizer is built.

    Parameters
    ----------
    model : keras.Model
    read : callable
        ``read(rows, drawn)`` is what the model takes of the rows of a batch.
    """

    def __init__(self, model: Any, read: Reader) -> None:
        self.model = model
        self._read = read

    @abstractmethod
    def run(self, data: DeviceData, picked: np.ndarray, drawn: Mapping[str, np.ndarray]) -> None:
        """Take the steps of ``picked``, at the optimizer's learning rate."""

    def begin_mean(self) -> None:
        """Forget the losses so far."""
        self.model.reset_metrics()

    def mean_loss(self) -> float:
        """Mean training loss since :meth:`begin_mean`."""
        self.settle()
        return float(ops.convert_to_numpy(self.model.get_metrics_result()["loss"]))

    def settle(self) -> None:
        """Have the model's variables hold what training made of them."""
        settle(self.model)

    def _batch(self, parts: Mapping[str, Any], picked: Any, drawn: Mapping[str, Any]) -> tuple[Any, ...]:
        rows = {name: ops.take(values, picked, axis=0) for name, values in parts["rows"].items()}
        x, y = self._read(rows, drawn), ops.take(parts["targets"], picked, axis=0)
        return (x, y, ops.take(parts["weight"], picked, axis=0)) if "weight" in parts else (x, y)


@final
class TensorFlowSteps(DeviceSteps):
    """A ``tf.function`` around a ``tf.while_loop``, traced once for any number of steps and rows."""

    def __init__(self, model: Any, read: Reader) -> None:
        super().__init__(model, read)
        self._tf: Any = import_module("tensorflow")
        self._traced: dict[Any, Callable[..., Any]] = {}

    def run(self, data: DeviceData, picked: np.ndarray, drawn: Mapping[str, np.ndarray]) -> None:
        tf = self._tf
        tensors = tf.nest.map_structure(tf.convert_to_tensor, [data.parts, picked, dict(drawn)])
        # Of batches the size is fixed, because kernels are chosen by it; of all else the number of steps and rows is free.
        key = (picked.shape[1], *sorted(data.parts), *sorted(drawn))
        if key not in self._traced:
            specs = tf.nest.map_structure(_free_first_axis(tf), tensors)
            function = tf.function(self._loop, autograph=False)
            self._traced[key] = function.get_concrete_function(*specs)
        self._traced[key](*tensors)

    def _loop(self, parts: Any, picked: Any, drawn: Any) -> None:
        tf = self._tf

        def step(index: Any) -> Any:
            batch = self._batch(parts, picked[index], {name: values[index] for name, values in drawn.items()})
            self.model.train_step(batch)
            return (index + 1,)

        tf.while_loop(
            lambda index: index < tf.shape(picked)[0], step, (tf.constant(0),), parallel_iterations=1
        )


def _free_first_axis(tf: Any) -> Callable[[Any], Any]:
    return lambda tensor: tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype)


@final
class JaxSteps(DeviceSteps):
    """A compiled step, repeated within one program on graphics cards; the state stays beside the model's variables."""

    def __init__(self, model: Any, read: Reader) -> None:
        super().__init__(model, read)
        self._jax: Any = import_module("jax")
        self._together = False
        self._run = self._jax.jit(self._step)
        self._state: list[list[Any]] | None = None
        # A loop within the program would keep XLA from the kernels that it has for convolutions on processors.
        if self._jax.default_backend() != "cpu":
            self.take_together()

    def take_together(self) -> None:
        """Take the steps of a call within one program, whatever the device."""
        self._together, self._run = True, self._jax.jit(self._loop)

    def run(self, data: DeviceData, picked: np.ndarray, drawn: Mapping[str, np.ndarray]) -> None:
        state = self._variables_now() if self._state is None else self._state
        optimizer = self.model.optimizer
        state[2] = [
            held.value if held is optimizer.learning_rate else value
            for held, value in zip(optimizer.variables, state[2], strict=True)
        ]
        if self._together:
            for first in range(0, len(picked), STEPS_OF_A_CALL):
                part = slice(first, first + STEPS_OF_A_CALL)
                own = {name: _filled(values[part]) for name, values in drawn.items()}
                count = np.int32(len(picked[part]))
                state = self._run(state, data.parts, _filled(picked[part]), own, count)
            self._state = state
            return
        for index, rows in enumerate(picked):
            own = {name: values[index] for name, values in drawn.items()}
            state = self._run(state, data.parts, rows, own)
        self._state = state

    def begin_mean(self) -> None:
        super().begin_mean()
        if self._state is not None:
            self._state[-1] = [variable.value for variable in self.model.metrics_variables]

    def settle(self) -> None:
        super().settle()
        if self._state is None:
            return
        for variables, values in zip(self._variables(), self._state, strict=True):
            for variable, value in zip(variables, values, strict=True):
                if variable is not self.model.optimizer.learning_rate:
                    variable.assign(value)
        self._state = None

    def _variables(self) -> list[list[Any]]:
        model = self.model
        return [
            model.trainable_variables,
            model.non_trainable_variables,
            model.optimizer.variables,
            model.metrics_variables,
        ]

    def _variables_now(self) -> list[list[Any]]:
        return [[variable.value for variable in variables] for variables in self._variables()]

    def _loop(self, state: Any, parts: Any, picked: Any, drawn: Any, count: Any) -> Any:
        """The first ``count`` steps; `picked` always has the same number of them, because another one would be compiled anew."""

        def step(index: Any, state: Any) -> Any:
            own = {name: values[index] for name, values in drawn.items()}
            return self._step(state, parts, picked[index], own)

        return self._jax.lax.fori_loop(0, count, step, state)

    def _step(self, state: Any, parts: Any, picked: Any, drawn: Any) -> Any:
        _, after = self.model.train_step(tuple(state), self._batch(parts, picked, drawn))
        return [list(values) for values in after]


def _filled(values: np.ndarray) -> np.ndarray:
    """For as many steps as a program takes; those behind repeat the last one, and are not taken."""
    return values.take(np.minimum(np.arange(STEPS_OF_A_CALL), len(values) - 1), axis=0)


@final
class TorchSteps(DeviceSteps):
    """PyTorch, which computes step by step."""

    def run(self, data: DeviceData, picked: np.ndarray, drawn: Mapping[str, np.ndarray]) -> None:
        self.model.train()  # an evaluation leaves PyTorch's own layers in the mode for predicting
        tensors = {name: ops.convert_to_tensor(values) for name, values in drawn.items()}
        for index, rows in enumerate(ops.convert_to_tensor(picked)):
            own = {name: values[index] for name, values in tensors.items()}
            self.model.train_step(self._batch(data.parts, rows, own))


_STEPS: dict[str, type[DeviceSteps]] = {
    "tensorflow": TensorFlowSteps,
    "jax": JaxSteps,
    "torch": TorchSteps,
}


def device_steps(model: Any, read: Reader) -> DeviceSteps:
    """The steps of the backend that Keras runs on."""
    return _STEPS[keras.backend.backend()](model, read)


# ---- what the device is


def card_generation() -> tuple[int, int] | None:
    """The compute capability of the graphics card that Keras computes on, such as ``(9, 0)``; None on a processor."""
    return {"tensorflow": _tensorflow_card, "jax": _jax_card, "torch": _torch_card}[keras.backend.backend()]()


def _tensorflow_card() -> tuple[int, int] | None:
    tf: Any = import_module("tensorflow")
    cards = tf.config.list_physical_devices("GPU")
    return (
        tf.config.experimental.get_device_details(cards[0]).get("compute_capability", (0, 0))
        if cards
        else None
    )


def _jax_card() -> tuple[int, int] | None:
    jax: Any = import_module("jax")
    if jax.default_backend() == "cpu":
        return None
    major, _, minor = str(getattr(jax.devices()[0], "compute_capability", "0.0")).partition(".")
    return (int(major), int(minor or 0)) if major.isdigit() else (0, 0)


def _torch_card() -> tuple[int, int] | None:
    torch: Any = import_module("torch")
    return torch.cuda.get_device_capability() if torch.cuda.is_available() else None


@contextmanager
def training_precision(policy: str | None = None) -> Iterator[None]:
    """Networks built within compute in `policy`.

    By default that is bfloat16 with float32 weights on a graphics card that is made for it, and float32 elsewhere. Where the user
    set another policy than float32, that one is kept.
    """
    before = keras.config.dtype_policy()
    generation = card_generation()
    fast = generation is not None and generation >= _BFLOAT16_SINCE
    wanted = policy or ("mixed_bfloat16" if fast else "float32")
    if before.name == "float32":
        keras.config.set_dtype_policy(wanted)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
