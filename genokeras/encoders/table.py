"""Tables of samples x features, in the row space of each view.

========  ========================================================  ============================
symbol    meaning                                                   shape
========  ========================================================  ============================
n, p, F   samples, features, folds
z         coordinates of the samples in a view, fold by fold,       ``(n, F, width)`` float32
          zeros behind them
========  ========================================================  ============================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple, final

import numpy as np
from scipy import sparse

from genokeras.data.block import Block
from genokeras.data.checks import impute_median
from genokeras.encoders.encoder import Encoder, Rows
from genokeras.features import (
    TRUNCATED_RANK,
    FittedView,
    Matrix,
    RowSpace,
    Screening,
    fit_block_views,
    fit_in_space,
    fit_views,
    is_paired,
    principal_axes,
)

# Networks of different views share their shapes: what zero columns cost is less than another compilation.
_WIDTH_STEP = 32


@final
@dataclass(frozen=True, eq=False)
class TableEncoder(Encoder):
    """Raw features as networks see them: a few coordinates for each view and fold.

    Attributes
    ----------
    feature_names : tuple of str
    spaces : dict of str to tuple of RowSpace
        One for each fold, by view; they may share a basis.
    medians : numpy.ndarray or None
        ``(n_features,)`` stand-ins for NaN.
    blocks : tuple of Block
        The assays that features come from, where there are several; the delivered model has an input for each.
    """

    feature_names: tuple[str, ...]
    spaces: Mapping[str, tuple[RowSpace, ...]]
    medians: np.ndarray | None = None
    blocks: tuple[Block, ...] = ()
    kind: ClassVar[str] = "genome"

    @property
    def n_features(self) -> int:
        return len(self.feature_names)

    @property
    def widths(self) -> dict[str, int]:
        return {name: _width(spaces) for name, spaces in self.spaces.items()}

    def input_units(self, view: str) -> int:
        return _width(self.spaces[view])

    @property
    def inputs(self) -> dict[str, int]:
        """Width of each input of the delivered model, by its name."""
        return {block.input_name: block.size for block in self.blocks} or {"features": self.n_features}

    @property
    def numbers_per_row(self) -> int:
        return self.n_features

    def rows(self, data: Any) -> Rows:
        """``{"features": (n_samples, n_features)}`` of a ``Dataset``, dense or sparse."""
        return {"features": data.x}

    def model_inputs(self, rows: Rows) -> dict[str, Any]:
        x: Any = rows["features"]
        x = x.toarray() if isinstance(x, sparse.csr_matrix) else x
        return {"features": x, **{block.input_name: x[:, block.columns] for block in self.blocks}}

    def ranks(self, view: str) -> np.ndarray:
        """``(n_folds,)`` coordinates of each fold, without the zeros behind them."""
        return np.array([space.rank for space in self.spaces[view]])

    def shared_space(self, view: str) -> RowSpace | None:
        """The space that the folds of a view have each a part of; None where they have no basis, or each a different one."""
        spaces = self.spaces[view]
        if any(space.rotation is None or space.basis is not spaces[0].basis for space in spaces):
            return None
        return replace(spaces[0], rotation=None, scale=1.0)

    @property
    def looks_at_pairs(self) -> bool:
        """Whether a pair of features stood out, so that there are views of pairs."""
        return any(is_paired(name.rpartition("/")[2]) for name in self.spaces)

    def filled(self, x: Matrix) -> Matrix:
        """Raw rows whose missing values are replaced as the delivered model does it."""
        return x if self.medians is None else impute_median(x, self.medians.astype("float32"))[0]

    def sidecar(self) -> dict[str, Any]:
        missing = "error" if self.medians is None else "median"
        said: dict[str, Any] = {"feature_names": list(self.feature_names), "missing": missing}
        if self.blocks:
            said["inputs"] = {
                block.input_name: [block.bare(name) for name in self.feature_names[block.columns]]
                for block in self.blocks
            }
        return said


def fit_table_encoder(
    x: Matrix,
    targets: np.ndarray,
    train: np.ndarray,
    view_names: tuple[str, ...],
    screening: Screening,
    feature_names: tuple[str, ...],
    medians: np.ndarray | None = None,
    fits: Callable[[float], bool] | None = None,
    blocks: tuple[Block, ...] = (),
    present: np.ndarray | None = None,
    directions: int = TRUNCATED_RANK,
    held_out: np.ndarray | None = None,
) -> tuple[TableEncoder, Rows]:
    """Fit the views of a run.

    Parameters
    ----------
    x : numpy.ndarray or scipy.sparse.csr_matrix
        ``(n_samples, n_features)``, without missing values.
    targets : numpy.ndarray
    train : numpy.ndarray
        ``(n_folds, n_samples)`` bool.
    view_names : tuple of str
    screening : Screening
        How features are picked or weighted by the targets.
    feature_names : tuple of str
    medians : numpy.ndarray, optional
        What missing values were filled with.
    fits : callable, optional
        Whether there is time for another view, as in `fit_views`.
    blocks : tuple of Block
    present : numpy.ndarray, optional
        ``(n_samples, n_blocks)`` bool: which samples have which block.
    directions : int
        As in `fit_views`.
    held_out : numpy.ndarray, optional
        ``(n_folds, n_samples)`` bool: rows that neither train nor are held out are not read, and their coordinates are 0. All are
        read by default.

    Returns
    -------
    encoder : TableEncoder
    rows : dict of str to numpy.ndarray
        Coordinates ``(n_samples, n_folds, width)``, by view.
    """
    read = np.ones(len(targets), dtype=bool) if held_out is None else (train | held_out).any(axis=0)
    if not read.all():
        x, targets, train = x[read], targets[read], train[:, read]
        present = None if present is None else present[read]
    if blocks:
        fitted = fit_block_views(view_names, x, blocks, targets, train, present, screening, fits)
    else:
        fitted = fit_views(view_names, x, targets, train, screening, fits, directions)
    views = {name: widened(view) for name, view in fitted.items()}
    spaces = {name: view.spaces for name, view in views.items()}
    encoder = TableEncoder(feature_names, spaces, medians, blocks)
    return encoder, {name: _all_rows(by_sample(view.z), read) for name, view in views.items()}


class SplitView(NamedTuple):
    """A view in a split into folds: the space of each fold, and coordinates ``(n_samples, n_folds, width)``."""

    spaces: tuple[RowSpace, ...]
    rows: np.ndarray


def fit_split_view(
    x: Matrix,
    targets: np.ndarray,
    train: np.ndarray,
    name: str,
    screening: Screening,
    first: TableEncoder,
    present: np.ndarray | None = None,
) -> SplitView:
    """Fit one view in a further split into folds.

    Parameters
    ----------
    x : numpy.ndarray or scipy.sparse.csr_matrix
        ``(n_samples, n_features)``, without missing values.
    targets : numpy.ndarray
    train : numpy.ndarray
        ``(n_folds, n_samples)`` bool, of the further split.
    name : str
    screening : Screening
    first : TableEncoder
        Of the first split. A basis that its folds share looks at no target and serves the further split, too.
    present : numpy.ndarray, optional
        As in `fit_table_encoder`.
    """
    whole = first.shared_space(name)
    if whole is None and first.blocks:
        fitted = fit_block_views((name,), x, first.blocks, targets, train, present, screening)[name]
    elif whole is None:
        fitted = fit_views((name,), x, targets, train, screening)[name]
    else:
        z = whole.transform(x)
        fitted = fit_in_space(name, whole, z, [principal_axes(z, rows) for rows in train])
    view = widened(fitted)
    return SplitView(view.spaces, by_sample(view.z))


def by_sample(z: np.ndarray) -> np.ndarray:
    """``(n_folds, n_samples, width)`` coordinates with the samples on their first axis, and back; no copy."""
    return np.moveaxis(z, 0, 1)


def _all_rows(z: np.ndarray, read: np.ndarray) -> np.ndarray:
    if read.all():
        return z
    found = np.zeros((len(read), *z.shape[1:]), dtype=z.dtype)
    found[read] = z
    return found


def widened(view: FittedView) -> FittedView:
    """The view with zero columns up to a width that others have, too."""
    padding = _width(view.spaces) - view.rank
    return FittedView(view.name, view.spaces, np.pad(view.z, ((0, 0), (0, 0), (0, padding))))


def _width(spaces: tuple[RowSpace, ...]) -> int:
    return -(-max(space.rank for space in spaces) // _WIDTH_STEP) * _WIDTH_STEP
