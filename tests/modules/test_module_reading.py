"""Loaders of any make as checked arrays."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np
import pytest

from genokeras.errors import DataError, ParameterError
from genokeras.modules.reading import (
    Pairs,
    class_numbers,
    expected_shape,
    numeric_targets,
    read_pairs,
)

X = np.arange(24, dtype="float32").reshape(6, 4)
Y = np.array([0, 1, 2, 0, 1, 2])


class Numbered(keras.utils.PyDataset):
    def __init__(self, batches: int | None = 3) -> None:
        super().__init__()
        self._batches = batches

    @property
    def num_batches(self) -> int | None:
        return self._batches

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return X[2 * index : 2 * index + 2], Y[2 * index : 2 * index + 2]


def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    return ((X[start : start + 4], Y[start : start + 4]) for start in (0, 4))


def pairs(y: object) -> Pairs:
    found = np.asarray(y)
    return Pairs(np.zeros((len(found), 1)), found, "train_data")


@pytest.mark.parametrize(
    "data",
    [(X, Y), (X.tolist(), Y.tolist()), batches, batches(), Numbered(), [(X[:3], Y[:3]), (X[3:], Y[3:])]],
)
def test_arrays_datasets_and_generators_are_read_whole(data: object) -> None:
    found = read_pairs(data, "train_data")
    assert found.y is not None
    np.testing.assert_array_equal(found.x, X)
    np.testing.assert_array_equal(found.y, Y)


def test_a_tf_dataset_is_read_whole() -> None:
    tf = pytest.importorskip("tensorflow")
    found = read_pairs(tf.data.Dataset.from_tensor_slices((X, Y)).batch(4), "train_data")
    np.testing.assert_array_equal(found.x, X)


def test_a_pytorch_loader_is_read_whole() -> None:
    torch = pytest.importorskip("torch")
    rows = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
    found = read_pairs(torch.utils.data.DataLoader(rows, batch_size=4), "train_data")
    np.testing.assert_array_equal(found.x, X)
    assert found.y is not None and found.y.tolist() == Y.tolist()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "train_data is missing"),
        ((X[:0], Y[:0]), "no samples"),
        (iter([]), "gave no batch: it is empty"),
        (X, "without targets"),
        ((X, Y[:4]), "same number of rows"),
        ((X, Y, np.ones(6)), "sample weights"),
        ((X[:, 0], Y), "must be rows"),
        ((np.where(X == 5, np.nan, X), Y), "the first is row 1"),
        ((X, np.array(list("abcabc"))), "y holds text .*a loss reads numbers"),
        (([X, X], Y), "one array"),
        (Numbered(None), "repeats for ever"),
    ],
)
def test_data_that_cannot_be_used_are_refused(data: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_pairs(data, "train_data")


def test_a_dataset_that_repeats_is_refused() -> None:
    tf = pytest.importorskip("tensorflow")
    with pytest.raises(DataError, match="repeats for ever"):
        read_pairs(tf.data.Dataset.from_tensor_slices((X, Y)).batch(4).repeat(), "train_data")


@pytest.mark.parametrize("asked", [(28, 28, 1), (60000, 28, 28, 1), (None, 28, 28, 1), None])
def test_an_input_shape_may_have_the_batch_axis_or_not(asked: tuple[int | None, ...] | None) -> None:
    assert expected_shape(asked, (28, 28, 1), "train_data") == (28, 28, 1)


def test_an_input_shape_with_channels_last_turns_samples_with_channels_first() -> None:
    assert expected_shape((60000, 32, 32, 3), (3, 32, 32), "train_data") == (32, 32, 3)


def test_another_input_shape_is_refused_with_both() -> None:
    with pytest.raises(DataError, match=r"input_shape is \(100, 32\).*shape \(64,\)"):
        expected_shape((100, 32), (64,), "train_data")


def test_an_input_shape_that_is_none_is_refused() -> None:
    with pytest.raises(ParameterError, match="x_train.shape"):
        expected_shape("28x28", (28, 28), "train_data")


@pytest.mark.parametrize("y", [[2, 0], [[2], [0]], [2.0, 0.0], [[0, 0, 1], [1, 0, 0]]])
def test_classes_are_numbers_or_one_hot(y: object) -> None:
    assert class_numbers(pairs(y), 3).tolist() == [2, 0]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 1, 3], "from 0 to 2.*1 target is not: row 2 has 3"),
        ([0, -1, 1], "row 1 has -1"),
        ([0, 0.5, 1], "row 1 has 0.5"),
        ([[0, 1], [1, 0]], "n_output_node is 3, but the targets of train_data have 2 columns"),
        ([[0, 1, 1], [1, 0, 0]], "one-hot.*row 0"),
    ],
)
def test_classes_that_do_not_fit_are_refused(y: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        class_numbers(pairs(y), 3)


def test_numbers_are_columns_of_the_outputs() -> None:
    assert numeric_targets(pairs([1.5, 2.5]), 1, False).tolist() == [[1.5], [2.5]]


def test_a_wrong_number_of_outputs_is_refused() -> None:
    with pytest.raises(DataError, match="n_output_node is 2, but the targets of train_data have 1 column"):
        numeric_targets(pairs([1.5, 2.5]), 2, False)
