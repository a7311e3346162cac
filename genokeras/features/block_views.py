"""Views of several blocks: of each by itself, and of all together.

=========  ====================================================================  ==============
symbol     meaning                                                               shape
=========  ====================================================================  ==============
n, p_b     samples, features of block b that vary
X_b        features of a block, standardised on the samples that have it         ``(n, p_b)``
X          ``[X_1 / sqrt(p_1), X_2 / sqrt(p_2), ...]``: blocks of equal weight   ``(n, p)``
=========  ====================================================================  ==============

A view of block ``rna`` is called ``rna/all``, ``rna/top100``, ``rna/log:leading10`` ...; those of ``X`` have no prefix. Pairs are looked for
in ``X``, where both features of one may be of different blocks. Every block
has the mean squared length 1 in ``X``, so that a block of 20,000 features does not drown one of 20: a linear model on ``X`` adds up
one linear model a block. The logarithm is taken block by block, of blocks alone that it suits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from scipy import sparse

from genokeras.data.block import Block
from genokeras.errors import ParameterError
from genokeras.features.rescaling import Rescaling
from genokeras.features.rowspace import RowSpace
from genokeras.features.screening import BY_CLASS, Screening
from genokeras.features.standardise import Matrix, Standardisation
from genokeras.features.views import (
    DEFAULT_VIEWS,
    FittedView,
    Source,
    available_views,
    fit_view,
    is_leading,
    is_paired,
    raw_source,
    rescaled_source,
    rescaling_of,
    worth_fitting,
)

MARK = "/"
# With more, trials would be spread too thin; all kinds of views of all blocks come before further sizes of one kind.
MOST_VIEWS = 24
_FEWEST_FOR_LOGARITHM, _CENTRED, _ROWS_LOOKED_AT = 20, 0.1, 200


def block_of(view: str) -> str | None:
    """The block that a view reads; None of one of all blocks."""
    block, mark, _ = view.rpartition(MARK)
    return block if mark else None


def block_views(
    x: Matrix, blocks: Sequence[Block], names: Sequence[str] = DEFAULT_VIEWS, most: int = MOST_VIEWS
) -> tuple[str, ...]:
    """Names of views of all blocks together and of each, by turns; two of all come first, where their interactions can be seen.

    Parameters
    ----------
    x : numpy.ndarray or scipy.sparse.csr_matrix
        ``(n_samples, n_features)``, for the logarithm.
    blocks : sequence of Block
    names : sequence of str
        Those of one matrix, in the order in which they are wanted.
    most : int
        Views at most.
    """
    n = x.shape[0]
    logged = {block.name for block in blocks if suits_logarithm(x[:, block.columns])}
    parts: list[tuple[str, int, bool]] = [("", x.shape[1], bool(logged))]
    if len(blocks) > 1:
        parts += [(block.name + MARK, block.size, block.name in logged) for block in blocks]
    found: list[str] = []
    for name in names:
        for prefix, size, with_log in parts[:1] if is_paired(name) else parts:
            if available_views(size, (name,), n_samples=n) and (with_log or rescaling_of(name) is None):
                found.append(prefix + name)
    first = [name for name in found if block_of(name) is None][:2]
    return (*first, *(name for name in found if name not in first))[:most]


def suits_logarithm(x: Matrix) -> bool:
    """Whether intensities or counts: not shares between 0 and 1, nothing centred at 0, and not few features only."""
    if x.shape[1] < _FEWEST_FOR_LOGARITHM:
        return False
    rows = x[np.linspace(0, x.shape[0] - 1, min(x.shape[0], _ROWS_LOOKED_AT)).astype(int)]
    values = rows.toarray() if isinstance(rows, sparse.csr_matrix) else np.asarray(rows)
    if values.min() >= 0:
        return bool(values.max() > 1)
    return bool(np.median(values) > _CENTRED * values.std())


def fit_block_views(
    names: Sequence[str],
    x: Matrix,
    blocks: Sequence[Block],
    targets: np.ndarray,
    train: np.ndarray,
    present: np.ndarray | None = None,
    screening: Screening = BY_CLASS,
    fits: Callable[[float], bool] | None = None,
) -> dict[str, FittedView]:
    """Fit views of blocks by name; as `fit_views`.

    Parameters
    ----------
    names : sequence of str
        As `block_views` makes them.
    x : numpy.ndarray or scipy.sparse.csr_matrix
        ``(n_samples, n_features)``, the blocks one behind the other; a sample that lacks a block has the means of its features.
    blocks : sequence of Block
    targets : numpy.ndarray
    train : numpy.ndarray
        ``(n_folds, n_samples)`` bool.
    present : numpy.ndarray, optional
        ``(n_samples, n_blocks)`` bool: which samples have which block; all by default.
    screening : Screening
    fits : callable, optional

    Raises
    ------
    ParameterError
        If there is no such block or view.
    """
    sources = _BlockSources(x, blocks, np.asarray(train.any(axis=0)), present)
    fitted: dict[str, FittedView] = {}
    longest = 0.0
    for name in names:
        if fitted and fits is not None and not fits(longest):
            break
        started = time.perf_counter()
        block, bare = sources.block(name), name.rpartition(MARK)[2]
        source = sources.of(block, rescaling_of(bare))
        if fitted and not worth_fitting(bare, source, targets, train, screening):
            continue
        found = _even(fit_view(bare, source, targets, train, screening), train, not is_leading(bare))
        fitted[name] = replace(_moved(found, block, x.shape[1]), name=name)
        longest = max(longest, time.perf_counter() - started)
    return fitted


class _BlockSources:
    """What views are fitted to, made when a view first asks for it."""

    def __init__(
        self, x: Matrix, blocks: Sequence[Block], used: np.ndarray, present: np.ndarray | None
    ) -> None:
        self._x, self._blocks, self._used, self._present = x, blocks, used, present
        self._known: dict[tuple[str | None, str | None], Source] = {}

    def block(self, view: str) -> Block | None:
        name = block_of(view)
        if name is None:
            return None
        found = next((block for block in self._blocks if block.name == name), None)
        if found is None:
            known = ", ".join(block.name for block in self._blocks)
            raise ParameterError(f"the view {view!r} is of no block; the blocks are {known}.")
        return found

    def of(self, block: Block | None, kind: str | None) -> Source:
        """A block, or all together where it is None, behind a rescaling."""
        key = None if block is None else block.name, kind
        if key not in self._known:
            self._known[key] = self._joined(kind) if block is None else self._single(block, kind)
        return self._known[key]

    @cached_property
    def _suited(self) -> frozenset[str]:
        return frozenset(b.name for b in self._blocks if suits_logarithm(self._x[:, b.columns]))

    def _single(self, block: Block, kind: str | None) -> Source:
        rows = self._used
        if self._present is not None:
            rows = rows & self._present[:, list(self._blocks).index(block)]
        picked = None if rows.all() else np.flatnonzero(rows)
        x = self._x if block.size == self._x.shape[1] else self._x[:, block.columns]
        source = raw_source(x, picked) if kind is None else rescaled_source(x, kind, picked)
        varying = int(np.count_nonzero(source.scaling.inverse_sd))
        weight = 1.0 / np.sqrt(max(1, varying))
        scaling = Standardisation(source.scaling.mean, source.scaling.inverse_sd * weight)
        return Source(source.x, scaling, source.rescaling)

    def _joined(self, kind: str | None) -> Source:
        behind = {b.name: kind if b.name in self._suited else None for b in self._blocks}
        if kind is not None and not self._suited:
            raise ParameterError(
                f"no block suits the logarithm, so that there is no view of all blocks behind {kind!r}."
            )
        parts = [self.of(block, behind[block.name]) for block in self._blocks]
        scaling = Standardisation(
            np.concatenate([part.scaling.mean for part in parts]),
            np.concatenate([part.scaling.inverse_sd for part in parts]),
        )
        if kind is None:
            return Source(self._x, scaling)
        x = self._x.toarray() if sparse.issparse(self._x) else np.array(self._x)
        placed: list[Rescaling] = []
        for block, part in zip(self._blocks, parts, strict=True):
            if part.rescaling is not None:
                x[:, block.columns] = part.x
                placed.append(part.rescaling.placed(block.start, self._x.shape[1]))
        return Source(x, scaling, _together(placed))


def _together(parts: Sequence[Rescaling]) -> Rescaling:
    """Rescalings of different columns as one."""
    factors = np.sum([part.factors for part in parts], axis=0, dtype="float32")
    reference = np.sum([part.reference for part in parts], axis=0, dtype="float32")
    ranges = tuple(one for part in parts for one in part.ranges or ())
    return Rescaling(parts[0].kind, factors, reference, ranges)


def _even(view: FittedView, train: np.ndarray, wanted: bool) -> FittedView:
    """The view with coordinates of mean square 1: features that stay themselves still have the weights of their blocks."""
    if not wanted:
        return view
    shared = len({id(space) for space in view.spaces}) == 1
    spaces, z = list(view.spaces), view.z.copy()
    for fold, space in enumerate(view.spaces):
        rows = train.any(axis=0) if shared else train[fold]
        inner = view.z[fold][rows, : space.rank].astype("float64")
        size = float(np.sqrt((inner**2).mean())) or 1.0
        basis = np.eye(space.rank, dtype="float32") if space.basis is None else space.basis
        z[fold] /= size
        spaces[fold] = replace(space, basis=basis, scale=space.scale / size)
    return FittedView(view.name, tuple(spaces[:1] * len(spaces) if shared else spaces), z)


def _moved(view: FittedView, block: Block | None, n_features: int) -> FittedView:
    """The view of a block as one of all columns."""
    if block is None or block.size == n_features:
        return view
    moved: dict[int, np.ndarray] = {}
    rescaled: dict[int, Rescaling] = {}

    def place(space: RowSpace) -> RowSpace:
        columns = moved.setdefault(id(space.columns), space.columns + block.start)
        found = space.rescaling
        if found is not None:
            found = rescaled.setdefault(id(found), found.placed(block.start, n_features))
        return replace(space, columns=columns, rescaling=found)

    return FittedView(view.name, tuple(place(space) for space in view.spaces), view.z)
