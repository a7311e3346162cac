"""Batches of arrays, datasets, loaders and generators."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from genokeras.errors import DataError, ParameterError
from genokeras.streams import Batches, BatchesEndedError

X = np.arange(20, dtype="float32").reshape(10, 2)
Y = np.arange(10)


class Items(keras.utils.PyDataset):
    """Three batches; counts how many epochs have ended."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs = 0

    @property
    def num_batches(self) -> int:
        return 3

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rows = slice(3 * index, 3 * index + 3)
        return X[rows], Y[rows]

    def on_epoch_end(self) -> None:
        self.epochs += 1


def stream() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    return ((X[i : i + 4], Y[i : i + 4]) for i in (0, 4))


def firsts(batches: Batches, skip: int, count: int) -> list[tuple[int, int, float]]:
    taken = itertools.islice(batches.endless(skip), count)
    return [(epoch, index, float(np.asarray(x)[0, 0])) for epoch, index, (x, _, _), _ in taken]


SOURCES = {
    "arrays": lambda: Batches(X, Y, batch_size=4, shuffle=True, seed=1),
    "items": lambda: Batches(Items(), shuffle=True, seed=1),
    "function": lambda: Batches(stream),
    "list of examples": lambda: Batches(
        list(zip(X, Y, strict=True)), batch_size=4, shuffle=True, auto_batch=True
    ),
}


@pytest.mark.parametrize("source", SOURCES)
def test_skipping_gives_what_would_have_come(source: str) -> None:
    whole = firsts(SOURCES[source](), 0, 11)
    assert all(firsts(SOURCES[source](), skip, 11 - skip) == whole[skip:] for skip in range(11))


def test_every_epoch_holds_every_row_once_in_an_new_order() -> None:
    batches = Batches(X, Y, batch_size=4, shuffle=True)
    orders = [np.concatenate([y for _, y, _ in batches.epoch(number)]) for number in (0, 1)]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(10))
    assert not np.array_equal(*orders)


def test_rows_keep_together_with_their_targets_and_weights() -> None:
    for x, y, weight in Batches(X, Y, Y / 2, batch_size=3, shuffle=True).epoch():
        np.testing.assert_array_equal(x[:, 0], 2 * y)
        np.testing.assert_array_equal(weight, y / 2)


def test_the_first_batch_is_not_used_up() -> None:
    batches = Batches(stream())
    np.testing.assert_array_equal(batches.first()[0], X[:4])
    assert [len(x) for x, _, _ in batches.epoch()] == [4, 4]


def test_whole_batches_only_where_asked_for() -> None:
    assert [len(x) for x, _, _ in Batches(X, batch_size=4).epoch()] == [4, 4, 2]
    assert [len(x) for x, _, _ in Batches(X, batch_size=4, whole_only=True).epoch()] == [4, 4]
    assert [len(x) for x, _, _ in Batches(X, batch_size=40, whole_only=True).epoch()] == [10]


def test_numbers_of_batches_are_known_where_the_data_know() -> None:
    assert Batches(X, batch_size=4).n_batches == 3
    assert Batches(Items()).n_batches == 3
    assert Batches(stream()).n_batches is None


def test_the_last_batch_of_an_epoch_is_marked() -> None:
    marked = itertools.islice(Batches(stream).endless(), 4)
    assert [last for *_, last in marked] == [False, True, False, True]


def test_single_examples_are_stacked() -> None:
    batches = Batches(lambda: zip(X, Y, strict=True), batch_size=4, auto_batch=True)
    found = list(batches.epoch())
    assert [x.shape for x, _, _ in found] == [(4, 2), (4, 2), (2, 2)]
    np.testing.assert_array_equal(np.concatenate([y for _, y, _ in found]), Y)


def test_the_number_of_whole_stacked_batches_is_known_before_they_are_read() -> None:
    class Examples:
        """Ten single examples that can only be read in order."""

        def __len__(self) -> int:
            return 10

        def __iter__(self) -> Iterator[tuple[np.ndarray, int]]:
            return zip(X, Y.tolist(), strict=True)

    batches = Batches(Examples(), batch_size=4, auto_batch=True, whole_only=True)
    assert batches.n_batches == 2
    assert len(list(batches.epoch())) == 2


def test_tables_sparse_matrices_and_several_inputs_will_do() -> None:
    data = {"table": pd.DataFrame(X.astype("float64")), "sparse": scipy.sparse.csr_matrix(X)}
    x, y, _ = Batches(data, pd.Series(Y), batch_size=4).first()
    assert x["table"].dtype == "float32"
    np.testing.assert_array_equal(x["table"], x["sparse"])
    np.testing.assert_array_equal(y, Y[:4])


def test_a_pair_is_taken_apart() -> None:
    _, y, weight = Batches.of((X, Y), batch_size=10).first()
    np.testing.assert_array_equal(y, Y)
    assert weight is None


def test_a_tensorflow_dataset_of_unknown_length_will_do() -> None:
    data = pytest.importorskip("tensorflow").data.Dataset.from_tensor_slices((X, Y)).batch(4)
    assert Batches(data).n_batches == 3
    assert Batches(data.repeat()).n_batches is None
    assert firsts(Batches(data), 4, 1) == [(1, 1, 8.0)]


