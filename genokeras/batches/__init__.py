"""Data of any make as batches for Keras models, in an order that can be had again."""

from __future__ import annotations

from genokeras.batches.arrays import check_rows, dense_arrays, plain_arrays, take_rows
from genokeras.batches.batches import Batches
from genokeras.batches.items import Batch, BatchesEndedError

__all__ = [
    "Batch",
    "Batches",
    "BatchesEndedError",
    "check_rows",
    "dense_arrays",
    "plain_arrays",
    "take_rows",
]
