"""From what is already in memory (arrays, frames, sparse matrices, AnnData) to a `Table`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from genokeras.data.dataset import Dataset
from genokeras.data.foreign import as_pandas
from genokeras.data.frames import NamedFrame, named_frame, table_from_frame
from genokeras.data.readers.anndata import is_anndata, table_from_anndata
from genokeras.data.readers.mudata import is_mudata, table_from_mudata
from genokeras.data.table import ReadOptions, Table, to_csr, to_float32
from genokeras.data.tidy import unmasked
from genokeras.errors import DataError


def table_from_memory(x: Any, options: ReadOptions) -> Table:
    """Take a Dataset, AnnData, MuData, DataFrame, sparse matrix, array or list of lists as it is.

    Raises
    ------
    DataError
        Where `x` has not two dimensions or does not hold numbers.
    """
    if isinstance(x, Dataset):
        return _from_dataset(x)
    x = as_pandas(unmasked(x))
    if is_anndata(x):
        return table_from_anndata(x, options)
    if is_mudata(x):
        return table_from_mudata(x, options)
    if isinstance(x, pd.DataFrame):
        return table_from_frame(named_frame(x), options, "DataFrame")
    if sparse.issparse(x):
        matrix: Any = x
        return Table(to_csr(matrix.T if options.transposed else matrix), None, None, "sparse matrix")
    return _from_array(x, options)


def _from_dataset(dataset: Dataset) -> Table:
    return Table(
        x=dataset.x,
        feature_names=dataset.feature_names if dataset.names_given else None,
        sample_ids=dataset.sample_ids if dataset.ids_given else None,
        source=dataset.source,
        y=dataset.y,
        groups=dataset.groups,
        notes=dataset.notes,
        blocks=dataset.blocks,
        present=dataset.present,
    )


def _from_array(x: Any, options: ReadOptions) -> Table:
    source = "list" if isinstance(x, Sequence) else "array"
    try:
        values = np.asarray(x)
    except ValueError as error:
        raise DataError(
            f"x must be 2-d (n_samples, n_features): its rows differ in length ({error})."
        ) from error
    if values.ndim != 2:
        raise DataError(_wrong_dimensions(values, x))
    if values.dtype.kind in "biuf":
        return Table(to_float32(values.T if options.transposed else values), None, None, source)
    if values.dtype.kind == "c":
        raise DataError(
            f"Complex data not supported: x must hold real numbers, got an array of dtype {values.dtype}."
        )
    if values.dtype.kind not in "OUS":
        raise DataError(f"x must hold numbers: got an array of dtype {values.dtype}.")
    names = tuple(f"feature_{i}" for i in range(values.shape[1]))
    frame = pd.DataFrame(values.astype(object))
    if options.transposed:
        frame = frame.T.reset_index(drop=True).set_axis(range(len(frame)), axis=1)
        names = tuple(f"feature_{i}" for i in range(frame.shape[1]))
    rows = tuple(f"sample_{i}" for i in range(len(frame)))
    table = table_from_frame(NamedFrame(frame, names, rows), ReadOptions(), source, names_given=False)
    return Table(table.x, None, None, source)


def _wrong_dimensions(values: np.ndarray, x: Any) -> str:
    message = f"x must be 2-d (n_samples, n_features): got {values.ndim}-d"
    if values.ndim == 0:
        return (
            f"{message}, {type(x).__name__}. Pass a path, an array, a DataFrame, a sparse matrix or an "
            "AnnData."
        )
    hint = " Reshape your data: for one sample pass x[np.newaxis, :]." if values.ndim == 1 else ""
    return f"{message} of shape {values.shape}.{hint}"
