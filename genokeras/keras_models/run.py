"""``run``: train, evaluate or predict with people's functions."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

from genokeras.errors import ParameterError
from genokeras.exports import FORMATS, format_problem
from genokeras.keras_models.feeding import feed
from genokeras.keras_models.functions import RUN_MODES, Functions
from genokeras.keras_models.log_dir import LogDir
from genokeras.keras_models.spec_training import Steps, TrainingRun
from genokeras.keras_models.using import evaluate, limited, predict, trained_model
from genokeras.support.checks import check_choice, check_whole, complaints
from genokeras.tuning import ParamSpec

_logger = logging.getLogger(__name__)


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

    A training that was stopped or killed goes on from its last snapshot when it is called again with the same `log_dir`, and
    ends at the same weights as if nothing had happened (same seed, CPU, and data that come in the same order).

    Parameters
    ----------
    input_fn, model_fn, optimizer_fn : callable
        As for :func:`genokeras.keras_models.search`.
    run_mode : {"train", "evaluate", "predict"}
    batch_size : int
    auto_batch : bool
        The data are single examples, which are put together to batches.
    log_dir : path-like
        Folder of the training. The other modes take weights and parameters from there.
    max_number_of_steps : int
        Training steps in all. In the other modes it limits the batches of data that do not say how many they are.
    log_every_n_steps : int
        Steps between two lines of the log and of ``history.csv``.
    save_every_n_steps : int, optional
        Steps between two snapshots; a tenth of all by default.
    export_model : {"keras", "tf_saved_model", "onnx", "litert", "torchscript"}, optional
        Written to ``export`` in `log_dir` after training, read again and compared: the model made for run mode "predict".
    param_spec : ParamSpec, optional
        Without, those of the training in `log_dir`, where it is not a training that begins.
    checkpoint_path : path-like, optional
        Weights to begin with, or to evaluate and predict with in place of those in `log_dir`.
    seed : int
        Of the initial weights and of the order of the rows.
    log : callable
        Takes the lines that say how it goes.

    Returns
    -------
    Training
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
        If the loss is not finite any more.
    RunFolderError
        If `log_dir` holds another training, or none where weights are asked for.
    """
    _check(run_mode, batch_size, max_number_of_steps, log_every_n_steps, save_every_n_steps)
    functions = Functions(input_fn, model_fn, optimizer_fn)
    folder = None if log_dir is None else LogDir(log_dir)
    if run_mode == "train":
        if folder is None:
            raise ParameterError("training needs log_dir, a folder for the weights and the history.")
        _check_export(export_model)
        spec = ParamSpec() if param_spec is None else param_spec
        steps = Steps(int(max_number_of_steps), int(log_every_n_steps), save_every_n_steps)
        training = TrainingRun(functions, spec, folder, batch_size, auto_batch, seed, log)
        return training.run(steps, checkpoint_path, export_model)
    if param_spec is None:
        param_spec = ParamSpec() if folder is None else folder.param_spec()
    data = feed(functions, run_mode, batch_size=batch_size, auto_batch=auto_batch)
    batches = limited(data, max_number_of_steps, run_mode)
    trained = trained_model(functions, param_spec, folder, checkpoint_path, batches.first(), seed)
    use = evaluate if run_mode == "evaluate" else predict
    return use(functions, param_spec, trained, batches, seed)


def _check(mode: str, batch_size: Any, steps: Any, log_every: Any, save_every: Any) -> None:
    problems = complaints(check_choice, {"run_mode": mode}, known=RUN_MODES)
    named = {"batch_size": batch_size, "max_number_of_steps": steps, "log_every_n_steps": log_every}
    if save_every is not None:
        named["save_every_n_steps"] = save_every
    problems += complaints(check_whole, named)
    if problems:
        raise ParameterError(f"run: {' '.join(problems)}")


def _check_export(name: str | None) -> None:
    """Before any training, not behind it."""
    if name is None:
        return
    check_choice(name, "export_model", FORMATS)
    problem = format_problem(name)
    if problem is not None:
        raise ParameterError(f"export_model={name!r}: {problem}")
