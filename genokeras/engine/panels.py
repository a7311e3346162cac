"""A panel: a small model of few genes, its honest estimate, and how scores depend on the number of genes.

Genes are chosen inside every fold: a trial's member of a fold reads the genes that the fold's training samples chose, so that its
out-of-fold answers, the ensemble's weights and the estimate know nothing of held-out samples. What is delivered are the
ensemble's networks, trained again on the same folds, all on the genes that all samples choose together.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from genokeras.encoders import TableEncoder, by_sample, fit_table_encoder, widened
from genokeras.engine.budget import Budget, search_budget
from genokeras.engine.delivery import deliver, limits_of, single_best
from genokeras.engine.fit import Prepared, RunSettings, fit_run
from genokeras.engine.jobs import Outcome
from genokeras.engine.panel_genes import (
    Choice,
    PanelSamples,
    choose_genes,
    equivalent_genes,
    sizes_to_try,
)
from genokeras.engine.problem import Problem, fingerprint_of
from genokeras.engine.problem_files import write_problem
from genokeras.engine.retraining import on_its_own, retrained
from genokeras.engine.run import Run, merged, write_run
from genokeras.engine.searching import Wanted, make_table_searcher
from genokeras.engine.store import TrialStore
from genokeras.errors import SearchError
from genokeras.features import FittedView, fit_views
from genokeras.graph import HyperParameters, linear
from genokeras.searchers import (
    LARGEST_ENSEMBLE,
    History,
    HyperSpace,
    Proposal,
    combine,
    estimate_performance,
    select_ensemble,
)
from genokeras.support import RunFolder
from genokeras.support.digest import hex_digest
from genokeras.support.precision import single_precision
from genokeras.support.temporary import temporary_folder
from genokeras.tasks.objectives import Objective

PANEL_FILE = "panel.json"
VIEWS = ("all", "arcsinh")
_WEIGHT_DECAYS = (0.003, 0.03, 0.3, 1.0)
_LINEAR_RATE = 0.03
_RESAMPLES = 100
# Trials that are trained again for the delivered model.
_LARGEST_PANEL_ENSEMBLE = 20
# Genes that are often chosen are listed, whether the panel has them or not.
_LISTED, _RARELY = 100, 0.05


@dataclass(frozen=True)
class PanelSettings:
    """What was asked of a panel.

    Attributes
    ----------
    n_genes : int
    path : str
    replace_run : str or None
        Id of an earlier panel's run, which may be overwritten.
    time_limit : float or None
        Seconds of the search; the curve comes before it.
    max_trials : int or None
    seed : int
    entries : mapping
        Entries of ``run.json`` that the panel's run shares with the one that it is made of.
    """

    n_genes: int
    path: str
    replace_run: str | None
    time_limit: float | None
    max_trials: int | None
    seed: int
    entries: Mapping[str, Any]


@single_precision()
def make_panel(samples: PanelSamples, objective: Objective, settings: PanelSettings) -> Run:
    """Choose genes, search on them inside every fold, and deliver a model that reads the panel alone.

    Raises
    ------
    SearchError
        If no gene varies with the targets, or none of the delivered networks could be trained.
    RunFolderError
        If the path cannot be used.
    """
    RunFolder.check_free(settings.path, settings.replace_run)
    budget = search_budget(settings.time_limit)
    rng = np.random.default_rng([settings.seed, 5])
    sizes = sizes_to_try(settings.n_genes, len(samples.feature_names))
    choice = choose_genes(samples, max(sizes), rng)
    panel = choice.whole[: settings.n_genes]
    if not len(panel):
        raise SearchError("no gene could be chosen: none varies in the training samples.")
    sizes = [size for size in sizes if size <= len(choice.whole) or size == settings.n_genes]
    linear_models = train_linear(samples, choice, sizes, objective, settings.seed)
    curve = score_curve(samples.problem, linear_models, objective, settings.seed)
    honest = fold_problem(samples, choice, {view: (view, settings.n_genes) for view in VIEWS})
    search = _searched(honest, objective, settings, budget)
    try:
        search = _with_further(search, linear_models.get(settings.n_genes, []))
        return _delivered(samples, choice, panel, search, curve, settings)
    finally:
        shutil.rmtree(search.folder.path, ignore_errors=True)


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
        name: _fold_view(samples, [columns[:count] for columns in choice.by_fold], name, view)
        for name, (view, count) in views.items()
    }
    # In the order of choice: it is another gene in another fold.
    names = tuple(f"choice_{place}" for place in range(max(count for _, count in views.values())))
    encoder = TableEncoder(names, {name: found.spaces for name, found in fitted.items()})
    rows = {name: by_sample(found.z) for name, found in fitted.items()}
    return replace(samples.problem, encoder=encoder, rows=rows, further=None, notes=())


def _fold_view(samples: PanelSamples, by_fold: Sequence[np.ndarray], name: str, view: str) -> FittedView:
    problem, parts = samples.problem, []
    for columns, rows in zip(by_fold, problem.train, strict=True):
        x = np.ascontiguousarray(samples.x[:, columns])
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
    error = objective.standard_error(combine(p, shares), targets, weight)
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


# ---- the search, and what is delivered


def _searched(honest: Problem, objective: Objective, settings: PanelSettings, budget: Budget) -> Run:
    space = HyperSpace(views=VIEWS, view_units=tuple(honest.widths.values()))
    fingerprint = fingerprint_of("panel", honest.targets, honest.sample_weight, honest.groups)
    prepared = Prepared(
        make=lambda _: replace(honest, fingerprint=fingerprint),
        fingerprint=fingerprint,
        old_fingerprint=lambda: "",
        sample_weight=honest.sample_weight,
        groups=honest.groups,
        described={**_carried(settings.entries), "feature_names": [], "notes": []},
    )
    wanted = Wanted("bayesian", {}, None, settings.time_limit)
    run_settings = RunSettings(
        path=str(temporary_folder()),
        objective=objective,
        wanted=wanted,
        asked=dict(settings.entries["settings"]),
        max_trials=settings.max_trials,
        seed=settings.seed,
        described={"time_limit": settings.time_limit},
    )
    return fit_run(
        prepared,
        run_settings,
        lambda problem, arcs: make_table_searcher(wanted, problem.task.n_outputs, space, arcs, 1),
        budget,
    )


def _with_further(search: Run, outcomes: Sequence[Outcome]) -> Run:
    """The search with further trials on its problem; the ensemble and its estimate are made anew of all of them."""
    store, problem = TrialStore(search.folder), search.problem
    first = max(search.folder.trial_ids()) + 1
    known = {trial.proposal.fingerprint() for trial in search.history}
    new = [outcome for outcome in outcomes if outcome.result.proposal.fingerprint() not in known]
    numbered = [
        replace(outcome, result=replace(outcome.result, id=number))
        for number, outcome in enumerate(new, first)
    ]
    store.write(*numbered)
    history = search.history.updated([outcome.result for outcome in numbered])
    seed = int(search.folder.settings["seed"])
    delivery = deliver(store, problem, history, search.objective, seed, problem.groups)
    delivery = replace(delivery, best=single_best(history, VIEWS))
    return replace(search, history=history, delivery=delivery)


def _carried(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Entries of the larger run that hold for its panel, too."""
    own = (
        "format",
        "run_id",
        "feature_names",
        "blocks",
        "notes",
        "fingerprint",
        "data_fingerprint",
        "searcher",
    )
    return {name: value for name, value in entries.items() if name not in own}


