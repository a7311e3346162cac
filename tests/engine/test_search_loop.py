"""The loop: ask, submit, collect, record; failures are data, a failing search is an exception."""

from __future__ import annotations

import contextlib
import signal
from dataclasses import replace

import numpy as np
import pytest

from genokeras import HyperParameters, Proposal, SearchError
from genokeras.engine import (
    Budget,
    Deadline,
    Father,
    LocalExecutor,
    Observer,
    PackedRunner,
    Recipe,
    SearchLoop,
    TrialStore,
)
from genokeras.engine.packing import GraphPacker
from genokeras.engine.testing import ExecutorContract, linear_job, small_problem, small_runner
from genokeras.graph import Deepen, get_father
from genokeras.searchers import History, RandomSearcher, Searcher
from genokeras.support import RunFolder
from genokeras.tasks.classes import Classes
from genokeras.tasks.objectives import get_objective
from genokeras.training import TrainingSettings


class TestLocalExecutor(ExecutorContract):
    def make_executor(self, recipe: Recipe) -> LocalExecutor:
        return LocalExecutor(recipe)


class Recorder(Observer):
    def __init__(self, interrupt_after: int | None = None) -> None:
        self.seen: list[int] = []
        self.interrupt_after = interrupt_after

    def trying(self, proposals, history):
        if self.interrupt_after is not None and len(history) >= self.interrupt_after:
            raise KeyboardInterrupt

    def finished(self, outcomes, history):
        self.seen += [outcome.result.id for outcome in outcomes]


class Failing(Searcher):
    """Proposes networks on a view that does not exist."""

    def ask(self, history, n, rng):
        hyper = [HyperParameters(weight_decay=0.1 + len(history) + i, view="nowhere") for i in range(n)]
        return [Proposal(get_father("linear", 2), h) for h in hyper]


class Linear(Searcher):
    """Proposes linear networks, which train together."""

    def ask(self, history, n, rng):
        hyper = [HyperParameters(weight_decay=0.1 + len(history) + i) for i in range(n)]
        return [Proposal(get_father("linear", 2), h) for h in hyper]


def loop(tmp_path, searcher, observer=None, **arguments) -> SearchLoop:
    store = TrialStore(RunFolder.create(tmp_path / "run", {}))
    executor = LocalExecutor(small_runner)
    observers = [observer] if observer else []
    return SearchLoop(
        searcher,
        executor,
        store,
        Budget(arguments.pop("time_limit", None)),
        0,
        observers=observers,
        **arguments,
    )


def test_it_stops_at_max_trials_and_tells_observers_of_each(tmp_path):
    recorder = Recorder()
    result = loop(tmp_path, RandomSearcher(2), recorder, max_trials=7).run(History())
    assert result.reason == "trials"
    assert recorder.seen == [trial.id for trial in result.history]
    assert sorted(recorder.seen) == list(range(7))


def test_it_stops_when_the_space_is_exhausted(tmp_path):
    class Once(Searcher):
        def ask(self, history, n, rng):
            return [] if len(history) else [Proposal(get_father("linear", 2), HyperParameters())]

    result = loop(tmp_path, Once(), max_trials=50).run(History())
    assert (result.reason, len(result.history)) == ("space", 1)


def test_out_of_time_still_trains_the_first_job(tmp_path):
    result = loop(tmp_path, RandomSearcher(2), time_limit=1e-6).run(History())
    assert result.reason == "time"
    assert result.history.ok()


def test_the_last_job_is_as_large_as_there_is_time_for(tmp_path, monkeypatch):
    shares = iter([1.0, 0.5, 0.0])
    monkeypatch.setattr(Budget, "affordable_share", lambda self, *begins: next(shares))
    result = loop(tmp_path, Linear(), pack_size=6).run(History())
    assert (result.reason, len(result.history)) == ("time", 6 + 6 + 3)
    # What was left of it is trained where the run goes on.
    monkeypatch.undo()
    store = TrialStore(RunFolder(tmp_path / "run"))
    again = SearchLoop(Linear(), LocalExecutor(small_runner), store, Budget(None), 0, max_trials=18)
    assert sorted(trial.id for trial in again.run(store.history()).history) == list(range(18))


