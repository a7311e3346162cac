"""One small adapter per Keras backend: compile a function, repeat a body, take gradients.

Everything else in ``training`` is written once, with ``keras.ops``. This is the only module of GenoKeras that imports
TensorFlow, JAX or PyTorch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, ClassVar, final

import keras

from genokeras.errors import ParameterError

Tensors = list[Any]
_IMPROVES_NOTHING = "disable_meta_optimizer"
FreeAxes = Callable[..., list[tuple[int, ...]]]


class Backend(ABC):
    """What the packed training loop needs of a backend beyond ``keras.ops``.

    Attributes
    ----------
    frees_axes : bool
        Whether what is compiled once serves any number of members.
    """

    frees_axes: ClassVar[bool] = True

    @abstractmethod
    def compile(self, function: Callable[..., Any], free_axes: FreeAxes | None = None) -> Callable[..., Any]:
        """``function`` of nested lists of tensors, compiled where the backend compiles.

        Parameters
        ----------
        function : callable
        free_axes : callable, optional
            For the arguments of the first call, the axes of each tensor whose length may be another in later calls, in the order of
            the flattened arguments; none by default. A backend whose `frees_axes` is False compiles anew for each length.
        """

    @abstractmethod
    def repeat(self, times: Any, body: Callable[[Any, Any], Any], state: Any) -> Any:
        """``body(step, state) -> state``, ``times`` (a scalar int tensor) times, inside a compiled function."""

    @abstractmethod
    def taken(self, x: Any, indices: Any, axis: int = 0) -> Any:
        """``keras.ops.take`` for indices known to be at least 0, which spares a compiled function the look for others."""

    @abstractmethod
    def product(self, a: Any, b: Any, a_turned: bool, b_turned: bool) -> Any:
        """Matrix products of the last two axes, those of either swapped where it says so."""

    @abstractmethod
    def apply_in_parts(
        self, x: Any, functions: Sequence[Callable[[Any], Any]], sizes: Any, chosen: Any
    ) -> Any:
        """Each function of its own members.

        Parameters
        ----------
        x : tensor
            ``(M, ...)``.
        functions : sequence of callable
            From a tensor to one of its shape.
        sizes : tensor
            ``(functions,)`` int32: the first function is of this number of members from the first on, and so forth.
        chosen : tensor
            ``(functions, M, 1, ...)``: the same, 1 for the function of a member.
        """

    @abstractmethod
    def value_and_gradients(self, loss: Callable[[Tensors], Any], parameters: Tensors) -> tuple[Any, Tensors]:
        """The value of ``loss(parameters)`` and its gradient with respect to each parameter."""

    @abstractmethod
    def gradients_of_columns(self, function: Callable[[Any], Any], x: Any) -> Tensors:
        """Gradients with respect to ``x`` of the sum of each column of ``function(x)`` ``(n, k)``, which is computed once."""

    def moved_images(self, images: Any, transforms: Any) -> Any:
        """Images behind transforms, bilinear; what comes into view from outside repeats the border.

        Parameters
        ----------
        images : tensor or numpy.ndarray
            ``(n, height, width, channels)`` float32.
        transforms : tensor or numpy.ndarray
            ``(n, 8)`` float32, as ``keras.ops.image.affine_transform`` takes them.
        """
        return keras.ops.image.affine_transform(
            images, transforms, fill_mode="nearest", data_format="channels_last"
        )


@final
class TensorFlowBackend(Backend):
    """``tf.function`` around ``tf.while_loop``; no XLA, whose compilation costs more than a trial's training."""

    def __init__(self) -> None:
        self._tf = import_module("tensorflow")

    def compile(self, function: Callable[..., Any], free_axes: FreeAxes | None = None) -> Callable[..., Any]:
        """Traced at the first call, for the shapes it has then but for free axes; a call of other shapes is refused.

        A concrete function keeps TensorFlow from warning of "excessive retracing" where every program is new on purpose. TensorFlow
        runs it as it was written: improving it takes longer than tracing it, and its steps are no faster then.
        """
        traced = self._tf.function(function, autograph=False)
        concrete: list[Callable[..., Any]] = []

        def call(*arguments: Any) -> Any:
            if not concrete:
                shown = arguments if free_axes is None else self._specs(arguments, free_axes(*arguments))
                concrete.append(traced.get_concrete_function(*shown))
            with self._as_written():
                return concrete[0](*arguments)

        return call

    @contextmanager
    def _as_written(self) -> Iterator[None]:
        """TensorFlow's own improvements of what is run are off, and afterwards as they were."""
        chosen = self._tf.config.optimizer
        before = chosen.get_experimental_options().get(_IMPROVES_NOTHING, False)
        chosen.set_experimental_options({_IMPROVES_NOTHING: True})
        try:
            yield
        finally:
            chosen.set_experimental_options({_IMPROVES_NOTHING: before})

    def _specs(self, arguments: Any, free: list[tuple[int, ...]]) -> Any:
        tf = self._tf
        tensors = tf.nest.flatten(arguments)
        specs = []
        for tensor, axes in zip(tensors, free, strict=True):
            shape = [None if axis in axes else length for axis, length in enumerate(tensor.shape)]
            specs.append(tf.TensorSpec(shape, tensor.dtype))
        return tf.nest.pack_sequence_as(arguments, specs)

    def repeat(self, times: Any, body: Callable[[Any, Any], Any], state: Any) -> Any:
        tf = self._tf
        _, state = tf.while_loop(
            lambda step, _: step < times,
            lambda step, inner: (step + 1, body(step, inner)),
            (tf.constant(0), state),
            parallel_iterations=1,
        )
        return state

    def taken(self, x: Any, indices: Any, axis: int = 0) -> Any:
        return self._tf.gather(x, indices, axis=axis)

    def product(self, a: Any, b: Any, a_turned: bool, b_turned: bool) -> Any:
        return self._tf.matmul(a, b, transpose_a=a_turned, transpose_b=b_turned)

    def apply_in_parts(
        self, x: Any, functions: Sequence[Callable[[Any], Any]], sizes: Any, chosen: Any
    ) -> Any:
        parts = self._tf.split(x, sizes, axis=0, num=len(functions))
        applied = [function(part) for function, part in zip(functions, parts, strict=True)]
        return self._tf.concat(applied, axis=0)

    def value_and_gradients(self, loss: Callable[[Tensors], Any], parameters: Tensors) -> tuple[Any, Tensors]:
        with self._tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(parameters)
            value = loss(parameters)
        return value, tape.gradient(value, parameters, unconnected_gradients="zero")

    def gradients_of_columns(self, function: Callable[[Any], Any], x: Any) -> Tensors:
        tf = self._tf
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch(x)
            columns = tf.unstack(tf.reduce_sum(function(x), axis=0))
        return [tape.gradient(column, x, unconnected_gradients="zero") for column in columns]


