"""Further splits of a table into folds: replicates of a network are trained on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from genokeras.encoders import SplitView, TableEncoder
from genokeras.encoders.row_files import view_from_arrays, view_to_arrays
from genokeras.errors import RunFolderError
from genokeras.support import RunFolder

# Encoder of the first split, training rows ``(n_folds, n_samples)`` and the name of a view.
FitView = Callable[[TableEncoder, np.ndarray, str], SplitView]


@final
@dataclass(frozen=True, eq=False)
class FurtherSplits:
    """Splits behind the first one, numbered from 1; a view is fitted in one when a trial first reads it there.

    Attributes
    ----------
    held_out : numpy.ndarray
        ``(splits, n_folds, n_samples)`` bool; all other rows train.
    fit : callable or None
        Fits a view; None where only what the run folder holds can be read.
    folder : RunFolder or None
        Keeps the fitted views.
    """

    held_out: np.ndarray
    fit: FitView | None = None
    folder: RunFolder | None = None
    _known: dict[tuple[int, str], SplitView] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        # What fits views holds the samples, and is a closure: it does not travel with a pickled estimator.
        return {**vars(self), "fit": None}

    def view(self, encoder: TableEncoder, split: int, name: str) -> SplitView:
        """A view in a split, which is read from the run folder or fitted.

        Parameters
        ----------
        encoder : TableEncoder
            Of the first split.
        split : int
            From 1.
        name : str

        Raises
        ------
        RunFolderError
            If the run folder does not hold it, and there are no samples to fit it to.
        """
        if (split, name) not in self._known:
            found = self._read(encoder, split, name) or self._fitted(encoder, split, name)
            self._known.setdefault((split, name), found)
        return self._known[split, name]

    def learn(self, views: Mapping[tuple[int, str], SplitView]) -> None:
        """Take views, by split and name, that were fitted in another process."""
        self._known.update(views)

    def _read(self, encoder: TableEncoder, split: int, name: str) -> SplitView | None:
        file = _file(encoder, split, name)
        if self.folder is None or not self.folder.has(file):
            return None
        return view_from_arrays(self.folder.read_arrays(file), name, encoder.spaces[name])

    def _fitted(self, encoder: TableEncoder, split: int, name: str) -> SplitView:
        if self.fit is None:
            where = "" if self.folder is None else f" {str(self.folder.path)!r}"
            raise RunFolderError(f"the run{where} lacks the view {name!r} of its split {split} into folds.")
        found = self.fit(encoder, ~self.held_out[split - 1], name)
        if self.folder is not None:
            self.folder.write_arrays(
                _file(encoder, split, name), view_to_arrays(name, found, encoder.spaces[name])
            )
        return found


def _file(encoder: TableEncoder, split: int, name: str) -> str:
    """By the number of the view: names of views are no names of files."""
    return f"split_{split}_view_{list(encoder.spaces).index(name)}.npz"
