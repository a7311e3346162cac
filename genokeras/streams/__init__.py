"""Data of any kind as batches for Keras models, in an order that can be repeated."""

from genokeras.streams.arrays import as_numpy, check_rows, dense_arrays, plain_arrays, take_rows
from genokeras.streams.batches import Batches
from genokeras.streams.items import Batch, BatchesEndedError

__all__ = [
    "Batch",
    "Batches",
    "BatchesEndedError",
    "as_numpy",
    "check_rows",
    "dense_arrays",
    "plain_arrays",
    "take_rows",
]
