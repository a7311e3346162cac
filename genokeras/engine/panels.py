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

from genokeras.encoders import TableEncoder, fit_table_encoder
from genokeras.engine.budget import Budget, search_budget
from genokeras.engine.delivery import deliver, single_best
from genokeras.engine.fit import Prepared, RunSettings, fit_run
from genokeras.engine.jobs import Outcome
from genokeras.engine.panel_curve import VIEWS, fold_problem, score_curve, smallest_within_error, train_linear
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
from genokeras.engine.studies import HOLDS_FOR_A_STUDY, study_scores
from genokeras.errors import SearchError
from genokeras.searchers import (
    History,
    HyperSpace,
    few_groups_note,
)
from genokeras.support import RunFolder
from genokeras.support.digest import hex_digest
from genokeras.support.precision import single_precision
from genokeras.support.temporary import temporary_folder
from genokeras.tasks.objectives import Objective

PANEL_FILE = "panel.json"
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
        Seconds of the search, which begins behind the curve of scores.
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
    search = _searched(honest, objective, settings, search_budget(settings.time_limit))
    try:
        search = _with_further(search, linear_models.get(settings.n_genes, []))
        return _delivered(samples, choice, panel, search, curve, settings)
    finally:
        shutil.rmtree(search.folder.path, ignore_errors=True)


# ---- the search, and what is delivered


def _searched(honest: Problem, objective: Objective, settings: PanelSettings, budget: Budget) -> Run:
    space = HyperSpace(
        views=VIEWS, view_units=tuple(honest.widths.values()), linear_unread=honest.linear_unread
    )
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
    best = single_best(store, problem, history, delivery, search.objective, VIEWS)
    delivery = replace(delivery, best=best)
    return replace(search, history=history, delivery=delivery)


def _carried(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Entries of the larger run that hold for its panel, too."""
    own = ("format", "run_id", "feature_names", "blocks", "notes", "searcher")
    return {name: value for name, value in entries.items() if name not in own and "fingerprint" not in name}


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
    if "batches" in folder.settings:
        scores = study_scores(run, folder.settings["batches"])
        estimate = {**delivery.estimate, **HOLDS_FOR_A_STUDY, "studies": scores}
        run = replace(run, delivery=replace(delivery, estimate=estimate))
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
    called = "studies" if "batches" in settings.entries else "groups"
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
        "notes": [note, *few_groups_note(problem.groups, problem.sample_weight, called)],
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
