"""The border: everything that comes in becomes a checked `Dataset` here."""

from __future__ import annotations

import dataclasses
import logging
import os
from typing import Any, Literal, get_args

import numpy as np

from genokeras.data.checks import (
    check_finite,
    check_names,
    check_shape,
    constant_note,
    impute_median,
)
from genokeras.data.dataset import Dataset
from genokeras.data.memory import table_from_memory
from genokeras.data.quantities import names_columns, read_targets
from genokeras.data.readers.registry import read_table
from genokeras.data.table import ReadOptions, Table
from genokeras.data.targets import check_no_missing, column_names, sample_values
from genokeras.data.tidy import stripped
from genokeras.errors import DataError
from genokeras.support.checks import check_choice
from genokeras.support.wording import counted

_logger = logging.getLogger(__name__)

Missing = Literal["error", "median", "keep"]


def load_dataset(
    x: Any,
    y: Any = None,
    *,
    groups: Any = None,
    missing: Missing = "error",
    transposed: bool = False,
    sample_column: str | None = None,
    delimiter: str | None = None,
    several_targets: bool = False,
) -> Dataset:
    """Read and check samples, their genes and, where given, their labels.

    Parameters
    ----------
    x : path, Dataset, AnnData or matrix-like of shape (n_samples, n_features)
        A DataFrame, ndarray, scipy sparse matrix or list of lists is taken from memory; a path is read
        by its suffix: csv, tsv, txt (each also .gz), parquet, npz, gct, gct.gz, h5ad.
    y : array-like of shape (n_samples,), str or path, optional
        Labels by row; a Series whose index holds the sample ids goes by index; the name of a column or
        ``obs`` key; or a second file with the columns sample id and label, or labels alone. An npz's own
        ``y`` is used without it.
    groups : array-like of shape (n_samples,), str or path, optional
        Which samples belong together, given as `y` is.
    missing : {"error", "median", "keep"}
        Missing values raise, are filled with the gene's median (kept in ``Dataset.medians``), or stay NaN.
    transposed : bool
        The table or array holds genes in rows.
    sample_column : str, optional
        Column of a table that holds the sample ids; without it the first column is, if it looks like ids.
    delimiter : str, optional
        What separates the fields of a delimited text; without it the suffix says.
    several_targets : bool
        `y` may hold several columns, or name them: a list of texts is then one of columns. ``Dataset.y`` has the shape
        (n_samples, n_targets) where there are several.

    Returns
    -------
    Dataset
        ``notes`` says what was detected, left out or filled.

    Raises
    ------
    DataFileError
        Where a file is missing, empty, truncated, or not what its suffix says.
    DataError
        Where values, names or labels cannot be used; the message names the first cells.

    Examples
    --------
    >>> load_dataset([[1.0, 2.0], [3.0, 5.0]], y=["tumor", "normal"]).sample_ids
    ('sample_0', 'sample_1')
    """
    check_choice(missing, "missing", get_args(Missing))
    several = several_targets and y is not None
    named = y if several and names_columns(y) else (y,)
    options = ReadOptions(column_names(*named, groups), transposed, sample_column, delimiter)
    table = read_table(x, options) if isinstance(x, str | os.PathLike) else table_from_memory(x, options)
    table = _with_stripped_names(table)
    check_shape(table.x, table.names, table.ids, table.source)
    labels = (
        read_targets(y, lambda given: _labels_of(given, table))
        if several
        else _per_sample(y, table.y, table, "y")
    )
    grouping = _per_sample(groups, table.groups, table, "groups")
    dataset = _checked(table, labels, grouping, missing)
    if isinstance(x, Dataset) and dataset.medians is None and x.medians is not None:
        dataset = _with_medians(dataset, x.medians)
    for note in dataset.notes:
        _logger.info("%s: %s", dataset.source, note)
    return dataset


def _with_stripped_names(table: Table) -> Table:
    names, ids = table.feature_names, table.sample_ids
    return dataclasses.replace(
        table,
        feature_names=None if names is None else stripped(names),
        sample_ids=None if ids is None else stripped(ids),
    )


def _labels_of(given: Any, table: Table) -> np.ndarray:
    labels = _per_sample(given, None, table, "y")
    assert labels is not None
    return labels


def _per_sample(given: Any, own: np.ndarray | None, table: Table, what: str) -> np.ndarray | None:
    values = sample_values(own if given is None else given, table, what)
    if values is not None:
        check_no_missing(values, table.ids, what, table.source)
    return values


def _checked(table: Table, y: np.ndarray | None, groups: np.ndarray | None, missing: Missing) -> Dataset:
    names, ids = table.names, table.ids
    check_names(names, ids, table.source)
    check_finite(table.x, names, ids, table.source, allow_nan=missing != "error")
    x, medians, notes = table.x, None, table.notes
    if missing == "median":
        x, medians = impute_median(table.x)
        notes = (*notes, *_filled_note(table))
    extra = tuple(note for note in constant_note(x, names) if note not in notes)
    return Dataset(
        x=x,
        feature_names=names,
        sample_ids=ids,
        y=y,
        groups=groups,
        source=table.source,
        names_given=table.feature_names is not None,
        notes=(*notes, *extra),
        medians=medians,
        ids_given=table.sample_ids is not None,
    )


def _with_medians(dataset: Dataset, medians: np.ndarray) -> Dataset:
    return dataclasses.replace(dataset, medians=medians)


def _filled_note(table: Table) -> tuple[str, ...]:
    values = table.x if isinstance(table.x, np.ndarray) else table.x.data
    filled = int(np.isnan(values).sum())
    if not filled:
        return ()
    return (f"{counted(filled, 'missing value was', 'missing values were')} filled with the gene's median.",)


def require_labels(dataset: Dataset) -> np.ndarray:
    """Return the labels, or raise where the data came without."""
    if dataset.y is None:
        raise DataError(
            f"{dataset.source} came without labels: pass y as an array, the name of a column, or a file of "
            "labels."
        )
    return dataset.y
