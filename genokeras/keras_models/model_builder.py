"""From the user's functions to compiled models, their optimizers, and what measures them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, final

import keras
import numpy as np

from genokeras.errors import DataFileError, ParameterError
from genokeras.keras_models.adjustable_optimizer import learning_rate_of
from genokeras.keras_models.inferred_task import InferredTask, infer_task, output_shapes
from genokeras.keras_models.model_spec import ArrayMetric, ModelSpec
from genokeras.keras_models.moxing_names import ExportSpec
from genokeras.keras_models.noted_spec import BUILD, METRICS, NotedSpec, measuring, noted
from genokeras.keras_models.user_functions import UserFunctions
from genokeras.streams import Batch, Batches, as_numpy, take_rows
from genokeras.support.wording import listed
from genokeras.training import evaluate_batches, jit_compile, predict_batches, seeded
from genokeras.tuning import ParamSpec

RATE, DECAY = "learning_rate", "weight_decay"


@final
@dataclass(frozen=True, eq=False)
class BuiltModel:
    """A model with what measures it.

    Parameters
    ----------
    model : keras.Model
    view : NotedSpec
        The spec its function has read, and may read later.
    functions : dict of str to callable
        What is measured by functions of arrays.
    renamed : dict of str to str
        Names in the log by the names that Keras has for them.
    has_loss : bool
        Whether Keras measures it.
    export_spec : ExportSpec or None
    """

    model: keras.Model
    view: NotedSpec
    functions: dict[str, ArrayMetric]
    renamed: dict[str, str] = field(default_factory=dict)
    has_loss: bool = True
    export_spec: ExportSpec | None = None

    def named(self, logs: dict[str, Any]) -> dict[str, float]:
        """Logs of Keras under the names that the user gave."""
        return {self.renamed.get(name, name): float(value) for name, value in logs.items()}

    def evaluated(self, batches: Batches) -> dict[str, float]:
        """What Keras measures and what the functions of arrays measure, over one epoch."""
        logs = self.named(evaluate_batches(self.model, batches)) if self.has_loss else {}
        return logs | self.function_values(batches, list(self.functions))

    def function_values(self, batches: Batches, names: list[str]) -> dict[str, float]:
        """What these functions of arrays measure over one epoch."""
        if not names:
            return {}
        outputs, targets = predict_batches(self.model, batches)
        with measuring(self.view):
            values = {name: self.functions[name](targets, outputs) for name in names}
        return {name: float(np.mean(as_numpy(value))) for name, value in values.items()}


@final
@dataclass(frozen=True, eq=False)
class ModelBuilder:
    """Builds models from the same seed and for the same kind of data.

    Parameters
    ----------
    functions : UserFunctions
    example : tuple of (x, y, sample_weight)
        A batch.
    seed : int
        Of the initial weights.
    """

    functions: UserFunctions
    example: Batch
    seed: int

    def build(self, spec: ParamSpec, run_mode: str = "train") -> tuple[ModelSpec, NotedSpec]:
        """A model that is built but not compiled here, and what its function read.

        Raises
        ------
        ParameterError
            If it is to be trained but has no trainable weights.
        """
        view = NotedSpec(spec)
        with seeded(self.seed):
            made = self.functions.model(inputs_spec(self.example[0]), run_mode, view)
            if not made.model.built:
                made.model(take_rows(self.example[0], slice(1)))
        if run_mode == "train" and not made.model.trainable_variables:
            raise ParameterError(
                f"model_fn's model {made.model.name!r} has no trainable weights, so there is nothing to train: "
                "are all its layers frozen?"
            )
        return made, view

    def compiled(
        self, made: ModelSpec, view: NotedSpec, optimizer: keras.optimizers.Optimizer | None
    ) -> BuiltModel:
        """The model with a loss, metrics and an optimizer.

        A model that its function compiled stays compiled as it is where the model spec adds nothing.

        Parameters
        ----------
        made : ModelSpec
        view : NotedSpec
        optimizer : keras.optimizers.Optimizer or None
            None: the model is only evaluated.

        Raises
        ------
        ParameterError
            If it has no loss and none can be inferred.
        """
        model, own = made.model, made.model.compiled
        if own and made.loss is None and not made.metrics:
            if optimizer is not None:
                model.optimizer = optimizer
                model.make_train_function(force=True)
            return BuiltModel(model, view, made.functions, export_spec=made.export_spec)
        loss = made.loss if made.loss is not None else (model.loss if own else None)
        task = self._task(model, loss)
        metrics = list(made.metrics.values())
        if task is not None:
            loss = task.loss() if loss is None else loss
            usual = task.metric()
            if usual.name not in {*made.metrics, *made.functions}:
                metrics.append(usual)
        optimizer = keras.optimizers.SGD() if optimizer is None else optimizer
        model.compile(optimizer, loss, metrics=metrics, jit_compile=jit_compile())
        renamed = {m if isinstance(m, str) else m.name: name for name, m in made.metrics.items()}
        return BuiltModel(model, view, made.functions, renamed, export_spec=made.export_spec)

    def judge(self, spec: ParamSpec, trained: BuiltModel) -> BuiltModel:
        """The model for evaluation: the trained one, or another one, whose weights are not copied yet.

        It has the loss of the trained one where it has none and its outputs have the same shapes.
        """
        if not self.functions.model_knows_mode:
            return trained
        made, view = self.build(spec, "evaluate")
        if made.model is trained.model:
            return replace(trained, view=view, functions=made.functions or trained.functions)
        if made.loss is None and not made.model.compiled:
            if output_shapes(made.model, self.example) == output_shapes(trained.model, self.example):
                made = replace(made, loss=trained.model.loss)
            elif made.functions:
                return BuiltModel(made.model, view, made.functions, has_loss=False)
        return self.compiled(made, view, None)

    def predictor(self, spec: ParamSpec, trained: BuiltModel) -> BuiltModel:
        """The model for prediction, with its names: the trained one, or another one with its weights."""
        if not self.functions.model_knows_mode:
            return trained
        made, view = self.build(spec, "predict")
        copy_weights(trained.model, made.model)
        return BuiltModel(made.model, view, made.functions, has_loss=False, export_spec=made.export_spec)

    def optimizer(self, spec: ParamSpec, model_view: NotedSpec) -> keras.optimizers.Optimizer:
        """An optimizer with what neither function has read set on it."""
        view = NotedSpec(spec)
        optimizer = self.functions.optimizer(view)
        set_unread(optimizer, spec, view, model_view)
        return optimizer

    def _task(self, model: keras.Model, loss: Any) -> InferredTask | None:
        """The inferred task; None where there is none and the loss is known anyway."""
        try:
            task = infer_task(model, self.example)
        except ParameterError:
            if loss is None:
                raise
            return None
        config = loss.get_config() if isinstance(loss, keras.losses.Loss) else {}
        return replace(task, from_logits=bool(config.get("from_logits", task.from_logits)))


def set_unread(optimizer: keras.optimizers.Optimizer, spec: ParamSpec, *views: NotedSpec) -> list[str]:
    """Set the learning rate and weight decay that no function has read on the optimizer itself.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
    spec : ParamSpec
    *views : NotedSpec
        What the functions have read.

    Returns
    -------
    list of str
        Names of what was set.
    """
    read = {name for view in views for name in noted(view, BUILD, METRICS)}
    done = []
    if DECAY in spec and DECAY not in read:
        optimizer.weight_decay = float(spec.weight_decay)
        done.append(DECAY)
    if RATE in spec and RATE not in read and learning_rate_of(optimizer) is not None:
        optimizer.learning_rate = float(spec.learning_rate)
        done.append(RATE)
    return done


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Copy the weights of one model to another; nothing happens where both are one.

    Raises
    ------
    ParameterError
        If they have not the same shapes in the same order.
    """
    if source is target:
        return
    shapes = [[tuple(w.shape) for w in model.weights] for model in (source, target)]
    if shapes[0] != shapes[1]:
        raise ParameterError(
            "model_fn must give models with the same weights in all run modes, but the one for training has "
            f"{len(shapes[0])} of shapes {listed(shapes[0])}, and the other {len(shapes[1])} of shapes {listed(shapes[1])}."
        )
    for old, new in zip(source.weights, target.weights, strict=True):
        new.assign(old.value)


