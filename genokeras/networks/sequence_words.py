"""Words of sequences inside a Keras model, as ``SequenceEncoder.counts`` has them.

A word begins at a place where the product of its letters' indicators is 1. How often a word occurs is a sum of such products
over the places; with the word cut in two, that is one matrix product of the parts' indicators, ``(4^a, L) (L, 4^b)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops


def word_counts(letters: Any, lengths: Sequence[int], strands: bool) -> list[Any]:
    """How often each word occurs, one tensor ``(batch, 4^k)`` for each length k.

    Parameters
    ----------
    letters : tensor of shape (batch, L, 4)
        One-hot; ambiguous letters are no part of a word.
    lengths : sequence of int
    strands : bool
        Whether the words of the other strand count as well.
    """
    sure, found = _sure(letters), []
    for k in lengths:
        front = k - k // 2
        places = letters.shape[1] - k + 1
        left = _words_at(sure, front)[:, :places]
        counts = ops.transpose(left, (0, 2, 1))
        if k > 1:
            counts = ops.matmul(counts, _words_at(sure, k - front)[:, front : front + places])
        else:
            counts = ops.sum(counts, axis=2)
        counts = ops.reshape(counts, (-1, 4**k))
        if strands:
            counts = counts + ops.take(counts, _other_strand(k), axis=1)
        found.append(counts)
    return found


def placed_words(letters: Any, longest: int, near: tuple[int, int, int]) -> list[Any]:
    """Letters by place, whether a word begins at each place, and how often within a stretch of them.

    Parameters
    ----------
    letters : tensor of shape (batch, L, 4)
    longest : int
        Letters of the longest word by place; there is ``(batch, (L - k + 1) 4^k)`` for k = 1 .. longest, nothing for 0.
    near : tuple of int
        Letters of a word, places of a stretch, and from one stretch to the next: ``(batch, stretches * 4^k)``.
    """
    if not longest:
        return []
    found = [keras.layers.Flatten(name="letters_by_place")(letters)]
    sure = _sure(letters)
    for k in range(2, longest + 1):
        words = _words_at(sure, k)
        found.append(ops.reshape(words, (-1, words.shape[1] * 4**k)))
    k, width, step = near
    pool = keras.layers.AveragePooling1D(width, step, data_format="channels_last", name="words_near")
    sums = width * pool(_words_at(sure, k))
    found.append(ops.reshape(sums, (-1, sums.shape[1] * 4**k)))
    return found


def _sure(letters: Any) -> Any:
    """1 for the letter that is there; 0 for those that might be."""
    return ops.relu(2 * letters - 1)


def _words_at(sure: Any, k: int) -> Any:
    """``(batch, L - k + 1, 4^k)``: 1 for the word that begins at a place."""
    places = sure.shape[1] - k + 1
    words = sure[:, :places]
    for i in range(1, k):
        pairs = words[:, :, :, None] * sure[:, i : i + places, None, :]
        words = ops.reshape(pairs, (-1, places, 4 ** (i + 1)))
    return words


def _other_strand(k: int) -> np.ndarray:
    """For each word of k letters the position of its reverse complement, ``(4^k,)``."""
    digits = np.stack([np.arange(4**k) // 4**i % 4 for i in range(k)])  # the last letter first
    return np.asarray(((3 - digits) * 4 ** np.arange(k - 1, -1, -1)[:, None]).sum(axis=0), dtype="int32")
