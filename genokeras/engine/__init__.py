"""Runs: problem, runners, loop, budget, executors, store, and what is delivered at the end."""

from genokeras.engine.budget import Budget
from genokeras.engine.delivery import (
    Delivery,
    OutOfFold,
    deliver,
    ensemble_model,
    ensemble_out_of_fold,
    is_linear,
    trained_trial,
)
from genokeras.engine.executor import Executor, LocalExecutor
from genokeras.engine.fitted import FittedRun
from genokeras.engine.graphs import LoadedGraph, load_graph, load_trial_graph
from genokeras.engine.jobs import Father, Job, Outcome
from genokeras.engine.loop import Observer, SearchLoop, SearchResult
from genokeras.engine.network_problem import (
    SpatialProblem,
    has_problem,
    read_problem,
    split,
    split_plainly,
    write_problem,
)
from genokeras.engine.network_run import (
    LoadedNetwork,
    SpatialRun,
    finish,
    load_network,
    open_run,
    trained_network,
)
from genokeras.engine.network_runner import NetworkRunner
from genokeras.engine.packed_runner import JobRunner
from genokeras.engine.problem import Problem, ScoredRows, make_problem
from genokeras.engine.store import TrialStore

__all__ = [
    "Budget",
    "Delivery",
    "Executor",
    "Father",
    "FittedRun",
    "Job",
    "JobRunner",
    "LoadedGraph",
    "LoadedNetwork",
    "LocalExecutor",
    "NetworkRunner",
    "Observer",
    "OutOfFold",
    "Outcome",
    "Problem",
    "ScoredRows",
    "SearchLoop",
    "SearchResult",
    "SpatialProblem",
    "SpatialRun",
    "TrialStore",
    "deliver",
    "ensemble_model",
    "ensemble_out_of_fold",
    "finish",
    "has_problem",
    "is_linear",
    "load_graph",
    "load_network",
    "load_trial_graph",
    "make_problem",
    "open_run",
    "read_problem",
    "split",
    "split_plainly",
    "trained_network",
    "trained_trial",
    "write_problem",
]
