"""``final_fit``: the best architecture, trained on all rows for as long as the folds found best."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from genokeras.encoders import (
    TENSOR,
    NetworkEncoder,
    Rows,
    TableEncoder,
    by_sample,
    fit_table_encoder,
    n_rows,
)
from genokeras.engine.callbacks import FinalFitStart, Watchers
from genokeras.engine.final_sharpness import AllRows, trained_with_sharpness
from genokeras.engine.jobs import weights_to_arrays
from genokeras.engine.methods import PackedMethod, method_of
from genokeras.engine.run import FINAL_WEIGHTS, Run
from genokeras.engine.store import TrialStore
from genokeras.engine.training_options import network_settings, training_settings
from genokeras.errors import DataError
from genokeras.features import Matrix, varies
from genokeras.graph import Weights
from genokeras.networks import TrainedNetwork, initial_weights, start_weights
from genokeras.searchers import TrialResult
from genokeras.support.precision import single_precision
from genokeras.support.run_lock import holding_lock
from genokeras.support.wording import counted
from genokeras.tasks.task import LinearFit
from genokeras.training import PackedTask, PackedTrainer
from genokeras.training.allotment import Plan
from genokeras.training.members import NetworkSettings, mean_answers, train_whole
from genokeras.training.samples import Samples
from genokeras.training.trainee import Trainee

SEEDS = 5


@dataclass(frozen=True, eq=False)
class _Trained:
    """The network of a final fit, the encoder that it reads by, and what there is to note: how long it trained, how sure it is."""

    network: TrainedNetwork
    encoder: Any
    noted: Mapping[str, float]


@single_precision()
@holding_lock(lambda run, *_, **__: run.folder.path)
def final_fit(
    run: Run,
    data: AllRows,
    trainer_args: Mapping[str, Any] | None,
    retrain: bool,
    label_smoothing: float | None = None,
    watchers: Watchers | None = None,
) -> Run:
    """Train the best trial's graph on all rows, and deliver it in place of the ensemble.

    Parameters
    ----------
    run : Run
    data : AllRows
    trainer_args : mapping or None
        ``max_iter_num`` sets the number of steps, or of epochs.
    retrain : bool
        Start from fresh weights; else go on from those of the search.
    label_smoothing : float, optional
        In place of the usual one.
    watchers : Watchers, optional
        Who is told that training begins.

    Returns
    -------
    Run
        Delivering the new model, which is in the run folder.

    Raises
    ------
    DataError
        If nothing can be learnt from the samples; the run delivers what it did before.
    """
    _check_learnable(run, data)
    trial = run.best
    if watchers is not None:
        watchers.begin_final_fit(FinalFitStart(str(run.folder.path), trial, len(data.targets), retrain))
    if isinstance(run.problem.encoder, TableEncoder):
        trained = _on_table(run, trial, data, trainer_args, retrain)
    elif trial.proposal.hyper.view == TENSOR:
        trained = _by_batches(run, trial, data, trainer_args, retrain, label_smoothing)
    else:
        trained = _linear(run, trial, data)
    problem = replace(run.problem, encoder=trained.encoder)
    # Its members are of the fitted encoder, whatever split the trial was scored on.
    model = method_of(problem).merge(problem, [replace(trained.network, split=0)])
    note = {"trial": trial.id, **trained.noted, "rows": len(data.targets), "retrain": retrain}
    weights = weights_to_arrays(trained.network.weights)
    return run.with_model(model, {"final_fit": note}, {FINAL_WEIGHTS: weights})


def _check_learnable(run: Run, data: AllRows) -> None:
    """Warn of what is missing among the samples, and refuse those that nothing can be learnt from."""
    for note in run.task.check_learnable(data.targets, run.names):
        warnings.warn(note, stacklevel=5)
    encoder = run.problem.encoder
    if isinstance(encoder, TableEncoder) and not varies(encoder.filled(data.rows["features"])):
        raise DataError(
            f"every gene has the same value in {counted(len(data.targets), 'sample')}, so there is nothing to learn. The model is left "
            "as it was."
        )


def steps_behind(run: Run, trial: TrialResult) -> int:
    """Steps behind a trial's weights: its own, and those of the parents it inherited from."""
    steps = trial.step
    for child, parent in pairwise(run.history.lineage(trial.id)):
        if not child.proposal.inherit or parent.proposal.hyper.view != child.proposal.hyper.view:
            break
        steps += parent.step
    return steps


