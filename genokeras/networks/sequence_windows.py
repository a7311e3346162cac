"""Windows of sequences inside a Keras model, as :mod:`genokeras.encoders.windows` has them."""

from __future__ import annotations

from typing import Any

from keras import ops


def sequence_windows(letters: Any, window: int, count: int) -> list[tuple[Any, Any]]:
    """``n`` windows of each sequence, and how much they count: one share for each that the sequence needs, 0 for others.

    Parameters
    ----------
    letters : tensor of shape (batch, L, 4)
        One-hot; zeros beside the sequence.
    window : int
    count : int

    Returns
    -------
    list of (tensor of shape (batch, window, 4), tensor of shape (batch, 1))
    """
    there = ops.cast(ops.sum(letters, axis=2) > 0, "int32")
    front, behind = _zeros_before(there), _zeros_before(ops.flip(there, axis=1))
    width = int(letters.shape[1])
    lengths = ops.maximum(width - front - behind, 0)
    needed = ops.maximum((lengths + (window - 1)) // window, 1)
    gaps = ops.maximum(needed - 1, 1)
    around = ops.clip(front - (window - lengths) // 2, 0, width - window)
    # Letters of all rows end to end: not every exporter knows how to pick from each row on its own.
    flat = ops.reshape(letters, (-1, 4))
    rows = ops.cumsum(ops.ones_like(lengths), axis=0) - 1
    places = rows * width + ops.cumsum(ops.ones_like(there[:, :window]), axis=1) - 1
    found = []
    for number in range(count):
        spread = front + ops.minimum(gaps, number) * (lengths - window) // gaps
        starts = ops.where(lengths > window, spread, around)
        cut = ops.take(flat, starts + places, axis=0)
        found.append((cut, ops.cast(needed > number, "float32") / ops.cast(needed, "float32")))
    return found


def _zeros_before(there: Any) -> Any:
    """``(batch, 1)``: how many places come before the first 1."""
    return ops.sum(ops.cast(ops.equal(ops.cumsum(there, axis=1), 0), "int32"), axis=1, keepdims=True)
