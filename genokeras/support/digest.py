"""Digests of data: the same for the same values, in every process and on every machine of one byte order.

Run folders hold such digests, so that the bytes behind one must never change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse

SHORT = 32


def hex_digest(*parts: str | np.ndarray | Any, length: int = SHORT) -> str:
    """Return the first hexadecimal digits of the SHA-256 of texts, arrays and sparse matrices, one behind the other.

    An array counts by its values alone, a sparse matrix by its stored values and their places: where shapes or kinds of
    numbers may differ, give them as a text of their own.

    Parameters
    ----------
    *parts : str, numpy.ndarray, sparse matrix, or iterator of these
        An iterator spares memory where there are many large arrays.
    length : int
        Digits, at most 64.

    Raises
    ------
    TypeError
        If an array holds Python objects, which have no bytes of their own.

    Examples
    --------
    >>> hex_digest(np.arange(3), "brain")
    '6402b2a81241a33533e784a3e8171b4a'
    """
    digest = hashlib.sha256()
    for part in parts:
        for content in _bytes(part):
            digest.update(content)
    return digest.hexdigest()[:length]


def _bytes(part: Any) -> Iterator[Any]:
    if isinstance(part, str):
        yield part.encode("utf-8", "surrogatepass")
        return
    if isinstance(part, Iterator):
        for one in part:
            yield from _bytes(one)
        return
    stored = isinstance(part, sparse.csr_matrix | sparse.csc_matrix | sparse.csr_array | sparse.csc_array)
    for array in (part.data, part.indices, part.indptr) if stored else (part,):
        # A view, so that a large matrix is not copied.
        yield np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