def test_a_dataloader_of_pytorch_with_a_generator_is_shuffled_alike_when_skipped() -> None:
    torch = pytest.importorskip("torch")

    def loader() -> Any:
        generator = torch.Generator().manual_seed(3)
        return torch.utils.data.DataLoader(list(zip(X, Y, strict=True)), 4, shuffle=True, generator=generator)

    assert firsts(Batches(loader()), 4, 3) == firsts(Batches(loader()), 0, 7)[4:]


def test_a_pydataset_hears_of_epochs_that_are_skipped() -> None:
    items = Items()
    firsts(Batches(items), 7, 1)
    assert items.epochs == 2


def test_other_data_have_another_fingerprint() -> None:
    first = Batches(X, Y).fingerprint()
    assert first == Batches(X.copy(), Y.copy()).fingerprint()
    assert first != Batches(X + 1, Y).fingerprint()


def test_a_generator_that_ended_cannot_be_started_again() -> None:
    with pytest.raises(
        BatchesEndedError, match="ended after 2 batches of the 5 needed.*function without arguments"
    ):
        list(Batches(stream()).endless(needed=5))


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X, Y[:5], "x: 10; y: 5"),
        (X[:0], Y[:0], "no samples"),
        (iter([]), None, "no batch"),
        (iter([(X, Y, Y, Y)]), None, "got 4 parts"),
        (iter([(X, Y[:5])]), None, "batch 0 of x.*x: 10; y: 5"),
        (iter([X]), Y, "must come from it too"),
        (7, None, "must be arrays"),
    ],
)
def test_data_that_cannot_be_batches_are_an_error(x: Any, y: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Batches(x, y).first()


def test_a_batch_of_another_shape_is_an_error_that_says_where() -> None:
    batches = [(X, Y), (X[:, :1], Y)]
    with pytest.raises(
        DataError, match=r"batch 1 of x holds rows of shape \(1,\), \(\).*first.*\(2,\), \(\)"
    ):
        list(Batches(iter(batches)).epoch())
    assert len(list(Batches(iter(batches), same_shapes=False).epoch())) == 2


def test_examples_of_another_shape_are_an_error_that_says_which() -> None:
    with pytest.raises(DataError, match=r"example 1 of x has shape \(3,\), but example 0 has \(2,\)"):
        Batches(lambda: [np.ones(2), np.ones(3)], auto_batch=True).first()


@pytest.mark.parametrize("size", [0, 2.5, True])
def test_batch_sizes_are_whole_numbers(size: Any) -> None:
    with pytest.raises(ParameterError, match="batch_size"):
        Batches(X, batch_size=size)


@pytest.mark.parametrize("source", ["arrays", "items", "function"])
def test_the_first_batch_that_is_read_is_checked_and_no_other(source: str) -> None:
    seen: list[int] = []
    batches = SOURCES[source]().check_first(lambda batch: seen.append(len(batch[0])))
    assert not seen
    first = len(batches.first()[0])
    list(batches.epoch())
    assert seen == [first]


def test_a_dataset_without_a_length_never_ends() -> None:
    class Endless(Items):
        num_batches = None  # type: ignore[assignment]

    assert Batches(Endless()).never_ends
    assert Batches(Endless()).whole().never_ends
    assert not any(source().never_ends for source in SOURCES.values())


def test_the_checksum_of_arrays_counts_every_target() -> None:
    rows, targets = np.zeros((5000, 2), "float32"), np.zeros(5000)
    other = targets.copy()
    other[1] = 1.0
    assert Batches(rows, targets).checksum() == Batches(rows, targets.copy()).checksum()
    assert Batches(rows, targets).checksum() != Batches(rows, other).checksum()
    assert Batches(rows, targets).checksum() != Batches(rows, targets, other).checksum()


@pytest.mark.parametrize(
    ("source", "repeats"),
    [
        (lambda: Batches(X, Y), True),
        (lambda: Batches([(X, Y)], auto_batch=True), True),
        (lambda: Batches(Items()), False),  # it does something between epochs, which may be shuffling
        (lambda: Batches(Items()).whole(), False),
    ],
)
def test_it_is_known_whether_items_are_the_same_in_another_process(source: Any, repeats: bool) -> None:
    batches = source()
    assert batches.checksum()
    assert batches.repeats is repeats


def test_a_stream_repeats_once_two_of_its_epochs_began_alike() -> None:
    drawn = itertools.count()
    same, other = Batches(stream), Batches(lambda: iter([np.full((2, 2), next(drawn))]))
    known = []
    for number in range(2):
        known.append((same.repeats, other.repeats))
        for batches in (same, other):
            list(batches.epoch(number))
    assert known == [(False, False), (False, False)]
    assert same.repeats and not other.repeats
    assert same.checksum() == Batches(stream).checksum()


def test_a_list_of_tuples_is_one_of_batches() -> None:
    given = [(np.zeros((3, 2)), np.zeros(3)), (np.ones((2, 2)), np.ones(2))]
    found = list(Batches(given).epoch())
    assert [len(x) for x, _, _ in found] == [3, 2]
    assert [y.tolist() for _, y, _ in found] == [[0.0] * 3, [1.0] * 2]
