"""Views: which features a network sees, each with its own row-space basis.

``all`` rotates every row by one basis, which reveals no target and therefore serves all folds; each fold works in the part
of it that its training rows span. ``top<k>`` keeps the ``k`` features with the largest statistic (``genokeras.features.screening``);
that looks at targets, so it is fitted inside each fold, on the fold's training rows only. ``weighted<k>`` keeps the ``k`` features
with the largest coefficients of a ridge regression, inside each fold as well, and multiplies each by the size of its coefficient.
``leading<k>`` are the scores of the ``k`` leading principal components of a fold's training rows, each of variance 1 there: what
many genes do together, where products of modules or pathways can be seen. ``paired<k>`` keeps the ``k`` features that are most related
to the targets together with another one (``genokeras.features.pairs``), whatever they say alone; it is left out of a search where no
pair stands out. ``log``, ``log:top<k>``, ``log:weighted<k>`` and
``log:leading<k>`` are the same behind the logarithm; so are ``rank``, ``ratio`` and ``arcsinh`` and what begins with them
(``genokeras.features.rescaling``).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy import sparse

from genokeras.errors import ParameterError
from genokeras.features.pairs import some_pair_stands_out
from genokeras.features.rescaling import KINDS, Rescaling, fit_rescaling
from genokeras.features.rowspace import (
    TRUNCATED_RANK,
    PrincipalAxes,
    RowSpace,
    fit_row_space,
    leading,
    principal_axes,
    restrict,
)
from genokeras.features.screening import BY_CLASS, Screening
from genokeras.features.standardise import Matrix, Standardisation, standardisation

# Searches try them in this order: those that differ most come first, so that a search of few trials has seen each kind.
DEFAULT_VIEWS = (
    "all",
    "leading10",
    "paired4",
    "paired20",
    "log",
    "log:leading10",
    "top100",
    "log:weighted2000",
    "log:top300",
    "leading30",
    "weighted2000",
    "log:top100",
    "top300",
    "log:leading30",
    "top1000",
    "log:top1000",
)
# The same, with those among the first ones that look at nothing a study changes for all genes of a sample together.
TRAVELLING_VIEWS = (
    "all",
    "rank",
    "log",
    "ratio",
    "leading10",
    "rank:leading10",
    "rank:top100",
    "rank:weighted2000",
    *(name for name in DEFAULT_VIEWS if name not in ("all", "log", "leading10")),
)
_LARGEST_COPY = 50_000_000
# Weights come from the Gram matrix of all samples over all features: n^2 p multiplications at most.
_LARGEST_GRAM = 100_000_000_000
_KINDS = "|".join(KINDS)
_VIEW = re.compile(
    rf"all|(?P<whole>{_KINDS})|((?P<kind>{_KINDS}):)?(?P<part>top|weighted|leading|paired)(?P<count>[1-9][0-9]*)"
)


@dataclass(frozen=True)
class Source:
    """What a view is fitted to.

    Attributes
    ----------
    x : numpy.ndarray or scipy.sparse.csr_matrix
        ``(n_samples, n_features)``, behind the rescaling if there is one.
    scaling : Standardisation
        Of ``x``.
    rescaling : Rescaling or None
        What raw rows went through.
    directions : int
        As in `fit_row_space`.
    """

    x: Matrix
    scaling: Standardisation
    rescaling: Rescaling | None = None
    directions: int = TRUNCATED_RANK
    _axes: dict[bytes, PrincipalAxes] = field(default_factory=dict, init=False)
    _pairs: dict[bytes, np.ndarray] = field(default_factory=dict, init=False)
    _stands_out: dict[bytes, bool] = field(default_factory=dict, init=False)

    @property
    def varies(self) -> bool:
        """Whether any feature has more than one value; a single gene behind a logarithm or ranks, within its sample, has none."""
        return bool((self.scaling.inverse_sd > 0).any())

    @cached_property
    def whole(self) -> RowSpace:
        """The row space of all rows over all features."""
        found = fit_row_space(self.x, self.scaling, directions=self.directions)
        return replace(found, rescaling=self.rescaling)

    @cached_property
    def coordinates(self) -> np.ndarray:
        """``(n_samples, rank)`` float32: the rows in `whole`."""
        return self.whole.project(self.x)

    def axes(self, rows: np.ndarray) -> PrincipalAxes:
        """Of the rows ``rows`` ``(n_samples,)`` bool in `whole`; views share them."""
        key = rows.tobytes()
        if key not in self._axes:
            self._axes[key] = principal_axes(self.coordinates, rows)
        return self._axes[key]

    def pairs(self, targets: np.ndarray, train: np.ndarray, screening: Screening) -> np.ndarray:
        """``(n_folds, n_features)`` what each says of the targets together with another one; views of the same targets share it."""
        key = train.tobytes()
        if key not in self._pairs:
            self._pairs[key] = screening.pair(self.x, self.scaling, targets, train)
        return self._pairs[key]

    def some_pair_stands_out(self, targets: np.ndarray, train: np.ndarray, screening: Screening) -> bool:
        """Whether there is any use in views of pairs; views of the same targets and folds share the answer."""
        key = train.tobytes()
        if key not in self._stands_out:
            self._stands_out[key] = some_pair_stands_out(screening.pair, self.x, self.scaling, targets, train)
        return self._stands_out[key]


def raw_source(x: Matrix, rows: np.ndarray | None = None) -> Source:
    """The features as they are, standardised on ``rows`` (all by default)."""
    return Source(x, standardisation(x if rows is None else x[rows]))


def rescaled_source(x: Matrix, kind: str, rows: np.ndarray | None = None) -> Source:
    """The features behind a rescaling, which is fitted to ``rows`` as their standardisation is; a dense copy.

    A feature that is constant in these rows takes no part: once rows are brought to one scale it varies, but says nothing of itself.
    """
    dense = x.toarray() if sparse.issparse(x) else np.asarray(x)
    used = dense if rows is None else dense[rows]
    rescaling = fit_rescaling(kind, used)
    rescaled = rescaling.apply(dense)
    scaling = standardisation(rescaled if rows is None else rescaled[rows])
    inverse_sd = np.where(rescaling.factors > 0, scaling.inverse_sd, 0.0)
    return Source(rescaled, Standardisation(scaling.mean, inverse_sd), rescaling)


@dataclass(frozen=True)
class FittedView:
    """A view of the training data.

    Attributes
    ----------
    name : str
    spaces : tuple of RowSpace
        One for every fold; they may share a basis.
    z : numpy.ndarray
        ``(n_folds, n_samples, rank)`` float32; shorter bases are padded with zero columns to a common rank.
    """

    name: str
    spaces: tuple[RowSpace, ...]
    z: np.ndarray

    @property
    def rank(self) -> int:
        return int(self.z.shape[2])

    def ranks(self) -> np.ndarray:
        """``(n_folds,)`` the true rank behind each fold's padded columns."""
        return np.array([space.rank for space in self.spaces])


