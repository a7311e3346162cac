"""From people's functions to a compiled model."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from genokeras.errors import DataFileError, ParameterError
from genokeras.keras_models.feeding import inputs_spec
from genokeras.keras_models.functions import Functions
from genokeras.keras_models.knobs import learning_rate_of
from genokeras.keras_models.losses import Task, infer_task
from genokeras.keras_models.model_spec import Judge, ModelSpec
from genokeras.keras_models.reads import BUILD, METRICS, ReadSpec, reads
from genokeras.streams import Batch
from genokeras.tuning import ParamSpec

RATE, DECAY = "learning_rate", "weight_decay"


@dataclass(frozen=True, eq=False)
class Built:
    """A model with what measures it.

    Parameters
    ----------
    model : keras.Model
    view : ReadSpec
        The spec its function has read, and may read on.
    functions : dict of str to callable
        What is measured by functions of arrays.
    renamed : dict of str to str
        Names of the log by the names that Keras has for them.
    judged : bool
        Whether it has a loss.
    """

    model: keras.Model
    view: ReadSpec
    functions: dict[str, Judge]
    renamed: dict[str, str]
    judged: bool = True

    def named(self, logs: dict[str, Any]) -> dict[str, float]:
        """Logs of Keras' under the names people gave."""
        return {self.renamed.get(name, name): float(value) for name, value in logs.items()}


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Keras and its backend seeded; Python's and numpy's own random numbers go on as if nothing had been."""
    python, numpy = random.getstate(), np.random.get_state()
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def build_model(
    functions: Functions, spec: ParamSpec, run_mode: str, batch: Batch, seed: int
) -> tuple[ModelSpec, ReadSpec]:
    """A model that is built but not compiled by us, and what its function read.

    Raises
    ------
    ParameterError
        If it is to be trained but has no trainable weights.
    """
    view = ReadSpec(spec)
    with seeded(seed):
        made = functions.model(inputs_spec(batch[0]), run_mode, view)
        if not made.model.built:
            made.model(keras.tree.map_structure(lambda leaf: leaf[:1], batch[0]))
    if run_mode == "train" and not made.model.trainable_variables:
        raise ParameterError(
            f"model_fn's model {made.model.name!r} has no trainable weights, so there is nothing to train: "
            "are all its layers frozen?"
        )
    return made, view


def compile_model(
    made: ModelSpec, view: ReadSpec, batch: Batch, optimizer: keras.optimizers.Optimizer | None
) -> Built:
    """The model with a loss, metrics and this optimizer; a compilation of its own is kept where the spec adds nothing."""
    model, own = made.model, made.model.compiled
    if own and made.loss is None and not made.metrics:
        if optimizer is not None:
            model.optimizer = optimizer
            model.make_train_function(force=True)
        return Built(model, view, made.functions, {})
    loss = made.loss if made.loss is not None else (model.loss if own else None)
    task = _task(model, batch, loss)
    metrics = list(made.metrics.values())
    if task is not None:
        loss = task.loss() if loss is None else loss
        usual = task.metric()
        if usual.name not in {*made.metrics, *made.functions}:
            metrics.append(usual)
    model.compile("sgd" if optimizer is None else optimizer, loss, metrics=metrics, jit_compile=_jit())
    return Built(model, view, made.functions, _renamed(made.metrics))


def compile_judge(made: ModelSpec, view: ReadSpec, batch: Batch, trained: Built) -> Built:
    """The evaluation model, judged by the loss of the trained one where it has none and its outputs are alike."""
    own_loss = made.loss is not None or made.model.compiled
    if made.model is trained.model:
        return replace(trained, view=view, functions=made.functions or trained.functions)
    if own_loss:
        return compile_model(made, view, batch, None)
    if _output_shapes(made.model, batch) == _output_shapes(trained.model, batch):
        return compile_model(replace(made, loss=trained.model.loss), view, batch, None)
    if not made.functions:
        return compile_model(made, view, batch, None)
    return Built(made.model, view, made.functions, {}, judged=False)


def build_optimizer(functions: Functions, spec: ParamSpec) -> tuple[keras.optimizers.Optimizer, ReadSpec]:
    """An optimizer, and what its function read."""
    view = ReadSpec(spec)
    return functions.optimizer(view), view


def apply_unread(optimizer: keras.optimizers.Optimizer, spec: ParamSpec, *views: ReadSpec) -> list[str]:
    """Set the learning rate and weight decay that neither function has read on the optimizer itself.

    Returns
    -------
    list of str
        Names of what was set.
    """
    read = {name for view in views for name in reads(view, BUILD, METRICS)}
    done = []
    if DECAY in spec and DECAY not in read:
        optimizer.weight_decay = float(spec.weight_decay)
        done.append(DECAY)
    if RATE in spec and RATE not in read and learning_rate_of(optimizer) is not None:
        optimizer.learning_rate = float(spec.learning_rate)
        done.append(RATE)
    return done


def optimizer_for(functions: Functions, spec: ParamSpec, model_view: ReadSpec) -> keras.optimizers.Optimizer:
    """An optimizer with what neither function has read set on it."""
    optimizer, view = build_optimizer(functions, spec)
    apply_unread(optimizer, spec, view, model_view)
    return optimizer


def load_checkpoint(model: keras.Model, path: str | os.PathLike[str]) -> None:
    """Weights of a ``.keras`` or ``.weights.h5`` file, or of the ``model.keras`` in a folder.

    Raises
    ------
    DataFileError
        If there is none, or its weights do not fit.
    """
    file = Path(path)
    file = file / "model.keras" if file.is_dir() else file
    if not file.is_file():
        raise DataFileError(f"checkpoint_path: there is no file {file}.")
    # Keras would load the optimizer's memory too, which is that of another training, or fail where it is another optimizer.
    optimizer, model.optimizer = getattr(model, "optimizer", None), None
    try:
        model.load_weights(file)
    except (ValueError, OSError, KeyError) as error:
        raise DataFileError(
            f"checkpoint_path: the weights in {file} do not fit the model: {error}"
        ) from error
    finally:
        model.optimizer = optimizer


def _renamed(metrics: dict[str, Any]) -> dict[str, str]:
    """Names people gave, by those that Keras logs."""
    return {metric if isinstance(metric, str) else metric.name: name for name, metric in metrics.items()}


def _task(model: keras.Model, batch: Batch, loss: Any) -> Task | None:
    """What targets and outputs say; None where that is nothing and the loss is known anyway."""
    try:
        task = infer_task(model, batch)
    except ParameterError:
        if loss is None:
            raise
        return None
    config = loss.get_config() if isinstance(loss, keras.losses.Loss) else {}
    return replace(task, from_logits=bool(config.get("from_logits", task.from_logits)))


def _output_shapes(model: keras.Model, batch: Batch) -> list[tuple[int, ...]]:
    few = keras.tree.map_structure(lambda leaf: leaf[:1], batch[0])
    return [tuple(leaf.shape) for leaf in keras.tree.flatten(model(few))]


def _jit() -> bool | str:
    # XLA takes longer to compile than a short training takes.
    return False if keras.backend.backend() == "tensorflow" else "auto"
