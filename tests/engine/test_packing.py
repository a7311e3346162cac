"""Which proposals train together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from genokeras.engine import Deadline, PackedRunner, packed_runner, packing
from genokeras.engine.executor import LocalExecutor
from genokeras.engine.jobs import Father, Job, Outcome
from genokeras.engine.packing import ClassPacker, GraphPacker, Packer
from genokeras.engine.problem import Problem
from genokeras.engine.testing import table_problem
from genokeras.graph import (
    Activation,
    AddInput,
    Concat,
    Deepen,
    Dense,
    Graph,
    HyperParameters,
    Input,
    Layer,
    LayerNorm,
    linear,
    mlp,
    multi_view,
    mutations,
)
from genokeras.searchers import Proposal, TrialResult
from genokeras.support.backends import current_backend
from genokeras.tasks.classes import Classes
from genokeras.tasks.objectives import Objective
from genokeras.training import TrainingSettings

VIEWS = ("all", "top20")


@pytest.fixture(scope="module")
def problem() -> Problem:
    rng = np.random.default_rng(0)
    codes = np.arange(36) % 2
    x = rng.standard_normal((36, 50)).astype("float32")
    x[codes == 1, :3] += 2
    held_out = np.stack([np.arange(36) // 2 % 3 == fold for fold in range(3)])
    return table_problem(x, codes, Classes(2), ~held_out, held_out, VIEWS)


def runner(problem: Problem) -> PackedRunner:
    return PackedRunner(
        problem, problem.task.objective(), TrainingSettings(max_steps=10, min_steps=0, loss=problem.task)
    )


def proposals(*graphs: Graph, view: str = "all", activation: str = "relu") -> list[Proposal]:
    return [
        Proposal(graph, HyperParameters(view=view, activation=activation, learning_rate=0.01), seed=seed)
        for seed, graph in enumerate(graphs)
    ]


def different_graphs(n: int) -> list[Graph]:
    rng, found = np.random.default_rng(0), {}
    while len(found) < n:
        graph = mlp(2, (16,)) if rng.random() < 0.5 else multi_view(2, ("top20",), (16,))
        for _ in range(int(rng.integers(0, 4))):
            (morphism,) = mutations(graph, rng, 1)
            graph = morphism.edit(graph)
        found.setdefault(graph.fingerprint(), graph)
    return list(found.values())


def test_many_graphs_need_few_classes(problem: Problem) -> None:
    packer, graphs = ClassPacker(problem, 24), different_graphs(240)
    jobs = [job for part in range(10) for job in packer.jobs(proposals(*graphs[24 * part :][:24]), 24 * part)]
    shapes = Counter(job.shape for job in jobs if job.shape is not None)
    assert len(shapes) <= 12
    assert sum(len(job.ids) for job in jobs) == 240
    assert sorted(number for job in jobs for number in job.ids) == list(range(240))
    assert all(len(job.ids) <= 24 for job in jobs)


@pytest.mark.parametrize(("compilation", "n_classes"), [(0.0, 3), (np.inf, 1)])
def test_a_class_is_added_where_it_saves_more_than_its_compilation(
    problem: Problem, monkeypatch: pytest.MonkeyPatch, compilation: float, n_classes: int
) -> None:
    monkeypatch.setattr(packing, "_COMPILATION", compilation)
    packer = ClassPacker(problem, 24)
    jobs = [
        job
        for graph in (mlp(2, (64,)), mlp(2, (16,)), mlp(2, (32,)))
        for job in packer.jobs(proposals(graph), 0)
    ]
    assert len({job.shape for job in jobs}) == n_classes


def test_every_graph_of_a_job_is_held_by_its_class_and_trained(problem: Problem) -> None:
    given = proposals(*different_graphs(6))
    for job in ClassPacker(problem, 24).jobs(given, 0):
        for outcome in runner(problem).run(job, Deadline()):
            assert outcome.result.status == "ok", outcome.result.error
            assert np.isfinite(outcome.answers).all()


def test_a_trial_scores_the_same_whatever_it_is_packed_with(problem: Problem) -> None:
    given = proposals(linear(2), mlp(2, (16,)), multi_view(2, ("top20",), (8,)))
    together = ClassPacker(problem, 24).jobs(given, 0)
    found = {o.result.proposal: o for job in together for o in runner(problem).run(job, Deadline())}
    for proposal in given:
        (job,) = ClassPacker(problem, 24).jobs([proposal], 0)
        (alone,) = runner(problem).run(job, Deadline())
        np.testing.assert_allclose(found[proposal].answers, alone.answers, atol=1e-4)


def test_a_graph_that_no_class_holds_trains_alone_and_says_so(problem: Problem) -> None:
    layers = [
        Layer(0, Input()),
        Layer(1, Dense(4), (0,)),
        Layer(2, Activation(), (1,)),
        Layer(3, Dense(4), (0,)),
        Layer(4, Activation(), (3,)),
        Layer(5, Concat(), (2, 4)),
        Layer(6, LayerNorm(), (5,)),
        Layer(7, Dense(2), (6,)),
    ]
    strange, usual = Graph.build(layers), mlp(2, (16,))
    jobs = {
        job.proposals[0].graph: job for job in ClassPacker(problem, 24).jobs(proposals(strange, usual), 0)
    }
    alone = jobs[strange]
    assert alone.shape is None and "no shape class holds this graph" in alone.note
    assert jobs[usual].shape is not None and jobs[usual].note == ""
    (outcome,) = runner(problem).run(alone, Deadline())
    assert outcome.result.status == "ok"


def test_a_view_that_the_data_lack_fails_one_trial_and_lists_what_there_is(problem: Problem) -> None:
    strange = AddInput("proteins", linear(2).output, 8).edit(linear(2))
    jobs = ClassPacker(problem, 24).jobs(proposals(strange, mlp(2, (16,))), 0)
    found = {o.result.proposal.graph: o.result for job in jobs for o in runner(problem).run(job, Deadline())}
    assert found[strange].status == "failed"
    assert "the data have no view 'proteins'; there are 'all', 'top20'" in (found[strange].error or "")
    assert found[mlp(2, (16,))].status == "ok"


@pytest.mark.parametrize(
    "packer", [lambda problem: GraphPacker(24), lambda problem: ClassPacker(problem, 24)]
)
def test_a_trial_that_diverges_fails_alone(problem: Problem, packer: Callable[[Problem], Packer]) -> None:
    def found(rate: float) -> list[TrialResult]:
        first, *others = proposals(mlp(2, (16,))) * 3
        wild = replace(first, hyper=replace(first.hyper, learning_rate=rate))
        (job,) = packer(problem).jobs([wild, *others], 0)
        return [outcome.result for outcome in runner(problem).run(job, Deadline())]

    wild, usual = found(1e30), found(0.01)
    assert [trial.status for trial in wild] == ["failed", "ok", "ok"]
    assert "learning rate 1e+30): it is too high" in (wild[0].error or "")
    assert [trial.score for trial in wild[1:]] == pytest.approx(
        [trial.score for trial in usual[1:]], rel=1e-5
    )


@pytest.mark.parametrize("graph", [linear(2), mlp(2, (16,))])
def test_an_objective_that_raises_fails_its_trial_alone(
    problem: Problem, monkeypatch: pytest.MonkeyPatch, graph: Graph
) -> None:
    (job,) = GraphPacker(24).jobs(proposals(graph) * 2, 0)
    scored = packed_runner.scored_outcome

    def fails_for_the_first(
        problem: Problem, objective: Objective, trial_id: int, *arguments: Any
    ) -> Outcome:
        if trial_id == 0:
            raise ValueError("no such score")
        return scored(problem, objective, trial_id, *arguments)

    monkeypatch.setattr(packed_runner, "scored_outcome", fails_for_the_first)
    first, second = (outcome.result for outcome in runner(problem).run(job, Deadline()))
    assert "no such score" in (first.error or "") and second.status == "ok"


def test_a_trial_whose_weights_cannot_be_inherited_leaves_the_others_alone(problem: Problem) -> None:
    from_mlp = Deepen.sites(mlp(2, (16,)))[0]
    child = Proposal(mlp(2, (16, 16)), HyperParameters(view="all"), father=0, morphisms=(from_mlp,), seed=1)
    (job,) = ClassPacker(problem, 24).jobs([child, *proposals(mlp(2, (16, 8)))], 1)
    (trained,) = runner(problem).run(
        ClassPacker(problem, 24).jobs(proposals(mlp(2, (16,))), 0)[0], Deadline()
    )
    father = Father(mlp(2, (16,)), trained.weights)
    first, second = runner(problem).run(Job(job.ids, job.proposals, (father, None), job.shape), Deadline())
    assert first.result.status == "failed" and "another graph than the one" in (first.result.error or "")
    assert second.result.status == "ok"


def test_what_a_program_took_to_begin_is_measured(problem: Problem) -> None:
    trains = runner(problem)
    executor = LocalExecutor(lambda: trains)
    assert executor.seconds_to_begin == 0
    packer = ClassPacker(problem, 24)
    (job,) = packer.jobs(proposals(mlp(2, (16,))), 0)
    assert packer.seconds_to_begin(job) > 0
    packer.begun(job)
    assert packer.seconds_to_begin(job) == 0
    trains.run(job, Deadline())
    assert executor.seconds_to_begin == trains.seconds_to_begin > 0


def test_a_program_for_another_number_of_trials_is_another_one_where_axes_are_not_free(
    problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(current_backend()), "frees_axes", False)
    packer = ClassPacker(problem, 24)
    few, many = (packer.jobs(proposals(*[mlp(2, (16,))] * n), 0)[0] for n in (3, 20))
    packer.begun(few)
    assert packer.seconds_to_begin(few) == 0
    assert packer.seconds_to_begin(few.part(range(2))) > 0 and packer.seconds_to_begin(many) > 0
