"""Views: which features a network sees, each with a row-space basis of its own.

``all`` rotates every row by one basis, which reveals no label and therefore serves all folds; each fold works in the part
of it that its training rows span. ``top<k>`` keeps the ``k`` features with the largest one-way ANOVA F statistic; that
looks at labels, so it is fitted inside each fold, on the fold's training rows only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from genokeras.errors import ParameterError
from genokeras.features.rowspace import RowSpace, fit_row_space, restrict
from genokeras.features.standardise import Matrix, Standardisation, standardised_blocks

DEFAULT_VIEWS = ("all", "top1000", "top300", "top100")
_TOP = re.compile(r"top([1-9][0-9]*)")


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


def available_views(n_features: int, names: tuple[str, ...] = DEFAULT_VIEWS) -> tuple[str, ...]:
    """Those of ``names`` that select fewer features than there are, and ``all``."""
    return tuple(name for name in names if name == "all" or _top_count(name) < n_features)


def fit_view(
    name: str, x: Matrix, scaling: Standardisation, codes: np.ndarray, train: np.ndarray
) -> FittedView:
    """Fit a view by name.

    Parameters
    ----------
    name : str
        ``"all"`` or ``"top<k>"``.
    x : numpy.ndarray or scipy.sparse.csr_matrix
        ``(n_samples, n_features)``.
    scaling : Standardisation
    codes : numpy.ndarray
        ``(n_samples,)`` class numbers.
    train : numpy.ndarray
        ``(n_folds, n_samples)`` bool: the training rows of each fold.

    Raises
    ------
    ParameterError
        If there is no view of that name.
    """
    if name == "all":
        whole = fit_row_space(x, scaling)
        z = whole.transform(x)
        spaces = [restrict(whole, z, rows) for rows in train]
        return FittedView(name, tuple(spaces), _padded([_rotated(z, whole, space) for space in spaces]))
    count = min(_top_count(name), x.shape[1])
    statistics = anova_f(x, scaling, codes, train)
    spaces = [
        fit_row_space(x, scaling, np.sort(np.argsort(-f, kind="stable")[:count]), np.flatnonzero(rows))
        for f, rows in zip(statistics, train, strict=True)
    ]
    return FittedView(name, tuple(spaces), _padded([space.transform(x) for space in spaces]))


def anova_f(x: Matrix, scaling: Standardisation, codes: np.ndarray, train: np.ndarray) -> np.ndarray:
    """One-way ANOVA F statistic of every feature on the training rows of every fold.

    Returns
    -------
    numpy.ndarray
        ``(n_folds, n_features)``; 0 for features that are constant there.
    """
    n_folds, classes = len(train), np.unique(codes)
    member = np.stack([train & (codes == c) for c in classes], axis=1).astype("float64")
    counts = member.sum(axis=2)
    result = np.zeros((n_folds, x.shape[1]))
    for part, block in standardised_blocks(x, scaling):
        sums = member @ block
        squares = train.astype("float64") @ (block * block)
        result[:, part] = _f_ratio(sums, squares, counts)
    return result


def _f_ratio(sums: np.ndarray, squares: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """From class sums ``(F, k, b)``, sums of squares ``(F, b)`` and class sizes ``(F, k)``."""
    present, n = (counts > 0).sum(axis=1), counts.sum(axis=1)
    explained = (sums**2 / np.maximum(counts, 1)[:, :, None]).sum(axis=1)
    between = explained - sums.sum(axis=1) ** 2 / n[:, None]
    within = squares - explained
    freedom = np.maximum(n - present, 1) / np.maximum(present - 1, 1)
    usable = within > 1e-12 * np.maximum(squares, 1e-300)
    ratio = np.divide(between, within, out=np.full_like(between, np.inf), where=usable)
    ratio[~usable & (between <= 1e-9)] = 0.0
    return freedom[:, None] * ratio


def _rotated(z: np.ndarray, whole: RowSpace, space: RowSpace) -> np.ndarray:
    if space.rotation is None:
        return z
    return np.asarray(space.scale / whole.scale * (z @ space.rotation), dtype="float32")


def _padded(parts: list[np.ndarray]) -> np.ndarray:
    rank = max(z.shape[1] for z in parts)
    return np.stack([np.pad(z, ((0, 0), (0, rank - z.shape[1]))) for z in parts])


def _top_count(name: str) -> int:
    match = _TOP.fullmatch(name)
    if match is None:
        raise ParameterError(f"a view is 'all' or 'top<k>' such as 'top1000', got {name!r}.")
    return int(match.group(1))
