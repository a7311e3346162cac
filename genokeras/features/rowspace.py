"""Exact row space: few rows span few directions, and a dense layer never meets any other.

=========  ===========================================================  ===========
symbol     meaning                                                      shape
=========  ===========================================================  ===========
n, p       samples, features
X_s        features standardised on the training rows                   ``(n, p)``
V          orthonormal basis of the row span of X_s, from its thin SVD  ``(p, r)``
Z          c X_s V, what networks are trained on                        ``(n, r)``
c          scale that gives Z a mean square of one
=========  ===========================================================  ===========

A layer on ``Z`` with kernel ``A`` equals one on the raw features with ``W = diag(1/sd) V c A`` and a bias lower by
``mean^T W``: gradient steps on ``X_s`` from zero never leave the row span, so nothing is lost. The basis comes from the
Gram matrix ``X_s X_s^T`` in float64, which costs ``n^2 p`` and no copy of ``X``; that of more than 2,048 rows is truncated and comes
from a randomised singular value decomposition.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from genokeras.features.rescaling import Rescaling
from genokeras.features.standardise import Matrix, Standardisation, standardised_blocks

SMALLEST_SINGULAR_VALUE = 1e-3
# Up to this many directions the row space is exact; larger ones are cut to their leading directions.
EXACT_RANK = 1024
TRUNCATED_RANK = 256
_ROWS_AT_ONCE = 1024
_ROWS_MAPPED_AT_ONCE = 8192
# With more rows than this, which have more directions than are kept, the leading ones come from a part of the rows, spread evenly:
# so many at most, and about so many numbers; further random directions, and passes back and forth, make them precise.
ROWS_FOR_GRAM = 2048
_ROWS_FOR_LEADING = 5000
_LARGEST_SAMPLE = 50_000_000
_MORE_DIRECTIONS, _POWER_ITERATIONS = 16, 2


@dataclass(frozen=True)
class RowSpace:
    """A map from raw features to a few directions; linear, but for the logarithm or the ranks that may be taken first.

    Attributes
    ----------
    columns : numpy.ndarray
        ``(k,)`` the features that take part, as column numbers of the raw matrix.
    mean, inverse_sd : numpy.ndarray
        ``(k,)`` float64.
    basis : numpy.ndarray or None
        ``(k, r)`` float32 orthonormal columns, times the features' weights where they are weighted; None where there is nothing to
        gain and the features stay themselves.
    scale : float
    rotation : numpy.ndarray or None
        ``(r, q)`` float32, a subspace of the basis: orthonormal columns that span one fold's training rows, or leading components,
        each divided by its standard deviation.
    rescaling : Rescaling or None
        What raw rows go through first, a logarithm or ranks say.
    """

    columns: np.ndarray
    mean: np.ndarray
    inverse_sd: np.ndarray
    basis: np.ndarray | None
    scale: float
    rotation: np.ndarray | None = None
    rescaling: Rescaling | None = None

    @property
    def rank(self) -> int:
        if self.rotation is not None:
            return int(self.rotation.shape[1])
        return len(self.columns) if self.basis is None else int(self.basis.shape[1])

    def transform(self, x: Matrix) -> np.ndarray:
        """``(n, p)`` raw rows -> ``(n, rank)`` float32."""
        if self.rescaling is None:
            return self.project(x)
        z = np.empty((x.shape[0], self.rank), dtype="float32")
        for start in range(0, len(z), _ROWS_AT_ONCE):
            part = x[start : start + _ROWS_AT_ONCE]
            dense = part.toarray() if isinstance(part, sparse.csr_matrix) else np.asarray(part)
            z[start : start + _ROWS_AT_ONCE] = self.project(self.rescaling.apply(dense))
        return z

    def project(self, x: Matrix) -> np.ndarray:
        """``(n, p)`` rows behind the rescaling, if there is one -> ``(n, rank)`` float32."""
        z = np.empty((x.shape[0], self.rank), dtype="float32")
        for start in range(0, len(z), _ROWS_MAPPED_AT_ONCE):
            rows = slice(start, start + _ROWS_MAPPED_AT_ONCE)
            z[rows] = self._mapped(x[rows] if len(z) > _ROWS_MAPPED_AT_ONCE else x)
        return z

    def _mapped(self, x: Matrix) -> np.ndarray:
        if isinstance(x, sparse.csr_matrix) and self.basis is not None:
            z = self._mapped_sparse(x, self.basis)
            return np.asarray(self.scale * (z if self.rotation is None else z @ self.rotation))
        scaling = _expand(self, x.shape[1])
        z = np.zeros((x.shape[0], len(self.columns) if self.basis is None else self.basis.shape[1]))
        position = np.empty(x.shape[1], dtype=int)
        position[self.columns] = np.arange(len(self.columns))
        for part, block in standardised_blocks(x, scaling, self.columns):
            if self.basis is None:
                z[:, position[part]] = block
            else:
                z += block @ self.basis[position[part]]
        return np.asarray(self.scale * (z if self.rotation is None else z @ self.rotation))

    def _mapped_sparse(self, x: sparse.csr_matrix, basis: np.ndarray) -> np.ndarray:
        """Rows times the basis; no standardised rows are made, which would not be sparse."""
        read: Any = x if len(self.columns) == x.shape[1] else x[:, self.columns]
        kernel = self.inverse_sd[:, None] * basis
        if x.shape[0] > ROWS_FOR_GRAM:
            kernel = kernel.astype("float32")
        return np.asarray(read @ kernel - self.mean @ kernel.astype("float64"))

    def projection(self) -> np.ndarray:
        """``(k, rank)``: what standardised features are multiplied by, scale included."""
        basis = np.eye(len(self.columns), dtype="float32") if self.basis is None else self.basis
        rotated = basis if self.rotation is None else basis @ self.rotation
        return np.asarray(self.scale * rotated, dtype="float32")


@dataclass(frozen=True)
class PrincipalAxes:
    """Right singular vectors of some rows.

    Attributes
    ----------
    values : numpy.ndarray
        ``(k,)`` singular values, the largest first; those below a thousandth of it are left out.
    directions : numpy.ndarray
        ``(r, k)`` columns of length 1.
    n_rows : int
        Rows that they were found in.
    """

    values: np.ndarray
    directions: np.ndarray
    n_rows: int


def principal_axes(z: np.ndarray, rows: np.ndarray) -> PrincipalAxes:
    """The principal axes of the rows ``rows`` ``(n,)`` bool of ``z`` ``(n, r)``.

    They come from the eigenvectors of the smaller one of both Gram matrices, in float64: several times as fast as a singular value
    decomposition, and as exact for the singular values that are kept.
    """
    places = np.flatnonzero(rows)
    if len(places) < z.shape[1]:
        block = z[places].astype("float64")
        values, left = _leading_eigenvectors(block @ block.T)
        return PrincipalAxes(values, block.T @ left / values, len(places))
    gram = np.zeros((z.shape[1], z.shape[1]))
    for start in range(0, len(places), _ROWS_MAPPED_AT_ONCE):
        block = z[places[start : start + _ROWS_MAPPED_AT_ONCE]].astype("float64")
        gram += block.T @ block
    return PrincipalAxes(*_leading_eigenvectors(gram), len(places))


def _leading_eigenvectors(gram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Roots of the eigenvalues that count, the largest first, and their vectors as columns."""
    squares, vectors = np.linalg.eigh(gram)
    values = np.sqrt(np.maximum(squares[::-1], 0.0))
    kept = values > SMALLEST_SINGULAR_VALUE * values[0]
    return values[kept], vectors[:, ::-1][:, kept]


