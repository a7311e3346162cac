"""Networks that are trained again keep their places."""

from __future__ import annotations

from genokeras import HyperParameters, Proposal
from genokeras.engine.retraining import retrained
from genokeras.engine.testing import small_problem
from genokeras.graph import linear, mlp
from genokeras.tasks.objectives import get_objective


def test_outcomes_come_back_in_the_places_of_their_networks() -> None:
    graphs = [linear(2), mlp(2, (64,)), linear(2), mlp(2, (16, 16)), mlp(2, (8,)), mlp(2, (128,))]
    hyper = [
        HyperParameters(weight_decay=0.1 * number, activation="relu") for number in range(1, len(graphs) + 1)
    ]
    proposals = [Proposal(graph, own, seed=7) for graph, own in zip(graphs, hyper, strict=True)]
    found = retrained(small_problem(), get_objective("log_loss"), proposals)
    assert list(found) == list(range(len(proposals)))
    for place, outcome in found.items():
        assert outcome.result.proposal == proposals[place]
        assert set(outcome.weights) == {
            layer.id for layer in graphs[place].layers if type(layer.spec).__name__ == "Dense"
        }
