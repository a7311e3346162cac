"""Gradients of a run's networks along straight lines between coordinates.

===========  ==============================================================================  =================
symbol       meaning                                                                         shape
===========  ==============================================================================  =================
m, n, L      starts, ends, and lines: from every start to every end, the ends outside        ``L = n m``
a            how far along its line a point is, 0 to 1; points run over places, then lines   ``(A, L)``
H            what the leaves of a pack's members compute; see ``genokeras.explain.head``     ``(C, P)``
p            average of the members' answers                                                 ``(k, P)``
K            outputs whose gradients are computed: k, or k - 1 where answers have a fixed sum
d            gradients with respect to H                                                     ``(K, C, P)``
===========  ==============================================================================  =================

Leaves are linear in the coordinates, so that along a line ``H = H(start) + a (H(end) - H(start))``: their products are needed for
starts and ends only, and not for every point.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from genokeras.explain.head import Head, Pack, in_threads
from genokeras.explain.links import Inner
from genokeras.explain.members import Arrays

_ROUGH = 8
# Points of a batch: blending is one matrix product, which grows cheaper a point with their number.
_POINTS = 3200
# Blending takes two operations a point for each of them.
_STARTS = 32


@dataclass(frozen=True, eq=False)
class _Batch:
    """Some starts and ends, and the places on the lines between them.

    Attributes
    ----------
    starts, ends : slice
    count : int
        ``A``.
    blend : numpy.ndarray
        ``(starts + ends, P)`` float32: what is at the points, from what is at starts and ends.
    """

    starts: slice
    ends: slice
    count: int
    blend: np.ndarray

    @classmethod
    def of(cls, starts: slice, ends: slice, places: np.ndarray) -> _Batch:
        """Places: ``(ends, starts, A)``."""
        n, m, count = places.shape
        a = places.transpose(2, 0, 1)
        blend = np.zeros((m + n, count, n, m), dtype="float32")
        for j in range(m):
            blend[j, :, :, j] = 1.0 - a[:, :, j]
        for i in range(n):
            blend[m + i, :, i] = a[:, i]
        return cls(starts, ends, count, blend.reshape(m + n, -1))

    @property
    def points(self) -> int:
        return self.blend.shape[1]

    def in_lines(self, found: np.ndarray) -> np.ndarray:
        """``(k, P)`` -> ``(k, ends, starts, A)``."""
        starts = self.starts.stop - self.starts.start
        return found.reshape(len(found), self.count, -1, starts).transpose(0, 2, 3, 1)


class HeadLines:
    """Points on straight lines.

    Parameters
    ----------
    head : Head
    start, end : numpy.ndarray
        ``(m, n_coordinates)`` and ``(n, n_coordinates)``.
    """

    def __init__(self, head: Head, start: np.ndarray, end: np.ndarray) -> None:
        self._head = head
        self._ends_of = [(pack.at(start), pack.at(end)) for pack in head.packs]
        self._shape = len(end), len(start)

    def average(self, alphas: np.ndarray, rough: bool = False) -> np.ndarray:
        """Places ``(L, A)`` -> ``p``, ``(k, L, A)`` float32; ``rough``: over every eighth member of each pack."""
        k, (n, m) = self._head.n_outputs, self._shape
        found = np.zeros((k, n, m, alphas.shape[1]), dtype="float32")
        step = _ROUGH if rough else 1
        # Not 1 where trials have a sharpness.
        whole = np.float32(sum(float(pack.shares.sum()) for pack in self._head.packs))

        def work(batch: _Batch) -> None:
            p = np.zeros((k, batch.points), dtype="float32")
            total = np.float32(0.0)
            for pack, ends in zip(self._head.packs, self._ends_of, strict=True):
                for block in pack.blocks(batch.points, step):
                    z = pack.network.logits(_leaves(pack, ends, block, batch), pack.of(block))
                    p += np.tensordot(pack.shares[block], self._head.inner.answers(z), 1)
                    total += pack.shares[block].sum()
            found[:, batch.ends, batch.starts] = batch.in_lines(p * (whole / total))

        in_threads(work, list(self._batches(alphas)))
        return found.reshape(k, *alphas.shape)

    def average_and_gradients(self, alphas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """``p``, ``(k, L, A)``, and the gradients of its first ``K`` rows, ``(K, L, A, n_coordinates)``."""
        k, (n, m), size = self._head.n_outputs, self._shape, self._head.n_coordinates
        inner = self._head.inner
        rows = k - 1 if inner.fixed_sum else k
        found = np.zeros((k, n, m, alphas.shape[1]), dtype="float32")
        gradients = np.zeros((rows, n, m, alphas.shape[1], size), dtype="float32")

        def work(batch: _Batch) -> None:
            p = np.zeros((k, batch.points), dtype="float32")
            g = np.zeros((rows, batch.points, size), dtype="float32")
            # One for all packs, because allocating memory is slow.
            room = np.empty((rows, max(len(pack.bias) for pack in self._head.packs), batch.points), "float32")
            for pack, ends in zip(self._head.packs, self._ends_of, strict=True):
                d = room[:, : len(pack.bias)]
                for block in pack.blocks(batch.points):
                    p += _back(pack, inner, _leaves(pack, ends, block, batch), block, d)
                pack.add_gradients(g, d)
            found[:, batch.ends, batch.starts] = batch.in_lines(p)
            for c in range(rows):
                gradients[c, batch.ends, batch.starts] = batch.in_lines(g[c].T).transpose(1, 2, 3, 0)

        in_threads(work, list(self._batches(alphas)))
        return found.reshape(k, *alphas.shape), gradients.reshape(rows, *alphas.shape, size)

    def _batches(self, alphas: np.ndarray) -> Iterator[_Batch]:
        n, m = self._shape
        count = max(1, alphas.shape[1])
        starts = max(1, min(m, _STARTS, _POINTS // count))
        ends = max(1, _POINTS // (count * starts))
        # Batches of one size, so that no thread waits for another.
        ends = -(-n // -(-n // ends)) if n else ends
        places = alphas.reshape(n, m, -1)
        for i in range(0, n, ends):
            for j in range(0, m, starts):
                rows, columns = slice(i, min(i + ends, n)), slice(j, min(j + starts, m))
                yield _Batch.of(columns, rows, places[rows, columns])


def _leaves(pack: Pack, ends: tuple[np.ndarray, np.ndarray], block: slice, batch: _Batch) -> Arrays:
    """What the leaves of some members say on the points of a batch: ``(members, units, P)``."""
    first = pack.parts(ends[0][:, batch.starts], block)
    last = pack.parts(ends[1][:, batch.ends], block)
    return {
        leaf: np.matmul(np.concatenate([start, last[leaf]], axis=2), batch.blend)
        for leaf, start in first.items()
    }


def _back(pack: Pack, inner: Inner, leaves: Arrays, block: slice, d: np.ndarray) -> np.ndarray:
    """What a block of members adds to ``p``; its gradients are written into ``d``."""
    z, back = pack.network.logits_and_back(leaves, pack.of(block))
    answers, shares = inner.answers(z), pack.shares[block]
    for of_output, slope in zip(d, inner.slopes(z, answers), strict=True):
        slope *= shares[:, None, None]
        into = pack.parts(of_output, block)
        for leaf, gradient in back(slope).items():
            into[leaf][...] = gradient
    return np.asarray(np.tensordot(shares, answers, 1))