def restrict(space: RowSpace, axes: PrincipalAxes) -> RowSpace:
    """The part of a row space that the training rows of a fold span.

    An optimiser with a step size per coordinate, such as Adam, moves weights along every direction it is given; those
    that only held-out rows have would be pure noise for them. The basis itself stays shared between folds.

    Parameters
    ----------
    space : RowSpace
        Without a rotation, with a basis.
    axes : PrincipalAxes
        Of the fold's training rows in that space.
    """
    mean_square = (axes.values**2).sum() / (axes.n_rows * len(axes.values))
    return replace(
        space,
        rotation=axes.directions.astype("float32"),
        scale=float(space.scale / np.sqrt(mean_square)),
    )


def leading(space: RowSpace, axes: PrincipalAxes, count: int) -> RowSpace:
    """Scores of the leading principal components of the training rows of a fold, each of mean square 1 there.

    Parameters
    ----------
    space : RowSpace
        Without a rotation.
    axes : PrincipalAxes
        Of the fold's training rows in that space.
    count : int
        Components at most: there are no more than the rows span.

    Returns
    -------
    RowSpace
        From raw features to the scores, in the basis of the space; without one it gets one.
    """
    rotation = axes.directions[:, :count] * (np.sqrt(axes.n_rows) / axes.values[:count])
    if space.basis is None:
        return replace(space, basis=np.asarray(space.scale * rotation, dtype="float32"), scale=1.0)
    return replace(space, rotation=rotation.astype("float32"))


def _expand(space: RowSpace, n_features: int) -> Standardisation:
    mean, inverse_sd = np.zeros(n_features), np.zeros(n_features)
    mean[space.columns], inverse_sd[space.columns] = space.mean, space.inverse_sd
    return Standardisation(mean, inverse_sd)