# ---- tables


def _on_table(
    run: Run, trial: TrialResult, data: AllRows, trainer_args: Mapping[str, Any] | None, retrain: bool
) -> _Trained:
    problem, graph = run.problem, trial.proposal.graph
    views = graph.views(trial.proposal.hyper.view)
    encoder = problem.of_split(trial.proposal.split, views.values()).encoder
    assert isinstance(encoder, TableEncoder)
    x = encoder.filled(data.rows["features"])
    given = "max_iter_num" in (trainer_args or {})
    runner = PackedMethod().runner(problem, run.objective, trainer_args, None)
    base = runner.trainer.settings
    limit = training_settings(trainer_args).max_steps if given else base.max_steps
    steps = limit
    if not given:
        behind = steps_behind(run, trial) if retrain else trial.step
        steps = int(np.clip(behind, base.score_every, limit if retrain else None))
    if retrain:
        fitted, read = _all_rows_views(encoder, views, x, data, problem.task.screening)
        rng = np.random.default_rng(trial.proposal.seed)
        weights = initial_weights(graph, {i: z.shape[2] for i, z in read.items()}, SEEDS, rng)
        members = SEEDS
    else:
        fitted, read = encoder, {i: _in_fold_bases(encoder, view, x) for i, view in views.items()}
        weights = run.network(trial).weights
        members = problem.n_folds
    length = {"steps": steps, "members": members}
    if problem.solves(graph, trial.proposal.hyper.view) and _was_solved(run, trial):
        z = read[graph.input]
        decay = problem.solved_decays(trial.proposal.hyper)[trial.step - 1]
        solved = replace(run.network(trial), weights=_solved(run, trial, data, fitted, z, decay))
        return _Trained(solved, fitted, {"steps": trial.step, "members": len(z)})
    settings = replace(
        base,
        max_steps=steps,
        schedule_steps=max(steps, limit),
        min_steps=0,
        patience=steps + 1,
        keep_last=True,
    )
    task = _packed_task(run, trial, data, fitted, read, weights, members)
    result = PackedTrainer(settings).run(task)
    return _Trained(replace(run.network(trial), weights=result.weights), fitted, length)


def _all_rows_views(
    encoder: TableEncoder, views: Mapping[int, str], x: Matrix, data: AllRows, screening: Any
) -> tuple[TableEncoder, dict[int, np.ndarray]]:
    """The views of all Inputs fitted to all rows, and their coordinates ``(1, n, width)`` by Input."""
    everything = np.ones((1, n_rows(data.rows)), dtype=bool)
    names = tuple(dict.fromkeys(views.values()))
    fitted, rows = fit_table_encoder(
        x,
        data.targets,
        everything,
        names,
        screening,
        encoder.feature_names,
        encoder.medians,
        blocks=encoder.blocks,
    )
    return fitted, {i: by_sample(rows[view]) for i, view in views.items()}


def _in_fold_bases(encoder: TableEncoder, view: str, x: Matrix) -> np.ndarray:
    """All rows in the bases of the search's folds, ``(n_folds, n, width)``."""
    width = encoder.widths[view]
    rows = [space.transform(x) for space in encoder.spaces[view]]
    return np.stack([np.pad(row, ((0, 0), (0, width - row.shape[1]))) for row in rows])


def _was_solved(run: Run, trial: TrialResult) -> bool:
    """Whether a linear model was solved: in runs of older versions those of classes were trained, and scored first behind several steps."""
    curve = TrialStore(run.folder).curve(trial.id)
    return bool(len(curve) and curve[0, 0] == 1)


def _solved(
    run: Run, trial: TrialResult, data: AllRows, encoder: TableEncoder, z: np.ndarray, decay: float
) -> Weights:
    task, hyper, graph = run.task, trial.proposal.hyper, trial.proposal.graph
    kernels = np.zeros((len(z), z.shape[2], task.n_outputs), dtype="float32")
    biases = np.zeros((len(z), task.n_outputs), dtype="float32")
    for member, rank in enumerate(encoder.ranks(hyper.view)):
        kernels[member, :rank], biases[member] = task.solve_linear(
            z[member, :, :rank], data.targets, data.sample_weight, decay
        )
    return {graph.output: {"kernel": kernels, "bias": biases}}


