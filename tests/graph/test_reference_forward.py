"""The reference computes what hand calculation, scipy and torch-free formulas say."""

from __future__ import annotations

import numpy as np
import pytest

from genokeras.errors import GraphError
from genokeras.graph import (
    ACTIVATIONS,
    Activation,
    Concat,
    Dense,
    Dropout,
    Graph,
    Input,
    Layer,
    LayerNorm,
    LayerSpec,
    linear,
    mlp,
    reference_forward,
)
from genokeras.graph.reference import Weights


def identity(units: int) -> dict[str, np.ndarray]:
    return {"kernel": np.eye(units, dtype=np.float32)[None], "bias": np.zeros((1, units), dtype=np.float32)}


def through(spec: LayerSpec, x: np.ndarray, activation: str = "relu") -> np.ndarray:
    """Return the output of one layer, between the Input and a Dense that changes nothing."""
    units = x.shape[1]
    graph = Graph.build([Layer(0, Input()), Layer(1, spec, (0,)), Layer(2, Dense(units), (1,))])
    return reference_forward(graph, {2: identity(units)}, x, activation)[0]


def test_a_dense_multiplies_and_adds_for_each_member() -> None:
    weights: Weights = {
        1: {"kernel": np.array([[[1.0], [2.0]], [[0.0], [1.0]]]), "bias": np.array([[10.0], [20.0]])}
    }
    logits = reference_forward(linear(1), weights, [[1.0, 3.0]], "relu")
    np.testing.assert_array_equal(logits, [[[17.0]], [[23.0]]])


def test_members_can_have_samples_of_their_own() -> None:
    weights: Weights = {1: {"kernel": np.ones((2, 1, 1)), "bias": np.zeros((2, 1))}}
    logits = reference_forward(linear(1), weights, [[[1.0]], [[5.0]]], "relu")
    np.testing.assert_array_equal(logits[:, 0, 0], [1.0, 5.0])


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("relu", [0.0, 0.0, 2.0]),
        ("tanh", [-0.7615942, 0.0, 0.9640276]),
        ("gelu", [-0.1586553, 0.0, 1.9544997]),
        ("silu", [-0.2689414, 0.0, 1.7615942]),
        ("selu", [-1.1113307, 0.0, 2.1014020]),
        ("sigmoid", [0.2689414, 0.5, 0.8807971]),
        ("linear", [-1.0, 0.0, 2.0]),
    ],
)
def test_activations_have_their_values(activation: str, expected: list[float]) -> None:
    x = np.array([[-1.0, 0.0, 2.0]])
    np.testing.assert_allclose(through(Activation(), x, activation), [expected], atol=1e-6)


def test_an_activation_of_its_own_overrides_the_proposals() -> None:
    np.testing.assert_array_equal(through(Activation("linear"), np.array([[-2.0]]), "relu"), [[-2.0]])


def test_layer_norm_centres_and_scales_with_its_epsilon() -> None:
    np.testing.assert_allclose(through(LayerNorm(), np.array([[1.0, 3.0]])), [[-1, 1] / np.sqrt(1.001)])


def test_dropout_does_nothing() -> None:
    np.testing.assert_array_equal(through(Dropout(0.9), np.array([[4.0, 5.0]])), [[4.0, 5.0]])


def test_a_concatenation_keeps_the_order_of_its_inputs() -> None:
    graph = Graph.build(
        [Layer(0, Input()), Layer(1, Dense(1), (0,)), Layer(2, Concat(), (1, 0)), Layer(3, Dense(2), (2,))]
    )
    weights: Weights = {1: {"kernel": np.full((1, 1, 1), 7.0), "bias": np.zeros((1, 1))}, 3: identity(2)}
    np.testing.assert_array_equal(reference_forward(graph, weights, [[1.0]], "relu"), [[[7.0, 1.0]]])


def test_missing_weights_are_named() -> None:
    with pytest.raises(GraphError, match=r"no weights for layer 1 \(Dense\(2\)\)"):
        reference_forward(linear(2), {}, [[1.0]], "relu")


def test_an_unknown_activation_gets_a_suggestion() -> None:
    with pytest.raises(GraphError, match="activation must be one of .*got 'rely'. Did you mean 'relu'"):
        reference_forward(mlp(2), {}, [[1.0]], "rely")


def test_samples_without_two_axes_are_refused() -> None:
    with pytest.raises(GraphError, match=r"got \(1,\)"):
        reference_forward(linear(2), {}, [1.0], ACTIVATIONS[0])
