"""Models of few genes whose genes were chosen inside every fold, and how their scores depend on the number of genes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from genokeras.encoders import TableEncoder, by_sample, widened
from genokeras.engine.delivery import limits_of
from genokeras.engine.jobs import Outcome
from genokeras.engine.panel_genes import Choice, PanelSamples
from genokeras.engine.problem import Problem
from genokeras.engine.retraining import retrained
from genokeras.errors import SearchError
from genokeras.features import FittedView, fit_views
from genokeras.graph import HyperParameters, linear
from genokeras.searchers import LARGEST_ENSEMBLE, Proposal, combine, estimate_performance, select_ensemble
from genokeras.tasks.objectives import Objective

VIEWS = ("all", "arcsinh")
_WEIGHT_DECAYS = (0.003, 0.03, 0.3, 1.0)
_LINEAR_RATE = 0.03
_RESAMPLES = 100


# ---- genes of each fold


def fold_problem(samples: PanelSamples, choice: Choice, views: Mapping[str, tuple[str, int]]) -> Problem:
    """The problem whose members read the genes that their own fold chose.

    Parameters
    ----------
    samples : PanelSamples
    choice : Choice
    views : mapping of str to (str, int)
        A view, and how many genes it reads, by the name that it goes by.
    """
    fitted = {
        name: _fold_view(samples, [columns[:count] for columns in choice.by_fold], count, name, view)
        for name, (view, count) in views.items()
    }
    # In the order of choice: it is another gene in another fold.
    names = tuple(f"choice_{place}" for place in range(max(count for _, count in views.values())))
    encoder = TableEncoder(names, {name: found.spaces for name, found in fitted.items()})
    rows = {name: by_sample(found.z) for name, found in fitted.items()}
    return replace(samples.problem, encoder=encoder, rows=rows, further=None, notes=())


def _fold_view(
    samples: PanelSamples, by_fold: Sequence[np.ndarray], count: int, name: str, view: str
) -> FittedView:
    problem, parts = samples.problem, []
    for columns, rows in zip(by_fold, problem.train, strict=True):
        # Where a fold could choose fewer, the others are constant: all folds read the same number.
        x = np.zeros((len(samples.x), count), dtype=samples.x.dtype)
        x[:, : len(columns)] = samples.x[:, columns]
        parts.append(fit_views((view,), x, problem.targets, rows[None], problem.task.screening)[view])
    rank = max(part.rank for part in parts)
    z = [np.pad(part.z[0], ((0, 0), (0, rank - part.rank))) for part in parts]
    return widened(FittedView(name, tuple(part.spaces[0] for part in parts), np.stack(z)))


# ---- the curve


def train_linear(
    samples: PanelSamples, choice: Choice, sizes: Sequence[int], objective: Objective, seed: int
) -> dict[int, list[Outcome]]:
    """Linear models of few genes, by their number; each member reads the genes of its fold.

    Raises
    ------
    SearchError
        If none could be trained.
    """
    names = {f"{size}:{view}": (view, size) for size in sizes for view in VIEWS}
    problem = fold_problem(samples, choice, names)
    proposals = [
        Proposal(
            linear(problem.task.n_outputs),
            HyperParameters(learning_rate=_LINEAR_RATE, weight_decay=decay, view=name),
            seed=seed,
        )
        for name in names
        for decay in _WEIGHT_DECAYS
    ]
    found: dict[int, list[Outcome]] = {}
    for outcome in retrained(problem, objective, proposals).values():
        proposal = outcome.result.proposal
        view, size = names[proposal.hyper.view]
        read = replace(proposal, hyper=replace(proposal.hyper, view=view), origin="father:linear")
        found.setdefault(size, []).append(replace(outcome, result=replace(outcome.result, proposal=read)))
    if not found:
        raise SearchError("none of the linear models of few genes could be trained.")
    return dict(sorted(found.items()))


def score_curve(
    problem: Problem, trained: Mapping[int, Sequence[Outcome]], objective: Objective, seed: int
) -> list[dict[str, Any]]:
    """How well linear models of few genes do, by their number; estimates are corrected as those of a run are.

    Returns
    -------
    list of dict
        ``genes``, ``metric``, ``value``, ``interval``, ``standard_error`` and ``also``: values of other metrics.
    """
    points = []
    for size, outcomes in trained.items():
        families = [outcome.result.proposal.hyper.view for outcome in outcomes]
        stack = np.stack([outcome.answers for outcome in outcomes])
        points.append({"genes": size, **_estimated(problem, stack, families, objective, seed)})
    return points


def _estimated(
    problem: Problem, stack: np.ndarray, families: Sequence[str], objective: Objective, seed: int
) -> dict[str, Any]:
    scored = problem.scored
    p, targets, weight = (
        stack[:, scored].astype("float64"),
        problem.targets[scored],
        problem.sample_weight[scored],
    )
    limits = limits_of(int(scored.sum()), objective, LARGEST_ENSEMBLE)
    found = estimate_performance(
        p,
        targets,
        objective,
        rng=np.random.default_rng([seed, 2]),
        groups=None if problem.groups is None else problem.groups[scored],
        sample_weight=weight,
        families=families,
        n_resamples=_RESAMPLES,
        **limits,
    )
    shares = select_ensemble(p, targets, objective, sample_weight=weight, families=families, **limits)
    error = objective.standard_error(combine(p, shares, limits["pooling"]), targets, weight)
    main = found[objective.name]
    return {
        "metric": objective.name,
        "value": main.value,
        "interval": [main.low, main.high],
        "standard_error": error,
        "greater_is_better": objective.greater_is_better,
        "also": {
            name: {"value": one.value, "interval": [one.low, one.high]}
            for name, one in found.items()
            if name != objective.name
        },
    }


def smallest_within_error(curve: Sequence[Mapping[str, Any]]) -> int:
    """The fewest genes whose score is within one standard error of the best (Breiman et al. 1984, section 3.4.3)."""
    sign = 1.0 if curve[0]["greater_is_better"] else -1.0
    best = max(curve, key=lambda point: sign * point["value"])
    least = sign * best["value"] - best["standard_error"]
    return min(int(point["genes"]) for point in curve if sign * point["value"] >= least)
