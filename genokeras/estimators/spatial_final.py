"""``final_fit`` of sequences, images and texts: the best network, trained on all rows for as long as the folds found best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import keras
import numpy as np

from genokeras.estimators.spatial_fit import network_settings
from genokeras.graph import Weights
from genokeras.light import LightModel
from genokeras.networks import build_network, read_weights, start_weights
from genokeras.runs import TrialStore
from genokeras.runs.fitted import MODEL_FILE, RESULT_FILE, write_model
from genokeras.searchers import TrialResult
from genokeras.spatial import (
    COUNTS,
    NetworkSettings,
    Rows,
    SpatialRun,
    TrainedNetwork,
    merged_model,
    n_rows,
    take,
)

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
    if trial.proposal.hyper.view == COUNTS:
        weights, epochs = _linear(run, trial, rows, codes)
    else:
        epochs = given.get("most_epochs", _epochs(run, trial, settings, retrain))
        weights = _trained(run, trial, rows, codes, settings, epochs, retrain, verbose)
    proposal = trial.proposal
    network = TrainedNetwork(f"final_{trial.id}", proposal.graph, proposal.hyper, weights)
    final = replace(run, model=merged_model(run.problem.encoder, run.problem.task, [network]))
    write_model(final.model, run.folder.path / MODEL_FILE, final)
    note = {"trial": trial.id, "epochs": epochs, "rows": len(codes), "retrain": retrain}
    run.folder.write_json(RESULT_FILE, {**run.folder.read_json(RESULT_FILE), "final_fit": note})
    run.folder.record("final_fit", **note)
    return SpatialFinalFit(final, trial.id, epochs)


def _epochs(run: SpatialRun, trial: TrialResult, settings: NetworkSettings, retrain: bool) -> int:
    """Epochs behind a trial's weights: its own and, for a fresh start, those of the fathers it inherited from."""
    steps = trial.step
    for child, father in pairwise(run.history.lineage(trial.id)):
        if not retrain or not child.proposal.inherit:
            break
        steps += father.step
    n = int(run.problem.train.sum(axis=1).max())
    return max(1, round(steps * settings.batch_of(n) / n))


def _linear(run: SpatialRun, trial: TrialResult, rows: Rows, codes: np.ndarray) -> tuple[Weights, int]:
    encoder = run.problem.encoder
    kernel, bias, iterations = run.problem.task.fit_linear(
        encoder.counts(rows),
        codes,
        np.ones(len(codes)),
        trial.proposal.hyper.weight_decay,
        encoder.scales_counts,
    )
    return {trial.proposal.graph.output: {"kernel": kernel[None], "bias": bias[None]}}, iterations


def _trained(
    run: SpatialRun,
    trial: TrialResult,
    rows: Rows,
    codes: np.ndarray,
    settings: NetworkSettings,
    epochs: int,
    retrain: bool,
    verbose: int,
) -> Weights:
    proposal, n = trial.proposal, n_rows(rows)
    if retrain:
        start = start_weights(proposal.graph, np.random.default_rng(proposal.seed))
    else:
        start = TrialStore(run.folder).father(trial).weights
    net = build_network(proposal.graph, None, proposal.hyper, weights=start, logits=True)
    encoder, size = run.problem.encoder, settings.batch_of(n)
    targets = run.problem.task.training_targets(codes)
    rng = np.random.default_rng(proposal.seed)

    def epoch() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        order = rng.permutation(n)
        for first in range(0, n - size + 1, size):
            picked = order[first : first + size]
            yield encoder.tensor(take(rows, picked), rng), targets[picked]

    optimizer = keras.optimizers.AdamW(
        proposal.hyper.learning_rate, proposal.hyper.weight_decay, clipnorm=5.0
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    light = LightModel(net)
    loss = run.problem.task.training_loss(settings.label_smoothing)
    light.compile(optimizer, loss, schedule="cosine")
    light.fit(
        epoch,
        epochs=epochs,
        ckpt_path=run.folder.path / _CHECKPOINT,
        monitor="loss",
        patience=None,
        resume=False,
        plot=False,
        verbose=verbose,
    )
    return read_weights(light.net, proposal.graph)
