"""The reference of layers with positions computes what can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from genokeras.errors import GraphError
from genokeras.graph import (
    BatchNorm,
    Conv,
    Dense,
    DepthwiseConv,
    Embedding,
    Flatten,
    GlobalPool,
    Graph,
    Input,
    Layer,
    LayerSpec,
    Pool,
    Weights,
    reference_forward,
)


def through(spec: LayerSpec, x: np.ndarray, **arrays: np.ndarray) -> np.ndarray:
    """Return the output of one layer for one sample, flattened, seen through a Dense that changes nothing."""
    flat = int(np.prod(spec.output_shape((x.shape,))))
    specs = [Input(x.shape), spec] + ([] if isinstance(spec, GlobalPool) else [Flatten()]) + [Dense(flat)]
    graph = Graph.build(Layer(i, s, (i - 1,) if i else ()) for i, s in enumerate(specs))
    weights: Weights = {
        1: {name: array[None] for name, array in arrays.items()},
        graph.output: {"kernel": np.eye(flat)[None], "bias": np.zeros((1, flat))},
    }
    return reference_forward(graph, weights, x[None], "relu")[0, 0]


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)[:, None]


def test_a_convolution_pads_with_zeros_and_adds_its_bias() -> None:
    kernel = np.array([1.0, 10.0, 100.0])[:, None, None]
    out = through(Conv(1, 3), column(1, 2, 3, 4), kernel=kernel, bias=np.array([0.5]))
    np.testing.assert_allclose(out, [210.5, 321.5, 432.5, 43.5])


def test_an_even_kernel_has_the_smaller_half_of_the_zeros_in_front() -> None:
    out = through(Conv(1, 2, bias=False), column(1, 2, 3), kernel=np.array([1.0, 10.0])[:, None, None])
    np.testing.assert_allclose(out, [21, 32, 3])


def test_strides_and_dilation_skip_positions() -> None:
    kernel = np.array([1.0, 10.0])[:, None, None]
    x = column(1, 2, 3, 4, 5)
    strided = through(Conv(1, 2, strides=2, padding="valid", bias=False), x, kernel=kernel)
    dilated = through(Conv(1, 2, dilation=3, padding="valid", bias=False), x, kernel=kernel)
    np.testing.assert_allclose(strided, [21, 43])
    np.testing.assert_allclose(dilated, [41, 52])


def test_an_image_is_convolved_along_both_axes() -> None:
    x = np.arange(9.0).reshape(3, 3, 1)
    kernel = np.array([[1.0, 0.0], [0.0, 10.0]])[:, :, None, None]
    np.testing.assert_allclose(
        through(Conv(1, (2, 2), padding="valid", bias=False), x, kernel=kernel), [40, 51, 73, 84]
    )


def test_a_depthwise_convolution_keeps_channels_apart() -> None:
    x = np.array([[1.0, 5.0], [2.0, 6.0]])
    kernel = np.array([[[1.0], [0.0]], [[0.0], [2.0]]])
    np.testing.assert_allclose(
        through(DepthwiseConv(2, padding="valid", bias=False), x, kernel=kernel), [1, 12]
    )


def one_hot(sequence: str) -> np.ndarray:
    return np.eye(4)[["ACGT".index(base) for base in sequence]]


def test_a_motif_counts_on_either_strand() -> None:
    motif = one_hot("GATTC")[:, :, None]
    spec = Conv(1, 5, padding="valid", bias=False, both_strands=True)
    forward = through(spec, one_hot("TTGATTCAA"), kernel=motif)
    backward = through(spec, one_hot("TTGAATCAA"), kernel=motif)  # GATTC read on the other strand
    assert forward.max() == backward.max() == 5
    assert forward.argmax() == backward.argmax() == 2


def test_both_strands_of_a_sequence_get_mirrored_answers() -> None:
    kernel = np.random.default_rng(0).standard_normal((4, 4, 1))
    spec = Conv(1, 4, bias=False, padding="valid", both_strands=True)
    x = one_hot("ACCTGATTTGCA")
    reverse_complement = x[::-1, ::-1]
    np.testing.assert_allclose(
        through(spec, x, kernel=kernel), through(spec, reverse_complement.copy(), kernel=kernel)[::-1]
    )


def test_channels_behind_the_bases_are_reversed_and_not_exchanged() -> None:
    x = np.zeros((2, 5))
    x[:, 4] = [1.0, 7.0]
    kernel = np.zeros((2, 5, 1))
    kernel[0, 4] = 1.0
    spec = Conv(1, 2, padding="valid", bias=False, both_strands=True)
    np.testing.assert_allclose(through(spec, x, kernel=kernel), [7])


def test_batch_norm_uses_its_moving_statistics() -> None:
    out = through(
        BatchNorm(),
        column(5.0),
        gamma=np.array([2.0]),
        beta=np.array([1.0]),
        moving_mean=np.array([3.0]),
        moving_variance=np.array([3.999]),
    )
    np.testing.assert_allclose(out, [3.0])


def test_pools_leave_out_what_no_window_covers() -> None:
    x = column(1, 4, 2, 8, 99)
    np.testing.assert_allclose(through(Pool("max", 2), x), [4, 8])
    np.testing.assert_allclose(through(Pool("average", 2), x), [2.5, 5])
    np.testing.assert_allclose(through(Pool("max", 3, 1), x), [4, 8, 99])


def test_attention_weighs_positions_by_a_softmax() -> None:
    x = column(0.0, np.log(3.0))
    expected = [0.75 * np.log(3.0)]
    np.testing.assert_allclose(through(Pool("attention", 2), x, kernel=np.eye(1)), expected)
    np.testing.assert_allclose(through(GlobalPool("attention"), x, kernel=np.eye(1)), expected)


def test_global_pools_cover_all_positions_of_an_image() -> None:
    x = np.arange(12.0).reshape(2, 3, 2)
    np.testing.assert_allclose(through(GlobalPool("max"), x), [10, 11])
    np.testing.assert_allclose(through(GlobalPool("average"), x), [5, 6])


def test_an_embedding_looks_ids_up() -> None:
    table = np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_allclose(
        through(Embedding(3, 2), np.array([2.0, 0.0, 1.0]), embeddings=table), [3, 4, 0, 0, 1, 2]
    )


def test_members_have_weights_of_their_own() -> None:
    graph = Graph.build(
        [Layer(0, Input((3, 1))), Layer(1, GlobalPool("max"), (0,)), Layer(2, Dense(1), (1,))]
    )
    weights: Weights = {2: {"kernel": np.array([[[1.0]], [[10.0]]]), "bias": np.zeros((2, 1))}}
    x = np.array([[[1.0], [3.0], [2.0]]])
    np.testing.assert_allclose(reference_forward(graph, weights, x, "relu")[:, 0, 0], [3, 30])
    own = np.stack([x, x + 1])
    np.testing.assert_allclose(reference_forward(graph, weights, own, "relu")[:, 0, 0], [3, 40])


def test_samples_without_positions_are_refused() -> None:
    graph = Graph.build([Layer(0, Input((3, 1))), Layer(1, Flatten(), (0,)), Layer(2, Dense(1), (1,))])
    with pytest.raises(GraphError, match=r"\(n_samples, 3, 1\).*got \(5, 3\)"):
        reference_forward(graph, {}, np.zeros((5, 3)), "relu")
