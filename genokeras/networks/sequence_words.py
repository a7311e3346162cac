"""Words of sequences inside a Keras model, as ``SequenceEncoder.counts`` has them.

A linear model of how often words occur is a sum, over the places of a sequence, of what it says of the word that begins there: a table
that is looked up, which for long sequences is far less work than to count first. One letter of a place is sure at most, so that a word and how
sure it is follow from which letter that is, and gradients are those of the letters that are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

# The number of a word, and how sure it is, at each place.
Words = tuple[Any, Any]


def words_of(letters: Any, lengths: Sequence[int], strands: bool) -> list[Words]:
    """The words of each length k, two tensors ``(batch, L - k + 1)`` each: numbers below 4^k, and 1 where all letters are sure.

    Parameters
    ----------
    letters : tensor of shape (batch, L, 4)
        One-hot; ambiguous letters are no part of a word.
    lengths : sequence of int
    strands : bool
        Whether a word and its reverse complement are the same: the smaller number stands for both.
    """
    read, found = _sure_letters(letters), []
    for k in lengths:
        word, sure = _words_at(*read, k)
        found.append((ops.take(_of_either_strand(k), word) if strands else word, sure))
    return found


class WordTables:
    """What a linear model says of words: stock layers, one for each length.

    Parameters
    ----------
    lengths : sequence of int
    n_outputs : int
    name : str
    """

    def __init__(self, lengths: Sequence[int], n_outputs: int, name: str) -> None:
        self._sizes = [4**k for k in lengths]
        self._tables = [keras.layers.Embedding(4**k, n_outputs, name=f"{name}_words_{k}") for k in lengths]

    def __call__(self, words: Sequence[Words]) -> Any:
        """``(batch, n_outputs)``."""
        terms = [
            ops.squeeze(ops.matmul(ops.expand_dims(sure, 1), table(word)), 1)
            for table, (word, sure) in zip(self._tables, words, strict=True)
        ]
        return keras.layers.Add()(terms) if len(terms) > 1 else terms[0]

    def set_kernel(self, kernel: np.ndarray, strands: bool) -> None:
        """Take over the rows ``(sum 4^k, n_outputs)`` of a kernel for counts; with both strands, counts are those of either."""
        first = 0
        for table, size in zip(self._tables, self._sizes, strict=True):
            part = kernel[first : first + size]
            if strands:
                part = part + part[_other_strand(size)]
            table.set_weights([part])
            first += size


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
    read = _sure_letters(letters)
    for k in range(2, longest + 1):
        words = _indicators(*_words_at(*read, k), k)
        found.append(ops.reshape(words, (-1, words.shape[1] * 4**k)))
    k, width, step = near
    pool = keras.layers.AveragePooling1D(width, step, data_format="channels_last", name="words_near")
    sums = width * pool(_indicators(*_words_at(*read, k), k))
    found.append(ops.reshape(sums, (-1, sums.shape[1] * 4**k)))
    return found


def _sure_letters(letters: Any) -> tuple[Any, Any]:
    """``(batch, L)`` each: the number of the letter that is there, and 1 for it; 0 where none is likelier than all others."""
    sure = ops.relu(2 * letters - 1)
    # At most one letter of a place is surer than all others. Other formats than Keras' know no argmax on every backend.
    there = ops.cast(sure > 0, "float32") * np.arange(letters.shape[2], dtype="float32")
    return ops.cast(ops.max(there, axis=2), "int32"), ops.sum(sure, axis=2)


def _words_at(letter: Any, much: Any, k: int) -> Words:
    """The word of k letters that begins at each place, the first letter the highest digit."""
    places = letter.shape[1] - k + 1
    word, sure = letter[:, :places], much[:, :places]
    for i in range(1, k):
        word = 4 * word + letter[:, i : i + places]
        sure = sure * much[:, i : i + places]
    return word, sure


def _indicators(word: Any, sure: Any, k: int) -> Any:
    """``(batch, places, 4^k)``."""
    return ops.one_hot(word, 4**k) * ops.expand_dims(sure, 2)


def _of_either_strand(k: int) -> np.ndarray:
    """For each word of k letters the smaller number of its own and its reverse complement's, ``(4^k,)``."""
    return np.minimum(np.arange(4**k, dtype="int32"), _other_strand(4**k))


def _other_strand(size: int) -> np.ndarray:
    """For each of 4^k words the number of its reverse complement, ``(4^k,)``."""
    k = round(np.log(size) / np.log(4))
    digits = np.stack([np.arange(size) // 4**i % 4 for i in range(k)])  # the last letter first
    return np.asarray(((3 - digits) * 4 ** np.arange(k - 1, -1, -1)[:, None]).sum(axis=0), dtype="int32")
