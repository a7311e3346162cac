"""Whatever an input function gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest

from genokeras.keras_models.model_builder import inputs_spec
from genokeras.keras_models.user_functions import UserFunctions
from tests.keras_models.any_models import blobs, model_fn, optimizer_fn

X, Y = blobs(20)


class Pieces(keras.utils.PyDataset):
    """Five batches of four."""

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rows = slice(4 * index, 4 * index + 4)
        return X[rows], Y[rows]


def generated() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    yield from (Pieces()[i] for i in range(5))


def single() -> Iterator[tuple[np.ndarray, int]]:
    yield from zip(X, Y, strict=True)


def dataset() -> Any:
    data = pytest.importorskip("tensorflow").data
    return data.Dataset.from_tensor_slices((X, Y)).batch(4)


def loader() -> Any:
    data = pytest.importorskip("torch.utils.data")
    torch = pytest.importorskip("torch")
    return data.DataLoader(data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y)), batch_size=4)


def fed(data: Any, **options: Any) -> Any:
    return UserFunctions(lambda: data(), model_fn, optimizer_fn).batches("evaluate", batch_size=4, **options)


@pytest.mark.parametrize("data", [lambda: (X, Y), Pieces, generated, dataset, loader])
def test_all_kinds_give_the_same_batches(data: Any) -> None:
    batches = list(fed(data).epoch())
    np.testing.assert_array_equal(np.concatenate([np.asarray(x) for x, _, _ in batches]), X)
    np.testing.assert_array_equal(np.concatenate([np.asarray(y) for _, y, _ in batches]), Y)


def test_single_examples_are_stacked() -> None:
    batches = list(fed(single, auto_batch=True).epoch())
    assert [x.shape for x, _, _ in batches] == [(4, 4)] * 5


def test_a_generator_is_started_again_by_calling_the_function_again() -> None:
    batches = fed(generated)
    batches.first()
    assert [len(list(batches.epoch(number))) for number in range(3)] == [5, 5, 5]


def test_the_spec_of_inputs_has_their_structure_shapes_and_types() -> None:
    spec = inputs_spec({"genes": np.zeros((7, 5)), "codes": [np.zeros((7, 2), "int32"), np.array(["a"] * 7)]})
    assert spec["genes"].shape == (None, 5)
    assert spec["genes"].dtype == "float32"
    assert [leaf.dtype for leaf in spec["codes"]] == ["int32", "string"]
