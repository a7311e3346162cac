"""Networks that train on one fold first: what a completed trial is, and how a search ends with folds missing."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from genokeras.engine import Deadline, LocalExecutor, SearchLoop, TrialStore, method_of
from genokeras.engine.budget import Budget
from genokeras.engine.jobs import Job
from genokeras.graph import small_cnn
from genokeras.graph.morphisms import mutations
from genokeras.graph.templates import linear
from genokeras.searchers import HalvingSearcher, HyperSpace
from genokeras.searchers.halving import LinearFather
from tests.engine.runs import FEW_STEPS, cnn_proposal, made_folder, problem_of_images

SPACE = HyperSpace(learning_rate=(0.01, 0.02), views=("tensor",))


@pytest.fixture(scope="module")
def problem():
    return problem_of_images()


@pytest.fixture(scope="module")
def runner(problem):
    return method_of(problem).runner(problem, problem.task.objective(), FEW_STEPS, None)


def run_one(runner, proposal, store, number=0):
    father = None if proposal.father is None else store.father(store.read(proposal.father))
    begun = None if proposal.completes is None else store.begun(store.read(proposal.completes))
    outcome = runner.run(Job((number,), (proposal,), (father,), begun=(begun,)), Deadline())[0]
    assert outcome.result.status == "ok", outcome.result.error
    store.write(outcome)
    return outcome


@pytest.fixture(scope="module")
def raced(tmp_path_factory, problem, runner):
    """A trial on its first fold, the same one completed, and one that trained on all folds."""
    store = TrialStore(made_folder(tmp_path_factory.mktemp("runs") / "raced", problem))
    whole = run_one(runner, cnn_proposal(seed=7), store, 1)
    first = run_one(runner, cnn_proposal(seed=7, folds=1), store)
    again = run_one(runner, replace(first.result.proposal, folds=0, completes=0), store)
    return store, whole, first, again


def test_a_trial_on_one_fold_is_scored_on_its_rows_alone(problem, raced):
    _, _, first, _ = raced
    known = ~np.isnan(first.answers).any(axis=1)
    np.testing.assert_array_equal(known, problem.held_out[0])
    assert first.result.missing == 1 and first.result.begun
    assert first.result.folds == (pytest.approx(first.result.score),)
    assert {len(a) for arrays in first.weights.values() for a in arrays.values()} == {1}


def check_first_fold(first, again):
    for layer, arrays in first.weights.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(again.weights[layer][name][:1], array)


def test_a_completed_trial_keeps_its_first_fold(raced):
    store, _, first, again = raced
    check_first_fold(first, again)
    assert not np.isnan(again.answers).any()
    result = store.read(0)
    assert (result.missing, len(result.folds), result.proposal.folds) == (0, 2, 0)
    assert result.proposal.completes is None
    assert result.seconds > first.result.seconds


def test_folds_that_train_later_train_as_they_would_have_at_once(problem, raced):
    _, whole, first, again = raced
    if whole.result.step != first.result.step:
        pytest.skip("the mean over both folds chose another step than the first fold")
    np.testing.assert_allclose(again.answers, whole.answers, atol=1e-4)


def test_a_child_grows_fold_by_fold_from_a_completed_father(runner, raced):
    store, _, _, _ = raced
    father = store.read(0).proposal
    morphism = mutations(father.graph, np.random.default_rng(0), 1)[0]
    grown = morphism.apply(father.graph, None, np.random.default_rng(0))[0]
    child = replace(father, graph=grown, father=0, morphisms=(morphism,), seed=3, folds=1)
    first = run_one(runner, child, store, 2)
    again = run_one(runner, replace(first.result.proposal, folds=0, completes=2), store, 2)
    assert again.result.missing == 0
    check_first_fold(first, again)


def a_search(path, problem, max_trials, budget=None, fathers=1):
    folder = made_folder(path, problem)
    return folder, make_loop(folder, problem, max_trials, budget, fathers)


def make_loop(folder, problem, max_trials, budget=None, fathers=1):
    graphs = [(f"cnn{n}", small_cnn((8, 8, 1), 2, filters=(n,), units=0)) for n in range(3, 3 + fathers)]
    searcher = HalvingSearcher(
        graphs,
        SPACE,
        linear=[LinearFather(linear(2), "counts", (0.1,))],
        n_folds=problem.n_folds,
        guide="random",
    )
    method = method_of(problem)
    runner = method.runner(problem, problem.task.objective(), {"max_iter_num": 2}, None)
    return SearchLoop(
        searcher,
        LocalExecutor(lambda: runner),
        TrialStore(folder),
        budget or Budget(None),
        0,
        max_trials,
        pack_size=1,
        packer=method.packer(problem),
    )


def test_a_search_that_ends_completes_its_best_network_first(tmp_path, problem):
    folder, loop = a_search(tmp_path / "run", problem, 3, fathers=2)
    history = loop.run(TrialStore(folder).history()).history
    assert len(history) == 3
    networks = [trial for trial in history if trial.proposal.hyper.view == "tensor"]
    best = min(networks, key=lambda trial: trial.folds[0])
    assert best.missing == 0
    assert sorted(trial.missing for trial in networks) == [0, 1]
    lines = [json.loads(line) for line in (folder.path / "journal.jsonl").read_text().splitlines()]
    said = [(line["trial"], line.get("missing", 0)) for line in lines if line["event"] == "trial"]
    assert said == [(0, 0), (1, 1), (2, 1), (best.id, 0)]


def test_the_best_network_is_completed_while_there_is_time_for_nothing_else(tmp_path, problem):
    folder, loop = a_search(tmp_path / "run", problem, 3, fathers=2)
    loop._due = lambda: []
    begun = loop.run(TrialStore(folder).history()).history
    best = min((t for t in begun if t.proposal.hyper.view == "tensor"), key=lambda trial: trial.folds[0])
    assert best.missing == 1
    costs = best.seconds
    again = make_loop(folder, problem, None, Budget(1.2 * costs, clock=lambda: 0.0, least=costs), fathers=2)
    events = len(list(folder.journal()))
    again._collect = interrupt_behind(again._collect)
    again._ask = lambda *_: pytest.fail("the searcher was asked for more")
    found = again.run(TrialStore(folder).history())
    assert [event["trial"] for event in list(folder.journal())[events:] if event["event"] == "trial"] == [
        best.id
    ]
    assert found.history.get(best.id).missing == 0


def interrupt_behind(collect):
    def collected():
        collect()
        raise KeyboardInterrupt

    return collected


def test_a_search_that_was_stopped_goes_on_to_the_same_trials(tmp_path, problem):
    folder, loop = a_search(tmp_path / "whole", problem, 5, fathers=2)
    whole = loop.run(TrialStore(folder).history()).history
    other, loop = a_search(tmp_path / "parts", problem, 5, fathers=2)
    store, collect = TrialStore(other), loop._collect

    def stop_behind_the_fourth():
        collect()
        if sum(e["event"] == "trial" for e in other.journal()) == 4:
            raise KeyboardInterrupt

    loop._collect = stop_behind_the_fourth
    assert loop.run(store.history()).reason == "interrupted"
    assert any(trial.missing for trial in store.history())
    resumed = make_loop(other, problem, 5, fathers=2).run(store.history()).history
    assert [t.proposal for t in resumed] == [t.proposal for t in whole]
    assert [t.missing for t in resumed] == [t.missing for t in whole]
    np.testing.assert_allclose([t.score for t in resumed], [t.score for t in whole], rtol=1e-4)
