"""Fathers by name, and the hyper-parameters that go with a graph."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from genokeras.errors import GraphError, ParameterError
from genokeras.graph import (
    FATHERS,
    Activation,
    Dense,
    HyperParameters,
    LayerNorm,
    get_father,
    linear,
    mlp,
    rfcn_densenet,
    rfcn_resnet,
)


@pytest.mark.parametrize("name", FATHERS)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_fathers_have_the_outputs_asked_for(name: str, n_outputs: int) -> None:
    assert get_father(name, n_outputs).n_outputs == n_outputs


def test_an_unknown_father_gets_a_suggestion() -> None:
    with pytest.raises(
        ParameterError,
        match="father of a vector of features must be one of .*got 'linaer'. Did you mean 'linear'",
    ):
        get_father("linaer", 2)


def test_an_mlp_can_go_without_norms_and_linear_path() -> None:
    graph = mlp(2, widths=(8,), normalise=False, linear_path=False)
    assert not any(isinstance(layer.spec, LayerNorm) for layer in graph.layers)
    assert isinstance(graph.layer(graph.output).spec, Dense)


def test_an_mlp_without_widths_is_refused() -> None:
    with pytest.raises(ParameterError, match="at least one hidden width"):
        mlp(2, widths=())


def test_a_residual_network_keeps_its_width_and_a_dense_one_grows_by_it() -> None:
    for build, last in ((rfcn_resnet, 8), (rfcn_densenet, 32)):
        graph = build(2, n_latent=8, n_blocks=3)
        assert graph.weight_shapes(5)[graph.output]["kernel"] == (last, 2)


def test_the_nonlinearity_before_the_output_is_the_one_asked_for() -> None:
    graph = rfcn_resnet(2, output_nonlinear="tanh")
    (before,) = graph.layer(graph.output).inputs
    assert graph.layer(before).spec == Activation("tanh")


@pytest.mark.parametrize("build", [rfcn_resnet, rfcn_densenet])
def test_a_residual_network_without_blocks_is_refused(build: Any) -> None:
    with pytest.raises(ParameterError, match="n_blocks must be a whole number of at least 1"):
        build(2, n_blocks=0)


def test_no_outputs_are_refused() -> None:
    with pytest.raises(GraphError, match="Dense.units"):
        linear(0)


def test_hyper_parameters_come_back_from_json() -> None:
    hyper = HyperParameters(learning_rate=0.003, dropout=0.5, activation="gelu", view="anova_100")
    assert HyperParameters.from_dict(json.loads(json.dumps(hyper.to_dict()))) == hyper


def test_numpy_numbers_become_plain_floats() -> None:
    hyper = HyperParameters(learning_rate=np.float32(0.5), dropout=np.int64(0))  # type: ignore[arg-type]
    assert (type(hyper.learning_rate), type(hyper.dropout)) == (float, float)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"learning_rate": 0}, "learning_rate must be a number above 0"),
        ({"learning_rate": "fast"}, "learning_rate must be a number above 0, got 'fast'"),
        ({"weight_decay": -1}, "weight_decay must be a number of at least 0"),
        ({"weight_decay": float("nan")}, "weight_decay must be a number of at least 0, got nan"),
        ({"dropout": 1}, "dropout must be a number of at least 0 and below 1"),
        ({"activation": "rellu"}, "Did you mean 'relu'"),
        ({"view": ""}, "view must be the name of a view"),
        (
            {"learning_rat": 0.1},
            "hyper-parameter must be one of .*got 'learning_rat'. Did you mean 'learning_rate'",
        ),
    ],
)
def test_hyper_parameters_out_of_range_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        HyperParameters.from_dict(values)
