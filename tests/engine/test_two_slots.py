"""An executor with two slots: the loop keeps both busy, and loses and repeats nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genokeras import HyperParameters, Proposal, SearchError
from genokeras.engine import Budget, Job, Observer, Outcome, Recipe, TrialStore
from genokeras.engine.testing import ExecutorContract
from genokeras.graph import get_father
from genokeras.searchers import BayesianSearcher, History, RandomSearcher, Searcher
from genokeras.support import RunFolder
from tests.engine.fakes import FakeRunner, ThreadExecutor, make_loop


class TestThreadExecutor(ExecutorContract):
    def make_executor(self, recipe: Recipe) -> ThreadExecutor:
        return ThreadExecutor(recipe())


class Meeting:
    """Lets the first jobs end only once two of them run at the same time."""

    def __init__(self) -> None:
        self.barrier = threading.Barrier(2, timeout=30)

    def __call__(self, job: Job) -> None:
        if job.ids[0] < 3:
            self.barrier.wait()


def journal(folder: Path) -> list[int]:
    return [event["trial"] for event in RunFolder(folder).journal() if event["event"] == "trial"]


def search(folder: Path, searcher: Searcher | None = None, **arguments):
    runner = FakeRunner(arguments.pop("before", None))
    executor = ThreadExecutor(runner, arguments.pop("slots", 2))
    loop = make_loop(folder, searcher or RandomSearcher(2), executor, pack_size=2, **arguments)
    return loop.run(History()), runner, executor


def test_two_jobs_run_at_the_same_time(tmp_path):
    result, runner, _ = search(tmp_path / "run", before=Meeting(), max_trials=8)
    assert runner.most_running == 2
    assert not result.history.failed()


def test_no_more_jobs_run_than_there_are_slots(tmp_path):
    _, runner, _ = search(tmp_path / "run", max_trials=40, slots=3)
    assert 1 <= runner.most_running <= 3


def test_every_trial_has_its_own_id_and_a_line_in_the_journal(tmp_path):
    result, _, _ = search(tmp_path / "run", max_trials=30)
    ids = [trial.id for trial in result.history]
    assert sorted(ids) == list(range(30))
    assert journal(tmp_path / "run") == ids
    assert [trial.id for trial in TrialStore(RunFolder(tmp_path / "run")).history()] == list(range(30))


@pytest.mark.parametrize("most", [1, 2, 5, 9])
def test_no_more_trials_are_trained_than_were_asked_for(tmp_path, most):
    result, runner, _ = search(tmp_path / "run", max_trials=most)
    assert result.reason == "trials"
    assert len(result.history) == most == sum(len(job.ids) for job in runner.jobs)


@pytest.mark.parametrize("kind", [RandomSearcher, BayesianSearcher])
def test_nothing_is_tried_twice_while_it_is_being_trained(tmp_path, kind):
    result, _, _ = search(tmp_path / "run", kind(2), max_trials=40)
    assert len(result.history.fingerprints()) == len(result.history) == 40


def test_a_searcher_is_shown_running_trials_as_no_one_s_father(tmp_path):
    seen: list[tuple[int, ...]] = []

    class Watching(RandomSearcher):
        def ask(self, history: History, n: int, rng: np.random.Generator) -> list[Proposal]:
            assert not history.failed()
            seen.append(tuple(trial.id for trial in history.running()))
            return super().ask(history, n, rng)

    result, _, _ = search(tmp_path / "run", Watching(2), before=Meeting(), max_trials=8)
    assert seen[:2] == [(), (0, 1)]
    assert len(result.history.ok()) == 8


def test_children_inherit_from_fathers_that_came_back(tmp_path):
    result, runner, _ = search(tmp_path / "run", RandomSearcher(2, inherit=True, fresh=0.0), max_trials=70)
    grown = [job for job in runner.jobs if job.proposals[0].father is not None]
    same_view = [
        job
        for job in grown
        if result.history.get(job.proposals[0].father).proposal.hyper.view == job.proposals[0].hyper.view
    ]
    assert same_view
    assert all(job.fathers[0] is not None for job in same_view)
    assert all(job.proposals[0].father < min(job.ids) for job in grown)


def test_a_slow_job_does_not_hold_up_the_others(tmp_path):
    release = threading.Event()

    class Releasing(Observer):
        def trying(self, proposals, history) -> None:
            pass

        def finished(self, outcomes: list[Outcome], history: History) -> None:
            if len(history) >= 8:
                release.set()

    def slow(job: Job) -> None:
        if 0 in job.ids:
            assert release.wait(30)

    result, _, _ = search(tmp_path / "run", before=slow, max_trials=12, observers=[Releasing()])
    order = [trial.id for trial in result.history]
    assert order.index(0) >= 8
    assert journal(tmp_path / "run") == order


def test_jobs_that_are_running_when_trials_run_out_are_waited_for(tmp_path):
    result, _, executor = search(tmp_path / "run", before=Meeting(), max_trials=4)
    assert len(result.history) == 4
    assert executor.closed


def test_ctrl_c_keeps_what_came_back_and_closes_the_executor(tmp_path):
    class Interrupting(Observer):
        def trying(self, proposals, history) -> None:
            pass

        def finished(self, outcomes, history: History) -> None:
            if len(history) >= 4:
                raise KeyboardInterrupt

    result, _, executor = search(tmp_path / "run", observers=[Interrupting()], max_trials=50)
    assert result.reason == "interrupted"
    assert 4 <= len(result.history) < 50
    assert journal(tmp_path / "run") == [trial.id for trial in result.history]
    assert executor.closed


def test_out_of_time_the_first_job_is_trained_and_no_second(tmp_path):
    result, runner, _ = search(tmp_path / "run", budget=Budget(1e-6))
    assert result.reason == "time"
    assert len(runner.jobs) == 1 and len(result.history) == len(runner.jobs[0].ids)


def test_every_job_is_told_when_the_search_ends(tmp_path):
    _, runner, _ = search(tmp_path / "run", budget=Budget(600, reserve=100), max_trials=6)
    assert all(490 < deadline.left <= 500 for deadline in runner.deadlines)


def test_a_job_that_fails_is_a_result_like_any_other(tmp_path):
    def fail(job: Job) -> None:
        if 2 in job.ids:
            raise ValueError("no luck")

    result, _, _ = search(tmp_path / "run", before=fail, max_trials=10)
    failed = result.history.failed()
    assert 2 in [trial.id for trial in failed] and len(result.history) == 10
    assert "no luck" in (tmp_path / "run" / "trials" / "000002" / "error.txt").read_text()


def test_many_failures_end_the_search_from_either_slot(tmp_path):
    def fail(job: Job) -> None:
        raise ValueError("no luck")

    with pytest.raises(SearchError, match=r"(?s)the last 12 trials failed.*no luck"):
        search(tmp_path / "run", before=fail, max_trials=100)


def test_an_empty_space_ends_the_search_once_all_jobs_are_back(tmp_path):
    class Thrice(Searcher):
        def ask(self, history: History, n: int, rng: np.random.Generator) -> list[Proposal]:
            decays = (0.1, 0.2, 0.3)[len(history) : len(history) + n]
            return [
                Proposal(get_father("linear", 2), HyperParameters(weight_decay=decay)) for decay in decays
            ]

    result, _, _ = search(tmp_path / "run", Thrice(), max_trials=50)
    assert (result.reason, len(result.history)) == ("space", 3)


def test_a_resumed_search_goes_on_with_new_ids(tmp_path):
    first, _, _ = search(tmp_path / "run", max_trials=6)
    store = TrialStore(RunFolder(tmp_path / "run"))
    executor = ThreadExecutor(FakeRunner())
    again = type(make_loop(tmp_path / "other", RandomSearcher(2), executor))(
        RandomSearcher(2), executor, store, Budget(None), 0, max_trials=12, pack_size=2
    ).run(store.history())
    assert [trial.id for trial in again.history][:6] == [trial.id for trial in store.history()][:6]
    assert sorted(trial.id for trial in again.history) == list(range(12))
    assert len(first.history) == 6


def at_random(seed: int) -> Callable[[Job], None]:
    """Jobs take times of their own, which say nothing about their order."""
    return lambda job: time.sleep(float(np.random.default_rng([seed, *job.ids]).random()) * 0.02)


@pytest.mark.parametrize(("slots", "ahead"), [(2, 0), (2, 2), (3, 4)])
def test_a_search_that_asks_at_fixed_points_is_repeatable_however_long_jobs_take(tmp_path, slots, ahead):
    def found(name: str, before: Callable[[Job], None], slots: int) -> tuple[list[dict[str, Any]], int]:
        result, runner, _ = search(
            tmp_path / name, BayesianSearcher(2), before=before, slots=slots, ahead=ahead, max_trials=24
        )
        return [trial.to_dict() for trial in result.history], runner.most_running

    expected, _ = found("one by one", lambda job: None, 1)
    for seed in range(2):
        trials, running = found(str(seed), at_random(seed), slots)
        assert trials == expected
        assert 1 <= running <= slots


def test_a_repeatable_search_that_is_interrupted_keeps_what_waited_for_a_slower_job(tmp_path):
    started = threading.Event()

    def before(job: Job) -> None:
        if 0 in job.ids:
            started.wait(30)

    class Stopping(ThreadExecutor):
        def collect(self, timeout=None):
            outcomes = super().collect(timeout)
            if not outcomes:
                started.set()
                raise KeyboardInterrupt
            return outcomes

    executor = Stopping(FakeRunner(before))
    loop = make_loop(tmp_path / "run", RandomSearcher(2), executor, pack_size=2, max_trials=9, ahead=2)
    result = loop.run(History())
    assert result.reason == "interrupted"
    assert len(result.history) > 0 and 0 not in [trial.id for trial in result.history]
    assert journal(tmp_path / "run") == [trial.id for trial in result.history]
