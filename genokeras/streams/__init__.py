"""Data of any make as batches for Keras models, in an order that can be had again."""

from genokeras.streams.arrays import check_rows, dense_arrays, plain_arrays, take_rows
from genokeras.streams.batches import Batches
from genokeras.streams.items import Batch, BatchesEndedError

__all__ = [
    "Batch",
    "Batches",
    "BatchesEndedError",
    "check_rows",
    "dense_arrays",
    "plain_arrays",
    "take_rows",
]
