"""What is trained where a LightModel says itself what a step computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, final

import keras

from genokeras.errors import ParameterError
from genokeras.keras_models.keras_names import check_columns
from genokeras.keras_models.recipe import SCHEDULES, Recipe
from genokeras.keras_models.wrapped_net import WrappedNet
from genokeras.streams import Batches
from genokeras.training import TorchOptimizer, is_torch_optimizer, jit_compile

Step = Callable[[Any], Mapping[str, Any]]
LOSS = "loss"


@final
class StepShell(keras.Model):
    """Has the weights of the inner model; its outputs are what ``step`` returns of a batch.

    Parameters
    ----------
    inner : keras.Model
    step : callable
        Takes a batch, returns a dict of numbers, one of them the loss.
    names : list of str
        Of those numbers.
    mode : callable
        Takes whether this is training.
    """

    def __init__(self, inner: keras.Model, step: Step, names: list[str], mode: Callable[[bool], Any]) -> None:
        super().__init__(name="step_shell")
        self.inner = inner
        self._step, self._mode = step, mode
        self.means = [keras.metrics.Mean(name=name) for name in names if name != LOSS]
        self.unseen = getattr(inner, "unseen", ())
        self.built = True  # the inner one is

    def call(self, inputs: Any, training: bool = False) -> dict[str, Any]:
        self._mode(bool(training))
        return {name: keras.ops.cast(value, "float32") for name, value in self._step(inputs).items()}

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        return sum(self.losses, start=y_pred[LOSS])

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        rows = keras.ops.shape(keras.tree.flatten(x)[0])[0]
        for mean in self.means:
            mean.update_state(keras.ops.stop_gradient(y_pred[mean.name]), sample_weight=rows)
        return {LOSS: self._loss_tracker.result(), **{mean.name: mean.result() for mean in self.means}}


def step_names(step: Step, batches: Batches, mode: Callable[[bool], Any]) -> list[str]:
    """The names of what a step returns of the first batch.

    Parameters
    ----------
    step : callable
    batches : Batches
    mode : callable
        As of :class:`StepShell`.

    Raises
    ------
    ParameterError
        If it is no dict of single numbers, holds no loss, or has the name of another column of the history.
    """
    batch = keras.tree.map_structure(keras.ops.convert_to_tensor, batches.first()[0])
    mode(False)  # nothing is to be learnt yet, no running statistics either
    found = step(batch)
    if not isinstance(found, Mapping) or LOSS not in found:
        got = (
            f"a dict of {', '.join(map(str, found))}" if isinstance(found, Mapping) else type(found).__name__
        )
        raise ParameterError(
            f'shared_step must return a dict with "loss", such as {{"loss": loss, "acc": acc}}, got {got}.'
        )
    odd = [f"{n!r} of shape {s}" for n, v in found.items() if (s := tuple(getattr(v, "shape", ())))]
    if odd:
        raise ParameterError(
            f"shared_step must return single numbers, means over the batch; got {', '.join(odd)}."
        )
    check_columns((str(name) for name in found if name != LOSS), "numbers of shared_step")
    return [str(name) for name in found]


@contextmanager
def step_wrapped(
    net: keras.Model, recipe: Recipe, step: Step, names: list[str], mode: Callable[[bool], Any]
) -> Iterator[WrappedNet]:
    """A net to be trained by ``step``.

    Parameters
    ----------
    net : keras.Model
        Built.
    recipe : Recipe
    step : callable
    names : list of str
    mode : callable
    """
    shell = StepShell(net, step, names, mode)
    shell.compile(recipe.new_optimizer(False), jit_compile=jit_compile())
    yield WrappedNet(net, shell, shell, None)


def step_recipe(configured: Any) -> Recipe:
    """What ``configure_optimizers`` returned, as a recipe.

    Parameters
    ----------
    configured : optimizer of Keras or PyTorch, or dict with "optimizer" and, optional, "lr_scheduler"

    Raises
    ------
    ParameterError
        If it is something else.
    """
    known = {"optimizer", "lr_scheduler"}
    parts = dict(configured) if isinstance(configured, Mapping) else {"optimizer": configured}
    if "optimizer" not in parts or not set(parts) <= known:
        raise ParameterError(
            'configure_optimizers must return an optimizer, or {"optimizer": ..., "lr_scheduler": ...}, got '
            f"{', '.join(map(repr, parts))}."
        )
    optimizer, schedule = parts["optimizer"], parts.get("lr_scheduler")
    if is_torch_optimizer(optimizer):
        if schedule is not None and not (hasattr(schedule, "step") and hasattr(schedule, "get_last_lr")):
            raise ParameterError(f"lr_scheduler must be one of torch.optim.lr_scheduler, got {schedule!r}.")
        if type(schedule).__name__ == "ReduceLROnPlateau":
            raise ParameterError(
                "ReduceLROnPlateau needs a metric, which shared_step's schedule does not get: take a scheduler by epochs."
            )
        made = TorchOptimizer(optimizer, schedule)
        return Recipe(made, "shared_step", None, (), made.rate_at, 1)
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise ParameterError(
            "configure_optimizers must return an optimizer of keras.optimizers, or of torch.optim for a torch.nn.Module, got "
            f"{type(optimizer).__name__}."
        )
    if not (schedule is None or callable(schedule) or schedule in SCHEDULES):
        raise ParameterError(
            f"lr_scheduler must be one of {', '.join(map(repr, SCHEDULES))}, a function of the epoch or a schedule of "
            f"keras.optimizers.schedules, got {schedule!r}."
        )
    return Recipe(optimizer, "shared_step", None, (), schedule, 1)
