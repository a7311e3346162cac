"""One small adapter per Keras backend: compile a function, repeat a body, take gradients.

Everything else in ``training`` is written once, with ``keras.ops``. This is the only module of GenoKeras that imports
TensorFlow, JAX or PyTorch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, final

import keras

from genokeras.errors import ParameterError

Tensors = list[Any]


class Backend(ABC):
    """What the packed training loop needs of a backend beyond ``keras.ops``."""

    @abstractmethod
    def compile(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function`` of nested lists of tensors, compiled where the backend compiles."""

    @abstractmethod
    def repeat(self, times: Any, body: Callable[[Any, Any], Any], state: Any) -> Any:
        """``body(step, state) -> state``, ``times`` (a scalar int tensor) times, inside a compiled function."""

    @abstractmethod
    def value_and_gradients(self, loss: Callable[[Tensors], Any], parameters: Tensors) -> tuple[Any, Tensors]:
        """The value of ``loss(parameters)`` and its gradient with respect to each parameter."""


@final
class TensorFlowBackend(Backend):
    """``tf.function`` around ``tf.while_loop``; no XLA, whose compilation costs more than a trial's training."""

    def __init__(self) -> None:
        self._tf = import_module("tensorflow")

    def compile(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Traced at the first call, for the shapes it has then; a call of other shapes is refused.

        A concrete function keeps TensorFlow from warning of "excessive retracing" where every program is new on purpose.
        """
        traced = self._tf.function(function, autograph=False)
        concrete: list[Callable[..., Any]] = []

        def call(*arguments: Any) -> Any:
            if not concrete:
                concrete.append(traced.get_concrete_function(*arguments))
            return concrete[0](*arguments)

        return call

    def repeat(self, times: Any, body: Callable[[Any, Any], Any], state: Any) -> Any:
        tf = self._tf
        _, state = tf.while_loop(
            lambda step, _: step < times,
            lambda step, inner: (step + 1, body(step, inner)),
            (tf.constant(0), state),
            parallel_iterations=1,
        )
        return state

    def value_and_gradients(self, loss: Callable[[Tensors], Any], parameters: Tensors) -> tuple[Any, Tensors]:
        with self._tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(parameters)
            value = loss(parameters)
        return value, tape.gradient(value, parameters, unconnected_gradients="zero")


@final
class JaxBackend(Backend):
    """``jax.jit`` around ``jax.lax.fori_loop``."""

    def __init__(self) -> None:
        self._jax = import_module("jax")

    def compile(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return self._jax.jit(function)

    def repeat(self, times: Any, body: Callable[[Any, Any], Any], state: Any) -> Any:
        return self._jax.lax.fori_loop(0, times, body, state)

    def value_and_gradients(self, loss: Callable[[Tensors], Any], parameters: Tensors) -> tuple[Any, Tensors]:
        return self._jax.value_and_grad(loss)(parameters)


@final
class TorchBackend(Backend):
    """Eager PyTorch: a Python loop and ``torch.autograd.grad``."""

    def __init__(self) -> None:
        self._torch = import_module("torch")

    def compile(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def without_graph(*arguments: Any) -> Any:
            with self._torch.no_grad():
                return function(*arguments)

        return without_graph

    def repeat(self, times: Any, body: Callable[[Any, Any], Any], state: Any) -> Any:
        for step in range(int(times)):
            state = body(step, state)
        return state

    def value_and_gradients(self, loss: Callable[[Tensors], Any], parameters: Tensors) -> tuple[Any, Tensors]:
        with self._torch.enable_grad():
            leaves = [parameter.detach().requires_grad_(True) for parameter in parameters]
            value = loss(leaves)
            gradients: Sequence[Any] = self._torch.autograd.grad(value, leaves, allow_unused=True)
        zeros = self._torch.zeros_like
        return value.detach(), [zeros(p) if g is None else g for g, p in zip(gradients, leaves, strict=True)]


_BACKENDS: dict[str, type[Backend]] = {
    "tensorflow": TensorFlowBackend,
    "jax": JaxBackend,
    "torch": TorchBackend,
}


def current_backend() -> Backend:
    """The adapter of the backend that the user's Keras runs on."""
    name = keras.backend.backend()
    if name not in _BACKENDS:
        raise ParameterError(
            f"Keras runs on the backend {name!r}, but GenoKeras trains on {', '.join(sorted(_BACKENDS))}. "
            "Set the environment variable KERAS_BACKEND to one of these before Keras is imported."
        )
    return _BACKENDS[name]()