def available_views(
    n_features: int, names: tuple[str, ...] = DEFAULT_VIEWS, *, n_samples: int = 0
) -> tuple[str, ...]:
    """Those of ``names`` that add something new at an acceptable cost.

    Picking as many features as there are, or more, adds no new view, but weighting them does. More components than half of the
    samples are not leading ones. A logarithm, or ranks, takes a dense copy,
    sparse or not: left out where that would be larger than 200 MB. Weights take ``n^2 p`` multiplications: left out above 1e11.
    """
    fitting = tuple(name for name in names if is_weighted(name) or (_count(name) or 0) < n_features)
    if n_samples:
        fitting = tuple(n for n in fitting if not is_leading(n) or 2 * (_count(n) or 0) <= n_samples)
    if n_samples**2 * n_features > _LARGEST_GRAM:
        fitting = tuple(name for name in fitting if not is_weighted(name))
    if n_samples * n_features > _LARGEST_COPY:
        fitting = tuple(name for name in fitting if rescaling_of(name) is None)
    return fitting


def is_weighted(name: str) -> bool:
    """Whether a view multiplies features by weights."""
    return _parsed(name)["part"] == "weighted"


def is_leading(name: str) -> bool:
    """Whether a view is of leading principal components."""
    return _parsed(name)["part"] == "leading"


def is_paired(name: str) -> bool:
    """Whether a view is of features that say something in pairs; a search has it only where a pair stands out."""
    return _parsed(name)["part"] == "paired"


def rescaling_of(name: str) -> str | None:
    """The kind of rescaling that a view reads rows behind; None of raw ones."""
    return _parsed(name)["whole"] or _parsed(name)["kind"]


def fit_views(
    names: tuple[str, ...],
    x: Matrix,
    targets: np.ndarray,
    train: np.ndarray,
    screening: Screening = BY_CLASS,
    fits: Callable[[float], bool] | None = None,
    directions: int = TRUNCATED_RANK,
) -> dict[str, FittedView]:
    """Fit views by name.

    Parameters
    ----------
    names : tuple of str
        ``"all"``, ``"log"``, ``"rank"``, ``"ratio"``, ``"arcsinh"``, ``"top<k>"``, ``"weighted<k>"``, ``"leading<k>"`` or
        ``"paired<k>"``, the last four also behind ``"log:"`` and so on.
    x : numpy.ndarray or scipy.sparse.csr_matrix
        ``(n_samples, n_features)``.
    targets : numpy.ndarray
        ``(n_samples, ...)``, as the screening takes them.
    train : numpy.ndarray
        ``(n_folds, n_samples)`` bool: the training rows of each fold.
    screening : Screening
        Which features have most to do with the targets.
    fits : callable, optional
        ``fits(seconds)`` says whether there is time for another view that takes so long. The first is fitted in any case; by default
        all are.
    directions : int
        Of all features that are kept, where there are more than 1,024.

    Returns
    -------
    dict
        By name, as far as there was time, and less those further ones in which all samples look alike, or which are of pairs of which
        none stands out. Standardisation uses the rows that any fold trains on: it looks at no target, and one projection then serves
        every fold. Targets are looked at inside the folds only.

    Raises
    ------
    ParameterError
        If there is no view of a name.
    """
    used = np.flatnonzero(train.any(axis=0))
    rows = None if len(used) == x.shape[0] else used
    sources: dict[str | None, Source] = {}
    fitted: dict[str, FittedView] = {}
    longest = 0.0
    for name in names:
        if fitted and fits is not None and not fits(longest):
            break
        started, kind = time.perf_counter(), rescaling_of(name)
        if kind not in sources:
            source = raw_source(x, rows) if kind is None else rescaled_source(x, kind, rows)
            sources[kind] = replace(source, directions=directions)
        if fitted and not worth_fitting(name, sources[kind], targets, train, screening):
            continue
        fitted[name] = fit_view(name, sources[kind], targets, train, screening)
        longest = max(longest, time.perf_counter() - started)
    return fitted


