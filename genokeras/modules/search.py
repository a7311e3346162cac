"""The search of a module: settings, the one fold of training and test rows, the run folder, the loop."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from genokeras.encoders import ArrayEncoder
from genokeras.engine import Budget, SpatialProblem, write_problem
from genokeras.engine.fitted import versions
from genokeras.engine.options import check_limits, suggest
from genokeras.engine.progress import make_observer
from genokeras.engine.spatial_fit import network_runner, run_search, search_budget
from genokeras.engine.spatial_start import Fathers, make_spatial_searcher, network_settings
from genokeras.errors import ParameterError
from genokeras.modules.losses import Aim, loss_name
from genokeras.modules.metrics import check_objective, make_objective
from genokeras.modules.reading import Pairs
from genokeras.modules.run import ModuleRun, deliver_best, describe_metric
from genokeras.searchers import History, Searcher
from genokeras.support import RunFolder
from genokeras.training import NetworkSettings

_OWN_ARGUMENTS = ("max_trials", "default_model_len", "default_model_width")
_KNOWN_ARGUMENTS = (
    "trainer_args",
    *_OWN_ARGUMENTS,
    "search_type",
    "fathers",
    *("space", "factor", "most_rungs", "guide", "n_incumbents", "n_mutations"),
)
TEST_CHOOSES = "test_data chose among the networks and when to stop training each, so their score flatters: keep other rows for a fair one."


@dataclass(frozen=True)
class ModuleSettings:
    """What a user asked of ``fit``.

    Attributes
    ----------
    kind : str
        Of module.
    path : str
    loss, metric
        As they were given.
    time_limit : float or None
    searcher_args : mapping
    seed : int
    replace_run : str or None
        Id of a run that may be overwritten.
    verbose : bool
    """

    kind: str
    path: str
    loss: Any
    metric: Any
    time_limit: float | None
    searcher_args: Mapping[str, Any]
    seed: int
    replace_run: str | None
    verbose: bool

    def __post_init__(self) -> None:
        if "search_type" not in self.searcher_args:  # a searcher of one's own takes what it takes
            for name in self.searcher_args:
                if name not in _KNOWN_ARGUMENTS:
                    known = list(_KNOWN_ARGUMENTS)
                    raise ParameterError(f"unknown searcher_args {name!r}; {suggest(name, known)}")
        check_limits(None, self.max_trials, self.seed, self.time_limit)
        network_settings(self.searcher_args.get("trainer_args"))
        for name in ("default_model_len", "default_model_width"):
            value = self.searcher_args.get(name, 1)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise ParameterError(f"{name} must be a whole number of 1 or more, got {value!r}.")

    @property
    def max_trials(self) -> Any:
        return self.searcher_args.get("max_trials")

    def searcher(self, fathers: Fathers, problem: SpatialProblem) -> Searcher:
        """The searcher; ParameterError on arguments that nobody knows."""
        arguments = {name: v for name, v in self.searcher_args.items() if name not in _OWN_ARGUMENTS}
        return make_spatial_searcher("bayesian", arguments, fathers, problem)

    def training(self, aim: Aim) -> tuple[NetworkSettings, dict[str, int]]:
        """How networks are trained, and how many epochs at most."""
        return training_of(self.searcher_args.get("trainer_args"), aim.label_smoothing)


def training_of(
    trainer_args: Mapping[str, Any] | None, label_smoothing: float | None
) -> tuple[NetworkSettings, dict[str, int]]:
    """``network_settings`` with the loss' own label smoothing, where it has one."""
    training, epochs = network_settings(trainer_args)
    if label_smoothing is not None:
        training = replace(training, label_smoothing=label_smoothing)
    return training, epochs


def make_problem(encoder: ArrayEncoder, train: Pairs, test: Pairs, aim: Aim) -> SpatialProblem:
    """Training rows to train on, test rows to be scored on."""
    in_test = np.repeat([False, True], [len(train.x), len(test.x)])[None]
    return SpatialProblem(
        encoder,
        encoder.rows(np.concatenate([train.x, test.x])),
        np.concatenate([aim.train, aim.test]),
        aim.task,
        ~in_test,
        in_test,
        np.ones(in_test.shape[1]),
    )


def search_module(
    problem: SpatialProblem, aim: Aim, fathers: Fathers, settings: ModuleSettings, notes: tuple[str, ...]
) -> ModuleRun:
    """Search, and deliver the best network.

    Raises
    ------
    ParameterError
        If searcher, metric or trainer are asked for what they do not know; nothing was written then.
    RunFolderError
        If the path cannot be written or holds another run.
    SearchError
        If no trial could be trained.
    """
    budget = search_budget(settings.time_limit)
    objective = make_objective(settings.metric, aim.task)
    check_objective(objective, aim.task, aim.test)
    searcher = settings.searcher(fathers, problem)
    training, epochs = settings.training(aim)
    runner = network_runner(problem, objective, training, epochs, settings.time_limit, budget)
    metric = describe_metric(settings.metric, objective)
    folder = RunFolder.create(
        settings.path,
        {
            **_described(problem, settings, objective.name, notes),
            "metric": metric,
            "label_smoothing": aim.label_smoothing,
        },
        settings.replace_run,
    )
    write_problem(folder, problem)
    folder.record("started", seed=settings.seed, samples=len(problem.codes))
    observer = make_observer(int(settings.verbose), _seconds(budget), settings.max_trials, objective)
    found = run_search(folder, problem, History(), searcher, runner, budget, settings.max_trials, observer)
    return deliver_best(folder, problem, found.history, objective, found.reason)


def _seconds(budget: Budget) -> float | None:
    return budget.remaining if np.isfinite(budget.remaining) else None


def _described(
    problem: SpatialProblem, settings: ModuleSettings, objective: str, notes: tuple[str, ...]
) -> dict[str, Any]:
    """Entries of ``run.json``."""
    given = dict(settings.searcher_args)
    searcher = given.get("search_type", "bayesian")
    kept = {name: given[name] for name in _OWN_ARGUMENTS if name in given}
    with suppress(TypeError):
        kept["trainer_args"] = dict(given["trainer_args"]) if given.get("trainer_args") else {}
    return {
        "kind": settings.kind,
        "task": problem.task.kind,
        "settings": {"objective": objective, "searcher_args": kept},
        "loss": loss_name(settings.loss),
        "n_output_node": problem.task.n_outputs,
        "searcher": searcher if isinstance(searcher, str) else _class_name(searcher),
        "time_limit": settings.time_limit,
        "max_trials": settings.max_trials,
        "seed": settings.seed,
        "data_fingerprint": problem.fingerprint(),
        "n_samples": len(problem.codes),
        "feature_names": [],
        "groups": None,
        "notes": list(notes),
        "versions": versions(),
    }


def _class_name(searcher: Any) -> str:
    return searcher.__name__ if isinstance(searcher, type) else type(searcher).__name__
