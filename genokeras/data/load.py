"""The border: everything that comes in becomes a checked `Dataset` here."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np

from genokeras.data.blank_blocks import without_blank_blocks
from genokeras.data.block import Block
from genokeras.data.blocks import DROP, MISSING_BLOCKS, by_rows_of_first, without_stand_ins
from genokeras.data.checks import (
    FILL,
    FILL_BEFORE_PREDICTING,
    check_finite,
    check_names,
    constant_note,
    impute_median,
)
from genokeras.data.column_kinds import kinds_note
from genokeras.data.dataset import Dataset
from genokeras.data.dropping import dropped_names
from genokeras.data.gaps import check_measured, missing_shares
from genokeras.data.genes import Duplicates, check_duplicates
from genokeras.data.label_files import has_column, label_file
from genokeras.data.quantities import names_columns, read_targets
from genokeras.data.read_blocks import Reading, read_blocks, tidy_table
from genokeras.data.table import ReadOptions, Table, which_layer
from genokeras.data.targets import check_no_missing, column_names, sample_values
from genokeras.errors import DataError
from genokeras.support.checks import check_choice
from genokeras.support.wording import counted
from genokeras.visible import visible

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
    duplicates: Duplicates = "error",
    ignore_versions: bool = False,
    delimiter: str | None = None,
    decimal: str = ".",
    layer: str | None = None,
    use_raw: bool | None = None,
    modality: str | None = None,
    sheet: str | None = None,
    drop_columns: str | Sequence[str] = (),
    drop_unknown: bool = False,
    genes: Sequence[str] = (),
    several_targets: bool = False,
    missing_blocks: str = DROP,
    blocks: Sequence[Block] = (),
) -> Dataset:
    """Read and check samples, their genes and, where given, their labels.

    Parameters
    ----------
    x : path, Dataset, AnnData, MuData, matrix-like of shape (n_samples, n_features), or dict of these
        A DataFrame, ndarray, scipy sparse matrix or list of lists is taken from memory. A path is read by its suffix, and text
        and HDF5 by their content: csv, tsv and txt (also packed), series matrices of GEO, GCT, counts of featureCounts, HTSeq, STAR,
        salmon, kallisto and RSEM, xlsx, parquet, npz, mtx, 10x (``.h5``, or the folder), h5ad, h5mu, loom; a folder of counts is joined.
        A dict names several assays of the same samples: blocks, which are joined by sample id, or by row where they have none.
    y : array-like of shape (n_samples,), str or path, optional
        Labels by row; a Series whose index holds the sample ids goes by index; the name of a column or
        ``obs`` key; or a second file with the columns sample id and label, or labels alone; ``"clinical.tsv:er_status"``
        names one of several columns. The file may name more samples. An npz's own ``y`` is used without it.
    groups : array-like of shape (n_samples,), str or path, optional
        Which samples belong together, given as `y` is.
    missing : {"error", "median", "keep"}
        Missing values raise, are filled with the gene's median (kept in ``Dataset.medians``), or stay NaN. A sample without any
        value cannot be filled, and raises.
    transposed : bool
        The table or array holds genes in rows.
    sample_column : str, optional
        Column that holds the sample ids, of the table or of a file of labels; without it a table's first column is, if it
        looks like ids, and in a file of labels the one with most ids of the data.
    duplicates : {"error", "sum", "mean", "first", "unique"}
        Genes of one name raise, are added, averaged, reduced to the first, or numbered.
    ignore_versions : bool
        Ensembl ids lose their version: ``ENSG00000141510.18`` is ``ENSG00000141510``.
    delimiter : str, optional
        What separates the fields of a delimited text; without it the suffix says.
    decimal : {".", ","}
        What stands before the fraction of a number in text.
    layer : str, optional
        Which matrix: a layer of an h5ad, AnnData or loom file, ``"raw"``; a column of counts, such as ``"NumReads"``.
    use_raw : bool, optional
        True is ``layer="raw"``, as in scanpy.
    modality : str, optional
        Which of a MuData's modalities; without it all, as blocks.
    sheet : str, optional
        Which sheet of an xlsx file; without it the first.
    drop_columns : str or sequence of str
        Columns to leave out, as the table has them, or genes: numbers that are no genes, such as an age.
    drop_unknown : bool
        Such a column may be missing, in place of an error.
    genes : sequence of str
        Those that a model reads. Where all of them are there, others are left out and may hold anything.
    several_targets : bool
        `y` may hold several columns, or name them: a list of texts is then one of columns. ``Dataset.y`` has the shape
        (n_samples, n_targets) where there are several.
    missing_blocks : {"drop", "mask"}
        Samples that lack a block are left out, or have NaN in its columns (and False in ``Dataset.present``). With "mask" a sample
        whose values of a block are all missing lacks that block.
    blocks : sequence of Block
        Those that a model reads, of which no sample is left out. With "mask", a warning names samples that lack a block that is given.

    Returns
    -------
    Dataset
        ``notes`` says what was detected, left out or filled.

    Raises
    ------
    DataFileError
        Where a file is missing, empty, truncated, or not what its suffix says.
    DataError
        Where values, names or labels cannot be used, or nothing was measured of a sample; the message names the first ones.

    Examples
    --------
    >>> load_dataset([[1.0, 2.0], [3.0, 5.0]], y=["tumor", "normal"]).sample_ids
    ('sample_0', 'sample_1')
    """
    check_choice(missing, "missing", get_args(Missing))
    several = several_targets and y is not None
    named = y if several and names_columns(y) else (y,)
    check_duplicates(duplicates)
    check_choice(missing_blocks, "missing_blocks", MISSING_BLOCKS)
    check_choice(decimal, "decimal", (".", ","))
    elsewhere = sample_column is not None and any(has_column(given, sample_column) for given in (y, groups))
    options = ReadOptions(
        columns=column_names(*named, groups),
        transposed=transposed,
        sample_column=sample_column,
        delimiter=delimiter,
        needs_sample_column=not elsewhere,
        decimal=decimal,
        layer=which_layer(layer, use_raw),
        modality=modality,
        sheet=sheet,
        drop=dropped_names(drop_columns),
        genes=tuple(genes),
        missing_blocks=missing_blocks,
    )
    reading = Reading(options, duplicates, ignore_versions, drop_unknown, missing)
    if isinstance(x, Mapping):
        table, first = read_blocks(x, reading, tuple(blocks))
        groups = by_rows_of_first(groups, first, table)
        y = y if several and names_columns(y) else by_rows_of_first(y, first, table)
    else:
        table = tidy_table(x, reading)
    said: list[str] = []
    if several:
        labels: np.ndarray | None = read_targets(y, lambda given: _labels_of(given, table, said))
    elif several_targets and table.y is not None and table.y.ndim > 1:  # of a Dataset, read before
        labels = table.y
    else:
        labels = _per_sample(y, table.y, table, "y", said)
    grouping = _per_sample(groups, table.groups, table, "groups", said)
    table = dataclasses.replace(table, notes=(*table.notes, *dict.fromkeys(said)))
    dataset = _checked(table, labels, grouping, missing, missing_blocks, bool(options.genes))
    dataset = dataclasses.replace(dataset, versions_ignored=ignore_versions)
    if isinstance(x, Dataset):
        dataset = _with_filling_of(dataset, x)
    for note in dataset.notes:
        _logger.info("%s: %s", visible(dataset.source), visible(note))
    return dataset


def _labels_of(given: Any, table: Table, notes: list[str]) -> np.ndarray:
    labels = _per_sample(given, None, table, "y", notes)
    assert labels is not None
    return labels


def _per_sample(
    given: Any, own: np.ndarray | None, table: Table, what: str, notes: list[str]
) -> np.ndarray | None:
    values = sample_values(own if given is None else given, table, what, notes)
    if values is not None:
        file = None if given is None or values is own else label_file(given, table.annotations)
        check_no_missing(values, table.ids, what, f"{table.source}, {file}" if file else table.source)
    return values


def _checked(
    table: Table,
    y: np.ndarray | None,
    groups: np.ndarray | None,
    missing: Missing,
    missing_blocks: str,
    fitted: bool,
) -> Dataset:
    names, ids = table.names, table.ids
    check_names(names, ids, table.source)
    advice = FILL_BEFORE_PREDICTING if fitted else FILL
    if missing != "keep" or fitted:
        check_measured(table.x, ids, table.source, table.blocks, table.present)
    if table.blocks:
        table = without_blank_blocks(table, missing_blocks, missing, fitted)
    known = without_stand_ins(table).x
    check_finite(known, names, ids, table.source, None if missing != "error" else advice)
    x, medians, notes, most_missing = table.x, None, table.notes, 0.0
    if missing == "median":
        most_missing = float(missing_shares(x, table.blocks, table.present).max())
    if missing == "median" and table.present is None:
        x, medians = impute_median(table.x)
        notes = (*notes, *_filled_note(table))
    found = constant_note(x, names)
    if isinstance(x, np.ndarray) and not table.blocks:
        found = (*found, *kinds_note(x, names, table.feature_names is not None))
    extra = tuple(note for note in found if note not in notes)
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
        blocks=table.blocks,
        present=table.present,
        most_missing=most_missing,
    )


def _with_filling_of(dataset: Dataset, before: Dataset) -> Dataset:
    medians = before.medians if dataset.medians is None else dataset.medians
    most = max(dataset.most_missing, before.most_missing)
    return dataclasses.replace(dataset, medians=medians, most_missing=most)


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
