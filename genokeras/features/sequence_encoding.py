"""Sequences as numbers: padded codes, one-hot arrays with probabilities, masks, other strands, k-mer counts.

| symbol | meaning | shape |
|---|---|---|
| n | sequences | |
| L | letters, the longest or a given number | |
| codes | sets of bases as bits, A = 1, C = 2, G = 4, T = 8; 0 is padding | (n, L) uint8 |
| one-hot | the probability of A, C, G and T: R is (.5, 0, .5, 0), N is .25 four times, padding is zeros | (n, L, 4) float32 |

Codes take a sixteenth of the memory of one-hot arrays: keep them, and unfold them batch by batch.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from scipy import sparse

from genokeras.data.bases import COMPLEMENT, PROBABILITIES
from genokeras.data.sequences import SequenceData
from genokeras.support.checks import check_choice, check_whole

Align = Literal["left", "centre", "right"]
_LARGEST_K = 12
_BLOCK_LETTERS = 1_000_000
_DENSE_WORDS = 4096


def _digits() -> np.ndarray:
    digits = np.full(16, -1, dtype=np.int32)
    digits[[1, 2, 4, 8]] = np.arange(4)
    return digits


# (16,): 0, 1, 2, 3 for the codes of A, C, G, T, and -1 for all others.
_DIGITS = _digits()


def padded_codes(data: SequenceData, length: int | None = None, align: Align = "left") -> np.ndarray:
    """Lay sequences out in rows of one length; what is too long is cut, what is missing is 0.

    Parameters
    ----------
    length : int, optional
        Letters of a row; without it those of the longest sequence.
    align : {"left", "centre", "right"}
        Which part of a sequence stands where it stood: its start, its middle (as for sequences around a site), its end.

    Returns
    -------
    ndarray of uint8, shape (n_sequences, length)
    """
    check_choice(align, "align", get_args(Align))
    lengths = data.lengths
    width = check_whole(lengths.max() if length is None else length, "length")
    if (lengths == width).all():
        return data.codes.reshape(len(data), width).copy()
    # Letters before the start of a row are cut, or padding where negative.
    cut = {"left": np.zeros_like(lengths), "centre": -((width - lengths) // 2), "right": lengths - width}[
        align
    ]
    starts = np.maximum(0, -cut)
    ends = np.minimum(width, lengths - cut)
    columns = np.arange(width)
    inside = (columns >= starts[:, np.newaxis]) & (columns < ends[:, np.newaxis])
    codes = np.zeros((len(data), width), dtype=np.uint8)
    codes[inside] = data.codes if (lengths <= width).all() else data.codes[_kept(data, cut, ends - starts)]
    return codes


def _kept(data: SequenceData, cut: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the places of the letters that stay: of each sequence `counts`, behind what is cut in front."""
    first = data.offsets[:-1] + np.maximum(0, cut)
    before = np.cumsum(counts) - counts
    return np.arange(counts.sum()) + np.repeat(first - before, counts)


def one_hot(codes: np.ndarray) -> np.ndarray:
    """Return float32 ``(..., 4)``: the probability of A, C, G and T at every place of `codes`."""
    return np.take(PROBABILITIES, codes, axis=0)


def mask(codes: np.ndarray) -> np.ndarray:
    """Return which places hold a letter and not padding: bool, the shape of `codes`."""
    return np.asarray(codes != 0)


def reverse_complement(codes: np.ndarray, *, keep_padding: bool = True) -> np.ndarray:
    """Return the other strand, read in its own direction: uint8 ``(n, L)``.

    Parameters
    ----------
    keep_padding : bool
        Padding stays at the side where it is, so that rows aligned left stay aligned left. Without it, rows are turned as
        they are, and padding changes sides.
    """
    turned = COMPLEMENT[codes[:, ::-1]]
    if not keep_padding or codes.all():
        return turned
    there = codes != 0
    front = np.where(there.any(axis=1), there.argmax(axis=1), 0)
    back = np.where(there.any(axis=1), there[:, ::-1].argmax(axis=1), 0)
    # The padding in front is now behind, as long as it was: move each row back by the difference.
    columns = (np.arange(codes.shape[1]) + (back - front)[:, np.newaxis]) % codes.shape[1]
    return np.asarray(np.take_along_axis(turned, columns, axis=1))


