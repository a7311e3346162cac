"""The one value that data travel in: samples by genes, validated once at the border."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from genokeras.data.block import Block

Matrix = np.ndarray | sparse.csr_matrix


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples, their genes and, where known, their labels and groups.

    Attributes
    ----------
    x : ndarray or csr_matrix of float32, shape (n_samples, n_features)
        Dense values are C-contiguous.
    feature_names : tuple of str
        One name per column of `x`.
    sample_ids : tuple of str
        One id per row of `x`.
    y : ndarray of shape (n_samples,), optional
        Labels as they came, not encoded.
    groups : ndarray of shape (n_samples,), optional
        Samples of one group (one donor, say) must not be split between training and scoring.
    source : str
        Where the data came from, for messages: ``"golub.tsv.gz"``, ``"array"``, ``"DataFrame"``.
    names_given : bool
        False where `feature_names` were made up as ``"feature_0"``, ``"feature_1"``...
    notes : tuple of str
        What was dropped, detected or filled, in plain sentences.
    medians : ndarray of shape (n_features,), optional
        What missing values were filled with, where ``missing="median"`` was asked for.
    ids_given : bool
        False where `sample_ids` were made up as ``"sample_0"``, ``"sample_1"``...
    versions_ignored : bool
        Ensembl ids lost their version on request: ``ENSG00000141510.18`` is ``ENSG00000141510``.
    blocks : tuple of Block
        Which columns come from which assay, where several were joined.
    present : ndarray of bool, shape (n_samples, n_blocks), optional
        Which samples have which block, where some lack one: their values are NaN.
    most_missing : float
        With ``missing="median"``, the largest share of a sample's values that were missing before they were filled.
    """

    x: Matrix
    feature_names: tuple[str, ...]
    sample_ids: tuple[str, ...]
    y: np.ndarray | None = None
    groups: np.ndarray | None = None
    source: str = "array"
    names_given: bool = True
    notes: tuple[str, ...] = ()
    medians: np.ndarray | None = None
    ids_given: bool = True
    versions_ignored: bool = False
    blocks: tuple[Block, ...] = ()
    present: np.ndarray | None = None
    most_missing: float = 0.0

    @property
    def n_samples(self) -> int:
        """Number of rows of `x`."""
        return int(self.x.shape[0])

    @property
    def n_features(self) -> int:
        """Number of columns of `x`."""
        return int(self.x.shape[1])

    def select(self, rows: np.ndarray) -> Dataset:
        """Return the samples that `rows` (a mask or positions) picks, in that order."""
        positions = np.arange(self.n_samples)[rows]
        return dataclasses.replace(
            self,
            x=self.x[positions],
            sample_ids=tuple(self.sample_ids[i] for i in positions),
            y=None if self.y is None else self.y[positions],
            groups=None if self.groups is None else self.groups[positions],
            present=None if self.present is None else self.present[positions],
        )

    def __repr__(self) -> str:
        kind = "sparse" if sparse.issparse(self.x) else "dense"
        labels = "without labels" if self.y is None else "with labels"
        return (
            f"Dataset({self.n_samples} samples x {self.n_features} features, {kind}, {labels}, {self.source})"
        )
