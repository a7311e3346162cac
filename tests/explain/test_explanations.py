"""What an explanation says of its values: sizes, order, parts, additivity, names, and what arguments are refused."""

from __future__ import annotations

from dataclasses import replace

import anndata
import keras
import numpy as np
import pytest
from scipy import sparse

from genokeras.errors import DataError, ParameterError
from genokeras.explain import explain_model, marker_table, target_correlations
from genokeras.explain.checks import as_rows, named, pick_rows
from genokeras.explain.explanation import measure_additivity
from tests.explain.functions import made_explanation

# 2 samples, 3 genes, 2 outputs.
VALUES = np.array([[[1.0, 0.0], [-4.0, 2.0], [1.0, 8.0]], [[-3.0, 0.0], [0.0, -2.0], [3.0, 8.0]]])


def test_sizes_are_means_over_the_samples() -> None:
    found = made_explanation(VALUES)
    assert found.mean_abs.tolist() == [[2.0, 0.0], [2.0, 2.0], [2.0, 8.0]]
    assert found.mean_value.tolist() == [[-1.0, 0.0], [-2.0, 0.0], [2.0, 8.0]]


def test_genes_of_equal_size_stay_in_their_order() -> None:
    found = made_explanation(VALUES)
    assert found.order("class_0").tolist() == [0, 1, 2]
    assert found.order("class_1").tolist() == [2, 1, 0]
    # Sums: 2, 4, 10.
    assert found.order().tolist() == [2, 1, 0]


def test_several_targets_are_compared_by_how_far_they_move() -> None:
    # The second target moves by 80 on average, the first by 2.
    found = made_explanation(VALUES, output="number", outputs=np.array([[-2.0, 100.0], [2.0, 60.0]]))
    np.testing.assert_allclose(found.comparable, found.mean_abs / [2.0, 80.0])
    assert found.order().tolist() == [2, 1, 0]
    assert found["class_0"].comparable.tolist() == [[2.0], [2.0], [2.0]]


def test_a_target_that_never_moves_is_compared_as_it_is() -> None:
    found = made_explanation(VALUES, output="number", outputs=np.array([[0.0, 1.0], [0.0, 1.0]]))
    assert found.comparable[:, 0].tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize(
    ("output", "word", "plural"), [("probability", "class", "classes"), ("number", "target", "targets")]
)
def test_outputs_are_called_classes_or_targets(output: str, word: str, plural: str) -> None:
    found = made_explanation(VALUES, output=output)
    assert found.output_word == word
    assert f"2 samples x 3 features x 2 {plural}" in repr(found)
    with pytest.raises(ParameterError, match=f"no {word} 'clas_1'; there are class_0, class_1. Did you mean"):
        found.number_of("clas_1")
    adata = anndata.AnnData(np.zeros((1, 3), dtype="float32"))
    adata.var_names = ["g0", "g1", "g2"]
    assert found.to_anndata(adata).uns["explanation"][plural] == ["class_0", "class_1"]


@pytest.mark.parametrize(
    ("key", "shape", "genes", "outputs"),
    [
        (0, (1, 3, 2), "g0 g1 g2", "class_0 class_1"),
        (slice(1, None), (1, 3, 2), "g0 g1 g2", "class_0 class_1"),
        ("class_1", (2, 3, 1), "g0 g1 g2", "class_1"),
        ((slice(None), [2, 0]), (2, 2, 2), "g2 g0", "class_0 class_1"),
        ((slice(None), np.array([True, False, True]), -1), (2, 2, 1), "g0 g2", "class_1"),
    ],
)
def test_parts_keep_their_names(key: object, shape: tuple[int, int, int], genes: str, outputs: str) -> None:
    part = made_explanation(VALUES)[key]
    assert part.shape == shape
    assert part.base_values.shape == part.outputs.shape == (shape[0], shape[2])
    assert part.data.shape == shape[:2]
    assert " ".join(part.feature_names) == genes
    assert " ".join(part.output_names) == outputs


@pytest.mark.parametrize("key", [(0, 0, 0, 0), (..., 0)])
def test_an_index_of_other_axes_is_refused(key: object) -> None:
    with pytest.raises(ParameterError, match="has the axes samples, features and outputs"):
        made_explanation(VALUES)[key]


def test_additivity_is_the_error_as_a_share_of_the_range() -> None:
    outputs = VALUES.sum(axis=1) + 5.0 + np.array([[0.1, 0.0], [0.0, -4.0]])
    found = measure_additivity(VALUES, np.full((2, 2), 5.0), outputs, np.array([1.0, 20.0]))
    assert found.mean == pytest.approx((0.1 + 0.2) / 4)
    assert found.maximum == pytest.approx(0.2)
    assert found.output_range == 20.0
    assert str(found) == "additivity error 7.5e-02 on average, 2.0e-01 at most, of the output range"


def test_importances_find_their_genes_by_name() -> None:
    adata = anndata.AnnData(np.zeros((1, 4), dtype="float32"))
    adata.var_names = ["g2", "other", "g0", "g1"]
    written = made_explanation(VALUES).to_anndata(adata).varm["explanation_mean_value"]
    np.testing.assert_array_equal(written["class_0"], [2.0, np.nan, -1.0, -2.0])


def test_repeated_genes_in_the_same_order_are_told_apart_by_position() -> None:
    adata = anndata.AnnData(np.zeros((1, 3), dtype="float32"))
    adata.var_names = ["A", "B", "A"]
    found = replace(made_explanation(VALUES), feature_names=("A", "B", "A"))
    assert found.to_anndata(adata).varm["explanation_mean_abs"]["class_1"].tolist() == [0.0, 2.0, 8.0]


