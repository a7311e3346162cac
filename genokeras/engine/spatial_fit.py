"""``fit`` of sequences, images and texts step by step: settings, folds, run folder, search, delivery."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from genokeras.data import Folds
from genokeras.encoders import BackboneEncoder, Encoder, Rows
from genokeras.engine.budget import Budget
from genokeras.engine.executor import LocalExecutor
from genokeras.engine.fitted import versions
from genokeras.engine.loop import SearchLoop, SearchResult
from genokeras.engine.network_problem import (
    SpatialProblem,
    has_problem,
    read_problem,
    write_problem,
)
from genokeras.engine.network_run import SpatialRun, finish
from genokeras.engine.network_runner import NetworkRunner
from genokeras.engine.options import check_limits
from genokeras.engine.progress import Progress
from genokeras.engine.spatial_start import Aim, Fathers, make_spatial_searcher, network_settings
from genokeras.engine.store import TrialStore
from genokeras.errors import RunFolderError, SearchError
from genokeras.searchers import History, Searcher
from genokeras.support import RunFolder
from genokeras.tasks.objectives import Objective, get_objective
from genokeras.training import Allotment, NetworkSettings

# Seconds that a further trial must have at least: most of it goes into compiling the network.
_LEAST_SHARE, _LEAST_LOW, _LEAST_HIGH = 0.05, 1.0, 6.0
# The last scoring of a network comes behind its last step.
_SCORING_SHARE = 0.95
_RESERVE_SHARE, _RESERVE_LEAST, _RESERVE_MOST = 0.08, 2.0, 25.0


@dataclass(frozen=True)
class SpatialSettings:
    """What a user asked of ``fit``; see ``SequenceClassifier`` for the meaning of each."""

    path: str
    time_limit: float | None
    objective: str
    answers: str
    folds: int | None
    searcher: str | Searcher
    max_trials: int | None
    searcher_args: Mapping[str, Any]
    seed: int
    resume: bool
    replace_run: str | None

    def __post_init__(self) -> None:
        get_objective(self.objective, self.answers)
        check_limits(self.folds, self.max_trials, self.seed, self.time_limit)
        network_settings(self.searcher_args.get("trainer_args"))

    def budget(self) -> Budget:
        """The deadline, from now on."""
        return search_budget(self.time_limit)


def search_budget(time_limit: float | None) -> Budget:
    """The deadline of a search from now on, with what is reserved for its end."""
    if time_limit is None:
        return Budget(None)
    reserve = float(np.clip(_RESERVE_SHARE * time_limit, _RESERVE_LEAST, _RESERVE_MOST))
    least = float(np.clip(_LEAST_SHARE * time_limit, _LEAST_LOW, _LEAST_HIGH))
    return Budget(time_limit, min(reserve, 0.3 * time_limit), least=least)


@dataclass(frozen=True)
class SpatialFitData:
    """The training data of a run, encoded and split."""

    encoder: Encoder
    rows: Rows
    aim: Aim
    groups: np.ndarray | None
    folds: Folds
    fathers: Fathers
    source: str
    notes: tuple[str, ...]
    sample_weight: np.ndarray

    def problem(self) -> SpatialProblem:
        """The data as trials see them."""
        return SpatialProblem(
            self.encoder,
            self.rows,
            self.aim.targets,
            self.aim.task,
            self.folds.train,
            self.folds.held_out,
            self.sample_weight,
        )


def search_and_finish(
    data: SpatialFitData, settings: SpatialSettings, budget: Budget, observer: Progress | None = None
) -> SpatialRun:
    """Run the search and deliver.

    Raises
    ------
    RunFolderError
        If the path cannot be used.
    SearchError
        If no trial could be trained.
    KeyboardInterrupt
        If interrupted before the first trial was trained.
    """
    problem = data.problem()
    searcher = make_spatial_searcher(settings.searcher, settings.searcher_args, data.fathers, problem)
    folder, problem, history = _opened(data, problem, settings) or _created(data, problem, settings)
    runner = _runner(problem, settings, budget)
    limit = None if settings.max_trials is None else settings.max_trials + len(history)
    found = run_search(folder, problem, history, searcher, runner, budget, limit, observer)
    left = None if settings.time_limit is None else max(0.5, 0.3 * budget.remaining)
    return finish(folder, problem, found.history, found.reason, left)


def run_search(
    folder: RunFolder,
    problem: SpatialProblem,
    history: History,
    searcher: Searcher,
    runner: NetworkRunner,
    budget: Budget,
    limit: int | None,
    observer: Progress | None = None,
) -> SearchResult:
    """Search until the time or the trials are used up; at least one trial was trained then.

    Raises
    ------
    SearchError
        If no trial could be trained.
    KeyboardInterrupt
        If interrupted before the first trial was trained.
    """
    loop = SearchLoop(
        searcher,
        LocalExecutor(runner, budget.exhausted),
        TrialStore(folder),
        budget,
        int(folder.settings["seed"]),
        limit,
        [observer] if observer is not None else [],
        pack_size=1,
        widths=problem.widths,
    )
    with observer or nullcontext():
        found = loop.run(history)
    if not found.history.ok():
        if found.reason == "interrupted":
            raise KeyboardInterrupt
        failed = found.history.failed()
        last = f"The last one said:\n{failed[-1].error}" if failed else "The searcher proposed nothing."
        raise SearchError(
            f"none of the {len(failed)} trials could be trained; error.txt of each is in {folder.path / 'trials'}. {last}"
        )
    return found


def _runner(problem: SpatialProblem, settings: SpatialSettings, budget: Budget) -> NetworkRunner:
    training, epochs = network_settings(settings.searcher_args.get("trainer_args"))
    objective = get_objective(settings.objective)
    return network_runner(problem, objective, training, epochs, settings.time_limit, budget)


def network_runner(
    problem: SpatialProblem,
    objective: Objective,
    training: NetworkSettings,
    epochs: Mapping[str, int],
    time_limit: float | None,
    budget: Budget,
) -> NetworkRunner:
    """What trains the trials of a search.

    Parameters
    ----------
    problem : SpatialProblem
    objective : Objective
    training, epochs
        As of :func:`network_settings`.
    time_limit : float or None
        Seconds of the whole search.
    budget : Budget
    """
    rows = int(problem.train.sum(axis=1).max())
    allotment = Allotment(
        epoch=-(-rows // training.batch_of(rows)),
        time_limit=time_limit,
        members=problem.n_folds,
        **epochs,
    )
    return NetworkRunner(
        problem, objective, allotment, training, lambda: _SCORING_SHARE * budget.search_remaining
    )


def _created(
    data: SpatialFitData, problem: SpatialProblem, settings: SpatialSettings
) -> tuple[RunFolder, SpatialProblem, History]:
    content = _run_settings(data, problem, settings)
    folder = RunFolder.create(settings.path, content, settings.replace_run)
    write_problem(folder, problem)
    folder.record("started", seed=settings.seed, samples=len(problem.codes))
    return folder, problem, History()


def _opened(
    data: SpatialFitData, problem: SpatialProblem, settings: SpatialSettings
) -> tuple[RunFolder, SpatialProblem, History] | None:
    """The run to go on with, or None where a new one is due."""
    if not settings.resume or not RunFolder.exists(settings.path):
        return None
    folder = RunFolder(settings.path)
    held = folder.settings
    if held.get("backbone") != _backbone_of(data):
        raise RunFolderError(
            f"{str(folder.path)!r} was run {'with another backbone' if held.get('backbone') else 'without a backbone'}. "
            "Resume with the same one, or give another path."
        )
    if held.get("data_fingerprint") != problem.fingerprint():
        raise RunFolderError(
            f"{str(folder.path)!r} was run on other data ({held.get('source')}: {held.get('n_samples')} samples) than "
            f"{data.source} ({len(problem.codes)}). Resume with the same data, or give another path."
        )
    asked = _comparable(settings)
    different = [
        f"{name}={value!r} (the run has {held['settings'].get(name)!r})"
        for name, value in asked.items()
        if value != held["settings"].get(name)
    ]
    if different:
        raise RunFolderError(
            f"cannot resume {str(folder.path)!r} with other settings: {', '.join(different)}."
        )
    if not has_problem(folder):  # killed while it was being made: there is nothing to lose
        return _created(data, problem, replace(settings, replace_run=folder.run_id))
    folder.record("resumed")
    return folder, read_problem(folder), TrialStore(folder).history()


def _backbone_of(data: SpatialFitData) -> str | None:
    """A digest of the frozen network that reads the samples, or None."""
    return data.encoder.digest if isinstance(data.encoder, BackboneEncoder) else None


def _comparable(settings: SpatialSettings) -> dict[str, Any]:
    return {"objective": settings.objective, "folds": settings.folds}


def _run_settings(data: SpatialFitData, problem: SpatialProblem, settings: SpatialSettings) -> dict[str, Any]:
    groups: list[int] | None = None
    if data.groups is not None:
        groups = np.unique(data.groups, return_inverse=True)[1].tolist()
    named = isinstance(settings.searcher, str)
    return {
        "kind": data.encoder.reader.kind,
        "backbone": _backbone_of(data),
        "task": data.aim.task.kind,
        "settings": _comparable(settings),
        "searcher": settings.searcher if named else type(settings.searcher).__name__,
        "time_limit": settings.time_limit,
        "max_trials": settings.max_trials,
        "seed": int(settings.seed),
        "source": data.source,
        "data_fingerprint": problem.fingerprint(),
        "n_samples": len(problem.codes),
        **data.aim.described(),
        "feature_names": [],
        "groups": groups,
        "notes": list(data.notes),
        "versions": versions(),
    }
