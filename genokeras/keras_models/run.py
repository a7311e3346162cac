"""``run``: train, evaluate or predict with the user's functions."""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

from genokeras.errors import ParameterError
from genokeras.exports import FORMATS, format_problem
from genokeras.keras_models.log_dir import LogDir
from genokeras.keras_models.model_builder import BuiltModel, ModelBuilder, copy_weights, load_checkpoint
from genokeras.keras_models.run_training import TF_SERVING, RunTraining
from genokeras.keras_models.user_functions import RUN_MODES, UserFunctions, checked_spec, checked_targets
from genokeras.streams import Batch, Batches
from genokeras.support.checks import check_choice, check_whole, complaints
from genokeras.support.retracing import without_retracing_advice
from genokeras.training import load_snapshot, predict_batches
from genokeras.tuning import ParamSpec

_logger = logging.getLogger(__name__)


@without_retracing_advice()
def run(
    input_fn: Callable[..., Any],
    model_fn: Callable[..., Any],
    optimizer_fn: Callable[..., Any] | None = None,
    run_mode: str = "train",
    batch_size: int = 50,
    auto_batch: bool = False,
    log_dir: str | os.PathLike[str] | None = None,
    max_number_of_steps: int = 1000,
    log_every_n_steps: int = 10,
    save_every_n_steps: int | None = None,
    export_model: str | None = None,
    param_spec: ParamSpec | None = None,
    checkpoint_path: str | os.PathLike[str] | None = None,
    seed: int = 0,
    log: Callable[[str], None] = _logger.info,
) -> Any:
    """Train a model, evaluate it, or predict with it.

    A training that was stopped or killed continues from its last snapshot when it is called again with the same `log_dir`. It
    ends with the same weights as without the stop (given the same seed, a CPU, and data in the same order).

    Parameters
    ----------
    input_fn, model_fn, optimizer_fn : callable
        As for :func:`genokeras.keras_models.search`.
    run_mode : {"train", "evaluate", "predict"}
    batch_size : int
    auto_batch : bool
        The data are single examples, which are stacked to batches.
    log_dir : path-like
        Folder of the training. The other modes take weights and parameters from there.
    max_number_of_steps : int
        Training steps in all. In the other modes it limits the batches of data of unknown length.
    log_every_n_steps : int
        Steps between two lines of the log and of ``history.csv``. A line holds the means over the training batches since the
        line before, or since the beginning of the epoch where that is later.
    save_every_n_steps : int, optional
        Steps between two snapshots; a tenth of all by default.
    export_model : {"keras", "tf_saved_model", "tf_serving", "onnx", "litert", "torchscript"}, optional
        Written to ``export`` in `log_dir` after training, read again and compared: the model made for run mode "predict".
        "tf_serving" is "tf_saved_model" in a folder for the version, ``export/1``, as TensorFlow Serving wants it. An
        :class:`ExportSpec` in the model spec says what inputs and outputs are called, and the version.
    param_spec : ParamSpec, optional
        Evaluation and prediction use those of the training in `log_dir` by default.
    checkpoint_path : path-like, optional
        Weights to begin with, or to evaluate and predict with in place of those in `log_dir`.
    seed : int
        Of the initial weights and of the order of the rows.
    log : callable
        Takes the lines that report progress.

    Returns
    -------
    FinishedTraining
        In mode "train".
    dict of str to float
        In mode "evaluate": loss and metrics.
    array, or list or dict of arrays, of shape (n_samples, ...)
        In mode "predict".

    Raises
    ------
    ParameterError
        If an argument is out of range, the model has no trainable weights, or the backend cannot write the export.
    DataError
        If the data end too early, or batches are not alike.
    TrainingError
        If the loss is no longer finite.
    RunFolderError
        If `log_dir` holds another training, or none where weights are asked for.
    KeyboardInterrupt
        If interrupted by Ctrl-C, or SystemExit (143) by SIGTERM or SIGUSR1; a training goes on from there when called again.
    """
    _check(run_mode, batch_size, max_number_of_steps, log_every_n_steps, save_every_n_steps)
    functions = UserFunctions(input_fn, model_fn, optimizer_fn)
    folder = None if log_dir is None else LogDir(log_dir)
    if run_mode == "train":
        if folder is None:
            raise ParameterError("training needs log_dir, a folder for the weights and the history.")
        _check_export(export_model)
        spec = checked_spec("param_spec", param_spec)
        batches = functions.batches("train", batch_size=batch_size, auto_batch=auto_batch, seed=seed)
        builder = ModelBuilder(functions, checked_targets(batches.first(), "train"), seed)
        settings = {"batch_size": int(batch_size), "auto_batch": bool(auto_batch), "seed": int(seed)}
        training = RunTraining(
            builder, batches, spec, folder, max_number_of_steps, log_every_n_steps, save_every_n_steps, log
        )
        return training.run(settings, checkpoint_path, export_model)
    spec = (
        folder.param_spec()
        if param_spec is None and folder is not None
        else checked_spec("param_spec", param_spec)
    )
    data = functions.batches(run_mode, batch_size=batch_size, auto_batch=auto_batch)
    batches = _limited(data, max_number_of_steps, run_mode)
    builder = ModelBuilder(functions, batches.first(), seed)
    trained = _trained_model(builder, spec, folder, checkpoint_path)
    if run_mode == "predict":
        return predict_batches(builder.predictor(spec, trained).model, batches)[0]
    checked_targets(builder.example, run_mode)
    judge = builder.judge(spec, trained)
    copy_weights(trained.model, judge.model)
    return judge.evaluated(batches)


