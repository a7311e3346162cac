"""The search of a module: settings, the one fold of training and test rows, the run folder, the loop."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from genokeras.encoders import ArrayEncoder
from genokeras.engine import (
    Fathers,
    NetworkMethod,
    Prepared,
    Problem,
    Run,
    RunSettings,
    Wanted,
    fit_run,
    make_network_searcher,
    make_observer,
)
from genokeras.engine.problem import fingerprint_of, rows_digest
from genokeras.estimators.checks import check_limits
from genokeras.modules.losses import ModuleTask, loss_name
from genokeras.modules.metrics import check_objective, describe_metric, make_objective
from genokeras.modules.reading import Pairs
from genokeras.support.checks import check_choice, check_whole

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
        if "search_type" not in self.searcher_args:  # a custom searcher takes what it takes
            for name in self.searcher_args:
                check_choice(name, "a name in searcher_args", _KNOWN_ARGUMENTS)
        check_limits(None, self.max_trials, self.seed, self.time_limit)
        NetworkMethod().check(self.searcher_args.get("trainer_args"))
        for name in ("default_model_len", "default_model_width"):
            check_whole(self.searcher_args.get(name, 1), name)

    @property
    def max_trials(self) -> Any:
        return self.searcher_args.get("max_trials")

    @property
    def wanted(self) -> Wanted:
        """The searcher that was asked for."""
        arguments = {name: v for name, v in self.searcher_args.items() if name not in _OWN_ARGUMENTS}
        return Wanted.of("bayesian", arguments, self.time_limit)


def prepare(
    encoder: ArrayEncoder, train: Pairs, test: Pairs, aim: ModuleTask, notes: tuple[str, ...]
) -> Prepared:
    """Training rows to train on, test rows to be scored on."""
    in_test = np.repeat([False, True], [len(train.x), len(test.x)])[None]
    rows = encoder.rows(np.concatenate([train.x, test.x]))
    targets, weight = np.concatenate([aim.train, aim.test]), np.ones(in_test.shape[1])
    fingerprint = fingerprint_of(rows_digest(rows), targets, weight, None)
    problem = Problem(targets, in_test, weight, encoder, rows, aim.task, ~in_test, fingerprint=fingerprint)
    described = {
        "task": aim.task.kind,
        "source": train.name,
        "n_samples": len(targets),
        "feature_names": [],
        "notes": list(notes),
    }
    return Prepared(lambda _: problem, fingerprint, lambda: "", weight, None, described)


def search_module(prepared: Prepared, aim: ModuleTask, fathers: Fathers, settings: ModuleSettings) -> Run:
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
    budget = NetworkMethod().budget(settings.time_limit)
    objective = make_objective(settings.metric, aim.task)
    check_objective(objective, aim.task, aim.test)
    wanted = settings.wanted
    run = RunSettings(
        path=settings.path,
        objective=objective,
        wanted=wanted,
        asked={"objective": objective.name, "searcher_args": _kept(settings.searcher_args)},
        max_trials=settings.max_trials,
        seed=settings.seed,
        replace_run=settings.replace_run,
        best_alone=True,
        label_smoothing=aim.label_smoothing,
        described={
            "kind": settings.kind,
            "loss": loss_name(settings.loss),
            "n_output_node": aim.task.n_outputs,
            "metric": describe_metric(settings.metric, objective),
            "label_smoothing": aim.label_smoothing,
            "time_limit": settings.time_limit,
        },
    )
    seconds = budget.remaining if np.isfinite(budget.remaining) else None
    observer = make_observer(int(settings.verbose), seconds, settings.max_trials, objective)
    return fit_run(
        prepared, run, lambda problem, arcs: make_network_searcher(wanted, fathers, problem), budget, observer
    )


def _kept(searcher_args: Mapping[str, Any]) -> dict[str, Any]:
    """Those arguments that a module gets again when its run is loaded."""
    kept = {name: searcher_args[name] for name in _OWN_ARGUMENTS if name in searcher_args}
    with suppress(TypeError):
        kept["trainer_args"] = dict(searcher_args.get("trainer_args") or {})
    return kept