@final
class JaxBackend(Backend):
    """``jax.jit`` around ``jax.lax.fori_loop``."""

    frees_axes: ClassVar[bool] = False

    def __init__(self) -> None:
        self._jax = import_module("jax")

    def compile(self, function: Callable[..., Any], free_axes: FreeAxes | None = None) -> Callable[..., Any]:
        return self._jax.jit(function)

    def repeat(self, times: Any, body: Callable[[Any, Any], Any], state: Any) -> Any:
        return self._jax.lax.fori_loop(0, times, body, state)

    def taken(self, x: Any, indices: Any, axis: int = 0) -> Any:
        return self._jax.numpy.take(x, indices, axis=axis, mode="clip")

    def product(self, a: Any, b: Any, a_turned: bool, b_turned: bool) -> Any:
        return (a.swapaxes(-1, -2) if a_turned else a) @ (b.swapaxes(-1, -2) if b_turned else b)

    def apply_in_parts(
        self, x: Any, functions: Sequence[Callable[[Any], Any]], sizes: Any, chosen: Any
    ) -> Any:
        # Sizes would have to be known when it is compiled; where all is fused into one loop, choosing costs little.
        found = functions[0](x)
        for number, function in enumerate(functions[1:], 1):
            found = self._jax.numpy.where(chosen[number] > 0.5, function(x), found)
        return found

    def value_and_gradients(self, loss: Callable[[Tensors], Any], parameters: Tensors) -> tuple[Any, Tensors]:
        return self._jax.value_and_grad(loss)(parameters)

    def gradients_of_columns(self, function: Callable[[Any], Any], x: Any) -> Tensors:
        jnp = self._jax.numpy
        sums, pull = self._jax.vjp(lambda values: function(values).sum(axis=0), x)
        return [pull(column)[0] for column in jnp.eye(len(sums), dtype=sums.dtype)]


