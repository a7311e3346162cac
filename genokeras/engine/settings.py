"""What a run is made of: data that were prepared, and what a user asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from genokeras.engine.budget import Budget
from genokeras.engine.callbacks import SearchCallback
from genokeras.engine.executors import check_executor
from genokeras.engine.problem import Problem
from genokeras.engine.searching import Wanted
from genokeras.engine.splits import FitView
from genokeras.tasks.objectives import Objective


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
        Further npz files of the run, by name; each is made when the run folder is, or not at all where there is no time (None).
    """

    make: Callable[[Budget], Problem]
    fingerprint: Mapping[str, str]
    old_fingerprint: Callable[[], str]
    sample_weight: np.ndarray
    groups: np.ndarray | None
    described: Mapping[str, Any]
    fit_view: FitView | None = None
    files: Mapping[str, Callable[[Budget], Mapping[str, np.ndarray] | None]] = field(default_factory=dict)

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
    memory : float or None
        Bytes that training and delivering may take beside the samples.
    keep : {"all", "best"}
        Whether trials without a share in what is delivered keep their weights.
    best_alone : bool
        Deliver the best trial and no ensemble.
    label_smoothing : float or None
    described : mapping
        Further entries of ``run.json``.
    callbacks : tuple of SearchCallback
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
    memory: float | None = None
    keep: str = "all"
    best_alone: bool = False
    label_smoothing: float | None = None
    described: Mapping[str, Any] = field(default_factory=dict)
    callbacks: tuple[SearchCallback, ...] = ()

    def __post_init__(self) -> None:
        check_executor(self.executor, self.executor_args)