def _trained_model(
    builder: ModelBuilder,
    spec: ParamSpec,
    folder: LogDir | None,
    checkpoint: str | os.PathLike[str] | None,
) -> BuiltModel:
    """The model as it was trained; compiled where the example has targets."""
    if checkpoint is None and folder is None:
        raise ParameterError(
            "evaluation and prediction need log_dir or checkpoint_path, where the weights are."
        )
    snapshot = folder.require_snapshot() if checkpoint is None and folder is not None else None
    made, view = builder.build(spec)
    optimizer = None if snapshot is None else builder.optimizer(spec, view)
    if builder.example[1] is not None:
        built = builder.compiled(made, view, optimizer)
    else:
        built = BuiltModel(made.model, view, made.functions)
        if optimizer is not None:
            made.model.compile(optimizer)
    if snapshot is not None:
        load_snapshot(snapshot, made.model)
    elif checkpoint is not None:
        load_checkpoint(made.model, checkpoint)
    return built


def _limited(batches: Batches, most: int, run_mode: str) -> Batches:
    """The same batches, at most `most` of them where their number is unknown."""
    if batches.n_batches is not None:
        return batches

    def first_ones() -> Iterator[Batch]:
        rest = batches.epoch()
        yield from itertools.islice(rest, most)
        if next(rest, None) is not None:
            _logger.warning("run_mode %r stops after max_number_of_steps=%d batches of more", run_mode, most)

    return Batches(first_ones, name=f"the data of input_fn for run_mode {run_mode!r}")


def _check(run_mode: str, batch_size: Any, steps: Any, log_every: Any, save_every: Any) -> None:
    named = {"batch_size": batch_size, "max_number_of_steps": steps, "log_every_n_steps": log_every}
    if save_every is not None:
        named["save_every_n_steps"] = save_every
    problems = complaints(check_choice, {"run_mode": run_mode}, known=RUN_MODES)
    problems += complaints(check_whole, named)
    if problems:
        raise ParameterError(f"run: {' '.join(problems)}")


def _check_export(name: str | None) -> None:
    """Before any training, not behind it."""
    if name is None:
        return
    known = check_choice(name, "export_model", (*FORMATS, TF_SERVING))
    problem = format_problem("tf_saved_model" if known == TF_SERVING else known)
    if problem is not None:
        raise ParameterError(f"export_model={name!r}: {problem}")
