"""``final_fit``: the best architecture, trained on all rows for a number of steps that the folds chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from genokeras.engine.delivery import trained_trial
from genokeras.engine.fitted import MODEL_FILE, RESULT_FILE, FittedRun, write_model
from genokeras.engine.large import scaled_training
from genokeras.engine.options import training_settings
from genokeras.engine.store import TrialStore
from genokeras.features import FittedView, Matrix, fit_views
from genokeras.graph import Weights
from genokeras.networks import TrainedTrial, export_model, initial_weights
from genokeras.searchers import TrialResult
from genokeras.training import PackedTask, PackedTrainer, TrainingSettings

SEEDS = 5


@dataclass(frozen=True)
class FinalFit:
    """The run with its new model, and how it was trained."""

    run: FittedRun
    trial_id: int
    steps: int


def run_final_fit(
    run: FittedRun, x: Matrix, codes: np.ndarray, trainer_args: Mapping[str, Any] | None, retrain: bool
) -> FinalFit:
    """Train the best trial's graph on all rows of ``x`` ``(n_samples, n_features)``."""
    trial = run.history.ranked()[0]
    given = "max_iter_num" in (trainer_args or {})
    base = training_settings(trainer_args)
    base = scaled_training(base, run.problem.train, run.problem.held_out, steps_given=given)
    steps = base.max_steps if given else inherited_steps(run, trial, base, retrain)
    settings = replace(
        base,
        max_steps=steps,
        schedule_steps=max(steps, base.max_steps),
        min_steps=0,
        patience=steps + 1,
        keep_last=True,
    )
    filled = x if run.problem.medians is None else _filled(x, run.problem.medians)
    view, weights = _fresh(run, trial, filled, codes) if retrain else _continued(run, trial, filled)
    members = len(view.spaces)
    task = _task(run, trial, view, weights, codes, members)
    result = PackedTrainer(settings).run(task)
    trained = TrainedTrial(trial.proposal.graph, trial.proposal.hyper.activation, result.weights, view.spaces)
    model = export_model([trained], run.problem.n_features, run.problem.medians)
    final = replace(run, model=model)
    write_model(model, run.folder.path / MODEL_FILE, final)
    held = run.folder.read_json(RESULT_FILE)
    note = {"trial": trial.id, "steps": steps, "members": members, "rows": len(codes), "retrain": retrain}
    run.folder.write_json(RESULT_FILE, {**held, "final_fit": note})
    run.folder.record("final_fit", **note)
    return FinalFit(final, trial.id, steps)


def inherited_steps(run: FittedRun, trial: TrialResult, settings: TrainingSettings, retrain: bool) -> int:
    """Steps behind a trial's weights: its own and, for a fresh start, those of the fathers it inherited from."""
    if not retrain:
        return max(settings.score_every, trial.step)
    steps, line = trial.step, run.history.lineage(trial.id)
    for child, father in pairwise(line):
        if not child.proposal.inherit or father.proposal.hyper.view != child.proposal.hyper.view:
            break
        steps += father.step
    return int(np.clip(steps, settings.score_every, settings.max_steps))


def _fresh(run: FittedRun, trial: TrialResult, x: Matrix, codes: np.ndarray) -> tuple[FittedView, Weights]:
    """Several seeds of fresh weights on a view fitted to all rows."""
    proposal = trial.proposal
    everything = np.ones((1, len(codes)), dtype=bool)
    name = proposal.hyper.view
    view = fit_views((name,), x, codes, everything)[name]
    repeated = FittedView(view.name, view.spaces * SEEDS, view.z)
    return repeated, initial_weights(proposal.graph, view.rank, SEEDS, np.random.default_rng(proposal.seed))


def _continued(run: FittedRun, trial: TrialResult, x: Matrix) -> tuple[FittedView, Weights]:
    """The fold members of the search, each in the basis it was trained in."""
    trained = trained_trial(TrialStore(run.folder), run.problem, trial)
    rank = run.problem.widths[trial.proposal.hyper.view]
    rows = [space.transform(x) for space in trained.spaces]
    z = np.stack([np.pad(row, ((0, 0), (0, rank - row.shape[1]))) for row in rows])
    return FittedView(trial.proposal.hyper.view, trained.spaces, z), trained.weights


def _task(
    run: FittedRun, trial: TrialResult, view: FittedView, weights: Weights, codes: np.ndarray, members: int
) -> PackedTask:
    hyper, n = trial.proposal.hyper, len(codes)
    return PackedTask(
        graph=trial.proposal.graph,
        activation=hyper.activation,
        inputs=view.z,
        targets=np.eye(run.problem.n_classes, dtype="float32")[codes],
        train_weights=np.full((members, n), 1.0 / n),
        score_weights=np.full((members, n), 1.0 / (n * members)),
        trial_of_member=np.zeros(members, dtype=int),
        learning_rate=np.full(members, hyper.learning_rate),
        weight_decay=np.full(members, hyper.weight_decay),
        dropout=np.full(members, hyper.dropout),
        input_rank=view.ranks(),
        weights=weights,
        seed=trial.proposal.seed,
        input_of_member=np.arange(members) % len(view.z),
    )


def _filled(x: Matrix, medians: np.ndarray) -> np.ndarray:
    dense = np.asarray(x)
    return np.where(np.isnan(dense), medians.astype("float32"), dense)
