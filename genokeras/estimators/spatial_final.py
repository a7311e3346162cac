"""``final_fit`` of sequences, images and texts: the best network, trained on all rows for as long as the folds found best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from genokeras.encoders import TENSOR, Rows
from genokeras.engine import SpatialRun, TrialStore
from genokeras.engine.fitted import MODEL_FILE, RESULT_FILE, write_model
from genokeras.engine.spatial_start import network_settings
from genokeras.estimators.network_final import epochs_behind, trained_on_all
from genokeras.graph import Weights
from genokeras.networks import TrainedNetwork, merged_model
from genokeras.searchers import TrialResult

_CHECKPOINT = "final.keras"


@dataclass(frozen=True)
class SpatialFinalFit:
    """The run with its new model, and how it was trained."""

    run: SpatialRun
    trial_id: int
    epochs: int


def run_spatial_final_fit(
    run: SpatialRun,
    rows: Rows,
    codes: np.ndarray,
    trainer_args: Mapping[str, Any] | None,
    retrain: bool,
    verbose: int,
) -> SpatialFinalFit:
    """Train the best trial's graph on all of these samples."""
    trial = run.history.ranked()[0]
    settings, given = network_settings(trainer_args)
    if trial.proposal.hyper.view != TENSOR:
        weights, epochs = _linear(run, trial, rows, codes)
    else:
        behind = epochs_behind(run.history, run.problem, trial, settings, retrain)
        epochs = given.get("most_epochs", behind)
        start = None if retrain else TrialStore(run.folder).father(trial).weights
        checkpoint = run.folder.path / _CHECKPOINT
        weights = trained_on_all(
            run.problem, trial, rows, codes, settings, epochs, checkpoint, start, verbose
        )
    proposal = trial.proposal
    network = TrainedNetwork(f"final_{trial.id}", proposal.graph, proposal.hyper, weights)
    final = replace(run, model=merged_model(run.problem.encoder, run.problem.task, [network]))
    write_model(final.model, run.folder.path / MODEL_FILE, final)
    note = {"trial": trial.id, "epochs": epochs, "rows": len(codes), "retrain": retrain}
    run.folder.write_json(RESULT_FILE, {**run.folder.read_json(RESULT_FILE), "final_fit": note})
    run.folder.record("final_fit", **note)
    return SpatialFinalFit(final, trial.id, epochs)


def _linear(run: SpatialRun, trial: TrialResult, rows: Rows, codes: np.ndarray) -> tuple[Weights, int]:
    encoder = run.problem.encoder
    hyper = trial.proposal.hyper
    view, weight = encoder.linear_views[hyper.view], np.ones(len(codes))
    kernel, bias, iterations = run.problem.task.fit_view(
        view, encoder.counts(rows), codes, weight, hyper.weight_decay
    )
    return {trial.proposal.graph.output: {"kernel": kernel[None], "bias": bias[None]}}, iterations
