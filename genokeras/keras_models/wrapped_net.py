"""What is trained in a net's place, so that the net itself stays a plain one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import keras

from genokeras.errors import ParameterError
from genokeras.keras_models.loss_shell import LossShell
from genokeras.keras_models.recipe import Recipe
from genokeras.support.files import written_aside
from genokeras.training import jit_compile

_OWN_STEPS = ("train_step", "test_step", "compute_loss", "compute_metrics")
PRECISIONS = {"bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


@final
@dataclass(frozen=True, eq=False)
class WrappedNet:
    """A net with a compiled model that shares its weights, or that is a copy spread over several devices.

    Parameters
    ----------
    net : keras.Model
        Not compiled, unless it trains itself.
    model : keras.Model
        Compiled, to be trained.
    judge : keras.Model
        Compiled, to be evaluated; shares the net's weights.
    copy : keras.Model or None
        The copy inside `model`, where there is one.
    policies : tuple of (layer, policy)
        The net's own dtype policies, of layers that compute in another while training.
    """

    net: keras.Model
    model: keras.Model
    judge: keras.Model
    copy: keras.Model | None
    policies: tuple[tuple[Any, Any], ...] = ()

    def write(self, path: Path) -> None:
        """Write the net as a file that is there only once it is whole; with the dtype policies of its own."""
        with written_aside(path) as aside, _with_policies(self.policies):
            self.net.save(aside)

    def publish(self) -> None:
        """Bring the net's weights up to date."""
        if self.copy is not None:
            _copy_variables(self.copy, self.net)

    @contextmanager
    def judging(self) -> Iterator[keras.Model]:
        """The model to be evaluated, with the current weights, on one device."""
        self.publish()
        if self.copy is None:
            yield self.judge
            return
        with _distributed(None):
            yield self.judge


def _copy_variables(source: keras.Model, target: keras.Model) -> None:
    """Copy weights, statistics and random states to a model of the same layers."""
    for one, other in zip(target.variables, source.variables, strict=True):
        one.assign(keras.ops.convert_to_numpy(other))


@contextmanager
def wrapped(
    net: keras.Model, recipe: Recipe, precision: str | None, distribution: Any, example: Any
) -> Iterator[WrappedNet]:
    """Wrap a net for a training; precision and distribution are put back behind it.

    Parameters
    ----------
    net : keras.Model
    recipe : Recipe
    precision : {"bfloat16", "float16"} or None
        What layers compute in, but those whose outputs are the net's.
    distribution : keras.distribution object or None
    example : array, or list or dict of arrays
        Inputs, to build the net with.
    """
    if not net.built:
        net(example)
    with ExitStack() as stack:
        copy = None
        if distribution is not None:
            stack.enter_context(_distributed(distribution))
            copy = type(net).from_config(net.get_config())
            if not copy.built:
                copy(example)
            _copy_variables(net, copy)
        inner = net if copy is None else copy
        own = () if precision is None else _policies(inner)
        if precision is not None:
            mixed = tuple((layer, PRECISIONS[precision]) for layer, _ in own)
            stack.enter_context(_with_policies(mixed))
        model = _compiled(inner, recipe, precision == "float16", example)
        judge = model
        if copy is not None:
            with _distributed(None):
                judge = judging_net(net, recipe)
        yield WrappedNet(net, model, judge, copy, own)


def trains_itself(net: keras.Model) -> bool:
    """Whether the net has a step, a loss or a way to compute metrics of its own."""
    return any(getattr(type(net), name, None) is not getattr(keras.Model, name) for name in _OWN_STEPS)


def judging_net(net: keras.Model, recipe: Recipe) -> keras.Model:
    """A compiled model that is to be evaluated in a net's place; the net itself where it has steps of its own."""
    if trains_itself(net):
        net.compile(
            recipe.new_optimizer(False), recipe.loss, metrics=recipe.metrics, jit_compile=jit_compile()
        )
        return net
    made = LossShell(net)
    made.compile(loss=recipe.loss, metrics=recipe.metrics, jit_compile=jit_compile())
    return made


def _compiled(inner: keras.Model, recipe: Recipe, scaled: bool, example: Any) -> keras.Model:
    # A net with a custom training step, such as one of two players, is compiled itself: a shell has another step.
    own = trains_itself(inner)
    model = inner if own else LossShell(inner)
    model.compile(
        recipe.new_optimizer(scaled), recipe.loss, metrics=recipe.metrics, jit_compile=jit_compile()
    )
    if not own:
        model(example)
    return model


def check_distribution(distribution: Any) -> None:
    """Check that there can be training on several devices.

    Raises
    ------
    ParameterError
        If Keras cannot spread a model over devices on this backend, or it is no distribution.
    """
    if distribution is None:
        return
    if not isinstance(distribution, keras.distribution.DataParallel | keras.distribution.ModelParallel):
        raise ParameterError(
            "distribution must be keras.distribution.DataParallel or ModelParallel, got "
            f"{type(distribution).__name__}."
        )
    if keras.backend.backend() != "jax":
        raise ParameterError(
            f"keras.distribution trains on several devices with JAX only, but Keras runs on {keras.backend.backend()}: set "
            "KERAS_BACKEND=jax before Keras is imported, or leave out distribution."
        )


@contextmanager
def _distributed(distribution: Any) -> Iterator[None]:
    before = keras.distribution.distribution()
    keras.distribution.set_distribution(distribution)
    try:
        yield
    finally:
        keras.distribution.set_distribution(before)


def _policies(net: keras.Model) -> tuple[tuple[Any, Any], ...]:
    """Layers in float32, but those whose outputs are the net's, and their policies."""
    outputs = _output_layers(net)
    return tuple(
        (layer, layer.dtype_policy)
        for layer in inner_layers(net)
        if layer.dtype_policy.name == "float32" and not any(layer is one for one in outputs)
    )


@contextmanager
def _with_policies(policies: tuple[tuple[Any, Any], ...]) -> Iterator[None]:
    before = [(layer, layer.dtype_policy) for layer, _ in policies]
    try:
        for layer, policy in policies:
            layer.dtype_policy = policy
        yield
    finally:
        for layer, policy in before:
            layer.dtype_policy = policy


def inner_layers(model: keras.Model) -> list[Any]:
    """The layers of a model and of the models within it, without the inputs."""
    found: list[Any] = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found += inner_layers(layer)
        elif not isinstance(layer, keras.layers.InputLayer):
            found.append(layer)
    return found


def _output_layers(net: keras.Model) -> list[Any]:
    """The last ones, whose probabilities would be rounded to three digits."""
    if isinstance(net, keras.Sequential):
        return [net.layers[-1]]
    outputs = keras.tree.flatten(getattr(net, "outputs", None) or [])
    return [layer for layer in net.layers if any(_output(layer) is one for one in outputs)]


def _output(layer: Any) -> Any:
    try:
        return layer.output
    except AttributeError:  # used in several places, or not in a graph
        return None
