"""Formats that always hold genes in rows: their samples become the rows of a `Table`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from genokeras.data.frames import NamedFrame, table_from_frame
from genokeras.data.table import ReadOptions, Table, to_float32

_NOTHING: Mapping[str, np.ndarray] = MappingProxyType({})


def genes_in_rows(
    values: pd.DataFrame,
    genes: Iterable[str],
    samples: Iterable[str],
    source: str,
    *,
    annotations: Mapping[str, np.ndarray] = _NOTHING,
    notes: tuple[str, ...] = (),
) -> Table:
    """Turn a frame of genes by samples into a table of samples by genes.

    Parameters
    ----------
    values : DataFrame of shape (n_genes, n_samples)
    genes, samples : iterable of str
        Names of its rows and columns.
    source : str
        Where it came from.
    annotations : mapping of str to ndarray of shape (n_samples,)
        What else is known of the samples.
    notes : tuple of str

    Raises
    ------
    DataError
        Where text stands among the numbers.
    """
    gene_names, sample_names = tuple(genes), tuple(samples)
    if all(isinstance(dtype, np.dtype) and dtype.kind in "biuf" for dtype in values.dtypes):
        with np.errstate(over="ignore"):
            numbers = values.to_numpy(dtype=np.float32)
        return Table(to_float32(numbers.T), gene_names, sample_names, source, annotations, notes=notes)
    flipped = values.T.reset_index(drop=True).set_axis(range(len(gene_names)), axis=1)
    named = NamedFrame(flipped, gene_names, sample_names, notes)
    table = table_from_frame(named, ReadOptions(), source, names_given=False)
    return Table(table.x, gene_names, sample_names, source, annotations, notes=table.notes)