def load_checkpoint(model: keras.Model, path: str | os.PathLike[str]) -> None:
    """Load the weights of a ``.keras`` or ``.weights.h5`` file, or of the ``model.keras`` in a folder.

    Raises
    ------
    DataFileError
        If there is none, or its weights do not fit.
    """
    file = Path(path)
    file = file / "model.keras" if file.is_dir() else file
    if not file.is_file():
        raise DataFileError(f"checkpoint_path: there is no file {file}.")
    # Keras would also load the optimizer's state, which is that of another training, or fail where it is another optimizer.
    optimizer, model.optimizer = getattr(model, "optimizer", None), None
    try:
        model.load_weights(file)
    except (ValueError, OSError, KeyError) as error:
        raise DataFileError(
            f"checkpoint_path: the weights in {file} do not fit the model: {error}"
        ) from error
    finally:
        model.optimizer = optimizer


def inputs_spec(x: Any) -> Any:
    """Symbolic inputs of the structure of `x`, each with its shape (the first axis open) and dtype.

    They are what ``keras.Input`` returns, so that a model can be built on them.
    """
    inputs = [_input(path, leaf) for path, leaf in keras.tree.flatten_with_path(x)]
    return keras.tree.pack_sequence_as(x, inputs)


def _input(path: tuple[Any, ...], leaf: Any) -> Any:
    name = re.sub(r"[^0-9A-Za-z_]", "_", "_".join(str(part) for part in path)) or None
    if name is not None and not name[0].isalpha():
        name = f"input_{name}"
    if isinstance(leaf.dtype, np.dtype) and leaf.dtype.kind in "USO":
        dtype = "string"
    else:
        dtype = str(keras.backend.standardize_dtype(leaf.dtype))
    floats = str(keras.config.floatx()) if "float" in dtype else dtype
    return keras.Input(tuple(leaf.shape[1:]), dtype=floats, name=name)