@final
class TorchBackend(Backend):
    """Eager PyTorch: a Python loop and ``torch.autograd.grad``."""

    def __init__(self) -> None:
        self._torch = import_module("torch")

    def compile(self, function: Callable[..., Any], free_axes: FreeAxes | None = None) -> Callable[..., Any]:
        def without_graph(*arguments: Any) -> Any:
            with self._torch.no_grad():
                return function(*arguments)

        return without_graph

    def repeat(self, times: Any, body: Callable[[Any, Any], Any], state: Any) -> Any:
        for step in range(int(times)):
            state = body(step, state)
        return state

    def taken(self, x: Any, indices: Any, axis: int = 0) -> Any:
        return keras.ops.take(x, indices, axis=axis)

    def product(self, a: Any, b: Any, a_turned: bool, b_turned: bool) -> Any:
        return (a.swapaxes(-1, -2) if a_turned else a) @ (b.swapaxes(-1, -2) if b_turned else b)

    def apply_in_parts(
        self, x: Any, functions: Sequence[Callable[[Any], Any]], sizes: Any, chosen: Any
    ) -> Any:
        parts = self._torch.split(x, sizes.tolist(), dim=0)
        applied = [function(part) for function, part in zip(functions, parts, strict=True)]
        return self._torch.cat(applied, dim=0)

    def value_and_gradients(self, loss: Callable[[Tensors], Any], parameters: Tensors) -> tuple[Any, Tensors]:
        with self._torch.enable_grad():
            leaves = [parameter.detach().requires_grad_(True) for parameter in parameters]
            value = loss(leaves)
            gradients: Sequence[Any] = self._torch.autograd.grad(value, leaves, allow_unused=True)
        zeros = self._torch.zeros_like
        return value.detach(), [zeros(p) if g is None else g for g, p in zip(gradients, leaves, strict=True)]

    def gradients_of_columns(self, function: Callable[[Any], Any], x: Any) -> Tensors:
        with self._torch.enable_grad():
            leaf = x.detach().requires_grad_(True)
            sums = function(leaf).sum(dim=0)
            return [self._torch.autograd.grad(column, leaf, retain_graph=True)[0] for column in sums]

    def moved_images(self, images: Any, transforms: Any) -> Any:
        """All images at once: Keras' own moves one after another on PyTorch."""
        torch = self._torch
        images, transforms = (keras.ops.convert_to_tensor(values) for values in (images, transforms))
        height, width = images.shape[1:3]
        y, x = (torch.arange(n, dtype=images.dtype, device=images.device) for n in (height, width))
        of_image = transforms[:, :, None, None]
        from_x = of_image[:, 0] * x + of_image[:, 1] * y[:, None] + of_image[:, 2]
        from_y = of_image[:, 3] * x + of_image[:, 4] * y[:, None] + of_image[:, 5]
        # From -1 at the middle of the first pixel to 1 at that of the last.
        ends = [max(1, n - 1) / 2 for n in (width, height)]
        grid = torch.stack([from_x / ends[0] - 1, from_y / ends[1] - 1], dim=-1)
        sample = torch.nn.functional.grid_sample
        found = sample(images.permute(0, 3, 1, 2), grid, padding_mode="border", align_corners=True)
        return found.permute(0, 2, 3, 1)


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


def gpu_count() -> int:
    """How many GPUs the backend of Keras sees."""
    name = keras.backend.backend()
    if name == "tensorflow":
        return len(import_module("tensorflow").config.list_physical_devices("GPU"))
    if name == "jax":
        return sum(device.platform == "gpu" for device in import_module("jax").devices())
    return int(import_module("torch").cuda.device_count())