@pytest.mark.parametrize(
    ("explained", "there"),
    [
        (("A", "B", "A"), ["A", "A", "B"]),
        (("A", "B", "A"), ["A", "B", "C"]),
        (("A", "B", "C"), ["A", "B", "C", "A"]),
    ],
)
def test_repeated_genes_in_another_order_cannot_be_told_apart(
    explained: tuple[str, ...], there: list[str]
) -> None:
    adata = anndata.AnnData(np.zeros((1, len(there)), dtype="float32"))
    adata.var_names = there
    with pytest.raises(DataError, match="A stands more than once"):
        replace(made_explanation(VALUES), feature_names=explained).to_anndata(adata)


def test_repeated_outputs_are_refused(small_network: object, rows: np.ndarray) -> None:
    with pytest.raises(ParameterError, match="output_names must differ from each other: low stands more"):
        explain_model(small_network, rows[:2], rows, output_names=["low", "high", "low"])


def test_directions_follow_ranks_whatever_the_scale() -> None:
    data = np.array([[1.0, 1.0, 5.0], [2.0, 100.0, 5.0], [3.0, 2.0, 5.0], [4.0, 1e6, 5.0]])
    values = np.stack([-data[:, 0], np.log(data[:, 1]), data[:, 0]], axis=1)[:, :, None]
    table = marker_table(made_explanation(values, data))["class_0"].set_index("gene")
    assert table.loc[["g0", "g1", "g2"], "direction"].tolist() == ["down", "up", ""]


def test_copies_share_a_group_in_the_table() -> None:
    rng = np.random.default_rng(0)
    data = rng.normal(size=(20, 4))
    data[:, 3] = 2 * data[:, 1]
    values = np.tile(np.array([4.0, 3.0, 2.0, 1.0])[None, :, None], (20, 1, 1))
    table = marker_table(made_explanation(values, data))["class_0"]
    assert table["group"].isna().tolist() == [True, False, True, False]
    assert table["group_size"].tolist() == [1, 2, 1, 2]


def test_a_table_of_numbers_has_correlations() -> None:
    y = np.array([1.0, 2.0, 4.0])
    data = np.stack([y, np.array([3.0, 1.0, 2.0])], axis=1)
    explanation = made_explanation(data[:, :, None], data, "number", ("age",))
    table = marker_table(explanation, association=target_correlations(data, y, ["age"]))["age"]
    assert table["pearson_r"].tolist() == pytest.approx([1.0, np.corrcoef(data.T)[0, 1]])
    assert table.attrs["output_word"] == "target"
    with pytest.raises(ParameterError, match="association must be of the features and targets"):
        marker_table(explanation, association=target_correlations(data, y, ["height"]))


@pytest.mark.parametrize("top", [0, -1, 2.5, True])
def test_a_table_needs_a_row(top: int) -> None:
    with pytest.raises(ParameterError, match="top must be a whole number of at least 1"):
        marker_table(made_explanation(VALUES), top=top)


def test_gaps_are_filled_with_medians_where_there_are_any() -> None:
    x = np.array([[1.0, np.nan], [np.nan, 4.0]])
    assert as_rows(x, "x", 2, np.array([7.0, 8.0])).tolist() == [[1.0, 8.0], [7.0, 4.0]]
    with pytest.raises(
        DataError, match="x has missing or infinite values in 2 of 2 rows: 0, 1. Drop these rows"
    ):
        as_rows(x, "x")


def test_infinities_are_not_filled() -> None:
    with pytest.raises(DataError, match="in 1 of 1 rows"):
        as_rows([[np.inf, 1.0]], "x", 2, np.zeros(2))


def test_sparse_and_whole_numbers_are_read() -> None:
    x = np.array([[0, 3], [2, 0]])
    for given in (sparse.csr_matrix(x), x, x > 0):
        rows = as_rows(given, "x")
        assert rows.dtype == np.float32
        assert np.array_equal(rows > 0, x > 0)


def test_names_are_numbered_where_none_are_given() -> None:
    assert named(None, 3, "sample_ids", "s") == ("s0", "s1", "s2")
    assert named([1, "b"], 2, "sample_ids", "s") == ("1", "b")
    with pytest.raises(
        ParameterError, match=r"sample_ids must have one name each: expected 2, got 4 \(a, b, c, and 1"
    ):
        named(list("abcd"), 2, "sample_ids", "s")


def test_rows_are_picked_once_each_in_their_order() -> None:
    picked = pick_rows(100, 30, seed=1)
    assert np.array_equal(picked, np.unique(picked)) and len(picked) == 30
    assert np.array_equal(picked, pick_rows(100, 30, seed=1))
    assert not np.array_equal(picked, pick_rows(100, 30, seed=2))
    assert np.array_equal(pick_rows(5, None, 0), pick_rows(5, 9, 0)) and len(pick_rows(5, None, 0)) == 5


@pytest.mark.parametrize("output", ["probability", "log_odds"])
def test_numbers_are_not_explained_as_probabilities(rows: np.ndarray, output: str) -> None:
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2, bias_initializer="ones")])
    with pytest.raises(ParameterError, match=f"output='{output}' needs a model that predicts probabilities"):
        explain_model(model, 100 * rows, rows, output=output)


@pytest.mark.parametrize("model", ["network", object()])
def test_what_is_no_model_is_refused(rows: np.ndarray, model: object) -> None:
    with pytest.raises(ParameterError, match="must be a built keras.Model"):
        explain_model(model, rows, rows)