def fit_row_space(
    x: Matrix,
    scaling: Standardisation,
    columns: np.ndarray | None = None,
    rows: np.ndarray | None = None,
    directions: int = TRUNCATED_RANK,
) -> RowSpace:
    """The row space of the rows ``rows`` of ``x`` over the features ``columns``.

    Parameters
    ----------
    x : numpy.ndarray or scipy.sparse.csr_matrix
        ``(n_samples, n_features)``.
    scaling : Standardisation
        Of all the features of ``x``.
    columns : numpy.ndarray, optional
        Features that take part; constant ones are left out in any case.
    rows : numpy.ndarray, optional
        Rows that span the space; all of them by default.
    directions : int
        Leading ones that are kept where there are more than 1,024: a truncated SVD, no longer exact.

    Returns
    -------
    RowSpace
        Directions with singular values below a thousandth of the largest are dropped.
    """
    everything = np.arange(x.shape[1]) if columns is None else np.asarray(columns)
    kept = everything[scaling.inverse_sd[everything] > 0]
    part_of = scaling.take(kept)
    spanning = np.arange(x.shape[0])[slice(None) if rows is None else rows]
    if len(kept) <= min(len(spanning), EXACT_RANK):
        return RowSpace(kept, part_of.mean, part_of.inverse_sd, None, 1.0)
    hasty = directions < TRUNCATED_RANK and len(spanning) > EXACT_RANK
    if len(spanning) > ROWS_FOR_GRAM or hasty:
        return _leading_directions(x, kept, part_of, spanning, directions)
    gram = np.zeros((len(spanning), len(spanning)))
    for _, block in standardised_blocks(x, scaling, kept):
        span = block if rows is None else block[spanning]
        gram += span @ span.T
    values, vectors = np.linalg.eigh(gram)
    order = values.argsort()[::-1]
    order = order[values[order] > SMALLEST_SINGULAR_VALUE**2 * values[order[0]]]
    order = order if len(order) <= EXACT_RANK else order[:directions]
    towards = np.zeros((x.shape[0], len(order)))
    towards[spanning] = vectors[:, order] / np.sqrt(values[order])
    basis = np.empty((len(kept), len(order)), dtype="float32")
    start = 0
    for part, block in standardised_blocks(x, scaling, kept):
        basis[start : start + len(part)] = block.T @ towards
        start += len(part)
    mean_square = values[order].sum() / (len(spanning) * len(order))
    return RowSpace(kept, part_of.mean, part_of.inverse_sd, basis, float(1.0 / np.sqrt(mean_square)))


def rows_for_leading(n_features: int) -> int:
    """Rows that leading directions of a large matrix are found in."""
    return min(_ROWS_FOR_LEADING, max(2 * EXACT_RANK, _LARGEST_SAMPLE // n_features))


def _leading_directions(
    x: Matrix, kept: np.ndarray, scaling: Standardisation, rows: np.ndarray, most_directions: int
) -> RowSpace:
    """Truncated basis of a large matrix, from some of its rows: a randomised singular value decomposition.

    With the standardised rows Z, which are never made: ``Q = orth(Z O)`` for random O, then twice ``Q = orth(Z orth(Z' Q))``; the
    left singular vectors of ``Z' Q`` are the directions (Halko, Martinsson and Tropp 2011, Finding structure with randomness,
    algorithms 4.4 and 5.1).
    """
    most = rows_for_leading(len(kept))
    if len(rows) > most:
        rows = rows[np.linspace(0, len(rows) - 1, most).astype(int)]
    part: Any = x[rows] if len(kept) == x.shape[1] else x[rows][:, kept]
    mean, inverse_sd = scaling.mean[:, None], scaling.inverse_sd[:, None]

    def times(w: np.ndarray) -> np.ndarray:
        scaled = inverse_sd * w
        return np.asarray(part @ scaled.astype("float32"), dtype="float64") - (mean * scaled).sum(axis=0)

    def transposed_times(q: np.ndarray) -> np.ndarray:
        found = np.asarray(part.T @ q.astype("float32"), dtype="float64")
        return np.asarray(inverse_sd * (found - mean * q.sum(axis=0)))

    start = np.random.default_rng(0).standard_normal((len(kept), most_directions + _MORE_DIRECTIONS))
    q = np.linalg.qr(times(start))[0]
    for _ in range(_POWER_ITERATIONS):
        q = np.linalg.qr(times(np.linalg.qr(transposed_times(q))[0]))[0]
    directions, values, _ = np.linalg.svd(transposed_times(q), full_matrices=False)
    counted = values[:most_directions] > SMALLEST_SINGULAR_VALUE * values[0]
    rank = int(counted.sum())
    scale = np.sqrt(len(rows) * rank / (values[:rank] ** 2).sum())
    basis = np.ascontiguousarray(directions[:, :rank], dtype="float32")
    return RowSpace(kept, scaling.mean, scaling.inverse_sd, basis, float(scale))
