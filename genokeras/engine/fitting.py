"""``fit`` step by step: data, folds, run folder, search, delivery."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from genokeras.data import (
    Dataset,
    Folds,
    Labels,
    align_features,
    check_sample_weight,
    encode_known_labels,
    encode_labels,
    holdout_folds,
    load_dataset,
    make_folds,
    require_labels,
)
from genokeras.engine.arcs import NAME as ENAS
from genokeras.engine.arcs import find_arcs
from genokeras.engine.budget import Budget
from genokeras.engine.executor import Executor, LocalExecutor
from genokeras.engine.fitted import FittedRun, data_fingerprint, finish, versions
from genokeras.engine.large import chosen_folds, one_hold_out, scaled_training, views_to_fit
from genokeras.engine.loop import SearchLoop
from genokeras.engine.options import check_limits, make_searcher, training_settings
from genokeras.engine.packed_runner import JobRunner
from genokeras.engine.problem import Problem, make_problem
from genokeras.engine.progress import Progress
from genokeras.engine.store import TrialStore
from genokeras.errors import ParameterError, RunFolderError, SearchError
from genokeras.features import available_views
from genokeras.graph.arcs import Arc
from genokeras.searchers import History, Searcher
from genokeras.support import RunFolder
from genokeras.tasks.objectives import get_objective
from genokeras.training import TrainingSettings

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FitSettings:
    """What a user asked of ``fit``; see ``GenomeClassifier`` for the meaning of each."""

    path: str
    time_limit: float | None
    objective: str
    folds: int | None
    searcher: str | Searcher
    max_trials: int | None
    searcher_args: Mapping[str, Any]
    executor: str
    missing: str
    seed: int
    resume: bool
    replace_run: str | None

    def __post_init__(self) -> None:
        get_objective(self.objective)
        training_settings(self.searcher_args.get("trainer_args"))
        make_searcher(self.searcher, self.searcher_args, 2, ("all",))
        if self.executor != "local":
            raise ParameterError(f"executor must be 'local', got {self.executor!r}.")
        if self.missing not in ("error", "median"):
            raise ParameterError(f"missing must be 'error' or 'median', got {self.missing!r}.")
        check_limits(self.folds, self.max_trials, self.seed, self.time_limit)


@dataclass(frozen=True)
class FitData:
    """The training data of a run, encoded and split."""

    dataset: Dataset
    labels: Labels
    folds: Folds
    sample_weight: np.ndarray | None
    notes: tuple[str, ...]


def load_fit_data(
    x: Any,
    y: Any,
    settings: FitSettings,
    groups: Any = None,
    sample_weight: Any = None,
    validation_data: tuple[Any, Any] | None = None,
) -> FitData:
    """Read, check, encode and split what ``fit`` was given."""
    dataset = load_dataset(x, y, groups=groups, missing=settings.missing)  # type: ignore[arg-type]
    labels = encode_labels(require_labels(dataset), dataset.source)
    if validation_data is None:
        folds = _split(dataset, labels, settings)
    else:
        dataset, labels, folds = _with_validation(dataset, labels, validation_data, settings)
    weight = _checked_weight(sample_weight, dataset, folds, validation_data is not None)
    return FitData(dataset, labels, folds, weight, (*dataset.notes, *folds.notes))


def _split(dataset: Dataset, labels: Labels, settings: FitSettings) -> Folds:
    names = [str(name) for name in labels.classes]
    folds = chosen_folds(settings.folds, dataset.n_samples)
    if folds is not None:
        return make_folds(labels.codes, folds, groups=dataset.groups, seed=settings.seed, class_names=names)
    split = one_hold_out(labels.codes, dataset.groups, settings.seed, names)
    for note in split.notes:
        _logger.info("%s: %s", dataset.source, note)
    return split


def _with_validation(
    dataset: Dataset, labels: Labels, validation_data: tuple[Any, Any], settings: FitSettings
) -> tuple[Dataset, Labels, Folds]:
    """Validation rows behind the training rows: one fold, which trains on the first and is scored on the second."""
    if not isinstance(validation_data, tuple | list) or len(validation_data) != 2:
        raise ParameterError("validation_data must be a pair (x_val, y_val).")
    held = load_dataset(*validation_data, missing=settings.missing)  # type: ignore[arg-type]
    held = align_features(held, dataset.feature_names)
    codes = encode_known_labels(require_labels(held), labels.classes, held.source)
    parts: list[Any] = [dataset.x, held.x]
    stacked = sparse.vstack(parts, format="csr") if any(map(sparse.issparse, parts)) else np.vstack(parts)
    both = replace(
        dataset,
        x=stacked,
        sample_ids=(*dataset.sample_ids, *held.sample_ids),
        y=np.concatenate([np.asarray(dataset.y), np.asarray(held.y)]),
        groups=None,
    )
    folds = holdout_folds(dataset.n_samples, held.n_samples)
    return both, Labels(labels.classes, np.concatenate([labels.codes, codes])), folds


def _checked_weight(
    sample_weight: Any, dataset: Dataset, folds: Folds, validation: bool
) -> np.ndarray | None:
    if sample_weight is None:
        return None
    expected = int(folds.train.any(axis=0).sum()) if validation else dataset.n_samples
    weight = check_sample_weight(sample_weight, expected)
    return np.concatenate([weight, np.ones(dataset.n_samples - expected)])


def search_and_finish(
    data: FitData, settings: FitSettings, budget: Budget, observer: Progress | None = None
) -> FittedRun:
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
    folder, problem, history = _opened(data, settings) or _created(data, settings)
    store = TrialStore(folder)
    training = _training(settings, problem)
    executor = make_executor(settings, problem, training, budget)
    views = tuple(problem.views)
    seed = int(folder.settings["seed"])
    arcs: tuple[Arc, ...] = ()
    if settings.searcher == ENAS:
        arcs = find_arcs(settings.searcher_args, problem, folder, budget, seed)
    searcher = make_searcher(settings.searcher, settings.searcher_args, problem.n_classes, views, arcs)
    observers = [observer] if observer is not None else []
    limit = None if settings.max_trials is None else settings.max_trials + len(history)
    loop = SearchLoop(
        searcher, executor, store, budget, seed, limit, observers, problem.pack_size, problem.widths
    )
    with observer or nullcontext():
        found = loop.run(history)
    if not found.history.ok():
        if found.reason == "interrupted":
            raise KeyboardInterrupt
        raise SearchError(_nothing_trained(found.history, folder, settings))
    groups = data.dataset.groups
    left = None if settings.time_limit is None else max(0.5, 0.45 * budget.remaining)
    numbers_of = None if groups is None else np.unique(groups, return_inverse=True)[1]
    return finish(folder, problem, found.history, seed, numbers_of, found.reason, left)


def _training(settings: FitSettings, problem: Problem) -> TrainingSettings:
    given = settings.searcher_args.get("trainer_args") or {}
    return scaled_training(
        training_settings(given), problem.train, problem.held_out, steps_given="max_iter_num" in given
    )


def make_executor(
    settings: FitSettings, problem: Problem, training: TrainingSettings, budget: Budget
) -> Executor:
    """The executor by name."""
    runner = JobRunner(problem, get_objective(settings.objective), training)
    return LocalExecutor(runner, budget.exhausted)


def _nothing_trained(history: History, folder: RunFolder, settings: FitSettings) -> str:
    failed = history.failed()
    if not failed:
        return f"the searcher {settings.searcher!r} proposed nothing to train."
    return (
        f"none of the {len(failed)} trials could be trained; error.txt of each is in {folder.path / 'trials'}. "
        f"The last one said:\n{failed[-1].error}"
    )


def _created(data: FitData, settings: FitSettings) -> tuple[RunFolder, Problem, History]:
    folder = RunFolder.create(settings.path, _run_settings(data, settings), settings.replace_run)
    dataset = data.dataset
    problem = make_problem(
        dataset.x,
        data.labels.codes,
        data.labels.n_classes,
        data.folds.train,
        data.folds.held_out,
        available_views(
            dataset.n_features,
            views_to_fit(dataset.n_samples, settings.searcher_args),
            n_samples=dataset.n_samples,
        ),
        data.sample_weight,
        dataset.medians,
    )
    TrialStore(folder).write_problem(problem)
    folder.record("started", seed=settings.seed, samples=dataset.n_samples, features=dataset.n_features)
    return folder, problem, History()


def _opened(data: FitData, settings: FitSettings) -> tuple[RunFolder, Problem, History] | None:
    """The run to go on with, or None where a new one is due."""
    from_scratch = not settings.resume or not RunFolder.exists(settings.path)
    if from_scratch:
        return None
    folder = RunFolder(settings.path)
    expected, found = folder.settings["data_fingerprint"], data_fingerprint(data.dataset, data.labels.codes)
    if expected != found:
        raise RunFolderError(
            f"{str(folder.path)!r} was run on other data ({folder.settings['source']}: {folder.settings['n_samples']} samples "
            f"x {len(folder.settings['feature_names'])} features) than {data.dataset.source} "
            f"({data.dataset.n_samples} x {data.dataset.n_features}). Resume with the same data, or give another path."
        )
    asked, held = _comparable(settings, data), folder.settings["settings"]
    different = [
        f"{name}={asked[name]!r} (the run has {held[name]!r})" for name in asked if asked[name] != held[name]
    ]
    if different:
        raise RunFolderError(
            f"cannot resume {str(folder.path)!r} with other settings: {', '.join(different)}."
        )
    store = TrialStore(folder)
    if not folder.has("features.npz"):  # killed while it was being made: there is nothing to lose
        return _created(data, replace(settings, replace_run=folder.run_id))
    folder.record("resumed")
    return folder, store.read_problem(), store.history()


def _comparable(settings: FitSettings, data: FitData) -> dict[str, Any]:
    folds = chosen_folds(settings.folds, data.dataset.n_samples)
    asked = None if folds is None else int(folds)
    return {"objective": settings.objective, "folds": asked, "missing": settings.missing}


def _run_settings(data: FitData, settings: FitSettings) -> dict[str, Any]:
    groups: Sequence[int] | None = None
    if data.dataset.groups is not None:
        groups = np.unique(data.dataset.groups, return_inverse=True)[1].tolist()
    return {
        "settings": _comparable(settings, data),
        "searcher": settings.searcher
        if isinstance(settings.searcher, str)
        else type(settings.searcher).__name__,
        "time_limit": settings.time_limit,
        "max_trials": settings.max_trials,
        "seed": int(settings.seed),
        "source": data.dataset.source,
        "data_fingerprint": data_fingerprint(data.dataset, data.labels.codes),
        "n_samples": data.dataset.n_samples,
        "classes": data.labels.classes.tolist(),
        "class_counts": data.labels.counts.tolist(),
        "feature_names": list(data.dataset.feature_names),
        "names_given": data.dataset.names_given,
        "groups": groups,
        "notes": list(data.notes),
        "versions": versions(),
    }