def worth_fitting(
    name: str, source: Source, targets: np.ndarray, train: np.ndarray, screening: Screening
) -> bool:
    """Whether samples differ in a view, and, of pairs, whether any stands out."""
    if not source.varies or not is_paired(name):
        return source.varies
    return source.some_pair_stands_out(targets, train, screening)


def fit_view(
    name: str, source: Source, targets: np.ndarray, train: np.ndarray, screening: Screening
) -> FittedView:
    """Fit one view to a source; see `fit_views`."""
    x, scaling, count = source.x, source.scaling, _count(name)
    if count is None or is_leading(name):
        return fit_in_space(name, source.whole, source.coordinates, [source.axes(rows) for rows in train])
    weighted = is_weighted(name)
    if is_paired(name):
        statistics = source.pairs(targets, train, screening)
    else:
        statistics = (screening.weigh if weighted else screening.rank)(x, scaling, targets, train)
    spaces = []
    for values, rows in zip(statistics, train, strict=True):
        columns = np.sort(np.argsort(-values, kind="stable")[: min(count, x.shape[1])])
        space = _fit_fold(x, scaling, columns, np.flatnonzero(rows), values if weighted else None)
        spaces.append(replace(space, rescaling=source.rescaling))
    return FittedView(name, tuple(spaces), _padded([space.project(x) for space in spaces]))


def _fit_fold(
    x: Matrix, scaling: Standardisation, columns: np.ndarray, rows: np.ndarray, weights: np.ndarray | None
) -> RowSpace:
    """The row space of some features in a fold; where they are weighted, the weights become part of its basis."""
    if weights is None:
        return fit_row_space(x, scaling, columns, rows)
    space = fit_row_space(x, Standardisation(scaling.mean, scaling.inverse_sd * weights), columns, rows)
    inner, scale = space.basis, space.scale
    if inner is None:
        inner, scale = np.eye(len(space.columns)), 1.0 / np.sqrt(np.mean(weights[space.columns] ** 2))
    basis = np.asarray(weights[space.columns, None] * inner, dtype="float32")
    return replace(space, inverse_sd=scaling.inverse_sd[space.columns], basis=basis, scale=float(scale))


def fit_in_space(name: str, whole: RowSpace, z: np.ndarray, axes: Sequence[PrincipalAxes]) -> FittedView:
    """A view of all features, or of leading components, in a basis that all folds share.

    Parameters
    ----------
    name : str
        Of a view that looks at no target.
    whole : RowSpace
        Without a rotation.
    z : numpy.ndarray
        ``(n, r)`` all rows in that space.
    axes : sequence of PrincipalAxes
        Of the training rows of each fold in that space.
    """
    count = _count(name.rpartition("/")[2])  # behind the name of a block
    if count is not None:
        spaces = [leading(whole, found, count) for found in axes]
    elif whole.basis is None:  # each fold's rows span all there is
        spaces = [whole] * len(axes)
    else:
        spaces = [restrict(whole, found) for found in axes]
    return FittedView(name, tuple(spaces), _padded([_rotated(z, whole, space) for space in spaces]))


def _rotated(z: np.ndarray, whole: RowSpace, space: RowSpace) -> np.ndarray:
    if space is whole:
        return z
    turned = space.basis if whole.basis is None else space.rotation
    return np.asarray(space.scale / whole.scale * (z @ turned), dtype="float32")


def _padded(parts: list[np.ndarray]) -> np.ndarray:
    rank = max(z.shape[1] for z in parts)
    return np.stack([np.pad(z, ((0, 0), (0, rank - z.shape[1]))) for z in parts])


def _count(name: str) -> int | None:
    """The ``k`` of ``top<k>``, ``weighted<k>``, ``leading<k>`` and ``paired<k>``; None where all features take part unweighted."""
    count = _parsed(name)["count"]
    return None if count is None else int(count)


def _parsed(name: str) -> dict[str, str | None]:
    match = _VIEW.fullmatch(name)
    if match is None:
        raise ParameterError(
            f"a view is 'all', 'log', 'rank', 'ratio', 'arcsinh', 'top<k>' such as 'top1000', 'weighted<k>', 'leading<k>' or 'paired<k>', "
            f"the last four also behind 'log:', 'rank:' and so on: got {name!r}."
        )
    return match.groupdict()