def _packed_task(
    run: Run,
    trial: TrialResult,
    data: AllRows,
    encoder: TableEncoder,
    read: Mapping[int, np.ndarray],
    weights: Weights,
    members: int,
) -> PackedTask:
    hyper, graph = trial.proposal.hyper, trial.proposal.graph
    z = np.concatenate(list(read.values()), axis=2)
    columns, first = {}, 0
    for i, part in read.items():
        columns[i] = first, part.shape[2]
        first += part.shape[2]
    ranks = np.sum([encoder.ranks(view) for view in graph.views(hyper.view).values()], axis=0)
    share = data.sample_weight / data.sample_weight.sum()
    return PackedTask(
        graph=graph,
        activation=hyper.activation,
        inputs=z,
        targets=run.task.training_targets(data.targets),
        train_weights=np.tile(share, (members, 1)),
        score_weights=np.tile(share / members, (members, 1)),
        trial_of_member=np.zeros(members, dtype=int),
        learning_rate=np.full(members, hyper.learning_rate),
        weight_decay=np.full(members, hyper.weight_decay),
        dropout=np.full(members, hyper.dropout),
        input_rank=np.resize(ranks, members),
        weights=weights,
        seed=trial.proposal.seed,
        columns=columns if len(columns) > 1 else None,
        input_of_member=np.arange(members) % len(z),
    )


# ---- everything else


def _by_batches(
    run: Run,
    trial: TrialResult,
    data: AllRows,
    trainer_args: Mapping[str, Any] | None,
    retrain: bool,
    label_smoothing: float | None,
) -> _Trained:
    problem, proposal = run.problem, trial.proposal
    settings, given = network_settings(trainer_args, label_smoothing)
    epochs = given.get("most_epochs", _epochs_behind(run, trial, settings, retrain))
    encoder = problem.encoder
    assert isinstance(encoder, NetworkEncoder)
    # Most folds decide whether training moves samples; nothing is held out here.
    moves = problem.moved is None or bool(np.mean(problem.moved) >= 0.5)
    trainee = Trainee(proposal.graph, proposal.hyper, problem.task.training_loss(settings.label_smoothing))
    rng = np.random.default_rng(proposal.seed)
    start = start_weights(proposal.graph, rng) if retrain else run.network(trial).weights

    def train(part: AllRows) -> Weights:
        samples = Samples(
            problem.task, encoder if moves else encoder.still(), part.rows, part.targets, part.sample_weight
        )
        trainee.restart(start, 0, proposal.seed)
        size = settings.batch_of(len(part.targets))
        plan = Plan(max(1, round(epochs * len(part.targets) / size)), None)
        train_whole(trainee, samples, plan, proposal.hyper.learning_rate, proposal.seed, settings)
        return trainee.weights()

    def answers(_: Weights, rows: Rows) -> np.ndarray:
        return mean_answers(trainee, problem.task, encoder, rows)

    weights, sharpness = trained_with_sharpness(run, trial, data, train, answers)
    network = replace(run.network(trial), weights=weights, sharpness=sharpness)
    return _Trained(network, encoder, {"epochs": epochs, "sharpness": sharpness})


def _epochs_behind(run: Run, trial: TrialResult, settings: NetworkSettings, retrain: bool) -> int:
    n = int(run.problem.train.sum(axis=1).max())
    steps = steps_behind(run, trial) if retrain else trial.step
    return max(1, round(steps * settings.batch_of(n) / n))


def _linear(run: Run, trial: TrialResult, data: AllRows) -> _Trained:
    encoder, hyper = run.problem.encoder, trial.proposal.hyper
    assert isinstance(encoder, NetworkEncoder)
    view = encoder.linear_views[hyper.view]

    def train(part: AllRows) -> LinearFit:
        counts = encoder.counts(part.rows)
        return run.task.fit_view(view, counts, part.targets, part.sample_weight, hyper.weight_decay)

    def answers(fitted: LinearFit, rows: Rows) -> np.ndarray:
        return run.task.answers_of(np.asarray(encoder.counts(rows) @ fitted[0]) + fitted[1])

    (kernel, bias, iterations), sharpness = trained_with_sharpness(run, trial, data, train, answers)
    weights = {trial.proposal.graph.output: {"kernel": kernel[None], "bias": bias[None]}}
    network = replace(run.network(trial), weights=weights, sharpness=sharpness)
    return _Trained(network, encoder, {"epochs": iterations, "sharpness": sharpness})
