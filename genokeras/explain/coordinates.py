"""Row-space coordinates: the few numbers through which a run's networks see a sample.

===========  =======================================================================  =================
symbol       meaning                                                                  shape
===========  =======================================================================  =================
M_j          basis j, each row divided by its feature's standard deviation            ``(k_j, r_j)``
u            a sample as basis j reads it: raw, or behind the logarithm               ``(p,)``
q_j          ``(u - mean)^T M_j``; all the ``q_j`` side by side are ``q``             ``(r_j,)``
h            the rest of the networks: ``f(x) = h(q(x))``
===========  =======================================================================  =================

All views and folds that share a basis share its coordinates. The gradients of ``h`` cost nothing that grows with the number of
genes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genokeras.explain.head import Head, in_threads, make_packs
from genokeras.explain.lines import HeadLines
from genokeras.explain.links import Inner, Link
from genokeras.explain.outer import Outer
from genokeras.features import Rescaling, RowSpace, key_of
from genokeras.networks import TrainedTrial

_ROWS_AT_ONCE = 256
# What is computed of them fits into a processor's cache.
_GENES_AT_ONCE, _LINES_AT_ONCE = 512, 160


@dataclass(frozen=True, eq=False)
class Part:
    """One basis and the place of its coordinates.

    Attributes
    ----------
    columns : numpy.ndarray
        ``(k,)`` features that it reads.
    matrix : numpy.ndarray
        ``M``, ``(k, r)`` float32; ``(k,)`` where the features stay themselves, which is a diagonal.
    mean : numpy.ndarray
        ``(k,)`` float64.
    place : slice
        Of ``q``.
    rescaling : Rescaling or None
    """

    columns: np.ndarray
    matrix: np.ndarray
    mean: np.ndarray
    place: slice
    rescaling: Rescaling | None

    def centred(self, u: np.ndarray) -> np.ndarray:
        """``(p, rows)`` float64 features -> ``(r, rows)`` coordinates: ``M^T (u - mean)``."""
        less = (u if len(self.columns) == len(u) else u[self.columns]) - self.mean[:, None]
        return self.matrix[:, None] * less if self.matrix.ndim == 1 else self.matrix.T @ less

    def add_values(self, values: np.ndarray, u: np.ndarray, v: np.ndarray, gradients: np.ndarray) -> None:
        """Add what this basis gives to the genes: ``sum over rows of (u - v) M g``.

        Parameters
        ----------
        values : numpy.ndarray
            ``(n, p, n_outputs)``, added to.
        u, v : numpy.ndarray
            ``(n, p)`` samples and ``(m, p)`` background rows, as this basis reads them.
        gradients : numpy.ndarray
            ``(n, K, m, n_coordinates)``; ``K`` may be less than the number of outputs.
        """
        genes = len(self.columns)

        def work(batch: tuple[slice, slice]) -> None:
            samples, rows = batch
            columns: np.ndarray | slice = rows if genes == u.shape[1] else self.columns[rows]
            ahead = u[samples][:, None, columns] - v[:, columns]
            for c in range(gradients.shape[1]):
                of_genes = self._backward(gradients[samples, c, :, self.place], rows)
                of_genes *= ahead
                values[samples, columns, c] += of_genes.sum(axis=1)

        size = max(1, _LINES_AT_ONCE // len(v))
        samples = [slice(start, start + size) for start in range(0, len(u), size)]
        starts = range(0, genes, _GENES_AT_ONCE)
        in_threads(
            work, [(part, slice(start, start + _GENES_AT_ONCE)) for start in starts for part in samples]
        )

    def _backward(self, gradients: np.ndarray, rows: slice) -> np.ndarray:
        """``(n, m, r)`` gradients with respect to ``q`` -> ``(n, m, genes)`` with respect to some of the genes of ``u``."""
        if self.matrix.ndim == 1:
            return np.asarray(gradients[:, :, rows] * self.matrix[rows])
        flat = gradients.reshape(-1, gradients.shape[2]) @ self.matrix[rows].T
        return np.asarray(flat.reshape(*gradients.shape[:2], -1))


@dataclass(frozen=True, eq=False)
class Coordinates:
    """The parts of a run's networks, and the networks behind them.

    Attributes
    ----------
    parts : tuple of Part
    head : Head
        ``h``, up to the average of the members' answers.
    n_coordinates : int
    """

    parts: tuple[Part, ...]
    head: Head
    n_coordinates: int

    def sources(self, x: np.ndarray) -> list[tuple[np.ndarray, tuple[Part, ...]]]:
        """``(n, p)`` raw samples as they are and behind each rescaling, with the parts that read them so."""
        groups: dict[bytes | None, list[Part]] = {}
        for part in self.parts:
            groups.setdefault(key_of(part.rescaling), []).append(part)
        found = []
        for parts in groups.values():
            rescaling = parts[0].rescaling
            found.append((x if rescaling is None else rescaling.apply(x), tuple(parts)))
        return found

    def of(self, x: np.ndarray) -> np.ndarray:
        """``(n, p)`` raw samples -> ``(n, n_coordinates)`` float64."""
        found = np.empty((len(x), self.n_coordinates))
        for start in range(0, len(x), _ROWS_AT_ONCE):
            rows = x[start : start + _ROWS_AT_ONCE]
            for source, parts in self.sources(rows):
                u = source.T.astype("float64")

                def work(part: Part, u: np.ndarray = u, start: int = start) -> None:
                    found[start : start + u.shape[1], part.place] = part.centred(u).T

                in_threads(work, parts)
        return found


def make_coordinates(trials: Sequence[TrainedTrial], inner: Inner) -> Coordinates:
    """Cut the networks of ``trials`` in two: the parts, and the head behind them."""
    parts: dict[object, Part] = {}
    places: dict[int, slice] = {}
    position = 0
    for space in (space for trial in trials for space in trial.every_space):
        key = _basis_key(space)
        if key not in parts:
            parts[key] = _part(space, position)
            position = parts[key].place.stop
        places[id(space)] = parts[key].place
    head = Head(make_packs(trials, places), inner, position, trials[0].graph.n_outputs)
    return Coordinates(tuple(parts.values()), head, position)


def _basis_key(space: RowSpace) -> object:
    if space.basis is not None:
        return id(space.basis)
    key = key_of(space.rescaling)
    return space.columns.tobytes(), space.mean.tobytes(), space.inverse_sd.tobytes(), key


def _part(space: RowSpace, start: int) -> Part:
    if space.basis is None:
        matrix = space.inverse_sd.astype("float32")
    else:
        matrix = np.asarray(space.basis * space.inverse_sd[:, None], dtype="float32")
    width = len(space.columns) if space.basis is None else space.basis.shape[1]
    return Part(space.columns, matrix, space.mean, slice(start, start + width), space.rescaling)


class RowSpaceFrame:
    """A run's networks in row space; see ``genokeras.explain.paths.Frame``.

    A straight line in coordinates is one on which every view moves evenly: raw views from raw value to raw value, views behind the
    logarithm from logarithm to logarithm. A gene's share is what its value gives in each view, times the gradient there.

    Parameters
    ----------
    trials : sequence of TrainedTrial
    link : Link
        What of their outputs is explained.
    """

    def __init__(self, trials: Sequence[TrainedTrial], link: Link) -> None:
        self._coordinates = make_coordinates(trials, link.inner)
        self._outer, self._fixed_sum = link.outer, link.inner.fixed_sum
        self.n_coordinates, self.n_outputs = self._coordinates.n_coordinates, trials[0].graph.n_outputs
        self.own_units = link.own_units

    def coordinates(self, x: np.ndarray) -> np.ndarray:
        return self._coordinates.of(x)

    def outputs(self, q: np.ndarray) -> np.ndarray:
        return self._outer.values(self._coordinates.head.average(q)).T

    def lines(self, start: np.ndarray, end: np.ndarray) -> RowSpaceLines:
        return RowSpaceLines(HeadLines(self._coordinates.head, start, end), self._outer)

    def multiply_out(self, x: np.ndarray, background: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        values = np.zeros((len(x), x.shape[1], self.n_outputs), dtype="float32")
        for (u, parts), (v, _) in zip(
            self._coordinates.sources(x), self._coordinates.sources(background), strict=True
        ):
            for part in parts:
                part.add_values(values, u, v, gradients)
        if self._fixed_sum:
            values[..., -1] = -values[..., :-1].sum(axis=-1)
        return values


@dataclass(frozen=True, eq=False)
class RowSpaceLines:
    """Straight lines between coordinates; see ``genokeras.explain.paths.Lines``."""

    lines: HeadLines
    outer: Outer

    def outputs(self, alphas: np.ndarray, rough: bool = False) -> np.ndarray:
        return self.outer.values(self.lines.average(alphas, rough)).transpose(1, 2, 0)

    def gradients(self, alphas: np.ndarray) -> np.ndarray:
        return self.outer.gradients(*self.lines.average_and_gradients(alphas))
