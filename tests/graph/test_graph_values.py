"""Graphs refuse what is no network and know the shapes of what is."""

from __future__ import annotations

import numpy as np
import pytest

from genokeras.errors import GraphError
from genokeras.graph import (
    Activation,
    Add,
    Concat,
    Dense,
    Dropout,
    Graph,
    Input,
    Layer,
    LayerNorm,
    linear,
    mlp,
)


def two_branches(left: int, right: int, joint: Add | Concat) -> Graph:
    return Graph.build(
        [
            Layer(0, Input()),
            Layer(1, Dense(left), (0,)),
            Layer(2, Dense(right), (0,)),
            Layer(3, joint, (1, 2)),
            Layer(4, Dense(2), (3,)),
        ]
    )


def test_build_puts_layers_in_order() -> None:
    layers = mlp(2).layers
    assert Graph.build(reversed(layers)) == mlp(2)


def test_layers_out_of_order_are_refused_without_build() -> None:
    with pytest.raises(GraphError, match=r"layer 1 \(Dense\(2\)\) stands before a layer it reads"):
        Graph(tuple(reversed(linear(2).layers)))


def test_a_cycle_is_refused() -> None:
    layers = [
        Layer(0, Input()),
        Layer(1, Add(), (0, 2)),
        Layer(2, Dense(3), (1,)),
        Layer(3, Dense(1), (2,)),
    ]
    with pytest.raises(GraphError, match=r"cycle: layers \[1, 2, 3\]"):
        Graph.build(layers)


def test_more_than_one_main_input_is_refused() -> None:
    with pytest.raises(GraphError, match=r"exactly one Input without a view, got 2 \(layers \[0, 1\]\)"):
        Graph.build([Layer(0, Input()), Layer(1, Input()), Layer(2, Concat(), (0, 1))])


def test_no_layers_are_refused() -> None:
    with pytest.raises(GraphError, match="got no layers"):
        Graph.build([])


def test_a_layer_nobody_reads_is_refused() -> None:
    with pytest.raises(GraphError, match=r"nothing reads layer 1 \(Dense\(2\)\), layer 2 \(Dense\(3\)\)"):
        Graph.build([Layer(0, Input()), Layer(1, Dense(2), (0,)), Layer(2, Dense(3), (0,))])


def test_reading_a_layer_that_is_not_there_is_refused() -> None:
    with pytest.raises(GraphError, match=r"layer 1 \(Dense\(2\)\) reads \[7\], but there is no such layer"):
        Graph.build([Layer(0, Input()), Layer(1, Dense(2), (7,))])


def test_a_repeated_id_is_refused() -> None:
    with pytest.raises(GraphError, match=r"repeated: \[1\]"):
        Graph.build([Layer(0, Input()), Layer(1, Dense(2), (0,)), Layer(1, Dense(2), (0,))])


def test_an_activation_behind_the_logits_is_refused() -> None:
    with pytest.raises(GraphError, match=r"the output must be logits.*layer 2 \(Activation\)"):
        Graph.build([Layer(0, Input()), Layer(1, Dense(2), (0,)), Layer(2, Activation(), (1,))])


def test_logits_as_wide_as_the_input_are_refused() -> None:
    layers = [Layer(0, Input()), Layer(1, Dense(2), (0,)), Layer(2, Concat(), (0, 1))]
    with pytest.raises(GraphError, match="must not depend on the Input's"):
        Graph.build(layers)


def test_a_sum_of_different_widths_names_layers_and_widths() -> None:
    with pytest.raises(GraphError, match=r"layer 3 \(Add\).*layer 1 \(Dense\(4\)\): 4 units; .*: 5 units"):
        two_branches(4, 5, Add())


def test_a_sum_with_the_input_is_checked_once_its_width_is_known() -> None:
    layers = [Layer(0, Input()), Layer(1, Dense(4), (0,)), Layer(2, Add(), (0, 1)), Layer(3, Dense(1), (2,))]
    graph = Graph.build(layers)
    assert graph.required_input_units() == 4
    assert graph.shapes(4)[2] == 4
    with pytest.raises(GraphError, match=r"layer 0 \(Input\): 5 units; layer 1 \(Dense\(4\)\): 4 units"):
        graph.shapes(5)


@pytest.mark.parametrize(
    ("spec", "inputs", "message"),
    [
        (Dense(3), (0, 1), "layer 5: Dense.3. reads 1 input.s., got 2"),
        (Add(), (0,), "layer 5: Add reads at least 2 input.s., got 1"),
        (Input(), (0,), "layer 5: Input reads 0 input.s., got 1"),
    ],
)
def test_a_wrong_number_of_inputs_is_refused(spec: Dense, inputs: tuple[int, ...], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        Layer(5, spec, inputs)


@pytest.mark.parametrize("units", [0, -1, 2.5, True, "64", None])
def test_units_that_are_no_positive_integer_are_refused(units: object) -> None:
    with pytest.raises(GraphError, match="Dense.units must be a whole number of at least 1"):
        Dense(units)  # type: ignore[arg-type]


def test_numpy_integers_become_plain_ones() -> None:
    layer = Layer(np.int64(1), Dense(np.int32(4)), (np.int64(0),))  # type: ignore[arg-type]
    assert [type(value) for value in (layer.id, layer.inputs[0], layer.spec.output_units((3,)))] == [int] * 3


def test_an_unknown_function_gets_a_suggestion() -> None:
    with pytest.raises(GraphError, match="Did you mean 'relu'"):
        Activation("rellu")


@pytest.mark.parametrize("rate", [1.0, -0.1, "0.5", True])
def test_a_dropout_rate_outside_of_zero_to_one_is_refused(rate: object) -> None:
    with pytest.raises(GraphError, match="Dropout.rate"):
        Dropout(rate)  # type: ignore[arg-type]


def test_shapes_of_a_concatenation_are_summed() -> None:
    graph = two_branches(4, 5, Concat())
    assert graph.shapes(7) == {0: 7, 1: 4, 2: 5, 3: 9, 4: 2}
    assert graph.weight_shapes(7)[4] == {"kernel": (9, 2), "bias": (2,)}


def test_parameters_are_kernels_and_biases() -> None:
    assert linear(3).n_parameters(10) == 33
    assert mlp(3, widths=(4,)).n_parameters(10) == 33 + 44 + 15


def test_consumers_are_listed_once_each() -> None:
    graph = Graph.build([Layer(0, Input()), Layer(1, Dense(2), (0,)), Layer(2, Add(), (1, 1))])
    assert graph.consumers(1) == (2,)
    assert graph.shapes(3)[2] == 2


def test_depth_counts_dense_layers() -> None:
    assert (linear(2).depth(), mlp(2, widths=(8, 8)).depth()) == (1, 3)


def test_graphs_can_be_keys() -> None:
    assert {mlp(2): "a"}[Graph.build(mlp(2).layers)] == "a"


def test_next_id_is_free() -> None:
    assert mlp(2).next_id() not in mlp(2)


def test_asking_for_a_layer_that_is_not_there_lists_those_that_are() -> None:
    with pytest.raises(GraphError, match=r"there is no layer 9; the graph has layers \[0, 1\]"):
        linear(2).layer(9)


def test_a_concatenation_is_described() -> None:
    assert linear(2).describe() == "linear"
    assert mlp(2, widths=(64, 32)).describe() == "linear + [64-32]"
    assert two_branches(4, 5, Concat()).describe() == "[4-5 1 concat]"


def test_layer_norm_keeps_the_width() -> None:
    assert LayerNorm().output_units((6,)) == 6
    assert LayerNorm().weight_shapes((6,)) == {}
