"""Runs: the loop, the budget, executors, the run folder, and what is delivered at the end."""

from genokeras.runs.budget import Budget
from genokeras.runs.delivery import (
    Delivery,
    OutOfFold,
    deliver,
    ensemble_model,
    ensemble_out_of_fold,
    is_linear,
    trained_trial,
)
from genokeras.runs.executor import Executor, LocalExecutor
from genokeras.runs.fitted import FittedRun, finish, open_run
from genokeras.runs.folder import RunFolder
from genokeras.runs.graphs import LoadedGraph, load_graph, load_trial_graph
from genokeras.runs.jobs import Father, Job, Outcome
from genokeras.runs.loop import Observer, SearchLoop, SearchResult
from genokeras.runs.problem import Problem, ScoredRows, make_problem
from genokeras.runs.runner import JobRunner
from genokeras.runs.store import TrialStore

__all__ = [
    "Budget",
    "Delivery",
    "Executor",
    "Father",
    "FittedRun",
    "Job",
    "JobRunner",
    "LoadedGraph",
    "LocalExecutor",
    "Observer",
    "OutOfFold",
    "Outcome",
    "Problem",
    "RunFolder",
    "ScoredRows",
    "SearchLoop",
    "SearchResult",
    "TrialStore",
    "deliver",
    "ensemble_model",
    "ensemble_out_of_fold",
    "finish",
    "is_linear",
    "load_graph",
    "load_trial_graph",
    "make_problem",
    "open_run",
    "trained_trial",
]
