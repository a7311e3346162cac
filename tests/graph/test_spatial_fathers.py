"""Fathers for sequences, images and token ids, and that those of vectors stay what they were."""

from __future__ import annotations

import numpy as np
import pytest

from genokeras.errors import ParameterError
from genokeras.graph import (
    SPATIAL_FATHERS,
    AddBranch,
    AddSkip,
    Conv,
    Deepen,
    Flatten,
    GlobalPool,
    Limits,
    Widen,
    dilated_cnn,
    get_father,
    linear,
    mlp,
    motif_cnn,
    mutations,
    residual_cnn,
    rfcn_densenet,
    small_cnn,
    text_cnn,
)


@pytest.mark.parametrize("shape", [(70, 4), (301, 4), (28, 28, 1), (32, 40, 3), (8, 8, 1), (50,)])
@pytest.mark.parametrize("name", SPATIAL_FATHERS)
def test_every_father_fits_its_inputs_and_refuses_others(name: str, shape: tuple[int, ...]) -> None:
    axes = {"text_cnn": (1,), "text_attention": (1,), "motif_cnn": (2,), "dilated_cnn": (2,)}.get(
        name, (2, 3)
    )
    if len(shape) not in axes:
        with pytest.raises(ParameterError, match="got input_shape"):
            get_father(name, 3, shape)
        return
    graph = get_father(name, 3, shape)
    assert graph.input_shape == shape and graph.n_outputs == 3 and graph.is_spatial
    assert Limits().allow(graph)


def test_an_epoch_of_thirty_thousand_sequences_is_a_matter_of_seconds() -> None:
    # Two cores do some 3e10 multiplications a second; forward and backward are three passes.
    for name in ("small_cnn", "motif_cnn", "residual_cnn", "dilated_cnn"):
        assert 3 * 30_000 * get_father(name, 2, (300, 4)).n_operations() / 3e10 < 20


def test_the_motif_layer_reads_both_strands() -> None:
    first = motif_cnn((100, 4), 2).layers[1].spec
    assert isinstance(first, Conv) and first.both_strands and 12 <= first.kernel_size[0] <= 24


def test_motifs_on_both_strands_need_four_bases() -> None:
    for father in (motif_cnn, dilated_cnn):
        with pytest.raises(ParameterError, match=r"A, C, G and T; got input_shape \(100, 3\)"):
            father((100, 3), 2)
    assert motif_cnn((100, 3), 2, both_strands=False).n_outputs == 2


def test_large_inputs_are_pooled_and_small_ones_flattened() -> None:
    small, large = (small_cnn(shape, 2) for shape in ((28, 28, 1), (128, 128, 3)))
    assert any(isinstance(layer.spec, Flatten) for layer in small.layers)
    assert any(isinstance(layer.spec, GlobalPool) for layer in large.layers)


def test_larger_images_have_more_blocks() -> None:
    described = [small_cnn((side, side, 3), 2, units=0).describe() for side in (28, 64, 128)]
    assert [text.count("x3") for text in described] == [2, 3, 4]
    assert max(residual_cnn((128, 128, 3), 2).shapes()[4][:2]) == 32


def test_an_unknown_head_is_refused() -> None:
    with pytest.raises(ParameterError, match="head must be one of flatten, max, average, attention"):
        motif_cnn((100, 4), 2, head="maximum")


def test_residual_stages_halve_positions() -> None:
    shapes = residual_cnn((28, 28, 1), 10).shapes()
    assert {shape[0] for shape in shapes.values() if len(shape) == 3} == {28, 14, 7}


def test_one_kernel_size_needs_no_concatenation() -> None:
    assert text_cnn((20,), 2, kernel_sizes=(3,)).n_outputs == 2


def test_a_father_of_the_other_kind_is_explained() -> None:
    with pytest.raises(
        ParameterError, match="father of a vector of features must be one of .*got 'motif_cnn'"
    ):
        get_father("motif_cnn", 2)
    with pytest.raises(ParameterError, match="father of an input with a shape must be one of .*got 'mlp'"):
        get_father("mlp", 2, (100, 4))
    with pytest.raises(ParameterError, match="Did you mean 'small_cnn'"):
        get_father("smal_cnn", 2, (100, 4))


def test_graphs_of_vectors_keep_their_fingerprints_and_mutations() -> None:
    # Run folders and journals of earlier versions hold these.
    assert [graph.fingerprint() for graph in (linear(2), mlp(3), rfcn_densenet(2))] == [
        "2aa343b81b7f6ebf3b9c8aaa1f8213fe",
        "12a59d94a7079c62c0c37cdb7536aa1b",
        "e2e94429442e924e7e2de7a07b2794f2",
    ]
    drawn = mutations(mlp(2), np.random.default_rng(0), 4)
    assert drawn == [Deepen(4), Widen(1), AddSkip(0, 4), AddBranch(128)]
    assert linear(2).to_dict() == {
        "format": 1,
        "layers": [
            {"id": 0, "kind": "input", "inputs": []},
            {"id": 1, "kind": "dense", "units": 2, "inputs": [0]},
        ],
    }