def _delivered(
    samples: PanelSamples,
    choice: Choice,
    panel: np.ndarray,
    search: Run,
    curve: list[dict[str, Any]],
    settings: PanelSettings,
) -> Run:
    problem = _panel_problem(samples, panel)
    shares = dict(sorted(search.delivery.shares.items(), key=lambda one: -one[1])[:_LARGEST_PANEL_ENSEMBLE])
    trials = {trial.id: trial for trial in search.history.ok() if trial.id in shares}
    fresh = [on_its_own(trial.proposal) for trial in trials.values()]
    trained = retrained(problem, search.objective, fresh)
    kept = {id: trained[place].weights for place, id in enumerate(trials) if place in trained}
    if not kept:
        raise SearchError("none of the panel's networks could be trained on all its genes.")
    folder = RunFolder.create(
        settings.path, _entries(samples, panel, problem, settings), settings.replace_run
    )
    write_problem(folder, problem)
    folder.record("started", seed=settings.seed, samples=problem.n_samples)
    honest, store = TrialStore(search.folder), TrialStore(folder)
    for id, weights in kept.items():
        store.write(honest.outcome(trials[id], weights, on_its_own(trials[id].proposal)))
    history = History(tuple(store.read(id) for id in kept))
    total = sum(shares[id] for id in kept)
    best = search.delivery.best
    delivery = replace(
        search.delivery,
        shares={id: shares[id] / total for id in kept},
        best=best if best in kept else None,
    )
    model = merged(store, problem, delivery)
    run = Run(folder, problem, problem.task, history, delivery, search.stop_reason, search.objective, model)
    folder.write_json(PANEL_FILE, _about(samples, choice, panel, curve))
    write_run(run)
    return run


def _panel_problem(samples: PanelSamples, panel: np.ndarray) -> Problem:
    names = tuple(samples.feature_names[column] for column in panel)
    medians = None if samples.medians is None else samples.medians[panel]
    problem, x = samples.problem, np.ascontiguousarray(samples.x[:, panel])
    encoder, rows = fit_table_encoder(
        x, problem.targets, problem.train, VIEWS, problem.task.screening, names, medians
    )
    fingerprint = fingerprint_of(
        hex_digest(x, "\0".join(names)), problem.targets, problem.sample_weight, problem.groups
    )
    return replace(problem, encoder=encoder, rows=rows, further=None, notes=(), fingerprint=fingerprint)


def _entries(
    samples: PanelSamples, panel: np.ndarray, problem: Problem, settings: PanelSettings
) -> dict[str, Any]:
    assert isinstance(problem.encoder, TableEncoder)
    names = list(problem.encoder.feature_names)
    note = f"A panel of {len(names)} of {len(samples.feature_names):,} genes, chosen anew inside every fold; new samples need no others."
    return {
        **_carried(settings.entries),
        "searcher": "bayesian",
        "max_trials": settings.max_trials,
        "seed": settings.seed,
        "time_limit": settings.time_limit,
        "n_samples": problem.n_samples,
        "groups": None if problem.groups is None else problem.groups.tolist(),
        "feature_names": names,
        "fingerprint": dict(problem.fingerprint),
        "data_fingerprint": problem.digest,
        "notes": [note],
    }


def _about(
    samples: PanelSamples, choice: Choice, panel: np.ndarray, curve: list[dict[str, Any]]
) -> dict[str, Any]:
    names = samples.feature_names
    frequency = choice.frequency(len(panel), len(names))
    often = np.argsort(-frequency, kind="stable")[:_LISTED]
    listed: Iterable[int] = [int(column) for column in often if frequency[column] > _RARELY]
    return {
        "genes": [names[column] for column in panel],
        "of": len(names),
        "chosen_behind": "raw values" if choice.rescaling is None else choice.rescaling.kind,
        "curve": curve,
        "smallest": smallest_within_error(curve),
        "frequency": {names[column]: round(float(frequency[column]), 4) for column in listed},
        "equivalents": equivalent_genes(samples, choice, panel),
    }