def kmer_counts(data: SequenceData, k: int, *, both_strands: bool = False) -> sparse.csr_matrix:
    """Count the words of `k` letters in every sequence; words with an ambiguous letter are left out.

    Parameters
    ----------
    k : int
        From 1 to 12.
    both_strands : bool
        Count the words of the other strand as well, so that a sequence and its reverse complement are alike.

    Returns
    -------
    csr_matrix of float32, shape (n_sequences, 4**k)
        Columns in the order of `kmer_names`.
    """
    check_whole(k, "k", 1, _LARGEST_K)
    blocks = np.array_split(np.arange(len(data)), 1 + min(len(data) - 1, len(data.codes) // _BLOCK_LETTERS))
    counts = [_kmer_block(data, int(b[0]), int(b[-1]) + 1, k, both_strands) for b in blocks]
    return sparse.csr_matrix(sparse.vstack(counts, format="csr"))


def _kmer_block(data: SequenceData, start: int, end: int, k: int, both_strands: bool) -> sparse.csr_matrix:
    """Count the words of the sequences from `start` up to `end`."""
    offsets = data.offsets[start : end + 1] - data.offsets[start]
    letters = _DIGITS[data.codes[data.offsets[start] : data.offsets[end]]]
    places = max(0, len(letters) - k + 1)
    words, other = np.zeros(places, dtype=np.int32), np.zeros(places, dtype=np.int32)
    known = np.ones(places, dtype=bool)
    for i in range(k):
        letter = letters[i : i + places]
        words = words * 4 + letter
        other += (3 - letter) * np.int32(4**i)
        known &= letter >= 0
    # A word must end in the sequence it starts in.
    for end_of_one in offsets[1:-1].tolist() if k > 1 else ():
        known[max(0, end_of_one - k + 1) : end_of_one] = False
    rows = np.repeat(np.arange(end - start), np.diff(offsets))[:places][known]
    columns = words[known]
    if both_strands:
        rows, columns = np.concatenate([rows, rows]), np.concatenate([columns, other[known]])
    shape = (end - start, 4**k)
    if 4**k <= _DENSE_WORDS:
        dense = np.bincount(rows * 4**k + columns, minlength=shape[0] * shape[1]).reshape(shape)
        return sparse.csr_matrix(dense.astype(np.float32))
    return sparse.csr_matrix(
        sparse.coo_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)
    )


def words_by_place(codes: np.ndarray, k: int) -> sparse.csr_matrix:
    """Say which word of `k` letters begins at each place; words with an ambiguous letter are left out.

    Parameters
    ----------
    codes : numpy.ndarray
        ``(n, L)`` uint8.
    k : int

    Returns
    -------
    csr_matrix of float32, shape (n, (L - k + 1) * 4**k)
        Place by place, within it in the order of `kmer_names`.
    """
    n, places = len(codes), codes.shape[1] - k + 1
    letters = _DIGITS[codes]
    words = np.zeros((n, places), dtype=np.int32)
    known = np.ones((n, places), dtype=bool)
    for i in range(k):
        letter = letters[:, i : i + places]
        words = words * 4 + letter
        known &= letter >= 0
    columns = (np.arange(places, dtype=np.int32) * 4**k + words)[known]
    ends = np.concatenate([[0], np.cumsum(known.sum(axis=1))])
    ones = np.ones(len(columns), dtype=np.float32)
    return sparse.csr_matrix((ones, columns, ends), shape=(n, places * 4**k))


def words_near(codes: np.ndarray, k: int, width: int, step: int) -> sparse.csr_matrix:
    """Count the words of `k` letters that begin within ``width`` places; else as `words_by_place`.

    Parameters
    ----------
    codes : numpy.ndarray
        ``(n, L)`` uint8.
    k : int
    width, step : int
        Places of a stretch, and from the start of one to that of the next.

    Returns
    -------
    csr_matrix of float32, shape (n, n_stretches * 4**k)
    """
    places = codes.shape[1] - k + 1
    starts = np.arange(0, places - width + 1, step)
    inside = (starts[:, None] + np.arange(width)).ravel()
    ones = np.ones(len(inside), dtype=np.float32)
    pool = sparse.csr_matrix(
        (ones, (inside, np.repeat(np.arange(len(starts)), width))), (places, len(starts))
    )
    of_words = sparse.kron(pool, sparse.identity(4**k, dtype=np.float32, format="csr"), format="csr")
    return sparse.csr_matrix(words_by_place(codes, k) @ of_words)


def kmer_names(k: int) -> tuple[str, ...]:
    """Return the words of `k` letters in alphabetic order: ``("AA", "AC", ...)`` for 2."""
    names = [""]
    for _ in range(k):
        names = [name + base for name in names for base in "ACGT"]
    return tuple(names)
