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
from typing import Any

import numpy as np

from genokeras.explain.gradients import OutputGradients
from genokeras.explain.head import make_head
from genokeras.features import RowSpace, log_normalised
from genokeras.networks import TrainedTrial
from genokeras.searchers import Calibration

_ROWS_AT_ONCE = 256


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
    log_factors : numpy.ndarray or None
        ``(n_features,)``.
    """

    columns: np.ndarray
    matrix: np.ndarray
    mean: np.ndarray
    place: slice
    log_factors: np.ndarray | None

    def centred(self, u: np.ndarray) -> np.ndarray:
        """``(p, rows)`` float64 features -> ``(r, rows)`` coordinates: ``M^T (u - mean)``."""
        less = (u if len(self.columns) == len(u) else u[self.columns]) - self.mean[:, None]
        return self.matrix[:, None] * less if self.matrix.ndim == 1 else self.matrix.T @ less

    def add_backward(self, gradient: np.ndarray, into: np.ndarray) -> None:
        """``(r, rows)`` gradients with respect to ``q`` -> added to those with respect to ``u``, ``(p, rows)``."""
        found = self.matrix[:, None] * gradient if self.matrix.ndim == 1 else self.matrix @ gradient
        if len(self.columns) == len(into):
            into += found
        else:
            into[self.columns] += found


@dataclass(frozen=True, eq=False)
class Coordinates:
    """The parts of a run's networks, and the networks behind them.

    Attributes
    ----------
    parts : tuple of Part
    head : keras.Model
        ``h``: ``(rows, n_coordinates)`` -> class probabilities.
    n_coordinates : int
    n_features : int
    """

    parts: tuple[Part, ...]
    head: Any
    n_coordinates: int
    n_features: int

    def sources(self, x: np.ndarray) -> list[tuple[np.ndarray, tuple[Part, ...]]]:
        """``(n, p)`` raw samples as they are and behind each logarithm, with the parts that read them so."""
        groups: dict[bytes, list[Part]] = {}
        for part in self.parts:
            key = b"" if part.log_factors is None else part.log_factors.tobytes()
            groups.setdefault(key, []).append(part)
        found = []
        for parts in groups.values():
            factors = parts[0].log_factors
            found.append((x if factors is None else log_normalised(x, factors), tuple(parts)))
        return found

    def of(self, x: np.ndarray) -> np.ndarray:
        """``(n, p)`` raw samples -> ``(n, n_coordinates)`` float64."""
        found = np.empty((len(x), self.n_coordinates))
        for start in range(0, len(x), _ROWS_AT_ONCE):
            rows = x[start : start + _ROWS_AT_ONCE]
            for source, parts in self.sources(rows):
                u = source.T.astype("float64")
                for part in parts:
                    found[start : start + len(rows), part.place] = part.centred(u).T
        return found


def make_coordinates(
    trials: Sequence[TrainedTrial], n_features: int, calibration: Calibration | None = None
) -> Coordinates:
    """Part the networks of ``trials`` in two: the parts, and the head behind them."""
    parts: dict[object, Part] = {}
    places: dict[int, slice] = {}
    position = 0
    for space in (space for trial in trials for space in trial.spaces):
        key = _basis_key(space)
        if key not in parts:
            parts[key] = _part(space, position)
            position = parts[key].place.stop
        places[id(space)] = parts[key].place
    head = make_head(trials, places, position, calibration or Calibration())
    return Coordinates(tuple(parts.values()), head, position, n_features)


def _basis_key(space: RowSpace) -> object:
    if space.basis is not None:
        return id(space.basis)
    logged = None if space.log_factors is None else space.log_factors.tobytes()
    return space.columns.tobytes(), space.mean.tobytes(), logged


def _part(space: RowSpace, start: int) -> Part:
    if space.basis is None:
        matrix = space.inverse_sd.astype("float32")
    else:
        matrix = np.asarray(space.basis * space.inverse_sd[:, None], dtype="float32")
    width = len(space.columns) if space.basis is None else space.basis.shape[1]
    return Part(space.columns, matrix, space.mean, slice(start, start + width), space.log_factors)


class RowSpaceFrame:
    """A run's networks in row space; see ``genokeras.explain.paths.Frame``.

    A straight line in coordinates is one on which every view moves evenly: raw views from raw value to raw value, views behind the
    logarithm from logarithm to logarithm. A gene's share is what its value gives in each view, times the gradient there.

    Parameters
    ----------
    coordinates : Coordinates
    output : {"probability", "log_odds"}
    """

    def __init__(self, coordinates: Coordinates, output: str) -> None:
        self._coordinates = coordinates
        self.gradients = OutputGradients(coordinates.head, coordinates.n_coordinates, output)
        self.n_coordinates, self.n_outputs = coordinates.n_coordinates, self.gradients.n_outputs
        self._background: tuple[np.ndarray, list[tuple[np.ndarray, tuple[Part, ...]]]] | None = None

    def coordinates(self, x: np.ndarray) -> np.ndarray:
        return self._coordinates.of(x)

    def outputs(self, q: np.ndarray) -> np.ndarray:
        return self.gradients.outputs(q)

    def multiply_out(self, x: np.ndarray, background: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        needed = gradients[:-1] if self.gradients.sums_up else gradients
        turned = np.ascontiguousarray(needed.transpose(0, 2, 1))
        values = np.zeros((self.n_outputs, len(x)), dtype="float32")
        for (here, parts), (there, _) in zip(
            self._coordinates.sources(x[None]), self._sources(background), strict=True
        ):
            ahead = here.T - there.T
            for number, gradient in enumerate(turned):
                w = np.zeros_like(ahead)
                for part in parts:
                    part.add_backward(gradient[part.place], w)
                values[number] += np.einsum("pm,pm->p", ahead, w)
        if self.gradients.sums_up:
            values[-1] = -values[:-1].sum(axis=0)
        return values.T

    def _sources(self, background: np.ndarray) -> list[tuple[np.ndarray, tuple[Part, ...]]]:
        """The same rows come with every sample: their logarithm is taken once."""
        if (
            self._background is None
            or not np.shares_memory(self._background[0], background)
            or len(self._background[0]) != len(background)
        ):
            self._background = background, self._coordinates.sources(background)
        return self._background[1]
