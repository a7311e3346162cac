"""The searcher that a user asked for: by name, class or instance, with arguments that fit it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from genokeras.engine import Fathers, Wanted, make_network_searcher, make_table_searcher
from genokeras.engine.searching import constructed
from genokeras.errors import ParameterError
from genokeras.graph import linear, mlp, small_cnn
from genokeras.searchers import (
    BayesianSearcher,
    HalvingSearcher,
    History,
    HyperSpace,
    RandomSearcher,
    Searcher,
)
from tests.engine.runs import problem_of_images
from tests.tasks.poisson import PoissonCounts

VIEWS = ("all", "top5")
SPACE = HyperSpace(views=("tensor",))


def graph_of(filters: int = 4):
    return small_cnn((8, 8, 1), 2, filters=(filters,), units=0)


FATHERS = Fathers(
    {"small_cnn": graph_of, "wide_cnn": partial(graph_of, 8)}, ("small_cnn",), SPACE, (0.1, 1.0)
)


def for_tables(searcher="bayesian", **arguments):
    return make_table_searcher(Wanted.of(searcher, arguments), 2, HyperSpace(views=VIEWS))


def for_images(searcher="bayesian", **arguments):
    return make_network_searcher(Wanted.of(searcher, arguments), FATHERS, problem_of_images())


class Own(Searcher):
    """A searcher of a user's."""

    def __init__(self, n_outputs: int, colour: str = "red") -> None:
        self.n_outputs, self.colour = n_outputs, colour

    def ask(self, history, n, rng):
        return []


BOTH = pytest.mark.parametrize("make", [for_tables, for_images])


# ---- what was asked for


def test_arguments_are_told_from_what_is_not_the_searchers():
    wanted = Wanted.of("random", {"fresh": 0.5, "trainer_args": {"batch_size": 4}})
    assert (wanted.searcher, wanted.arguments) == ("random", {"fresh": 0.5})
    assert wanted.trainer_args == {"batch_size": 4}


def test_search_type_takes_the_place_of_the_searcher():
    assert Wanted.of("random", {"search_type": Own}).searcher is Own


@pytest.mark.parametrize(
    ("searcher", "name"),
    [("random", "random"), (Own, "Own"), (Own(2), "Own"), (RandomSearcher(2), "RandomSearcher")],
)
def test_run_json_names_the_searcher(searcher, name):
    assert Wanted.of(searcher, None).name == name


def test_only_enas_by_name_looks_for_arcs_first():
    assert Wanted.of("enas", None).is_enas
    assert not Wanted.of("bayesian", None).is_enas and not Wanted.of(Own, None).is_enas


def test_an_instance_takes_no_arguments():
    with pytest.raises(ParameterError, match=r"searcher_args \['colour'\] need a searcher by name or class"):
        Wanted.of(Own(2), {"colour": "blue"})
    with pytest.raises(ParameterError, match="not an instance"):
        Wanted.of("random", {"search_type": Own(2), "fresh": 0.5})


def test_an_instance_may_be_trained_as_asked():
    assert Wanted.of(Own(2), {"trainer_args": {"batch_size": 4}}).arguments == {}


# ---- both kinds of samples


@BOTH
def test_an_instance_is_used_as_it_is(make):
    own = Own(2)
    assert make(own) is own


@BOTH
def test_a_class_gets_what_it_takes(make):
    found = make(Own, colour="blue")
    assert (found.n_outputs, found.colour) == (2, "blue")


@BOTH
def test_an_unknown_searcher_is_named_with_a_hint(make):
    with pytest.raises(ParameterError, match="unknown searcher 'baysian'. Did you mean 'bayesian'"):
        make("baysian")


@BOTH
def test_an_unknown_argument_is_named_with_a_hint(make):
    with pytest.raises(ParameterError, match="unknown searcher_args 'father' .*Did you mean 'fathers'"):
        make(father=["linear"])


@BOTH
def test_an_unknown_father_is_named(make):
    with pytest.raises(ParameterError, match="lineal"):
        make(fathers=["lineal"])


@BOTH
@pytest.mark.parametrize("fathers", ["linear", []])
def test_fathers_are_a_sequence(make, fathers):
    with pytest.raises(ParameterError, match="sequence of at least one name or graph"):
        make(fathers=fathers)


@BOTH
@pytest.mark.parametrize("kind", [3, dict, object()])
def test_what_is_no_searcher_is_refused(make, kind):
    with pytest.raises(ParameterError, match="a subclass of genokeras.Searcher or an instance of one"):
        make("random", search_type=kind)


# ---- tables


def test_names_make_the_searchers_of_tables():
    assert isinstance(for_tables("bayesian"), BayesianSearcher)
    assert isinstance(for_tables("random"), RandomSearcher)
    assert isinstance(for_tables("enas"), BayesianSearcher)


def test_a_searcher_of_tables_is_offered_their_views():
    assert for_tables("random").space.views == VIEWS
    own = HyperSpace(views=("all",))
    assert for_tables("random", space=own).space is own


def test_a_class_that_takes_anything_is_offered_only_what_it_names():
    class Anything(Own):
        def __init__(self, **rest):
            self.rest = rest

    assert constructed(Anything, {"shade": 1}, {"n_outputs": 2}).rest == {"shade": 1}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"child_layers": 3},
            "unknown searcher_args 'child_layers' for enas.*Did you mean 'child_num_layers'",
        ),
        ({"fathers": ["linear"]}, "finds its fathers itself"),
        ({"controller": "oracle"}, "unknown controller 'oracle'"),
        ({"top_k_candidates": 0}, "top_k_candidates"),
    ],
)
def test_arguments_of_enas_are_checked(arguments, message):
    with pytest.raises(ParameterError, match=message):
        for_tables("enas", **arguments)


# ---- everything else


def test_networks_are_searched_by_successive_halving_whatever_guides_it():
    assert [for_images(name).guide for name in ("bayesian", "random")] == ["bayesian", "random"]
    assert isinstance(for_images(), HalvingSearcher)


def test_the_usual_fathers_come_first_and_linear_models_beside_them():
    asked = for_images().ask(History(), 4, np.random.default_rng(0))
    assert [proposal.origin for proposal in asked] == [
        "father:linear",
        "father:small_cnn",
        "father:linear",
        "varied:small_cnn",
    ]
    assert [proposal.hyper.weight_decay for proposal in asked if proposal.hyper.view == "counts"] == [
        0.1,
        1.0,
    ]


def test_fathers_may_be_chosen_by_name_or_given():
    found = for_images(fathers=["wide_cnn", graph_of(2)]).fathers
    assert [name for name, _ in found] == ["wide_cnn", "graph_1"]
    assert found[0][1] == graph_of(8)


@pytest.mark.parametrize("graph", [mlp(2), linear(2), small_cnn((9, 9, 1), 2, filters=(4,), units=0)])
def test_a_father_for_other_samples_is_refused(graph):
    with pytest.raises(ParameterError, match=r"father 0 reads .*expected \(8, 8, 1\) and 2"):
        for_images(fathers=[graph])


def test_a_task_without_a_linear_fit_has_no_linear_father():
    problem = replace(problem_of_images(), task=PoissonCounts(2))
    assert make_network_searcher(Wanted.of("bayesian", None), FATHERS, problem).linear == ()


def test_enas_is_for_tables_alone():
    with pytest.raises(ParameterError, match="unknown searcher 'enas'"):
        for_images("enas")
