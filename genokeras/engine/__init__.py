"""Runs: the problem, two ways to train, the loop, the budget, executors, the store, and what is delivered at the end."""

from genokeras.engine.budget import Budget, Deadline, search_budget
from genokeras.engine.callbacks import (
    FinalFitStart,
    SearchCallback,
    SearchStart,
    Watchers,
    search_callbacks,
)
from genokeras.engine.curves import history_table
from genokeras.engine.delivery import Delivery, OutOfFold, deliver, ensemble_out_of_fold
from genokeras.engine.executor import Executor, LocalExecutor, Recipe, Runner
from genokeras.engine.executors import EXECUTORS
from genokeras.engine.final_fit import AllRows, final_fit
from genokeras.engine.fit import fit_run
from genokeras.engine.graphs import LoadedGraph, load_graph, load_trial_graph
from genokeras.engine.growth import Growth, generations, growth_of, way_of
from genokeras.engine.jobs import Father, Job, Outcome
from genokeras.engine.loop import Observer, SearchLoop, SearchResult
from genokeras.engine.methods import Method, NetworkMethod, PackedMethod, method_of, row_trial
from genokeras.engine.network_runner import NetworkRunner
from genokeras.engine.packed_runner import PackedRunner
from genokeras.engine.pool import PoolExecutor, PoolSettings
from genokeras.engine.problem import Problem, ScoredRows
from genokeras.engine.problem_files import has_problem, read_problem, write_problem
from genokeras.engine.reopening import open_run
from genokeras.engine.run import Run, finish_run, read_record
from genokeras.engine.searching import Fathers, Wanted, make_network_searcher, make_table_searcher
from genokeras.engine.settings import Prepared, RunSettings
from genokeras.engine.showing import make_observer
from genokeras.engine.store import TrialStore
from genokeras.engine.tracking import MLflow, TensorBoard

__all__ = [
    "EXECUTORS",
    "AllRows",
    "Budget",
    "Deadline",
    "Delivery",
    "Executor",
    "Father",
    "Fathers",
    "FinalFitStart",
    "Growth",
    "Job",
    "LoadedGraph",
    "LocalExecutor",
    "MLflow",
    "Method",
    "NetworkMethod",
    "NetworkRunner",
    "Observer",
    "OutOfFold",
    "Outcome",
    "PackedMethod",
    "PackedRunner",
    "PoolExecutor",
    "PoolSettings",
    "Prepared",
    "Problem",
    "Recipe",
    "Run",
    "RunSettings",
    "Runner",
    "ScoredRows",
    "SearchCallback",
    "SearchLoop",
    "SearchResult",
    "SearchStart",
    "TensorBoard",
    "TrialStore",
    "Wanted",
    "Watchers",
    "deliver",
    "ensemble_out_of_fold",
    "final_fit",
    "finish_run",
    "fit_run",
    "generations",
    "growth_of",
    "has_problem",
    "history_table",
    "load_graph",
    "load_trial_graph",
    "make_network_searcher",
    "make_observer",
    "make_table_searcher",
    "method_of",
    "open_run",
    "read_problem",
    "read_record",
    "row_trial",
    "search_budget",
    "search_callbacks",
    "way_of",
    "write_problem",
]