def test_what_there_was_no_time_for_is_no_failure(tmp_path, monkeypatch):
    # The slower a machine, the longer compiling takes: linear models are fitted without it, and nothing else is.
    monkeypatch.setattr("genokeras.engine.packed_runner.measured_slowness", lambda: 1e6)
    monkeypatch.setattr(Deadline, "passed", lambda self: True)
    result = loop(tmp_path, RandomSearcher(2), time_limit=600, max_trials=2).run(History())
    assert result.history.ok() and all(trial.status == "ok" for trial in result.history)
    assert not list((tmp_path / "run" / "trials").glob("*/error.txt"))


def test_ctrl_c_keeps_the_trials_so_far(tmp_path):
    result = loop(tmp_path, RandomSearcher(2), Recorder(interrupt_after=6), max_trials=50).run(History())
    assert result.reason == "interrupted"
    assert len(result.history) >= 6


def test_ctrl_c_counts_where_python_drops_the_exception(tmp_path):
    class Dropping(Recorder):
        def trying(self, proposals, history):
            with contextlib.suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)

    # A shell that runs the tests in its background hands down that Ctrl-C is ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        result = loop(tmp_path, RandomSearcher(2), Dropping(), max_trials=50).run(History())
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert result.reason == "interrupted"
    assert 1 <= len(result.history) < 50


def test_many_failures_in_a_row_end_the_search_with_the_last_cause(tmp_path):
    with pytest.raises(SearchError, match=r"(?s)the last 12 trials failed.*nowhere"):
        loop(tmp_path, Failing(), max_trials=100).run(History())
    assert len(list((tmp_path / "run" / "trials").glob("*/error.txt"))) == 12


def test_proposals_of_one_graph_share_a_job_and_keep_their_ids():
    linear, mlp = get_father("linear", 2), get_father("mlp", 2)
    hypers = [HyperParameters(weight_decay=d) for d in (0.1, 0.2, 0.3)]
    proposals = [Proposal(linear, hypers[0]), Proposal(mlp, hypers[1]), Proposal(linear, hypers[2])]
    jobs = GraphPacker(6).jobs(proposals, 5)
    assert [job.ids for job in jobs] == [(5, 7), (6,)]


def test_a_child_that_is_not_shrunk_starts_from_what_its_father_computes(monkeypatch):
    """Fold member by fold member: at learning rate ~0 the child's out-of-fold predictions are its father's."""
    monkeypatch.setattr("genokeras.engine.outcomes.SHRINK", 1.0)
    monkeypatch.setattr("genokeras.engine.outcomes.PERTURB", 0.0)
    runner = small_runner(small_problem(p=60))
    father = Proposal(get_father("mlp", 2), HyperParameters(dropout=0.0, learning_rate=0.01))
    trained = runner.run(GraphPacker(6).jobs([father], 0)[0], Deadline())[0]
    site = Deepen.sites(father.graph)[0]
    graph, _ = site.apply(father.graph, None, np.random.default_rng(0))
    child = Proposal(graph, HyperParameters(dropout=0.0, learning_rate=1e-12), father=0, morphisms=(site,))
    job = GraphPacker(6).jobs([child], 1)[0]
    inherited = runner.run(replace(job, fathers=(_father(trained),)), Deadline())[0]
    np.testing.assert_allclose(inherited.answers, trained.answers, atol=1e-5)


def _father(outcome):
    return Father(outcome.result.proposal.graph, outcome.weights)


@pytest.mark.parametrize("solves", [True, False])
def test_held_out_rows_do_not_touch_the_members_that_are_scored_on_them(monkeypatch, solves):
    """Labels of fold 0's held-out rows flipped: fold 0's members stay the same, bit for bit, but for how strong a decay they have."""
    monkeypatch.setattr(Classes, "solves_linear", lambda self, n_samples, width: solves)
    monkeypatch.setattr(Classes, "solved_decays", lambda self, n_samples, width: (0.1,))
    problem = small_problem()
    flipped = np.where(problem.held_out[0], 1 - problem.targets, problem.targets)
    changed = replace(problem, targets=flipped)
    job = linear_job(0, 0.1)
    last = TrainingSettings(max_steps=10, keep_last=True, loss=problem.task)
    a, b = (
        PackedRunner(p, get_objective("log_loss"), last).run(job, Deadline())[0] for p in (problem, changed)
    )
    for layer in a.weights:
        np.testing.assert_array_equal(a.weights[layer]["kernel"][0], b.weights[layer]["kernel"][0])
        assert not np.array_equal(a.weights[layer]["kernel"][1], b.weights[layer]["kernel"][1])
