"""What a reader hands back before anything is checked, and what it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy import sparse

from genokeras.data.block import Block
from genokeras.data.dataset import Matrix
from genokeras.errors import DataError, ParameterError


@dataclass(frozen=True)
class ReadOptions:
    """What a reader is asked for.

    Attributes
    ----------
    columns : tuple of str
        Names (of the target, of the groups) that are annotations if the table has them, even where they are
        numbers.
    transposed : bool
        The table holds genes in rows.
    sample_column : str, optional
        Column that holds the sample ids (the gene names, where `transposed`).
    delimiter : str, optional
        What separates the fields of a delimited text.
    needs_sample_column : bool
        A table without `sample_column` is an error; it may be the name of a column in a file of labels.
    decimal : str
        What stands before the fraction of a number in text.
    layer : str, optional
        Which of several matrices is read: a layer of an h5ad or loom file, ``"raw"``, a column of a table of counts.
    modality : str, optional
        Which omics layer of a MuData is read; without it all, side by side.
    sheet : str, optional
        Which sheet of a spreadsheet is read.
    drop : tuple of str
        Columns to leave out.
    genes : tuple of str
        The genes that are used, if not all. Where all of them are there, others are left out unchecked.
    missing_blocks : str
        What becomes of samples that lack one of several blocks: ``"drop"`` or ``"mask"``.
    covariates : bool
        Columns in text are covariates, so that there need not be a column of numbers.
    """

    columns: tuple[str, ...] = ()
    transposed: bool = False
    sample_column: str | None = None
    delimiter: str | None = None
    decimal: str = "."
    layer: str | None = None
    modality: str | None = None
    sheet: str | None = None
    needs_sample_column: bool = True
    drop: tuple[str, ...] = ()
    genes: tuple[str, ...] = ()
    missing_blocks: str = "drop"
    covariates: bool = False


@dataclass(frozen=True, eq=False)
class Table:
    """Numbers with names, as read: nothing is checked yet.

    Attributes
    ----------
    x : ndarray or csr_matrix of float32, shape (n_samples, n_features)
    feature_names : tuple of str, optional
        None where the source has none.
    sample_ids : tuple of str, optional
        None where the source has none.
    annotations : mapping of str to ndarray of shape (n_samples,)
        Columns that describe samples: the target, the groups, text columns, ``obs``.
    y, groups : ndarray of shape (n_samples,), optional
        Labels and groups that the source itself marks as such.
    sample_column : str, optional
        What the column of ids is called in a file of labels.
    dropped : tuple of str
        Columns that were left out, because it was asked for.
    blocks : tuple of Block
        Which columns come from which assay, where several were joined.
    present : ndarray of bool, shape (n_samples, n_blocks), optional
        Which samples have which block, where some lack one.
    """

    x: Matrix
    feature_names: tuple[str, ...] | None
    sample_ids: tuple[str, ...] | None
    source: str
    annotations: Mapping[str, np.ndarray] = field(default_factory=lambda: MappingProxyType({}))
    y: np.ndarray | None = None
    groups: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    sample_column: str | None = None
    dropped: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    present: np.ndarray | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """The sample ids, made up where there are none."""
        if self.sample_ids is not None:
            return self.sample_ids
        return tuple(f"sample_{i}" for i in range(self.x.shape[0]))

    @property
    def names(self) -> tuple[str, ...]:
        """The gene names, made up where there are none."""
        if self.feature_names is not None:
            return self.feature_names
        return tuple(f"feature_{i}" for i in range(self.x.shape[1]))


def which_layer(layer: str | None, use_raw: bool | None) -> str | None:
    """The layer that is read, where ``use_raw`` may say "raw", as in scanpy.

    Raises
    ------
    ParameterError
        If both are given, or one is of another type.
    """
    if use_raw is not None and not isinstance(use_raw, bool):
        raise ParameterError(f"use_raw must be True or False, got {use_raw!r}.")
    if layer is not None and not isinstance(layer, str):
        raise ParameterError(f"layer must be the name of a layer, got {layer!r}.")
    if layer is not None and use_raw:
        raise ParameterError(f"give layer={layer!r} or use_raw=True: the values come from one of them.")
    return "raw" if use_raw else layer


Reader = Callable[[Path, ReadOptions], Table]


def to_float32(values: np.ndarray) -> np.ndarray:
    """Return C-contiguous float32, without a copy where `values` already are; too large becomes infinite."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(values, dtype=np.float32)


def to_csr(values: Any) -> sparse.csr_matrix:
    """Return a float32 ``csr_matrix`` in canonical form, without touching what was given.

    Raises
    ------
    DataError
        Where it holds no numbers, or its indices point outside of it, at which scipy would crash.
    """
    if values.dtype.kind not in "biuf":
        raise DataError(f"x must hold numbers: got a sparse matrix of dtype {values.dtype}.")
    _check_indices(values)
    with np.errstate(over="ignore"):
        matrix = sparse.csr_matrix(values, dtype=np.float32)
    if not matrix.has_canonical_format:
        matrix = matrix.copy()
        matrix.sum_duplicates()
    return matrix


def _check_indices(values: Any) -> None:
    if not hasattr(values, "check_format"):
        return
    try:
        # scipy looks at the order where the last one is positive, and only there.
        if hasattr(values, "indptr") and (values.indptr[1:] < values.indptr[:-1]).any():
            raise ValueError("index pointers that decrease")
        values.check_format(full_check=True)
    except (ValueError, OverflowError) as error:
        raise DataError(
            f"x is a damaged sparse matrix ({error}): its indices do not fit its shape {values.shape}. Write or build it again."
        ) from error
