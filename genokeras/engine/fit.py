"""``fit`` from prepared data on: the run folder, the search, the delivery; and going on with a run."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from genokeras.engine.arcs import ARCS_FILE, find_arcs
from genokeras.engine.budget import Budget, Deadline
from genokeras.engine.delivery_forecast import DeliveryForecast
from genokeras.engine.delivery_time import DeliveryTime
from genokeras.engine.executor import LocalExecutor
from genokeras.engine.executors import check_executor, jobs_ahead, make_executor
from genokeras.engine.gains import EnsembleGains
from genokeras.engine.interrupt import interruptible
from genokeras.engine.loop import SearchLoop
from genokeras.engine.methods import method_of
from genokeras.engine.model_files import versions
from genokeras.engine.packed_runner import PackedRunner
from genokeras.engine.problem import PARTS, Problem
from genokeras.engine.problem_files import (
    has_problem,
    read_fingerprint,
    read_groups,
    read_problem,
    write_problem,
)
from genokeras.engine.progress import ProgressDisplay
from genokeras.engine.recipes import SearchRecipe
from genokeras.engine.run import Run, finish_run, tell_damage
from genokeras.engine.searching import Wanted
from genokeras.engine.splits import FitView
from genokeras.engine.store import TrialStore
from genokeras.errors import RunFolderError, SearchError
from genokeras.graph.arcs import Arc
from genokeras.searchers import History, Searcher
from genokeras.support import RunFolder
from genokeras.support.cores import within_cores
from genokeras.support.digest import hex_digest
from genokeras.support.memory import memory_named
from genokeras.support.precision import single_precision
from genokeras.support.run_lock import holding_lock
from genokeras.tasks.objectives import Objective

# Seconds in which an interrupted search delivers what it has.
_AFTER_INTERRUPT = 3.0
MakeSearcher = Callable[[Problem, tuple[Arc, ...]], Searcher]


@dataclass(frozen=True, eq=False)
class Prepared:
    """Training data that were read, checked and split; the problem is made of them when it is needed.

    Attributes
    ----------
    make : callable
        Fits what is to be fitted, as far as the budget has time for it, and gives the problem.
    fingerprint : mapping of str to str
        As of `Problem`.
    old_fingerprint : callable
        What runs that were made before fingerprints had parts have as ``data_fingerprint``.
    sample_weight : numpy.ndarray
    groups : numpy.ndarray or None
    described : mapping
        Entries of ``run.json``: ``source``, ``n_samples``, ``feature_names``, ``notes`` and the names of the outputs among them.
    fit_view : callable, optional
        Fits a view in a further split into folds.
    files : mapping of str to callable
        Further npz files of the run, by name; each is made when the run folder is.
    """

    make: Callable[[Budget], Problem]
    fingerprint: Mapping[str, str]
    old_fingerprint: Callable[[], str]
    sample_weight: np.ndarray
    groups: np.ndarray | None
    described: Mapping[str, Any]
    fit_view: FitView | None = None
    files: Mapping[str, Callable[[], Mapping[str, np.ndarray]]] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """What messages call the data."""
        return f"{self.described['source']}: {self.described['n_samples']} samples"


@dataclass(frozen=True, eq=False)
class RunSettings:
    """What a user asked of a run.

    Attributes
    ----------
    path : str
    objective : Objective
    wanted : Wanted
        The searcher.
    asked : mapping
        Settings that must be the same where a run is resumed, as ``run.json`` has them.
    max_trials : int or None
        Those of a run that is resumed included.
    seed : int
    resume : bool
    replace_run : str or None
        Id of a run that may be overwritten.
    executor : str or type
        As in `check_executor`.
    executor_args : mapping
    best_alone : bool
        Deliver the best trial and no ensemble.
    label_smoothing : float or None
    described : mapping
        Further entries of ``run.json``.
    """

    path: str
    objective: Objective
    wanted: Wanted
    asked: Mapping[str, Any]
    max_trials: int | None
    seed: int
    resume: bool = False
    replace_run: str | None = None
    executor: Any = "local"
    executor_args: Mapping[str, Any] = field(default_factory=dict)
    best_alone: bool = False
    label_smoothing: float | None = None
    described: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_executor(self.executor, self.executor_args)


@interruptible
@within_cores
@single_precision()
@holding_lock(lambda prepared, settings, *_, **__: settings.path, make=True)
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
        return _fit_run(prepared, settings, make_searcher, budget, observer)


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
    if problem.further is not None:
        further = replace(problem.further, fit=prepared.fit_view, folder=folder)
        problem = replace(problem, further=further)
    seed, wanted = int(folder.settings["seed"]), settings.wanted
    arcs = find_arcs(wanted.arguments, problem, folder, budget, seed) if wanted.is_enas else ()
    method, searcher = method_of(problem), make_searcher(problem, arcs)
    gains = EnsembleGains(problem, settings.objective) if method.learns_gains else None
    recipe = SearchRecipe(
        problem, settings.objective, wanted.trainer_args, budget.time_limit, settings.label_smoothing
    )
    executor = make_executor(settings.executor, settings.executor_args, recipe)
    loop = SearchLoop(
        searcher,
        executor,
        TrialStore(folder),
        budget,
        seed,
        settings.max_trials,
        [*([observer] if observer is not None else []), DeliveryForecast(problem, budget)],
        method.pack_size(problem),
        method.packer(problem),
        gains,
        jobs_ahead(settings.executor_args, budget.time_limit, method, executor.slots),
    )
    with observer or nullcontext():
        found = loop.run(history)
    if history.ok() and len(found.history) == len(history) and found.reason == "trials":
        _say_nothing_was_left(folder, len(history), settings.max_trials)
    if isinstance(executor, LocalExecutor) and isinstance(executor.runner, PackedRunner):
        folder.record("searched", reason=found.reason, compilations=executor.runner.trainer.compilations)
    if not found.history.ok():
        if found.reason == "interrupted":
            raise KeyboardInterrupt
        raise SearchError(_nothing_trained(found.history, folder, wanted))
    return finish_run(
        folder,
        problem,
        found.history,
        settings.objective,
        found.reason,
        _delivery_time(budget, found.reason),
        settings.best_alone,
    )


def _delivery_time(budget: Budget, reason: str) -> DeliveryTime | None:
    """Who interrupts a search does not want to wait."""
    left = min(budget.remaining, _AFTER_INTERRUPT if reason == "interrupted" else math.inf)
    return None if math.isinf(left) else DeliveryTime(Deadline.after(left), budget.slowness())


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
        folder.write_arrays(name, make())
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


def resumed(prepared: Prepared, settings: RunSettings) -> tuple[RunFolder, Problem, History] | None:
    """The run to resume, or None to begin a new one.

    Raises
    ------
    RunFolderError
        If the run is of other data or settings; says which differ.
    """
    if not settings.resume or not RunFolder.exists(settings.path):
        return None
    folder = RunFolder(settings.path)
    if not has_problem(folder):
        return None
    _check_backbone(folder, prepared)
    other = _other_parts(folder, prepared)
    if other:
        held = f"{folder.settings.get('source')}: {folder.settings.get('n_samples')} samples"
        raise RunFolderError(
            f"cannot resume {str(folder.path)!r}: it was run with other {' and other '.join(other)} ({held}) than now "
            f"({prepared.words}). Resume with the same data, or give another path."
        )
    asked, kept = settings.asked, folder.settings["settings"]
    different = [
        f"{name}={asked[name]!r} (the run has {kept.get(name)!r})"
        for name in asked
        if asked[name] != kept.get(name)
    ]
    if different:
        raise RunFolderError(
            f"cannot resume {str(folder.path)!r} with other settings: {', '.join(different)}."
        )
    folder.record("resumed")
    return folder, read_problem(folder), _sound_history(folder)


def _sound_history(folder: RunFolder) -> History:
    """The trials of a run that goes on; damaged ones are left out, with a warning."""
    folder.tidy()
    store = TrialStore(folder)
    history, lines = store.history(whole=True), folder.damaged_lines()
    said = [f"lines of the journal are damaged: {', '.join(map(str, lines))}"] if lines else []
    tell_damage(folder, [*store.sayings(), *said], write=True)
    return history


def _check_backbone(folder: RunFolder, prepared: Prepared) -> None:
    held = folder.settings.get("backbone")
    if held != prepared.described.get("backbone"):
        what = "with another backbone" if held else "without a backbone"
        raise RunFolderError(
            f"{str(folder.path)!r} was run {what}. Resume with the same one, or give another path."
        )


def _other_parts(folder: RunFolder, prepared: Prepared) -> list[str]:
    """Which parts of the problem differ from those of the run."""
    held, now = read_fingerprint(folder), prepared.fingerprint
    if folder.settings.get("task", "classes") != prepared.described["task"]:
        return [f"task ({folder.settings.get('task', 'classes')} in place of {prepared.described['task']})"]
    if held:
        return [name for name in PARTS if held.get(name) != now[name]]
    other = [] if folder.settings.get("data_fingerprint") == prepared.old_fingerprint() else ["data"]
    weight, groups = folder.read_arrays("data.npz")["sample_weight"], read_groups(folder)
    if not np.array_equal(weight, prepared.sample_weight):
        other.append("sample_weight")
    none = np.empty(0)
    held_groups = none if groups is None else groups
    alike = np.array_equal(held_groups, none if prepared.groups is None else prepared.groups)
    return other if alike else [*other, "groups"]


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
