"""``fit`` from prepared data on: the run folder, the search, the delivery; and going on with a run."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from genokeras.engine.arcs import ARCS_FILE, find_arcs
from genokeras.engine.budget import Budget, Deadline
from genokeras.engine.callbacks import Watchers
from genokeras.engine.delivery_forecast import DeliveryForecast
from genokeras.engine.delivery_time import DeliveryTime
from genokeras.engine.executor import LocalExecutor
from genokeras.engine.executors import SHARED, jobs_ahead, make_executor
from genokeras.engine.gains import EnsembleGains
from genokeras.engine.keeping import keep_best
from genokeras.engine.loop import SearchLoop
from genokeras.engine.methods import method_of
from genokeras.engine.model_files import versions
from genokeras.engine.packed_runner import PackedRunner
from genokeras.engine.problem import PARTS, Problem
from genokeras.engine.problem_files import (
    read_problem,
    write_problem,
)
from genokeras.engine.progress import ProgressDisplay
from genokeras.engine.recipes import SearchRecipe
from genokeras.engine.refusing import RefusingExecutor
from genokeras.engine.resuming import check_same, resumed
from genokeras.engine.run import Run, finish_run
from genokeras.engine.searching import Wanted
from genokeras.engine.settings import Prepared, RunSettings
from genokeras.engine.store import TrialStore
from genokeras.engine.together import leading, search_together
from genokeras.errors import SearchError
from genokeras.graph.arcs import Arc
from genokeras.interrupt import interruptible
from genokeras.searchers import History, Searcher
from genokeras.support import RunFolder
from genokeras.support.cores import within_cores
from genokeras.support.digest import hex_digest
from genokeras.support.memory import memory_named
from genokeras.support.precision import single_precision
from genokeras.support.run_lock import holding_lock

# Seconds in which an interrupted search delivers what it has.
_AFTER_INTERRUPT = 2.5
MakeSearcher = Callable[[Problem, tuple[Arc, ...]], Searcher]


@interruptible
@within_cores
@single_precision()
def fit_run(
    prepared: Prepared,
    settings: RunSettings,
    make_searcher: MakeSearcher,
    budget: Budget,
    observer: ProgressDisplay | None = None,
) -> Run:
    """Make or resume a run, search, and deliver.

    Parameters
    ----------
    prepared : Prepared
    settings : RunSettings
    make_searcher : callable
        The searcher for a problem, and for the arcs that shared weights found.
    budget : Budget
    observer : ProgressDisplay, optional

    Raises
    ------
    ParameterError
        If the searcher refuses the problem; nothing was written then.
    RunFolderError
        If the path cannot be used, or holds a run of other data or settings.
    SearchError
        If no trial could be trained.
    OutOfMemoryError
        If the data need more memory than there is.
    KeyboardInterrupt
        If interrupted before the first trial was trained, or a second time afterwards; of SIGTERM and SIGUSR1 it is SystemExit.
    """
    with memory_named(f"{prepared.words}, {len(prepared.described['feature_names']) or 'no'} named features"):
        if settings.executor != SHARED:
            return _fit_alone(prepared, settings, make_searcher, budget, observer)
        # Who comes second finds the run there.
        settings = replace(settings, resume=True)
        return search_together(
            Path(settings.path),
            lambda: _lead(prepared, settings, make_searcher, budget, observer),
            lambda folder: _recipe_of(folder, prepared, settings, budget),
        )


@holding_lock(lambda prepared, settings, *_, **__: settings.path, make=True)
def _fit_alone(
    prepared: Prepared,
    settings: RunSettings,
    make_searcher: MakeSearcher,
    budget: Budget,
    observer: ProgressDisplay | None,
) -> Run:
    return _fit_run(prepared, settings, make_searcher, budget, observer)


@holding_lock(lambda prepared, settings, *_, **__: settings.path, make=True)
def _lead(
    prepared: Prepared,
    settings: RunSettings,
    make_searcher: MakeSearcher,
    budget: Budget,
    observer: ProgressDisplay | None,
) -> Run:
    with leading(Path(settings.path)):
        return _fit_run(prepared, settings, make_searcher, budget, observer)


def _recipe_of(folder: RunFolder, prepared: Prepared, settings: RunSettings, budget: Budget) -> SearchRecipe:
    """What trains jobs of a run that another process leads."""
    check_same(folder, prepared, settings)
    return _recipe(_with_splits(read_problem(folder), prepared, folder), settings, budget)


def _recipe(problem: Problem, settings: RunSettings, budget: Budget) -> SearchRecipe:
    trainer_args, smoothing = settings.wanted.trainer_args, settings.label_smoothing
    return SearchRecipe(problem, settings.objective, trainer_args, budget.time_limit, smoothing)


def _with_splits(problem: Problem, prepared: Prepared, folder: RunFolder) -> Problem:
    """The problem, which can fit views in further splits now."""
    if problem.further is None:
        return problem
    return replace(problem, further=replace(problem.further, fit=prepared.fit_view, folder=folder))


def _fit_run(
    prepared: Prepared,
    settings: RunSettings,
    make_searcher: MakeSearcher,
    budget: Budget,
    observer: ProgressDisplay | None,
) -> Run:
    folder, problem, history = resumed(prepared, settings) or _created(
        prepared, settings, make_searcher, budget
    )
    problem = _with_splits(problem, prepared, folder)
    seed, wanted = int(folder.settings["seed"]), settings.wanted
    arcs = find_arcs(wanted.arguments, problem, folder, budget, seed) if wanted.is_enas else ()
    method, searcher = method_of(problem), make_searcher(problem, arcs)
    gains = EnsembleGains(problem, settings.objective) if method.learns_gains else None
    recipe = _recipe(problem, settings, budget)
    trains = executor = make_executor(settings.executor, settings.executor_args, recipe, folder)
    if settings.memory is not None:
        executor = RefusingExecutor(trains, problem, settings.memory)
    watchers = Watchers(settings.callbacks, folder, settings.objective)
    loop = SearchLoop(
        searcher,
        executor,
        TrialStore(folder),
        budget,
        seed,
        settings.max_trials,
        [*([observer] if observer is not None else []), watchers, DeliveryForecast(problem, budget)],
        method.pack_size(problem),
        method.packer(problem),
        gains,
        jobs_ahead(settings.executor, settings.executor_args, budget.time_limit, method, executor.slots),
        problem.task.n_outputs,
    )
    watchers.begin(history)
    with observer or nullcontext():
        found = loop.run(history)
    if history.ok() and len(found.history) == len(history) and found.reason == "trials":
        _say_nothing_was_left(folder, len(history), settings.max_trials)
    if isinstance(trains, LocalExecutor) and isinstance(trains.runner, PackedRunner):
        folder.record("searched", reason=found.reason, compilations=trains.runner.trainer.compilations)
    if not found.history.ok():
        if found.reason == "interrupted":
            raise KeyboardInterrupt
        raise SearchError(_nothing_trained(found.history, folder, wanted))
    run = finish_run(
        folder,
        problem,
        found.history,
        settings.objective,
        found.reason,
        _delivery_time(budget, found.reason, settings.memory),
        settings.best_alone,
    )
    if settings.keep == "best":
        keep_best(run)
    watchers.end(run)
    return run


def _delivery_time(budget: Budget, reason: str, memory: float | None) -> DeliveryTime:
    """Who interrupts a search does not want to wait."""
    left = min(budget.remaining, _AFTER_INTERRUPT if reason == "interrupted" else math.inf)
    most = math.inf if memory is None else memory
    if math.isinf(left):
        return DeliveryTime(Deadline(), memory=most)
    return DeliveryTime(Deadline.after(left), budget.slowness(), most)


def _created(
    prepared: Prepared, settings: RunSettings, make_searcher: MakeSearcher, budget: Budget
) -> tuple[RunFolder, Problem, History]:
    allowed = settings.replace_run
    if RunFolder.exists(settings.path):
        held = RunFolder(settings.path)
        # It was stopped while it was being made, or before it had tried anything: there is nothing to lose.
        if settings.resume or not (held.trial_ids() or held.has(ARCS_FILE)):
            allowed = held.run_id
    RunFolder.check_free(settings.path, allowed)
    problem = prepared.make(budget)
    make_searcher(problem, ())
    folder = RunFolder.create(settings.path, _entries(prepared, settings, problem), allowed)
    for name, make in prepared.files.items():
        arrays = make(budget)
        if arrays is not None:
            folder.write_arrays(name, arrays)
    write_problem(folder, problem)
    folder.record("started", seed=settings.seed, samples=problem.n_samples)
    return folder, problem, History()


def _entries(prepared: Prepared, settings: RunSettings, problem: Problem) -> dict[str, Any]:
    """Entries of ``run.json``."""
    groups = None if prepared.groups is None else prepared.groups.tolist()
    return {
        "settings": dict(settings.asked),
        "searcher": settings.wanted.name,
        "max_trials": settings.max_trials,
        "seed": int(settings.seed),
        "data_fingerprint": hex_digest(*(prepared.fingerprint[name] for name in PARTS)),
        "fingerprint": dict(prepared.fingerprint),
        "groups": groups,
        **prepared.described,
        "notes": [*prepared.described.get("notes", ()), *problem.notes],
        **settings.described,
        "versions": versions(),
    }


def _say_nothing_was_left(folder: RunFolder, n_trials: int, max_trials: int | None) -> None:
    note = (
        f"the run has {n_trials} trials already, and max_trials={max_trials} counts them: none was trained."
    )
    folder.record("note", note=note)
    warnings.warn(f"{note} A larger max_trials goes on.", stacklevel=2)


def _nothing_trained(history: History, folder: RunFolder, wanted: Wanted) -> str:
    failed = history.failed()
    if not failed:
        return f"the searcher {wanted.name!r} proposed nothing to train."
    return (
        f"none of the {len(failed)} trials could be trained; error.txt of each is in {folder.path / 'trials'}. "
        f"The last one said:\n{failed[-1].error}"
    )
