"""The estimate for a new study beside that for new samples of the same studies, and what each study scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from genokeras.data import Folds
from genokeras.encoders import SplitView, TableEncoder
from genokeras.engine.budget import Deadline
from genokeras.engine.delivery import limits_of
from genokeras.engine.problem import Problem
from genokeras.engine.retraining import on_its_own, retrained
from genokeras.engine.run import Run, write_run
from genokeras.searchers import LARGEST_ENSEMBLE, estimate_performance
from genokeras.support.precision import single_precision
from genokeras.support.run_lock import holding_lock
from genokeras.tasks.objectives import Objective

# Of the delivered trials, those with the largest shares are trained on plain folds, too.
_MOST_TRIALS = 12
HOLDS_FOR_A_STUDY = {"holds_for": "a new study"}
_RESAMPLES = 100


@single_precision()
@holding_lock(lambda run, *_, **__: run.folder.path)
def with_study_estimates(
    run: Run,
    names: Sequence[str],
    plain: Folds,
    fit_view: Callable[[TableEncoder, np.ndarray, str], SplitView],
    seconds: float | None = None,
) -> Run:
    """A run whose trials were scored on studies that they did not see, with further entries of its estimate.

    ``studies`` has each study's scores, by networks of the other studies; ``new_samples`` the estimate for new samples of the same
    studies: the delivered networks, trained again on folds that every study has its share of.

    Parameters
    ----------
    run : Run
    names : sequence of str
        Of the studies, in the order of the problem's groups.
    plain : Folds
        Folds without regard to studies.
    fit_view : callable
        Fits a view in other folds.
    seconds : float, optional
        For training on these folds; one job at least is trained.
    """
    deadline = None if seconds is None else Deadline.after(seconds)
    estimate = {
        **run.delivery.estimate,
        **HOLDS_FOR_A_STUDY,
        "studies": study_scores(run, names),
        "new_samples": _new_samples(run, plain, fit_view, deadline),
    }
    found = replace(run, delivery=replace(run.delivery, estimate=estimate))
    write_run(found)
    return found


def _metrics(run: Run) -> list[Objective]:
    kinds = [run.objective, *(run.task.objective(name) for name in run.objective.answers.standard_metrics)]
    return list({one.name: one for one in kinds}.values())


def study_scores(run: Run, names: Sequence[str]) -> dict[str, dict[str, float | int | None]]:
    """What each study scored, by networks of the other studies; ``names`` are in the order of the problem's groups."""
    problem, found = run.problem, run.out_of_fold()
    assert problem.groups is not None
    scored, result = problem.scored, {}
    weight, groups = problem.sample_weight[scored], problem.groups[scored]
    for number, name in enumerate(names):
        rows = groups == number
        if rows.any():
            values = {
                one.name: _finite(one.value(found.answers[rows], found.targets[rows], weight[rows]))
                for one in _metrics(run)
            }
            result[str(name)] = {"n_samples": int(rows.sum()), **values}
    return result


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _new_samples(
    run: Run,
    plain: Folds,
    fit_view: Callable[[TableEncoder, np.ndarray, str], SplitView],
    deadline: Deadline | None,
) -> dict[str, Any] | None:
    shares = sorted(run.delivery.shares.items(), key=lambda one: -one[1])[:_MOST_TRIALS]
    trials = [run.history.get(id) for id, _ in shares]
    views = list(dict.fromkeys(view for trial in trials for view in trial.proposal.views))
    problem = _in_other_folds(run.problem, plain, {view: fit_view for view in views})
    trained = retrained(problem, run.objective, [on_its_own(trial.proposal) for trial in trials], deadline)
    if not trained:
        return None
    scored = problem.scored
    stack = np.stack([outcome.answers[scored] for outcome in trained.values()]).astype("float64")
    found = estimate_performance(
        stack,
        problem.targets[scored],
        run.objective,
        rng=np.random.default_rng([int(run.folder.settings["seed"]), 2]),
        sample_weight=problem.sample_weight[scored],
        families=[trials[place].proposal.hyper.view for place in trained],
        n_resamples=_RESAMPLES,
        **limits_of(int(scored.sum()), run.objective, LARGEST_ENSEMBLE),
    )
    entries = {
        name: {"value": _finite(one.value), "interval": [_finite(one.low), _finite(one.high)]}
        for name, one in found.items()
    }
    main = entries.pop(run.objective.name)
    return {"metric": run.objective.name, **main, "also": entries}


def _in_other_folds(problem: Problem, folds: Folds, views: dict[str, Any]) -> Problem:
    encoder = problem.encoder
    assert isinstance(encoder, TableEncoder)
    read = {view: fit_view(encoder, folds.train, view) for view, fit_view in views.items()}
    return replace(
        problem,
        train=folds.train,
        held_out=folds.held_out,
        encoder=replace(encoder, spaces={view: found.spaces for view, found in read.items()}),
        rows={view: found.rows for view, found in read.items()},
        further=None,
    )
