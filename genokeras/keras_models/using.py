"""Evaluation and prediction with weights that were trained before."""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Iterator
from typing import Any

from genokeras.errors import ParameterError
from genokeras.keras_models.building import (
    Built,
    build_model,
    compile_judge,
    compile_model,
    load_checkpoint,
    optimizer_for,
)
from genokeras.keras_models.feeding import checked_targets
from genokeras.keras_models.functions import Functions
from genokeras.keras_models.log_dir import LogDir
from genokeras.keras_models.pretraining import copy_weights
from genokeras.keras_models.spec_trainee import judged
from genokeras.streams import Batch, Batches
from genokeras.training import evaluate_batches, load_snapshot, predict_batches
from genokeras.tuning import ParamSpec

_logger = logging.getLogger(__name__)


def limited(batches: Batches, most: int, run_mode: str) -> Batches:
    """The same, but not endless where it does not say how many batches it has."""
    if batches.n_batches is not None:
        return batches

    def first_ones() -> Iterator[Batch]:
        rest = batches.epoch()
        yield from itertools.islice(rest, most)
        if next(rest, None) is not None:
            _logger.warning("run_mode %r stops after max_number_of_steps=%d batches of more", run_mode, most)

    return Batches(first_ones, name=f"the data of input_fn for run_mode {run_mode!r}")


def trained_model(
    functions: Functions,
    spec: ParamSpec,
    folder: LogDir | None,
    checkpoint: str | os.PathLike[str] | None,
    example: Batch,
    seed: int,
) -> Built:
    """The model as it was trained; compiled where the example has targets.

    Raises
    ------
    ParameterError
        If nothing says where the weights are.
    RunFolderError, DataFileError
        If they are not there, or do not fit.
    """
    if checkpoint is None and folder is None:
        raise ParameterError(
            "evaluation and prediction need log_dir or checkpoint_path, where the weights are."
        )
    snapshot = folder.require_snapshot() if checkpoint is None and folder is not None else None
    made, view = build_model(functions, spec, "train", example, seed)
    optimizer = None if snapshot is None else optimizer_for(functions, spec, view)
    if example[1] is not None:
        built = compile_model(made, view, example, optimizer)
    else:
        built = Built(made.model, view, made.functions, {})
        if optimizer is not None:
            made.model.compile(optimizer)
    if snapshot is not None:
        load_snapshot(snapshot, made.model)
    elif checkpoint is not None:
        load_checkpoint(made.model, checkpoint)
    return built


def evaluate(
    functions: Functions, spec: ParamSpec, trained: Built, batches: Batches, seed: int
) -> dict[str, float]:
    """Loss and metrics of the model made for evaluation, over all batches."""
    example = checked_targets(batches.first(), "evaluate")
    judge = trained
    if functions.model_knows_mode:
        made, view = build_model(functions, spec, "evaluate", example, seed)
        judge = compile_judge(made, view, example, trained)
        if judge.model is not trained.model:
            copy_weights(trained.model, judge.model)
    found = judge.named(evaluate_batches(judge.model, batches)) if judge.judged else {}
    if judge.functions:
        outputs, targets = predict_batches(judge.model, batches)
        found |= judged(judge, judge.functions, [(targets, outputs)])
    return found


def predict(functions: Functions, spec: ParamSpec, trained: Built, batches: Batches, seed: int) -> Any:
    """Outputs of the model made for prediction, for all rows."""
    model = trained.model
    if functions.model_knows_mode:
        made, _ = build_model(functions, spec, "predict", batches.first(), seed)
        if made.model is not model:
            copy_weights(model, made.model)
            model = made.model
    return predict_batches(model, batches)[0]
