"""KerasTuner's oracles as searchers over the templates."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import keras_tuner
import numpy as np
import pytest
from keras_tuner.oracles import (
    BayesianOptimizationOracle,
    GridSearchOracle,
    HyperbandOracle,
    RandomSearchOracle,
)

from genokeras.errors import ParameterError
from genokeras.graph import FATHERS, HyperParameters, mlp
from genokeras.searchers import History, HyperSpace, Proposal, TrialResult
from genokeras.searchers.testing import SearcherContract, finish, pretend_score, simulate
from genokeras.tuning import MorphOracle, OracleSearcher, make_oracle_searcher
from genokeras.tuning.template_space import template_graph, template_hyper, template_values

VIEWS = ("all", "log")
SMALL = HyperSpace((0.01,), (0.1, 1.0), (0.2,), ("relu",))


def searcher_of(oracle: Any, **arguments: Any) -> OracleSearcher:
    return make_oracle_searcher(oracle, arguments, 2, VIEWS)


def hyperparameters(*declare: Any) -> keras_tuner.HyperParameters:
    found = keras_tuner.HyperParameters()
    for one in declare:
        one(found)
    return found


def ask(
    searcher: OracleSearcher, history: History | None = None, n: int = 6, seed: int = 0
) -> list[Proposal]:
    return searcher.ask(History() if history is None else history, n, np.random.default_rng(seed))


def favourite(proposal: Proposal) -> float:
    """Best where the template is an mlp of one small layer."""
    values = template_values(proposal.graph, proposal.hyper)
    assert values is not None
    loss = 0.4 * (values["father"] != "mlp") + 0.2 * (proposal.hyper.activation != "tanh")
    return loss + 0.1 * abs(np.log10(proposal.hyper.learning_rate) + 2) + pretend_score(proposal) / 100


class TestRandom(SearcherContract):
    def make_searcher(self) -> OracleSearcher:
        return searcher_of(RandomSearchOracle)


class TestBayesian(SearcherContract):
    n_asks, n = 5, 8

    def make_searcher(self) -> OracleSearcher:
        return searcher_of(BayesianOptimizationOracle, num_initial_points=6)


class TestGrid(SearcherContract):
    def make_searcher(self) -> OracleSearcher:
        return searcher_of(GridSearchOracle)


@pytest.mark.parametrize("father", FATHERS)
def test_values_of_a_template_are_found_in_its_graph(father: str) -> None:
    sizes = {"linear": {}, "mlp": {"units": 32, "layers": 2}}.get(father, {"units": 64, "blocks": 3})
    values = {"father": father, **sizes, **HyperParameters(0.003, 0.1, 0.5, "tanh", "log").to_dict()}
    assert template_values(template_graph(values, 3), template_hyper(values)) == values


def test_a_graph_that_is_no_template_has_no_values() -> None:
    graph = mlp(2, (64, 32))
    assert template_values(graph, HyperParameters()) is None


def test_all_that_can_be_chosen_comes_up() -> None:
    history = simulate(searcher_of(RandomSearchOracle), 10, 24)
    values = [template_values(trial.proposal.graph, trial.proposal.hyper) or {} for trial in history]
    assert {v["father"] for v in values} == set(FATHERS)
    assert {v.get("blocks") for v in values} == {1, 2, 3, None}
    assert {v.get("layers") for v in values} == {1, 2, None}
    assert {v["view"] for v in values} == set(VIEWS)
    assert {trial.proposal.origin for trial in history} == {"oracle:RandomSearchOracle"}


def test_the_bayesian_oracle_learns_what_scores_well() -> None:
    history = simulate(searcher_of(BayesianOptimizationOracle, num_initial_points=24), 8, 8, score=favourite)
    late = [trial.proposal for trial in history.trials[32:]]
    fathers = Counter((template_values(p.graph, p.hyper) or {})["father"] for p in late)
    assert fathers["mlp"] > len(late) / 2
    assert min(map(favourite, late)) < 0.05


def test_grid_ends_with_its_space_and_fills_gaps() -> None:
    searcher = searcher_of(GridSearchOracle, fathers=["linear", "mlp"], space=SMALL)
    everything = simulate(searcher, 4, 24)
    assert len(everything) == 2 * (1 + 2 * 3)  # decays x (linear, mlp of two depths and three widths)
    assert ask(searcher, everything) == []
    gap = History(tuple(trial for trial in everything if trial.id not in (3, 8)))
    assert {p.fingerprint() for p in ask(searcher, gap)} == {
        everything.get(id).proposal.fingerprint() for id in (3, 8)
    }


def test_linear_models_alone_can_be_searched() -> None:
    history = simulate(searcher_of(RandomSearchOracle, fathers=["linear"]), 3, 24)
    assert 30 < len(history) <= 40  # learning rates x decays x views


@pytest.mark.parametrize("kind", [RandomSearchOracle, BayesianOptimizationOracle, GridSearchOracle])
def test_an_oracle_stops_after_its_trials(kind: type) -> None:
    history = simulate(searcher_of(kind(max_trials=5)), 3, 4)
    assert len(history) == 5
    assert ask(searcher_of(kind(max_trials=5)), history) == []


def test_a_class_goes_on_until_the_search_ends() -> None:
    assert len(simulate(searcher_of(RandomSearchOracle), 3, 24)) > 60


def test_random_numbers_are_those_of_the_search() -> None:
    state = random.getstate()
    first, second = (ask(searcher_of(RandomSearchOracle(seed=seed))) for seed in (1, 2))
    assert first == second != ask(searcher_of(RandomSearchOracle(seed=1)), seed=1)
    assert random.getstate() == state


def test_the_given_oracle_stays_as_it_was() -> None:
    oracle = RandomSearchOracle(seed=1)
    simulate(searcher_of(oracle), 2, 4)
    assert not oracle.trials and not oracle.hyperparameters.space


def test_trials_of_another_search_are_not_the_oracles() -> None:
    history = finish(History(), [Proposal(mlp(2, (64, 32)), HyperParameters(view="log"))])
    searcher = searcher_of(RandomSearchOracle(max_trials=3))
    assert len(ask(searcher, history)) == 3


def test_an_oracle_hears_of_scores_and_failures() -> None:
    heard: list[Any] = []

    class Curious(RandomSearchOracle):
        def populate_space(self, trial_id: str) -> dict[str, Any]:
            heard[:] = [(t.status, t.score, t.message) for t in self.trials.values()]
            return super().populate_space(trial_id)

    searcher = searcher_of(Curious)
    good, bad = ask(searcher, n=2)
    history = History((TrialResult(0, good, "ok", 0.25), TrialResult.failure(1, bad, "it broke")))
    ask(searcher, history, n=1)
    assert heard == [("COMPLETED", 0.25, None), ("FAILED", None, "it broke")]


def test_an_oracle_that_repeats_itself_gets_the_known_score() -> None:
    class Queue(keras_tuner.Oracle):
        """Goes through a list and keeps its place to itself."""

        def __init__(self, **arguments: Any) -> None:
            super().__init__(**arguments)
            self.rates = [0.001, 0.003, 0.003, 0.01]

        def populate_space(self, trial_id: str) -> dict[str, Any]:
            if not self.rates:
                return {"status": "STOPPED"}
            return {"status": "RUNNING", "values": {"father": "linear", "learning_rate": self.rates.pop(0)}}

    history = simulate(searcher_of(Queue), 5, 1)
    assert [trial.proposal.hyper.learning_rate for trial in history] == [0.001, 0.003, 0.01]


# ---- a space of the user's


def test_hyperparameters_of_the_user_replace_ours() -> None:
    given = hyperparameters(
        lambda hp: hp.Fixed("father", "mlp"),
        lambda hp: hp.Int("units", 8, 16),
        lambda hp: hp.Float("learning_rate", 1e-4, 1e-3, sampling="log"),
    )
    history = simulate(
        searcher_of(BayesianOptimizationOracle(hyperparameters=given, num_initial_points=4)), 2, 8
    )
    values = [template_values(trial.proposal.graph, trial.proposal.hyper) or {} for trial in history]
    assert {v["father"] for v in values} == {"mlp"}
    assert all(8 <= v["units"] <= 16 and 1e-4 <= v["learning_rate"] <= 1e-3 for v in values)
    assert len({v["weight_decay"] for v in values}) > 1


def test_what_is_not_to_be_tuned_keeps_its_default() -> None:
    given = hyperparameters(lambda hp: hp.Choice("weight_decay", [0.1, 0.2, 0.3]))
    oracle = RandomSearchOracle(hyperparameters=given, tune_new_entries=False, seed=1)
    proposals = ask(searcher_of(oracle))
    assert {p.hyper.weight_decay for p in proposals} == {0.1, 0.2, 0.3}
    assert len({p.graph for p in proposals}) == 1


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda hp: hp.Choice("unit", [8]), "got 'unit'. Did you mean 'units'"),
        (lambda hp: hp.Choice("view", ["logs"]), "view must be one of all, log, got 'logs'"),
        (lambda hp: hp.Float("units", 1.5, 8.0), "units must be a whole number"),
        (lambda hp: hp.Float("dropout", 0.0, 1.0), "dropout must be a number of at least 0 and below 1"),
        (lambda hp: hp.Fixed("father", "resnet"), "father must be one of"),
        (lambda hp: hp.Boolean("blocks"), "blocks must be a whole number"),
    ],
)
def test_hyperparameters_that_no_template_takes_are_refused(declare: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        searcher_of(RandomSearchOracle(hyperparameters=hyperparameters(declare)))


def test_an_oracle_without_new_entries_needs_all_of_them() -> None:
    given = hyperparameters(lambda hp: hp.Choice("view", ["all"]))
    with pytest.raises(ParameterError, match="hyperparameters lack father, .*allow_new_entries is False"):
        searcher_of(RandomSearchOracle(hyperparameters=given, allow_new_entries=False))


# ---- what does not fit


@pytest.mark.parametrize(
    ("oracle", "message"),
    [
        (RandomSearchOracle(objective="val_accuracy"), r"objective is 'val_accuracy' \(max\)"),
        (RandomSearchOracle(objective=["val_loss", "val_accuracy"]), "objective is 'multi_objective'"),
        (HyperbandOracle(), "decides how long a trial trains"),
        (HyperbandOracle, "decides how long a trial trains"),
        (MorphOracle(2), 'searcher="bayesian"'),
        (MorphOracle, 'searcher="bayesian"'),
        (keras_tuner.RandomSearch, "pass an oracle"),
    ],
)
def test_oracles_that_do_not_fit_are_refused(oracle: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        searcher_of(oracle)


def test_the_loss_may_be_called_so() -> None:
    assert ask(searcher_of(RandomSearchOracle(objective="val_loss")))


def test_an_oracle_that_was_used_is_refused() -> None:
    oracle = RandomSearchOracle(seed=1)
    oracle.trials["0"] = object()
    with pytest.raises(ParameterError, match="has 1 trials of another search"):
        searcher_of(oracle)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"beat": 2.0}, "unknown searcher_args 'beat' for BayesianOptimizationOracle. Did you mean 'beta'"),
        ({"objective": 3}, "cannot be made of searcher_args"),
        ({"fathers": ["mpl"]}, "Did you mean 'mlp'"),
        ({"fathers": "mlp"}, "sequence of at least one name"),
        ({"space": 3}, "space must be a HyperSpace over the views all, log, got 3"),
        ({"space": HyperSpace(views=("logs",))}, "got the views logs"),
    ],
)
def test_arguments_are_checked(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        searcher_of(BayesianOptimizationOracle, **arguments)
